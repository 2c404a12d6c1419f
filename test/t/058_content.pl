# Content in a declared recommender, on a generated marketplace whose customers buy by category,
# brand and price: new products without buyers find theirs, lists of products that are known do
# not get worse, and a product is recommended from its transaction on.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('content', 'shared_buffers = 64MB', 'work_mem = 64MB', 'max_prepared_transactions = 1', 'client_min_messages = warning');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sql(q(
	-- numbers within 0 to 1 that are the same on every machine
	CREATE FUNCTION uniform(seed text) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$ SELECT (('x' || substr(md5(seed), 1, 8))::bit(32)::bigint + 0.5) / 4294967296.0 $$;
	CREATE TABLE products (product_id bigint PRIMARY KEY, category text, brand text, price double precision, appeal double precision, is_new boolean);
	INSERT INTO products SELECT p, 'c' || floor(16 * uniform('c' || p)), 'b' || floor(30 * uniform('b' || p)), exp(1 + 3 * uniform('p' || p)),
		1.5 * uniform('a' || p), uniform('n' || p) < 0.15 FROM generate_series(1, 1500) p;
	CREATE TABLE customers AS
	SELECT u::bigint AS customer_id, ARRAY['c' || floor(16 * uniform('t' || u)), 'c' || floor(16 * uniform('s' || u))] AS categories,
		ARRAY['b' || floor(30 * uniform('x' || u)), 'b' || floor(30 * uniform('y' || u)), 'b' || floor(30 * uniform('z' || u))] AS brands, 1 + 3 * uniform('l' || u) AS level
	FROM generate_series(1, 1000) u;
	-- a purchase is the best of 40 products that come the customer's way
	CREATE TABLE drawn AS
	SELECT customer_id, product_id, min(k) AS k
	FROM (SELECT DISTINCT ON (customer_id, k) customer_id, k, product_id
		FROM (SELECT customer_id, categories, brands, level, k, 1 + (h >> 8) % 1500 AS product_id, (h % 251 + 0.5) / 252 AS u
			FROM customers, generate_series(1, 12) k, generate_series(1, 40) n,
			LATERAL (SELECT hashint8extended(customer_id * 10000 + k * 100 + n, 7) & 9223372036854775807 AS h) d) d JOIN products USING (product_id)
		ORDER BY customer_id, k, 2.5 * (category = ANY (categories))::int + 2 * (brand = ANY (brands))::int - abs(ln(price) - level) + appeal - ln(-ln(u)) DESC) b
	GROUP BY customer_id, product_id;
	-- what is bought later, and all of new products, is held out
	CREATE TABLE purchases AS SELECT customer_id, product_id FROM drawn JOIN products USING (product_id) WHERE k <= 9 AND NOT is_new;
	CREATE TABLE later AS SELECT customer_id, product_id, is_new FROM drawn JOIN products USING (product_id)
	WHERE (is_new OR k > 9) AND customer_id IN (SELECT customer_id FROM purchases);
	CREATE INDEX purchases_recsys ON purchases USING recsys (customer_id, product_id) WITH (similarity = cosine);
	CREATE INDEX products_recsys ON products USING recsys_items (product_id, category text_label_ops, brand text_label_ops, price);
	VACUUM ANALYZE;
	SELECT recsys.create_recommender('plain', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id');
	SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', content => 'products_recsys');
	SELECT recsys.refresh_recommender('home');));
is(sql('SELECT recsys.check_index(i) FROM unnest(ARRAY[$$purchases_recsys$$, $$products_recsys$$]::regclass[]) i'), "\n", 'the indexes are sound');
note(sql('SELECT format($$scale %s, users %s, NDCG@20 %s with content, %s without, p = %s$$, scale, users, ndcg_with, ndcg_without, p_value) FROM recsys.content_weight'));
is(sql('SELECT scale > 0 AND ndcg_with >= ndcg_without FROM recsys.content_weight'), 't', 'a weight has been learned with which old items stand no lower');

# New products, among themselves
my $new = 'SELECT l.customer_id, l.product_id FROM later l WHERE l.is_new';
my $by_content = sql(qq(SELECT count(*) FILTER (WHERE r.item_id IS NOT NULL)::float8 / count(*) FROM ($new) l LEFT JOIN
	(SELECT customer_id, item_id FROM customers CROSS JOIN LATERAL recommend(customer_id, 20, 'home', context => '{"filter": {"is_new": true}}')) r
	ON r.customer_id = l.customer_id AND r.item_id = l.product_id));
