# Partitioned tables on a standby, through crashes, and through a dump: the same answers as before, and as
# a plain table's.  And what becomes of a partition that is none any more.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use RecsysParts;
use RecsysTest;

my $primary = new_node('primary', "wal_consistency_checking = 'generic'", 'timezone = UTC', 'shared_buffers = 16MB');
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

my $layout = create_layout($primary, 'range');

# Rows from a number on, the same for both tables
sub rows
{
	my ($from, $n) = @_;

	return "INSERT INTO p SELECT i, 1 + i * 37 % 50, 1 + (i * 13 + i / 50 * 7) % 40, 1 + i % 3, '2024-01-01'::timestamptz + i * 29 % 260 * interval '1 day', 'eu' FROM generate_series($from, " . ($from + $n - 1) . ') i';
}

sub compare
{
	my ($name) = @_;

	$primary->wait_for_catchup($standby);
	same_answers(part_answers($standby, 'p'), part_answers($primary, 'p'), "$name: the standby answers as the primary");
	parts_scan($standby, $layout, "$name, standby");
	check_clean($standby, 'p_recsys', "$name: check_index on the standby");
	check_clean($primary, 'p_recsys', "$name: check_index on the primary");
}

sub change
{
	my ($name, @statements) = @_;

	$primary->safe_psql('postgres', join(";\n", @statements));
	compare($name);
}

on_both($primary, rows(1, 1500));
$primary->safe_psql('postgres', "CREATE INDEX ${_}_recsys ON $_ USING recsys $layout->{index} WITH (min_support = 1)") foreach 'p', 'q';
compare('build');
change('insert', both(rows(2000, 300)));
change('rows move', both("UPDATE p SET at = at + interval '40 days' WHERE id % 7 = 0"));
change('delete and vacuum', both('DELETE FROM p WHERE id % 5 = 2'), 'VACUUM (INDEX_CLEANUP on) p', 'VACUUM (INDEX_CLEANUP on) q');
change('merge', "SELECT recsys.merge('p_recsys', true)");
change('truncate', "DELETE FROM q WHERE $layout->{what}", "TRUNCATE $layout->{leaf}", both(rows(3000, 200)));
change('VACUUM FULL', 'VACUUM FULL p_03');
change('detach', 'ALTER TABLE p DETACH PARTITION p_05', "DELETE FROM q WHERE at >= '2024-05-01' AND at < '2024-06-01'");
change('merge without it', "SELECT recsys.merge('p_recsys', true)");
change('attach', "ALTER TABLE p ATTACH PARTITION p_05 FOR VALUES FROM ('2024-05-01') TO ('2024-06-01')", 'INSERT INTO q TABLE p_05');
change('merge with it', "SELECT recsys.merge('p_recsys', true)");
same_as_plain($primary, $layout, 'after all of that');

is($primary->safe_psql('postgres', q(SELECT pages > 0 AND entries >= 7 FROM recsys.page_summary('p_recsys') WHERE kind = 'chunks')), 't',
	'page_summary tells of chunks');

# promoted, it goes on
$primary->wait_for_catchup($standby);
$standby->promote;
on_both($standby, rows(4000, 200));
same_as_plain($standby, $layout, 'promoted');
$standby->stop;

# A partition that is none any more: its index has nothing, and says so; scans read the table
my $node = $primary;
my $detached = 'p_04';

