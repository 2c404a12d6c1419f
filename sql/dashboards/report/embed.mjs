// node embed.mjs PAGE DATA OUTPUT [CURRENCY [TITLE]]: puts the data into the built page.
import { readFileSync, writeFileSync } from 'node:fs';

const [page, dataFile, output, currency, title] = process.argv.slice(2);
const data = JSON.parse(readFileSync(dataFile, 'utf8'));
if (currency)
	data.about.currency = currency;
if (title)
	data.about.title = title;
// no data ends its element, or begins a comment in it, however it is written
const text = JSON.stringify(data).replace(/[<>&\u2028\u2029]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
const built = readFileSync(page, 'utf8');
const slot = '<script type="application/json" id="data">null</script>';
if (built.split(slot).length !== 2)
	throw new Error(`${page} has no place for the data`);
writeFileSync(output, built.replace(slot, () => slot.replace('null', () => text)));
