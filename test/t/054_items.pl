# An index over items survives a server that dies at any step of an insert, a VACUUM or a
# merge: it passes every check, and merges go on to the graph of a new index, though the
# items have changed again in between.  A standby gives the same answers, while and after
# its primary merges.  Four clients insert, change, delete and roll back beside merges.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary', "wal_consistency_checking = 'generic'", 'restart_after_crash = on', 'client_min_messages = warning');
my $columns = 'goods USING recsys_items (id, category text_label_ops, price, embedding) WITH (neighbors = 5)';
my $faults = $node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) ne '0';

# Goods, of which some have the same key
sub more
{
	my ($count, $keys) = @_;

	return qq(INSERT INTO goods SELECT 1 + floor($keys * random()), 'c' || floor(6 * random()),
		round((10 * exp(random()))::numeric, 1), ARRAY(SELECT (random() - 0.3)::real FROM generate_series(1, 4) WHERE i = i)
		FROM generate_series(1, $count) i);
}

my $graph = q(SELECT * FROM item_similarity('goods_recsys') ORDER BY item_id, rank);
my $similar = q(SELECT i, s.* FROM generate_series(1, 320, 7) i, LATERAL similar_items(i::bigint, 5, 'goods_recsys') s ORDER BY i, rank);
my $exact = q(SELECT recsys.merge('goods_recsys', exact => true));
my $bounded = q(SET recsys.merge_budget = 0; SELECT recsys.merge('goods_recsys'));

sub equals_new
{
	my ($name) = @_;

	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) goods');
	$node->safe_psql('postgres', $exact);
	check_clean($node, 'goods_recsys', "$name: check_index after an exact merge");
	$node->safe_psql('postgres', "CREATE INDEX goods_fresh ON $columns");
	same_answers($node->safe_psql('postgres', $graph), $node->safe_psql('postgres', $graph =~ s/goods_recsys/goods_fresh/r),
		"$name: the index equals a new one");
	$node->safe_psql('postgres', 'DROP INDEX goods_fresh');
}

$node->safe_psql('postgres', 'CREATE TABLE goods (id bigint, category text, price numeric, embedding real[], note text)');
$node->safe_psql('postgres', more(500, 300));
$node->safe_psql('postgres', "CREATE INDEX goods_recsys ON $columns");

