// The page: its data, the way around in it, light and dark.
import './style.css';
import { h, replace } from './dom.js';
import { redraw } from './chart.js';
import { code, empty } from './parts.js';
import { setCurrency, time } from './format.js';
import { setItems } from './items.js';
import overview from './pages/overview.js';
import experiment from './pages/experiment.js';
import sellers from './pages/sellers.js';
import catalogue from './pages/catalogue.js';
import product from './pages/product.js';
import customer from './pages/customer.js';
import quality from './pages/quality.js';
import operations from './pages/operations.js';

const PAGES = [overview, experiment, sellers, catalogue, product, customer, quality, operations];
// the name of each page's data, where it is another one
const DATA = { experiment: 'experiments', product: 'products', customer: 'customers' };
const ICONS = {
	overview: 'M3 13h4v8H3zM10 8h4v13h-4zM17 3h4v18h-4z', experiment: 'M9 3h6M10 3v6L4 19a1.5 1.5 0 0 0 1.3 2h13.4a1.5 1.5 0 0 0 1.3-2L14 9V3',
	sellers: 'M4 10v10h16V10M3 10l2-6h14l2 6a3 3 0 0 1-6 0 3 3 0 0 1-6 0 3 3 0 0 1-6 0', catalogue: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
	product: 'M3 12V4a1 1 0 0 1 1-1h8l9 9-9 9zM8 8h.01', customer: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21c0-4 3.5-6 8-6s8 2 8 6', quality: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 12h.01', operations: 'M3 12h4l3-8 4 16 3-8h4',
};

const icon = name => {
	const box = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
	box.setAttribute('viewBox', '0 0 24 24');
	box.setAttribute('class', 'icon');
	box.setAttribute('aria-hidden', 'true');
	const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
	path.setAttribute('d', ICONS[name]);
	box.append(path);
	return box;
};

// auto follows the system; the choice is kept, where the browser keeps anything of a file
const THEMES = ['auto', 'light', 'dark'];
const kept = {
	get: () => {
		try {
			return localStorage.getItem('recsys-report-theme');
		} catch {
			return null;
		}
	},
	set: value => {
		try {
			localStorage.setItem('recsys-report-theme', value);
		} catch { /* it holds as long as the page is open */ }
	},
};

function themeButton() {
	let now = THEMES.includes(kept.get()) ? kept.get() : 'auto';
	const button = h('button', { type: 'button', class: 'quiet', id: 'theme' });
	const apply = () => {
		document.documentElement.dataset.theme = now;
		button.textContent = { auto: '◐ Auto', light: '☀ Light', dark: '☾ Dark' }[now];
		button.setAttribute('aria-label', `Colours: ${now}. Change them.`);
	};
	button.addEventListener('click', () => {
		now = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
		kept.set(now);
		apply();
		redraw();
	});
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
	addEventListener('beforeprint', () => {
		document.documentElement.dataset.theme = 'light';
		document.documentElement.classList.add('printing');
		redraw();
	});
	addEventListener('afterprint', () => {
		document.documentElement.dataset.theme = now;
		document.documentElement.classList.remove('printing');
		redraw();
	});
	apply();
	return button;
}

function failed(page, message) {
	const rights = /permission denied|must be (owner|superuser)/i.test(message);
	return {
		lead: 'This page could not be made.',
		body: [empty(rights ? 'You may not see this' : 'Its query has failed', message, null, rights ? 'The owner of the recommender may grant it, or make the report.' : 'Other pages do not depend on it.')],
	};
}

