# Every long function can be cancelled: within a second, at any time, leaving
# neither files nor locks nor a damaged index behind.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

# A cancelled statement ends so many seconds after its timeout at the latest; a
# sanitized server on a busy machine may take longer.
my $latest = $ENV{ASAN_OPTIONS} ? 5 : 1;

$RecsysTest::users = 20000;
$RecsysTest::products = 3000;

my $node = new_node('primary', 'shared_buffers = 64MB', 'maintenance_work_mem = 64MB', 'max_parallel_maintenance_workers = 0');
my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at)';
my $merging = $node->safe_psql('postgres', q(SELECT to_regproc('recsys.merge') IS NOT NULL)) eq 't';

create_purchases($node, 400000);

# a customer who has bought everything, again and again
$node->safe_psql('postgres', 'INSERT INTO purchases SELECT 1, 1 + i % 6000, 1, now() FROM generate_series(1, 400000) i');
$node->safe_psql('postgres', "CREATE INDEX purchases_recsys ON $columns WITH (max_history = 100000, neighbors = 500)");
check_clean($node, 'purchases_recsys', 'check_index of the index');

# Files of the database, temporary ones too, and the size of the index
sub files
{
	my $base = $node->data_dir . '/base';
	# a dropped file is emptied at once and removed by the next checkpoint
	my ($database, $size) = split /\n/, $node->safe_psql('postgres', q(
		CHECKPOINT;
		SELECT oid FROM pg_database WHERE datname = 'postgres';
		SELECT pg_relation_size('purchases_recsys')));

	return join(' ', map { s/.*\///r } grep { !/pg_internal|_(fsm|vm)$/ } glob("$base/$database/*"), glob("$base/pgsql_tmp/*"))
	  . " size $size";
}

sub locks
{
	return $node->safe_psql('postgres', q(
		SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND locktype IN ('relation', 'page', 'extend')
			AND relation::regclass::text LIKE 'purchases%'));
}

# Cancels the statement at several fractions of the time it takes.  What a statement
# changes (grows) stays, so that there is no list of files to compare.
sub cancelled
{
	my ($name, $sql, %how) = @_;
	my $prepare = $how{prepare} // '';
	my $undo = $how{undo};
	my ($hits, $slowest, @different) = (0, 0);

	$node->safe_psql('postgres', $prepare) if $prepare;
	my ($status, $stderr, $whole) = timed($node, $sql);
	is($status, 0, "$name: runs") or diag($stderr);
	$node->safe_psql('postgres', $undo) if $undo;

	foreach my $fraction (0.08, 0.3, 0.5, 0.75)
	{
		my $timeout = int(1000 * $whole * $fraction);

		$timeout = 1 if $timeout < 1;
		$node->safe_psql('postgres', $prepare) if $prepare;
		my $before = $how{grows} ? '' : files();
		($status, $stderr, my $took) = timed($node, "SET statement_timeout = $timeout; $sql");
		my $late = $took - $timeout / 1000;
		if ($stderr =~ /statement timeout/)
		{
			$hits++;
			$slowest = $late if $late > $slowest;
			my $after = $how{grows} ? '' : files();
			push @different, "$timeout ms: before $before, after $after" if $after ne $before;
		}
		elsif ($status != 0)
		{
			fail("$name, $timeout ms: $stderr");
		}
		elsif ($undo)
		{
			$node->safe_psql('postgres', $undo);
		}
	}
	note(sprintf '%s takes %.2f s, cancelled %d times, at most %.2f s late', $name, $whole, $hits, $slowest);
	cmp_ok($hits, '>=', 1, "$name: is cancelled");
	cmp_ok($slowest, '<', $latest, "$name: in time");
	is("@different", '', "$name: no file is left behind") unless $how{grows};
	is(locks(), '0', "$name: no lock is left behind");
	check_clean($node, 'purchases_recsys', "$name: check_index") if $how{check};
}

cancelled('CREATE INDEX', "CREATE INDEX second_recsys ON $columns", undo => 'DROP INDEX second_recsys');
cancelled('CREATE INDEX on disk', "SET maintenance_work_mem = '16MB'; CREATE INDEX second_recsys ON $columns",
	undo => 'DROP INDEX second_recsys');
cancelled('REINDEX', 'REINDEX INDEX purchases_recsys');
# as a whole this also tells that the index is as it should be
cancelled('check_index', q(SELECT recsys.check_index('purchases_recsys')));
cancelled('item_similarity', q(SELECT count(*) FROM item_similarity('purchases_recsys')));
cancelled('query_item_similarity', q(SELECT count(*) FROM query_item_similarity('SELECT user_id, product_id, quantity, purchased_at FROM purchases')));
cancelled('query_item_similarity on disk', q(SET maintenance_work_mem = '16MB'; SELECT count(*) FROM query_item_similarity('SELECT user_id, product_id, quantity, purchased_at FROM purchases')));
cancelled('recommend', q(SELECT count(*) FROM generate_series(1, 40), LATERAL recommend(1::bigint, 1000, 'purchases_recsys')));
cancelled('explain_recommendation', q(SELECT count(*) FROM generate_series(1, 40), LATERAL explain_recommendation(1::bigint, 7, 'purchases_recsys')));
cancelled('popular_items since', q(SELECT count(*) FROM popular_items(10, 'purchases_recsys', since => '2020-01-01')));
# The first merge after a build marks what counts of the customer who has bought
# everything, which takes several times as long as the work that is to be cancelled.
$node->safe_psql('postgres', 'DELETE FROM purchases WHERE random() < 0.001; VACUUM (INDEX_CLEANUP on, TRUNCATE off) purchases');
cancelled('VACUUM', 'VACUUM (INDEX_CLEANUP on, TRUNCATE off) purchases', check => 1, grows => 1,
	prepare => 'DELETE FROM purchases WHERE random() < 0.05');
# before the inserts, which leave it more to merge than it gets here
cancelled('merge', q(SELECT recsys.merge('purchases_recsys', true)), check => 1, grows => 1,
	prepare => 'INSERT INTO purchases SELECT i % 20000, 1 + i % 900, 1, now() FROM generate_series(1, 20000) i') if $merging;
cancelled('insert', 'INSERT INTO purchases SELECT i, 200000 + i % 5000, 1, now() FROM generate_series(1, 100000) i', check => 1, grows => 1);

$node->safe_psql('postgres', 'VACUUM purchases');
check_clean($node, 'purchases_recsys', 'check_index in the end');
$node->stop;
done_testing();