my $by_popularity = sql(qq(SELECT count(*) FILTER (WHERE r.item_id IS NOT NULL)::float8 / count(*) FROM ($new) l LEFT JOIN
	(SELECT customer_id, item_id FROM customers CROSS JOIN LATERAL recommend(customer_id, 20, 'plain', context => '{"filter": {"is_new": true}}')) r
	ON r.customer_id = l.customer_id AND r.item_id = l.product_id));
my $bestsellers = sql(qq(SELECT count(*) FILTER (WHERE b.product_id IS NOT NULL)::float8 / count(*) FROM ($new) l LEFT JOIN
	(SELECT product_id FROM ($new) n GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 20) b USING (product_id)));
note("recall\@20 of new products: $by_content by content, $by_popularity without, $bestsellers with what will be bought most");
cmp_ok($by_content, '>=', 3 * $by_popularity, 'new products find their buyers three times as often as without content');
cmp_ok($by_content, '>', 1.5 * $bestsellers, 'and more often than by the popularity that nobody can know yet');

# All in one list
sql(q(CREATE TABLE hits AS SELECT recommender, c.customer_id, count(l.product_id) FILTER (WHERE NOT l.is_new) AS old, count(l.product_id) FILTER (WHERE l.is_new) AS new
	FROM customers c CROSS JOIN unnest(ARRAY['plain', 'home']) recommender CROSS JOIN LATERAL recommend(c.customer_id, 20, recommender) r
	LEFT JOIN later l ON l.customer_id = c.customer_id AND l.product_id = r.item_id GROUP BY 1, 2));
note(sql(q(SELECT string_agg(format('%s: %s old, %s new', recommender, old, new), '; ') FROM (SELECT recommender, sum(old) AS old, sum(new) AS new FROM hits GROUP BY 1) h)));
is(sql(q(SELECT avg(h.old - p.old) >= -1.645 * stddev(h.old - p.old) / sqrt(count(*)) FROM hits h JOIN hits p USING (customer_id) WHERE h.recommender = 'home' AND p.recommender = 'plain')),
	't', 'old products are found no less often, by a paired test');
is(sql(q(SELECT sum(new) FILTER (WHERE recommender = 'home') > 0 AND sum(new) FILTER (WHERE recommender = 'plain') = 0 FROM hits)), 't', 'and new ones, too');

# A product that is inserted: like what the customer has bought last, a little better
my $insert = q(INSERT INTO products SELECT 5000, category, brand, price * 1.001, 0, true FROM products JOIN purchases USING (product_id) WHERE customer_id = 17 ORDER BY product_id LIMIT 1);
my $listed = q(SELECT count(*) FROM recommend(17::bigint, 20, 'home') WHERE item_id = 5000);
is(sql("BEGIN; $insert; $listed; PREPARE TRANSACTION 'insert'"), '1', 'an inserted product is recommended in its transaction');
is(sql($listed), '0', 'and to nobody else before it commits');
sql("COMMIT PREPARED 'insert'");
is(sql($listed), '1', 'to all after it');
is(sql(q(SELECT count(*) > 5 FROM similar_items(5000, 10, 'home') WHERE score > 0)), 't', 'it has neighbors');
is(sql(q(SELECT count(*) FROM recommend(NULL::bigint, 10, 'home', context => '{"recently_viewed": [5000]}') WHERE source IN ('history', 'content'))), '10',
	'who has looked at nothing but it gets what is like it');
sql(q(SELECT * FROM recsys.merge('products_recsys')));
is(sql($listed), '1', 'merged or not');
sql('DELETE FROM products WHERE product_id = 5000');
is(sql($listed), '0', 'until it is gone');

# A dump brings the declaration, and not what was learned; the other database does without until it learns.
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
unlike(slurp_file($dump), qr/COPY recsys.content_weight/, 'weights are not dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('restored') ], 'restore');
is($node->safe_psql('restored', q(SELECT content, problem IS NULL, (SELECT count(*) FROM recsys.content_weight) FROM recsys.recommenders WHERE name = 'home')),
	'public.products_recsys|t|0', 'the declaration is there');
is($node->safe_psql('restored', q(SELECT count(*) FILTER (WHERE is_new) > 0 FROM recommend(17::bigint, 100, 'home') JOIN products ON product_id = item_id WHERE source = 'content')), 't',
	'new products are recommended there');
is($node->safe_psql('restored', q(SELECT recsys.refresh_recommender('home'); SELECT w.scale > 0 FROM recsys.content_weight w)), "0\nt", 'and a refresh learns');

done_testing();