function start(data) {
	const about = data.about;
	setCurrency(about.currency);
	setItems(data.items, data.products?.products);

	const main = h('main', { id: 'main', tabindex: '-1' });
	const links = new Map();
	const groups = [...new Set(PAGES.map(p => p.group))];
	const nav = h('nav', { 'aria-label': 'Pages' }, groups.map(g => h('div', { class: 'nav-group' }, h('div', { class: 'nav-title', 'aria-hidden': 'true' }, g), PAGES.filter(p => p.group === g).map(p => {
		const link = h('a', { href: `#${p.id}` }, icon(p.id), h('span', null, p.name));
		links.set(p.id, link);
		return link;
	}))));

	let current = null;
	const show = focus => {
		const [id, choice] = decodeHash();
		const page = PAGES.find(p => p.id === id) || PAGES[0];
		current = page.id;
		const error = data.errors?.[DATA[page.id] || page.id];
		let made;
		try {
			made = error ? failed(page, error) : page.render(data, choice);
		} catch (problem) {
			console.error(problem);
			made = failed(page, `The page cannot show its data: ${problem.message}`);
		}
		for (const [name, link] of links)
			name === current ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current');
		// the first key goes on from where was scrolled to: at first that is the top
		if (focus || page !== PAGES[0])
			links.get(current).scrollIntoView({ block: 'nearest', inline: 'center' });
		document.title = `${page.name} · ${about.recommender || about.database} · recommendations`;
		replace(main, h('header', { class: 'page-head' }, h('div', null, h('h2', { id: 'page-title' }, page.name), h('p', { class: 'lead' }, made.lead)), made.actions && h('div', { class: 'page-actions' }, made.actions)), made.body);
		main.dataset.page = current;
		scrollTo(0, 0);
		if (focus)
			main.focus({ preventScroll: true });
		performance.mark(`page-${current}`);
	};

	const notes = [];
	if (!about.recommender)
		notes.push(['Nothing recommends yet.', 'There is neither a recommender nor an index that you may see.', 'CREATE INDEX purchases_recsys ON purchases\n    USING recsys (customer_id, product_id, quantity, purchased_at);']);
	if (about.problem)
		notes.push([`“${about.recommender}” has a problem.`, about.problem]);
	if (about.recommender && !about.trusted)
		notes.push(['Titles and customers are left out.', `What “${about.recommender}” declares belongs to ${about.owner}, and a superuser does not run other people's expressions. Make the report as ${about.owner}: PGUSER=${about.owner} make report`]);
	if (about.items_problem)
		notes.push(['Titles are left out.', `The table of items cannot be read: ${about.items_problem}`]);

	replace(document.getElementById('app'),
		h('a', { class: 'skip', href: '#main', onclick: e => {
			e.preventDefault();
			main.focus();
		} }, 'To the content'),
		h('div', { class: 'layout' },
			h('header', { class: 'side' },
				h('div', { class: 'brand' }, h('span', { class: 'logo', 'aria-hidden': 'true' }), h('div', null, h('h1', null, about.title || 'Recommendations'), h('p', { class: 'note' }, about.recommender ? `${about.recommender.replace(/^public\./, '')} in ${about.database}` : about.database))),
				nav,
				h('div', { class: 'side-foot' }, themeButton(), h('p', { class: 'note' }, 'As of ', h('time', { datetime: about.generated_at }, time(about.generated_at))))),
			h('div', { class: 'content' },
				notes.map(([head, text, call]) => h('div', { class: 'notice', role: 'note' }, h('b', null, head), ' ', text, call && code(call))),
				main,
				h('footer', { class: 'foot note' }, `recsys ${about.recsys} on PostgreSQL ${about.server.split(' ')[0]}, read as ${about.user}. Days are those of UTC.`))));
	addEventListener('hashchange', () => show(true));
	show(false);

	function decodeHash() {
		const [id, ...rest] = location.hash.slice(1).split('=');
		let choice = rest.join('=');
		try {
			choice = decodeURIComponent(choice);
		} catch { /* as it is */ }
		return [id, choice];
	}
}

const data = JSON.parse(document.getElementById('data').textContent);
if (data)
	start(data);
else
	replace(document.getElementById('app'), h('p', null, 'This page has no data: it is the form that make report fills in.'));
