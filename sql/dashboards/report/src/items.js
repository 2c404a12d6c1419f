// Products: their titles, pictures and prices, as far as they are known.
import { h } from './dom.js';
import { amount } from './format.js';

let items = {};
let shown = new Set();

const TYPES = [['iVBORw0KGgo', 'png'], ['/9j/', 'jpeg'], ['R0lGOD', 'gif'], ['UklGR', 'webp']];

export function setItems(all, pages) {
	items = all || {};
	shown = new Set((pages || []).map(p => p.item_id));
}

const known = id => Object.prototype.hasOwnProperty.call(items, id) ? items[id] : {};

export const item = id => known(String(id));
export const title = id => item(id).title || String(id);
export const hasPage = id => shown.has(String(id));

// The picture, or the first letter in a colour of the category
export function picture(id, size = '') {
	const one = item(id);
	const type = one.photo && TYPES.find(([head]) => one.photo.startsWith(head));
	if (type)
		return h('img', { class: `picture ${size}`, src: `data:image/${type[1]};base64,${one.photo}`, alt: '', loading: 'lazy', decoding: 'async' });
	let hue = 0;
	for (const c of String(one.category || id))
		hue = (hue * 31 + c.codePointAt(0)) % 360;
	return h('span', { class: `picture letter ${size}`, style: `--hue:${hue}`, 'aria-hidden': 'true' }, [...title(id).trim()][0]?.toUpperCase() || '?');
}

// what may be cut off on the page
const long = id => title(id).length > 60 ? title(id) : null;

// A title that leads to the product's page, where there is one
export const link = (id, attributes) => hasPage(id)
	? h('a', { href: `#product=${encodeURIComponent(id)}`, title: long(id), ...attributes }, title(id))
	: h('span', { title: long(id), ...attributes }, title(id));

export const price = id => known(String(id)).price === undefined ? null : h('span', { class: 'price number' }, amount(item(id).price));
