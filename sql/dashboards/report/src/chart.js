// Charts: a figure has a title, what it says, the picture, and the same as a table.
// They are drawn when they come into view for the first time, and again when the theme changes.
import { init, use } from 'echarts/core';
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';
import { h, replace } from './dom.js';
import { dataTable } from './table.js';

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

const drawn = new Set();
let first = true;

// The colours of style.css, as they are now
export function theme() {
	const style = getComputedStyle(document.documentElement);
	const value = name => style.getPropertyValue(name).trim();
	return {
		text: value('--text'), muted: value('--muted'), faint: value('--faint'), line: value('--line'), surface: value('--surface'),
		accent: value('--accent'), good: value('--good'), bad: value('--bad'), control: value('--control'),
		palette: [1, 2, 3, 4, 5, 6, 7].map(n => value(`--series-${n}`)),
		font: getComputedStyle(document.body).fontFamily,
	};
}

// What all charts have in common; the chart's own options win, one level deep
function complete(option, t) {
	const axis = {
		axisLine: { lineStyle: { color: t.line } }, axisTick: { show: false },
		axisLabel: { color: t.muted, fontSize: 12, hideOverlap: true },
		splitLine: { lineStyle: { color: t.line, type: [3, 4] } },
		nameTextStyle: { color: t.muted, fontSize: 12 },
	};
	const dress = (a, more) => a && [].concat(a).map(one => ({
		...axis, ...more, ...one,
		axisLabel: { ...axis.axisLabel, ...one.axisLabel },
		splitLine: one.splitLine ? { ...axis.splitLine, ...one.splitLine } : (more.splitLine || axis.splitLine),
	}));
	return {
		animation: false,
		textStyle: { fontFamily: t.font, color: t.text },
		...option,
		grid: { left: 8, right: 14, top: option.legend === false ? 14 : 42, bottom: 6, containLabel: true, ...option.grid },
		legend: option.legend === false ? undefined : {
			type: 'scroll', left: 0, top: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 8, itemGap: 16, pageIconColor: t.muted, pageTextStyle: { color: t.muted },
			textStyle: { color: t.text, fontSize: 13 }, inactiveColor: t.faint, ...option.legend,
		},
		tooltip: {
			trigger: 'axis', confine: true, backgroundColor: t.surface, borderColor: t.line, padding: [8, 12],
			textStyle: { color: t.text, fontSize: 13 }, extraCssText: 'box-shadow: 0 6px 24px rgb(0 0 0 / .16); border-radius: 8px;',
			axisPointer: { type: 'line', lineStyle: { color: t.faint, type: 'solid' }, shadowStyle: { color: t.faint, opacity: .12 } }, ...option.tooltip,
		},
		xAxis: dress(option.xAxis, { splitLine: { show: false } }),
		yAxis: dress(option.yAxis, { axisLine: { show: false } }),
	};
}

function draw(figure) {
	const t = theme();
	if (figure.chart)
		figure.chart.dispose();
	figure.chart = init(figure.box, null, { renderer: 'svg' });
	figure.chart.setOption(complete(figure.option(t), t));
	// the picture is described as a whole; its parts say nothing by themselves
	figure.box.querySelector('svg')?.setAttribute('aria-hidden', 'true');
	if (first) {
		first = false;
		performance.mark('first-chart');
	}
}

const sizes = new ResizeObserver(entries => {
	for (const { target } of entries) {
		const figure = target.figure;
		if (!target.isConnected) {
			sizes.unobserve(target);
			drawn.delete(figure);
			figure.chart?.dispose();
			figure.chart = null;
		} else if (target.clientWidth > 0) {
			if (figure.chart)
				figure.chart.resize();
			else {
				drawn.add(figure);
				draw(figure);
			}
		}
	}
});

// The theme has changed
export function redraw() {
	for (const figure of drawn)
		if (figure.box.isConnected && figure.chart)
			draw(figure);
}

// chart({ id, title, note, describe, option: theme => …, table: () => ({ head, rows }), height, wide, actions })
export function chart({ id, title, note, describe, option, table, height = 280, wide = false, actions }) {
	const box = h('div', { class: 'chart-box', style: `height:${height}px`, role: 'img', 'aria-label': `${title}. ${describe || note || ''}` });
	const as = h('div', { class: 'chart-table', hidden: true, id: `${id}-table`, tabindex: '0', role: 'region', 'aria-label': `${title}, as a table` });
	const toggle = h('button', { class: 'quiet', type: 'button', 'aria-pressed': 'false', 'aria-controls': `${id}-table`, 'data-toggle': id, title: 'Show the figures as a table' }, 'Table');
	const figure = { box, option, chart: null };
	box.figure = figure;
	toggle.addEventListener('click', () => {
		const show = as.hidden;
		if (show)
			replace(as, dataTable({ id, caption: title, ...table() }));
		as.hidden = !show;
		box.hidden = show;
		toggle.textContent = show ? 'Chart' : 'Table';
		toggle.setAttribute('aria-pressed', String(show));
	});
	sizes.observe(box);
	const element = h('figure', { class: wide ? 'card chart wide' : 'card chart', id, 'data-chart': id },
		h('figcaption', null,
			h('div', null, h('h3', null, title), note && h('p', { class: 'note' }, note)),
			h('div', { class: 'actions' }, actions, toggle)),
		box, as);
	// something that it depends on has been chosen anew
	element.update = () => {
		if (figure.chart)
			draw(figure);
		if (!as.hidden)
			replace(as, dataTable({ id, caption: title, ...table() }));
	};
	return element;
}

// A chart of days: one line, or bars on top of each other, for each of a few series
export function dayChart({ days, series, value, format, kind = 'line', colorOf, axis = {}, ...rest }) {
	return chart({
		...rest,
		option: t => ({
			xAxis: { type: 'category', data: days, boundaryGap: kind === 'bar', axisLabel: { formatter: rest.dayFormat } },
			yAxis: { type: 'value', axisLabel: { formatter: v => (rest.axisFormat || format)(v) }, splitNumber: 4, ...axis },
			tooltip: { valueFormatter: v => format(v), axisPointer: { type: kind === 'bar' ? 'shadow' : 'line' } },
			series: series.map(s => ({
				name: s.name, type: kind, stack: kind === 'bar' ? 'all' : undefined, data: days.map(d => value(s, d)),
				color: colorOf(s, t), symbol: 'circle', symbolSize: days.length < 3 ? 10 : 5, showSymbol: days.length < 3, connectNulls: false,
				lineStyle: { width: s.isControl ? 2 : 2.5, type: s.isControl ? [6, 4] : 'solid' }, barMaxWidth: 28,
				itemStyle: kind === 'bar' ? { borderColor: t.surface, borderWidth: .5, borderRadius: 1 } : undefined, emphasis: { focus: 'series' },
			})),
		}),
		table: () => ({
			head: ['Day', ...series.map(s => s.name)],
			rows: days.map(d => [d, ...series.map(s => ({ value: value(s, d), format, metric: `${rest.id}.${s.name}.${d}` }))]),
		}),
	});
}
