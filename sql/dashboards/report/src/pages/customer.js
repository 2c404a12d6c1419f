// Customers: one, with history and recommendations, each with its reason; and all of them, in groups.
import { h, replace } from '../dom.js';
import { chart } from '../chart.js';
import { dataTable } from '../table.js';
import { metric } from '../metric.js';
import { bar, card, chip, empty, wideCard } from '../parts.js';
import { ago, amount, count, date, decimal, percent, plural } from '../format.js';
import { ratio } from '../series.js';
import { link, picture, title } from '../items.js';
import { picker } from '../picker.js';
import { productCard } from './product.js';

const SOURCES = { history: 'personal', popular: 'popular', segment: 'of the segment', content: 'by content', new: 'a chance for the new' };

// Where a score is from, as parts of one bar
function parts(entry) {
	const list = (entry.parts || []).filter(p => Number(p.contribution) > 0);
	const all = list.reduce((a, p) => a + Number(p.contribution), 0);
	if (!all)
		return null;
	const name = p => p.part === 'history' ? `${p.signal ? `${p.signal} ` : ''}${p.title || (p.because !== null && p.because !== undefined ? title(p.because) : '')}` : `${p.part}${p.signal ? ` (${p.signal})` : ''}`;
	return h('details', null, h('summary', null, 'Where it is from'), h('ul', { class: 'parts' }, list.map(p => h('li', null, bar(Number(p.contribution), Number(list[0].contribution)), h('span', null, name(p)), h('span', { class: 'note number' }, percent(p.contribution / all, 0))))));
}

function one(data, c) {
	const s = c.segment;
	const key = `customer.${c.user_id}`;
	const score = (label, value, of) => value === null || value === undefined ? null : h('div', { class: 'rfm' }, h('span', null, label), h('span', { class: 'dots', 'aria-label': `${value} of 5` }, [1, 2, 3, 4, 5].map(i => h('i', { class: i <= value ? 'on' : '' }))), h('span', { class: 'note' }, of));
	const signals = (c.history || []).filter(g => g.items.length);
	const first = signals[0];
	const events = (g, most) => h('ol', { class: 'timeline' }, g.items.slice(0, most).map(i => h('li', null, h('time', { datetime: i.at }, i.at ? date(i.at) : ''), picture(i.item_id, 'small'), h('span', null, link(i.item_id), i.times > 1 && h('span', { class: 'note' }, ` ${i.times} times`)))));
	return h('div', { class: 'grid loose', id: 'customer-page', 'data-user': c.user_id },
		h('section', { class: 'card hero wide' }, h('span', { class: 'picture letter large round', style: '--hue:225', 'aria-hidden': 'true' }, '#'),
			h('div', { class: 'hero-text' },
				h('div', { class: 'chips' }, s?.persona && chip(s.persona, 'accent'), s?.segment && chip(s.segment), s?.excluded && chip('excluded', 'bad')),
				h('h3', { class: 'hero-title' }, `Customer ${c.user_id}`),
				s ? h('p', { class: 'note' }, metric(`${key}.frequency`, s.frequency, v => plural(v, 'purchase')), s.monetary !== null && [', ', metric(`${key}.monetary`, s.monetary, amount), ' in all'], s.latest_at && `, the last one ${ago(s.latest_at, data.about.generated_at)}`)
					: h('p', { class: 'note' }, first ? `${plural(first.items.length, 'thing')} in the history shown here` : 'Nothing is known yet: a newcomer.')),
			s && s.r !== null && h('div', { class: 'rfms' }, score('Recency', s.r, s.recency_days !== null && plural(s.recency_days, 'day')), score('Frequency', s.f, plural(s.frequency, 'purchase')), score('Value', s.m, s.monetary !== null && amount(s.monetary)))),
		card('Recommended now, and why', 'Ten products at this moment, best first.',
			c.list.length ? h('ol', { class: 'products' }, c.list.map((r, i) => productCard(r.item_id, i + 1, key,
				h('div', { class: 'reason' }, r.reason || (SOURCES[r.source] || r.source), h('span', { class: 'note' }, r.score > 0 && [' · score ', metric(`${key}.list.${r.item_id}.score`, r.score, v => decimal(v, 3))])), parts(r))))
				: h('p', null, s?.excluded ? 'Nothing: this customer is excluded.' : 'Nothing is recommended.')),
		card('History', 'What the recommender goes by, latest first.', first
			? signals.map(g => [signals.length > 1 && h('h4', null, g.signal), events(g, g === first ? 12 : 5)])
			: h('p', null, 'There is none yet. What is recommended goes by the segment, by what is popular, and by what is new.')));
}

