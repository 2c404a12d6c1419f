// Rows of a query, or of a file of them, as arrays of text.
import { execFileSync } from 'node:child_process';

function rows(database, args) {
	const out = execFileSync('psql', ['-X', '-q', '-At', '-F', '\t', '-v', 'ON_ERROR_STOP=1', '-d', database, ...args], { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });
	return out.split('\n').filter(line => line !== '').map(line => line.split('\t'));
}

export const sql = (database, query) => rows(database, ['-c', query]);

export const sqlFile = (database, file, variables) => rows(database, [...Object.entries(variables).flatMap(([name, value]) => ['-v', `${name}=${value}`]), '-f', file]);

// Whether two figures are the same: sums in another order may differ in the last digits
export function same(a, b) {
	if (a === b)
		return true;
	if (a === undefined || a === '' || b === '')
		return false;
	const x = Number(a), y = Number(b);
	return Number.isFinite(x) && Number.isFinite(y) && Math.abs(x - y) <= 1e-9 * Math.max(1e-3, Math.abs(x), Math.abs(y));
}
