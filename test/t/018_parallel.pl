# Parallel builds: whatever the workers do, the index is the one that a single
# process builds; an error or a cancellation ends them and leaves nothing behind.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RecsysTest;

$RecsysTest::users = 800;
$RecsysTest::products = 1200;

my $node = new_node('primary', 'shared_buffers = 64MB', 'max_parallel_workers = 8',
	'max_worker_processes = 16', 'min_parallel_table_scan_size = 0', 'log_temp_files = -1');

# Rows without user or item, deleted and updated ones, users whose rows are all
# over the table, several rows of the same pair
create_purchases($node, 120000);
$node->safe_psql('postgres', q(
	INSERT INTO purchases SELECT NULL, i, 1, now() FROM generate_series(1, 500) i;
	INSERT INTO purchases SELECT i, NULL, 1, now() FROM generate_series(1, 500) i;
	INSERT INTO purchases SELECT user_id, product_id, -1, purchased_at FROM purchases WHERE user_id % 50 = 0;
	DELETE FROM purchases WHERE user_id % 17 = 3 AND product_id % 5 = 1;
	UPDATE purchases SET quantity = 2 WHERE user_id % 19 = 4;
	ALTER TABLE purchases SET (parallel_workers = 2);
	CREATE FUNCTION slowly(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
		'BEGIN PERFORM pg_sleep(0.001); RETURN $1; END';
	CREATE FUNCTION in_worker(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
		'BEGIN IF current_setting(''application_name'') = ''break'' AND $1 > 1100 THEN RAISE ''product % is broken'', $1; END IF; RETURN $1; END';
	CREATE FUNCTION unsafe(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS
		'BEGIN RETURN $1; END';
	ANALYZE purchases));

# Builds an index with so many workers; returns what DEBUG1 says about them.
sub build
{
	my ($workers, $name, $columns, %how) = @_;
	my $memory = $how{memory} // '64MB';
	my $concurrently = $how{concurrently} ? 'CONCURRENTLY' : '';
	my $with = $how{with} // '';
	my $stderr;

	$node->psql('postgres', qq(
		SET maintenance_work_mem = '$memory';
		SET max_parallel_maintenance_workers = $workers;
		SET client_min_messages = debug1;
		CREATE INDEX $concurrently $name ON purchases USING recsys ($columns) $with), stderr => \$stderr, on_error_die => 1);
	return join "\n", grep { /recsys: |NOTICE/ } split /\n/, $stderr;
}

sub graph
{
	my ($index, $text) = @_;
	my $type = $text ? ', NULL::text' : '';

	return $node->safe_psql('postgres', "SELECT * FROM item_similarity('$index'$type) ORDER BY item_id, rank");
}

# One assertion for the workers, for the graph and for the index as such.
sub same_as_serial
{
	my ($name, $columns, %how) = @_;
	my $wanted = $how{wanted} // 2;
	my $messages = build(0, 'serial_recsys', $columns, %how, concurrently => 0);

	unlike($messages, qr/planned workers/, "$name: no workers unless allowed");
	$messages = build(2, 'parallel_recsys', $columns, %how);
	if ($wanted)
	{
		like($messages, qr/table scanned with [12] of 2 planned workers/, "$name: workers scan");
		like($messages, qr/graph computed with [1-$wanted] of 2 planned workers in \d+ (ranges|chunks)/, "$name: workers compute")
		  unless $how{alone};
	}
	else
	{
		unlike($messages, qr/planned workers/, "$name: no workers");
	}
	like($messages, $how{like}, "$name: as planned") if $how{like};
	same_answers(graph('parallel_recsys', $how{text}), graph('serial_recsys', $how{text}), "$name: same graph");
	same_answers(answers($node, 'parallel_recsys'), answers($node, 'serial_recsys'), "$name: same answers") if $how{answers};
	check_clean($node, 'parallel_recsys', "$name: check_index");
	$node->safe_psql('postgres', 'DROP INDEX serial_recsys, parallel_recsys');
}

my $plain = 'user_id, product_id';
my $all = 'user_id, product_id, quantity, purchased_at';

same_as_serial('cosine', $plain);
same_as_serial('users in many blocks', '(user_id * 20 + product_id % 20), (product_id / 4)');
same_as_serial('weighted cosine', $all, answers => 1);
same_as_serial('weights that are no integers', 'user_id, product_id, (coalesce(quantity, 1) / 8192.0)');
same_as_serial('log_likelihood', $plain, with => 'WITH (similarity = log_likelihood, max_history = 40)');
same_as_serial('text', "(user_id::text || ' user'), (product_id::text || repeat('x', (product_id % 100)::int)), quantity", text => 1);
same_as_serial('expression', 'slowly(user_id % 500), (product_id / 3)', with => 'WHERE user_id < 3');
same_as_serial('partial', $all, with => 'WHERE quantity > 1 AND user_id < 600');
same_as_serial('concurrently', $all, answers => 1, concurrently => 1);
same_as_serial('low memory', $plain, memory => '3MB', like => qr/each a pass over the histories/s);
same_as_serial('low memory, weighted', $all, memory => '4MB', like => qr/sorting on disk/);
same_as_serial('rp3beta', $all, with => "WITH (similarity = rp3beta, weighting = bm25, training_half_life = '20 days')");
same_as_serial('rp3beta, low memory', $plain, with => 'WITH (similarity = rp3beta, user_damping = 0.5)', memory => '4MB',
	like => qr/each a pass over the histories/s);
same_as_serial('slim', $all, with => 'WITH (similarity = slim, candidates = 20, neighbors = 10)');
same_as_serial('session', $all, with => 'WITH (similarity = session)');
same_as_serial('session, without weights', 'user_id, product_id, purchased_at', with => 'WITH (similarity = session, user_damping = 0.5)');
same_as_serial('session, low memory', 'user_id, product_id, purchased_at', with => 'WITH (similarity = session)', memory => '4MB',
	like => qr/each a pass over the histories/s);
same_as_serial('spectral', $plain, with => 'WITH (similarity = spectral, rank = 24, neighbors = 20)');
same_as_serial('spectral, weighted', $all, with => 'WITH (similarity = spectral, rank = 150, weighting = bm25)');
same_as_serial('ease', $plain, with => 'WITH (similarity = ease, lambda = 50, neighbors = 20)');
same_as_serial('ease by users', '(user_id % 300), product_id, quantity', with => 'WITH (similarity = ease, neighbors = 20)');
same_as_serial('ease, low memory', $plain, with => 'WITH (similarity = ease, lambda = 50)', memory => '5MB', alone => 1,
	like => qr/exact for the most popular items only/);
same_as_serial('als', $all, with => 'WITH (similarity = als, rank = 16, iterations = 4, neighbors = 20)');
same_as_serial('unsafe expression', 'unsafe(user_id), product_id', wanted => 0);

# other ways to build
my $serial = do
{
	build(0, 'serial_recsys', $all);
	answers($node, 'serial_recsys');
};
build(2, 'purchases_recsys', $all);
$node->safe_psql('postgres', "SET max_parallel_maintenance_workers = 2; SET maintenance_work_mem = '64MB'; $_"),
  same_answers(answers($node, 'purchases_recsys'), $serial, $_),
  check_clean($node, 'purchases_recsys', "$_: check_index")
  foreach 'REINDEX INDEX purchases_recsys', 'REINDEX INDEX CONCURRENTLY purchases_recsys', 'VACUUM FULL purchases',
  'REINDEX TABLE purchases';
$node->safe_psql('postgres', 'SET max_parallel_maintenance_workers = 2;
	CREATE TEMP TABLE temporary AS SELECT * FROM purchases;
	ALTER TABLE temporary SET (parallel_workers = 2);
	CREATE INDEX ON temporary USING recsys (user_id, product_id);');
pass('a temporary table is built by one process');
$node->safe_psql('postgres', "SET max_parallel_maintenance_workers = 2;
	BEGIN; CREATE TABLE emptied (LIKE purchases) WITH (parallel_workers = 2);
	CREATE INDEX ON emptied USING recsys (user_id, product_id);
	INSERT INTO emptied SELECT * FROM purchases; TRUNCATE emptied; COMMIT; SELECT recsys.check_index('emptied_user_id_product_id_idx')");
pass('a truncated table');

# an unprivileged owner, whose functions run as the owner in the workers too
$node->safe_psql('postgres', q(
	CREATE ROLE owner;
	CREATE FUNCTION checked(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
		'BEGIN IF current_user <> ''owner'' THEN RAISE ''run by %'', current_user; END IF; RETURN $1; END';
	CREATE TABLE owned WITH (parallel_workers = 2) AS SELECT * FROM purchases LIMIT 20000;
	ALTER TABLE owned OWNER TO owner;
	SET max_parallel_maintenance_workers = 2;
	CREATE INDEX owned_recsys ON owned USING recsys (checked(user_id), product_id)));
check_clean($node, 'owned_recsys', 'expressions run with the rights of the owner');

# an evaluation reads weights, of which a measure need not know
my $evaluated = "SELECT metric, k, value FROM recsys.evaluate('SELECT user_id, product_id, quantity::float8 FROM purchases
	WHERE user_id IS NOT NULL AND product_id IS NOT NULL', 'similarity = lift', resamples => 0) ORDER BY metric, k";
same_answers($node->safe_psql('postgres', "SET max_parallel_maintenance_workers = 2; $evaluated"),
	$node->safe_psql('postgres', "SET max_parallel_maintenance_workers = 0; $evaluated"), 'weights that do not count: same figures');

# too few processes
$node->safe_psql('postgres', 'ALTER SYSTEM SET max_parallel_workers = 0; SELECT pg_reload_conf()');
like(build(2, 'none_recsys', $all), qr/scanned with 0 of 2.*computed with 0 of 2/s, 'no worker to be had');
same_answers(answers($node, 'none_recsys'), $serial, 'no worker to be had: same answers');
check_clean($node, 'none_recsys', 'no worker to be had: check_index');
$node->safe_psql('postgres', 'DROP INDEX none_recsys; ALTER SYSTEM RESET max_parallel_workers; SELECT pg_reload_conf()');

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
			AND relation::regclass::text LIKE 'purchases%')));
}
my $nothing = remains();

# an error in a worker, or in the leader: whoever comes to the row first
my ($status, undef, $stderr) = $node->psql('postgres', qq(
	SET max_parallel_maintenance_workers = 2; SET application_name = 'break';
	CREATE INDEX broken_recsys ON purchases USING recsys (user_id, in_worker(product_id))));
isnt($status, 0, 'an error in the scan');
like($stderr, qr/product \d+ is broken/, 'an error in the scan: is reported');
is(remains(), $nothing, 'an error in the scan: nothing is left behind');

# cancelled in all phases, in memory, on disk and where members of a team wait for each other
foreach my $how (['64MB', ''], ['3MB', ''], ['64MB', 'WITH (similarity = spectral, rank = 150, neighbors = 10)'])
{
	my ($memory, $with) = @$how;
	my $build = "SET maintenance_work_mem = '$memory'; SET max_parallel_maintenance_workers = 2;
		CREATE INDEX cancelled_recsys ON purchases USING recsys ($all) $with";
	my ($hits, $slowest) = (0, 0);
	my ($status, $stderr, $whole) = timed($node, $build);

	is($status, 0, "$memory: a build") or diag($stderr);
	foreach my $fraction (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
	{
		my $timeout = 1 + int(1000 * $whole * $fraction);

		$node->safe_psql('postgres', 'DROP INDEX IF EXISTS cancelled_recsys');
		($status, $stderr, my $took) = timed($node, "SET statement_timeout = $timeout; $build");
		my $late = $took - $timeout / 1000;
		if ($stderr =~ /statement timeout/)
		{
			$hits++;
			$slowest = $late if $late > $slowest;
		}
		else
		{
			is($status, 0, "$memory, cancelled at $fraction") or diag($stderr);
		}
	}
	$node->safe_psql('postgres', 'DROP INDEX IF EXISTS cancelled_recsys');
	$memory .= " $with";
	note(sprintf 'a build with %s takes %.2f s, cancelled %d times, at most %.2f s late', $memory, $whole, $hits, $slowest);
	cmp_ok($hits, '>=', 5, "$memory: builds are cancelled");
	cmp_ok($slowest, '<', $ENV{ASAN_OPTIONS} ? 5 : 1, "$memory: in time");
	is(remains(), $nothing, "$memory: nothing is left behind");
}

# a worker that is terminated ends the build, not the server
my $victim = start_psql($node, "SET max_parallel_maintenance_workers = 2;
	CREATE INDEX victim_recsys ON purchases USING recsys (slowly(user_id), product_id)");
my $killed = 0;
for (my $deadline = time + 20; !$killed && time < $deadline; sleep 0.02)
{
	$killed = $node->safe_psql('postgres',
		q(SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'parallel worker'));
}
ok($killed, 'a worker is terminated');
ok(!finish($victim), 'a terminated worker: the build fails');
is(remains(), $nothing, 'a terminated worker: nothing is left behind');

# so does one for which the other members of a team wait, or that waits for them
$victim = start_psql($node, "SET max_parallel_maintenance_workers = 2; SET maintenance_work_mem = '256MB';
	CREATE INDEX victim_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = spectral, rank = 380)");
$killed = 0;
for (my $deadline = time + 20; !$killed && time < $deadline; sleep 0.02)
{
	$killed = $node->safe_psql('postgres',
		q(SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
			WHERE backend_type = 'parallel worker' AND wait_event_type = 'Extension' LIMIT 1) w));
}
ok($killed, 'a worker that waits for a team is terminated');
ok(!finish($victim), 'a team without it: the build fails');
is(remains(), $nothing, 'a team without it: nothing is left behind');

build(2, 'last_recsys', $all);
same_answers(answers($node, 'last_recsys'), $serial, 'the next build');
check_clean($node, 'last_recsys', 'the next build: check_index');
$node->stop;
unlike(slurp_file($node->logfile), qr/leak|PANIC|terminated by signal/, 'no leak or crash in the log');
done_testing();
