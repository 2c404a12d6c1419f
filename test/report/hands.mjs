// The page in the hands of somebody: by the keyboard, as tables, in other colors, on paper.
import { ok } from './tap.mjs';
import { go, open, settled } from './browser.mjs';

const focused = page => page.evaluate(() => {
	const e = document.activeElement;
	return { tag: e.tagName, text: e.textContent.trim().slice(0, 60), href: e.getAttribute('href'), outline: getComputedStyle(e).outlineStyle !== 'none' || getComputedStyle(e).boxShadow !== 'none' };
});

export default async function (file) {
	const { page, complaints, close } = await open(file);

	// keys alone; on a busy machine the focus follows later
	await settled(page);
	await page.keyboard.press('Tab');
	await settled(page);
	ok(/content/i.test((await focused(page)).text), 'the first key leads past the navigation');
	await page.keyboard.press('Enter');
	ok((await focused(page)).tag === 'MAIN', '... to the content');
	await page.evaluate(() => document.activeElement.blur());
	let found = null, unseen = [];
	for (let i = 0; i < 30 && !found; i++) {
		await page.keyboard.press('Tab');
		const now = await focused(page);
		if (!now.outline && now.tag !== 'BODY')
			unseen.push(`${now.tag} ${now.text}`);
		if (now.href === '#sellers')
			found = now;
	}
	ok(found && !unseen.length, 'the navigation is reached by keys, and where one is can be seen', unseen);
	await page.keyboard.press('Enter');
	await page.waitForSelector('main[data-page="sellers"]');
	ok(await page.$eval('nav a[aria-current="page"]', a => a.getAttribute('href')) === '#sellers', 'Enter opens a page, and the navigation says which one');

	// a table is sorted by its heading
	const column = () => page.$$eval('#sellers-table-data tbody tr', rows => rows.map(r => Number([...r.cells].find(c => /\.orders$/.test(c.dataset.metric || ''))?.dataset.value)));
	const heading = page.locator('#sellers-table-data th button', { hasText: /^Orders$/ });
	await heading.focus();
	await page.keyboard.press('Enter');
	let values = await column();
	ok(values.length > 20 && values.every((v, i) => !i || values[i - 1] >= v), 'a heading sorts its table');
	ok(await page.$eval('#sellers-table-data th[aria-sort]', th => th.getAttribute('aria-sort')) === 'descending', '... and says so');
	await page.keyboard.press('Enter');
	values = await column();
	ok(values.every((v, i) => !i || values[i - 1] <= v), '... and the other way around');

	// every chart is a table, too
	await go(page, 'overview');
	const toggles = await page.$$eval('[data-toggle]', all => all.map(e => e.dataset.toggle));
	const missing = [];
	for (const id of toggles) {
		await page.click(`[data-toggle="${id}"]`);
		const rows = await page.$$eval(`#${id}-table tbody tr`, all => all.length);
		if (rows < 5 || !await page.isVisible(`#${id}-table`) || await page.isVisible(`[data-chart="${id}"] [role="img"]`))
			missing.push(`${id}: ${rows} rows`);
		await page.click(`[data-toggle="${id}"]`);
		if (!await page.isVisible(`[data-chart="${id}"] [role="img"]`))
			missing.push(`${id}: no chart again`);
	}
	ok(toggles.length >= 4 && !missing.length, `${toggles.length} charts of the overview are tables, too`, missing);

	// colors that are chosen, and kept
	const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const bright = await ground();
	const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
	for (let i = 0; i < 3 && await theme() !== 'dark'; i++)
		await page.click('#theme');
	await settled(page);
	const dark = await ground();
	ok(bright !== dark, 'a button makes it dark', `${bright} ${dark}`);
	await page.reload();
	ok(await ground() === dark, '... and it stays so');
	for (let i = 0; i < 3 && await theme() !== 'auto'; i++)
		await page.click('#theme');
	await page.emulateMedia({ colorScheme: 'dark' });
	ok(await ground() === dark, 'left alone it follows the system');
	await page.emulateMedia({ colorScheme: 'light' });
	ok(await ground() === bright, '... both ways');

	// photos
	await go(page, 'product');
	const photos = await page.$$eval('main img', all => all.map(i => [i.src.slice(0, 22), i.naturalWidth, i.hasAttribute('alt')].join(' ')));
	ok(photos.length >= 8 && photos.every(p => p === 'data:image/png;base64, 96 true'), `${photos.length} photos of a product and what is beside it`, [...new Set(photos)]);

	// what is not there
	await page.goto(`${page.url().split('#')[0]}#nothing-of-the-kind=%E0%A4%A`);
	await page.waitForSelector('main[data-page="overview"]');
	ok(true, 'an address that leads nowhere leads to the overview');

	// paper
	await page.emulateMedia({ media: 'print' });
	ok(!await page.isVisible('nav') && await page.isVisible('main h2'), 'on paper there is no navigation');
	ok((await page.pdf({ format: 'A4' })).length > 20000, '... and it is printed');
	ok(!complaints.length, 'the browser has not complained', complaints);
	await close();
}
