# When items are bought again: the same by whichever way an index is built, with workers,
# in little memory and on disk; after merges that are killed in the middle; on a standby.
# test/sql/rhythm.sql compares it with the table.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

$RecsysTest::users = 500;
$RecsysTest::products = 300;

my $primary = new_node('primary', 'shared_buffers = 32MB', 'max_parallel_workers = 8', 'max_worker_processes = 16',
	'min_parallel_table_scan_size = 0', 'restart_after_crash = on', 'wal_keep_size = 2GB', "wal_consistency_checking = 'generic'");
my $all = 'user_id, product_id, quantity, purchased_at';

# several rows of the same pair, within the hour and later, returns, and one user with very many
create_purchases($primary, 60000);
$primary->safe_psql('postgres', q(
	ALTER TABLE purchases SET (parallel_workers = 2);
	INSERT INTO purchases SELECT user_id, product_id, 1, purchased_at + interval '10 days' FROM purchases WHERE user_id % 3 = 0;
	INSERT INTO purchases SELECT user_id, product_id, -1, purchased_at FROM purchases WHERE user_id % 50 = 0;
	INSERT INTO purchases SELECT 7, 1 + i % 20, CASE WHEN i % 6 > 0 THEN 1 END, '2020-01-01'::timestamptz + (i * 7919 % 100003) * interval '7 minutes'
	FROM generate_series(1, 80000) i;
	UPDATE purchases SET purchased_at = NULL WHERE user_id % 19 = 4;
	DELETE FROM purchases WHERE user_id % 17 = 3;
	ANALYZE purchases));

sub rhythm
{
	my ($node, $index) = @_;

	return $node->safe_psql('postgres', "SELECT * FROM recsys.item_rhythm('$index') ORDER BY item_id");
}

# Builds with so many workers and so much memory; returns the rhythm, and what DEBUG1 says.
sub build
{
	my ($workers, $memory, $with) = @_;
	my $stderr;

	$primary->psql('postgres', qq(
		DROP INDEX IF EXISTS built_recsys;
		SET maintenance_work_mem = '$memory';
		SET max_parallel_maintenance_workers = $workers;
		SET client_min_messages = debug1;
		CREATE INDEX built_recsys ON purchases USING recsys ($all) $with), stderr => \$stderr, on_error_die => 1);
	check_clean($primary, 'built_recsys', "$with, $workers workers, $memory: check_index");
	return (rhythm($primary, 'built_recsys'), $stderr);
}

my ($serial) = build(0, '64MB', '');
cmp_ok($primary->safe_psql('postgres', q(SELECT sum(gaps) FROM recsys.item_rhythm('built_recsys'))), '>', 20000, 'items are bought again');
foreach my $how ([ 2, '64MB', '', qr/scanned with [12] of 2/ ], [ 0, '4MB', '', qr/sorting on disk/ ], [ 2, '4MB', '', qr/sorting on disk/ ],
	[ 2, '64MB', 'WITH (similarity = popular)', qr/scanned with [12] of 2/ ], [ 2, '4MB', 'WITH (similarity = rp3beta, user_damping = 0.5)', qr/sorting on disk/ ],
	[ 2, '64MB', 'WITH (similarity = als, rank = 8, iterations = 2)', qr/scanned with [12] of 2/ ],
	[ 2, '64MB', 'WITH (similarity = slim, candidates = 20, neighbors = 10)', qr/scanned with [12] of 2/ ],
	[ 2, '64MB', 'WITH (similarity = auto)', qr/scanned with [12] of 2/ ])
{
	my ($workers, $memory, $with, $said) = @$how;
	my ($got, $messages) = build($workers, $memory, $with);

	like($messages, $said, "$with, $workers workers, $memory: as planned");
	same_answers($got, $serial, "$with, $workers workers, $memory: the same rhythm");
}
$primary->safe_psql('postgres', 'DROP INDEX built_recsys');

# a standby
$primary->safe_psql('postgres', "CREATE INDEX purchases_recsys ON purchases USING recsys ($all) WITH (similarity = cosine)");
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# A change; then the index has the rhythm of one that is built anew, on the standby as well.
sub change
{
	my ($name, @sql) = @_;

	$primary->safe_psql('postgres', join(";\n", @sql)) if @sql;
	$primary->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) purchases');
	$primary->safe_psql('postgres', "SELECT recsys.merge('purchases_recsys', true)");
	$primary->safe_psql('postgres', "CREATE INDEX fresh_recsys ON purchases USING recsys ($all) WITH (similarity = cosine)");
	my $fresh = rhythm($primary, 'fresh_recsys');

	$primary->safe_psql('postgres', 'DROP INDEX fresh_recsys');
	$primary->wait_for_catchup($standby);
	same_answers(rhythm($primary, 'purchases_recsys'), $fresh, "$name: the rhythm of a new index");
	same_answers(rhythm($standby, 'purchases_recsys'), $fresh, "$name: on the standby");
	check_clean($primary, 'purchases_recsys', "$name: check_index");
	check_clean($standby, 'purchases_recsys', "$name: check_index on the standby");
}

my $again = q(INSERT INTO purchases SELECT user_id, product_id, 1, purchased_at + interval '40 days' FROM purchases
	WHERE user_id % 9 = 2 AND purchased_at < '2025-02-01');
change('built');
change('bought again', $again);
change('later', q(UPDATE purchases SET purchased_at = purchased_at + interval '3 hours' WHERE user_id % 13 = 5));
change('returned', q(INSERT INTO purchases SELECT user_id, product_id, -1000, now() FROM purchases WHERE user_id % 31 = 6));
change('gone', q(DELETE FROM purchases WHERE user_id % 10 = 9));
is(($standby->psql('postgres', q(BEGIN READ ONLY; SELECT count(*) > 10 FROM recsys.item_rhythm('purchases_recsys'))))[1], 't',
	'a read-only transaction on the standby');

# killed in the middle of a merge: the rows and their total are those of one moment
my $faults = $primary->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault'));
foreach my $point ($faults ? ('merge-page-written:kill:3', 'merge-recounted:kill', 'merge-users:kill', 'merge-removed:kill') : ())
{
	my $offset = -s $primary->logfile;

	$primary->safe_psql('postgres', $again);
	my ($status) = $primary->psql('postgres', "SET recsys.fault = '$point'; SELECT recsys.merge('purchases_recsys', true)");
	note("$point was not reached") if $status == 0;
	is_back($primary, $offset) if $status != 0;
	check_clean($primary, 'purchases_recsys', "$point: check_index");
	change($point);
}

# and the server as a whole, which leaves changes that no merge has seen
$primary->safe_psql('postgres', $again);
kill_server($primary);
$primary->start;
check_clean($primary, 'purchases_recsys', 'a killed server: check_index');
change('a killed server');

$standby->stop;
$primary->stop;
done_testing();
