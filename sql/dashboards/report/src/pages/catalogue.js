// The catalogue: how much of it is shown, whether the long tail and the new have a chance.
import { h } from '../dom.js';
import { chart, dayChart } from '../chart.js';
import { dataTable } from '../table.js';
import { bar, card, empty, literal, tile, tiles } from '../parts.js';
import { amount, count, day, decimal, percent, percentTick, plural, pvalue } from '../format.js';
import { colorOf, controlsOf, keyOf, ratio, seriesOf, sum, sumMoney } from '../series.js';
import { link, picture } from '../items.js';

const mean = (rows, field, weight = 'impressions') => {
	const known = rows.filter(r => r[field] !== null);
	const all = sum(known, weight);
	return all ? known.reduce((a, r) => a + r[field] * Number(r[weight]), 0) / all : null;
};

export default {
	id: 'catalogue', name: 'Catalogue', group: 'Business',
	render(data) {
		const c = data.catalogue;
		if (!c?.days?.length)
			return {
				lead: 'Without a log it is not known what was shown.',
				body: [empty('Nothing is logged', 'This page shows how much of the catalogue lists reach, and how the long tail and new products fare:', `SELECT * FROM recommend(42, 10, ${literal(data.about.recommender || 'home')}, log => true);\nSELECT recsys.maintain();`)],
			};
		const series = seriesOf(c.days, controlsOf(data.experiments?.experiments));
		const days = [...new Set(c.days.map(r => r.day))].sort();
		const of = field => (s, d) => c.days.find(r => r.day === d && keyOf(r) === s.key)?.[field] ?? null;
		const rowsOf = s => c.days.filter(r => keyOf(r) === s.key);
		// the one that the report is about: what its recommender has made or, if that is not in the log, the widest
		const main = series.map(s => ({ s, spread: c.spread.find(x => keyOf(x) === s.key) }))
			.sort((a, b) => ((b.s.recommender === data.about.recommender) - (a.s.recommender === data.about.recommender)) || (a.s.isControl - b.s.isControl) || ((b.spread?.items_shown || 0) - (a.spread?.items_shown || 0)))[0];
		const rows = rowsOf(main.s);
		const size = Math.max(0, ...rows.map(r => Number(r.catalogue_items || 0))) || null;
		const coverage = main.spread && size ? Math.min(1, main.spread.items_shown / size) : null;
		const fresh = c.newness?.find(n => n.is_new), old = c.newness?.find(n => !n.is_new);
		const classes = [...new Set(c.popularity.map(p => p.class))].sort((a, b) => a - b);
		const share = (s, k, field) => {
			const mine = c.popularity.filter(p => keyOf(p) === s.key);
			return ratio(sum(mine.filter(p => p.class === k), field), sum(mine, field));
		};
		const sold = sumMoney(c.popularity, 'orders');
		const bias = mean(rows, 'popularity_bias');
		const tail = mainSeries => ratio(sum(c.popularity.filter(p => keyOf(p) === mainSeries.key && p.class <= 9), 'impressions'), sum(c.popularity.filter(p => keyOf(p) === mainSeries.key), 'impressions'));
		const name = k => k === 10 ? 'bestsellers' : k === 1 ? 'fewest' : String(k);
		const full = Math.max(1, ...c.top.map(t => Number(t.impressions)));
		const shown = sum(c.categories, 'impressions'), got = sumMoney(c.categories, 'orders');

		const body = h('div', { class: 'grid' },
			tiles(
				tile({ name: 'catalogue.coverage', label: `Coverage of “${main.s.name}”`, title: 'Different products shown in 28 days, of those that could be', value: coverage, format: v => percent(v, 1), note: main.spread && `${count(main.spread.items_shown)} of ${count(size)} products` }),
				tile({ name: 'catalogue.tail_share', label: 'Below the top tenth', title: 'Share of what was shown that is not among the tenth of the products that most customers have', value: tail(main.s), format: v => percent(v, 1), note: 'of what was shown' }),
				tile({ name: 'catalogue.novelty', label: 'Novelty', title: 'Mean of −log2 of the share of customers who have the product', value: mean(rows, 'novelty'), format: v => decimal(v, 1), note: 'bits: 1 more is half as common' }),
				tile({ name: 'catalogue.popularity_bias', label: 'Popularity bias', title: 'How much more popular what is shown is than what is bought, from -1 to 1', value: bias, format: v => decimal(v, 3), note: bias === null ? 'not known: nothing has been bought yet' : bias > 0 ? 'shows more popular than it sells' : 'sells more popular than it shows' }),
				fresh && tile({ name: 'catalogue.new_share', label: 'New products', value: ratio(fresh.impressions, Number(fresh.impressions) + Number(old?.impressions || 0)), format: v => percent(v, 1), note: `of what was shown; ${percent(ratio(fresh.clicks, fresh.impressions))} of it clicked` })),
			dayChart({
				id: 'catalogue-coverage', title: 'Coverage by day', note: 'Different products on the lists of a day, of all that could be.', dayFormat: day, days, series, colorOf,
				value: of('coverage'), format: v => percent(v, 1), axisFormat: percentTick, axis: { min: 0 }, describe: series.map(s => `${s.name}: ${percent(mean(rowsOf(s), 'coverage'), 1)} a day`).join(', '),
			}),
			classes.length > 0 && chart({
				id: 'catalogue-tail', title: 'The long tail', note: 'Products in ten classes by how many customers have them: what each class has of the lists (bars), and of all orders (line).',
				describe: `${percent(tail(main.s), 0)} of what “${main.s.name}” shows is below the top tenth.`,
				option: t => ({
					xAxis: { type: 'category', data: classes.map(name), axisLabel: { interval: 0 } }, yAxis: { type: 'value', axisLabel: { formatter: percentTick }, splitNumber: 4 },
					tooltip: { valueFormatter: v => percent(v, 1), axisPointer: { type: 'shadow' } },
					legend: {},
					series: [
						...series.map(s => ({ name: s.name, type: 'bar', data: classes.map(k => share(s, k, 'impressions')), color: colorOf(s, t), barMaxWidth: 16, itemStyle: { borderRadius: [3, 3, 0, 0] } })),
						...(sold ? [{ name: 'bought', type: 'line', data: classes.map(k => sumMoney(c.popularity.filter(p => p.class === k), 'orders') / sold), color: t.text, symbol: 'circle', symbolSize: 6, lineStyle: { width: 1.5 } }] : []),
					],
				}),
				table: () => ({
					head: ['Class', ...series.map(s => `${s.name}: shown`), 'Bought'],
					rows: classes.map(k => [name(k), ...series.map(s => ({ value: share(s, k, 'impressions'), format: percent, metric: `catalogue-tail.${s.name}.${k}` })), { value: sold ? sumMoney(c.popularity.filter(p => p.class === k), 'orders') / sold : null, format: percent, metric: `catalogue-tail.orders.${k}` }]),
				}),
			}),
			c.days.some(r => r.new_items_shown !== null) && dayChart({
				id: 'catalogue-new', title: 'New products by day', note: 'Their share of what was shown, clicked and bought.', dayFormat: day, days, height: 260,
				series: [['shown', 'new_items_shown'], ['clicked', 'new_items_clicked'], ['bought', 'new_items_ordered']].map(([label, field], i) => ({ name: label, field, place: i })), colorOf,
				value: (s, d) => {
					const found = c.days.filter(r => r.day === d && r[s.field] !== null);
					return found.length ? mean(found, s.field) : null;
				},
				format: v => percent(v, 1), axisFormat: percentTick, axis: { min: 0 },
			}),
			c.categories.length > 0 && chart({
				id: 'catalogue-categories', title: 'Categories', note: got ? 'Their share of what was shown, and of the orders that came of it.' : 'Their share of what was shown.', height: Math.max(220, 34 * Math.min(12, c.categories.length) + 50),
				option: t => {
					const list = c.categories.slice(0, 12).reverse();
					const make = (label, field, all, color) => ({ name: label, type: 'bar', data: list.map(r => Number(r[field]) / all), color, barMaxWidth: 10, itemStyle: { borderRadius: [0, 3, 3, 0] } });
					return {
						xAxis: { type: 'value', axisLabel: { formatter: percentTick }, splitLine: { show: true }, splitNumber: 4 }, yAxis: { type: 'category', data: list.map(r => r.category), axisLabel: { width: 130, overflow: 'truncate' }, splitLine: { show: false } },
						tooltip: { valueFormatter: v => percent(v, 1), axisPointer: { type: 'shadow' } },
						series: [...(got ? [make('bought', 'orders', got, t.palette[1])] : []), make('shown', 'impressions', shown, t.palette[0])],
						legend: { data: got ? ['shown', 'bought'] : ['shown'] },
					};
				},
				table: () => ({
					head: ['Category', 'Shown', 'Clicks', 'Orders', 'Revenue'], rows: c.categories.map(r => [r.category, { value: Number(r.impressions), format: count, metric: `catalogue.category.${r.category}.impressions` },
						{ value: Number(r.clicks), format: count, metric: `catalogue.category.${r.category}.clicks` }, { value: r.orders === null ? null : Number(r.orders), format: count, metric: `catalogue.category.${r.category}.orders` }, { value: r.revenue === null ? null : Number(r.revenue), format: amount, metric: `catalogue.category.${r.category}.revenue` }]),
				}),
			}),
			card('Shown most', 'Last 28 days, by all lists.', dataTable({
				id: 'catalogue-top', caption: 'Products shown most', head: ['Product', 'Shown', '', 'Click rate', 'Orders'],
				rows: c.top.map(t => [h('span', { class: 'with-picture' }, picture(t.item_id, 'small'), link(t.item_id)),
					{ value: Number(t.impressions), format: count, metric: `catalogue.item.${t.item_id}.impressions` }, bar(Number(t.impressions), full),
					{ value: ratio(t.clicks, t.impressions), format: percent, metric: `catalogue.item.${t.item_id}.ctr` }, { value: t.orders === null ? null : Number(t.orders), format: count, metric: `catalogue.item.${t.item_id}.orders` }]),
			})),
			card('Shown in vain', 'Clicked less than other products at the same places, and that is hardly chance.', c.vain.length ? dataTable({
				id: 'catalogue-vain', caption: 'Products shown in vain', head: ['Product', 'Shown', 'Clicks', { name: 'Expected', title: 'Clicks that any product would have got at these places' }, 'Chance'],
				rows: c.vain.map(v => [h('span', { class: 'with-picture' }, picture(v.item_id, 'small'), link(v.item_id)), { value: Number(v.impressions), format: count }, { value: Number(v.clicks), format: count },
					{ value: v.expected_clicks, format: x => decimal(x, 1) }, { value: v.chance, format: pvalue }]),
			}) : h('p', null, 'There is none: every product gets about as many clicks as its places promise.')));
		return {
			lead: coverage !== null ? `In 28 days “${main.s.name}” has shown ${count(main.spread.items_shown)} different products, ${percent(coverage, 0)} of the catalogue${tail(main.s) !== null ? `; ${percent(tail(main.s), 0)} of its places went to products below the top tenth` : ''}.`
				: `${plural(c.top.length, 'product')} and more were shown in the last 28 days.`,
			body: [body],
		};
	},
};