function everybody(c) {
	const list = [];
	const customers = c.personas.reduce((a, p) => a + Number(p.customers), 0);
	if (c.personas.length) {
		const full = Math.max(...c.personas.map(p => Number(p.customers)));
		list.push(card('Personas', `All ${plural(customers, 'customer')}, by how lately, how often and for how much they buy.`, dataTable({
			id: 'customer-personas', caption: 'Personas', head: ['Persona', 'Customers', '', { name: 'Purchases', title: 'Purchases a customer' }, 'Revenue'], rows: c.personas.map(p => [p.persona || '–',
				{ value: Number(p.customers), format: count, metric: `customers.persona.${p.persona}.customers` }, bar(Number(p.customers), full),
				{ value: ratio(p.orders, p.customers), format: v => decimal(v, 1) }, { value: p.revenue, format: amount, metric: `customers.persona.${p.persona}.revenue` }]),
		})));
	}
	if (c.rfm.length) {
		const most = Math.max(...c.rfm.map(x => Number(x.customers)));
		const cellOf = (r, f) => c.rfm.find(x => x.r === r && x.f === f);
		list.push(card('Recency and frequency', 'Customers by fifths: to the right those who bought lately, to the top those who buy often.',
			h('div', { class: 'heat', role: 'table', 'aria-label': 'Customers by recency and frequency' }, [5, 4, 3, 2, 1].map(f => h('div', { role: 'row' }, h('span', { role: 'rowheader', class: 'note' }, f === 5 ? 'often' : f === 1 ? 'seldom' : ''), [1, 2, 3, 4, 5].map(r => {
				const x = cellOf(r, f);
				const share = x ? Number(x.customers) / most : 0;
				return h('span', { role: 'cell', class: share > .55 ? 'heat-cell dark' : 'heat-cell', style: `--share:${share.toFixed(3)}`, title: x ? `${plural(x.customers, 'customer')}${x.monetary !== null ? `, ${amount(x.monetary)} each` : ''}` : 'none' }, metric(`customers.rfm.${r}.${f}`, x ? Number(x.customers) : 0, count));
			}))), h('div', { role: 'row' }, h('span', { role: 'rowheader' }), [1, 2, 3, 4, 5].map(r => h('span', { role: 'columnheader', class: 'note' }, r === 1 ? 'long ago' : r === 5 ? 'lately' : ''))))));
	}
	if (c.segments.length > 1)
		list.push(chart({
			id: 'customer-segments', title: 'Segments', note: 'Customers by the segment that the recommender declares.', wide: true, height: Math.max(200, 26 * Math.min(15, c.segments.length) + 40),
			option: t => {
				const rows = c.segments.slice(0, 15).reverse();
				return {
					legend: false, xAxis: { type: 'value', splitLine: { show: true }, splitNumber: 5 }, yAxis: { type: 'category', data: rows.map(r => r.segment), axisLabel: { width: 150, overflow: 'truncate' }, splitLine: { show: false } },
					tooltip: { axisPointer: { type: 'shadow' }, valueFormatter: count }, series: [{ name: 'customers', type: 'bar', data: rows.map(r => Number(r.customers)), color: t.palette[0], barMaxWidth: 14, itemStyle: { borderRadius: [0, 4, 4, 0] } }],
				};
			},
			table: () => ({ head: ['Segment', 'Customers', 'Purchases', 'Revenue'], rows: c.segments.map(r => [r.segment, { value: Number(r.customers), format: count, metric: `customers.segment.${r.segment}.customers` }, { value: Number(r.orders), format: count, metric: `customers.segment.${r.segment}.orders` }, { value: r.revenue, format: amount, metric: `customers.segment.${r.segment}.revenue` }]) }),
		}));
	return list.length ? [h('h2', { class: 'section' }, 'All customers'), h('div', { class: 'grid' }, list)] : [];
}

export default {
	id: 'customer', name: 'Customer', group: 'Explore',
	render(data, chosen) {
		const c = data.customers;
		const list = c?.customers || [];
		if (!list.length)
			return {
				lead: 'Single customers are not shown.',
				body: [data.about.recommender && !data.about.show_customers ? empty('Left out', 'The report was made with REPORT_CUSTOMERS=no, as it is when it goes to people who are not to see single customers.', 'REPORT_CUSTOMERS=yes make report')
					: empty('No customers', 'Who the customers are is read from the table of the first signal, or from the profiles: you may read neither, or both are empty.', "SELECT recsys.alter_recommender('home', profiles => 'customers',\n    profile_key => 'customer_id', segment => 'country');"), ...(c ? everybody(c) : [])],
			};
		const place = h('div');
		const at = list.find(x => x.user_id === chosen) || list[0];
		const pick = picker({
			id: 'customer-choice', label: 'Customer', chosen: at.user_id, options: list.map(x => ({ value: x.user_id, text: `${x.user_id.slice(0, 40)}${x.segment?.persona ? `, ${x.segment.persona}` : ''}${x.segment?.segment ? `, ${x.segment.segment}` : ''}`.slice(0, 80) })),
			choose: id => {
				replace(place, one(data, list.find(x => x.user_id === id)));
				history.replaceState(null, '', `#customer=${encodeURIComponent(id)}`);
			},
		});
		replace(place, one(data, at));
		return { lead: `What single customers get, and why: ${plural(list.length, 'example')}, drawn from those with a usual history, the busiest, and newcomers.`, body: [place, ...everybody(c)], actions: pick };
	},
};
