// An experiment: its verdict, what each metric says, how that has come about, and whether to trust it.
import { h, replace, svg } from '../dom.js';
import { chart } from '../chart.js';
import { dataTable } from '../table.js';
import { metric } from '../metric.js';
import { chip, empty, literal, select, tile, tiles, wideCard } from '../parts.js';
import { amount, change, count, date, day, decimal, milliseconds, percent, plural, pvalue } from '../format.js';
import { colorOf } from '../series.js';

const NAMES = {
	ctr: 'Click rate', click_rate: 'Lists with a click', add_to_cart_rate: 'Add-to-cart rate', conversion: 'Conversion', orders: 'Orders a user', revenue: 'Revenue a user',
	revenue_per_request: 'Revenue a list', user_orders: 'All orders a user', user_revenue: 'All revenue a user', requests_per_user: 'Lists a user', latency_ms: 'Time to make a list',
};
export const metricName = name => NAMES[name] || String(name ?? 'no metric');

const formatOf = name => /rate|ctr|conversion/.test(name) ? percent : /revenue/.test(name) ? amount : /latency/.test(name) ? milliseconds : v => decimal(v, 3);

const moodOf = verdict => /^better/.test(verdict) ? 'good' : /^(worse|broken)/.test(verdict) ? 'bad' : '';

function verdict(e, primary) {
	const units = e.unit === 'session' ? 'sessions' : 'users';
	const broken = primary.find(r => /^broken/.test(r.verdict));
	const better = primary.filter(r => r.verdict === 'better').sort((a, b) => b.lift - a.lift);
	const worse = primary.filter(r => r.verdict === 'worse');
	const name = metricName(e.primary_metric).toLowerCase();
	const interval = r => `95 % sure: between ${change(r.lift_low)} and ${change(r.lift_high)}`.replace('95', String(100 * (1 - e.alpha)));
	if (broken)
		return ['bad', 'Do not trust this experiment', `The numbers of ${units} are not those that the shares say: something is wrong with the assignment or the log.`, null];
	if (better.length)
		return ['good', `“${better[0].variant}” is better`, `By ${name}, the metric that decides.`, better[0], interval(better[0])];
	if (worse.length === primary.length && worse.length)
		return ['bad', `“${worse[0].control}” stays: ${worse.length > 1 ? 'all others are' : `“${worse[0].variant}” is`} worse`, `By ${name}, the metric that decides.`, worse[0], interval(worse[0])];
	if (primary.length && primary.every(r => r.verdict === 'too few'))
		return ['', e.stopped_at ? 'It has not told' : 'Too early to say', `There ${e.stopped_at ? 'were' : 'are'} too few ${units}, or too little has happened.`, null];
	return ['', e.stopped_at ? 'No difference was seen' : 'No difference that can be seen yet', primary[0] ? `By ${name}, the metric that decides. There may be one that is too small to be seen with so many ${units}.` : 'There are no results yet.', primary[0] || null, primary[0] && primary[0].lift !== null ? interval(primary[0]) : null];
}

// The interval of a lift as a line, on one scale for all rows
function interval(r, low, high) {
	const x = v => 100 * (Math.max(low, Math.min(high, v)) - low) / (high - low);
	if (r.lift === null || r.lift_low === null)
		return h('span', { class: 'note' }, '–');
	// of times, less is better
	const mood = moodOf(r.verdict);
	return svg('svg', { class: `interval ${mood}`, viewBox: '0 0 100 20', preserveAspectRatio: 'none', role: 'img', 'aria-label': `${change(r.lift_low)} to ${change(r.lift_high)}` },
		svg('line', { x1: x(0), x2: x(0), y1: 0, y2: 20, class: 'zero' }),
		svg('line', { x1: x(r.lift_low), x2: x(r.lift_high), y1: 10, y2: 10, class: 'range' }),
		svg('line', { x1: x(r.lift), x2: x(r.lift), y1: 4, y2: 16, class: 'middle' }));
}

