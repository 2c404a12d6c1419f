# Experiments outlive a dump and are the same on a standby; of two sessions that declare at the
# same time the second one sees what the first one has taken; and nobody lends his rights by them.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('experiments');
my $directory = PostgreSQL::Test::Utils::tempdir();
my $sessions = 0;

my $shop = <<'SQL';
CREATE TABLE bought AS SELECT 1 + n % 40 AS u, n % 13 AS i, now() - n * interval '1 hour' AS at, 2.5 AS price FROM generate_series(1, 400) n;
CREATE INDEX bought_recsys ON bought USING recsys (u, i);
CREATE TABLE people AS SELECT n AS id, n % 2 = 0 AS adult, 'c' || n % 3 AS country FROM generate_series(1, 1000) n;
ALTER TABLE people ADD PRIMARY KEY (id);
SELECT recsys.create_recommender('home', '[{"events": "bought_recsys"}]', profiles => 'people', profile_key => 'id');
SELECT recsys.create_recommender('other', '[{"events": "bought_recsys"}]');
SQL
my $variants = q('{"control": {"recommender": "home"}, "other": {"recommender": "other"}}');

$node->safe_psql('postgres', $shop . <<"SQL");
CREATE ROLE mallory LOGIN;
CREATE ROLE shopkeeper LOGIN CREATEDB;
GRANT SELECT ON bought, people TO mallory;
SELECT recsys.create_experiment('one', $variants, segment => 'country', eligible => 'adult', layer => 'home', layer_share => 0.5, holdout => 0.1,
	purchases => '{"table": "bought", "user": "u", "item": "i", "time": "at"}');
SELECT recsys.create_experiment('two', $variants, layer => 'home', layer_share => 0.25, start => false);
SELECT recsys.alter_experiment('one', variants => '{"control": {"share": 0.3}, "other": {"share": 0.3}, "third": {"recommender": "bought_recsys", "share": 0.4}}');
SELECT recsys.create_experiment('three', $variants);
SELECT recsys.stop_experiment('three', 'other');
SQL

my $rows = 'SELECT name, owner, definition, started_at, stopped_at FROM recsys.experiment ORDER BY name';
my $assignments = q(SELECT e, u, a.* FROM unnest('{one,two,three}'::text[]) e, generate_series(1, 300) u, recsys.assignment(e, u) a ORDER BY e, u);

sub as
{
	my ($role, $sql, $database) = @_;
	my ($code, $out, $error) = $node->psql($database // 'postgres', "SET ROLE $role; $sql", on_error_stop => 1);
	$error =~ s/^psql:<stdin>:\d+: //mg;
	return $out . $error;
}

# A dump
foreach my $format ('plain', 'custom')
{
	my $file = "$directory/dump_$format";

	$node->safe_psql('postgres', "CREATE DATABASE from_$format");
	$node->command_ok([ 'pg_dump', "--format=$format", '-f', $file, $node->connstr('postgres') ], "pg_dump, $format");
	$node->command_ok($format eq 'plain' ?
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr('from_plain') ] :
		[ 'pg_restore', '-e', '-d', $node->connstr('from_custom'), $file ], "it is restored, $format");
	is($node->safe_psql("from_$format", $rows), $node->safe_psql('postgres', $rows), "the experiments are there, $format");
	is($node->safe_psql("from_$format", 'SELECT count(*), count(problem) FROM recsys.experiments'), '3|0', "without a problem, $format");
	is($node->safe_psql("from_$format", $assignments), $node->safe_psql('postgres', $assignments), "and assign as before, $format");
}

# Of an owner of a database who is no superuser: what he cannot give away becomes his
$node->safe_psql('postgres', 'CREATE DATABASE small OWNER shopkeeper');
$node->safe_psql('postgres', 'CREATE DATABASE small_again OWNER shopkeeper');
my @shopkeeper = ('-U', 'shopkeeper', '-h', $node->host, '-p', $node->port);
$node->safe_psql('small', 'CREATE EXTENSION recsys; CREATE SCHEMA shop; SET search_path = shop, public; ' . $shop .
	"SELECT recsys.create_experiment('his', $variants)", extra_params => [ '-U', 'shopkeeper' ]);
$node->safe_psql('small', "SET search_path = shop, public; SELECT recsys.create_experiment('not_his', $variants)");
$node->command_ok([ 'pg_dump', @shopkeeper, '-f', "$directory/small", 'small' ], 'pg_dump by who is no superuser');
$node->command_ok([ 'psql', '-X', '-q', @shopkeeper, '-v', 'ON_ERROR_STOP=1', '-f', "$directory/small", 'small_again' ],
	'and restored by him');
