# Ready views outlive a dump, lend nobody rights that he has not, and take what shops put into
# their tables.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('views');
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE shopkeeper LOGIN;
CREATE ROLE analyst LOGIN;
CREATE ROLE "Bi Tool" LOGIN;
CREATE ROLE mallory LOGIN;
GRANT CREATE ON DATABASE postgres TO shopkeeper;
CREATE SCHEMA shop AUTHORIZATION shopkeeper;
CREATE SCHEMA analyst AUTHORIZATION analyst;
CREATE SCHEMA mallory AUTHORIZATION mallory;
SET ROLE shopkeeper;
CREATE TABLE shop.products (product_id text PRIMARY KEY, name text, category text);
INSERT INTO shop.products SELECT 'p' || p, 'Product ' || p, 'c' || p % 3 FROM generate_series(1, 40) p;
-- titles and categories as nobody expects them: long, not to be compressed, with signs of all kinds
UPDATE shop.products SET name = '<script>alert("x")</script> ''\' || chr(128512) || (SELECT string_agg(md5(n::text || product_id), '') FROM generate_series(1, 300) n),
	category = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, CASE product_id WHEN 'p1' THEN 60 ELSE 200 END) n) WHERE product_id IN ('p1', 'p2');
CREATE TABLE shop.customers AS SELECT u AS customer_id, (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 50) n) || u % 2 AS segment FROM generate_series(1, 60) u;
CREATE TABLE shop.purchases AS
SELECT 1 + n % 60 AS user_id, 'p' || 1 + (n * n / 7) % 40 AS product_id, '2024-01-01 00:00+00'::timestamptz + n * interval '1 hour' AS at FROM generate_series(1, 1200) n;
CREATE INDEX purchases_recsys ON shop.purchases USING recsys (user_id, product_id, (1), at);
GRANT USAGE ON SCHEMA shop TO analyst, mallory;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO analyst;
SELECT recsys.create_recommender('home', '[{"events": "shop.purchases_recsys"}]', items => 'shop.products', item_key => 'product_id', title => 'name',
	category => 'category', profiles => 'shop.customers', profile_key => 'customer_id', segment => 'segment');
CREATE SCHEMA reports;
SQL

my $directory = PostgreSQL::Test::Utils::tempdir();