$node->safe_psql('postgres', "ALTER TABLE p DETACH PARTITION $detached; DELETE FROM q WHERE at >= '2024-04-01' AND at < '2024-05-01'");
my $index = $node->safe_psql('postgres', "SELECT indexrelid::regclass FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam WHERE indrelid = '$detached'::regclass AND amname = 'recsys'");
foreach my $call ("recommend(1, 5, '$index')", "item_similarity('$index')", "recsys.check_index('$index')", "recsys.merge('$index')", "popular_items(5, '$index')")
{
	my ($status, undef, $errors) = $node->psql('postgres', "SELECT * FROM $call");

	ok($status != 0, "$call of a detached partition is refused");
	like($errors, qr/HINT:.*REINDEX INDEX (public\.)?$index/, "$call: the hint is REINDEX");
}
sub scan_detached
{
	my ($name) = @_;

	foreach my $off ('bitmapscan', 'indexscan')
	{
		my ($plan, $scanned, $read) = split /\n---\n/, $node->safe_psql('postgres', qq(
			SET enable_seqscan = off; SET enable_$off = off;
			EXPLAIN (COSTS off) SELECT * FROM $detached WHERE user_id = 7; SELECT '---';
			SELECT count(*), sum(id) FROM $detached WHERE user_id = 7; SELECT '---';
			SET enable_seqscan = on; SET enable_indexscan = off; SET enable_bitmapscan = off;
			SELECT count(*), sum(id) FROM $detached WHERE user_id = 7;));

		like($plan, qr/Index Scan (using|on) $index/, "$name: the index is used without $off");
		is($scanned, $read, "$name: and finds the rows");
		isnt($read, '0|', "$name: there are some");
	}
}
scan_detached('detached');
$node->safe_psql('postgres', "INSERT INTO $detached (id, user_id, item, quantity, at) SELECT 10000 + i, 7, i, 1, '2024-04-02' FROM generate_series(1, 20) i; DELETE FROM $detached WHERE item = 9; VACUUM (INDEX_CLEANUP on) $detached");
scan_detached('detached and written to');
is($node->safe_psql('postgres', qq(SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; CREATE TABLE keys AS SELECT i AS u FROM generate_series(1, 2000) i; ANALYZE keys; ANALYZE $detached;
	EXPLAIN (COSTS off) SELECT count(*) FROM keys JOIN $detached ON user_id = u)) =~ /$index/ ? 1 : 0, 0, 'the planner does not read the table again and again');
same_as_plain($node, $layout, 'the others');
$node->safe_psql('postgres', "REINDEX INDEX $index");
check_clean($node, $index, 'reindexed, it is an index like any other');
scan_detached('reindexed');
is($node->safe_psql('postgres', "SELECT count(*) > 0 FROM recommend(7, 5, '$index')"), 't', 'and answers');
$node->safe_psql('postgres', "ALTER TABLE p ATTACH PARTITION $detached FOR VALUES FROM ('2024-04-01') TO ('2024-05-01'); INSERT INTO q TABLE $detached");
same_as_plain($node, $layout, 'attached again');

# Native scans of the whole's own table find nothing, whatever entries it has
is($node->safe_psql('postgres', q(SELECT format('SET enable_seqscan = off; SELECT count(*) FROM pg_toast.%I WHERE user_id = 7', 'recsys_' || 'p_recsys'::regclass::oid) \gexec)), '0',
	'the table of the whole is empty');
{
	my ($status, undef, $errors) = $node->psql('postgres', q(SELECT format('INSERT INTO pg_toast.%I VALUES (1, 1)', 'recsys_' || 'p_recsys'::regclass::oid) \gexec));

	like($errors, qr/can have no rows/, 'and takes none');
}

# Crashes under load
sub crash
{
	my ($name, @scripts) = @_;
	my $load = start_pgbench($node, 4, @scripts);

	sleep 1.5;
	kill_server($node);
	finish($load);
	$node->start;
	check_clean($node, 'p_recsys', "$name: check_index after the crash");
	parts_scan($node, $layout, $name);
	$node->safe_psql('postgres', 'TRUNCATE q; INSERT INTO q TABLE p; REINDEX INDEX q_recsys');
	same_as_plain($node, $layout, $name);
}