# A statement that dies at a point, for the countdown-th time; then other changes of the same
# items, and the statement again
sub fault
{
	my ($point, $sql, $countdown) = @_;
	my $name = defined $countdown ? "$point, time $countdown" : $point;
	my $offset = -s $node->logfile;
	my ($status) = $node->psql('postgres', "SET recsys.fault = '$point:kill:" . ($countdown // 1) . "'; $sql");

	isnt($status, 0, "$name: the server dies there") or return;
	is_back($node, $offset) or BAIL_OUT('the server does not come back');
	check_clean($node, 'goods_recsys', "$name: check_index after recovery");
	$node->safe_psql('postgres', 'UPDATE goods SET price = price + 1 WHERE random() < 0.1');
	($status, undef, my $stderr) = $node->psql('postgres', $sql);
	is($status, 0, "$name: the same statement again") or diag($stderr);
	check_clean($node, 'goods_recsys', "$name: check_index after it");
}

# Many changes for a merge to take
sub change
{
	$node->safe_psql('postgres', more(40, 320));
	$node->safe_psql('postgres', q(UPDATE goods SET category = 'c1', price = price * 1.3 WHERE random() < 0.1));
	$node->safe_psql('postgres', 'DELETE FROM goods WHERE random() < 0.05');
}

if ($faults)
{
	fault('item-created', 'INSERT INTO goods (id) VALUES (1000)');
	fault('insert-content', 'INSERT INTO goods (id, price) VALUES (1, 10)');
	fault('insert-entry', 'INSERT INTO goods (id, price) VALUES (1, 10)');
	fault('content-page-added', more(300, 300));
	equals_new('inserts');

	foreach my $case ([ 'content-listed' ], [ 'content-pruned' ], [ 'content-pruned', 2 ], [ 'vacuum-bucket' ])
	{
		$node->safe_psql('postgres', more(200, 300));
		$node->safe_psql('postgres', q(SELECT recsys.merge('goods_recsys')));
		$node->safe_psql('postgres', 'DELETE FROM goods WHERE random() < 0.6');
		fault($case->[0], 'VACUUM (INDEX_CLEANUP on) goods', $case->[1]);
	}
	equals_new('vacuum');

	foreach my $case ([ 'items-read' ], [ 'items-flagged' ], [ 'items-patched' ], [ 'merge-page-written' ],
		[ 'merge-page-written', 3 ], [ 'content-moved' ], [ 'content-moved', 20 ], [ 'items-moved' ], [ 'items-rows' ],
		[ 'content-floors' ], [ 'items-merged' ], [ 'items-removed' ], [ 'items-queue' ], [ 'merge-queued' ])
	{
		change();
		$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) goods') if $case->[0] eq 'items-queue';
		change();
		fault($case->[0], $case->[0] =~ /queued/ ? $bounded : $exact, $case->[1]);
	}
	equals_new('merge');

	# a merge that is cut short by an error, and one by a cancellation
	change();
	my (undef, undef, $stderr) = $node->psql('postgres', "SET recsys.fault = 'items-moved:error'; $exact");
	like($stderr, qr/recsys: fault at items-moved/, 'items-moved: an error');
	$node->safe_psql('postgres', 'DELETE FROM goods WHERE random() < 0.1; VACUUM (INDEX_CLEANUP on) goods');
	check_clean($node, 'goods_recsys', 'check_index after an error');
	change();
	(undef, undef, $stderr) = $node->psql('postgres', "SET statement_timeout = '500ms'; SET recsys.fault = 'items-flagged:wait'; $exact");
	like($stderr, qr/statement timeout/, 'items-flagged: waits until it is cancelled');
	check_clean($node, 'goods_recsys', 'check_index after a cancellation');
	equals_new('errors');
}

# A standby answers as its primary does, after every kind of change
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\n");
$standby->start;

sub same_on_standby
{
	my ($name) = @_;

	$node->wait_for_catchup($standby);
	same_answers($standby->safe_psql('postgres', "$graph; $similar"), $node->safe_psql('postgres', "$graph; $similar"), "$name: same answers");
	check_clean($standby, 'goods_recsys', "$name: check_index on the standby");
}
foreach my $case ([ 'insert', more(50, 330) ], [ 'update', q(UPDATE goods SET category = 'c2' WHERE random() < 0.1) ],
	[ 'merge', $exact ], [ 'delete', 'DELETE FROM goods WHERE random() < 0.3' ], [ 'VACUUM', 'VACUUM (INDEX_CLEANUP on) goods' ],
	[ 'used again', more(100, 330) ], [ 'merge of these', $exact ], [ 'REINDEX', 'REINDEX INDEX CONCURRENTLY goods_recsys' ])
{
	$node->safe_psql('postgres', $case->[1]);
	same_on_standby($case->[0]);
}

# Four clients, transactions with savepoints that are kept or rolled back, and merges beside
my $write = PostgreSQL::Test::Utils::tempdir() . '/write.sql';
my $merge = PostgreSQL::Test::Utils::tempdir() . '/merge.sql';
my $read = PostgreSQL::Test::Utils::tempdir() . '/read.sql';
append_to_file($write, q(
	\set id random(1, 330)
	\set keep random(0, 2)
	\set commit random(0, 3)
	BEGIN;
	INSERT INTO goods VALUES (:id, 'c' || :id % 7, 1 + :id % 20, ARRAY[:id, 1, :id % 13, 2]::real[]);
	UPDATE goods SET price = price + 1 WHERE id = :id + 1;
	SAVEPOINT a;
	DELETE FROM goods WHERE id = :id + 2;
	UPDATE goods SET category = 'c1' WHERE id = :id;
	\if :keep
	RELEASE a;
	\else
	ROLLBACK TO a;
	\endif
	\if :commit
	COMMIT;
	\else
	ROLLBACK;
	\endif
	));
append_to_file($merge, qq(SELECT recsys.merge('goods_recsys');\nVACUUM goods;\n\\sleep 50 ms\n));
append_to_file($read, qq(\\set id random(1, 330)\nSELECT * FROM similar_items(:id, 5, 'goods_recsys');\n));
my $writes = pgbench($node, 6, 5, '-f', "$write\@20", '-f', "$merge\@1", '-f', "$read\@5");
my $reads = pgbench($standby, 6, 1, '-f', $read);
ok($writes->finish, 'clients write, read, vacuum and merge') or diag(slurp_file($writes->{recsys_log}));
ok($reads->finish, 'the standby answers meanwhile') or diag(slurp_file($reads->{recsys_log}));
check_clean($node, 'goods_recsys', 'check_index after all clients');
equals_new('clients');
same_on_standby('clients');
unlike(slurp_file($standby->logfile) . slurp_file($node->logfile), qr/inconsistent page|PANIC|TRAP:|corrupt/, 'nothing alarming in the logs');

$standby->stop;

# The worker merges what sessions insert
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'recsys'\nrecsys.merge_interval = '100ms'\n");
$node->restart;
$node->safe_psql('postgres', more(30, 340));
ok($node->poll_query_until('postgres', q(SELECT pending = 0 FROM recsys.index_stats WHERE index_name = 'goods_recsys')), 'the worker merges');
check_clean($node, 'goods_recsys', 'check_index after the worker');

$node->stop('immediate');
done_testing();
