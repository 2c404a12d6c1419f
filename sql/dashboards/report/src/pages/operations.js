// How it runs: what is to be done, how fresh everything is, how long lists take, what is scheduled.
import { h } from '../dom.js';
import { dayChart } from '../chart.js';
import { dataTable } from '../table.js';
import { card, chip, code, literal, tile, tiles, wideCard } from '../parts.js';
import { ago, bytes, count, day, milliseconds, percent, plural, tick, time } from '../format.js';
import { controlsOf, keyOf, seriesOf, sum } from '../series.js';

const DAY = 86400000;

// What recsys.maintenance_advice says or, where that is not there, what can be seen from here
function adviceOf(data) {
	const o = data.operations;
	if (o.advice)
		return o.advice.map(a => ({ topic: a.topic, object: a.object, reason: a.reason, command: a.command }));
	const now = Date.parse(data.about.generated_at);
	const list = [];
	for (const i of o.indexes) {
		const name = `${i.schema_name}.${i.index_name}`;
		if (i.problem)
			list.push({ topic: 'problem', object: name, reason: i.problem, command: `REINDEX INDEX ${name};` });
		else if (i.pending > 1000 && i.pending > .01 * i.interactions)
			list.push({ topic: 'merge', object: name, reason: `${plural(i.pending, 'change')} ${i.pending === 1 ? 'waits' : 'wait'} to be merged.`, command: `SELECT recsys.merge(${literal(name)});` });
	}
	for (const r of o.recommenders)
		if (r.problem)
			list.push({ topic: 'problem', object: r.name, reason: r.problem, command: null });
		else if (!r.refreshed_at || now - Date.parse(r.refreshed_at) > 2 * DAY)
			list.push({ topic: 'refresh', object: r.name, reason: r.refreshed_at ? `Its lists by segment were made ${ago(r.refreshed_at, data.about.generated_at)}.` : 'Its lists by segment have not been made.', command: `SELECT recsys.refresh_recommender(${literal(r.name)});` });
	if (o.metrics?.refreshed_at && now - Date.parse(o.metrics.refreshed_at) > 2 * DAY)
		list.push({ topic: 'metrics', object: 'recsys.metrics_daily', reason: `Metrics were made ${ago(o.metrics.refreshed_at, data.about.generated_at)}.`, command: 'SELECT recsys.maintain();' });
	return list;
}

const asText = v => v === null || v === undefined ? '–' : /^\d{4}-\d\d-\d\dT/.test(v) ? time(v) : String(v);

function advice(list, known) {
	return wideCard(list.length ? 'To be done' : 'Nothing is to be done', list.length ? 'Each with the command.' : known ? 'recsys.maintenance_advice has no row.' : 'No index has a problem, changes have not piled up, lists and metrics are fresh.',
		list.length > 0 && h('ul', { class: 'advice' }, list.map(a => {
			const button = a.command && h('button', {
				type: 'button', class: 'quiet', onclick: () => navigator.clipboard?.writeText(a.command).then(() => {
					button.textContent = 'Copied';
				}, () => { }),
			}, 'Copy');
			return h('li', null, h('div', { class: 'advice-head' }, chip(a.topic, a.topic === 'problem' ? 'bad' : 'warn'), h('b', null, a.object), h('span', null, a.reason)), a.command && h('div', { class: 'advice-command' }, code(a.command), button));
		})));
}

// How far streams of events have come; nothing where there are none
function streams(list, now) {
	const colors = { running: 'good', failed: 'bad', lost: 'bad', waiting: 'warn' };
	return list?.length > 0 && wideCard('Streams', 'Events from Kafka that become rows of tables. How far each one is behind is counted in messages that are still to be read.', dataTable({
		id: 'operations-streams', caption: 'Streams',
		head: ['Stream', 'State', 'Topic', 'Table', { name: 'Behind', title: 'Messages that are still to be read' }, { name: 'Rows/s', title: 'Rows written a second over about the last half minute' }, 'Rows', { name: 'Rejected', title: 'Messages that became no rows' }, { name: 'Read up to', title: 'Timestamp of the latest message that was read' }, 'Said last'],
		rows: list.map(s => {
			const key = `operations.stream.${s.stream}`;
			return [s.stream, h('span', null, chip(s.state, colors[s.state] || ''), s.throttle > 0 && chip('waits for merges', 'warn')), s.topic, s.target,
				{ value: s.lag, format: count, metric: `${key}.lag` }, { value: s.rows_per_second, format: v => count(Math.round(v)), metric: `${key}.rows_per_second` },
				{ value: s.rows, format: count, metric: `${key}.rows` }, { value: s.errors, format: count, metric: `${key}.errors` },
				h('span', { class: 'nowrap', title: time(s.last_message_time) }, s.last_message_time ? ago(s.last_message_time, now) : '–'), s.last_message || '–'];
		}),
	}));
}