is($node->safe_psql('small_again', 'SELECT name, owner FROM recsys.experiment ORDER BY 1'), "his|shopkeeper\nnot_his|shopkeeper",
	'what he had not declared becomes his');
is(as('shopkeeper', q(SELECT name FROM recsys.experiments ORDER BY 1), 'small'), "his\nnot_his", 'who has made the extension sees all of them');
like(as('shopkeeper', q(UPDATE recsys.experiment SET owner = 'postgres'), 'small'), qr/permission denied/, 'but changes no rows');
like(as('shopkeeper', q(DELETE FROM recsys.experiment), 'small'), qr/permission denied/, 'and removes none');
$node->safe_psql('small', q(SET ROLE shopkeeper; INSERT INTO recsys.experiment (name, owner, definition) SELECT 'forged', 'postgres', definition FROM recsys.experiment WHERE name = 'his'));
is($node->safe_psql('small', q(SELECT owner FROM recsys.experiment WHERE name = 'forged')), 'shopkeeper', 'and forges no owner');

# A standby
my $standby = PostgreSQL::Test::Cluster->new('experiments_standby');
$node->backup('backup');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $assignments), $node->safe_psql('postgres', $assignments), 'a standby assigns as the primary does');
is($standby->safe_psql('postgres', q(SELECT count(*) FROM recommend(2, 3, 'one'))), 3, 'and serves');
like(($standby->psql('postgres', q(SELECT recsys.alter_experiment('one', alpha => 0.01))))[2],
	qr/cannot execute recsys.alter_experiment\(\) in a read-only transaction/, 'but changes nothing');
my $after = 'SELECT variant, takes_part FROM generate_series(1, 100) u, recsys.assignment(\'two\', u) ORDER BY u';
$standby->safe_psql('postgres', $after);
$node->safe_psql('postgres', q(SELECT recsys.start_experiment('two')));
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $after), $node->safe_psql('postgres', $after), 'a change arrives there');
$standby->stop;

# What another session changes counts in the next call of one that has it cached
my $psql = 'psql -X -q -h ' . $node->host . ' -p ' . $node->port . ' postgres';
is($node->safe_psql('postgres', qq(SELECT count(*) FROM generate_series(1, 100) u, recsys.assignment('two', u) WHERE reason = 'stopped';
\\! $psql -c "SELECT recsys.stop_experiment('two')" >/dev/null
SELECT count(*) FROM generate_series(1, 100) u, recsys.assignment('two', u) WHERE reason = 'stopped')), "0\n100", 'a session follows the changes of another');
$node->safe_psql('postgres', q(SELECT recsys.drop_experiment('two')));
# and a change that is rolled back does not
is($node->safe_psql('postgres', q(BEGIN; SELECT recsys.stop_experiment('one'); SELECT reason FROM recsys.assignment('one', 2); ROLLBACK;
	SELECT count(*) FROM generate_series(1, 100) u, recsys.assignment('one', u) WHERE reason = 'stopped')), "\nstopped\n0", 'nor what has been rolled back');

# One session at a time: the first one stays in its transaction until the second waits for it
sub begin
{
	my ($sql) = @_;
	my $session = { said => '' };
	my $file = "$directory/session" . $sessions++;

	append_to_file($file, $sql);
	$session->{run} = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-f', $file ],
		'<', \undef, '>', \$session->{said}, '2>', \$session->{said});
	return $session;
}

sub said
{
	my ($session) = @_;

	$session->{run}->finish;
	return $session->{said};
}