sub as
{
	my ($role, $sql, $database) = @_;
	my ($code, $out, $error) = $node->psql($database // 'postgres', "SET ROLE $role; $sql", on_error_stop => 1);
	$error =~ s/^psql:<stdin>:\d+: //mg;
	return $out . $error;
}

# Rows of all views; persona and recency change with the day
my $rows = q(
	SELECT md5(string_agg(s::text, E'\n' ORDER BY item_id, similar_item_id)) FROM reports.item_similarity s;
	SELECT md5(string_agg(s::text, E'\n' ORDER BY antecedent, consequent)) FROM reports.association_rules s;
	SELECT md5(string_agg(s::text, E'\n' ORDER BY kind, segment, rank)) FROM reports.popular_by_segment s;
	SELECT md5(string_agg(concat(user_id, segment, frequency, monetary, r, f, m), E'\n' ORDER BY user_id)) FROM reports.customer_segments s;
	SELECT md5(string_agg(s::text, E'\n' ORDER BY time, variant, segment)) FROM reports.daily_metrics s);
my $objects = q(
	SELECT c.relname, c.relkind, c.relowner::regrole, c.relacl, obj_description(c.oid, 'pg_class'), pg_get_viewdef(c.oid) FROM pg_class c WHERE c.relnamespace = 'reports'::regnamespace AND relkind IN ('v', 'm') ORDER BY 1;
	SELECT a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'reports'::regnamespace AND relkind IN ('v', 'm') AND attnum > 0 ORDER BY c.relname, attnum;
	SELECT indexdef FROM pg_indexes WHERE schemaname = 'reports' ORDER BY 1);
my $actions = q(SELECT string_agg(DISTINCT action, ', ') FROM recsys.create_views('home', 'reports'));

# A role that is no superuser makes them, and others read them
is(as('shopkeeper', q(SELECT action, count(*) FROM recsys.create_views('home', 'reports', '{analyst, Bi Tool, analyst}') GROUP BY 1)),
	'created|5', 'the owner of a shop makes views of it');
is(as('shopkeeper', $actions), 'kept', 'made again they are kept');
like(as('"Bi Tool"', 'SELECT count(*) FROM reports.item_similarity'), qr/^[1-9]\d*$/, 'a reader reads');
like(as('mallory', 'SELECT count(*) FROM reports.item_similarity'), qr/permission denied/, 'others do not');
is(as('shopkeeper', q(SELECT kind, max(length(segment)) FROM reports.popular_by_segment WHERE kind IN ('category', 'segment1') GROUP BY 1 ORDER BY 1)),
	"category|1920\nsegment1|1601", 'long names of categories and segments, but for one that has no list');
is($node->safe_psql('postgres', q(SELECT count(DISTINCT title) FROM reports.item_similarity WHERE item_id IN ('p1', 'p2') AND title LIKE '<script>%')), 2,
	'titles are as they are');

# Experiments bring the metrics of all of their variants
$node->safe_psql('postgres', <<'SQL');
INSERT INTO recsys.daily_request (time, recommender, experiment, variant, segment, requests, impressions, users, clicks, carts, clicked_requests, ordered_requests, ordered_users)
SELECT '2024-05-01 00:00+00'::timestamptz + d * interval '1 day', r, e, v, NULL, 10, 100, 9, 5, 2, 4, 0, 0
FROM generate_series(0, 2) d, (VALUES ('home', 'test', 'treatment'), ('shop.purchases_recsys', 'test', 'control'), ('home', NULL, NULL), ('shop.purchases_recsys', NULL, NULL), ('other', 'another', 'a')) x (r, e, v);
SQL
is(as('shopkeeper', q(CALL recsys.refresh('home'))), '', 'refreshed by its owner');
is(as('shopkeeper', q(SELECT recommender, experiment, variant, count(*), sum(clicks) FROM reports.daily_metrics GROUP BY 1, 2, 3 ORDER BY 1, 2, 3)),
	"home|test|treatment|3|15\nhome|||3|15\nshop.purchases_recsys|test|control|3|15", 'metrics of the recommender and of its experiments');
my $kept = $node->safe_psql('postgres', 'SELECT array_agg(row_key ORDER BY row_key), count(DISTINCT row_key) FROM reports.daily_metrics_mv');
$node->safe_psql('postgres', q(SET timezone = 'Pacific/Chatham'; SET datestyle = 'German'; SET ROLE shopkeeper; CALL recsys.refresh('home');));
is($node->safe_psql('postgres', 'SELECT array_agg(row_key ORDER BY row_key), count(DISTINCT row_key) FROM reports.daily_metrics_mv'), $kept,
	'keys of rows do not depend on a session');

# Dumps, as SQL and restored by two processes
my $expected_rows = $node->safe_psql('postgres', $rows);
my $expected_objects = $node->safe_psql('postgres', $objects);
$node->command_ok([ 'pg_dump', '-f', "$directory/dump.sql", $node->connstr('postgres') ], 'pg_dump');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$directory/dump", $node->connstr('postgres') ], 'pg_dump, custom');
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(plain custom);
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', "$directory/out", '-f', "$directory/dump.sql", $node->connstr('plain') ], 'restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('custom'), "$directory/dump" ], 'pg_restore');
foreach my $database (qw(plain custom))
{
	is($node->safe_psql($database, $objects), $expected_objects, "$database: views, comments, rights and indexes");
	is(as('shopkeeper', $actions, $database), 'kept', "$database: they are known again, and kept");
	is(as('shopkeeper', q(CALL recsys.refresh('home')), $database), '', "$database: refreshed");
	is($node->safe_psql($database, $rows), $expected_rows, "$database: the same rows, once refreshed");
}