function results(e, rows, id, title, note) {
	const lows = rows.map(r => r.lift_low).filter(v => v !== null), highs = rows.map(r => r.lift_high).filter(v => v !== null);
	// one interval that is very wide does not make the others invisible
	const most = Math.max(1, 1.7 * Math.max(0, ...rows.map(r => Math.abs(r.lift || 0))));
	const low = Math.max(-most, Math.min(-0.05, ...lows)) * 1.05, high = Math.min(most, Math.max(0.05, ...highs)) * 1.05;
	const many = new Set(rows.map(r => r.variant)).size > 1;
	return wideCard(title, note, dataTable({
		id, caption: title, class: 'results',
		head: [id === 'experiment-segments' ? 'Segment' : 'Metric', many && 'Variant', 'Control', many ? 'Value' : rows[0].variant, 'Lift', { name: 'Interval', title: 'The lift is within, as sure as the experiment has been asked to be' }, 'p, adjusted', 'Verdict'].filter(Boolean),
		rows: rows.map(r => {
			const key = `experiment.${e.name}.${r.segment === null ? '' : `${r.segment}.`}${r.variant}.${r.metric}`;
			return [
				h('span', null, id === 'experiment-segments' ? r.segment : metricName(r.metric), r.is_primary && id !== 'experiment-segments' && chip('decides', 'accent'), r.is_guardrail && chip('guardrail')),
				many && r.variant,
				{ value: r.control_value, format: formatOf(r.metric), metric: `${key}.control_value` },
				{ value: r.value, format: formatOf(r.metric), metric: `${key}.value` },
				{ value: r.lift, format: change, metric: `${key}.lift` },
				interval(r, low, high),
				{ value: r.p_adjusted, format: pvalue, metric: `${key}.p_adjusted` },
				chip(r.verdict, moodOf(r.verdict)),
			].filter(v => v !== false);
		}),
	}));
}

