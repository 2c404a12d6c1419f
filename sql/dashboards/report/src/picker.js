// A choice of one of some dozens, by list, by typing, or one after the other.
import { h } from './dom.js';

// picker({ id, label, options: [{ value, text, group }], chosen, choose })
export function picker({ id, label, options, chosen, choose }) {
	const groups = [...new Set(options.map(o => o.group))];
	const element = h('select', { id, 'aria-label': label },
		groups.map(g => {
			const list = options.filter(o => o.group === g).map(o => h('option', { value: o.value, selected: o.value === chosen }, o.text));
			return g ? h('optgroup', { label: g }, list) : list;
		}));
	const order = [...element.options].map(o => o.value);
	const step = by => {
		const at = order.indexOf(element.value);
		element.value = order[(at + by + order.length) % order.length];
		choose(element.value);
	};
	element.addEventListener('change', () => choose(element.value));
	element.value = chosen;
	return h('div', { class: 'picker' },
		h('button', { type: 'button', class: 'quiet', 'aria-label': `Previous ${label.toLowerCase()}`, 'data-step': 'back', onclick: () => step(-1) }, '‹'), element,
		h('button', { type: 'button', class: 'quiet', 'aria-label': `Next ${label.toLowerCase()}`, 'data-step': 'next', onclick: () => step(1) }, '›'));
}
