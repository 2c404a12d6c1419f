// One product: what it is, how it fares, what is similar, what is bought with it, and who would be shown it.
import { h, replace } from '../dom.js';
import { metric } from '../metric.js';
import { bar, card, chip, empty, spark, tile, tiles, wideCard } from '../parts.js';
import { amount, count, date, decimal, percent, plural, times } from '../format.js';
import { ratio } from '../series.js';
import { item, link, picture, price, title } from '../items.js';
import { picker } from '../picker.js';

const GROUPS = { bestseller: 'Bestsellers', 'shown most': 'Shown most', new: 'New', 'long tail': 'From the long tail' };
const isDate = v => typeof v === 'string' && /^\d{4}-\d\d-\d\d(T|$)/.test(v);
const fact = v => typeof v === 'boolean' ? (v ? 'yes' : 'no') : isDate(v) ? date(v) : typeof v === 'number' ? decimal(v, Number.isInteger(v) ? 0 : 2) : String(v);
const label = name => String(name).replaceAll('_', ' ');

export function productCard(id, rank, key, ...more) {
	return h('li', { class: 'product' }, rank && h('span', { class: 'rank' }, rank), picture(id),
		h('div', { class: 'product-text' }, h('div', { class: 'product-title' }, link(id), item(id).is_new && chip('new', 'accent')), h('div', { class: 'note' }, item(id).category, item(id).category && price(id) && ' · ', price(id)), more));
}

function one(data, p) {
	const id = p.item_id;
	const known = item(id);
	const log = p.log || {};
	const n = f => log[f] === null || log[f] === undefined ? null : Number(log[f]);
	const key = `product.${id}`;
	const best = Math.max(0, ...p.similar.map(s => s.score));
	const days = [];
	if (p.days?.length)
		for (let d = data.about.since.slice(0, 10); d < data.about.until.slice(0, 10); d = new Date(Date.parse(d) + 86400000).toISOString().slice(0, 10))
			days.push(p.days.find(x => x[0] === d)?.[1] || 0);
	const facts = Object.entries(known.facts || {}).filter(([, v]) => v !== null && v !== '');
	return h('div', { class: 'grid loose', id: 'product-page', 'data-item': id },
		h('section', { class: 'card hero wide' }, picture(id, 'large'),
			h('div', { class: 'hero-text' },
				h('div', { class: 'chips' }, chip(p.why, 'accent'), known.is_new && p.why !== 'new' && chip('new'), known.category && chip(known.category)),
				h('h3', { class: 'hero-title' }, title(id)),
				h('p', { class: 'note' }, price(id), price(id) && ' · ', `key ${id}`, known.seller && ` · seller ${Object.prototype.hasOwnProperty.call(data.sellers?.names || {}, known.seller) ? data.sellers.names[known.seller] : known.seller}`),
				facts.length > 0 && h('dl', { class: 'facts' }, facts.map(([name, value]) => h('div', null, h('dt', null, label(name)), h('dd', null, fact(value))))))),
		n('impressions') ? tiles(
			tile({ name: `${key}.impressions`, label: 'Shown', value: n('impressions'), format: count, values: days, note: 'in 28 days' }),
			tile({ name: `${key}.ctr`, label: 'Click rate', value: ratio(n('clicks'), n('impressions')), format: percent, note: n('expected_clicks') ? `${times(ratio(n('clicks'), n('expected_clicks')))} what its places promise` : null }),
			tile({ name: `${key}.orders`, label: 'Orders', value: n('orders'), format: count, note: 'attributed to lists' }),
			tile({ name: `${key}.revenue`, label: 'Revenue', value: n('revenue'), format: amount, note: 'attributed to lists' }))
			: h('p', { class: 'note wide' }, 'In the last 28 days no list that is logged had it.'),
		card('Similar products', 'What a product page would show beside it, best first.',
			p.similar.length ? h('ol', { class: 'products' }, p.similar.map((s, i) => productCard(s.item_id, i + 1, key,
				h('div', { class: 'product-score' }, bar(s.score, best), metric(`${key}.similar.${s.item_id}.score`, s.score, v => decimal(v, 3)), s.support > 0 && h('span', { class: 'note' }, plural(s.support, 'customer has', 'customers have'), ' both')))))
				: h('p', null, 'Nothing yet: too few customers have it, and there is no content to go by.')),
		h('div', { class: 'stack' },
			card('Bought together', data.about.together_of === 'orders' ? 'Rules: of the orders with it, how many have the other, too, and how much more often than by chance.' : 'Rules: of the customers who have it, how many have the other, and how much more often than by chance.',
				p.together.length ? h('ol', { class: 'products' }, p.together.map(t => productCard(t.item_id, null, key,
					h('div', { class: 'product-score' }, bar(t.confidence, 1, 'second'), metric(`${key}.together.${t.item_id}.confidence`, t.confidence, v => percent(v, 0)), h('span', { class: 'note' }, 'lift ', metric(`${key}.together.${t.item_id}.lift`, t.lift, v => decimal(v, 1)), `, ${plural(t.support, data.about.together_of === 'orders' ? 'order' : 'customer')}`)))))
					: h('p', null, 'No other product goes with it often enough.')),
			p.audience?.length > 0 && card('Who would be shown it', 'The customers who most likely want it and do not have it, and why.',
				h('ul', { class: 'reasons' }, p.audience.map(a => h('li', null, h('a', { href: `#customer=${encodeURIComponent(a.user_id)}` }, `Customer ${a.user_id}`), h('span', { class: 'note' }, ` ${a.reason || ''}`)))))));
}

export default {
	id: 'product', name: 'Product', group: 'Explore',
	render(data, chosen) {
		const list = data.products?.products || [];
		if (!list.length)
			return {
				lead: 'There is no product to look at.',
				body: [data.products?.problem ? empty('You may not see them', data.products.problem, null, 'Products are those of the recommender and of the log.') : empty('No products', data.about.recommender ? 'The recommender knows no product yet: its first signal has no interactions.' : 'There is no recommender yet:', 'CREATE INDEX purchases_recsys ON purchases\n    USING recsys (customer_id, product_id, quantity, purchased_at);')],
			};
		const place = h('div');
		const at = list.find(p => p.item_id === chosen) || list[0];
		const pick = picker({
			id: 'product-choice', label: 'Product', chosen: at.item_id, options: list.map(p => ({ value: p.item_id, text: title(p.item_id).slice(0, 80), group: GROUPS[p.why] || p.why })),
			choose: id => {
				replace(place, one(data, list.find(p => p.item_id === id)));
				history.replaceState(null, '', `#product=${encodeURIComponent(id)}`);
			},
		});
		replace(place, one(data, at));
		return { lead: `What the recommender knows of single products: ${plural(list.length, 'of them', 'of them')}, from bestsellers to the long tail.`, body: [place], actions: pick };
	},
};
