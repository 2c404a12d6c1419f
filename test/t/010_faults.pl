# A server that dies at any of the fault points recovers to an index that passes
# every check, holds what the table holds, and can go on.  See src/fault.h.
#
# For each point: a statement that reaches it, whose process is killed there; the
# other processes go with it and the server recovers.  Then the checks, then the
# same statement again, which has to succeed.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

$RecsysTest::users = 120;
$RecsysTest::products = 80;

my $node = new_node('primary', 'restart_after_crash = on', 'client_min_messages = warning');
my ($status, undef, $stderr) = $node->psql('postgres', q(LOAD 'recsys'; SET recsys.fault = 'nonsense'));

if ($status == 0 || $stderr !~ /recsys\.fault/)
{
	$node->psql('postgres', q(SET recsys.fault = 'nonsense'));
}
if ($node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) eq '0')
{
	$node->stop;
	plan(skip_all => 'the module was built without fault points (make RECSYS_FAULTS=1)');
}
like($stderr, qr/invalid value for parameter "recsys.fault"/, 'a fault is named by point and action');

my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';

# Keys so long that a directory page covers few of them
my $long = "repeat(md5(i::text), 15)";

# Runs the statement with the fault armed; did the server die at the point?
sub dies_at
{
	my ($fault, $sql) = @_;
	my ($status, undef, $stderr) = $node->psql('postgres', "SET recsys.fault = '$fault:kill'; $sql");

	return $status != 0 && $stderr =~ /terminat|closed the connection|connection to server was lost/;
}

# One point: fault, statement, what to look at afterwards
sub fault
{
	my ($point, $sql, %how) = @_;
	my $index = $how{index} // 'purchases_recsys';
	my $countdown = $how{countdown} // 1;
	my $offset = -s $node->logfile;

	ok(dies_at($point, $sql), "$point: the server dies there") if $countdown == 1;
	if ($countdown > 1)
	{
		my ($status) = $node->psql('postgres', "SET recsys.fault = '$point:kill:$countdown'; $sql");
		isnt($status, 0, "$point, time $countdown: the server dies there");
	}
	is_back($node, $offset) or BAIL_OUT('the server does not come back');
	check_clean($node, $index, "$point: check_index after recovery") unless $how{no_index};
	($status, undef, $stderr) = $node->psql('postgres', $sql);
	is($status, 0, "$point: the same statement again") or diag($stderr);
	check_clean($node, $index, "$point: check_index after it");
}

create_purchases($node, 4000);

# Build
foreach my $point (qw(build-scanned build-user build-item build-graph-row build-written build-logged))
{
	fault($point, "CREATE INDEX purchases_recsys ON $columns", no_index => 1);
	$node->safe_psql('postgres', 'DROP INDEX purchases_recsys') unless $point eq 'build-logged';
}
fault('build-item', 'REINDEX INDEX purchases_recsys');

# Insert: known keys, a new user, a new item, more of them than the last map leaf or page takes
fault('insert-posting', 'INSERT INTO purchases VALUES (1, 1, 1, now())');
fault('insert-user', 'INSERT INTO purchases VALUES (1, 1, 1, now())');
fault('insert-posting', 'INSERT INTO purchases VALUES (100001, 1, 1, now())');
fault('item-created', 'INSERT INTO purchases VALUES (1, 100001, 1, now())');
fault('item-graph-page', 'INSERT INTO purchases SELECT 1 + i % 100, 200000 + i, 1, now() FROM generate_series(1, 500) i');
fault('item-map-leaf', 'INSERT INTO purchases SELECT 1 + i % 100, 300000 + i, 1, now() FROM generate_series(1, 2000) i');
fault('chain-page-added', 'INSERT INTO purchases SELECT 2, 1 + i % 80, 1, now() FROM generate_series(1, 3000) i');
fault('tail-moved', 'INSERT INTO purchases SELECT 3, 1 + i % 80, 1, now() FROM generate_series(1, 3000) i');
fault('tail-moved', 'INSERT INTO purchases SELECT 3, 1 + i % 80, 1, now() FROM generate_series(1, 3000) i', countdown => 4);
fault('split-page-added', 'INSERT INTO purchases SELECT 400000 + i, 1, 1, now() FROM generate_series(1, 500) i');
fault('split-bucket', 'INSERT INTO purchases SELECT 500000 + i, 1, 1, now() FROM generate_series(1, 2000) i');
fault('split-bucket', 'INSERT INTO purchases SELECT 600000 + i, 1, 1, now() FROM generate_series(1, 5000) i', countdown => 7);
scans_agree($node, 'inserts');
recommend_agrees($node, 'purchases_recsys', 'inserts: recommend by its definition');
equals_new_index($node, 'purchases_recsys', $columns, 'inserts');

