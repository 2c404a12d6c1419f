# How far a model has drifted is counted once whatever crashes, and recsys.reindex beside others: two
# calls at once, VACUUM, cancelling, prepared statements, a background worker, a standby.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

$ENV{PGOPTIONS} = '-c client_min_messages=error';

my $node = new_node('reindex', 'restart_after_crash = on', 'max_worker_processes = 16');
my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at)';

sub stats { $node->safe_psql('postgres', "SELECT $_[0] FROM recsys.index_stats WHERE index_name = '" . ($_[1] // 'learned_recsys') . "'") }
sub notices { ($node->psql('postgres', "SET client_min_messages = notice; $_[0]"))[2] }

# Changes and crashes
create_purchases($node, 3000);
$node->safe_psql('postgres', "CREATE INDEX learned_recsys ON $columns WITH (similarity = ease)");
my $rows = $node->safe_psql('postgres', 'SELECT count(*) FROM purchases');
is(stats('changes, staleness'), '0|0', 'a build has no changes');
my $faults = $node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault'));
SKIP:
{
	skip 'the module was built without fault points (make RECSYS_FAULTS=1)', 10 unless $faults;
	foreach my $point (qw(merge-read merge-recounted merge-users merge-prior merge-removed))
	{
		$node->safe_psql('postgres', q(INSERT INTO purchases SELECT u, 1 + u % 200, 1, '2024-02-01' FROM generate_series(1, 250) u));
		my $before = stats('changes, pending > 0');
		my $offset = -s $node->logfile;
		my ($status) = $node->psql('postgres', "SET recsys.fault = '$point:kill'; SELECT recsys.merge('learned_recsys')");

		isnt($status, 0, "$point: the server dies there");
		is_back($node, $offset) or BAIL_OUT('the server is not back');
		is(stats('changes') . '|t', $before, "$point: each change is counted once");
	}
}
$node->safe_psql('postgres', q(SELECT recsys.merge('learned_recsys')));
my $now = $node->safe_psql('postgres', 'SELECT count(*) FROM purchases');
is(stats('changes, pending'), ($now - $rows) . '|0', 'after merging as well');
is(stats('round(staleness::numeric, 6)'), $node->safe_psql('postgres', "SELECT round(($now - $rows) / $now.0, 6)"), 'staleness is the share of new rows');
kill_server($node);
$node->start;
is(stats('changes, pending'), ($now - $rows) . '|0', 'and after a crash of the whole server');
check_clean($node, 'learned_recsys', 'the index is sound');

# Writers meanwhile: no event is lost, none is counted twice
my $bench = PostgreSQL::Test::Utils::tempdir() . '/insert.sql';
append_to_file($bench, "INSERT INTO purchases SELECT 1 + random() * 300, 1 + random() * 200, 1, now() FROM generate_series(1, 20);\n");
my $load = pgbench($node, 4, 2, '-f', $bench);
$node->psql('postgres', q(SELECT recsys.merge('learned_recsys'))), sleep 0.2 foreach 1 .. 12;
finish($load);
is(stats('changes'), $node->safe_psql('postgres', 'SELECT count(*) FROM purchases') - $rows, 'with writers and merges beside each other');

# Two calls at once, a VACUUM that waits with a snapshot, and an old snapshot that both wait for
$node->safe_psql('postgres', "CREATE INDEX second_recsys ON $columns WITH (similarity = ease)");
$node->safe_psql('postgres', 'ALTER INDEX learned_recsys SET (neighbors = 40); ALTER INDEX second_recsys SET (neighbors = 40)');
my $old = start_psql($node, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM purchases; SELECT pg_sleep(4); COMMIT");
$node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'BEGIN ISOLATION%' AND wait_event = 'PgSleep'));
my @calls = map { start_psql($node, 'CALL recsys.reindex()') } 1 .. 3;
ok($node->poll_query_until('postgres', q(SELECT count(*) = 2 FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_authid'::regclass AND NOT granted)), 'calls wait for each other');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE l.locktype = 'object' AND NOT l.granted AND a.backend_xmin IS NOT NULL)), '0', 'without a snapshot');
my $vacuum = start_psql($node, 'VACUUM (ANALYZE, SKIP_LOCKED) purchases');
ok(finish($vacuum), 'a VACUUM that skips what is locked does not wait');
finish($old);
is(join(' ', map { finish($_) ? 1 : 0 } @calls), '1 1 1', 'all of them come through');
is($node->safe_psql('postgres', 'SELECT count(*) FROM recsys.rebuilds_due()'), '0', 'and nothing is due');
unlike(slurp_file($node->logfile), qr/deadlock detected/, 'there was no deadlock');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)')), '0', 'nothing is left behind');

# Somebody else's call that cannot go on keeps nobody waiting but its own
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE stranger;
CREATE ROLE shopkeeper;
CREATE SCHEMA strange AUTHORIZATION stranger;
SET ROLE stranger;
CREATE TABLE strange.purchases (user_id integer, product_id integer);
CREATE INDEX stuck_recsys ON strange.purchases USING recsys (user_id, product_id);
ALTER INDEX strange.stuck_recsys SET (neighbors = 40);
RESET ROLE;
ALTER INDEX learned_recsys SET (neighbors = 39);
GRANT CREATE ON SCHEMA public TO shopkeeper;
ALTER TABLE purchases OWNER TO shopkeeper;
SQL
my ($input, $output) = ("BEGIN; INSERT INTO strange.purchases VALUES (1, 1);\n", '');
my $idle = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('postgres') ], '<', \$input, '>', \$output, '2>', \$output);
$idle->pump while length $input;
$node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND backend_xid IS NOT NULL));
my $stuck = do { local $ENV{PGOPTIONS} = "$ENV{PGOPTIONS} -c role=stranger"; start_psql($node, 'CALL recsys.reindex()') };
ok($node->poll_query_until('postgres', q(SELECT count(*) > 0 FROM pg_stat_activity WHERE query = 'CALL recsys.reindex()' AND wait_event_type = 'Lock')), 'a call waits for a transaction');
like(notices("SET ROLE shopkeeper; SET statement_timeout = '60s'; CALL recsys.reindex()"), qr/learned_recsys" is done/, "and another role's does not wait for that one");
$input = "COMMIT;\n";
finish($idle);
ok(finish($stuck), 'it goes on when that has ended');
$node->safe_psql('postgres', 'DROP SCHEMA strange CASCADE; ALTER TABLE purchases OWNER TO CURRENT_USER');

# Cancelled: what it leaves is dropped by the next call, and no lock stays
$node->safe_psql('postgres', 'ALTER INDEX learned_recsys SET (neighbors = 41)');
$old = start_psql($node, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM purchases; SELECT pg_sleep(3); COMMIT");
$node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'BEGIN ISOLATION%' AND wait_event = 'PgSleep'));
my ($status, undef, $stderr) = $node->psql('postgres', "SET statement_timeout = '1s'; CALL recsys.reindex(); SELECT 1");
like($stderr, qr/canceling statement due to statement timeout/, 'a call can be cancelled');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_authid'::regclass)), '0', 'no lock is left');
finish($old);
is($node->safe_psql('postgres', 'SELECT string_agg(index_name, \' \') FROM recsys.rebuilds_due()'), 'learned_recsys_ccnew learned_recsys', 'what is left is due, and what was not done');
like(notices('CALL recsys.reindex()'), qr/DROP INDEX CONCURRENTLY public\.learned_recsys_ccnew" is done.*REINDEX INDEX CONCURRENTLY public\.learned_recsys" is done/s, 'the next call does both');
is($node->safe_psql('postgres', 'SELECT count(*) FROM recsys.rebuilds_due()'), '0', 'nothing more is due');

