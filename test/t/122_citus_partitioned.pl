# A table that is partitioned by month and distributed by customer: on every node the answers are those of
# a plain table with the same rows, whatever becomes of partitions and shards.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;
use RecsysCitus;

skip_without_citus();

my ($coordinator, @workers) = new_citus('recsys.merge_interval = 500');
my @nodes = ($coordinator, @workers);
my %by_port = map { $_->port => $_ } @nodes;
my $model = '(user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';
my @months = ([ '2024_01', '2024-01-01', '2024-02-01' ], [ '2024_02', '2024-02-01', '2024-03-01' ],
	[ '2024_03', '2024-03-01', '2024-04-01' ]);

sub run { return $coordinator->safe_psql('postgres', $_[0]) }

# the plain table, anew with what the other has, without what some users did
my $columns = 'user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz';

$coordinator->safe_psql('template1', 'CREATE DATABASE alone');
$coordinator->safe_psql('alone', "CREATE EXTENSION recsys; CREATE TABLE purchases ($columns); CREATE INDEX home ON purchases USING recsys $model");

sub expected
{
	my ($table, @without) = @_;
	my $condition = @without ? 'WHERE user_id NOT IN (' . join(', ', @without) . ')' : '';
	my $copy = "COPY (SELECT user_id, product_id, quantity, purchased_at FROM $table $condition) TO STDOUT";

	$coordinator->safe_psql('alone', 'TRUNCATE purchases');
	PostgreSQL::Test::Utils::run_log([ 'bash', '-c',
		qq(psql -X -q -d "${\ $coordinator->connstr('postgres')}" -c "$copy" | psql -X -q -d "${\ $coordinator->connstr('alone')}" -c "COPY purchases FROM STDIN") ])
	  or die 'the rows cannot be copied';
	$coordinator->safe_psql('alone', 'REINDEX INDEX home');
	return answers($coordinator, 'home', 'alone');
}

# trained anew, every node answers as the plain table does
sub equal
{
	my ($when, $index, $table, @without) = @_;
	my $expected = expected($table, @without);

	run("SELECT recsys.retrain('$index')");
	same_answers(answers($_, $index), $expected, "$when: $index, " . $_->name) for @nodes;
	is(says($coordinator, "SELECT recsys.check_index('$index')"), '', "$when: check_index of all shards");
}

# DDL beside transactions that ask for users of several nodes: Citus ends one of those that wait for one
# another, and it is to be done again.
my $deadlocks = 0;

sub ddl
{
	for (1 .. 60)
	{
		my $said = says($coordinator, "SET lock_timeout = '60s'; $_[0]", on_error_stop => 1);

		return if $said !~ /ERROR/;
		die $said if $said !~ /distributed deadlock/;
		$deadlocks++;
	}
	fail("$_[0]: deadlocks");
}

# Shards whose indexes have not been put together, by node
sub apart
{
	my ($index) = @_;

	return join '', map { $_->safe_psql('postgres', qq(SET citus.override_table_visibility = off;
		SELECT c.relname FROM pg_class c WHERE c.relkind = 'I' AND c.relname ~ '^${index}_\\d+\$'
		AND to_regclass('pg_toast.recsys_' || c.oid || '_index') IS NULL)) } @workers;
}

# Where a user's shard is, and moving it
sub place { return $by_port{ in_nodes($coordinator, @_) } }

sub move
{
	my ($table, $user, $mode) = @_;
	my $from = place($table, $user);
	my ($to) = grep { $_ != $from } @workers;
	my ($status, $output, $error);

	# what the last move has left may be in use by a list just then
	for (1 .. 20)
	{
		($status, $output, $error) = wait_moved($coordinator, $table, $user, $from, $to, $mode);
		last if $status == 0 || $error !~ /orphaned shard/;
	}
	is($status, 0, "a shard of $table is moved: $mode") or diag($error);
	is(apart($_), '', "$_: its index is put together when it arrives") for qw(home seen);
}

# distributed before it has an index, and after
create_purchases($coordinator, 15_000);
run(q(ALTER TABLE purchases RENAME TO source;
	UPDATE source SET purchased_at = '2024-01-01'::timestamptz + extract(epoch FROM purchased_at)::bigint % 7776000 * interval '1 second'));