function history(e) {
	const names = [...new Set(e.history.map(r => r.metric))].sort((a, b) => (b === e.primary_metric) - (a === e.primary_metric) || (a < b ? -1 : 1));
	if (!names.length)
		return null;
	if (new Set(e.history.map(r => r.day)).size < 2)
		return wideCard('Lift over time', 'It has run for one day: from tomorrow on there is a line here. What it says now is above.');
	let chosen = names[0];
	const rows = variant => e.history.filter(r => r.metric === chosen && r.variant === variant);
	const variants = () => [...new Set(e.history.filter(r => r.metric === chosen).map(r => r.variant))];
	const figure = chart({
		id: 'experiment-history', title: 'Lift over time', wide: true, height: 320,
		note: 'What the experiment said at the end of each day, with its interval. As long as the band holds zero, nothing is decided.',
		describe: `The lift of ${metricName(e.primary_metric).toLowerCase()} over the control by day.`,
		actions: names.length > 1 && select('Metric', names.map(n => [n, metricName(n)]), chosen, n => {
			chosen = n;
			figure.update();
		}, { id: 'experiment-metric' }),
		option: t => {
			const days = [...new Set(e.history.filter(r => r.metric === chosen).map(r => r.day))].sort();
			// the first days' intervals are so wide that nothing else would be seen
			const late = e.history.filter(r => r.metric === chosen && r.lift_low !== null && days.indexOf(r.day) >= days.length * .3);
			const low = Math.min(-.02, ...late.map(r => r.lift_low)), high = Math.max(.02, ...late.map(r => r.lift_high));
			const step = [.01, .02, .05, .1, .2, .5, 1, 2, 5].find(s => (high - low) / s <= 7) || 10;
			const min = Math.floor(low / step) * step, max = Math.ceil(high / step) * step;
			const clip = v => v === null || v === undefined ? null : Math.max(min, Math.min(max, v));
			const list = [];
			variants().forEach((variant, i) => {
				const color = colorOf({ place: i }, t);
				const at = new Map(rows(variant).map(r => [r.day, r]));
				const get = f => days.map(d => at.get(d) ? f(at.get(d)) : null);
				list.push(
					{ name: `${variant} low`, type: 'line', stack: `band${i}`, stackStrategy: 'all', data: get(r => clip(r.lift_low)), lineStyle: { opacity: 0 }, symbol: 'none', silent: true, tooltip: { show: false } },
					{ name: `${variant} high`, type: 'line', stack: `band${i}`, stackStrategy: 'all', data: get(r => r.lift_high === null ? null : clip(r.lift_high) - clip(r.lift_low)), lineStyle: { opacity: 0 }, symbol: 'none', areaStyle: { color, opacity: .16 }, silent: true, tooltip: { show: false } },
					{
						name: variant, type: 'line', data: get(r => r.lift !== null && r.lift >= min && r.lift <= max ? r.lift : null), color, symbol: 'circle', symbolSize: 5, showSymbol: days.length < 3, lineStyle: { width: 2.5 },
						markLine: i ? undefined : { silent: true, symbol: 'none', label: { show: false }, lineStyle: { color: t.muted, type: 'solid', width: 1 }, data: [{ yAxis: 0 }] },
					});
			});
			return {
				legend: variants().length > 1 ? { data: variants() } : false,
				xAxis: { type: 'category', data: days, boundaryGap: false, axisLabel: { formatter: day } },
				yAxis: { type: 'value', min, max, interval: step, axisLabel: { formatter: v => Math.abs(v) < step / 2 ? '0' : change(v, 0) } },
				tooltip: { formatter: list => tip(list, variants(), rows) },
				series: list,
			};
		},
		table: () => ({
			head: ['Day', 'Variant', 'Users', 'Lift', 'From', 'To', 'Verdict'],
			rows: e.history.filter(r => r.metric === chosen).map(r => [r.day, r.variant,
				{ value: r.users, format: count, metric: `experiment-history.${r.variant}.${r.metric}.${r.day}.users` },
				{ value: r.lift, format: change, metric: `experiment-history.${r.variant}.${r.metric}.${r.day}.lift` },
				{ value: r.lift_low, format: change, metric: `experiment-history.${r.variant}.${r.metric}.${r.day}.lift_low` },
				{ value: r.lift_high, format: change, metric: `experiment-history.${r.variant}.${r.metric}.${r.day}.lift_high` },
				chip(r.verdict, moodOf(r.verdict))]),
		}),
	});
	return figure;
}

function tip(list, variants, rows) {
	const at = list[0]?.axisValue;
	return h('div', { class: 'tip' }, h('b', null, date(at)), variants.map(v => {
		const r = rows(v).find(one => one.day === at);
		return r && h('div', null, `${v}: ${change(r.lift)}`, h('span', { class: 'note' }, ` (${change(r.lift_low)} to ${change(r.lift_high)}), ${plural(r.users + r.control_users, 'user')}`));
	}));
}

function trust(e, rows) {
	const p = rows[0]?.sample_ratio_p;
	const units = e.unit === 'session' ? 'sessions' : 'users';
	const shares = Array.isArray(e.variants) ? e.variants : Object.entries(e.variants || {}).map(([name, v]) => ({ name, ...v }));
	const control = rows[0]?.control;
	const users = name => name === control ? rows[0]?.control_users : rows.find(r => r.variant === name)?.users;
	return wideCard('Whether to trust it', 'Assignment, log, and what else stands in the way of a decision.',
		h('div', { class: 'checks' },
			p !== undefined && p !== null && h('div', { class: `check ${p < 0.001 ? 'bad' : 'good'}` }, h('b', null, p < 0.001 ? 'Shares are wrong' : 'Shares are right'),
				h('span', null, `Numbers of ${units} as far from their shares as these would be chance in `, metric(`experiment.${e.name}.sample_ratio_p`, p, v => v < 0.001 ? 'less than 0.1 %' : percent(v, 1)), ' of experiments.')),
			(e.alerts || []).map(a => h('div', { class: `check ${a.severity === 'error' ? 'bad' : a.severity === 'warning' ? 'warn' : ''}` }, h('b', null, a.alert), h('span', null, a.detail))),
			!(e.alerts || []).length && h('div', { class: 'check good' }, h('b', null, 'Nothing is reported'), h('span', null, 'recsys.experiment_alerts has no row for it.'))),
		dataTable({
			id: 'experiment-variants', caption: 'Variants', head: ['Variant', 'Recommender', 'Share', units[0].toUpperCase() + units.slice(1)], sortable: false,
			rows: shares.map(v => [h('span', null, v.name, v.name === control && chip('control')), v.recommender || '–', { value: v.share ?? null, format: x => percent(x, 0) }, { value: users(v.name) ?? null, format: count, metric: `experiment.${e.name}.${v.name}.users` }]),
		}));
}

