# Readers on a standby: what recommend_request returns there is logged on the primary, once, before or
# after what follows it.  And several sessions that log the same at the same time.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $primary = new_node('log_primary');
my $directory = PostgreSQL::Test::Utils::tempdir();

$primary->safe_psql('postgres', q(
	CREATE TABLE bought AS SELECT n % 20 AS u, n % 13 AS i FROM generate_series(1, 200) n;
	CREATE INDEX bought_recsys ON bought USING recsys (u, i);
	SELECT recsys.configure_log(pseudonymous => true);
	SELECT count(*) FROM recsys.maintain();));
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('log_standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

# On a standby
my (undef, $out, $err) = $standby->psql('postgres', q(SELECT * FROM recommend(3, 2, 'bought_recsys', log => true)));
like($err, qr/ERROR:  a request cannot be logged during recovery/, 'a standby logs nothing');
my ($call) = $err =~ /HINT:  Use SELECT (.*?) here, and pass what it returns to recsys\.log_request/;
is($call, q(recommend_request(3, 2, 'bought_recsys')), 'and says what to call');
my $document = $standby->safe_psql('postgres', "SELECT $call");
is($standby->safe_psql('postgres', qq(SELECT '$document'::jsonb ->> 'user_id')), '3', 'which has the user as the shop has it');
is($standby->safe_psql('postgres', qq(SELECT ARRAY(SELECT jsonb_array_elements_text('$document'::jsonb -> 'item_ids')) = ARRAY(SELECT item_id::text FROM recommend(3, 2, 'bought_recsys') ORDER BY rank))),
	't', 'the list is that of recommend');
is($standby->safe_psql('postgres', q(SELECT count(*) FROM recommend(3, 2, 'bought_recsys', log => false))), '2', 'a list that is not to be logged is served');
foreach my $refused ("recsys.log_request('$document')", 'recsys.log_click(recsys.new_request_id(), 1)', "recsys.log_impressions('x', '{1}'::bigint[])",
	'recsys.maintain()', 'recsys.configure_log()')
{
	my ($name) = $refused =~ /(\w+)\(/;

	like(($standby->psql('postgres', "SELECT $refused"))[2], qr/ERROR:  cannot execute recsys\.$name\(\) (during recovery|in a read-only transaction)/, "$name is for the primary");
}

# and from there to the primary
is($primary->safe_psql('postgres', "SELECT recsys.log_request('$document')"), 't', 'the primary logs it');
is($primary->safe_psql('postgres', "SELECT recsys.log_request('$document')"), 'f', 'once');
is($primary->safe_psql('postgres', qq(SELECT user_id ~ '^[0-9a-f]{32}\$', item_ids = ARRAY(SELECT jsonb_array_elements_text('$document'::jsonb -> 'item_ids')), recommender FROM recsys.request_log)),
	't|t|public.bought_recsys', 'with a pseudonym');
my $later = $standby->safe_psql('postgres', q(SELECT recommend_request(4, 3, 'bought_recsys', 'session')));
my $id = $primary->safe_psql('postgres', qq(SELECT '$later'::jsonb ->> 'request_id'));
my $item = $primary->safe_psql('postgres', qq(SELECT '$later'::jsonb -> 'item_ids' ->> 0));
is($primary->safe_psql('postgres', "SELECT recsys.log_click('$id', '$item')"), 't', 'a click may come first');
is($primary->safe_psql('postgres', "SELECT recsys.log_request('$later')"), 't', 'then its request');
is($primary->safe_psql('postgres', "SELECT recsys.log_click('$id', '$item')"), 'f', 'and the click again');
is($primary->safe_psql('postgres', q(SELECT count(*), count(DISTINCT e.request_id) FROM recsys.event_log e JOIN recsys.request_log r ON r.request_id = e.request_id AND r.time = e.request_time)), '1|1', 'it counts once');
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT count(*) FROM recsys.request_log'), '2', 'and arrives on the standby');

# A bandit: what comes before its request is a reward when that comes, once
$primary->safe_psql('postgres', q(
	CREATE INDEX bought_again_recsys ON bought USING recsys (u, i) WITH (similarity = jaccard);
	SELECT recsys.create_bandit('arms', arms => '{bought_recsys, bought_again_recsys}', policy => 'thompson');));
$primary->wait_for_catchup($standby);
my $figures = 'SELECT sum(trials), sum(rewards) FROM recsys.bandit_state';
my $chosen = $standby->safe_psql('postgres', q(SELECT recommend_request(7, 2, 'arms')));
my $clicked = "SELECT recsys.log_click(('$chosen'::jsonb ->> 'request_id')::uuid, '$chosen'::jsonb -> 'item_ids' ->> 1)";
is($primary->safe_psql('postgres', $clicked), 't', 'a click comes before the request of a bandit');
$primary->safe_psql('postgres', 'SELECT count(*) FROM recsys.maintain()');
is($primary->safe_psql('postgres', $figures), '|', 'and waits for it');
is($primary->safe_psql('postgres', "SELECT recsys.log_request('$chosen'), recsys.log_request('$chosen')"), 't|f', 'that comes');
is($primary->safe_psql('postgres', $clicked), 'f', 'the click comes again');
$primary->safe_psql('postgres', 'SELECT count(*) FROM recsys.maintain()');
is($primary->safe_psql('postgres', $figures), '1|1', 'one trial, one reward');

# both at once: each waits for the other
my $both = $standby->safe_psql('postgres', q(SELECT recommend_request(8, 2, 'arms')));
$clicked = "SELECT recsys.log_click(('$both'::jsonb ->> 'request_id')::uuid, '$both'::jsonb -> 'item_ids' ->> 1)";
my ($ask, $told) = ("BEGIN; $clicked; SELECT 'clicked';\n", '');
my $early = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-q', $primary->connstr('postgres') ], '<', \$ask, '>', \$told, '2>&1');
pump $early until $told =~ /clicked/;
my ($late_out, $late_err) = ('', '');
my $late = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-c', "SELECT recsys.log_request('$both')", $primary->connstr('postgres') ], '>', \$late_out, '2>', \$late_err);
ok($primary->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%log_request%' AND pid <> pg_backend_pid())), 'a request waits for its click that is on the way');
$ask .= "COMMIT;\n";
$early->finish;
$late->finish;
is("$late_out$late_err", "t\n", 'then it is logged');
$primary->safe_psql('postgres', 'SELECT count(*) FROM recsys.maintain()');
is($primary->safe_psql('postgres', $figures), '2|2', 'and both count');
$primary->safe_psql('postgres', 'DELETE FROM recsys.request_log WHERE bandit IS NOT NULL; DELETE FROM recsys.event_log e WHERE NOT EXISTS (SELECT FROM recsys.request_log r WHERE r.request_id = e.request_id)');

# Sessions that log the same
my @documents = split /\n/, $standby->safe_psql('postgres', q(SELECT recommend_request(u, 3, 'bought_recsys') FROM generate_series(1, 19) u, generate_series(1, 10)));
my $script = "$directory/same.sql";
append_to_file($script, join('', map { my ($key) = /"request_id": "([^"]*)"/; "SELECT recsys.log_request('$_');\nSELECT recsys.log_click('$key', (('$_'::jsonb) -> 'item_ids' ->> 1));\n" } @documents));
my @sessions = map { my $s = { out => '', err => '' }; $s->{run} = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-q', '-f', $script, $primary->connstr('postgres') ], '>', \$s->{out}, '2>', \$s->{err}); $s } 1 .. 4;
$_->{run}->finish foreach @sessions;
is(join('', map { $_->{err} } @sessions), '', 'four sessions that log the same have no errors');
is(scalar(grep { $_ eq 't' } map { split /\n/, $_->{out} } @sessions), 2 * @documents, 'each row is the work of one of them');
is($primary->safe_psql('postgres', 'SELECT (SELECT count(*) FROM recsys.request_log) - 2, (SELECT count(*) FROM recsys.event_log) - 1'), @documents . '|' . @documents, 'and there once');

# A snapshot of before does not see, and does not double
my ($in, $said) = ("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;\n", '');
my $reader = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-q', $primary->connstr('postgres') ], '<', \$in, '>', \$said, '2>&1');
pump $reader until $said =~ /1/;
my ($new) = $primary->safe_psql('postgres', q(SELECT request_id || ' ' || item_id FROM recommend(5, 1, 'bought_recsys', log => true)));
my ($new_id, $new_item) = split / /, $new;
$in .= "SELECT 'clicked', recsys.log_click('$new_id', '$new_item');\nCOMMIT;\n";
$reader->finish;
like($said, qr/clicked\|t/, 'a request that is newer than the snapshot is found');

# settings reach sessions that have kept them
my ($in2, $said2) = ("SELECT count(*) FROM recommend(6, 1, 'bought_recsys', log => true); SELECT 'before';\n", '');
my $writer = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-q', $primary->connstr('postgres') ], '<', \$in2, '>', \$said2, '2>&1');
pump $writer until $said2 =~ /before/;
$primary->safe_psql('postgres', 'SELECT recsys.configure_log(pseudonymous => false)');
$in2 .= "SELECT count(*) FROM recommend(6, 1, 'bought_recsys', log => true);\n";
$writer->finish;
is($primary->safe_psql('postgres', q(SELECT count(*) FROM recsys.request_log WHERE user_id = '6')), '1', 'a session hears that there are no pseudonyms any more');

$standby->stop;
$primary->stop;
done_testing();