run("CREATE TABLE $_ ($columns, id bigint, PRIMARY KEY (user_id, id, purchased_at)) PARTITION BY RANGE (purchased_at)") for qw(purchases visits);
for my $table (qw(purchases visits))
{
	run("CREATE TABLE ${table}_$$_[0] PARTITION OF $table FOR VALUES FROM ('$$_[1]') TO ('$$_[2]')") for @months;
}
run(qq(
	SELECT create_distributed_table('purchases', 'user_id');
	INSERT INTO purchases SELECT *, row_number() OVER () FROM source;
	CREATE INDEX home ON purchases USING recsys $model;
	INSERT INTO visits SELECT *, row_number() OVER () FROM source WHERE product_id % 3 > 0;
	CREATE INDEX seen ON visits USING recsys $model;
	SELECT create_distributed_table('visits', 'user_id', colocate_with => 'purchases')));
for my $node ($coordinator, $workers[0])
{
	like(says($node, "SELECT $_"), qr/stands for the indexes of several nodes.*recsys\.distribute\('public\.home'\)/s, $node->name . ": $_ speaks up")
	  for "* FROM recommend(42, 3, 'home')", "recsys.merge('home')", "recsys.check_index('home')";
	like(says($node, 'SELECT * FROM recommend(42, 3)'), qr/there is no recommender/, $node->name . ': no shell, and no shard, without a name');
}
run("SELECT recsys.distribute('$_')") for qw(home seen);
is(apart($_), '', "$_ is put together") for qw(home seen);
equal('distributed', 'home', 'purchases');
equal('distributed', 'seen', 'visits');
my $reasons = "SELECT u, r.* FROM generate_series(1, 20) u, LATERAL explain_recommendation(u::bigint, 3, %s) r ORDER BY u, rank";
is($_->safe_psql('postgres', sprintf($reasons, "'seen'")), $coordinator->safe_psql('alone', sprintf($reasons, "'home'")),
	$_->name . ' explains as one server does') for @nodes;

# rows count at once, in the partition that they are in, and where they go to
run("INSERT INTO purchases VALUES (100001, 1, 1, '2024-01-05', 1), (100001, 11, 1, '2024-03-05', 2)");
is($_->safe_psql('postgres', "SELECT source FROM recommend(100001, 1, 'home')"), 'history', $_->name . ': a new user') for @nodes;
run("UPDATE purchases SET purchased_at = '2024-02-05' WHERE user_id = 100001 AND id = 1; DELETE FROM purchases WHERE user_id = 3 AND product_id % 2 = 0");
equal('new rows', 'home', 'purchases');

# partitions come and go
run("CREATE TABLE purchases_2024_04 PARTITION OF purchases FOR VALUES FROM ('2024-04-01') TO ('2024-05-01')");
run("INSERT INTO purchases SELECT user_id, product_id, quantity, purchased_at + interval '1 month', id + 1000000 FROM purchases_2024_03 WHERE id % 3 = 0 AND purchased_at < '2024-03-30'");
equal('a new partition', 'home', 'purchases');
is(run("SELECT create_time_partitions('purchases', '1 month', '2024-07-01', '2024-05-01')"), 't', 'partitions by schedule');
run("INSERT INTO purchases SELECT user_id, product_id, 2, '2024-06-07', id + 2000000 FROM purchases_2024_03 WHERE id % 5 = 0");
equal('partitions by schedule', 'home', 'purchases');
run('ALTER TABLE purchases DETACH PARTITION purchases_2024_01');
is($_->safe_psql('postgres', q(SELECT count(*) FROM explain_recommendation(100001, 5, 'home'))), $coordinator->safe_psql('postgres', q(SELECT count(*) FROM explain_recommendation(100001, 5, 'home'))), $_->name . ': a month is detached') for @nodes;
run("SELECT recsys.merge('home', true)");
equal('without a month', 'home', 'purchases');
run("ALTER TABLE purchases ATTACH PARTITION purchases_2024_01 FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')");
equal('and back', 'home', 'purchases');
run('TRUNCATE purchases_2024_02');
equal('a month is emptied', 'home', 'purchases');
run('DROP TABLE purchases_p2024_05');
run("CALL drop_old_time_partitions('purchases', '2024-02-01')");
is(run("SELECT count(*) FROM time_partitions WHERE parent_table = 'purchases'::regclass"), 4, 'old partitions are dropped');
equal('months are dropped', 'home', 'purchases');
run("INSERT INTO purchases SELECT user_id, product_id, quantity, purchased_at, id FROM visits_2024_02");
run("BEGIN; DROP TABLE purchases_2024_03; INSERT INTO purchases VALUES (5, 6, 7, '2024-02-02', 999); ROLLBACK");
equal('a drop is rolled back', 'home', 'purchases');

