# Mining item sets with parallel workers: cancelled at once, workers and all, and
# nothing of them stays behind.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RecsysTest;

# A cancelled statement ends so many seconds later at the latest, on a busy machine
# too; on an idle one it is some milliseconds.
my $latest = $ENV{ASAN_OPTIONS} ? 5 : 1;

my $node = new_node('primary', 'shared_buffers = 64MB', 'max_parallel_workers = 8',
	'max_worker_processes = 16', 'maintenance_work_mem = 400MB', 'max_parallel_workers_per_gather = 2');

# 2^60 item sets, nearly
$node->safe_psql('postgres', q(
	CREATE TABLE lines AS SELECT b AS basket, i AS item FROM generate_series(1, 2000) b, generate_series(1, 60) i
	WHERE (b * 7919 + i * 104729) % 101 < 85;
	CREATE INDEX lines_recsys ON lines USING recsys (basket, item);
	CREATE FUNCTION workers() RETURNS bigint LANGUAGE sql AS
		$$ SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker' $$));

# Waits until a query returns this; seconds that it took, or undef.
sub becomes
{
	my ($query, $wanted) = @_;
	my $begin = time;

	while (time - $begin < 30)
	{
		return time - $begin if $node->safe_psql('postgres', $query) eq $wanted;
	}
	return undef;
}

# What a statement could leave behind: shared memory and files
sub remains
{
	return join ' ', scalar(grep { !/mmap\.0*$/ } glob($node->data_dir . '/pg_dynshmem/*')),
		glob($node->data_dir . '/base/pgsql_tmp/*');
}

my %statements = (
	'frequent_itemsets' => q(SELECT count(*) FROM frequent_itemsets('lines_recsys', 2)),
	'closed sets' => q(SELECT count(*) FROM frequent_itemsets('lines_recsys', 2, 'closed', k => 10)),
	'query_frequent_itemsets' => q(SELECT count(*) FROM query_frequent_itemsets('SELECT * FROM lines', 2)),
	'association_rules' => q(SELECT count(*) FROM association_rules('lines_recsys', 2, max_length => NULL)),
	'frequent_itemsets, read by workers' => q(SELECT count(*) FROM frequent_itemsets('lines_recsys', 2)));

foreach my $name (sort keys %statements)
{
	my @times;
	my $before = remains();

	foreach my $try (1 .. 3)
	{
		my $out = '';
		my $err = '';
		my $size = $name =~ /read by workers/ ? '0' : '8MB';
		my $session = IPC::Run::start(
			[ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-c', 'SET recsys.max_itemsets = 2147483647', '-c',
				"SET min_parallel_index_scan_size = '$size'", '-c',
				"DO \$\$ BEGIN PERFORM * FROM ($statements{$name}) s; EXCEPTION WHEN query_canceled THEN "
				. "RAISE NOTICE 'canceled at %', extract(epoch FROM clock_timestamp()); END \$\$" ],
			'>', \$out, '2>', \$err);

		ok(defined becomes('SELECT workers()', 2), "$name: workers join in");
		my $begin = $node->safe_psql('postgres',
			q(SELECT extract(epoch FROM clock_timestamp()) FROM (SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid() OFFSET 0) s));
		$session->finish;
		like($err, qr/canceled at [\d.]+/, "$name: is cancelled");
		push @times, $1 - $begin if $err =~ /canceled at ([\d.]+)/;
		is($node->safe_psql('postgres', 'SELECT workers()'), '0', "$name: no worker is left");
	}
	@times = sort { $a <=> $b } @times;
	note("$name ends " . join(', ', map { sprintf '%.0f ms', 1000 * $_ } @times) . ' after its cancellation');
	cmp_ok($times[-1], '<', $latest, "$name: in time");
	is(remains(), $before, "$name: nothing is left behind");
}

# a timeout in the middle of it
my ($status, undef, $stderr) = $node->psql('postgres',
	"SET recsys.max_itemsets = 2147483647; SET statement_timeout = 200; SELECT count(*) FROM frequent_itemsets('lines_recsys', 2)");
like($stderr, qr/statement timeout/, 'a timeout ends it');

# a worker that is terminated ends the statement
my ($out, $err) = ('', '');
my $session = IPC::Run::start(
	[ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-c', 'SET recsys.max_itemsets = 2147483647', '-c', $statements{frequent_itemsets} ],
	'>', \$out, '2>', \$err);
ok(defined becomes('SELECT workers()', 2), 'workers join in');
$node->safe_psql('postgres', q(SELECT pg_terminate_backend(min(pid)) FROM pg_stat_activity WHERE backend_type = 'parallel worker'));
$session->finish;
like($err, qr/terminating .* due to administrator command/, 'a worker that is terminated ends the statement');
ok(defined becomes('SELECT workers()', 0), 'no worker is left');

# workers read what the snapshot of the leader sees, whatever others commit
my $reader = $node->background_psql('postgres');
$reader->query_safe(q(SET min_parallel_index_scan_size = 0; SET client_min_messages = warning;
	BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM lines;));
my $sets = q(SELECT string_agg(items[1] || ':' || support, ' ' ORDER BY items) FROM frequent_itemsets('lines_recsys', 1, max_length => 1););
my $rows = q(SELECT string_agg(item || ':' || n, ' ' ORDER BY item) FROM (SELECT item, count(*) AS n FROM lines GROUP BY item) s;);
my $before = $reader->query_safe($rows);
$node->safe_psql('postgres', q(UPDATE lines SET item = item + 100 WHERE basket % 3 = 0; DELETE FROM lines WHERE basket % 2 = 0; INSERT INTO lines VALUES (1, 777); VACUUM lines));
is($reader->query_safe($sets), $before, 'workers read under the snapshot of the leader');
$reader->query_safe('COMMIT;');
is($reader->query_safe($sets), $node->safe_psql('postgres', $rows), 'and under a later one what has been committed');
$reader->quit;
(undef, undef, $stderr) = $node->psql('postgres',
	"SET min_parallel_index_scan_size = 0; SET client_min_messages = debug1; SELECT count(*) FROM frequent_itemsets('lines_recsys', 1, max_length => 1)");
like($stderr, qr/baskets read in \d+ pieces, \d+ of them by 2 workers/, 'there were workers');
(undef, undef, $stderr) = $node->psql('postgres',
	"SET client_min_messages = debug1; SELECT count(*) FROM frequent_itemsets('lines_recsys', 1, max_length => 1)");
unlike($stderr, qr/baskets read in/, 'not for a small index');
$node->safe_psql('postgres', 'TRUNCATE lines; INSERT INTO lines SELECT b, i FROM generate_series(1, 2000) b, generate_series(1, 60) i WHERE (b * 7919 + i * 104729) % 101 < 85');

# the server is as it was
is($node->safe_psql('postgres', q(SELECT count(*) FROM frequent_itemsets('lines_recsys', 0.5, max_length => 2))),
	$node->safe_psql('postgres', q(
		SELECT count(*) FROM (SELECT FROM lines GROUP BY item HAVING count(*) >= 1000
			UNION ALL SELECT FROM lines a JOIN lines b USING (basket) WHERE a.item < b.item
			GROUP BY a.item, b.item HAVING count(*) >= 1000) s)), 'mining goes on');
$node->stop;
done_testing();
