// Test results as TAP.

let made = 0;
let failures = 0;

export function ok(good, name, ...notes) {
	made++;
	if (!good)
		failures++;
	console.log(`${good ? 'ok' : 'not ok'} ${made} - ${name}`);
	if (!good)
		for (const note of notes.flat().filter(n => n !== undefined && n !== ''))
			console.log(String(note).split('\n').map(line => `# ${line.slice(0, 400)}`).join('\n'));
	return good;
}

export const is = (got, expected, name) => ok(got === expected, name, `got: ${got}`, `expected: ${expected}`);

export const note = text => console.log(`# ${text}`);

// A test that ends early has failed, and the others go on
export async function part(name, run) {
	try {
		await run();
	} catch (problem) {
		ok(false, `${name}: it runs to its end`, problem.stack || problem);
	}
}

// A browser that a test has left behind, which failed before it closed it, ends with this
export function done() {
	console.log(`1..${made}`);
	process.exit(failures ? 1 : 0);
}
