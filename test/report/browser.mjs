/*
 * Debian's Chromium, driven by playwright-core, and a page that is watched: what it writes to its
 * console, what it asks of the network, and which windows it opens.
 *
 * There is no network for it: every host name is unknown, and addresses go to a proxy that is none.
 */
import { createRequire } from 'node:module';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';

const { chromium } = createRequire(join(process.env.REPORT_MODULES, 'node_modules', 'x.js'))('playwright-core');

// open(FILE, { width, height, scheme }) → { page, close, complaints, requests }
export async function open(file, { width = 1440, height = 900, scheme = 'light', scale = 1 } = {}) {
	const directory = mkdtempSync(join(process.env.REPORT_DIRECTORY || '.', 'browser-'));
	const context = await chromium.launchPersistentContext(directory, {
		executablePath: process.env.REPORT_CHROMIUM,
		viewport: { width, height },
		colorScheme: scheme,
		deviceScaleFactor: scale,
		locale: 'en-GB',
		timezoneId: 'UTC',
		args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
			'--disable-sync', '--disable-dev-shm-usage', '--proxy-server=127.0.0.1:9', '--host-resolver-rules=MAP * ~NOTFOUND'],
	});
	const page = context.pages()[0] || await context.newPage();
	const complaints = [];
	const requests = [];
	page.on('console', message => ['error', 'warning'].includes(message.type()) && complaints.push(`${message.type()}: ${message.text()}`));
	page.on('pageerror', error => complaints.push(`error: ${error.message}`));
	page.on('dialog', dialog => {
		complaints.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	context.on('page', other => complaints.push(`a window: ${other.url()}`));
	context.on('request', request => !request.url().startsWith('data:') && requests.push(request.url()));
	page.setDefaultTimeout(20000);
	// what hostile texts call
	await page.addInitScript(() => {
		window.hackedBy = [];
		window.hacked = who => window.hackedBy.push(String(who));
	});
	const url = `file://${file}`;
	await page.goto(url);
	return { page, url, complaints, requests, close: () => context.close() };
}

export const PAGES = ['overview', 'experiment', 'sellers', 'catalogue', 'product', 'customer', 'quality', 'operations'];

// Goes to a page of the report as a reader does, and waits until its charts in sight are drawn
export async function go(page, id) {
	await page.click(`nav a[href="#${id}"]`);
	await page.waitForSelector(`main[data-page="${id}"]`);
	await settled(page);
}

export const settled = page => page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))));

// All figures of the page that is shown, tables of charts included: Map of name to [exact value, text]
export async function figures(page) {
	for (const toggle of await page.$$('main [data-toggle][aria-pressed="false"]'))
		await toggle.click();
	const list = await page.$$eval('main [data-metric]', all => all.map(e => [e.dataset.metric, e.dataset.value, e.textContent]));
	return new Map(list.map(([name, value, text]) => [name, [value, text]]));
}

// The page's data, as it was put into it
export const dataOf = page => page.evaluate(() => JSON.parse(document.getElementById('data').textContent));
