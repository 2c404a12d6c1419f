// Tables, which sort by the heading that is clicked.
import { h } from './dom.js';
import { cell } from './metric.js';

// head: names, or { name, title }; rows: arrays of text, elements, or { value, format, metric, show }
export function dataTable({ id, caption, head, rows, sortable = true, class: name = '' }) {
	const plain = entry => entry !== null && typeof entry === 'object' && 'value' in entry ? entry.value
		: entry instanceof Node ? (entry.sortValue ?? entry.textContent) : entry;
	const isNumber = head.map((_, i) => rows.length > 0 && rows.every(r => {
		const v = plain(r[i]);
		return v === null || v === undefined || typeof v === 'number';
	}) && rows.some(r => typeof plain(r[i]) === 'number'));
	const body = h('tbody');
	const fill = list => body.replaceChildren(...list.map(row => h('tr', null, row.map((entry, i) => {
		if (entry !== null && typeof entry === 'object' && 'value' in entry && !(entry instanceof Node)) {
			const made = cell(entry.metric || null, entry.value, entry.format || String);
			if (entry.show)
				made.replaceChildren(entry.show);
			if (typeof entry.value !== 'number' && entry.value !== null)
				made.classList.remove('number');
			return made;
		}
		if (i === 0)
			return h('th', { scope: 'row' }, entry);
		return h('td', { class: isNumber[i] ? 'number' : null }, entry);
	}))));
	let sorted = -1, down = false;
	const headings = head.map((heading, i) => {
		const { name: text, title } = typeof heading === 'object' ? heading : { name: heading };
		const th = h('th', { scope: 'col', class: isNumber[i] ? 'number' : null, title });
		if (!sortable || rows.length < 3) {
			th.append(text);
			return th;
		}
		th.append(h('button', {
			type: 'button', class: 'sort', onclick: () => {
				down = sorted === i ? !down : isNumber[i];
				sorted = i;
				const order = [...rows].sort((a, b) => {
					const x = plain(a[i]), y = plain(b[i]);
					const xNone = x === null || x === undefined, yNone = y === null || y === undefined;
					if (xNone || yNone)
						return xNone - yNone;
					return (down ? -1 : 1) * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)));
				});
				headings.forEach((other, j) => j === i ? other.setAttribute('aria-sort', down ? 'descending' : 'ascending') : other.removeAttribute('aria-sort'));
				fill(order);
			},
		}, text));
		return th;
	});
	fill(rows);
	return h('div', { class: 'table-scroll' },
		h('table', { class: name || null, id: id ? `${id}-data` : null }, h('caption', { class: 'hidden' }, caption), h('thead', null, h('tr', null, headings)), body));
}