export default {
	id: 'operations', name: 'Operations', group: 'Engine',
	render(data) {
		const o = data.operations;
		const now = data.about.generated_at;
		if (!o)
			return { lead: 'How it runs is not known.', body: [] };
		const list = adviceOf(data);
		const bad = list.filter(a => a.topic === 'problem').length;
		const size = sum(o.indexes, 'size_bytes');
		const pending = sum(o.indexes, 'pending');
		const stale = o.indexes.some(i => i.staleness !== undefined && i.staleness !== null) ? Math.max(0, ...o.indexes.filter(i => i.drifts !== false).map(i => i.staleness || 0)) : null;
		const days = [...new Set(o.latency.map(r => r.day))].sort();
		const series = seriesOf(o.latency, controlsOf(data.experiments?.experiments), 6);
		const last = o.latency.length ? o.latency.filter(r => r.day === days.at(-1)) : [];
		const p95 = last.length ? Math.max(...last.map(r => r.p95_ms)) : null;
		const of = field => (s, d) => o.latency.find(r => r.day === d && keyOf(r) === s.key)?.[field] ?? null;
		const colorOf = (s, t) => s.isControl ? t.control : t.palette[s.place % t.palette.length];
		const body = h('div', { class: 'grid' },
			tiles(
				tile({ name: 'operations.p95', label: 'A list takes', value: p95, format: milliseconds, note: p95 === null ? 'not logged' : `or less for 95 of 100, on ${day(days.at(-1))}`, values: days.map(d => Math.max(...o.latency.filter(r => r.day === d).map(r => r.p95_ms))) }),
				tile({ name: 'operations.indexes', label: 'Indexes', value: o.indexes.length, format: count, note: `${bytes(size)} together` }),
				tile({ name: 'operations.pending', label: 'Changes to merge', value: pending, format: count, note: 'in lists already, not yet in the graph' }),
				stale !== null && tile({ name: 'operations.staleness', label: 'Since the build', title: 'Of the index that has changed most, of those whose model does not follow changes by itself: share of the interactions that came since it was built', value: stale, format: v => percent(v, 1), note: 'of the interactions, at most' }),
				tile({ name: 'operations.log_bytes', label: 'Log', value: o.log_bytes === null ? null : Number(o.log_bytes), format: bytes, note: o.maintained_at ? `maintained ${ago(o.maintained_at, now)}` : o.metrics?.refreshed_at ? `metrics made ${ago(o.metrics.refreshed_at, now)}` : 'not maintained yet' })),
			advice(list, Boolean(o.advice)),
			days.length > 0 && dayChart({
				id: 'operations-latency', title: 'Milliseconds to make a list, 95 of 100', note: 'So many or fewer in 95 of 100 requests, by day.', dayFormat: day, days, series, colorOf, value: of('p95_ms'), format: milliseconds, axisFormat: tick, axis: { min: 0 },
				describe: series.map(s => `${s.name}: ${milliseconds(of('p95_ms')(s, days.at(-1)))} on the last day`).join(', '),
			}),
			days.length > 0 && dayChart({
				id: 'operations-median', title: 'Milliseconds to make a list, median', note: 'Half of the requests took less.', dayFormat: day, days, series, colorOf, value: of('p50_ms'), format: milliseconds, axisFormat: tick, axis: { min: 0 },
			}),
			wideCard('Indexes', 'Changes are served at once; a merge brings them into the item graph.', dataTable({
				id: 'operations-indexes', caption: 'Indexes',
				head: ['Index', 'Kind', 'Users', 'Items', 'Interactions', { name: 'Pending', title: 'Changes that the next merge brings into the graph' }, { name: 'Inexact', title: 'Items whose neighbors are approximate until they are recomputed' }, ...(stale !== null ? [{ name: 'Stale', title: 'Share of interactions since the build' }] : []), 'Size', 'Built', 'Last merge'],
				rows: o.indexes.map(i => {
					const key = `operations.index.${i.schema_name}.${i.index_name}`;
					return [h('span', null, i.index_name, i.problem && chip('problem', 'bad')), i.index_kind || 'interactions',
						{ value: i.users, format: count, metric: `${key}.users` }, { value: i.items, format: count, metric: `${key}.items` }, { value: i.interactions, format: count, metric: `${key}.interactions` },
						{ value: i.pending, format: count, metric: `${key}.pending` }, { value: i.inexact_items, format: count, metric: `${key}.inexact_items` },
						...(stale !== null ? [{ value: i.staleness ?? null, format: v => percent(v, 1), metric: `${key}.staleness` }] : []),
						{ value: i.size_bytes, format: bytes, metric: `${key}.size_bytes` }, h('span', { class: 'nowrap', title: time(i.built_at) }, ago(i.built_at, now)), h('span', { class: 'nowrap', title: time(i.last_merge_at) }, i.last_merge_at ? ago(i.last_merge_at, now) : '–')];
				}),
			})),
			streams(o.streams, now),
			o.recommenders.length > 0 && card('Recommenders', 'Lists by segment are made by a refresh; the rest is served as it is.', dataTable({
				id: 'operations-recommenders', caption: 'Recommenders', head: ['Name', 'Owner', 'Refreshed', 'State'], sortable: false,
				rows: o.recommenders.map(r => [r.name, r.owner, h('span', { title: time(r.refreshed_at) }, ago(r.refreshed_at, now)), r.problem ? chip(r.problem, 'bad') : chip('fine', 'good')]),
			})),
			card('Schedules', 'What runs by itself.', o.schedules?.length ? dataTable({
				id: 'operations-schedules', caption: 'Schedules', head: ['Job', 'When', 'Last run', 'State'], sortable: false,
				rows: o.schedules.map(s => [s.job ?? s.jobname ?? '–', h('code', { class: 'nowrap' }, s.schedule), asText(s.last_run), chip(s.last_status || (s.active === false ? 'inactive' : 'waiting'), s.last_status === 'failed' ? 'bad' : s.last_status === 'succeeded' ? 'good' : '')]),
			}) : h('div', null, h('p', null, o.schedules === null ? 'This version of recsys has no schedules, or you may not see them.' : 'Nothing is scheduled. With pg_cron, one call makes the jobs; without it, it says what to run:'),
				o.schedules !== null && data.about.kind === 'recommender' && code(`SELECT * FROM recsys.schedule(${literal(data.about.recommender)});`))));
		return { lead: bad ? `${plural(bad, 'problem')} and ${plural(list.length - bad, 'other thing')} to be done.` : list.length ? `Everything works; ${plural(list.length, 'thing')} to be done.` : 'Everything works, and nothing is to be done.', body: [body] };
	},
};
