// Pages over databases that are hostile, plain, or have nothing.
import { readFileSync } from 'node:fs';
import { ok, note } from './tap.mjs';
import { dataOf, figures, go, open, PAGES } from './browser.mjs';
import { same, sql } from './sql.mjs';

const readAll = async (page, each) => {
	for (const id of PAGES) {
		await go(page, id);
		await each(id, await page.innerText('main'));
	}
};

export async function hostile(file, database) {
	const { page, complaints, requests, url, close } = await open(file);
	const data = await dataOf(page);
	ok(Object.keys(data.errors || {}).length === 0, 'hostile: every page has its data, for a role without rights', JSON.stringify(data.errors));
	let all = '';
	await readAll(page, async (id, text) => {
		await figures(page);
		all += `${text}\n${await page.$$eval('main option', list => list.map(o => o.textContent).join('\n'))}\n`;
	});
	for (const id of ['product', 'customer']) {
		await go(page, id);
		for (const value of await page.$$eval(`#${id}-choice option`, list => list.map(o => o.value))) {
			await page.selectOption(`#${id}-choice`, value);
			all += `${await page.innerText('main')}\n`;
		}
	}
	ok((await page.evaluate(() => window.hackedBy)).length === 0, 'hostile: nothing of it is run', (await page.evaluate(() => window.hackedBy)).join(' '));
	ok((await page.$$('main script, main svg[onload], main [onerror]')).length === 0, 'hostile: ... or becomes an element');
	for (const text of ['<script>hacked("script")</script>', '"><img src=x onerror=hacked("img")>', '</script><script>hacked("end")</script>', '&amp; &lt;', '$& $1 $$', '🦊 Füchse 狐', '__proto__', 'hasOwnProperty'])
		ok(all.includes(text), `hostile: it is shown as it is: ${text}`);
	ok((await page.innerText('h1')).includes('<script>hacked("title")</script> & Co'), 'hostile: so is a title of one\'s own', await page.innerText('h1'));
	ok(!readFileSync(file, 'utf8').includes('hacked("script")</script>'), 'hostile: no text of the data ends its element');
	ok(await page.$$eval('main [href]', list => list.every(a => a.getAttribute('href').startsWith('#'))), 'hostile: links lead nowhere else');
	ok(!complaints.length && requests.every(r => r.split('#')[0] === url), 'hostile: the browser does not complain, nor loads anything', complaints.concat(requests.filter(r => r.split('#')[0] !== url)).slice(0, 5));
	await go(page, 'operations');
	const [[users]] = sql(database, "SELECT users FROM recsys.index_stats WHERE index_name LIKE 'buys%'");
	const shown = [...(await figures(page))].find(([name]) => name.startsWith('operations.index.') && name.endsWith('.users'));
	ok(shown && same(shown[1][0], users), 'hostile: figures of the index are those of SQL', `${shown} ${users}`);
	const lag = [...(await figures(page))].filter(([name]) => name.startsWith('operations.stream.') && name.endsWith('.lag'));
	ok(lag.length === 17 && lag.every(([, value]) => same(value[0] ?? value, 234)), 'hostile: so are those of its streams', JSON.stringify(lag.slice(0, 2)));
	await go(page, 'overview');
	ok(/log/i.test(await page.innerText('main')) && (await page.$$('main pre code')).length > 0, 'hostile: a page without data says why, and which call fills it');
	await close();
}

export async function superuser(file) {
	const { page, complaints, close } = await open(file);
	ok(!readFileSync(file, 'utf8').includes('caught a superuser'), 'superuser: expressions of others are not run');
	ok(/report_owner/.test(await page.innerText('.notice')), 'superuser: ... and the page says who should make it');
	await readAll(page, async () => {});
	ok(!complaints.length && (await page.evaluate(() => window.hackedBy)).length === 0, 'superuser: the browser does not complain', complaints);
	await close();
}

export async function plain(file, database) {
	const { page, complaints, close } = await open(file);
	const data = await dataOf(page);
	ok(Object.keys(data.errors || {}).length === 0, 'plain: every page has its data', JSON.stringify(data.errors));
	await go(page, 'overview');
	const [[requests]] = sql(database, `SELECT count(*) FROM recsys.request_log WHERE time >= '${data.about.since}' AND time < '${data.about.until}'`);
	const shown = await figures(page);
	ok(same(shown.get('overview.requests')?.[0], requests), 'plain: lists of an index are counted', `${shown.get('overview.requests')} ${requests}`);
	// of the lists outside of the experiment it is not known what was bought
	const [[conversion, worth]] = sql(database, `SELECT sum(ordered_users)::float8 / sum(users), sum(revenue)::float8 / sum(requests) FROM recsys.metrics_daily WHERE experiment = 'trial' AND time < '${data.about.until}'`);
	ok(same(shown.get('overview.conversion')?.[0], conversion) && same(shown.get('overview.revenue_per_request')?.[0], worth), 'plain: rates of orders are those of lists of which orders are known', `${shown.get('overview.conversion')} ${conversion}, ${shown.get('overview.revenue_per_request')} ${worth}`);
	ok(/not known what was bought/.test(await page.innerText('main')), 'plain: ... and the page says so');
	await go(page, 'experiment');
	await page.selectOption('#experiment-choice', 'both');
	const clicks = await figures(page);
	const [[preferred, preference]] = sql(database, "SELECT preferred, preference FROM recsys.interleaving_results('both')");
	ok(preferred === 'copies' && clicks.get('experiment.both.interleaving.preferred')?.[0] === preferred && same(clicks.get('experiment.both.interleaving.preference')?.[0], preference), 'plain: interleaved lists have their own results', [...clicks].slice(0, 9).map(String));
	ok((await page.$$eval('#experiment-choice option', list => list.map(o => o.value))).includes('trial'), 'plain: ... beside those of other experiments');
	await go(page, 'product');
	const item = await page.$eval('#product-choice', e => e.value);
	const [[known]] = sql(database, `SELECT count(*) FROM plays WHERE song::text = '${item}'`);
	ok(Number(known) > 0, 'plain: products are called by their keys, where there are no titles', item);
	ok((await figures(page)).size >= 5, 'plain: ... and have neighbors');
	ok(!complaints.length, 'plain: the browser does not complain', complaints);
	await close();
}

export async function bare(file) {
	const { page, complaints, close } = await open(file);
	let calls = 0;
	const silent = [];
	await readAll(page, async (id, text) => {
		calls += (await page.$$('pre code')).length;
		if (text.length < 60)
			silent.push(`${id}: ${text}`);
	});
	ok(!silent.length, 'bare: every page says why it is empty', silent);
	ok(calls >= 8, 'bare: ... and which calls fill it', calls);
	ok(!complaints.length, 'bare: the browser does not complain', complaints);
	await close();
	note('pages over a hostile, a plain and a bare database were read');
}
