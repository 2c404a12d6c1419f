// Small parts that pages are made of.
import { h, svg } from './dom.js';
import { metric } from './metric.js';
import { change } from './format.js';

export const card = (title, note, ...children) => h('section', { class: 'card' },
	title && h('header', null, h('div', null, h('h3', null, title), note && h('p', { class: 'note' }, note))), children);

export const wideCard = (...parts) => {
	const element = card(...parts);
	element.classList.add('wide');
	return element;
};

export const chip = (text, kind = '') => h('span', { class: `chip ${kind}` }, text);

export const code = text => h('pre', { class: 'code' }, h('code', null, text));

// A text as SQL has it
export const literal = text => `'${String(text).replaceAll("'", "''")}'`;

// Why there is nothing here, and the call that fills it
export function empty(title, why, call, more) {
	return h('section', { class: 'card empty wide' },
		h('h3', null, title), h('p', null, why), call && code(call), more && h('p', { class: 'note' }, more));
}

// A few values as a line without axes
export function spark(values) {
	const known = values.map((v, i) => [i, v]).filter(([, v]) => v !== null && v !== undefined && Number.isFinite(v));
	if (known.length < 3)
		return null;
	const low = Math.min(...known.map(([, v]) => v)), high = Math.max(...known.map(([, v]) => v));
	const x = i => 1 + 98 * i / (values.length - 1);
	const y = v => 25 - 22 * (high > low ? (v - low) / (high - low) : .5);
	const line = known.map(([i, v], n) => `${n ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join('');
	return svg('svg', { class: 'spark', viewBox: '0 0 100 28', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
		svg('path', { d: `${line}L${x(known.at(-1)[0]).toFixed(1)} 28L${x(known[0][0]).toFixed(1)} 28Z`, class: 'spark-area' }),
		svg('path', { d: line, class: 'spark-line' }));
}

// tile({ name, label, value, format, before, better, values, note }): a figure, and how it has changed
export function tile({ name, label, value, format, before, better = 1, values, note, title, unit }) {
	const moved = before !== undefined && before !== null && Number(before) !== 0 && value !== null && value !== undefined ? value / before - 1 : null;
	const mood = moved === null || Math.abs(moved) < 0.0005 || !better ? '' : (moved > 0) === (better > 0) ? 'good' : 'bad';
	return h('div', { class: 'tile', title },
		h('div', { class: 'tile-label' }, label),
		h('div', { class: 'tile-value' }, metric(name, value, format), unit && h('small', null, ` ${unit}`)),
		moved !== null ? h('div', { class: `tile-change ${mood}` }, metric(`${name}.change`, moved, v => change(v, Math.abs(v) < 1 ? 1 : 0)), h('span', null, ' vs. before'))
			: note && h('div', { class: 'tile-change' }, note),
		values && spark(values));
}

export const tiles = (...list) => h('div', { class: 'tiles wide' }, list);

// Choices of which one holds, as buttons beside each other
export function choices(label, options, chosen, choose) {
	const buttons = options.map(([value, text]) => h('button', {
		type: 'button', 'aria-pressed': String(value === chosen), 'data-choice': value,
		onclick: () => {
			for (const b of buttons)
				b.setAttribute('aria-pressed', String(b.dataset.choice === String(value)));
			choose(value);
		},
	}, text));
	return h('div', { class: 'choices', role: 'group', 'aria-label': label }, buttons);
}

export function select(label, options, chosen, choose, attributes) {
	const element = h('select', { 'aria-label': label, onchange: () => choose(element.value), ...attributes },
		options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)));
	return element;
}

// A bar of a share within a table or list; full is the longest one's value
export const bar = (value, full, kind = '') => h('span', { class: 'bar', 'aria-hidden': 'true' },
	h('span', { class: `bar-fill ${kind}`, style: `width:${full > 0 ? Math.max(0, Math.min(100, 100 * value / full)).toFixed(1) : 0}%` }));