# Vacuum: chain pages that become shorter and empty, buckets, the last look
sub deletion
{
	my ($where, $point, %how) = @_;

	$node->safe_psql('postgres', "DELETE FROM purchases WHERE $where");
	fault($point, 'VACUUM (INDEX_CLEANUP on, TRUNCATE off) purchases', %how);
}
deletion('user_id IN (2, 3) AND product_id % 3 = 0', 'vacuum-chain-pruned');
deletion('user_id IN (2, 3) AND product_id % 7 = 1', 'vacuum-chain-pruned', countdown => 5);
deletion('user_id IN (2, 3)', 'vacuum-chain-freed');
deletion('user_id BETWEEN 500000 AND 501000', 'vacuum-bucket', countdown => 3);
deletion('user_id BETWEEN 600000 AND 601000', 'vacuum-cleanup');
scans_agree($node, 'vacuum');
recommend_agrees($node, 'purchases_recsys', 'vacuum: recommend by its definition');
equals_new_index($node, 'purchases_recsys', $columns, 'vacuum');

# Merge: with and without a budget for popular items, which are queued without
if ($node->safe_psql('postgres', q(SELECT to_regproc('recsys.merge') IS NOT NULL)) eq 't')
{
	# the many users of the splits are not needed any more
	$node->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id >= 400000');
	$node->safe_psql('postgres', 'VACUUM purchases');

	my $exact = q(SELECT recsys.merge('purchases_recsys', true));
	my $bounded = q(SET recsys.merge_budget = 0; SELECT recsys.merge('purchases_recsys'));

	foreach my $case ([ 'merge-read', $exact ], [ 'merge-recounted', $exact ], [ 'merge-round', $exact ],
		[ 'merge-page-written', $exact ], [ 'merge-page-written', $exact, 5 ], [ 'merge-row-moved', $exact ],
		[ 'merge-users', $exact ], [ 'merge-removed', $exact ], [ 'merge-queued', $bounded ],
		[ 'merge-page-written', $bounded ], [ 'merge-removed', $bounded ], [ 'merge-queue', $bounded ],
		[ 'merge-queue', $exact ])
	{
		my ($point, $sql, $countdown) = @$case;

		insert_purchases($node, 400);
		$node->safe_psql('postgres', q(INSERT INTO purchases SELECT 800000 + i % 40, 800000 + i / 40, 1, now()
			FROM generate_series(0, 3999) i)) if $point eq 'merge-row-moved';
		$node->safe_psql('postgres', 'DELETE FROM purchases WHERE random() < 0.02');
		fault($point, $sql, countdown => $countdown // 1);
	}
	recommend_agrees($node, 'purchases_recsys', 'merge: recommend by its definition');
	equals_new_index($node, 'purchases_recsys', $columns, 'merge');

	# vacuum merges too
	insert_purchases($node, 400);
	deletion('user_id % 10 = 3', 'merge-recounted');
	equals_new_index($node, 'purchases_recsys', $columns, 'vacuum and merge');
}

# Errors at points where locks are held leave the session usable.
foreach my $point (qw(batch-items item-created split-bucket tail-moved))
{
	my ($status, undef, $stderr) = $node->psql('postgres', qq(
		SET recsys.fault = '$point:error';
		INSERT INTO purchases SELECT CASE WHEN i % 2 = 0 THEN 4 ELSE 700000 + i END,
			CASE WHEN i % 3 = 0 THEN 700000 + i ELSE 1 END, 1, now() FROM generate_series(1, 4000) i;
		RESET recsys.fault;
		INSERT INTO purchases VALUES (4, 1, 1, now());));
	like($stderr, qr/recsys: fault at $point/, "$point: an error");
	check_clean($node, 'purchases_recsys', "$point: check_index after an error");
	$node->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id >= 700000');
}
$node->safe_psql('postgres', 'VACUUM purchases');
check_clean($node, 'purchases_recsys', 'errors: check_index after vacuum');

# Waiting can be cancelled, though a lock is held.
my $begin = time;
($status, undef, $stderr) = $node->psql('postgres', q(
	SET statement_timeout = '300ms'; SET recsys.fault = 'tail-moved:wait';
	INSERT INTO purchases SELECT 5, 1 + i % 80, 1, now() FROM generate_series(1, 3000) i));
like($stderr, qr/statement timeout/, 'tail-moved: waits until it is cancelled');
check_clean($node, 'purchases_recsys', 'tail-moved: check_index after the wait');

# Directory pages: keys so long that their buckets soon fill one, then its children
$node->safe_psql('postgres', q(CREATE TABLE visits (visitor text, page text)));
$node->safe_psql('postgres', qq(INSERT INTO visits SELECT $long, 'p' || i % 20 FROM generate_series(1, 9500) i));
$node->safe_psql('postgres', 'CREATE INDEX visits_recsys ON visits USING recsys (visitor, page)');
fault('split-root', "INSERT INTO visits SELECT $long, 'p1' FROM generate_series(10001, 26000) i", index => 'visits_recsys');
fault('split-directory', "INSERT INTO visits SELECT $long, 'p1' FROM generate_series(30001, 60000) i", index => 'visits_recsys');
$node->safe_psql('postgres', 'VACUUM visits');
check_clean($node, 'visits_recsys', 'directory: check_index after vacuum');

$node->stop;
done_testing();
