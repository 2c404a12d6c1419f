# recsys.schedule with pg_cron, live: jobs are written, replaced, run and taken away; a model that
# has drifted is built anew, changes are merged, a materialized view is refreshed, tables are
# vacuumed; from another database of the cluster, too.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

# what PostgreSQL::Test polls with has to be silent
$ENV{PGOPTIONS} = '-c client_min_messages=error';

my $available = -f (`pg_config --sharedir` =~ s/\s+$//r) . '/extension/pg_cron.control';
my $node = new_node('schedule');
my ($status, $stdout, $stderr);

$available ||= $node->safe_psql('postgres', q(SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron'));

# A shop whose model has not seen most of its rows
my $shop = q(
	CREATE TABLE purchases (user_id bigint, product_id bigint);
	INSERT INTO purchases SELECT n / 4, (n * 7 + n / 4) % 23 FROM generate_series(1, 2000) n;
	CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = ease);
	CREATE INDEX purchases_counted ON purchases USING recsys (user_id, product_id) WITH (similarity = cosine);
	INSERT INTO purchases SELECT n / 4, (n * 7 + n / 4) % 29 FROM generate_series(5000, 8000) n;);
my $declare = q(SELECT recsys.create_recommender('home', signals => '[{"events": "purchases_recsys"}, {"events": "purchases_counted"}]'););
my $state = sub { "SELECT $_[0] FROM recsys.index_stats WHERE index_name = '" . ($_[1] // 'purchases_recsys') . "'" };

# Without it: the same rows, and what to run
$node->safe_psql('postgres', "$shop $declare");
($status, $stdout, $stderr) = $node->psql('postgres', q(SET client_min_messages = notice; SELECT job, schedule, command, job_id, note FROM recsys.schedule('home', maintain => NULL)));
is($status, 0, 'without pg_cron it is no error');
like($stdout, qr/^recsys home refresh\|15 3 \* \* \*\|CALL recsys\.refresh\('home'\)\|\|15 3 \* \* \* psql -X -q -d 'postgres' -c 'CALL recsys\.refresh\('\\''home'\\''\)'$/m, 'the rows are there, and a line for crontab');
like($stderr, qr/NOTICE:  nothing is scheduled: the server runs without pg_cron\nDETAIL:  15 3 \* \* \* psql .*\n45 3 \* \* \* psql .*recsys\.reindex/, 'the NOTICE has the lines');
unlike($stdout, qr/maintain/, 'NULL: no such job');
is($node->safe_psql('postgres', q(SELECT count(*) FROM recsys.schedules)), '0', 'recsys.schedules is empty');
is($node->safe_psql('postgres', q(SELECT recsys.unschedule('home'))), '0', 'there is nothing to take away');

# a line for crontab runs as a shell runs it
my ($line) = $stdout =~ /\|45 3 \* \* \* (psql .*reindex.*)$/m;
$line =~ s/\\%/%/g;
is(system("PGHOST='" . $node->host . "' PGPORT=" . $node->port . " sh -c \"\$LINE\"") >> 8, 0, 'such a line runs') if defined($ENV{LINE} = $line);
is($node->safe_psql('postgres', $state->('staleness')), '0', 'and does what it is to do');

unless ($available)
{
	$node->stop;
	SKIP: { skip 'pg_cron is not installed', 1 }
	done_testing();
	exit;
}

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'postgres'\ncron.use_background_workers = on\nmax_worker_processes = 32\n");
$node->restart;
($status, undef, $stderr) = $node->psql('postgres', q(SET client_min_messages = notice; SELECT * FROM recsys.schedule('home')));
like($stderr, qr/nothing is scheduled: extension pg_cron is not installed in this database.*\nHINT:  As a superuser: CREATE EXTENSION pg_cron;/, 'its extension is missing');

# A schema of that name is not pg_cron: nothing of it is run
$node->safe_psql('postgres', q(
	CREATE ROLE mallory; GRANT CREATE ON DATABASE postgres TO mallory; SET ROLE mallory;
	CREATE SCHEMA cron;
	CREATE TABLE cron.job (jobid bigint); CREATE TABLE cron.job_run_details (jobid bigint);
	CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN ALTER ROLE mallory SUPERUSER; RETURN 1; END';
	CREATE FUNCTION cron.unschedule(bigint) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN ALTER ROLE mallory SUPERUSER; RETURN true; END';
	GRANT ALL ON SCHEMA cron TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA cron TO PUBLIC));
is($node->safe_psql('postgres', q(SELECT count(job_id) FROM recsys.schedule('home'); SELECT count(*) FROM recsys.schedules; SELECT recsys.unschedule('home'))), "0\n0\n0", 'somebody\'s schema "cron" is not taken for it');
is($node->safe_psql('postgres', q(SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory')), 'f', 'and lends nobody a superuser\'s rights');
$node->safe_psql('postgres', 'DROP SCHEMA cron CASCADE; REVOKE CREATE ON DATABASE postgres FROM mallory; DROP ROLE mallory; CREATE EXTENSION pg_cron');

# Writing and replacing
is($node->safe_psql('postgres', q(SELECT job, schedule, command, job_id > 0, note FROM recsys.schedule('home'))), <<'ROWS' =~ s/\n$//r, 'jobs are written');
recsys home refresh|15 3 * * *|CALL recsys.refresh('home')|t|times are of GMT
recsys home reindex|45 3 * * *|CALL recsys.reindex('home', 0.2)|t|times are of GMT
recsys home merge|*/5 * * * *|SELECT * FROM recsys.merge_pending('home')|t|times are of GMT
recsys home maintain|20 * * * *|SELECT * FROM recsys.maintain()|t|times are of GMT
recsys home vacuum|35 2 * * *|VACUUM (ANALYZE, SKIP_LOCKED) public.purchases|t|times are of GMT
ROWS
is($node->safe_psql('postgres', q(
	CREATE TEMP TABLE before AS SELECT job, job_id FROM recsys.schedules;
	SELECT count(*) FROM recsys.schedule('home', refresh => NULL, reindex => '1 2 3 4 5', max_staleness => NULL);
	SELECT s.job, s.schedule, s.command, s.job_id = b.job_id, s.active, s.last_run, s.role = current_user FROM recsys.schedules s JOIN before b USING (job) WHERE job ~ 'reindex';
	SELECT recsys.unschedule('home'), recsys.unschedule('home'), count(*) FROM recsys.schedules)), <<'ROWS' =~ s/\n$//r, 'replaced, and taken away');
4
recsys home reindex|1 2 3 4 5|CALL recsys.reindex('home', NULL)|t|t||t
4|0|4
ROWS
is($node->safe_psql('postgres', q(SELECT count(*) FROM recsys.schedules)), '0', 'all of them');
($status, undef, $stderr) = $node->psql('postgres', q(SELECT * FROM recsys.schedule('home', merge => '@nonsense')));
like($stderr, qr/invalid schedule/, 'what pg_cron does not take is an error');
is($node->safe_psql('postgres', q(SELECT count(*) FROM cron.job)), '0', 'that leaves no job behind');

# A job of that name in another database is not taken over, and its hint removes it
my $foreign = $node->safe_psql('postgres', q(SELECT cron.schedule_in_database('recsys home merge', '0 0 1 1 *', 'SELECT 1', 'template1')));
($status, undef, $stderr) = $node->psql('postgres', q(SELECT * FROM recsys.schedule('home')));
like($stderr, qr/job "recsys home merge" of yours runs in database "template1"\nHINT:  SELECT cron\.unschedule\($foreign\);/, 'a job of that name in another database is left alone');
$node->safe_psql('postgres', $1) if $stderr =~ /HINT:  (.*)/;
is($node->safe_psql('postgres', q(SELECT count(*) FROM cron.job)), '0', 'the hint takes it away');

# Everybody's own: names are told apart by who they belong to, and rights are looked at
$node->safe_psql('postgres', q(
	CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN; GRANT CREATE ON SCHEMA public TO ann;
	SET ROLE ann; CREATE TABLE anns (user_id bigint, product_id bigint);
	CREATE INDEX anns_recsys ON anns USING recsys (user_id, product_id)));
($status, $stdout, $stderr) = $node->psql('postgres', q(SET client_min_messages = notice; SELECT count(job_id) FROM recsys.schedule('anns_recsys')), extra_params => [ '-U', 'ann' ]);
is($stdout, '0', 'who may not use pg_cron has no jobs');
like($stderr, qr/role "ann" may not use pg_cron\nHINT:  As a superuser: GRANT USAGE ON SCHEMA cron TO ann;/, 'and is told of it');
$node->safe_psql('postgres', 'GRANT USAGE ON SCHEMA cron TO ann, bob');
is($node->safe_psql('postgres', q(SELECT job, job_id IS NOT NULL, command FROM recsys.schedule('anns_recsys')), extra_params => [ '-U', 'ann' ]), <<'ROWS' =~ s/\n$//r, 'an index has jobs of its own, as far as the role goes');
recsys public.anns_recsys refresh|t|CALL recsys.refresh('public.anns_recsys')
recsys public.anns_recsys reindex|t|CALL recsys.reindex('public.anns_recsys', 0.2)
recsys public.anns_recsys merge|t|SELECT * FROM recsys.merge_pending('public.anns_recsys')
recsys public.anns_recsys maintain|f|
recsys public.anns_recsys vacuum|t|VACUUM (ANALYZE, SKIP_LOCKED) public.anns
ROWS
($status, undef, $stderr) = $node->psql('postgres', q(SELECT * FROM recsys.schedule('anns_recsys')), extra_params => [ '-U', 'bob' ]);
like($stderr, qr/must be owner of index anns_recsys/, 'others cannot schedule it');
($status, undef, $stderr) = $node->psql('postgres', q(SELECT * FROM recsys.schedule('home')), extra_params => [ '-U', 'bob' ]);
like($stderr, qr/must be owner of recommender "home"|permission denied/, 'nor a recommender of others');
is($node->safe_psql('postgres', q(SELECT recsys.unschedule('anns_recsys'), (SELECT count(*) FROM recsys.schedules)), extra_params => [ '-U', 'bob' ]), '0|0', 'nor see its jobs, or take them away');
is($node->safe_psql('postgres', q(SELECT recsys.unschedule('anns_recsys'), (SELECT count(*) FROM recsys.schedules WHERE role = 'ann' AND recommender = 'public.anns_recsys'))), '0|4', 'a superuser sees them, and leaves them alone');
is($node->safe_psql('postgres', q(SELECT recsys.unschedule('anns_recsys')), extra_params => [ '-U', 'ann' ]), '4', 'their owner takes them away');

# From another database
$node->safe_psql('postgres', q(CREATE DATABASE "it's other"));
$node->safe_psql(q(it's other), "CREATE EXTENSION recsys; $shop $declare");
($status, $stdout, $stderr) = $node->psql(q(it's other), q(SET client_min_messages = notice; SELECT note FROM recsys.schedule('home', reindex => '* * * * *', refresh => NULL, maintain => NULL, vacuum => NULL, merge => NULL)));
like($stderr, qr/pg_cron takes its jobs from database "postgres".*\nHINT:  Run these statements in database "postgres"/s, 'the NOTICE says where they belong');
like($stdout, qr/^SELECT cron\.schedule_in_database\('recsys home reindex in it''s other', /, 'the note is a statement');
$node->safe_psql('postgres', $stdout);
is($node->safe_psql('postgres', q(SELECT count(*) FROM recsys.schedules)), '0', 'jobs of other databases are not shown');

# They run.  First an index is left behind as a failed build leaves it.
my $refresh = $node->safe_psql('postgres', q(SELECT count(*) FROM pg_proc WHERE pronamespace = 'recsys'::regnamespace AND proname = 'refresh'));
insert($node);
my $built = $node->safe_psql('postgres', $state->('built_at'));
my $counted = $node->safe_psql('postgres', $state->('built_at', 'purchases_counted'));

sub insert { $_[0]->safe_psql('postgres', q(INSERT INTO purchases SELECT n / 4, (n * 7 + n / 4) % 31 FROM generate_series(10000, 14000) n)) }
$node->safe_psql('postgres', q(
	CREATE MATERIALIZED VIEW likeness AS SELECT item_id, similar_item_id, score FROM item_similarity('purchases_counted');
	CREATE UNIQUE INDEX ON likeness (item_id, similar_item_id)));
my $old = $node->safe_psql('postgres', 'SELECT count(*), sum(hashtext(l::text)) FROM likeness l');
cmp_ok($node->safe_psql('postgres', $state->('staleness')), '>', 0.2, 'a model has drifted');
$node->safe_psql('postgres', q(SELECT * FROM recsys.schedule('home', '* * * * *', '* * * * *', '* * * * *', '* * * * *', '* * * * *')));
ok($node->poll_query_until('postgres', $state->("staleness < 0.2 AND pending = 0 AND built_at > '$built'")), 'the job builds it anew');
is($node->safe_psql('postgres', $state->("built_at = '$counted'", 'purchases_counted')), 't', 'one that merges keep up to date is left alone');
ok($node->poll_query_until('postgres', $state->('pending = 0', 'purchases_counted')), 'its changes are merged');
ok($node->poll_query_until(q(it's other), $state->('staleness = 0')), 'and in the other database');
ok($node->poll_query_until('postgres', q(SELECT count(*) = 4 FROM recsys.schedules WHERE job !~ 'refresh' AND last_status = 'succeeded' AND last_run IS NOT NULL)), 'recsys.schedules says that all of them have run')
  or diag($node->safe_psql('postgres', 'TABLE recsys.schedules'));
ok($node->poll_query_until('postgres', q(SELECT relallvisible > 0 FROM pg_class WHERE relname = 'purchases')), 'the table is vacuumed');
is($node->safe_psql('postgres', 'SELECT count(*) FROM recsys.maintenance'), '1', 'recsys.maintain has run');
SKIP:
{
	skip 'there is no recsys.refresh', 2 unless $refresh;
	ok($node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM recsys.schedules WHERE job ~ 'refresh' AND last_status = 'succeeded')), 'the refresh, too')
	  or diag($node->safe_psql('postgres', 'TABLE recsys.schedules'));
	ok($node->poll_query_until('postgres', "SELECT (SELECT count(*) || '|' || sum(hashtext(l::text)) FROM likeness l) <> '$old'"), 'the materialized view has what is new');
}

# A failure is seen, and advice is given
is($node->safe_psql('postgres', q(SELECT count(*) FROM recsys.maintenance_advice WHERE topic IN ('stale model', 'merge', 'options', 'maintain'))), '0', 'nothing more is to be done about the models');
$node->safe_psql('postgres', q(SELECT cron.schedule('recsys home nonsense', '* * * * *', 'SELECT recsys.nonsense()'); SELECT cron.alter_job(job_id, active => false) FROM recsys.schedules WHERE job = 'recsys home merge'));
ok($node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM recsys.maintenance_advice WHERE topic = 'schedule' AND object = 'recsys home nonsense' AND reason ~ 'failed.*recsys.nonsense')), 'a job that fails is told of');
is($node->safe_psql('postgres', q(SELECT reason FROM recsys.maintenance_advice WHERE object = 'recsys home merge')), 'it is switched off', 'and one that is switched off');
is($node->safe_psql('postgres', q(SELECT recsys.unschedule('home'))), '5', 'unschedule leaves jobs of other names alone');

$node->stop;
done_testing();