# Rights.  A superuser does not take what others have declared into views that run with his.
like(($node->psql('postgres', q(SELECT * FROM recsys.create_views('home', 'public'))))[2],
	qr/recommender "home" belongs to role "shopkeeper".*SET ROLE shopkeeper;/s, 'a superuser is refused');
is($node->safe_psql('postgres', q(SET ROLE shopkeeper; SELECT count(*) FROM recsys.create_views('home', 'reports'))), 5, 'and does as he is told');
# an analyst may have his own, of what he may read
is(as('analyst', q(SELECT count(*) FROM recsys.create_views('home', 'analyst'))), 5, 'another role that may read the shop');
is(as('analyst', 'SELECT count(*) FROM analyst.daily_metrics'), 0, 'without the metrics, which are for the owner');
is(as('analyst', q(CALL recsys.refresh('home'))), '', 'and refreshes its views alone');
like(as('analyst', q(SELECT * FROM recsys.create_views('home', 'reports'))), qr/reports\.item_similarity belongs to role "shopkeeper"/, 'not those of others');
like(as('analyst', q(SELECT * FROM recsys.drop_views('home', 'reports'))), qr/must be owner of view/, 'nor drops them');
like(as('mallory', q(SELECT * FROM recsys.create_views('home', 'mallory'))), qr/permission denied/, 'no views without rights on the tables');
like(as('mallory', q(SELECT * FROM recsys.popular_lists('home'))), qr/permission denied/, 'nor lists');
$node->safe_psql('postgres', 'GRANT SELECT ON shop.purchases, shop.products TO mallory');
like(as('mallory', q(SELECT * FROM recsys.popular_lists('home'))), qr/permission denied for table customers/, 'lists of segments need the profiles');
# whose mark it is does not matter: what somebody else owns is not replaced
as('mallory', q(CREATE VIEW mallory.item_similarity AS SELECT 1 AS item_id;
	COMMENT ON VIEW mallory.item_similarity IS 'made by recsys.create_views for ''home'': mine'));
