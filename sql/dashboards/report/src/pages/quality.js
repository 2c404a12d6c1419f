// How good the recommender is on what it has not seen, beside a list of bestsellers.
import { h } from '../dom.js';
import { chart } from '../chart.js';
import { dataTable } from '../table.js';
import { chip, empty, tile, tiles, wideCard } from '../parts.js';
import { count, decimal, percent, pvalue, times } from '../format.js';

const NAMES = { ndcg: 'NDCG', recall: 'Recall', hit_rate: 'Hit rate', mrr: 'MRR', precision: 'Precision', novelty: 'Novelty', diversity: 'Diversity', coverage: 'Coverage', gini: 'Gini' };
const WHAT = {
	ndcg: 'how far up what is right stands', recall: 'share of what came next that the list has', hit_rate: 'customers with something right on their list', mrr: 'one by the place of the first right one',
	precision: 'share of the list that is right', novelty: 'bits: how uncommon what is recommended is', diversity: 'how different two lists are', coverage: 'share of all products on some list', gini: 'how unequally products are recommended',
};

// width of a bar by that of a metric's place, and gap between two by the width
const BAR = .28, GAP = .12;

export default {
	id: 'quality', name: 'Quality', group: 'Engine',
	render(data) {
		const q = data.quality;
		const rows = q?.evaluated || [];
		const models = (q?.indexes || []).filter(i => i.quality || i.model);
		const body = [];
		if (rows.length) {
			const of = name => rows.find(r => r.metric === name);
			const accuracy = ['ndcg', 'recall', 'hit_rate', 'mrr', 'precision'].map(of).filter(Boolean);
			const beyond = ['coverage', 'diversity', 'novelty', 'gini'].map(of).filter(Boolean);
			const better = r => r && r.popular_value ? r.value / r.popular_value : null;
			const main = of('ndcg') || accuracy[0];
			body.push(
				tiles(
					tile({ name: 'quality.times_popular', label: 'Beside bestsellers', value: better(main), format: times, note: `as good, by ${NAMES[main.metric]}` }),
					...['hit_rate', 'recall'].map(of).filter(Boolean).map(r => tile({ name: `quality.${r.metric}`, label: r.metric === 'hit_rate' ? 'Customers with a hit' : 'Of what came next', title: WHAT[r.metric], value: r.value, format: v => percent(v, 1), note: `bestsellers: ${percent(r.popular_value, 1)}` })),
					of('coverage') && tile({ name: 'quality.coverage', label: 'Products recommended', value: of('coverage').value, format: v => percent(v, 0), note: `bestsellers: ${percent(of('coverage').popular_value, 1)}` }),
					tile({ name: 'quality.users', label: 'Measured on', value: Number(main.users), format: count, note: 'customers' })),
				chart({
					id: 'quality-accuracy', title: 'Hits, beside bestsellers', wide: true, height: 320,
					note: `${q.latest ? 'The latest product of every customer' : 'A fifth of every customer’s products'} was held out; ten products were asked for. Whiskers: 95 % intervals.`,
					describe: accuracy.map(r => `${NAMES[r.metric]} ${decimal(r.value, 3)}, bestsellers ${decimal(r.popular_value, 3)}`).join('; '),
					option: t => ({
						xAxis: { type: 'category', data: accuracy.map(r => NAMES[r.metric]) }, yAxis: { type: 'value', axisLabel: { formatter: v => decimal(v, 2) }, splitNumber: 4 },
						tooltip: { valueFormatter: v => decimal(Array.isArray(v) ? v[1] : v, 4), axisPointer: { type: 'shadow' } },
						legend: { data: ['bestsellers', 'this model'] },
						series: [
							{ name: 'bestsellers', type: 'bar', data: accuracy.map(r => r.popular_value), color: t.control, barWidth: `${100 * BAR}%`, barGap: `${100 * GAP}%`, itemStyle: { borderRadius: [4, 4, 0, 0] } },
							{ name: 'this model', type: 'bar', data: accuracy.map(r => r.value), color: t.palette[0], barWidth: `${100 * BAR}%`, itemStyle: { borderRadius: [4, 4, 0, 0] }, label: { show: true, position: 'insideBottom', color: '#fff', formatter: p => times(better(accuracy[p.dataIndex])), fontWeight: 600 } },
							{
								name: 'interval', type: 'custom', silent: true, tooltip: { show: false }, z: 5, data: accuracy.map((r, i) => [i, r.ci_low, r.ci_high]).filter(r => r[1] !== null),
								// over the second bar: half a bar, and half the gap, to the right of the middle
								renderItem: (_, api) => {
									const [x, y] = api.coord([api.value(0), api.value(1)]), top = api.coord([api.value(0), api.value(2)])[1];
									const at = x + api.size([1, 0])[0] * BAR * (1 + GAP) / 2;
									const line = (x1, y1, x2, y2) => ({ type: 'line', shape: { x1, y1, x2, y2 }, style: { stroke: t.text, lineWidth: 1.5 } });
									return { type: 'group', children: [line(at, y, at, top), line(at - 5, y, at + 5, y), line(at - 5, top, at + 5, top)] };
								},
							},
						],
					}),
					table: () => ({
						head: ['Metric', 'This model', 'from', 'to', 'Bestsellers', 'p'],
						rows: accuracy.map(r => [`${NAMES[r.metric]}: ${WHAT[r.metric]}`, { value: r.value, format: v => decimal(v, 4), metric: `quality-accuracy.${r.metric}.value` }, { value: r.ci_low, format: v => decimal(v, 4), metric: `quality-accuracy.${r.metric}.ci_low` },
							{ value: r.ci_high, format: v => decimal(v, 4), metric: `quality-accuracy.${r.metric}.ci_high` }, { value: r.popular_value, format: v => decimal(v, 4), metric: `quality-accuracy.${r.metric}.popular` }, { value: r.p_popular, format: pvalue }]),
					}),
				}),
				beyond.length > 0 && wideCard('Beyond hits', 'A list that is always the same can hit, too. These tell whether customers and products get something of their own.', dataTable({
					id: 'quality-beyond', caption: 'Beyond hits', head: ['', '', 'This model', 'Bestsellers'], sortable: false,
					rows: beyond.map(r => [NAMES[r.metric], WHAT[r.metric], { value: r.value, format: v => r.metric === 'coverage' ? percent(v, 1) : decimal(v, r.metric === 'novelty' ? 1 : 3), metric: `quality.beyond.${r.metric}` },
						{ value: r.popular_value, format: v => r.metric === 'coverage' ? percent(v, 1) : decimal(v, r.metric === 'novelty' ? 1 : 3), metric: `quality.beyond.${r.metric}.popular` }]),
				})));
		} else
			body.push(empty(q?.error ? 'It could not be measured' : 'Nothing is measured',
				q?.error || (data.about.evaluate_off ? 'It was left out: REPORT_EVALUATE=no.' : !data.about.index ? 'There is no recommender.' : 'The table of the first signal may not be read by you, or has too few, or too many, rows.'),
				'SELECT * FROM recsys.evaluate(\'SELECT user_id, product_id, quantity, purchased_at FROM purchases\', holdout_last => 1);',
				'It trains a model on a part of the data, asks for the other, and writes nothing.'));
		if (models.length)
			body.push(wideCard('Models', 'What stands behind each index. Where recsys has chosen it, with what was measured then: NDCG at 20 on a sample of customers.', dataTable({
				id: 'quality-models', caption: 'Models', head: ['Index', 'Model', 'NDCG', 'Bestsellers', 'Candidates'], sortable: false, class: 'wrap',
				rows: models.map(m => [m.index.replace(/^public\./, ''), h('code', null, m.model || '–'), { value: m.quality?.value ?? null, format: v => decimal(v, 3), metric: `quality.model.${m.index}.value` },
					{ value: m.quality?.popular ?? null, format: v => decimal(v, 3), metric: `quality.model.${m.index}.popular` },
					m.quality ? { value: m.quality.models ?? null, format: count } : h('span', null, chip('set by hand'))]),
			})));
		const n = rows.find(r => r.metric === 'ndcg'), hit = rows.find(r => r.metric === 'hit_rate');
		return {
			lead: n ? `Asked for what customers took next, which it had not seen, the model is right for ${percent(hit.value, 0)} of them within ten products. A list of bestsellers is for ${percent(hit.popular_value, 0)}.` : 'How good recommendations are, measured on what the model has not seen.',
			body: [h('div', { class: 'grid' }, body)],
		};
	},
};