# one session does all there is: the server has few places for those who hear of changed relations
is(says($coordinator, q(SELECT count(*) FROM recommend(42, 3, 'home');
	SELECT count(*) FROM query_association_rules('SELECT user_id, product_id FROM purchases', min_support => 50);
	SELECT recsys.log_click(recsys.new_request_id(), 1::bigint);
	VACUUM purchases; ANALYZE purchases; SELECT recsys.maintain()), on_error_stop => 1), '', 'all in one session');
like(says($coordinator, "SELECT recsys.keep_partitions('purchases', every => '1 month')"), qr/create_time_partitions/, 'Citus keeps partitions');
is(run("SELECT count(*) FILTER (WHERE NOT success) FROM run_command_on_shards('purchases', 'REINDEX TABLE %s')"), 0, 'the indexes of shards are built anew');
equal('built anew', 'home', 'purchases');

# a month that is detached is a table of its own, with an index of its own
run('ALTER TABLE visits DETACH PARTITION visits_2024_03');
my $own = run("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'visits_2024_03'::regclass AND NOT indisprimary");
like(says($coordinator, "SELECT recsys.distribute('$own')"), qr/REINDEX INDEX/, 'its index is empty, and says so');
run("REINDEX INDEX $own");
run("SELECT recsys.distribute('$own')");
equal('a month of its own', $own, 'visits_2024_03');
run("SELECT recsys.undistribute('$own'); ALTER TABLE visits ATTACH PARTITION visits_2024_03 FOR VALUES FROM ('2024-03-01') TO ('2024-04-01')");
equal('and a month again', 'seen', 'visits');

# forgotten users, moves of both kinds, writers and readers meanwhile
my ($early, $meanwhile, $other) = split /\n/, run(q(
	SELECT user_id FROM purchases WHERE user_id < 200 AND get_shard_id_for_distribution_column('purchases', user_id) =
		get_shard_id_for_distribution_column('purchases', 1)
	GROUP BY user_id HAVING count(*) > 10 ORDER BY user_id LIMIT 3));
my $directory = PostgreSQL::Test::Utils::tempdir();

sub nobody_back
{
	my ($when, @forgotten) = @_;

	for my $node (@nodes)
	{
		is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT source, ',') FROM recommend($_, 5, 'home')"), 'popular',
			"$when: " . $node->name . ": user $_ stays forgotten") for @forgotten;
		is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT source, ',') FROM recommend($other, 5, 'home')"), 'history',
			"$when: " . $node->name . ': others are served');
	}
}

append_to_file("$directory/write.sql", <<'SQL');
\set u random(200, 400)
\set p random(1, 250)
\set h random(0, 600)
INSERT INTO purchases VALUES (:u, :p, 1, '2024-06-01'::timestamptz + :h * interval '1 hour', :p + 5000000 + :h * 1000) ON CONFLICT DO NOTHING;
DELETE FROM purchases WHERE user_id = :u AND product_id = (:p + 1) % 250;
SQL
append_to_file("$directory/read.sql", <<'SQL');
\set u random(1, 400)
SELECT count(*) FROM recommend(:u, 5, 'home');
SELECT count(*) FROM recommend(:u, 5, 'seen');
SQL
run("SELECT recsys.forget_user('home', $early)");
nobody_back('before', $early);
my @load = (pgbench($coordinator, 600, 2, '-f', "$directory/write.sql"), pgbench($workers[0], 600, 2, '-f', "$directory/read.sql"));

move('purchases', 1, 'auto');
nobody_back('moved', $early);
my $forget = start_psql($coordinator, "SELECT pg_sleep(0.2); SELECT recsys.forget_user('home', $meanwhile)");
move('purchases', 1, 'block_writes');
ok(finish($forget), 'a user is forgotten while the shard moves');
nobody_back('moved back', $early, $meanwhile);
ddl('ALTER TABLE purchases DETACH PARTITION purchases_2024_03');
ddl("ALTER TABLE purchases ATTACH PARTITION purchases_2024_03 FOR VALUES FROM ('2024-03-01') TO ('2024-04-01')");
nobody_back('a month is attached again', $early, $meanwhile);
run("SELECT recsys.merge('home')");
nobody_back('merged', $early, $meanwhile);
my $shard = run(q(SELECT shard_name('home'::regclass, get_shard_id_for_distribution_column('purchases', 1))));
is(place('purchases', 1)->safe_psql('postgres', "SELECT string_agg(DISTINCT source, ',') FROM recommend($_, 5, '$shard')"), 'popular',
	"merged: the index of the shard has forgotten user $_ as well") for $early, $meanwhile;

