# Builds of items indexes: whoever scans and compares, and however little memory there is, the
# graph is the same.  Rows that others write meanwhile are there.  An error or a cancellation
# leaves nothing behind.  What a build does can be watched.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RecsysTest;

my $node = new_node('primary', 'max_parallel_workers = 8', 'max_worker_processes = 16',
	'min_parallel_table_scan_size = 0', 'client_min_messages = warning');
my $graph = q(SELECT md5(string_agg(x::text, E'\n' ORDER BY item_id, rank)), count(*) FROM item_similarity('%s') x);
my $columns = 'id, category text_label_ops, tags, title, price, listed, embedding';

$node->safe_psql('postgres', q(
	CREATE TABLE goods (id bigint, category text, tags text[], title text, price numeric, listed date, embedding real[])
		WITH (parallel_workers = 2);
	INSERT INTO goods SELECT i * 37 % 20011, 'c' || floor(9 * random()),
		ARRAY(SELECT 't' || floor(40 * random() * random()) FROM generate_series(0, i % 4)),
		(SELECT string_agg('w' || floor(900 * random() * random()), ' ') FROM generate_series(0, i % 7)),
		round(exp(5 * random())::numeric, 2), DATE '2024-01-01' + (random() * 300)::int,
		ARRAY(SELECT (random() - 0.4)::real FROM generate_series(1, 24) WHERE i = i)
	FROM generate_series(1, 6000) i;
	INSERT INTO goods SELECT id, 'twice' FROM goods WHERE id % 11 = 0;
	INSERT INTO goods SELECT NULL, 'without a key' FROM generate_series(1, 50);
	DELETE FROM goods WHERE id % 13 = 1;
	UPDATE goods SET price = 2 WHERE id % 17 = 3;
	CREATE FUNCTION slowly(text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
		'BEGIN PERFORM pg_sleep(0.001); RETURN $1; END';
	CREATE FUNCTION in_worker(text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
		'BEGIN IF current_setting(''application_name'') = ''break'' AND $1 LIKE ''%w7%'' THEN RAISE ''title % is broken'', $1; END IF; RETURN $1; END';
	ANALYZE goods));

# Builds an index; returns what DEBUG1 says, and the graph.
sub build
{
	my ($workers, %how) = @_;
	my $memory = $how{memory} // '64MB';
	my $exact = $how{exact} // 200000;
	my $built = $how{columns} // $columns;
	my $stderr;

	$node->psql('postgres', qq(
		DROP INDEX IF EXISTS goods_recsys;
		SET maintenance_work_mem = '$memory';
		SET max_parallel_maintenance_workers = $workers;
		SET recsys.exact_items = $exact;
		SET client_min_messages = debug1;
		CREATE INDEX goods_recsys ON goods USING recsys_items ($built) WITH (neighbors = 15)), stderr => \$stderr, on_error_die => 1);
	check_clean($node, 'goods_recsys', $how{name});
	return ($stderr, $node->safe_psql('postgres', sprintf($graph, 'goods_recsys')));
}

my ($messages, $serial) = build(0, name => 'one process');
unlike($messages, qr/planned workers/, 'one process: no workers');
($messages, my $parallel) = build(2, name => 'workers', memory => '128MB');
like($messages, qr/table scanned with [12] of 2 planned workers/, 'workers scan');
is($parallel, $serial, 'workers: the same graph');
foreach my $memory ('1MB', '3MB')
{
	(undef, my $small) = build(0, name => $memory, memory => $memory);
	is($small, $serial, "$memory: the same graph");
}
(undef, my $expression) = build(2, name => 'expressions', columns => $columns =~ s/title/(lower(title))/r);
is($expression, $serial, 'expressions: the same graph');

# clusters: the same ones whoever works, and nearly the same neighbors
(undef, my $clustered) = build(0, name => 'clusters', exact => 2000);
$node->safe_psql('postgres', q(CREATE TABLE kept AS SELECT * FROM item_similarity('goods_recsys')));
($messages, my $together) = build(2, name => 'clusters, workers', exact => 2000, memory => '64MB');
is($together, $clustered, 'clusters: workers, the same graph');
build(0, name => 'exact again');
my $recall = $node->safe_psql('postgres', q(
	SELECT avg((k.item_id IS NOT NULL)::int) FROM item_similarity('goods_recsys') g
	LEFT JOIN kept k USING (item_id, similar_item_id) WHERE g.rank <= 10));
note("recall at 10 of clusters: $recall");
cmp_ok($recall, '>', 0.6, 'clusters: most of the best neighbors are found');

# others write meanwhile; labels and numbers do not depend on what others there are
my $writers = start_pgbench($node, 2,
	[ "INSERT INTO goods (id, category, price) VALUES (30000 + (random() * 500)::int, 'new', 5);\n", 3 ],
	[ "UPDATE goods SET price = price + 1 WHERE id = (random() * 20000)::int;\n", 2 ],
	[ "DELETE FROM goods WHERE id = 30000 + (random() * 500)::int;\n", 1 ]);
sleep 0.5;
$node->safe_psql('postgres', "SET max_parallel_maintenance_workers = 2;
	CREATE INDEX CONCURRENTLY beside_recsys ON goods USING recsys_items (id, category text_label_ops, price, embedding) WITH (neighbors = 15)");
sleep 0.5;
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY beside_recsys');
sleep 0.5;
$writers->signal('INT');
finish($writers);
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) goods');
$node->safe_psql('postgres', q(SELECT recsys.merge('beside_recsys', exact => true)));
check_clean($node, 'beside_recsys', 'built beside writers: check_index');
$node->safe_psql('postgres', 'CREATE INDEX fresh_recsys ON goods USING recsys_items (id, category text_label_ops, price, embedding) WITH (neighbors = 15)');
is($node->safe_psql('postgres', sprintf($graph, 'beside_recsys')), $node->safe_psql('postgres', sprintf($graph, 'fresh_recsys')),
	'built beside writers: the graph of a new index');
$node->safe_psql('postgres', 'DROP INDEX beside_recsys, fresh_recsys');

# What a build could leave behind: processes, shared memory, files, locks
sub remains
{
	my $deadline = time + 10;
	my $workers = q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker');

	sleep 0.02 while $node->safe_psql('postgres', $workers) ne '0' && time < $deadline;
	return join(' ', $node->safe_psql('postgres', $workers),
		scalar(grep { !/mmap\.0*$/ } glob($node->data_dir . '/pg_dynshmem/*')),
		scalar(glob($node->data_dir . '/base/pgsql_tmp/*') // ''),
		$node->safe_psql('postgres', q(SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND locktype = 'relation'
			AND relation::regclass::text LIKE 'goods%')));
}
my $nothing = remains();

my ($status, undef, $stderr) = $node->psql('postgres', qq(
	SET max_parallel_maintenance_workers = 2; SET application_name = 'break';
	CREATE INDEX broken_recsys ON goods USING recsys_items (id, in_worker(title))));
isnt($status, 0, 'an error in the scan');
like($stderr, qr/title .* is broken/, 'an error in the scan is reported');
is(remains(), $nothing, 'an error in the scan leaves nothing behind');

# vectors of two processes that differ are found out by the leader
$node->safe_psql('postgres', 'CREATE TABLE uneven AS SELECT id, embedding FROM goods;
	ALTER TABLE uneven SET (parallel_workers = 2); UPDATE uneven SET embedding = embedding[1:3] WHERE id % 2 = 0');
($status, undef, $stderr) = $node->psql('postgres', 'SET max_parallel_maintenance_workers = 2;
	CREATE INDEX uneven_recsys ON uneven USING recsys_items (id, embedding)');
like($stderr, qr/has (3|24) dimensions, others have (3|24)/, 'vectors that differ');
is(remains(), $nothing, 'vectors that differ leave nothing behind');

# cancelled in all phases
foreach my $how ([ 0, '64MB', 200000 ], [ 2, '128MB', 200000 ], [ 2, '64MB', 2000 ])
{
	my ($workers, $memory, $exact) = @$how;
	my $build = "SET maintenance_work_mem = '$memory'; SET max_parallel_maintenance_workers = $workers; SET recsys.exact_items = $exact;
		CREATE INDEX cancelled_recsys ON goods USING recsys_items ($columns)";
	my ($hits, $slowest) = (0, 0);
	my ($status, $stderr, $whole) = timed($node, $build);

	is($status, 0, "a build by $workers workers") or diag($stderr);
	foreach my $fraction (0.05, 0.15, 0.3, 0.5, 0.7)
	{
		my $timeout = 1 + int(1000 * $whole * $fraction);

		$node->safe_psql('postgres', 'DROP INDEX IF EXISTS cancelled_recsys');
		($status, $stderr, my $took) = timed($node, "SET statement_timeout = $timeout; $build");
		next unless $stderr =~ /statement timeout/;
		$hits++;
		$slowest = $took - $timeout / 1000 if $took - $timeout / 1000 > $slowest;
	}
	$node->safe_psql('postgres', 'DROP INDEX IF EXISTS cancelled_recsys');
	note(sprintf 'a build takes %.2f s, cancelled %d times, at most %.2f s late', $whole, $hits, $slowest);
	cmp_ok($hits, '>=', 2, "$workers workers, exact up to $exact: builds are cancelled");
	cmp_ok($slowest, '<', $ENV{ASAN_OPTIONS} ? 5 : 1, 'in time');
	is(remains(), $nothing, 'and leave nothing behind');
}

# progress
my $run = start_psql($node, "SET max_parallel_maintenance_workers = 0;
	CREATE INDEX watched_recsys ON goods USING recsys_items (id, slowly(title), embedding)");
my (%phases, $ahead);
while ($run->pumpable)
{
	my ($phase, $done, $total) = split /\|/, $node->safe_psql('postgres',
		'SELECT phase, tuples_done, tuples_total FROM pg_stat_progress_create_index');

	$phases{$phase} = 1 if defined $phase;
	$ahead = 1 if defined $phase && $done > $total && $total > 0;
	$run->pump_nb;
	sleep 0.002;
}
ok(finish($run), 'a build that is watched');
ok($phases{'building index: scanning table'}, 'it scans the table') or diag(join ', ', keys %phases);
ok($phases{'building index: computing item graph'}, 'it computes the graph') or diag(join ', ', keys %phases);
ok(!$ahead, 'no more is done than there is to do');

# pgvector's types, by their cast
SKIP:
{
	skip 'pgvector is not installed', 3
	  if $node->safe_psql('postgres', q(SELECT count(*) FROM pg_available_extensions WHERE name = 'vector')) eq '0';

	$node->safe_psql('postgres', 'CREATE EXTENSION vector; CREATE TABLE vectors AS SELECT DISTINCT ON (id) id, embedding,
		embedding::vector(24) AS vector FROM goods WHERE id < 2000 AND embedding IS NOT NULL ORDER BY id, price;
		CREATE INDEX arrays_recsys ON vectors USING recsys_items (id, embedding);
		CREATE INDEX vectors_recsys ON vectors USING recsys_items (id, vector)');
	is($node->safe_psql('postgres', sprintf($graph, 'vectors_recsys')), $node->safe_psql('postgres', sprintf($graph, 'arrays_recsys')),
		'a vector is compared as an array of the same numbers');
	check_clean($node, 'vectors_recsys', 'vector: check_index');
	SKIP:
	{
		skip 'this pgvector has no halfvec', 1 if $node->safe_psql('postgres', q(SELECT to_regtype('halfvec') IS NULL)) eq 't';
		$node->safe_psql('postgres', 'CREATE INDEX halves_recsys ON vectors USING recsys_items (id, (vector::halfvec(24)))');
		cmp_ok($node->safe_psql('postgres', q(SELECT count(*) FROM item_similarity('halves_recsys'))), '>', 1000, 'halfvec');
	}
}

done_testing();