$node->safe_psql('postgres', 'CREATE SEQUENCE ids START 100000');
my $insert = q(
	\set u random(1, 50)
	\set i random(1, 45)
	\set d random(0, 259)
	INSERT INTO p VALUES (nextval('ids'), :u, :i, 1, '2024-01-01'::timestamptz + :d * interval '1 day', 'eu');
);
my $update = q(
	\set m random(0, 400)
	UPDATE p SET at = at + interval '25 days' WHERE id % 401 = :m;
);
my $delete = q(
	\set m random(0, 400)
	DELETE FROM p WHERE id % 401 = :m;
);
crash('writers', [ $insert, 8 ], [ $update, 1 ], [ $delete, 1 ]);
crash('merges and vacuum', [ $insert, 20 ], [ "SELECT recsys.merge('p_recsys');", 1 ], [ 'VACUUM (INDEX_CLEANUP on) p_02;', 1 ], [ $delete, 3 ]);
crash('partitions come and go', [ $insert, 30 ], [ q(BEGIN; LOCK TABLE p IN SHARE ROW EXCLUSIVE MODE; TRUNCATE p_02; COMMIT;), 1 ],
	[ q(BEGIN; LOCK TABLE p IN ACCESS EXCLUSIVE MODE; ALTER TABLE p DETACH PARTITION p_03; DELETE FROM p_03 WHERE id % 3 = 0; ALTER TABLE p ATTACH PARTITION p_03 FOR VALUES FROM ('2024-03-01') TO ('2024-04-01'); COMMIT;), 1 ],
	[ "SELECT recsys.merge('p_recsys');", 1 ]);

# Unlogged partitions are empty after a crash, and so is their index
$node->safe_psql('postgres', q(
	CREATE UNLOGGED TABLE un (user_id bigint, item_id bigint) PARTITION BY LIST (user_id);
	CREATE UNLOGGED TABLE un_1 PARTITION OF un FOR VALUES IN (1, 2, 3);
	CREATE UNLOGGED TABLE un_2 PARTITION OF un DEFAULT;
	INSERT INTO un SELECT 1 + i % 9, 1 + i % 7 FROM generate_series(1, 200) i;
	CREATE INDEX un_recsys ON un USING recsys (user_id, item_id) WITH (min_support = 1);
	SELECT recsys.merge('un_recsys'), recsys.check_index('un_recsys');));
kill_server($node);
$node->start;
check_clean($node, 'un_recsys', 'unlogged: check_index after a crash');
is($node->safe_psql('postgres', q(SELECT count(*) FROM un)), '0', 'unlogged: no rows');
is($node->safe_psql('postgres', q(SELECT count(*) FROM recommend(1, 5, 'un_recsys'))), '0', 'unlogged: nothing is recommended');
$node->safe_psql('postgres', q(INSERT INTO un SELECT 1 + i % 9, 1 + i % 6 FROM generate_series(1, 200) i; SELECT recsys.merge('un_recsys', true)));
check_clean($node, 'un_recsys', 'unlogged: check_index once there are rows again');
is($node->safe_psql('postgres', q(SELECT count(*) > 0 FROM item_similarity('un_recsys'))), 't', 'unlogged: and it answers');
$node->safe_psql('postgres', 'DROP TABLE un');

# Dump and restore: CREATE INDEX ON ONLY, indexes of partitions, ALTER INDEX ATTACH
same_as_plain($node, $layout, 'before the dump');
my $file = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';

$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-f', $file, 'postgres' ], 'pg_dump');
unlike(slurp_file($file), qr/pg_toast|recsys_\d+/, 'the dump has nothing of the whole');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', 'restored', '-f', $file ], 'restore');
{
	my ($status, undef, $errors) = $node->psql('restored', q(SELECT * FROM recommend(7, 5, 'p_recsys')));

	ok($status == 0 || $errors =~ /HINT:.*merge\('(public\.)?p_recsys'\)/, 'restored, it answers, or says what to do') or diag($errors);
	$node->safe_psql('restored', q(SELECT recsys.merge('p_recsys', true)));
	$node->safe_psql('restored', q(SELECT recsys.check_index('p_recsys')));
	my $similar = q(SELECT item_id, similar_item_id, score, support FROM item_similarity('p_recsys') ORDER BY 1, 3 DESC, 2);
	same_answers($node->safe_psql('restored', $similar), $node->safe_psql('postgres', $similar), 'restored and merged: the same graph');
}

$node->safe_psql('postgres', 'DROP TABLE p');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_class WHERE relname ~ '^recsys_[0-9]+')), '0', 'nothing is left of a table that is dropped');
$node->stop;
done_testing();
