// What a line of a chart is: a variant of an experiment or, outside of experiments, a recommender.
// Controls are grey, whatever their name; the others have colours in the order in which they appear.

export const sum = (rows, field) => rows.reduce((total, row) => total + Number(row[field] || 0), 0);

// sums that have cents are exact to the cent, which sums of doubles are not
export const sumMoney = (rows, field) => rows.some(row => row[field] !== null && row[field] !== undefined)
	? rows.reduce((total, row) => total + Math.round(1e6 * Number(row[field] || 0)), 0) / 1e6 : null;

export const ratio = (a, b) => a === null || a === undefined || !Number(b) ? null : a / b;

export const keyOf = row => row.experiment ? `${row.experiment}\u0000${row.variant}` : `\u0000${row.recommender}`;

const shortName = name => String(name).replace(/^public\./, '');

// [{ key, name, isControl, place }], the control first; at most `most`, those with most rows
export function seriesOf(rows, controls, most = 8) {
	const found = new Map();
	const experiments = new Set(rows.filter(r => r.experiment).map(r => r.experiment));
	for (const row of rows) {
		const key = keyOf(row);
		if (!found.has(key)) {
			const isControl = Boolean(row.experiment) && controls.has(key);
			// interleaved lists are of no variant
			let name = row.experiment ? row.variant ?? row.experiment : shortName(row.recommender);
			if (row.experiment && row.variant !== null && experiments.size > 1)
				name = `${row.experiment}: ${name}`;
			found.set(key, { key, name, isControl, weight: 0, recommender: row.recommender, experiment: row.experiment, variant: row.variant });
		}
		found.get(key).weight += Number(row.requests || row.impressions || 1);
	}
	// those that are called alike are told apart: by the experiment, then by the whole name
	const whole = s => s.variant === null ? `experiment ${s.experiment}` : `${s.experiment}: ${s.variant}`;
	const fuller = [s => s.experiment ? whole(s) : `${shortName(s.recommender)}, outside of experiments`, s => s.experiment ? whole(s) : s.recommender];
	for (const make of fuller) {
		const names = new Map();
		for (const s of found.values())
			names.set(s.name, (names.get(s.name) || 0) + 1);
		for (const s of found.values())
			if (names.get(s.name) > 1)
				s.name = make(s);
	}
	const kept = [...found.values()].sort((a, b) => b.weight - a.weight).slice(0, most);
	kept.sort((a, b) => (b.isControl - a.isControl) || (!a.experiment - !b.experiment) || (a.name < b.name ? -1 : 1));
	let place = 0;
	for (const s of kept)
		s.place = s.isControl ? -1 : place++;
	return kept;
}

// keys of the controls: the first variants, or those called control
export function controlsOf(experiments) {
	const controls = new Set();
	for (const e of experiments || []) {
		const variants = Array.isArray(e.variants) ? e.variants.map(v => v.name) : Object.keys(e.variants || {});
		const control = e.results?.[0]?.control ?? (variants.includes('control') ? 'control' : variants[0]);
		if (control !== undefined)
			controls.add(`${e.name}\u0000${control}`);
	}
	return controls;
}

export const colorOf = (s, theme) => s.isControl ? theme.control : theme.palette[s.place % theme.palette.length];
