# A partitioned table with recommenders, dumped and restored in all ways, gives the same answers,
# and materialized views that are made of them are filled by the restore.  What has the pages of a
# partitioned index is in no dump.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary');
my $directory = PostgreSQL::Test::Utils::tempdir();

create_purchases($node, 6000);
$node->safe_psql('postgres', q(
	CREATE TABLE sales (user_id bigint, product_id bigint, quantity integer, sold_at timestamptz) PARTITION BY HASH (product_id);
	CREATE TABLE sales_0 PARTITION OF sales FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE sales_1 PARTITION OF sales FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY HASH (user_id);
	CREATE TABLE sales_1_0 PARTITION OF sales_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE sales_1_1 PARTITION OF sales_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	INSERT INTO sales SELECT user_id, product_id, quantity, purchased_at FROM purchases;
	CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at)
		WITH (similarity = cosine, neighbors = 30, min_support = 2, half_life = '30 days');
	CREATE INDEX sales_recsys ON sales USING recsys (user_id, product_id, quantity, sold_at)
		WITH (similarity = cosine, neighbors = 30, min_support = 2, half_life = '30 days');
	CREATE INDEX sales_odd ON sales USING recsys (user_id, (product_id % 13)) WITH (similarity = lift) WHERE quantity > 1;
	CREATE MATERIALIZED VIEW graph AS SELECT * FROM item_similarity('public.sales_recsys');
	CREATE MATERIALIZED VIEW odd AS SELECT * FROM item_similarity('sales_odd');
	CREATE TABLE none (user_id bigint, product_id bigint) PARTITION BY LIST (user_id);
	CREATE INDEX none_recsys ON none USING recsys (user_id, product_id);
	CREATE ROLE shop_reader;
	GRANT SELECT ON sales TO shop_reader;));

my $graph = 'SELECT item_id, similar_item_id, score, support, rank FROM %s ORDER BY 1, 5';
my $expected = $node->safe_psql('postgres', sprintf($graph, "item_similarity('purchases_recsys')"));
my $odd = $node->safe_psql('postgres', sprintf($graph, "item_similarity('sales_odd')"));

is($node->safe_psql('postgres', sprintf($graph, "item_similarity('sales_recsys')")), $expected, 'partitions are one table');

sub is_whole
{
	my ($database, $what) = @_;

	is($node->safe_psql($database, sprintf($graph, 'graph')), $expected, "$what: the view was filled");
	is($node->safe_psql($database, sprintf($graph, 'odd')), $odd, "$what: so was that of a partial index over an expression");
	is($node->safe_psql($database, sprintf($graph, "item_similarity('sales_recsys')")), $expected, "$what: the same pairs");
	is($node->safe_psql($database, "SELECT count(*) FROM recsys.index_stats WHERE problem IS NOT NULL AND index_name <> 'none_recsys'"), '0',
		"$what: nothing is missing");
	is($node->safe_psql($database, q(SELECT recsys.check_index('sales_recsys'), recsys.check_index('sales_odd'))), '|', "$what: check");
	is($node->safe_psql($database, q(SELECT count(*) FROM pg_class WHERE relname ~ '^recsys_[0-9]+_index$')), '2', "$what: two wholes");
}

my $connection = $node->connstr('postgres');
$node->command_ok([ 'pg_dump', '-d', $connection, '-f', "$directory/plain.sql" ], 'pg_dump');
unlike(slurp_file("$directory/plain.sql"), qr/pg_toast|recsys_\d+/, 'a dump has nothing of it');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$directory/plain.sql" ], 'restored by psql');
is_whole('plain', 'psql');

$node->safe_psql('postgres', 'CREATE DATABASE single');
$node->command_ok([ 'psql', '-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('single'), '-f', "$directory/plain.sql" ], 'restored in one transaction');
is_whole('single', 'one transaction');

$node->command_ok([ 'pg_dump', '-d', $connection, '-Fc', '-f', "$directory/custom" ], 'pg_dump -Fc');
$node->safe_psql('postgres', 'CREATE DATABASE jobs');
$node->command_ok([ 'pg_restore', '-j', '3', '-d', $node->connstr('jobs'), "$directory/custom" ], 'restored by several jobs');
is_whole('jobs', 'jobs');

# without the views: who may only read is told what to do, and the owner's first call does it
$node->safe_psql('postgres', 'DROP MATERIALIZED VIEW graph, odd; CREATE DATABASE bare');
$node->command_ok([ 'pg_dump', '-d', $connection, '-Fc', '-f', "$directory/bare" ], 'pg_dump without the views');
$node->command_ok([ 'pg_restore', '-d', $node->connstr('bare'), "$directory/bare" ], 'restored');
my $session = "SET SESSION AUTHORIZATION shop_reader; SELECT count(*) FROM recommend(1, 5, 'sales_recsys')";
my ($code, $out, $error) = $node->psql('bare', $session);
like($error, qr/recsys index "sales_recsys" has not been put together.*HINT:  SELECT recsys\.merge\('public\.sales_recsys'\);/s, 'a reader is told');
is($node->safe_psql('bare', q(SELECT index_name FROM recsys.index_stats WHERE problem LIKE 'not put together%' ORDER BY 1)),
	"none_recsys\nsales_odd\nsales_recsys", 'and so is who looks at the statistics');
like(($node->psql('bare', "BEGIN READ ONLY; SELECT count(*) FROM recommend(1, 5, 'sales_recsys')"))[2], qr/has not been put together/,
	'nothing is made in a read-only transaction');
is($node->safe_psql('bare', q(SELECT merged FROM recsys.merge('sales_odd'))), '0', 'merge');
is($node->safe_psql('bare', q(SELECT count(*) > 0 FROM recommend(1, 5, 'sales_recsys'))), 't', "the owner's first call");
is($node->safe_psql('bare', $session), '5', 'from then on everybody reads');
is($node->safe_psql('bare', sprintf($graph, "item_similarity('sales_recsys')")), $expected, 'the same pairs');
is($node->safe_psql('bare', q(SELECT recsys.check_index('sales_recsys'), recsys.check_index('sales_odd'))), '|', 'check');

# two at once make one
$node->safe_psql('postgres', 'CREATE DATABASE two');
$node->command_ok([ 'pg_restore', '-d', $node->connstr('two'), "$directory/bare" ], 'restored once more');
my $holder = $node->background_psql('two');
$holder->query_safe('BEGIN; LOCK TABLE sales_0 IN ROW EXCLUSIVE MODE');
my @outputs = ('', '');
my @sessions = map { IPC::Run::start([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('two'), '-c',
	"SELECT count(*) FROM recsys.merge('sales_recsys')" ], '<', \undef, '>', \$outputs[$_], '2>', \$outputs[$_]) } 0, 1;
$node->poll_query_until('two', q(SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = 'two' AND wait_event_type = 'Lock'))
	or die 'nobody waits';
$holder->query_safe('COMMIT');
$holder->quit;
ok($sessions[$_]->finish, 'a merge that another one was beside') or diag($outputs[$_]) foreach 0, 1;
is($node->safe_psql('two', sprintf($graph, "item_similarity('sales_recsys')")), $expected, 'the same pairs');
is($node->safe_psql('two', q(SELECT recsys.check_index('sales_recsys'))), '', 'check');

unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC:|TRAP:|corrupt/, 'nothing alarming in the log');
$node->stop;
done_testing();