# in one session: after an error, again and again
$node->safe_psql('postgres', 'ALTER INDEX learned_recsys SET (neighbors = 42)');
($status, my $stdout, $stderr) = $node->psql('postgres', <<'SQL', on_error_stop => 0);
SET statement_timeout = '1ms';
CALL recsys.reindex();
RESET statement_timeout;
CREATE TABLE afterwards (a integer);
INSERT INTO afterwards VALUES (1);
CALL recsys.reindex();
SELECT count(*) FROM afterwards;
SELECT count(*) FROM recsys.rebuilds_due();
SQL
is($stdout, "1\n0", 'a session goes on after that');

# by the extended protocol, prepared, again and again
my $call = PostgreSQL::Test::Utils::tempdir() . '/call.sql';
append_to_file($call, "CALL recsys.reindex(NULL::text, :limit::double precision);\n");
foreach my $mode (qw(simple extended prepared))
{
	insert_purchases($node, 100);
	my ($in, $out, $err) = ('', '', '');
	ok(IPC::Run::run([ 'pgbench', '-n', '-M', $mode, '-t', 3, '-D', 'limit=0.001', '-f', $call, '-h', $node->host, '-p', $node->port, 'postgres' ],
			\$in, \$out, \$err), "called by the $mode protocol") or diag($err);
	is(stats('changes'), '0', 'built anew');
}
check_clean($node, 'learned_recsys', 'the index is sound');

# a standby sees it, and does nothing
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
insert_purchases($node, 200);
$node->safe_psql('postgres', q(SELECT recsys.merge('learned_recsys')));
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q(SELECT changes, staleness FROM recsys.index_stats WHERE index_name = 'learned_recsys')), stats('changes, staleness'), 'a standby says the same');
like(($standby->psql('postgres', 'CALL recsys.reindex()'))[2], qr/cannot execute recsys\.reindex\(\) during recovery\nHINT:  Call it on the primary/, 'it does not build');
like(($standby->psql('postgres', 'SELECT * FROM recsys.merge_pending()'))[2], qr/cannot execute recsys\.merge_pending\(\) during recovery/, 'nor merge');
like(($standby->psql('postgres', q(SELECT * FROM recsys.schedule('learned_recsys'))))[2], qr/cannot execute recsys\.schedule\(\) during recovery/, 'nor schedule');
is(($standby->psql('postgres', 'SELECT * FROM recsys.maintenance_advice; SELECT * FROM recsys.schedules'))[0], 0, 'views can be read there');
$standby->stop;

# with the background worker two jobs are not needed
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'recsys'");
$node->restart;
is($node->safe_psql('postgres', q(SELECT job || ': ' || note FROM recsys.schedule('learned_recsys') WHERE command IS NULL)),
	"recsys public.learned_recsys merge: not needed: the background worker merges\nrecsys public.learned_recsys maintain: not needed: the background worker does it", 'the background worker merges and maintains');
$node->stop;

done_testing();
