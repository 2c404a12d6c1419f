// Sellers: who gets the buyers' attention, and who sells.
import { h } from '../dom.js';
import { chart } from '../chart.js';
import { dataTable } from '../table.js';
import { bar, chip, empty, literal, tile, tiles, wideCard } from '../parts.js';
import { amount, count, decimal, percent, percentTick, plural } from '../format.js';
import { ratio } from '../series.js';

// Gini coefficient of sellers' exposure, of whom those not shown have none.  By places from the
// largest on, p: sum of (n + 1 - 2 p) x over n sum of x.
const gini = (totals, n) => totals.exposure > 0 ? (n + 1 - 2 * totals.ranked_exposure / totals.exposure) / n : null;

// Shares of the whole that the largest 0, 1, 2, … have, at some hundred points
function lorenz(values, all, total) {
	const sorted = [...values].sort((a, b) => b - a);
	const points = [[0, 0]];
	let so = 0;
	sorted.forEach((v, i) => {
		so += v;
		points.push([(i + 1) / all, so / (total || 1)]);
	});
	if (sorted.length < all)
		points.push([1, 1]);
	const step = Math.max(1, Math.floor(points.length / 200));
	return points.filter((_, i) => i % step === 0 || i === points.length - 1);
}

export default {
	id: 'sellers', name: 'Sellers', group: 'Business',
	render(data) {
		const s = data.sellers;
		const rows = (s?.shown || []).map(r => ({ ...r, orders: r.orders === null ? null : Number(r.orders), revenue: r.revenue === null ? null : Number(r.revenue) }));
		const name = id => Object.prototype.hasOwnProperty.call(s.names, id) ? s.names[id] : id;
		const lists = s?.now || [];
		if (!rows.length && !lists.length)
			return {
				lead: s?.declared ? 'Sellers are declared, but no list with their products has been logged yet.' : 'The recommender does not know who sells what.',
				body: [s?.declared ? empty('Nothing is logged', 'This page compares what sellers are shown with what they sell, by the log:', `SELECT * FROM recommend(42, 10, ${literal(data.about.recommender)}, log => true);\nSELECT recsys.maintain();`)
					: empty('No sellers', 'On a marketplace, say whose a product is:', `SELECT recsys.alter_recommender(${literal(data.about.kind === 'recommender' ? data.about.recommender : 'home')}, seller => 'seller_id',\n    sellers => 'sellers', seller_key => 'seller_id', max_per_seller => 2);`)],
			};
		const totals = s.totals;
		const shown = Number(totals.sellers);
		const all = Number(totals.all);
		const exposure = Number(totals.exposure);
		const what = Number(totals.orders) > 0 ? 'orders' : 'clicks';
		const shareOf = r => ratio(r[what], Number(totals[what]));
		const points = rows.map(r => ({ r, shown: r.exposure / exposure, got: shareOf(r) || 0 }));
		const top = Math.max(1, Math.round(all / 10));
		const topShare = ratio(totals.top_exposure, exposure);
		const newShare = totals.has_new ? ratio(Number(totals.new_exposure), exposure) : null;
		const newSellers = Number(totals.new_sellers);
		const body = [];

		if (rows.length) {
			const full = Math.max(...points.map(p => p.shown));
			const some = shown > rows.length ? ` The ${count(rows.length)} that are shown most.` : '';
			body.push(
				tiles(
					tile({ name: 'sellers.shown', label: 'Sellers shown', value: shown, format: count, note: `of ${count(all)} that could be` }),
					tile({ name: 'sellers.gini', label: 'Inequality of exposure', title: 'Gini coefficient: 0 if all sellers are shown alike, near 1 if one has it all', value: gini(totals, all), format: decimal, note: 'Gini: 0 all alike, 1 one has all' }),
					tile({ name: 'sellers.top_share', label: 'The largest tenth has', value: topShare, format: v => percent(v, 0), note: `of the exposure: ${plural(top, 'seller')}` }),
					newShare !== null && tile({ name: 'sellers.new_share', label: 'New sellers get', value: newShare, format: v => percent(v, 1), note: `of the exposure: ${plural(newSellers, 'seller')}` })),
				chart({
					id: 'sellers-scatter', title: `Exposure against ${what}`, height: 360, note: `Each point is a seller. Above the line one sells more than one is shown, below it less.${some}`,
					describe: `${plural(shown, 'seller')}; shares of exposure and of ${what}.`,
					option: t => {
						const most = Math.max(...points.map(p => Math.max(p.shown, p.got))) * 1.05;
						const make = (label, list, color) => ({
							name: label, type: 'scatter', color, symbolSize: 11, itemStyle: { opacity: .75, borderColor: t.surface, borderWidth: 1 },
							data: list.map(p => ({ value: [p.shown, p.got], name: name(p.r.seller) })),
						});
						return {
							legend: newShare !== null ? {} : false,
							grid: { bottom: 22, left: 26 },
							xAxis: { type: 'value', min: 0, max: most, name: 'share of exposure', nameLocation: 'middle', nameGap: 28, axisLabel: { formatter: percentTick }, splitNumber: 5 },
							yAxis: { type: 'value', min: 0, max: most, name: `share of ${what}`, nameLocation: 'middle', nameGap: 44, axisLabel: { formatter: percentTick }, splitNumber: 5 },
							tooltip: { trigger: 'item', formatter: p => h('div', null, h('b', null, p.data.name || ''), h('div', null, `${percent(p.value[0])} of exposure, ${percent(p.value[1])} of ${what}`)) },
							series: [
								{ type: 'line', data: [[0, 0], [most, most]], color: t.faint, symbol: 'none', silent: true, lineStyle: { width: 1.5, type: [5, 4] }, tooltip: { show: false } },
								make('Sellers', points.filter(p => !p.r.is_new), t.palette[0]),
								...(newShare !== null ? [make('New sellers', points.filter(p => p.r.is_new), t.palette[2])] : []),
							],
						};
					},
					table: () => ({
						head: ['Seller', 'Share of exposure', `Share of ${what}`],
						rows: points.map(p => [name(p.r.seller), { value: p.shown, format: percent, metric: `sellers-scatter.${p.r.seller}.exposure` }, { value: p.got, format: percent, metric: `sellers-scatter.${p.r.seller}.got` }]),
					}),
				}),
				chart({
					id: 'sellers-lorenz', title: 'How few have how much', height: 360, note: 'The largest sellers first. The more a curve bends to the upper left, the fewer have it all.',
					describe: `The largest tenth has ${percent(topShare, 0)} of the exposure.`,
					option: t => ({
						grid: { bottom: 22, left: 26 },
						xAxis: { type: 'value', min: 0, max: 1, name: 'share of sellers', nameLocation: 'middle', nameGap: 28, axisLabel: { formatter: percentTick } },
						yAxis: { type: 'value', min: 0, max: 1, name: 'share of the whole', nameLocation: 'middle', nameGap: 48, axisLabel: { formatter: percentTick } },
						tooltip: { valueFormatter: v => percent(Array.isArray(v) ? v[1] : v, 1), axisPointer: { label: { formatter: p => percent(p.value, 0) } }, formatter: list => h('div', null, h('b', null, `${percent(list[0].value[0], 0)} of the sellers`), list.map(p => h('div', null, `${percent(p.value[1], 0)} of ${p.seriesName.toLowerCase()}`))) },
						series: [
							{ name: 'Exposure', type: 'line', data: lorenz(rows.map(r => Number(r.exposure)), all, exposure), color: t.palette[0], symbol: 'none', lineStyle: { width: 2.5 } },
							{ name: what === 'orders' ? 'Orders' : 'Clicks', type: 'line', data: lorenz(points.map(p => p.got), all, 1), color: t.palette[1], symbol: 'none', lineStyle: { width: 2.5 } },
						],
					}),
					table: () => ({ head: ['Share of sellers', 'Share of exposure'], rows: lorenz(rows.map(r => Number(r.exposure)), all, exposure).map(([x, y]) => [percent(x, 1), { value: y, format: percent }]) }),
				}),
				wideCard(shown > 300 ? 'The 300 sellers that are shown most' : 'All sellers', 'Last 28 days. Attention is what they are shown, each place counted as far as it is looked at.', dataTable({
					id: 'sellers-table', caption: 'Sellers', class: 'tall',
					head: ['Seller', 'Share of exposure', '', 'Shown', 'Clicks', 'Click rate', 'Orders', 'Revenue', { name: `${what[0].toUpperCase()}${what.slice(1)} for exposure`, title: `Share of ${what} by share of exposure: above 1 it sells more than it is shown` }],
					rows: points.slice(0, 300).map(({ r, shown, got }) => [
						h('span', null, name(r.seller), r.is_new && chip('new', 'accent')),
						{ value: shown, format: percent, metric: `sellers.${r.seller}.exposure_share` }, bar(shown, full),
						{ value: Number(r.impressions), format: count, metric: `sellers.${r.seller}.impressions` },
						{ value: Number(r.clicks), format: count, metric: `sellers.${r.seller}.clicks` },
						{ value: ratio(r.clicks, r.impressions), format: percent, metric: `sellers.${r.seller}.ctr` },
						{ value: r.orders, format: count, metric: `sellers.${r.seller}.orders` },
						{ value: r.revenue, format: amount, metric: `sellers.${r.seller}.revenue` },
						{ value: shown > 0 ? got / shown : null, format: decimal, metric: `sellers.${r.seller}.yield` }]),
				})));
		}
		if (lists.length)
			body.push(wideCard('Lists as they would be now', `What a thousand customers would be shown at this moment, beside the products that sellers list and what they have sold. Gini of what is shown: ${decimal(lists[0].gini)}.`, dataTable({
				id: 'sellers-now', caption: 'Lists as they would be now', class: 'tall', head: ['Seller', 'Share shown', '', 'Share of products', 'Share sold'],
				rows: lists.map(r => [name(r.seller_id), { value: r.shown_share, format: percent, metric: `sellers.now.${r.seller_id}.shown_share` }, bar(r.shown_share, lists[0].shown_share),
					{ value: r.listed_share, format: percent, metric: `sellers.now.${r.seller_id}.listed_share` }, { value: r.sold_share, format: percent, metric: `sellers.now.${r.seller_id}.sold_share` }]),
			})));
		return {
			lead: rows.length ? `${count(shown)} of ${count(all)} sellers were shown in the last 28 days. The largest tenth got ${percent(topShare, 0)} of the attention${newShare !== null && newSellers ? `, those that are new ${percent(newShare, 1)}` : ''}.`
				: 'Nothing of it is logged yet; this is what lists would show now.',
			body: [h('div', { class: 'grid' }, body)],
		};
	},
};
