// What lists have brought: totals, days and variants, places, segments.
import { h, replace } from '../dom.js';
import { chart, dayChart } from '../chart.js';
import { dataTable } from '../table.js';
import { metric } from '../metric.js';
import { bar, card, choices, empty, literal, tile, tiles, wideCard } from '../parts.js';
import { amount, change, compact, count, date, day, percent, percentTick, plural, tick } from '../format.js';
import { colorOf, controlsOf, keyOf, ratio, seriesOf, sum, sumMoney } from '../series.js';

const DAY = 86400000;
const dayBefore = (d, n) => new Date(Date.parse(d) - n * DAY).toISOString().slice(0, 10);

// Sums of rows, and what is divided.  Orders, and amounts, may be known of some of the lists only, such
// as those of an experiment that declares purchases: rates are those of these lists.
export function totals(rows) {
	const t = {};
	const ofKnown = (part, whole) => ratio(t[part], sum(rows.filter(r => r[part] !== null), whole));
	for (const field of ['requests', 'impressions', 'users', 'clicks', 'carts', 'clicked_requests'])
		t[field] = sum(rows, field);
	for (const field of ['orders', 'revenue', 'ordered_requests', 'ordered_users'])
		t[field] = sumMoney(rows, field);
	t.ctr = ratio(t.clicks, t.impressions);
	t.add_to_cart_rate = ratio(t.carts, t.impressions);
	t.conversion = ofKnown('ordered_users', 'users');
	t.revenue_per_request = ofKnown('revenue', 'requests');
	t.ordered_by_carts = ofKnown('orders', 'carts');
	t.unknown = t.orders === null ? 0 : sum(rows.filter(r => r.orders === null), 'requests');
	return t;
}

function funnel(t) {
	const steps = [
		['impressions', 'Shown', t.impressions, null],
		['clicks', 'Clicked', t.clicks, ratio(t.clicks, t.impressions)],
		['carts', 'Put into the cart', t.carts, ratio(t.carts, t.clicks)],
		['orders', 'Bought', t.orders, t.ordered_by_carts],
	];
	// widths by the root, or what is bought would not be seen
	const full = Math.sqrt(t.impressions || 1);
	return card('From shown to bought', 'Items in all lists of the period. Orders are those that are attributed to a list.',
		h('ol', { class: 'funnel' }, steps.map(([name, label, value, of]) => h('li', null,
			h('div', { class: 'funnel-label' }, h('span', null, label), metric(`overview.funnel.${name}`, value, count)),
			h('div', { class: 'funnel-bar' }, h('span', { style: `width:${(100 * Math.sqrt(value || 0) / full).toFixed(1)}%` })),
			h('div', { class: 'note' }, of === null ? 'items on lists' : `${percent(of)} of the step before`)))));
}

function variants(series, rows) {
	const each = series.map(s => ({ s, t: totals(rows.filter(r => keyOf(r) === s.key)) })).filter(({ t }) => t.requests > 0);
	// lists of other pages, and of before the experiment, are not what the control is there for
	const control = each.find(({ s }) => s.isControl);
	const beside = ({ s, t }, field) => {
		const own = each.find(e => e.s.isControl && e.s.experiment === s.experiment);
		const c = own && own.t !== t && s.experiment ? own.t[field] : null;
		return c && t[field] !== null ? t[field] / c - 1 : null;
	};
	const show = (value, format, moved) => h('span', null, format(value), moved !== null && h('small', { class: moved >= 0 ? 'good' : 'bad' }, ` ${change(moved, 0)}`));
	return wideCard('Who has brought what', control ? 'Variants beside the control of their experiment. Whether a difference is more than chance is on the page of the experiment.' : 'By what has made the lists.',
		dataTable({
			id: 'overview-variants', caption: 'Totals by variant',
			head: ['', 'Lists', 'Click rate', { name: 'Conversion', title: 'By visitors of a day: one who comes on three days counts three times' }, 'Orders', 'Revenue', { name: 'Revenue a list', title: 'Attributed revenue by lists shown' }],
			rows: each.map(({ s, t }, i) => [
				h('span', { class: 'key', style: `--key:var(${s.isControl ? '--control' : `--series-${s.place % 7 + 1}`})` }, s.name),
				{ value: t.requests, format: count, metric: `overview.variant.${s.name}.requests` },
				{ value: t.ctr, format: percent, metric: `overview.variant.${s.name}.ctr`, show: show(t.ctr, percent, beside(each[i], 'ctr')) },
				{ value: t.conversion, format: percent, metric: `overview.variant.${s.name}.conversion`, show: show(t.conversion, percent, beside(each[i], 'conversion')) },
				{ value: t.orders, format: count, metric: `overview.variant.${s.name}.orders` },
				{ value: t.revenue, format: amount, metric: `overview.variant.${s.name}.revenue` },
				{ value: t.revenue_per_request, format: amount, metric: `overview.variant.${s.name}.revenue_per_request`, show: show(t.revenue_per_request, amount, beside(each[i], 'revenue_per_request')) },
			]),
		}));
}

