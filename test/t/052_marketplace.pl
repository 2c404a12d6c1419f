# A generated marketplace (test/market), with every rule declared at once: 10,000 lists
# are checked by plain SQL, rule by rule.  And with no rule declared lists are those of the
# index.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $market = dirname(__FILE__) . '/../market';
my $customers = 2500;
my $node = new_node('market', 'shared_buffers = 64MB', 'work_mem = 64MB');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# No row of a query; the first ones are shown otherwise.
sub none
{
	my ($query, $name) = @_;

	is(sql("SELECT * FROM ($query) q LIMIT 5"), '', $name);
}

sql("\\set customers $customers\n\\set model 'WITH (similarity = cosine, min_support = 1)'\n"
	. slurp_file("$market/generate.sql") . slurp_file("$market/declare.sql"));

# The lists.  Contexts are made of the customer's number, so that all differ.
my $asking = q(
	SELECT kind, customer_id, k, r.rank, r.item_id, r.score, r.source, request, now() AS asked_at
	FROM customers, LATERAL (VALUES
		('plain', 10, NULL::jsonb),
		('long', 20, NULL),
		('cart', 10, jsonb_build_object('cart', ARRAY[1000 + customer_id % 900, 1001 + customer_id % 901], 'recently_viewed', ARRAY[1500],
			'exclude', ARRAY[1003 + customer_id % 50], 'filter', '{"max_price": 40}'::jsonb)),
		('narrow', 10, '{"filter": {"category": "audio"}}')) a (kind, k, request),
	LATERAL recommend(customer_id, k, 'home', context => request) r);
sql("CREATE TABLE answers AS $asking");
sql(q(
	ALTER TABLE answers ADD PRIMARY KEY (kind, customer_id, rank);
	CREATE VIEW rows AS
	SELECT a.*, p.canonical_product_id, p.seller_id, p.category, p.brand, p.consumable, p.price, p.shipping, p.stock, p.suspected_fake,
		   p.listed_at > asked_at - interval '14 days' AS is_new, s.joined_at > asked_at - interval '30 days' AS is_new_seller
	FROM answers a LEFT JOIN products p ON p.product_id = a.item_id LEFT JOIN sellers s USING (seller_id);
	-- what each has, as groups
	CREATE TABLE had AS
	SELECT DISTINCT customer_id, canonical_product_id
	FROM (SELECT customer_id, product_id FROM purchases UNION SELECT customer_id, product_id FROM returns) h JOIN products USING (product_id);
	ALTER TABLE had ADD PRIMARY KEY (customer_id, canonical_product_id);
	-- what may be added to a list of which the first places are taken: no rule forbids it
	CREATE FUNCTION addable(a_kind text, a_customer bigint, places bigint)
		RETURNS TABLE (product_id bigint, is_new boolean, is_new_seller boolean) LANGUAGE sql STABLE AS $$
	SELECT s.product_id, s.listed_at > asked_at - interval '14 days', s.joined_at > asked_at - interval '30 days'
	FROM (SELECT request, asked_at FROM answers WHERE kind = a_kind AND customer_id = a_customer LIMIT 1) a,
	LATERAL (SELECT DISTINCT ON (canonical_product_id) p.*, joined_at FROM products p JOIN sellers USING (seller_id)
		WHERE stock > 0 AND NOT suspected_fake AND (p.price <= (request->'filter'->>'max_price')::numeric) IS NOT FALSE
		  AND (p.category = request->'filter'->>'category') IS NOT FALSE
		ORDER BY canonical_product_id, price + shipping, product_id) s
	WHERE (s.consumable OR NOT EXISTS (SELECT FROM had h WHERE h.customer_id = a_customer AND h.canonical_product_id = s.canonical_product_id))
	  AND NOT EXISTS (SELECT FROM jsonb_array_elements(coalesce(request->'cart', '[]') || coalesce(request->'exclude', '[]')) c
			JOIN products p ON p.product_id = c::bigint WHERE p.canonical_product_id = s.canonical_product_id)
	  AND NOT EXISTS (SELECT FROM rows r WHERE r.kind = a_kind AND r.customer_id = a_customer AND r.rank <= places AND r.canonical_product_id = s.canonical_product_id)
	  AND (SELECT count(*) FILTER (WHERE r.seller_id = s.seller_id) < 2 AND count(*) FILTER (WHERE r.category = s.category) < 3
				AND count(*) FILTER (WHERE r.brand = s.brand) < 2
		   FROM rows r WHERE r.kind = a_kind AND r.customer_id = a_customer AND r.rank <= places) $$;
	VACUUM ANALYZE answers; ANALYZE had));

