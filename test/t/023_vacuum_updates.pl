# Rows that are updated while VACUUM merges are not lost.
#
# Lazy VACUUM's own snapshots do not keep others from pruning.  It is stopped after
# a merge has read what is pending; then rows of some users are updated again and
# again, HOT and with new index entries, and their pages pruned; it goes on, and in
# the end the index must equal a new one.  The same with parallel workers, and where
# transactions keep their first snapshot.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

my $node = new_node('primary', 'client_min_messages = warning');

$node->psql('postgres', q(LOAD 'recsys'; SET recsys.fault = 'nonsense'));
if ($node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) eq '0')
{
	$node->stop;
	plan(skip_all => 'the module was built without fault points (make RECSYS_FAULTS=1)');
}

my $columns = 'purchases USING recsys (user_id, product_id) WITH (similarity = cosine)';

# A table with three kinds of index, so that VACUUM can have workers, and rows so
# long that pages fill up and are pruned.
sub begin
{
	$node->safe_psql('postgres', qq(
		DROP TABLE IF EXISTS purchases;
		CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz, note text)
			WITH (fillfactor = 70);
		CREATE INDEX purchases_user ON purchases (user_id);
		CREATE INDEX purchases_product ON purchases (product_id);
		INSERT INTO purchases SELECT u, p, 1, now(), repeat('x', 300) FROM generate_series(1, 40) u, generate_series(1, 8) p
			WHERE (u * 7 + p * p) % 3 > 0;
		CREATE INDEX purchases_recsys ON $columns;
		-- what is pending names every item; what is dead gives bulk delete work
		INSERT INTO purchases SELECT 100, p, 1, now() FROM generate_series(1, 8) p;
		DELETE FROM purchases WHERE user_id = 40;));
}

# VACUUM waits at the merge; an update is done some times; VACUUM goes on.
sub vacuum_beside
{
	my ($name, $vacuum, $settings, @updates) = @_;
	my $output = '';
	my $holder = $node->background_psql('postgres', on_error_stop => 1);
	my $deadline = time + 60;
	my $waits = 0;

	begin();
	$holder->query_safe(q(SELECT pg_advisory_lock(hashtext('merge-read' COLLATE "C"))));
	my $run = IPC::Run::start(
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
			'-c', "LOAD 'recsys'", '-c', "SET recsys.fault = 'merge-read:lock'", '-c', $settings, '-c', $vacuum ],
		'<', \undef, '>', \$output, '2>', \$output);
	while (!$waits && time < $deadline)
	{
		sleep 0.02;
		$waits = $node->safe_psql('postgres',
			q(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)) > 0;
	}
	ok($waits, "$name: VACUUM waits in its merge");
	foreach my $update (@updates)
	{
		$node->safe_psql('postgres', "$update; SELECT count(note) FROM purchases");
	}
	$holder->query_safe(q(SELECT pg_advisory_unlock(hashtext('merge-read' COLLATE "C"))));
	ok($run->finish, "$name: VACUUM ends") or diag($output);
	$holder->quit;

	# the updates themselves may leave events, which a merge would mend the graph by
	is($node->safe_psql('postgres', q(SELECT count(*) FROM (
			SELECT item_id, similar_item_id, support FROM item_similarity('purchases_recsys')) s
		WHERE support > (SELECT count(*) FROM (SELECT user_id FROM purchases WHERE product_id = item_id
			INTERSECT SELECT user_id FROM purchases WHERE product_id = similar_item_id) u))),
		'0', "$name: no pair has more users than the table");
	check_clean($node, 'purchases_recsys', "$name: check_index");
	my $different = $node->safe_psql('postgres', qq(
		CREATE INDEX fresh_recsys ON $columns;
		SELECT count(*) FROM item_similarity('purchases_recsys') a
		FULL JOIN item_similarity('fresh_recsys') b USING (item_id, similar_item_id, support)
		WHERE a.item_id IS NULL OR b.item_id IS NULL;
		DROP INDEX fresh_recsys;));
	is($different, '0', "$name: the index equals a new one") unless grep { /SET (user_id|product_id)/ } @updates;
	equals_new_index($node, 'purchases_recsys', $columns, "$name, merged");
}

my @hot = map { "UPDATE purchases SET note = repeat('$_', 300) WHERE user_id IN (1, 2, 3)" } 'a' .. 'h';
my @other = map { "UPDATE purchases SET product_id = 1 + product_id % 8, note = repeat('$_', 300) WHERE user_id IN (1, 2, 3)" } 'a' .. 'h';
my $parallel = 'SET min_parallel_index_scan_size = 0; SET max_parallel_maintenance_workers = 2;';
my $repeatable = q(SET default_transaction_isolation = 'repeatable read';);

vacuum_beside('HOT', 'VACUUM purchases', '', @hot);
vacuum_beside('indexed columns', 'VACUUM purchases', '', @other);
vacuum_beside('HOT, workers', 'VACUUM (PARALLEL 2) purchases', $parallel, @hot);
vacuum_beside('indexed columns, workers', 'VACUUM (PARALLEL 2) purchases', $parallel, @other);
vacuum_beside('HOT, repeatable read', 'VACUUM purchases', $repeatable, @hot);
vacuum_beside('HOT, merge()', q(SELECT recsys.merge('purchases_recsys')), '', @hot);

# a VACUUM whose merge fails ends like any other
begin();
my ($status, undef, $stderr) = $node->psql('postgres', "SET recsys.fault = 'merge-recounted:error';\nVACUUM purchases");
like($stderr, qr/fault at merge-recounted/, 'a merge within VACUUM fails');
$node->safe_psql('postgres', 'VACUUM purchases; ');
equals_new_index($node, 'purchases_recsys', $columns, 'after a failed merge');

$node->stop;
done_testing();