function positions(data, series) {
	const rows = data.overview.positions;
	const places = [...new Set(rows.map(r => r.position))].sort((a, b) => a - b);
	const value = (s, p) => {
		const row = rows.find(r => keyOf(r) === s.key && r.position === p);
		return row ? ratio(row.clicks, row.impressions) : null;
	};
	if (!places.length)
		return null;
	return chart({
		id: 'overview-positions', title: 'Clicks by place in the list', note: `Share of items clicked at each place, ${data.about.only_today ? 'today so far' : 'last 28 days'}. Where it levels off, a longer list is worth little.`,
		describe: `Places 1 to ${places.at(-1)}.`,
		option: t => ({
			xAxis: { type: 'category', data: places, name: '' }, yAxis: { type: 'value', axisLabel: { formatter: percentTick }, splitNumber: 4 },
			tooltip: { valueFormatter: v => percent(v), axisPointer: { type: 'shadow' } },
			series: series.map(s => ({ name: s.name, type: 'bar', data: places.map(p => value(s, p)), color: colorOf(s, t), barMaxWidth: 16, barGap: '10%', itemStyle: { borderRadius: [3, 3, 0, 0] } })),
		}),
		table: () => ({ head: ['Place', ...series.map(s => s.name)], rows: places.map(p => [p, ...series.map(s => ({ value: value(s, p), format: percent, metric: `overview-positions.${s.name}.${p}` }))]) }),
	});
}

function segments(rows) {
	if (!rows.length)
		return null;
	const full = Math.max(...rows.map(r => ratio(r.clicks, r.impressions) || 0));
	return wideCard('Segments of customers', 'By lists of experiments, the last 28 days at most.', dataTable({
		id: 'overview-segments', caption: 'Segments', head: ['Segment', 'Lists', 'Click rate', '', { name: 'Conversion', title: 'By visitors of a day: one who comes on three days counts three times' }, 'Revenue'],
		rows: rows.map(r => [r.segment || '(none)',
			{ value: Number(r.requests), format: count, metric: `overview.segment.${r.segment}.requests` },
			{ value: ratio(r.clicks, r.impressions), format: percent, metric: `overview.segment.${r.segment}.ctr` }, bar(ratio(r.clicks, r.impressions), full),
			{ value: ratio(r.ordered_users, r.known_users), format: percent, metric: `overview.segment.${r.segment}.conversion` },
			{ value: r.revenue === null ? null : Number(r.revenue), format: amount, metric: `overview.segment.${r.segment}.revenue` }]),
	}));
}