# a shard is split, under load as well
run(q(SELECT citus_split_shard_by_split_points(s.shardid, ARRAY[((s.shardminvalue::bigint + s.shardmaxvalue::bigint) / 2)::text],
		(SELECT array_agg(nodeid::integer ORDER BY nodeid) FROM pg_dist_node WHERE groupid > 0), 'block_writes')
	FROM pg_dist_shard s WHERE s.shardid = get_shard_id_for_distribution_column('purchases', 1)));
is(apart($_), '', "split: $_ is put together") for qw(home seen);
nobody_back('split', $early, $meanwhile);

# partitions come, go and are emptied beside calls and writers; none of them waits for another for ever
append_to_file("$directory/block.sql", <<'SQL');
\set u random(1, 400)
\set v random(1, 400)
\set w random(1, 400)
BEGIN;
SELECT count(*) FROM recommend(:u, 5, 'home');
SELECT count(*) FROM recommend(:v, 5, 'home');
SELECT count(*) FROM recommend(:w, 5, 'home');
COMMIT;
SQL
push @load, pgbench($coordinator, 600, 2, '-f', "$directory/block.sql"), pgbench($workers[1], 600, 2, '-f', "$directory/block.sql");
for my $round (1 .. 4)
{
	ddl(q(CREATE TABLE purchases_2025 PARTITION OF purchases FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')));
	ddl(qq(INSERT INTO purchases SELECT user_id, product_id, 1, '2025-05-05', id FROM visits_2024_01 WHERE id % 9 = $round ON CONFLICT DO NOTHING));
	ddl('TRUNCATE purchases_2025') if $round % 2;
	ddl('ALTER TABLE purchases DETACH PARTITION purchases_2025');
	ddl(q(ALTER TABLE purchases ATTACH PARTITION purchases_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'))) if $round == 2;
	ddl('DROP TABLE purchases_2025');
}
note("$deadlocks deadlocks");
pass('partitions come and go beside calls');
$_->signal('TERM') for @load;
$_->finish for @load;
for my $load (@load)
{
	is(join("\n", grep { /error/i && !/canceling|terminating|aborted while|interrupted/ } split /\n/, slurp_file($load->{recsys_log})), '',
		'the load ran without an error');
}
run("SELECT recsys.merge('$_', true)") for qw(home seen);
equal('after it all', 'home', 'purchases', $early, $meanwhile);
equal('after it all', 'seen', 'visits');

# where nobody has put a shard together: a node that does not preload the library
$workers[1]->append_conf('postgresql.conf', "shared_preload_libraries = 'citus'");
$workers[1]->restart;
run('CREATE ROLE client LOGIN; GRANT SELECT ON purchases TO client');
my $moved = run(qq(SELECT min(u) FROM generate_series(1, 200) u WHERE (SELECT n.nodeport FROM pg_dist_placement p JOIN pg_dist_node n USING (groupid)
	WHERE p.shardid = get_shard_id_for_distribution_column('purchases', u)) = ${\ $workers[0]->port} AND u NOT IN ($early, $meanwhile)));
my $before = run("SELECT * FROM recommend($moved, 5, 'home')");
is((wait_moved($coordinator, 'purchases', $moved, @workers, 'block_writes'))[0], 0, 'a shard is moved to it');
like(says($_, "SELECT * FROM recommend($moved, 5, 'home')", extra_params => [ '-U', 'client' ]),
	qr/has not been put together on this node.*SELECT recsys\.merge\('public\.home'\)/s, $_->name . ': somebody gets an error') for @nodes;
run("SELECT recsys.merge('home')");
is($_->safe_psql('postgres', "SELECT * FROM recommend($moved, 5, 'home')", extra_params => [ '-U', 'client' ]), $before,
	$_->name . ': and a list after the merge') for @nodes;
$workers[1]->append_conf('postgresql.conf', "shared_preload_libraries = 'citus,recsys'");
$workers[1]->restart;
ok($workers[1]->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_class c WHERE c.relkind = 'I' AND c.relname ~ '^seen_\d+$'
	AND to_regclass('pg_toast.recsys_' || c.oid || '_index') IS NULL)), 'the background worker puts shards together');
equal('put together', 'home', 'purchases', $early, $meanwhile);

# and back
run("SELECT recsys.undistribute('home'); DROP TABLE purchases");
is(says($coordinator, 'DROP TABLE visits'), '', 'both tables are dropped');
# what moves have left behind is dropped by Citus when it comes to it
run('CALL citus_cleanup_orphaned_resources()');
is(join(' ', map { $_->safe_psql('postgres', q(SET citus.override_table_visibility = off; SELECT count(*) FROM pg_class WHERE relname ~ '^recsys_\d+_index$')) } @nodes),
	'0 0 0', 'nothing is left on any node');

$_->stop for @nodes;
done_testing();
