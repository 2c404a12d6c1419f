// Every figure that the page about the marketplace shows is beside one that SQL has computed.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { note, ok } from './tap.mjs';
import { dataOf, figures, go, open, PAGES } from './browser.mjs';
import { same, sql, sqlFile } from './sql.mjs';

const here = dirname(fileURLToPath(import.meta.url));

export default async function (file, database) {
	const { page, close } = await open(file);
	const data = await dataOf(page);
	await go(page, 'product');
	const product = await page.$eval('#product-choice', e => e.value);
	await go(page, 'customer');
	const customer = await page.$eval('#customer-choice', e => e.value);
	const expected = new Map(PAGES.map(id => [id, new Map()]));
	for (const [id, name, value] of sqlFile(database, join(here, 'expected.sql'), { until: data.about.until, product, customer }))
		expected.get(id).set(name, value);

	let compared = 0;
	for (const id of PAGES) {
		await go(page, id);
		const shown = await figures(page);
		const wrong = [];
		for (const [name, value] of expected.get(id)) {
			const [exact] = shown.get(name) || [];
			if (!same(exact, value))
				wrong.push(`${name}: ${exact === undefined ? 'is not shown' : exact}, by SQL ${value}`);
		}
		compared += expected.get(id).size;
		ok(expected.get(id).size >= 8 && !wrong.length, `${id}: ${expected.get(id).size} figures are those of SQL`, `${wrong.length} are not`, wrong.slice(0, 20));
		const odd = [...shown].filter(([, [, text]]) => /NaN|undefined|null|Infinity|\[object/.test(text));
		ok(!odd.length, `${id}: all ${shown.size} figures of it can be read`, odd.slice(0, 10).map(String));
	}
	ok(compared >= 60, `${compared} figures were compared`);
	note(`${compared} figures of the page were compared with SQL`);

	// another stretch of days
	await go(page, 'overview');
	await page.click('[data-choice="7"]');
	const [[requests, clicks]] = sql(database, `SELECT count(DISTINCT request_id), (SELECT count(*) FROM recsys.event_log e JOIN recsys.request_log r ON r.request_id = e.request_id AND r.time = e.request_time
		WHERE e.kind = 'click' AND r.time >= '${data.about.until}'::timestamptz - interval '7 days' AND r.time < '${data.about.until}') FROM recsys.request_log
		WHERE time >= '${data.about.until}'::timestamptz - interval '7 days' AND time < '${data.about.until}'`);
	let shown = await figures(page);
	ok(same(shown.get('overview.requests')?.[0], requests) && same(shown.get('overview.funnel.clicks')?.[0], clicks), 'seven days have other figures, those of SQL', `${shown.get('overview.requests')} ${requests}`);

	// another product and another customer: by the list, and by the button for the next one
	for (const [id, choice, query, name] of [
		['product', '#product-choice', item => `SELECT coalesce(sum(impressions), 0) FROM recsys.metrics_items_daily WHERE item_id = '${item}' AND time >= '${data.about.since}' AND time < '${data.about.until}'`, item => `product.${item}.impressions`],
		['customer', '#customer-choice', user => `SELECT count(*) FROM purchases WHERE customer_id = '${user}'`, user => `customer.${user}.frequency`]]) {
		await go(page, id);
		const options = await page.$$eval(`${choice} option`, list => list.map(o => o.value));
		ok(options.length >= 20, `${id}: there are ${options.length} to choose from`);
		await page.selectOption(choice, options[7]);
		shown = await figures(page);
		const [[one]] = sql(database, query(options[7]));
		ok(same(shown.get(name(options[7]))?.[0], one), `${id}: another one is chosen, with its figures`, `${options[7]}: ${shown.get(name(options[7]))}, by SQL ${one}`);
		await page.click('[data-step="next"]');
		ok(await page.$eval(choice, e => e.value) === options[8], `${id}: the next one`);
		const [[other]] = sql(database, query(options[8]));
		shown = await figures(page);
		ok(same(shown.get(name(options[8]))?.[0], other), `${id}: ... with its figures`, `${shown.get(name(options[8]))}, by SQL ${other}`);
		await page.click('[data-step="back"]');
		ok(await page.$eval(choice, e => e.value) === options[7], `${id}: and back`);
	}
	// the address leads to the one that was looked at
	await page.goto(`${page.url().split('#')[0]}#product=${product}`);
	await page.waitForSelector('main[data-page="product"]');
	ok(await page.$eval('#product-choice', e => e.value) === product, 'an address leads to a product');
	await close();
}
