// All tests of the report, in the directory in which report.sh has made the pages.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { done, note, ok, part } from './tap.mjs';
import figures from './figures.mjs';
import hands from './hands.mjs';
import looks from './looks.mjs';
import { bare, hostile, plain, superuser } from './others.mjs';

const directory = process.env.REPORT_DIRECTORY;
const file = name => join(directory, `${name}.html`);
const text = name => existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8').trim() : '';
const MOST = 3e6;

for (const name of ['market', 'hostile', 'superuser', 'plain', 'bare']) {
	const size = existsSync(file(name)) ? statSync(file(name)).size : 0;
	ok(text(`${name}.status`) === '0' && size > 100000, `make report: ${name}`, text(`${name}.out`));
	ok(size <= MOST, `${name}: at most 3 MB`, size);
	if (name === 'market')
		note(`the page about the marketplace has ${Math.round(size / 1000)} kB`);
}
ok(text('none.status') !== '0' && !existsSync(file('none')) && /extension/.test(text('none.out')), 'make report: without the extension it says so, and leaves no page', text('none.out'));

await part('figures', () => figures(file('market'), 'report_market'));
await part('hands', () => hands(file('market')));
await part('looks', async () => {
	const first = await looks(file('market'), { name: 'marketplace' });
	note(`the first chart is there after ${first} ms`);
});
await part('hostile', () => hostile(file('hostile'), 'report_hostile'));
await part('hostile', () => looks(file('hostile'), { name: 'hostile', charts: false, windows: [[1440, 'dark'], [360, 'light']] }));
await part('superuser', () => superuser(file('superuser')));
await part('plain', () => plain(file('plain'), 'report_plain'));
await part('bare', () => bare(file('bare')));
done();