is(sql('SELECT count(*) FROM (SELECT DISTINCT kind, customer_id FROM answers) l'), 4 * $customers, '10,000 lists, each with something in it');
none(q(SELECT kind, customer_id FROM answers GROUP BY kind, customer_id
	HAVING min(rank) <> 1 OR max(rank) <> count(*) OR count(DISTINCT item_id) <> count(*) OR count(*) > min(k)),
	'ranks are 1 to n, no item comes twice, no list is too long');
none('SELECT * FROM rows WHERE stock IS NULL OR stock <= 0 OR suspected_fake', 'all that is shown passes the filter');
none(q(SELECT * FROM rows WHERE price > (request->'filter'->>'max_price')::numeric OR category <> request->'filter'->>'category'),
	'and the filter of the context');
none(q(SELECT kind, customer_id, canonical_product_id FROM rows GROUP BY kind, customer_id, canonical_product_id HAVING count(*) > 1),
	'one offer of a product');
none(q(SELECT * FROM rows r WHERE EXISTS (SELECT FROM products p WHERE p.canonical_product_id = r.canonical_product_id
		AND stock > 0 AND NOT suspected_fake AND (p.price <= (request->'filter'->>'max_price')::numeric) IS NOT FALSE
		AND (p.price + p.shipping, p.product_id) < (r.price + r.shipping, r.item_id))),
	'the cheapest one that passes');
none('SELECT * FROM rows r JOIN had h USING (customer_id, canonical_product_id) WHERE NOT consumable',
	'nothing of which the customer has some offer, unless it is used up');
none(q(SELECT r.* FROM rows r, jsonb_array_elements(request->'cart' || (request->'exclude')) c WHERE c::bigint = r.item_id),
	'nothing of the cart, or that the context excludes');
none(q(SELECT r.* FROM rows r, jsonb_array_elements(request->'cart' || (request->'exclude')) c JOIN products p ON p.product_id = c::bigint
	WHERE p.canonical_product_id = r.canonical_product_id AND NOT r.consumable), 'nor another offer of it');
for (['seller_id', 2], ['category', 3], ['brand', 2])
{
	my ($column, $most) = @$_;
	none("SELECT kind, customer_id, $column FROM rows GROUP BY kind, customer_id, $column HAVING count(*) > $most", "at most $most of one $column");
}
none(q(SELECT l.*, a.product_id FROM (SELECT kind, customer_id, count(*) AS n FROM answers GROUP BY kind, customer_id, k HAVING count(*) < k) l,
		LATERAL addable(l.kind, l.customer_id, n) a), 'a list is short only where nothing can be added');
is(sql("SELECT count(*) FROM (SELECT FROM answers WHERE kind IN ('plain', 'long') GROUP BY kind, customer_id, k HAVING count(*) < k) l"), 0,
	'no list of 10 or 20 of all is');

# Of each ten places the last is for a new item, unless there is one before or none can be put there; of
# each twenty one for a new seller.
for my $last (10, 20)
{
	my $first = $last - 9;
	none(qq(SELECT l.* FROM (SELECT kind, customer_id FROM rows WHERE kind = 'long' OR kind = 'plain' AND $last = 10 GROUP BY kind, customer_id
			HAVING count(*) FILTER (WHERE rank BETWEEN $first AND $last AND is_new) = 0) l
		WHERE EXISTS (SELECT FROM addable(l.kind, l.customer_id, $last - 1) a WHERE a.is_new)), "a new item in places $first to $last");
}
none(q(SELECT l.* FROM (SELECT kind, customer_id FROM rows WHERE kind = 'long' GROUP BY kind, customer_id
		HAVING count(*) FILTER (WHERE is_new_seller) = 0) l
	WHERE EXISTS (SELECT FROM addable(l.kind, l.customer_id, 19) a WHERE a.is_new_seller)), 'a new seller in twenty places');
is(sql(q(SELECT bool_and(n >= 1) FROM (SELECT count(*) FILTER (WHERE is_new) AS n FROM rows WHERE kind = 'plain' GROUP BY customer_id) l)), 't',
	'this marketplace has a new item for everybody');

none(q(SELECT a.* FROM answers a JOIN customers USING (customer_id) WHERE is_fraud AND kind <> 'cart' AND source IN ('history', 'category', 'seller', 'price')),
	'excluded users get no personal list');
is(sql(q(SELECT count(DISTINCT items) < 30 FROM (SELECT array_agg(item_id ORDER BY rank) AS items FROM answers JOIN customers USING (customer_id)
	WHERE NOT is_fraud AND kind = 'plain' GROUP BY customer_id) l)), 'f', 'others get lists of their own');