$node->safe_psql('postgres', 'GRANT CREATE, USAGE ON SCHEMA mallory TO shopkeeper');
like(as('shopkeeper', q(SELECT * FROM recsys.create_views('home', 'mallory'))), qr/belongs to role "mallory".*DROP VIEW mallory\.item_similarity;/s, 'a mark alone is not trusted');
# marks that are cut off, or full of quotes
foreach my $mark (q(made by recsys.create_views for ), q(made by recsys.create_views for '), q(made by recsys.create_views for E'\\\\), q(made by recsys.create_views for '''': ''))
{
	$node->safe_psql('postgres', q(DROP VIEW mallory.item_similarity; SET ROLE shopkeeper; CREATE VIEW mallory.item_similarity AS SELECT 1 AS item_id;));
	$node->safe_psql('postgres', 'COMMENT ON VIEW mallory.item_similarity IS ' . ($mark =~ s/'/''/gr =~ s/^/'/r) . "'");
	like(as('shopkeeper', q(SELECT string_agg(DISTINCT action, ', ') FROM recsys.create_views('home', 'mallory'); SELECT count(*) FROM recsys.drop_views('home', 'mallory'))),
		qr/^created\n5$/, "a mark of nobody: $mark");
	$node->safe_psql('postgres', q(CREATE VIEW mallory.item_similarity AS SELECT 1));
}
# row-level security hides rows of the table from the analyst, so there are no sums over them for him
$node->safe_psql('postgres', 'ALTER TABLE shop.purchases ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON shop.purchases FOR SELECT TO analyst USING (user_id < 3)');
like(as('analyst', q(CALL recsys.refresh('home'))), qr/could not refresh analyst\.item_similarity_mv: .*row-level security/s, 'row-level security: no refresh');
like(as('analyst', q(SELECT recsys.drop_views('home', 'analyst'); SELECT * FROM recsys.create_views('home', 'analyst'))), qr/row-level security/, 'and no views');
$node->safe_psql('postgres', 'ALTER TABLE shop.purchases DISABLE ROW LEVEL SECURITY');

# Who may not create in the schema; a schema of a strange name
like(as('analyst', q(SELECT * FROM recsys.create_views('home', 'shop'))), qr/permission denied for schema shop/, 'no right to create');
$node->safe_psql('postgres', q(CREATE SCHEMA "a ""b"".'c" AUTHORIZATION shopkeeper));
is(as('shopkeeper', q(SELECT name FROM recsys.create_views('home', 'a "b".''c', '{public}') WHERE name LIKE '%daily%')), q("a ""b"".'c".daily_metrics), 'a schema of a strange name');
is(as('shopkeeper', q(SELECT count(*) FROM recsys.create_views('home', 'a "b".''c', '{PUBLIC, Bi Tool, shopkeeper}'))), '5', 'to readers of all kinds');
like(as('shopkeeper', q(SELECT * FROM recsys.create_views('home', 'pg_temp'))), qr/^ERROR:  schema "pg_temp" does not exist$/, 'a schema that cannot be made');
is(as('shopkeeper', q(CALL recsys.refresh('home'))), '', 'refreshed');
is(as('mallory', q(SELECT count(*) > 0 FROM "a ""b"".'c".item_similarity)), 't', 'and read by everybody');
is(as('shopkeeper', q(SELECT count(*) FROM recsys.drop_views('home', 'a "b".''c'))), 5, 'and dropped');

# Several at once: one after the other
my @both = map { start_psql($node, q(SET ROLE shopkeeper; SELECT recsys.create_views('home', 'reports', min_confidence => 0.1))) } 1 .. 3;
is(scalar(grep { finish($_) } @both), 3, 'made by several sessions at once');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_class WHERE relnamespace = 'reports'::regnamespace AND relkind IN ('v', 'm'))), 10, 'and once');
as('shopkeeper', $actions);
# readers of the old ones are not kept while the new ones are computed; an error leaves all as it was
$node->safe_psql('postgres', q(SET ROLE shopkeeper; SELECT recsys.alter_recommender('home', title => 'CASE WHEN product_id = ''p9'' THEN (1 / length(left(name, 0)))::text ELSE name END')));
like(as('shopkeeper', $actions), qr/division by zero/, 'what is declared fails');
like(as('analyst', 'SELECT count(*) > 0 FROM reports.item_similarity'), qr/^t$/, 'the old views are there');
$node->safe_psql('postgres', q(SET ROLE shopkeeper; SELECT recsys.alter_recommender('home', title => 'name')));
is(as('shopkeeper', $actions), 'kept', 'and kept');

# A column is renamed, an index is built anew: nothing is to be made again
$node->safe_psql('postgres', q(ALTER TABLE shop.products RENAME COLUMN category TO kind; ALTER TABLE shop.products RENAME COLUMN kind TO category));
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY shop.purchases_recsys');
is(as('shopkeeper', "CALL recsys.refresh('home'); $actions"), 'kept', 'after REINDEX CONCURRENTLY');
# a column is gone: the error tells the part
$node->safe_psql('postgres', q(ALTER TABLE shop.products RENAME COLUMN name TO label));
like(as('shopkeeper', $actions), qr/column items\.name does not exist.*"title" of recommender "home"/s, 'a column that is gone');
$node->safe_psql('postgres', q(ALTER TABLE shop.products RENAME COLUMN label TO name));
is(as('shopkeeper', $actions), 'kept', 'and back');
# the recommender is gone: views answer, and are dropped by its name
as('shopkeeper', q(SELECT recsys.drop_recommender('home')));
like(as('shopkeeper', 'SELECT count(*) FROM reports.customer_segments'), qr/^60$/, 'views of a dropped recommender answer');
is(as('shopkeeper', q(SELECT count(*) FROM recsys.drop_views('home', 'reports'))), 5, 'and go');

$node->stop;
done_testing();
