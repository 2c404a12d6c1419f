// node screenshots.mjs REPORT DIRECTORY: pictures of some pages, as they are for the manual.
import { join } from 'node:path';
import { go, open } from './browser.mjs';

const [report, directory] = process.argv.slice(2);
const SHOTS = [
	['overview', { width: 1280, height: 860, scheme: 'light' }],
	['experiment', { width: 1280, height: 860, scheme: 'dark' }],
	['product', { width: 1280, height: 860, scheme: 'light' }],
];
for (const [id, options] of SHOTS) {
	const { page, close } = await open(report, options);
	await go(page, id);
	await page.screenshot({ path: join(directory, `report-${id}.png`) });
	await close();
}
