
# Views of signals that predict: dumped and restored, read on a standby, and while they are refreshed.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('predicts');
$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA shop;
CREATE ROLE shopkeeper;
GRANT USAGE, CREATE ON SCHEMA shop TO shopkeeper;
SET search_path = shop, public;
CREATE TABLE purchases (user_id bigint, product_id bigint);
INSERT INTO purchases SELECT 1 + n % 40, 1 + (n * 7 + n / 40) % 60 FROM generate_series(1, 400) n;
CREATE TABLE views (user_id bigint, product_id bigint);
INSERT INTO views SELECT 1 + n % 45, 1 + (n * 7 + n / 45) % 60 FROM generate_series(1, 900) n;
CREATE TABLE searches (user_id bigint, term text);
INSERT INTO searches SELECT user_id, 'word ' || product_id / 5 FROM views WHERE product_id % 2 = 0;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id);
CREATE INDEX views_recsys ON views USING recsys (user_id, product_id);
CREATE INDEX searches_recsys ON searches USING recsys (user_id, term);
ALTER TABLE purchases OWNER TO shopkeeper;
ALTER TABLE views OWNER TO shopkeeper;
ALTER TABLE searches OWNER TO shopkeeper;
SET ROLE shopkeeper;
SELECT recsys.create_recommender('home', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "purchases_recsys", "weight": 0.5},
	{"events": "searches_recsys", "predicts": "purchases_recsys", "weight": 0.5}]');
SQL

my $lists = "SELECT u, r.* FROM generate_series(1, 46) u, recommend(u, 10, 'home') r ORDER BY u, rank";
my $before = $node->safe_psql('postgres', $lists);
my $views = "SELECT relname, relowner::regrole, relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY 1";
my $made = $node->safe_psql('postgres', $views);
isnt($before, '', 'there are lists');
is($made, "searches_recsys_predicts_purchases_recsys|shopkeeper|t\nviews_recsys_predicts_purchases_recsys|shopkeeper|t", 'views are made');

# a dump in plain text, as pg_dump | psql
my $directory = PostgreSQL::Test::Utils::tempdir();
$node->command_ok([ 'pg_dump', '-f', "$directory/plain.sql", $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$directory/plain.sql", $node->connstr('restored') ], 'restored');
is($node->safe_psql('restored', $views), $made, 'views are there, filled, and their owner\'s');
is($node->safe_psql('restored', $lists), $before, 'lists are the same');
is($node->safe_psql('restored', "SELECT recsys.recommender_problem('home')"), '', 'nothing is wrong');
$node->safe_psql('restored', "SELECT recsys.refresh_recommender('home')");
is($node->safe_psql('restored', $lists), $before, 'and after a refresh');
$node->safe_psql('restored', "SELECT recsys.drop_recommender('home')");
is($node->safe_psql('restored', $views), '', 'what was restored is dropped with the recommender');

# and by pg_restore with two jobs
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$directory/custom.dump", $node->connstr('postgres') ], 'pg_dump -Fc');
$node->safe_psql('postgres', 'CREATE DATABASE custom');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-j', '2', '-d', $node->connstr('custom'), "$directory/custom.dump" ], 'pg_restore -j 2');
is($node->safe_psql('custom', $lists), $before, 'lists are the same');

# a standby answers, and weighs signals
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('write'));
is($standby->safe_psql('postgres', $lists), $before, 'a standby has the same lists');
my $weights = "SELECT rank, what, value FROM recsys.tune_signals('home')";
is($standby->safe_psql('postgres', $weights), $node->safe_psql('postgres', $weights), 'and the same weights');
like(($standby->psql('postgres', "SELECT recsys.refresh_recommender('home')"))[2], qr/during recovery|read-only/, 'and refreshes nothing');
$standby->stop;

# who reads is not kept waiting by a refresh that has not committed
my $reader = $node->background_psql('postgres');
$reader->query_safe("BEGIN; SELECT recsys.refresh_recommender('home');");
is($node->safe_psql('postgres', "SET lock_timeout = '10s'; SET statement_timeout = '60s'; $lists"), $before, 'lists during a refresh');
$reader->query_safe('COMMIT;');
$reader->quit;

done_testing();
