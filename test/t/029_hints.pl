# A hint that prints a call or a command prints one that works: each is provoked, and
# what it prints is run.  So is a hint that prints an argument or an expression, which is
# put where it belongs in a call or a query.  The sources are searched for hints that are
# missing here.

use strict;
use warnings;

use File::Find;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = PostgreSQL::Test::Cluster->new('hints');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\n");
$node->start;

# The tables of the examples, and recommenders of each type of keys
sub fill
{
	my ($database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, <<'SQL');
CREATE EXTENSION recsys;
CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz);
INSERT INTO purchases
SELECT n / 4, (n * 7 + n / 4) % 23, 1, '2024-01-01 00:00+00'::timestamptz + n * interval '1 hour' FROM generate_series(1, 400) n;
CREATE TABLE order_items AS SELECT user_id AS order_id, product_id, 2.5 AS price, quantity FROM purchases;
SQL
}

# Items of the examples, where no other products are
sub stock
{
	$node->safe_psql($_[0], q(CREATE TABLE products AS SELECT n::bigint AS product_id, 'c' || n % 3 AS category, 'thing ' || n AS title, NULL::bytea AS photo, NULL::bytea AS "Back" FROM generate_series(1, 20) n));
}
fill('shop');
$node->safe_psql('shop', <<'SQL');
CREATE SCHEMA other;
CREATE TABLE texts AS SELECT user_id::text, 'p''' || product_id AS product_id, purchased_at AS seen_at FROM purchases;
CREATE TABLE uuids AS SELECT lpad(to_hex(user_id), 32, '0')::uuid AS user_id, lpad(to_hex(product_id), 32, '0')::uuid AS product_id FROM purchases;
CREATE INDEX bare_recsys ON purchases USING recsys (user_id, product_id);
CREATE INDEX order_items_recsys ON order_items USING recsys (order_id, product_id);
CREATE INDEX learned_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = ease);
CREATE INDEX "Texts" ON texts USING recsys (user_id, product_id);
CREATE INDEX uuids_recsys ON uuids USING recsys (user_id, product_id);
CREATE INDEX "Lately" ON texts USING recsys (user_id, product_id, seen_at);
CREATE TABLE text_rules AS SELECT * FROM association_rules('"Texts"', NULL::text, 0.02, 0.1);
CREATE TABLE uuid_rules AS SELECT * FROM association_rules('uuids_recsys', NULL::uuid, 0.02, 0.1);
CREATE INDEX btree ON purchases (user_id);
CREATE TABLE ranged (at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE parted (user_id bigint, product_id bigint) PARTITION BY LIST (user_id);
CREATE INDEX parted_recsys ON parted USING recsys (user_id, product_id);
CREATE TABLE whole (user_id bigint, product_id bigint) PARTITION BY LIST (user_id);
CREATE TABLE leaving PARTITION OF whole DEFAULT;
CREATE INDEX whole_recsys ON whole USING recsys (user_id, product_id);
ALTER INDEX leaving_user_id_product_id_idx RENAME TO left_recsys;
ALTER TABLE whole DETACH PARTITION leaving;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE TABLE abroad (user_id bigint, product_id bigint) PARTITION BY LIST (user_id);
CREATE INDEX abroad_recsys ON abroad USING recsys (user_id, product_id);
CREATE FOREIGN TABLE abroad_1 PARTITION OF abroad FOR VALUES IN (1) SERVER nowhere;
CREATE TABLE graph AS SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM purchases', 0, 1);
INSERT INTO purchases VALUES (7, 3, 1, '2024-02-01 00:00+00');
CREATE TABLE hidden AS SELECT * FROM purchases;
CREATE INDEX hidden_recsys ON hidden USING recsys (user_id, product_id);
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
CREATE ROLE reader;
GRANT SELECT ON purchases, hidden TO reader;
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE TYPE shade AS ENUM ('light');
CREATE TABLE colours AS SELECT user_id, (ARRAY['red', 'green', 'blue']::colour[])[product_id % 3 + 1] AS product_id FROM purchases;
CREATE INDEX colours_recsys ON colours USING recsys (user_id, product_id);
CREATE TABLE long_names AS SELECT user_id, repeat('n', 100) || product_id AS product_id FROM purchases;
CREATE INDEX long_names_recsys ON long_names USING recsys (user_id, product_id);
CREATE TABLE "Never" AS SELECT user_id, product_id, 'infinity'::timestamptz AS never, '9999-12-31'::timestamptz AS "At" FROM purchases;
CREATE TABLE essays (user_id text, product_id text);
CREATE INDEX essays_recsys ON essays USING recsys (user_id, (lower(product_id)));
CREATE INDEX "Halved" ON order_items USING recsys (order_id, product_id);
UPDATE pg_class SET reloptions = '{half_life=30 days}' WHERE relname = 'Halved';
CREATE TABLE alike AS SELECT user_id, item_id FROM generate_series(1, 30) user_id, generate_series(1, 8) item_id;
CREATE INDEX alike_recsys ON alike USING recsys (user_id, item_id);
CREATE TABLE large AS SELECT user_id, item_id FROM generate_series(1, 20) user_id, generate_series(1, 5) item_id
	UNION ALL SELECT 99, item_id FROM generate_series(11, 18) item_id;
CREATE INDEX large_recsys ON large USING recsys (user_id, item_id);
CREATE TABLE apart AS SELECT n AS user_id, n AS item_id FROM generate_series(1, 30) n;
CREATE INDEX apart_recsys ON apart USING recsys (user_id, item_id);
CREATE TABLE "Clubs" AS SELECT 'u' || u AS "user", (u % 12) * 8 + i AS item, now() - u * interval '1 day' AS at
	FROM generate_series(1, 240) u, generate_series(0, 7) i WHERE (u * 7 + i * i * 3) % 10 < 7;
CREATE INDEX "Poor ""clubs" ON "Clubs" USING recsys ("user", item) WITH (min_support = 100000);
CREATE TABLE damaged AS SELECT user_id, product_id, quantity FROM purchases UNION ALL SELECT 1, 1, 0;
SQL
# names that ready views would have, taken by others
$node->safe_psql('shop', <<'SQL');
CREATE SCHEMA "Taken";
CREATE TABLE "Taken".daily_metrics (a integer);
CREATE SCHEMA owned;
CREATE VIEW owned.item_similarity AS SELECT 1 AS item_id;
COMMENT ON VIEW owned.item_similarity IS 'made by recsys.create_views for ''public.bare_recsys'': mine';
ALTER VIEW owned.item_similarity OWNER TO reader;
CREATE SCHEMA ready;
SELECT count(*) FROM recsys.create_views('order_items_recsys', 'ready');
CREATE MATERIALIZED VIEW sometimes AS SELECT 1 / CASE current_setting('application_name') WHEN 'fails' THEN 0 ELSE 1 END FROM popular_items(1, 'public.order_items_recsys');
SQL
# builds that fail, one of them under a name as REINDEX CONCURRENTLY leaves it
foreach my $name ('"Damaged"', 'damaged_recsys_ccnew')
{
	$node->psql('shop', "CREATE INDEX CONCURRENTLY $name ON damaged USING recsys (user_id, product_id, (1 / quantity))");
}
$node->safe_psql('shop', 'DELETE FROM damaged WHERE quantity = 0');
# a column of each type that can be no key, but has an expression that can
my %unfit = (
	numeric => 'user_id', real => 'user_id', 'double precision' => 'user_id', oid => 'user_id::int',
	boolean => 'user_id % 2 = 0', date => "DATE '2024-01-01' + user_id::int",
	timestamp => "TIMESTAMP '2024-01-01' + user_id * interval '1 day'",
	timestamptz => "TIMESTAMPTZ '2024-01-01 00:00+00' + user_id * interval '1 day'",
	bytea => "decode(lpad(to_hex(user_id), 8, '0'), 'hex')", json => 'json_build_object(\'id\', user_id)',
	jsonb => 'jsonb_build_object(\'id\', user_id)', bit => '(user_id % 2)::int::bit', varbit => 'user_id::int::bit(32)::varbit',
	inet => "'10.0.0.0'::inet + user_id", cidr => "('10.0.0.' || user_id % 200 || '/32')::cidr",
	macaddr => "('08:00:2b:01:02:' || lpad(to_hex(user_id % 200), 2, '0'))::macaddr",
	macaddr8 => "('08:00:2b:01:02:03:04:' || lpad(to_hex(user_id % 200), 2, '0'))::macaddr8",
	'"char"' => 'chr(40 + (user_id % 80)::int)', time => "TIME '00:00' + user_id * interval '1 minute'");
$node->safe_psql('shop', 'CREATE TABLE unfit AS SELECT product_id, ' .
	join(', ', map { (my $name = $_) =~ tr/" /_/d; "($unfit{$_})::$_ AS a_$name" } sort keys %unfit) . ' FROM purchases');
stock('shop');
$node->safe_psql('shop', <<'SQL');
CREATE UNIQUE INDEX ON products (product_id);
CREATE INDEX goods_items ON products USING recsys_items (product_id, category);
CREATE INDEX pictures_items ON products USING recsys_items (product_id, recsys.image_descriptor(photo), recsys.image_descriptor("Back"));
SQL
fill('empty');
stock('empty');
fill('single');
stock('single');
$node->safe_psql('single', <<'SQL');
CREATE TABLE texts AS SELECT user_id::text, 'p' || product_id AS product_id FROM purchases;
CREATE INDEX "Texts" ON texts USING recsys (user_id, product_id);
SQL

# Declared recommenders, and what has gone since
fill('declared');
$node->safe_psql('declared', <<'SQL');
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id);
CREATE INDEX "Other" ON purchases USING recsys (user_id, product_id);
CREATE INDEX last_recsys ON purchases USING recsys (user_id, product_id);
CREATE TABLE products (product_id bigint PRIMARY KEY, name text, category text, seller_id integer, stock integer, "Old" boolean);
INSERT INTO products SELECT p, 'Product ' || p, 'c' || p % 3, p % 5, 1, true FROM generate_series(0, 22) p;
CREATE TABLE "Loose" AS SELECT * FROM products;
CREATE TABLE goods (LIKE products INCLUDING ALL);
CREATE VIEW pairs AS SELECT * FROM item_similarity('purchases_recsys');
CREATE SCHEMA taken;
CREATE FUNCTION taken.recommend(user_id bigint, k integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
SELECT recsys.create_recommender('bare', '[{"events": "purchases_recsys"}]');
SELECT recsys.create_recommender('whole', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', item_filter => '"Old"',
	group_by => 'name', offer_order => 'stock', category => 'category', category_mix => 0.1, caps => '{"category": 2}');
SELECT recsys.create_recommender('moved', '[{"events": "purchases_recsys"}]', items => 'goods', item_key => 'product_id', title => 'name', seller => 'seller_id', max_per_seller => 2);
SELECT recsys.create_recommender('two', '[{"events": "purchases_recsys", "graph": "pairs"}, {"events": "\"Other\"", "weight": 0.5, "name": "it''s other"}]');
SELECT recsys.create_recommender('alone', '[{"events": "last_recsys"}]');
CREATE SCHEMA ready;
SELECT recsys.create_recommender('gone', '[{"events": "purchases_recsys"}]');
SELECT count(*) FROM recsys.create_views('gone', 'ready');
SELECT recsys.drop_recommender('gone');
GRANT SELECT ON purchases TO reader;
SET ROLE reader;
SELECT recsys.create_recommender('readers', '[{"events": "purchases_recsys"}]');
RESET ROLE;
SELECT recsys.create_recommender('foretold', '[{"events": "purchases_recsys"}, {"events": "last_recsys", "predicts": "purchases_recsys"}]');
SELECT recsys.create_recommender('graphic', '[{"events": "purchases_recsys", "graph": "pairs"}]');
DROP MATERIALIZED VIEW last_recsys_predicts_purchases_recsys;
ALTER TABLE products DROP COLUMN "Old";
ALTER TABLE goods RENAME TO wares;
DROP INDEX "Other", last_recsys;
DROP VIEW pairs;
SELECT recsys.create_recommender('whole_again', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id');
ALTER TABLE products ADD price numeric DEFAULT 5;
CREATE TABLE prices (product_id bigint, price numeric, valid_from timestamptz);
CREATE TABLE former (product_id bigint, price numeric, valid_from timestamptz);
SELECT recsys.create_recommender('priced', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', price => 'price');
SELECT recsys.create_recommender('sale', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', price => 'price',
	price_history => '{"table": "former", "item": "product_id", "price": "price", "time": "valid_from"}');
ALTER TABLE former RENAME TO lost;
CREATE INDEX products_recsys ON products USING recsys_items (product_id, name);
CREATE INDEX titles_recsys ON products USING recsys_items (product_id, (name || ' of the shop'), price);
SELECT recsys.create_recommender('described', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', content => 'titles_recsys');
SELECT recsys.create_bandit('slot', arms => '{bare, whole_again}');
SELECT recsys.create_bandit('filled', recommender => 'whole_again', places => '{1}', candidates => 'true');
SQL

# Experiments: one without sums, one whose log has expired, one that no longer knows what was bought
my $variants = '{"control": {"recommender": "a_recsys", "share": 0.5}, "b": {"recommender": "b_recsys", "share": 0.5}}';
fill('trials');
$node->safe_psql('trials', <<"SQL");
CREATE INDEX a_recsys ON purchases USING recsys (user_id, product_id);
CREATE INDEX b_recsys ON purchases USING recsys (user_id, product_id, purchased_at);
CREATE TABLE visits AS SELECT * FROM purchases;
CREATE TABLE sales (customer_id bigint, product_id bigint, sold_at timestamptz, price numeric, quantity integer, gone_at timestamptz);
CREATE INDEX sales_recsys ON sales USING recsys (customer_id, product_id, sold_at);
CREATE TABLE moves AS SELECT user_id, product_id, purchased_at, purchased_at AS seen_at FROM purchases;
CREATE INDEX one_recsys ON moves USING recsys (user_id, product_id, purchased_at);
CREATE INDEX other_recsys ON moves USING recsys (user_id, product_id, seen_at);
SELECT recsys.create_experiment(name, '$variants', metrics => '{ctr}', interleave => name = 'mixed') FROM unnest('{ab,mixed,expired,lost}'::text[]) name;
SELECT recsys.configure_log(purchases => 'sales');
SELECT recsys.alter_experiment('lost', metrics => '{ctr,conversion}');
SELECT recsys.configure_log(purchases => '');
UPDATE recsys.experiment SET started_at = now() - interval '3 days' WHERE name = 'expired';
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, item_ids)
VALUES (recsys.new_request_id(), now() - interval '2 days', 'u', 'x', 'expired', 'b', '{1}');
SELECT recsys.refresh_experiment('expired');
DELETE FROM recsys.request_log;
SQL

# Experiments
fill('tried');
$node->safe_psql('tried', <<'SQL');
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id);
CREATE TABLE people AS SELECT n::bigint AS id, true AS adult, 'x' AS country FROM generate_series(1, 100) n;
CREATE UNIQUE INDEX ON people (id);
CREATE TABLE sales AS SELECT *, 2.5 AS price FROM purchases;
CREATE INDEX sales_recsys ON sales USING recsys (user_id, product_id, quantity, purchased_at);
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', profiles => 'people', profile_key => 'id');
SELECT recsys.create_recommender('bare', '[{"events": "purchases_recsys"}]', profiles => 'people', profile_key => 'id');
SELECT recsys.create_experiment('kept', '{"control": "home", "other": "bare"}', segment => 'country');
SELECT recsys.create_experiment('grown', '{"control": "home", "other": "bare"}', eligible => 'adult');
SELECT recsys.create_experiment('plain', '{"control": "bare", "other": "home"}', segment => 'id', eligible => 'id > 0', layer => 'full', layer_share => 0.7);
SELECT recsys.create_experiment('rest', '{"control": "bare", "other": "home"}', layer => 'full', layer_share => 0.3);
SELECT recsys.create_experiment('some', '{"control": "bare", "other": "home"}', layer => 'half', layer_share => 0.5);
SELECT recsys.create_experiment('left', '{"control": "bare", "other": "home"}', interleave => true);
CREATE ROLE passing;
SELECT recsys.alter_experiment('left', new_owner => 'passing');
DROP ROLE passing;
ALTER TABLE people DROP adult, DROP country;
SELECT recsys.alter_recommender('bare', reset => '{profiles,profile_key}');
SQL

# Streams: one that has not seen its topic, one whose owner is gone
fill('streaming');
$node->safe_psql('streaming', <<'SQL');
CREATE TABLE watched (event_id bigint UNIQUE, item_id bigint, user_id bigint);
CREATE UNLOGGED TABLE fleeting (user_id bigint);
SELECT recsys.create_stream('clicks', 'k:9092', 'shop.clicks', 'watched', '{"user_id": "u"}');
SELECT recsys.create_stream('left', 'k:9092', 'shop.clicks', 'watched', '{"user_id": "u"}');
UPDATE recsys.stream SET owner = 'passing' WHERE name = 'left';
SQL

# The hints of what a statement says
sub hints
{
	my ($database, $sql) = @_;
	my ($code, $out, $error) = $node->psql($database, $sql);
	my @hints = $error =~ /HINT:\s+(.*)/g;

	return @hints > 0 ? @hints : "none, but $error";
}

# What a hint prints, as statements.  An argument or an expression is put into what is around it.
sub statements
{
	my ($hint, $around) = @_;
	my $nested;
	my @found;

	$nested = qr/\((?:[^()']|'(?:[^']|'')*'|(??{$nested}))*\)/;
	while ($hint =~ s/((?:CREATE (?:INDEX|UNIQUE INDEX|MATERIALIZED VIEW|SCHEMA)|REINDEX INDEX|ALTER INDEX|ALTER TABLE|CREATE TABLE|DROP INDEX|DROP FUNCTION|DROP TABLE|DROP VIEW) (?:$nested|'[^']*'|[^.,;]|\.(?=\S))*)//)
	{
		push @found, $1;
	}
	push @found, $1 while $hint =~ s/(CREATE EXTENSION \w+|SET ROLE \w+|CALL [\w.]+$nested)//;
	push @found, $1 while $hint =~ s/'(SELECT (?:[^']|'')*)'\.//;
	push @found, $1 while $hint =~ s/(SELECT .*);//;
	push @found, sprintf($around, $1) while $hint =~ s/expression such as (.*?)(?: instead)?\.$//;
	# what stands for something to be completed is no command; those above are whole
	while ($hint =~ s/\b((?:[a-z]+\.)?[a-z_]+$nested)//)
	{
		push @found, "SELECT * FROM $1";
	}
	push @found, sprintf($around, $1)
		while $hint =~ s/(\b[a-z_]+ => (?:'(?:[^']|'')*'|ARRAY\[(?:[^]']|'(?:[^']|'')*')*\]|[\w:]+))//;
	return @found;
}

my %provoked;
my @cases = (
	# partitions that are kept
	"SELECT * FROM recsys.maintain_partitions('ranged')",
	"SELECT * FROM recsys.keep_partitions('recsys.request_log')",
	# item keys of another type, in every function that has a variant for bigint
	"SELECT * FROM recommend('7', 3, '\"Texts\"')",
	"SELECT * FROM recommend('7'::text, 3, '\"Texts\"', NULL::uuid)",
	"SELECT * FROM recommend('00000000000000000000000000000007', 3, 'uuids_recsys')",
	"SELECT * FROM recommend(7, 3, 'bare_recsys', NULL::uuid)",
	"SELECT * FROM recommend(7, 3, 'bare_recsys', NULL::json)",
	"SELECT * FROM recommend(NULL::bigint, NULL, 'uuids_recsys')",
	"SELECT * FROM recommend_all('\"Texts\"', 3)",
	"SELECT * FROM recommend_all('bare_recsys', 3, NULL::bigint, NULL::json)",
	"SELECT * FROM recommend_for_items(ARRAY[1, 2], 3, '\"Texts\"')",
	"SELECT * FROM recommend_for_items(ARRAY[1, 2], 3, 'uuids_recsys')",
	"SELECT * FROM recommend_for_session(ARRAY[1, 2], 3, 'uuids_recsys')",
	"SELECT * FROM recommend_for_session(ARRAY[1, 2], 3, '\"Texts\"')",
	"SELECT * FROM recommend_for_items(ARRAY[]::uuid[], 3, 'bare_recsys')",
	"SELECT * FROM next_basket('7', 3, '\"Texts\"')",
	"SELECT * FROM next_basket('00000000000000000000000000000007', 3, 'uuids_recsys')",
	"SELECT * FROM recently_viewed('7', 3, '\"Lately\"')",
	"SELECT * FROM trending_items(3, '\"Lately\"')",
	"SELECT * FROM similar_items(1, 3, '\"Texts\"')",
	"SELECT * FROM similar_items('00000000000000000000000000000007'::uuid, 3, 'bare_recsys')",
	"SELECT * FROM popular_items(3, 'uuids_recsys')",
	"SELECT * FROM popular_items(3, '\"Texts\"', NULL::uuid)",
	"SELECT * FROM explain_recommendation('7', 3, '\"Texts\"')",
	"SELECT * FROM explain_recommendation('00000000000000000000000000000007'::uuid, 3, 'uuids_recsys')",
	"SELECT * FROM frequently_bought_together(3, 3, 'uuids_recsys')",
	"SELECT * FROM complete_basket(ARRAY[1, 2], 3, 'text_rules')",
	"SELECT * FROM complete_basket(ARRAY[1, 2], 3, 'uuid_rules')",
	"SELECT * FROM item_similarity('\"Texts\"')",
	"SELECT * FROM item_similarity('\"Texts\"', NULL::json)",
	"SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM texts WHERE product_id <> ''x''')",
	"SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM texts', NULL::uuid)",
	"SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM texts', NULL::text)",
	"SELECT * FROM cross_similarity('\"Texts\"', 'colours_recsys')",
	"SELECT * FROM cross_similarity('bare_recsys', 'bare_recsys', NULL::json, NULL::text)",
	"SELECT * FROM cross_similarity('bare_recsys', 'uuids_recsys', NULL, NULL)",
	"SELECT * FROM query_cross_similarity('SELECT user_id, product_id FROM texts', 'SELECT user_id, product_id FROM texts', NULL::text, NULL::uuid)",
	"SELECT * FROM query_cross_similarity('SELECT user_id, product_id FROM uuids', 'SELECT user_id, product_id FROM purchases', NULL, NULL)",
	"SELECT * FROM association_rules('\"Texts\"', 0.02)",
	"SELECT * FROM association_rules('bare_recsys', NULL::uuid)",
	"SELECT * FROM association_rules_to_sets('uuids_recsys')",
	"SELECT * FROM query_association_rules('SELECT user_id, product_id FROM uuids')",
	"SELECT * FROM query_association_rules_to_sets('SELECT user_id, product_id FROM uuids')",
	"SELECT * FROM frequent_itemsets('\"Texts\"', 0.02)",
	"SELECT * FROM frequent_itemsets('\"Texts\"', item_type => NULL::numeric)",
	"SELECT * FROM query_frequent_itemsets('SELECT user_id, product_id FROM texts')",
	"SET search_path = other; SELECT * FROM public.recommend(7, 3, 'public.bare_recsys', NULL::json)",
	"SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM purchases', NULL::uuid)",
	# the others
	"SELECT * FROM complete_basket(ARRAY[1, 2], 3, NULL)",
	"SELECT * FROM complete_basket(ARRAY[1, 2], 3, 'purchases')",
	"SELECT * FROM complete_basket(ARRAY[1, 2], 3, 'btree')",
	[ "SELECT * FROM popular_items(3)", 'SELECT * FROM popular_items(3, %s)' ],
	[ "SELECT * FROM popular_items(3, 'other.bare_recsys')", 'SELECT * FROM popular_items(3, %s)' ],
	"SELECT * FROM recommend(7, 3, 'bare_recsys', half_life => '1 day')",
	"SELECT * FROM popular_items(3, 'bare_recsys', since => '2024-01-01')",
	"SELECT * FROM buy_again(7, 3, 'bare_recsys')",
	"SELECT * FROM recently_viewed(7, 3, 'bare_recsys')",
	"SELECT * FROM trending_items(3, 'bare_recsys')",
	"SELECT * FROM next_basket(7, 3, 'bare_recsys', at => '2024-01-01')",
	"SELECT * FROM recsys.learn_next_basket('bare_recsys')",
	[ "SELECT * FROM recsys.sample_size(0, 0.1, 'mean', 2)", "SELECT * FROM recsys.sample_size(0, 0.1, 'mean', 2, %s)" ],
	[ "SELECT * FROM recsys.evaluate('SELECT user_id, product_id, purchased_at FROM purchases', metrics => '{repeat_share}')",
	  "SELECT * FROM recsys.evaluate('SELECT user_id, product_id, purchased_at FROM purchases', metrics => '{repeat_share}', %s)" ],
	"SELECT * FROM recsys.item_factors('bare_recsys')",
	"SELECT * FROM recsys.item_rhythm('bare_recsys')",
	"SELECT * FROM popular_items(3, 'nothing')",
	"SELECT * FROM popular_items(3, 'btree')",
	"SET ROLE reader; SELECT * FROM popular_items(3, 'hidden_recsys')",
	"SELECT * FROM recsys.create_views('bare_recsys', 'No schema')", "SELECT * FROM recsys.create_views('bare_recsys', 'Taken')",
	"SELECT * FROM recsys.create_views('bare_recsys', 'owned')", "SELECT * FROM recsys.create_views('bare_recsys', 'ready')",
	"BEGIN; SET LOCAL application_name = 'fails'; CALL recsys.refresh('order_items_recsys')",
	"SELECT * FROM association_rules('bare_recsys', weights => true)",
	"SELECT * FROM recsys.merge('learned_recsys', true)",
	"SELECT * FROM query_frequent_itemsets('bare_recsys')",
	"ALTER INDEX learned_recsys SET (lambda = 9)",
	'REINDEX INDEX "Halved"',
	'CREATE INDEX ON "Never" USING recsys (user_id, product_id, "At")',
	'CREATE INDEX ON "Never" USING recsys (user_id, product_id, (LEAST("At", never)))',
	"BEGIN; SELECT recsys.forget_user('bare_recsys', 7); ROLLBACK",
	'BEGIN; CALL recsys.reindex(); ROLLBACK',
	"SELECT * FROM popular_items(3, '\"Damaged\"')",
	"SELECT * FROM popular_items(3, 'damaged_recsys_ccnew')",
	[ "INSERT INTO essays VALUES (repeat('u', 3000), 'p')", 'CREATE INDEX ON essays USING recsys (%s, product_id)' ],
	[ "INSERT INTO essays VALUES ('u', repeat('P', 3000))", 'CREATE INDEX ON essays USING recsys (user_id, %s)' ],
	[ "SELECT * FROM query_item_similarity('SELECT user_id, repeat(product_id, 1500) AS \"Name\" FROM texts', item_type => NULL::text)",
	  'SELECT %s FROM (SELECT user_id, product_id AS "Name" FROM texts) t' ],
	(map { (my $name = $_) =~ tr/" /_/d; "CREATE INDEX ON unfit USING recsys (a_$name, product_id)" } sort keys %unfit),
	(map { (my $name = $_) =~ tr/" /_/d; [ "SELECT * FROM query_item_similarity('SELECT a_$name, product_id FROM unfit')",
		'SELECT %s FROM unfit' ] } grep { !/numeric|real|double/ } sort keys %unfit),
	# models that are no better than bestsellers, and learned ones that are better than counted ones
	"SELECT count(*) FROM recsys.evaluate('SELECT user_id, product_id FROM purchases;', 'min_support = 100000')",
	"SELECT count(*) FROM recsys.evaluate('SELECT \"user\", item, at FROM \"Clubs\" WHERE \"user\" <> ''x''', 'min_support = 100000', holdout_last => 2, metrics => '{auc}', exclude_seen => false)",
	"SELECT count(*) FROM recsys.evaluate('SELECT \"user\", item, at FROM \"Clubs\"', 'min_support = 100000', holdout_since => '2020-01-01', test => NULL, seed => -3)",
	"SELECT count(*) FROM recsys.evaluate('SELECT \"user\", item FROM \"Clubs\"', 'min_support = 100000', holdout_share => 0.3, metrics => '{hit_rate,recall}', k => '{3}')",
	"SELECT count(*) FROM recsys.evaluate_recommender('\"Poor \"\"clubs\"', 'SELECT \"user\", item + 1 FROM \"Clubs\"', resamples => 0)",
	(map { "SELECT count(*) FROM recsys.compare('SELECT \"user\", item FROM \"Clubs\"', $_)" }
		"'min_support = 100000', 'neighbors = 3'", "'neighbors = 3', 'min_support = 100000'", "'min_support = 100000', 'min_support = 10000'"),
	(map { "SELECT count(*) FROM recsys.tune($_, models => '{min_support = 100000}')" }
		"'\"Poor \"\"clubs\"'", "'SELECT \"user\", item FROM \"Clubs\" LIMIT 1000'", "'SELECT \"user\", item, count(*) FROM \"Clubs\" GROUP BY 1, 2;'"),
	(map { "SELECT count(*) FROM recsys.tune($_, models => '{min_support = 100000, \"similarity = slim, min_support = 1\"}')" }
		"'\"Poor \"\"clubs\"'", "'SELECT \"user\", item FROM \"Clubs\" LIMIT 1000'"),
	# arguments
	[ "SELECT * FROM popular_items(3, 'colours_recsys', item_type => NULL::shade)", "SELECT * FROM popular_items(3, 'colours_recsys', %s)" ],
	[ "SELECT * FROM popular_items(3, 'long_names_recsys', item_type => NULL::name)", "SELECT * FROM popular_items(3, 'long_names_recsys', %s)" ],
	[ "SELECT * FROM frequently_bought_together(3, 3, 'bare_recsys', 'adjusted_p')", "SELECT * FROM association_rules('bare_recsys', %s)" ],
	(map { [ "SET recsys.max_itemsets = 100; SELECT * FROM frequent_itemsets('$_', 1)",
		"SELECT * FROM frequent_itemsets('$_', %s)" ] } 'alike_recsys', 'large_recsys'),
	(map { [ "SET recsys.max_itemsets = 20; SELECT * FROM frequent_itemsets('$_', 1, kind => 'closed')",
		"SELECT * FROM frequent_itemsets('$_', %s)" ] } 'bare_recsys', 'apart_recsys'),
	[ "SET recsys.max_itemsets = 20; SELECT * FROM association_rules('bare_recsys', 1)",
	  "SELECT * FROM association_rules('bare_recsys', %s)" ],
	[ "SELECT * FROM recsys.tune('bare_recsys'::regclass, resamples => 0, time_limit => '300 milliseconds', models => '{similarity = jaccard, \"similarity = als, rank = 512, iterations = 20\"}')",
	  "SELECT * FROM recsys.tune('bare_recsys'::regclass, resamples => 0, %s)" ],
	[ "SELECT * FROM association_rules('bare_recsys', max_length => 1)", "SELECT * FROM association_rules('bare_recsys', %s)" ],
	[ "SELECT * FROM association_rules('bare_recsys', max_basket => 1)", "SELECT * FROM association_rules('bare_recsys', %s)" ],
	# the log knows purchases by the rights of somebody who is gone
	q(CREATE ROLE gone SUPERUSER; SET ROLE gone; SELECT recsys.configure_log(purchases => '"Lately"'); RESET ROLE; DROP ROLE gone; SELECT recsys.log_impressions('no list of ours', '{1}'::bigint[]); SELECT recsys.refresh_metrics()),
	# indexes over items
	"CREATE INDEX ON unfit USING recsys_items (product_id, a_jsonb)",
	"SELECT recsys.create_recommender('new', '[{\"events\": \"bare_recsys\"}]', items => 'products', item_key => 'product_id', content => 'nothing')",
	[ "SELECT * FROM popular_items(3, 'goods_items')", 'SELECT * FROM popular_items(3, %s)' ],
	[ "SELECT * FROM items_like('{\"category\": \"c1\"}', 3)", "SELECT * FROM items_like('{\"category\": \"c1\"}', 3, %s)" ],
	[ "SELECT * FROM items_like('{\"category\": \"c1\"}', 3, 'bare_recsys')", "SELECT * FROM items_like('{\"category\": \"c1\"}', 3, %s)" ],
	"SELECT * FROM items_like_image('x', 3, 'goods_items', NULL::uuid)",
	"SELECT * FROM items_like_image('x', 3, 'goods_items')",
	[ "SELECT * FROM items_like_image('x', 3, 'pictures_items')", "SELECT * FROM items_like_image(NULL, 3, 'pictures_items', NULL::bigint, %s)" ],
	# the log
	"SELECT * FROM recommend('7'::text, 3, '\"Texts\"', log => true)",
	"SELECT * FROM recommend(7, 3, 'bare_recsys', NULL::uuid, log => true)",
	"BEGIN READ ONLY; SELECT * FROM recommend(7, 3, 'bare_recsys', log => true); ROLLBACK",
	"BEGIN READ ONLY; SELECT * FROM recommend('7', 3, '\"Texts\"', NULL::text, log => true); ROLLBACK",
	"SELECT recsys.log_click('00000000-0000-4000-8000-000000000000', 1)",
	"BEGIN; SELECT recsys.configure_log(pseudonymous => true); DELETE FROM recsys.log_key; SELECT * FROM recommend(7, 3, 'bare_recsys', log => true); ROLLBACK",
	# item graphs in tables
	'CREATE INDEX ON purchases USING recsys_graph (user_id)', "SELECT * FROM recsys.popular_from(3, 'bare_recsys')",
	# partitioned tables: none together yet; a partition that is none any more
	"BEGIN READ ONLY; SELECT * FROM popular_items(3, 'parted_recsys'); ROLLBACK",
	"SELECT * FROM popular_items(3, 'abroad_recsys')",
	"SELECT * FROM popular_items(3, 'left_recsys')",
	[ "SELECT * FROM frequent_itemsets('bare_recsys', 1, min_length => 4, max_length => 3)", "SELECT * FROM frequent_itemsets('bare_recsys', %s)" ],
);
# names of functions alone, as they are there
my @named = (
	"SELECT * FROM popular_items(3, 'SELECT 1')",
	"SELECT * FROM query_frequent_itemsets('bare_recsys')",
);

# The library without its extension, which takes a function that somebody made by hand
$node->safe_psql('postgres', <<'SQL');
CREATE DATABASE bare;
\c bare
CREATE FUNCTION popular(k bigint, recommender text, since timestamptz, half_life interval, OUT item_id bigint, OUT users bigint, OUT score float8, OUT rank integer)
	RETURNS SETOF record AS 'recsys', 'recsys_popular_items' LANGUAGE C;
SQL

foreach my $case ((map { [ 'shop', ref $_ ? @$_ : $_ ] } @cases),
	(map { [ 'trials', ref $_ ? @$_ : $_ ] } (
		"SELECT * FROM recsys.experiment_results('ab', 'daily')", "SELECT * FROM recsys.experiment_results('lost')",
		"SELECT * FROM recsys.experiment_results('mixed')",
		"SELECT recsys.refresh_experiment('expired', now() - interval '2 days')",
		(map { [ "SELECT recsys.create_experiment('new', '$variants', metrics => '{conversion}', purchases => '$_')",
					"SELECT recsys.create_experiment('new', '$variants', metrics => '{conversion}', %s)" ] }
				'visits', 'moves', '{"user": "user_id"}'),
		[ "SELECT recsys.create_experiment('new', '$variants', metrics => '{revenue}', purchases => 'moves')",
			"SELECT recsys.create_experiment('new', '$variants', metrics => '{revenue}', %s)" ])),
	[ 'empty', 'SELECT * FROM popular_items(3)' ], [ 'empty', "SELECT * FROM items_like('{}', 3)" ],
	[ 'empty', "SELECT * FROM items_like('{}', 3, 'products')" ], [ 'single', "SELECT * FROM items_like('{}', 3, '\"Texts\"')" ],
	[ 'single', "SELECT * FROM recommend('7', 3)" ], [ 'single', "SELECT * FROM recommend('7', 3, NULL, log => true)" ], [ 'single', 'SELECT * FROM popular_items(3)' ],
	[ 'bare', 'SELECT * FROM popular(3, NULL, NULL, NULL)' ],
	(map { [ 'tried', ref $_ ? @$_ : $_ ] } (
		(map { "SELECT * FROM recsys.assignment('$_', '1')" } qw(kept grown plain)), "SELECT recsys.drop_recommender('home')",
		"SELECT * FROM recsys.interleaving_results('left')", "SELECT * FROM recsys.interleaving_results('kept')",
		"SELECT recsys.alter_experiment('kept', salt => 'x')",
		(map { my $new = "SELECT recsys.create_experiment('new', '{\"control\": \"home\", \"other\": \"bare\"}', $_)";
			[ $new, $new =~ s/\)$/, %s)/r ] } "layer => 'full'", "layer => 'half'", "metrics => '{conversion}'"),
		[ "BEGIN; SELECT recsys.configure_log(purchases => '{\"table\": \"purchases\", \"user\": \"user_id\", \"item\": \"product_id\", \"time\": \"purchased_at\"}'); " .
			"SELECT recsys.create_experiment('new', '{\"control\": \"home\", \"other\": \"bare\"}', metrics => '{revenue}')",
			"SELECT recsys.create_experiment('new', '{\"control\": \"home\", \"other\": \"bare\"}', metrics => '{revenue}', %s)" ],
		"SELECT recsys.create_experiment('kept', '{\"control\": \"home\", \"other\": \"bare\"}')")),
	(map { [ 'streaming', ref $_ ? @$_ : $_ ] } (
		(map { my $new = "SELECT recsys.create_stream('new', 'k:9092', 't', 'watched', $_)"; [ $new, $new =~ s/\)$/, %s)/r ] }
			"'{\"user_id\": \"u\"}', format => 'avro'", "'{\"item_id\": \"\$key\"}', tombstones => 'delete'", "'{\"event_id\": \"e\"}', conflict => 'update'"),
		[ "SELECT recsys.create_stream('new', 'k:9092', 't', 'watched', '{}')", "SELECT recsys.create_stream('new', 'k:9092', 't', 'watched', %s)" ],
		"SELECT recsys.create_stream('new', 'k:9092', 't', 'watched', '{\"user_id\": \"u\"}', key => '{user_id}', conflict => 'update')",
		"SELECT recsys.create_stream('new', 'k:9092', 't', 'fleeting', '{\"user_id\": \"u\"}')",
		"SELECT recsys.create_stream('new', 'k:9092', 't', 'watched', '{\"user_id\": \"u\"}', errors => 'watched')",
		"SELECT recsys.create_stream('clicks', 'k:9092', 't', 'watched', '{\"user_id\": \"u\"}')",
		"SELECT recsys.stream_claim('clicks', '{0}', 'consumer', 1)", "SELECT recsys.alter_stream('left', jobs => 1)",
		"SELECT recsys.seek_stream('clicks')", "SELECT recsys.seek_stream('clicks', next_offset => 7)", "SELECT recsys.seek_stream('clicks', at => now())")),
	map { [ 'declared', ref $_ ? @$_ : $_ ] } (
		(map { "SELECT * FROM recommend(1, 3, '$_')" } qw(whole moved two alone graphic)),
		"SELECT recsys.alter_recommender('whole', reset => '{group_by}')",
		"SELECT recsys.create_recommender('bare', '[{\"events\": \"purchases_recsys\"}]')",
		(map { [ "SELECT recsys.create_recommender('new', $_)", "SELECT recsys.create_recommender('new', %s)" ] } 'NULL', "'[]'"),
		"SELECT recsys.create_recommender('new', '[{\"events\": \"purchases_recsys\"}]', items => '\"Loose\"', item_key => 'product_id')",
		"SELECT * FROM recsys.create_functions('bare', 'taken')", "SELECT * FROM recsys.create_functions('bare', 'No schema')",
		"SELECT * FROM recsys.create_views('readers', 'public')", "CALL recsys.refresh('bare')",
		"SELECT * FROM recsys.seller_exposure('bare')", "SELECT * FROM recsys.audience('bare')",
		"SELECT * FROM recsys.customer_segments('nobody')", "SELECT * FROM recommend(1, 3, 'foretold')",
		(map { "SELECT * FROM recsys.audience('whole_again', $_)" } "seller => '1'", "category => 'c1'"),
		"SELECT * FROM recsys.duplicate_items('whole_again')",
		[ "SELECT * FROM on_sale_for(1, 3, 'priced')", "SELECT recsys.alter_recommender('priced', %s)" ],
		"SELECT * FROM on_sale_for(1, 3, 'sale')",
		[ "SELECT * FROM recsys.duplicate_items('products_recsys')", "SELECT * FROM recsys.duplicate_items('products_recsys', %s)" ],
		"SELECT recsys.create_bandit('slot', arms => '{bare, whole_again}')", "SELECT * FROM recsys.bandit_choice('filled', 1)",
		(map { [ "SELECT recsys.create_bandit('new', $_)", "SELECT recsys.create_bandit('new', $_, %s)" ] }
			"arms => '{bare, whole_again}', reward => '{\"click\": 5}'", "arms => '{bare, whole_again}', features => '{\"a\": {\"context\": \"number\"}}'",
			"recommender => 'whole_again', candidates => 'stock > 0'", "recommender => 'whole_again', places => '{1}'"),
		"SELECT * FROM recsys.suspicious_items('titles_recsys')", "SELECT * FROM recsys.suspicious_items('described')"))
{
	my ($database, $sql, $around) = @$case;
	my @hints = hints($database, $sql);
	my @statements = map { statements($_, $around // 'hint of %s: nowhere to put it') } @hints;
	my $context = $sql =~ /^(SET [^;]*;)/ ? $1 : '';

	$provoked{$_} = 1 foreach @hints;
	ok(@statements > 0, "$sql: its hint prints something to run") or diag(@hints);
	foreach my $statement (@statements)
	{
		# a search for a better model may find none, and says so
		my $context = $statement =~ /recsys\.tune/ ? "$context SET client_min_messages = error;" : $context;
		my ($code, $out, $error) = $node->psql($database, "$context BEGIN; $statement; ROLLBACK",
			on_error_stop => 1);

		# some must not be in a transaction block
		($code, $out, $error) = $node->psql($database, "$context $statement", on_error_stop => 1)
			if $error =~ /transaction block/;
		is($error, '', "what it prints works: $statement");
	}
}
foreach my $sql (@named)
{
	my ($hint) = hints('shop', $sql);
	my ($names) = $hint =~ /Functions that take .* are ([\w., ]+?)\.$/;

	foreach my $name (split /, | and /, $names // 'none in the hint')
	{
		is($node->safe_psql('shop', "SELECT count(*) > 0 FROM pg_proc WHERE oid::regproc::text = '$name' OR pronamespace::regnamespace || '.' || proname IN ('$name', 'public.$name')"),
			't', "$name is a function");
	}
}

# Every hint of the sources that prints a call or a command has been seen above.
my %elsewhere = (
	# said only by functions of this version that somebody has put into a database of an older one
	'ALTER EXTENSION recsys UPDATE;' => 1,
	# said only where the owner of the extension is no superuser, see 084_extension_owner
	'SET ROLE %s;' => 1,
	'Set them again as the owner: SELECT recsys.configure_log(purchases => %s);' => 1,
	# said only in a server with pg_cron, see 085_schedule
	'As a superuser: CREATE EXTENSION pg_cron; then call this again.' => 1,
	'SELECT cron.unschedule(%s);' => 1,
	# said only in a server with Citus, see 110_citus
	"On the coordinator: SELECT replicate_reference_tables(); or, if it is the coordinator that has none, SELECT citus_set_coordinator_host('…')." => 1,
	'On the coordinator: SELECT replicate_reference_tables(); or SELECT recsys.distribute(%s);' => 1,
	"On the coordinator, by the name that the workers know it by: SELECT citus_set_coordinator_host('…');" => 1,
	'Name the index that has them on this node, as in recommender => %s.' => 1,
	"Functions that take a query read all nodes, as in query_item_similarity('SELECT … FROM %s')." => 1,
	'To have one recommender over all of them: SELECT recsys.distribute(%s);' => 1,
	'SELECT recsys.distribute(%s);' => 1,
	'SELECT recsys.retrain(%s);' => 1,
	"Call its functions by a schedule: SELECT create_time_partitions(%s, '1 month', now() + interval '3 months'); CALL drop_old_time_partitions(%s, now() - interval '3 years');" => 1,
	'The background worker is building it: call again.  Its owner may also call SELECT recsys.merge(%s);' => 1,
	'recsys.tune compares models on a query; then ALTER INDEX %s SET (similarity = …).' => 1,
	"Distribute it by the user, as in SELECT create_distributed_table(%s, 'user_id')." => 1,
	'SELECT alter_distributed_table(%s, distribution_column => %s);' => 1,
	# the same of declared recommenders, see 118_citus_shop, 119_citus_shop_changes and the SQL test node_of_several
	'Distribute it alike, as in SELECT alter_distributed_table(%s, colocate_with => …).' => 1,
	"If it is a reference table, on the coordinator: SELECT replicate_reference_tables(); or, if it is the coordinator that has none, SELECT citus_set_coordinator_host('…')." => 1,
	'If the tables of the signals are not distributed alike: SELECT alter_distributed_table(…, colocate_with => …).' => 1,
	'To have all nodes serve it, on the coordinator: SELECT recsys.distribute(%s);' => 1,
	'SELECT recsys.undistribute(%s); before, and recsys.distribute after.' => 1,
	'SELECT create_reference_table(%s);' => 1,
	'SELECT recsys.undistribute(%s); before.' => 1,
	# said only where BLAS is slow, once in a session
	'Install one: on Debian and Ubuntu "apt-get install libopenblas0-serial"; new sessions use it. Or SET recsys.blas_warning = off.' => 1,
);
is(($node->psql('shop', "LOAD 'recsys'; SET recsys.blas_warning = off"))[2], '', 'SET recsys.blas_warning = off');
my $sources = 0;
find({ no_chdir => 1, wanted => sub {
	return unless /\.c$/;
	my $text = slurp_file($_);
	my $file = $_;
	my %defined = $text =~ /#define (\w+_HINT) \\?\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g;

	$sources++;
	while ($text =~ /errhint\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+|\w+_HINT\b)/g)
	{
		my $hint = $defined{$1} // $1;

		$hint =~ s/^"|"\s*$//g;
		$hint =~ s/"\s+"//g;
		$hint =~ s/\\"/"/g;
		next unless $hint =~ /(?:CREATE|REINDEX|ALTER|DROP) [A-Z]{4}|SELECT |SET \w|\w\(|: %s[.;]|^Use %s\.|=> |such as %s\./;
		if ($elsewhere{$hint})
		{
			$elsewhere{$hint}++;
			next;
		}
		my $pattern = join '.*', map { quotemeta } split /%(?:l*[dus])/, $hint, -1;
		ok((grep { /^$pattern$/ } keys %provoked), "seen: $hint") or diag("in $file");
	}
}}, "$FindBin::RealBin/../../src");
cmp_ok($sources, '>', 100, 'the sources are there');
cmp_ok($elsewhere{$_}, '>', 1, "still in the sources: $_") foreach keys %elsewhere;

done_testing();
