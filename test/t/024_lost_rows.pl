# A short soak: whatever happens to rows at the same time, the item graph has them
# all in the end.
#
# Clients insert, update (indexed columns and others, which makes HOT updates),
# delete, use savepoints and two-phase commit, and merge; another loads many rows,
# whose statement merges as it goes; another one runs VACUUM without a pause.  After
# each round the graph must be that of a new index.  With and without the background
# worker; every other round ends with a crash.  RECSYS_SECONDS sets for how long each
# round is, RECSYS_SEED where the random numbers start.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use RecsysTest;

my $load = $ENV{RECSYS_LOAD} // "$ENV{TESTDIR}/../load";
my $seconds = $ENV{RECSYS_SECONDS} // 4;
my $seed = $ENV{RECSYS_SEED} // 1;
my $node = new_node('primary', 'shared_buffers = 32MB', 'max_prepared_transactions = 20');
my $columns = 'purchases USING recsys (user_id, product_id)';

sub equal_graphs
{
	my ($name) = @_;

	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) purchases');
	# NULL: the worker is merging just now
	foreach my $attempt (1 .. 300)
	{
		last if $node->safe_psql('postgres', q(SELECT merged IS NOT NULL FROM recsys.merge('purchases_recsys', true))) eq 't';
		sleep 0.1;
	}
	check_clean($node, 'purchases_recsys', "$name: check_index after an exact merge");
	is($node->safe_psql('postgres', qq(
		CREATE INDEX fresh_recsys ON $columns WITH (similarity = cosine, min_support = 1);
		SELECT count(*) FROM item_similarity('purchases_recsys') a
		FULL JOIN item_similarity('fresh_recsys') b USING (item_id, similar_item_id, support)
		WHERE a.item_id IS NULL OR b.item_id IS NULL;
		DROP INDEX fresh_recsys;)), '0', "$name: the graph is that of a new index");
}

# Few neighbors for each item, so that all are shown and ties at the end of a row
# make no difference.
sub round_of
{
	my ($name, $crash, @options) = @_;
	my @sizes = ('-D', 'users=200', '-D', 'products=60', '-D', 'rows=6000');

	$node->safe_psql('postgres', qq(
		DROP TABLE IF EXISTS purchases;
		CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz, note text)
			WITH (fillfactor = 60);
		INSERT INTO purchases SELECT n % 200, 1 + (n * 7919 + n / 200) % 60, 1, now(), repeat('x', 100)
			FROM generate_series(1, 1500) n;
		CREATE INDEX purchases_recsys ON $columns WITH (similarity = cosine, min_support = 1, neighbors = 500, pending_limit = 64);));
	my @runs = (
		pgbench($node, $seconds, 4, @sizes, "--random-seed=$seed",
			'-f', "$load/insert.sql\@10", '-f', "$load/note.sql\@20", '-f', "$load/move.sql\@3", '-f', "$load/change.sql\@1",
			'-f', "$load/savepoint.sql\@3", '-f', "$load/prepared.sql\@1", '-f', "$load/rollback.sql\@1"),
		pgbench($node, $seconds, 1, @sizes, "--random-seed=$seed", '-f', "$load/load.sql"),
		pgbench($node, $seconds, 1, '-f', "$load/vacuum_loop.sql"));

	$seed++;
	if ($crash)
	{
		sleep $seconds * 0.8;
		kill_server($node);
		eval { $_->finish } foreach @runs;
		$node->start;
	}
	else
	{
		foreach my $run (@runs)
		{
			ok($run->finish, "$name: clients work without an error") or diag(slurp_file($run->{recsys_log}));
		}
	}
	$node->command_ok([ 'psql', '-Xqd', $node->connstr('postgres'), '-v', 'ON_ERROR_STOP=1', '-f', "$load/end_prepared.sql" ],
		"$name: prepared transactions end");
	check_clean($node, 'purchases_recsys', "$name: check_index");
	equal_graphs($name);
}

round_of('statements merge', 0);
round_of('statements merge, crash', 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'recsys'\nrecsys.merge_interval = '100ms'");
$node->restart;
round_of('the worker merges', 0);
round_of('the worker merges, crash', 1);

unlike(slurp_file($node->logfile), qr/PANIC:|TRAP:|corrupt|AddressSanitizer/, 'nothing alarming in the log');
$node->stop;
done_testing();