// Two lists shown as one: whose items users click more
function interleaving(e) {
	const i = e.interleaved;
	const key = `experiment.${e.name}.interleaving`;
	const side = v => v === null || v === 0 ? '' : `towards “${v < 0 ? i.first : i.second}”`;
	return [
		h('section', { class: `card verdict wide ${i.preferred ? 'good' : ''}` },
			h('div', null,
				h('h3', { 'data-metric': `${key}.preferred`, 'data-value': i.preferred ?? '' }, i.preferred ? `“${i.preferred}” is preferred` : e.stopped_at ? 'No preference was seen' : 'No preference that can be seen yet'),
				h('p', null, `Both lists are shown as one, and users say by their clicks which one they like better.${i.ci_low === null ? '' : ` ${decimal(100 * (1 - e.alpha), 0)} % sure: between ${decimal(i.ci_low)} and ${decimal(i.ci_high)}, where −1 is “${i.first}” only and 1 “${i.second}” only.`}`)),
			i.preference !== null && h('div', { class: 'verdict-lift' }, metric(`${key}.preference`, i.preference, decimal), h('span', { class: 'note' }, side(i.preference)))),
		tiles(
			tile({ name: `${key}.users`, label: 'Users', value: i.users, format: count, note: `${plural(i.requests, 'list')}` }),
			tile({ name: `${key}.first_clicks`, label: `Clicks on “${i.first}”`, value: i.first_clicks, format: count, note: `${plural(i.first_users, 'user')} clicked more on it` }),
			tile({ name: `${key}.second_clicks`, label: `Clicks on “${i.second}”`, value: i.second_clicks, format: count, note: `${plural(i.second_users, 'user')} clicked more on it` }),
			tile({ name: `${key}.p`, label: 'Chance of so much by luck', value: i.p_value, format: pvalue, note: 'holds however often you look' })),
	];
}