# Two more sessions.  With a context the time counts that it is: within a transaction it stands still.
my $again = "SELECT kind, customer_id, rank, item_id, score, source FROM";
my $few = "WHERE customer_id % 10 = 3";
none("($again answers $few AND kind <> 'cart' EXCEPT $again ($asking $few AND kind <> 'cart') a)
	UNION ALL ($again ($asking $few AND kind <> 'cart') a EXCEPT $again answers $few AND kind <> 'cart')", 'another session gets the same');
is(sql(qq(BEGIN;
	CREATE TEMP TABLE one AS $again ($asking $few AND kind = 'cart') a;
	CREATE TEMP TABLE two AS $again ($asking $few AND kind = 'cart') a;
	SELECT count(*) FROM ((TABLE one EXCEPT TABLE two) UNION ALL (TABLE two EXCEPT TABLE one)) d;
	COMMIT)), 0, 'with a context, too');

# What is sold out in this very transaction is not shown.
is(sql(q(
	BEGIN;
	CREATE TEMP TABLE first AS SELECT customer_id, item_id FROM answers WHERE kind = 'plain' AND rank = 1 AND customer_id <= 200;
	UPDATE products SET stock = 0 WHERE product_id IN (SELECT item_id FROM first);
	SELECT count(*), count(*) FILTER (WHERE item_id IN (SELECT item_id FROM first)) FROM generate_series(1, 200) c, LATERAL recommend(c, 10, 'home');
	ROLLBACK)), '2000|0', 'what has just been sold out is not shown');

# Reasons
is(sql(q(
	SELECT count(*) > 500, count(*) FILTER (WHERE abs(e.sum - a.score) > 1e-4 * greatest(1e-3, abs(a.score)))
	FROM answers a, LATERAL (SELECT sum(contribution), count(*) FROM explain_recommendation(a.customer_id, a.item_id, 'home')) e
	WHERE kind = 'plain' AND source = 'history' AND customer_id % 25 = 1)), 't|0', 'contributions add up to the score');
none(q(SELECT a.* FROM (SELECT * FROM answers WHERE kind = 'plain' AND customer_id <= 300) a
	FULL JOIN (SELECT c AS customer_id, r.* FROM generate_series(1, 300) c, LATERAL recommend_with_reasons(c, 10, 'home') r) r USING (customer_id, rank)
	WHERE (a.item_id, a.score, a.source) IS DISTINCT FROM (r.item_id, r.score, r.source) OR coalesce(r.reason, '') = '' OR r.details IS NULL),
	'with reasons the list is the same, and each has one');

# Similar items, what goes with one, and the popular: the same rules
sql(q(CREATE TABLE near AS
	SELECT 'similar' AS kind, p.product_id AS given, p.canonical_product_id AS given_group, r.rank, r.item_id FROM products p, LATERAL similar_items(product_id, 10, 'home') r WHERE product_id % 3 = 0
	UNION ALL SELECT 'goes with', p.product_id, p.canonical_product_id, r.rank, r.item_id FROM products p, LATERAL goes_with(product_id, 10, 'home') r WHERE product_id % 3 = 0
	UNION ALL SELECT 'popular', 0, NULL, r.rank, r.item_id FROM popular_items(10, 'home') r
	UNION ALL SELECT 'popular in segment', n, NULL, r.rank, r.item_id FROM (SELECT row_number() OVER (ORDER BY segment) AS n, segment FROM (SELECT DISTINCT country || ' ' || age_band AS segment FROM customers) s) s,
		LATERAL popular_items(10, 'home', segment => s.segment) r;
	CREATE VIEW near_rows AS SELECT n.*, p.canonical_product_id, p.seller_id, p.category, p.brand, p.stock, p.suspected_fake, p.price + p.shipping AS cost
	FROM near n LEFT JOIN products p ON p.product_id = n.item_id));
is(sql('SELECT string_agg(kind, \', \' ORDER BY kind) FROM (SELECT kind FROM near GROUP BY kind) n'), 'goes with, popular, popular in segment, similar', 'lists of items of each kind');
none('SELECT * FROM near_rows WHERE stock IS NULL OR stock <= 0 OR suspected_fake', 'their items pass the filter');
none('SELECT kind, given, canonical_product_id FROM near_rows GROUP BY 1, 2, 3 HAVING count(*) > 1', 'with one offer of a product');
none('SELECT * FROM near_rows n WHERE EXISTS (SELECT FROM products p WHERE p.canonical_product_id = n.canonical_product_id
	AND stock > 0 AND NOT suspected_fake AND (price + shipping, product_id) < (n.cost, n.item_id))', 'the cheapest');
none('SELECT * FROM near_rows WHERE canonical_product_id = given_group', 'not another offer of what is given');
none("SELECT * FROM near_rows n JOIN products p ON p.product_id = given WHERE kind = 'goes with' AND p.category = n.category", 'what goes with it is of another category');
none('SELECT kind, given, seller_id FROM near_rows GROUP BY 1, 2, 3 HAVING count(*) > 2', 'two of a seller at most');
none('SELECT kind, given, category FROM near_rows GROUP BY 1, 2, 3 HAVING count(*) > 3', 'three of a category at most');

# Two hundred made-up customers buy what all buy and one product that nobody has.
my $pushed = sql(q(SELECT p.product_id FROM products p LEFT JOIN purchases USING (product_id) WHERE stock > 0 AND NOT suspected_fake
	AND (SELECT count(*) FROM products o WHERE o.canonical_product_id = p.canonical_product_id) = 1 GROUP BY p.product_id ORDER BY count(purchase_id), p.product_id LIMIT 1));
my $seen = "SELECT (SELECT count(*) FROM customers, LATERAL recommend(customer_id, 10, 'home') r WHERE customer_id % 10 = 4 AND item_id = $pushed),
	(SELECT users FROM popular_items(100, 'home') WHERE item_id = $pushed)";
my $before = sql($seen);
sql(qq(
	INSERT INTO customers SELECT 2000000 + n, 'DE', '30-39', now(), false, false FROM generate_series(1, 200) n;
	INSERT INTO purchases SELECT 10000000 + 21 * n + place, 2000000 + n, product_id, 1, 10, now() FROM generate_series(1, 200) n,
		(SELECT $pushed AS product_id, 0 AS place UNION ALL SELECT item_id, rank FROM popular_items(20, 'purchases_recsys')) p;
	SELECT recsys.merge('purchases_recsys'), recsys.refresh_recommender('home')));
like(sql($seen), qr/^[1-9]\d*\|2\d\d$/, 'two hundred buyers push a product');
sql("UPDATE customers SET is_fraud = true WHERE customer_id > 2000000; SELECT recsys.refresh_recommender('home')");
# what they did to similarities is taken out to a good part, not undone
cmp_ok((split /\|/, sql($seen))[0], '<=', (split /\|/, $before)[0], 'until they are marked as frauds');
is((split /\|/, sql($seen))[1], (split /\|/, $before)[1], 'and do not count among bestsellers');
sql("DELETE FROM purchases WHERE customer_id > 2000000; DELETE FROM customers WHERE customer_id > 2000000; SELECT recsys.merge('purchases_recsys')");

# A model that blends popularity in knows something to say to everybody; the segment knows better.
is(sql(q(CREATE INDEX purchases_blend ON purchases USING recsys (customer_id, product_id, quantity, purchased_at) WITH (similarity = cosine, popularity = 2);
	SELECT recsys.create_recommender('blend', signals => '[{"events": "purchases_blend"}]', profiles => 'customers', profile_key => 'customer_id', segment => 'country') \g /dev/null
	SELECT recsys.refresh_recommender('blend') \g /dev/null
	INSERT INTO customers VALUES (3000001, 'PL', '65+', now(), true, false);
	SELECT string_agg(DISTINCT source, ',') FROM recommend(3000001, 5, 'blend'))), 'segment', 'newcomers get the list of their segment');

# A filter and groups alone: the number of rows is known.
sql(q(SELECT recsys.create_recommender('bounded', signals => '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
	item_filter => 'product_id % 97 = 5 AND stock > 0', group_by => 'canonical_product_id', offer_order => 'price')));
none(q(
	SELECT c.customer_id, got, there FROM customers c,
	LATERAL (SELECT count(*) AS got FROM recommend(customer_id, 15, 'bounded')) r,
	LATERAL (SELECT count(DISTINCT canonical_product_id) AS there FROM products p WHERE product_id % 97 = 5 AND stock > 0
		AND NOT EXISTS (SELECT FROM purchases h JOIN products o USING (product_id) WHERE h.customer_id = c.customer_id AND o.canonical_product_id = p.canonical_product_id)) e
	WHERE customer_id % 5 = 0 AND got <> least(15, there)), 'exactly as many rows as there are, of a filter that few pass');

# No rules: the index
sql(q(SELECT recsys.create_recommender('bare', signals => '[{"events": "purchases_recsys"}]')));
for my $call ('FROM customers c, LATERAL recommend(customer_id, 10, %s) r', 'FROM customers c, LATERAL recommend(customer_id, 60, %s) r WHERE customer_id % 10 = 0',
	'FROM customers c, LATERAL recommend(customer_id, 10, %s, exclude_seen => false) r WHERE customer_id % 10 = 1',
	'FROM products c, LATERAL similar_items(product_id, 10, %s) r', 'FROM (SELECT) c, popular_items(50, %s) r',
	'FROM customers c, LATERAL recommend_for_items(ARRAY[1000 + customer_id, 1001], 10, %s) r')
{
	my ($bare, $index) = map { my $name = $_; "SELECT c.*, r.* " . $call =~ s/%s/'$name'/r } 'bare', 'purchases_recsys';
	none("($bare EXCEPT $index) UNION ALL ($index EXCEPT $bare)", "no rules, no difference: $call");
}

$node->stop;
done_testing();
