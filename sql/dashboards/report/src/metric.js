// A figure with its exact value beside the rounded one, so that a test, or a script, can read it.
import { h } from './dom.js';

const exact = value => value === null || value === undefined || Number.isNaN(value) ? '' : String(value);

// metric('overview.ctr', 0.0512, percent)
export function metric(name, value, format, attributes) {
	return h('span', { 'data-metric': name, 'data-value': exact(value), class: 'number', ...attributes }, format(value));
}

// the same of a table's cell
export function cell(name, value, format, attributes) {
	return h('td', { 'data-metric': name, 'data-value': exact(value), class: 'number', ...attributes }, format(value));
}
