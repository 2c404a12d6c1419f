// Figures as people read them.  What is not known is a dash; a unit stays with its figure.

const DASH = '–';
const LOCALE = 'en-GB';
let money = null;

const known = value => value !== null && value !== undefined && value !== '' && Number.isFinite(Number(value));
const decimals = (least, most) => new Intl.NumberFormat(LOCALE, { minimumFractionDigits: least, maximumFractionDigits: most });
const whole = decimals(0, 0);
const one = decimals(1, 1);
const two = decimals(2, 2);
const short = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 1 });

// currency: a code such as EUR, or nothing
export function setCurrency(currency) {
	try {
		money = currency ? [0, 2].map(d => new Intl.NumberFormat(LOCALE, { style: 'currency', currency, minimumFractionDigits: d, maximumFractionDigits: d })) : null;
	} catch {
		money = null;
	}
}

export const count = v => known(v) ? whole.format(v) : DASH;
export const compact = v => known(v) ? (Math.abs(v) < 10000 ? decimals(0, Math.abs(v) < 10 ? 1 : 0) : short).format(v) : DASH;
export const amount = v => {
	if (!known(v))
		return DASH;
	const small = Math.abs(v) < 1000;
	return money ? money[small ? 1 : 0].format(v) : (small ? two : whole).format(v);
};
// a minus that is as wide as a plus
const minus = text => text.replace('-', '\u2212');
export const decimal = (v, digits = 2) => known(v) ? minus(decimals(digits, digits).format(v)) : DASH;
export const times = v => known(v) ? `${(v < 10 ? one : whole).format(v)}×` : DASH;

// 0.0512 → 5.12 %
export function percent(v, digits) {
	if (!known(v))
		return DASH;
	const p = 100 * v;
	const d = digits ?? (Math.abs(p) < 10 ? 2 : Math.abs(p) < 100 ? 1 : 0);
	return `${decimals(d, d).format(p)}\u00a0%`;
}

// ticks of an axis: as many digits as tell them apart
export const tick = v => known(v) ? (Math.abs(v) >= 10000 ? short.format(v) : decimals(0, Math.abs(v) < .1 ? 3 : Math.abs(v) < 1 ? 2 : Math.abs(v) < 10 ? 1 : 0).format(v)) : DASH;
export const percentTick = v => known(v) ? `${decimals(0, Math.abs(100 * v) < .1 ? 2 : Math.abs(100 * v) < 10 ? 1 : 0).format(100 * v)}\u00a0%` : DASH;

// with its sign: +4.1 %
export function change(v, digits = 1) {
	if (!known(v))
		return DASH;
	const p = 100 * v;
	const text = decimals(digits, digits).format(Math.abs(p));
	const sign = Number(text.replace(/,/g, '')) === 0 ? '±' : p > 0 ? '+' : '−';
	return `${sign}${text}\u00a0%`;
}

export const milliseconds = v => known(v) ? `${decimal(v, v < 10 ? 2 : v < 100 ? 1 : 0)}\u00a0ms` : DASH;

export function bytes(v) {
	if (!known(v))
		return DASH;
	const units = ['B', 'kB', 'MB', 'GB', 'TB'];
	let value = Number(v), unit = 0;
	while (value >= 1000 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	return `${decimals(0, unit > 0 && value < 100 ? 1 : 0).format(value)}\u00a0${units[unit]}`;
}

export function pvalue(v) {
	if (!known(v))
		return DASH;
	return v < 0.001 ? '< 0.001' : decimal(v, 3);
}

const dayFormat = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const dateFormat = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const timeFormat = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const asDate = v => {
	const date = v ? new Date(v) : null;
	return date && !Number.isNaN(date.getTime()) ? date : null;
};

export const day = v => asDate(v) ? dayFormat.format(asDate(v)) : DASH;
export const date = v => asDate(v) ? dateFormat.format(asDate(v)) : DASH;
export const time = v => asDate(v) ? `${timeFormat.format(asDate(v))} UTC` : DASH;

// how long before: 3 hours ago
export function ago(v, now) {
	const then = asDate(v);
	if (!then)
		return DASH;
	const seconds = Math.max(0, (asDate(now) - then) / 1000);
	for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]])
		if (seconds >= size) {
			const n = Math.floor(seconds / size);
			return `${whole.format(n)} ${unit}${n === 1 ? '' : 's'} ago`;
		}
	return 'just now';
}

export const plural = (n, one, many) => `${whole.format(n)} ${Number(n) === 1 ? one : many || `${one}s`}`;