export default {
	id: 'overview', name: 'Overview', group: 'Business',
	render(data) {
		const all = data.overview?.days || [];
		if (!all.length) {
			const log = data.overview?.log;
			return {
				lead: 'No list has been logged yet, so there is nothing to say of clicks and sales.',
				body: [log?.last ? empty('Nothing lately', `The log ends on ${date(log.last)}, more than 400 days ago.`)
					: empty('Nothing is logged', 'This page adds up what was shown, clicked and bought. Log the lists that you show, and have the metrics made once a day:',
						`SELECT * FROM recommend(42, 10, ${literal(data.about.recommender || 'home')}, log => true);\nSELECT recsys.log_click(request_id, item_id);\nSELECT recsys.configure_log(purchases => ${literal(data.about.index || 'purchases_recsys')});\nSELECT recsys.maintain();`,
						'If there is a log, you may see only the metrics of recommenders that are yours, or those of a role that you are a member of.')],
			};
		}
		const controls = controlsOf(data.experiments?.experiments);
		const series = seriesOf(all, controls);
		const end = dayBefore(data.about.until.slice(0, 10), 1);
		const begin = all[0].day;
		const lengths = [[7, '7 days'], [28, '28 days'], [90, '90 days']].filter(([n]) => n === 28 || n === 7 || begin <= dayBefore(end, n - 1));
		const body = h('div', { class: 'grid' });
		const lead = h('span');

		const show = length => {
			const from = length ? dayBefore(end, length - 1) : begin;
			const rows = all.filter(r => r.day >= from && r.day <= end);
			const before = length && begin <= dayBefore(from, length) ? totals(all.filter(r => r.day >= dayBefore(from, length) && r.day < from)) : null;
			const t = totals(rows);
			const days = [];
			for (let d = from < begin ? begin : from; d <= end; d = dayBefore(d, -1))
				days.push(d);
			const perDay = days.map(d => totals(rows.filter(r => r.day === d)));
			const known = series.filter(s => rows.some(r => keyOf(r) === s.key));
			const of = field => (s, d) => {
				const found = rows.filter(r => r.day === d && keyOf(r) === s.key);
				return found.length ? totals(found)[field] : null;
			};
			const spread = field => perDay.map(p => p[field]);
			const open = [...new Set(rows.filter(r => !r.is_final).map(r => r.day))];

			replace(lead, data.about.only_today ? 'Today so far' : `In ${plural(days.length, 'day')}`, `, ${count(t.requests)} lists were shown and ${percent(t.ctr)} of the items on them clicked`,
				t.orders === null ? '. What was bought is not known: the log has not been told of purchases.' : t.revenue === null ? `, which led to ${count(t.orders)} orders.` : `. They led to ${count(t.orders)} orders worth ${amount(t.revenue)}.`);
			replace(body,
				tiles(
					tile({ name: 'overview.requests', label: 'Lists shown', value: t.requests, format: compact, before: before?.requests, values: spread('requests') }),
					tile({ name: 'overview.ctr', label: 'Click rate', title: 'Clicks by items shown', value: t.ctr, format: percent, before: before?.ctr, values: spread('ctr') }),
					tile({ name: 'overview.conversion', label: 'Conversion a day', title: 'Visitors of a day with an order that is attributed to a list, by all visitors of the day; one who comes on three days counts three times', value: t.conversion, format: percent, before: before?.conversion, values: spread('conversion') }),
					tile({ name: 'overview.orders', label: 'Orders', value: t.orders, format: compact, before: before?.orders, values: spread('orders') }),
					tile({ name: 'overview.revenue', label: 'Revenue', title: 'Attributed to lists', value: t.revenue, format: amount, before: before?.revenue, values: spread('revenue') }),
					tile({ name: 'overview.revenue_per_request', label: 'Revenue a list', value: t.revenue_per_request, format: amount, before: before?.revenue_per_request, values: spread('revenue_per_request') })),
				dayChart({
					id: 'overview-ctr', title: 'Click rate by day', note: 'Clicks by items shown.', wide: true, height: 300, dayFormat: day,
					days, series: known, value: of('ctr'), format: percent, axisFormat: percentTick, colorOf, axis: { min: 0 },
					describe: known.map(s => `${s.name}: ${percent(totals(rows.filter(r => keyOf(r) === s.key)).ctr)}`).join(', '),
				}),
				t.revenue !== null && dayChart({
					id: 'overview-revenue', title: 'Revenue by day', note: 'What was bought after it was shown, by the day that it was shown.', kind: 'bar', dayFormat: day,
					days, series: known, value: of('revenue'), format: amount, axisFormat: tick, colorOf, describe: `Together ${amount(t.revenue)}`,
				}),
				t.orders !== null && dayChart({
					id: 'overview-conversion', title: 'Conversion by day', note: 'Visitors with an order by all visitors of the day.', dayFormat: day,
					days, series: known, value: of('conversion'), format: percent, axisFormat: percentTick, colorOf, axis: { min: 0 }, describe: `On the whole ${percent(t.conversion)}`,
				}),
				known.length > 1 && variants(known, rows),
				funnel(t),
				positions(data, series),
				segments(data.overview.segments || []),
				data.about.only_today && h('p', { class: 'note wide' }, 'The log begins today, and the day is not over. From tomorrow on these are whole days, in UTC.'),
				t.unknown > 0 && h('p', { class: 'note wide' }, `Of ${plural(t.unknown, 'list')} it is not known what was bought: conversion and revenue a list are those of the others.`),
				open.length > 0 && !data.about.only_today && t.orders !== null && h('p', { class: 'note wide' }, `Orders of the last ${plural(open.length, 'day')} are still coming in: a purchase counts for a list as long as the attribution window lasts.`));
		};
		const first = 28;
		show(first);
		return { lead, body: [body], actions: choices('Period', [...lengths, [0, 'All']], first, show) };
	},
};