sub race
{
	my ($first, $end, $second) = @_;
	my $holder = begin("BEGIN; $first; SELECT pg_advisory_lock(1);
DO \$\$ BEGIN FOR i IN 1 .. 400 LOOP EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE locktype IN ('transactionid', 'tuple', 'object', 'relation') AND NOT granted); PERFORM pg_sleep(0.05); END LOOP; END \$\$;
$end;");
	my $waiter;

	$node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory')) or BAIL_OUT('nobody holds');
	$waiter = begin("$second;");
	said($holder);
	return said($waiter);
}
my $half = sub { "SELECT recsys.create_experiment('$_[0]', $variants, layer => 'raced', layer_share => 0.6)" };
like(race($half->('first'), 'COMMIT', $half->('second')), qr/ERROR:  layer "raced" has no free part of 0.6/, 'the second of two who want most of a layer waits, and is told');
$node->safe_psql('postgres', q(SELECT recsys.drop_experiment('first')));
unlike(race($half->('first'), 'ROLLBACK', $half->('second')), qr/ERROR/, 'or gets it when the first has not');
$node->safe_psql('postgres', q(SELECT recsys.drop_experiment('second')));
like(race($half->('first'), 'COMMIT', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM people; ' . $half->('second') . '; COMMIT'),
	qr/ERROR:  layer "raced" has no free part of 0.6/, 'an old snapshot hides nothing of a layer');
like(race(q(SELECT recsys.create_recommender('twice', '[{"events": "bought_recsys"}]')), 'COMMIT', "SELECT recsys.create_experiment('twice', $variants)"),
	qr/ERROR:  there is a recommender "twice"/, 'a name that becomes a recommender\'s');
$node->safe_psql('postgres', q(SELECT recsys.drop_recommender('twice')));
like(race("SELECT recsys.create_experiment('twice', $variants)", 'COMMIT', q(BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM people; SELECT recsys.create_recommender('twice', '[{"events": "bought_recsys"}]'); COMMIT)),
	qr/ERROR:  there is an experiment "twice"/, 'a name that becomes an experiment\'s');
unlike(race(q(SELECT recsys.alter_experiment('twice', alpha => 0.01)), 'COMMIT', q(SELECT recsys.alter_experiment('twice', expected_users => 77))), qr/ERROR/,
	'the second of two who change one waits');
is($node->safe_psql('postgres', q(SELECT alpha, expected_users FROM recsys.experiments WHERE name = 'twice')), '0.01|77', 'and nothing is lost');

# A stranger's expression runs with the rights of who has named his experiment, and is run by nobody else
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE trace (role text);
GRANT INSERT ON trace TO PUBLIC;
CREATE SCHEMA mallory AUTHORIZATION mallory;
SET ROLE mallory;
CREATE FUNCTION mallory.write() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN INSERT INTO public.trace VALUES (current_user); RETURN true; END $$;
CREATE FUNCTION mallory.trap(integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN mallory.write(); END $$;
SELECT recsys.create_experiment('trap', '{"control": "home", "other": "other"}', eligible => 'mallory.trap(id)', segment => 'mallory.trap(1)::text');
SQL
sub traces
{
	my ($what, $expected, $name) = @_;

	$node->safe_psql('postgres', 'TRUNCATE trace');
	$node->psql('postgres', $what);
	is($node->safe_psql('postgres', 'SELECT DISTINCT role FROM trace'), $expected, $name);
}
traces('SELECT problem FROM recsys.experiments', '', 'a superuser who looks runs nothing');
traces(q(SELECT recsys.alter_experiment('trap', alpha => 0.01)), '', 'nor does one who changes it');
traces(q(SELECT count(*) FROM recommend(1, 3)), '', 'nor does one who names nothing');
like(as('mallory', q(SELECT recsys.alter_experiment('trap', new_owner => 'postgres'))), qr/must have privileges of role "postgres"/, 'it is given to nobody');
$node->safe_psql('postgres', q(SELECT recsys.alter_experiment('trap', eligible => 'adult')));
like(as('mallory', q(SELECT owner FROM recsys.experiments)), qr/^mallory$/, 'who has no rights on the others sees his own');

# Of failing calls a session keeps nothing
$node->safe_psql('postgres', <<'SQL');
SELECT recsys.alter_experiment('one', eligible => 'country > ''''', reset => '{segment}');
CREATE FUNCTION fail(call text, times integer) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. times LOOP
		BEGIN
			EXECUTE call;
			RAISE 'no error from %', call;
		EXCEPTION WHEN undefined_column OR invalid_parameter_value THEN NULL;
		END;
	END LOOP;
	RETURN (SELECT sum(used_bytes) FROM pg_backend_memory_contexts);
END $$;
ALTER TABLE people RENAME country TO land;
SQL
foreach my $call (q(SELECT min(reason) FROM generate_series(1, 50) u, recsys.assignment('one', u)), q(SELECT recsys.create_experiment('four', '{}')))
{
	my $loop = 'SELECT fail($q$' . $call . '$q$, %d)';
	my ($first, $then) = split /\n/, $node->safe_psql('postgres', sprintf($loop, 100) . ';' . sprintf($loop, 2000));
	cmp_ok($then - $first, '<', 100_000, "2000 failing calls: $call");
}
$node->safe_psql('postgres', 'ALTER TABLE people RENAME land TO country');
# nor of changes that it sees
my ($first, $then) = split /\n/, $node->safe_psql('postgres', join ';', map { qq(DO \$\$ BEGIN FOR i IN 1 .. $_ LOOP
	PERFORM recsys.alter_experiment('one', eligible => 'id > ' || i); PERFORM recsys.assignment('one', 1); END LOOP; END \$\$; SELECT sum(used_bytes) FROM pg_backend_memory_contexts) } 100, 300);
cmp_ok($then - $first, '<', 300_000, '300 changes');

# Untyped parameters
is($node->safe_psql('postgres', q(PREPARE a AS SELECT count(*) FROM recsys.assignment($1, $2); EXECUTE a('one', '42'))), 1, 'without types');

done_testing();