function one(e) {
	const body = h('div', { class: 'grid' });
	const all = (e.results || []).filter(r => r.segment === null);
	if (e.problem)
		return replace(body, empty('It cannot be used as it is', e.problem, `SELECT recsys.experiment_problem(${literal(e.name)});`));
	if (e.interleave)
		return replace(body, e.interleaved ? interleaving(e) : empty('Both lists are shown as one', 'Whose items are clicked more decides. It has not been started.', `SELECT recsys.start_experiment(${literal(e.name)});`));
	if (!all.length)
		return replace(body, empty('There are no results yet', e.started_at ? 'No list of this experiment has been logged, or its sums are not made.' : 'It has not been started.',
			e.started_at ? `SELECT * FROM recommend(42, 10, ${literal(e.name)}, log => true);\nSELECT recsys.refresh_experiment(${literal(e.name)});` : `SELECT recsys.start_experiment(${literal(e.name)});`));
	const primary = all.filter(r => r.is_primary);
	const [mood, headline, why, row, range] = verdict(e, primary);
	const power = (e.power || []).filter(p => p.is_primary);
	const segments = (e.results || []).filter(r => r.segment !== null && r.is_primary);
	const users = (all[0].control_users || 0) + [...new Map(all.map(r => [r.variant, r.users])).values()].reduce((a, b) => a + b, 0);
	const days = e.started_at ? Math.max(1, Math.round((new Date(e.stopped_at || all[0].as_of) - new Date(e.started_at)) / 86400000)) : null;
	replace(body,
		h('section', { class: `card verdict wide ${mood}` },
			h('div', null,
				h('h3', { 'data-metric': `experiment.${e.name}.verdict`, 'data-value': row ? row.verdict : '' }, headline), h('p', null, why, range && h('span', null, ` ${range}.`))),
			row && row.lift !== null && h('div', { class: 'verdict-lift' }, metric(`experiment.${e.name}.lift`, row.lift, change), h('span', { class: 'note' }, metricName(row.metric).toLowerCase()))),
		tiles(
			tile({ name: `experiment.${e.name}.users`, label: e.unit === 'session' ? 'Sessions' : 'Users', value: users, format: count, note: `in ${plural(new Set(all.map(r => r.variant)).size + 1, 'variant')}` }),
			tile({ name: `experiment.${e.name}.days`, label: e.stopped_at ? 'Ran for' : 'Has run for', value: days, format: v => plural(v, 'day'), note: `${date(e.started_at)}${e.stopped_at ? ` to ${date(e.stopped_at)}` : ''}` }),
			tile({ name: `experiment.${e.name}.p`, label: 'Chance of so much by luck', title: 'The p-value, adjusted for all metrics and variants that are looked at', value: row?.p_adjusted ?? null, format: pvalue, note: e.method === 'sequential' ? 'holds however often you look' : 'holds for one look' }),
			power[0] && tile({ name: `experiment.${e.name}.detectable`, label: 'Least effect that it can see', value: power[0].detectable_effect, format: v => percent(v, 1), note: 'with 80 % probability, with so many users' })),
		results(e, all, 'experiment-results', 'What each metric says', `Against the control, for all users. The line is the interval, the tick the lift, the dotted line no difference.`),
		history(e),
		segments.length > 0 && results(e, segments, 'experiment-segments', `Segments: ${metricName(e.primary_metric).toLowerCase()}`, 'Whether some customers gain, or lose, more than others.'),
		trust(e, all));
	return body;
}

export default {
	id: 'experiment', name: 'Experiment', group: 'Business',
	render(data) {
		const list = data.experiments?.experiments || [];
		if (!list.length)
			return {
				lead: 'No experiment compares anything yet.',
				body: [empty('There is no experiment', 'An experiment gives each customer one of several recommenders, and says which one sells more, and how sure that is:',
					"SELECT recsys.create_experiment('home_page',\n    variants => '{\"control\": {\"recommender\": \"purchases_recsys\", \"share\": 0.5},\n                  \"home\": {\"recommender\": \"home\", \"share\": 0.5}}',\n    metrics => '{ctr,conversion,revenue}', primary_metric => 'ctr', purchases => 'purchases');\nSELECT * FROM recommend(42, 10, 'home_page', log => true);",
					'You see the experiments that are yours.')],
			};
		const place = h('div');
		const lead = h('span');
		const show = name => {
			const e = list.find(x => x.name === name);
			const names = (Array.isArray(e.variants) ? e.variants.map(v => v.name) : Object.keys(e.variants || {}));
			replace(lead, h('b', null, e.name), ' ', chip(e.state, e.state === 'running' ? 'accent' : ''), ` compares ${names.map(n => `“${n}”`).join(', ')}, and is decided by ${e.interleave ? 'clicks on lists that both make together' : metricName(e.primary_metric).toLowerCase()}.`, e.stopped_at && ` It was stopped: everybody gets “${e.winner ?? names[0]}”.`);
			replace(place, one(e));
		};
		show(list[0].name);
		return { lead, body: [place], actions: list.length > 1 ? select('Experiment', list.map(e => [e.name, e.name]), list[0].name, show, { id: 'experiment-choice' }) : null };
	},
};
