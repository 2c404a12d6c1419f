# The partitions of the log: made ahead, filled from the default partition, dropped when they
# are too old, in whatever time zone and by an owner who is no superuser; in nobody's way; through a
# dump, an upgrade and DROP EXTENSION.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

my $node = new_node('partitions');
my $directory = PostgreSQL::Test::Utils::tempdir();
my $shop = <<'SQL';
CREATE TABLE bought AS SELECT n % 20 AS u, n % 13 AS i FROM generate_series(1, 200) n;
CREATE INDEX bought_recsys ON bought USING recsys (u, i);
-- what it does with partitions
CREATE FUNCTION public.upkeep() RETURNS TABLE (action text, object text, detail text) LANGUAGE sql
	AS $$SELECT * FROM recsys.maintain() WHERE action NOT LIKE '% refreshed'$$;
SQL

# Partitions and their rows, without the default ones
my $where = q(SELECT c.relname, (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM ' || c.oid::regclass, false, true, '')))[1]
	FROM pg_class c WHERE c.relispartition AND c.relkind = 'r' AND c.relname ~ '_log_' ORDER BY 1);
my $days = q(SELECT string_agg(to_char(d, 'YYYYMMDD'), ',' ORDER BY d)
	FROM generate_series((now() AT TIME ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC')::date + 7, interval '1 day') d);

sub partitions
{
	my ($database, $table) = @_;

	return $node->safe_psql($database, qq(SELECT string_agg(right(relname, 8), ',' ORDER BY relname) FROM pg_class
		WHERE relispartition AND relkind = 'r' AND relname ~ '^${table}_[0-9]{8}\$'));
}

sub default_rows
{
	my ($database) = @_;

	return $node->safe_psql($database, 'SELECT (SELECT count(*) FROM recsys.request_log_default), (SELECT count(*) FROM recsys.event_log_default)');
}

$node->safe_psql('postgres', $shop);
$node->safe_psql('postgres', q(
	SELECT recsys.log_click(request_id, item_id) FROM recommend(1, 3, 'bought_recsys', log => true);
	SELECT recsys.log_impressions('old', '{1,2}'::bigint[], request_time => now() - n * interval '1 day') FROM generate_series(10, 40) n;));
is(default_rows('postgres'), '32|3', 'without partitions the default one has it all');

# ahead, of today, and of all days that there are rows of
my $made = $node->safe_psql('postgres', q(SET TimeZone = 'Pacific/Kiritimati'; SET DateStyle = 'SQL, DMY'; SET search_path = ''; SELECT action, count(*), sum(substring(detail FROM '^[0-9]+')::int) FROM public.upkeep() GROUP BY 1 ORDER BY 1));
is($made, "partition created|26|14\npostponed|1|", 'partitions are made, and rows moved');
is($node->safe_psql('postgres', q(SELECT object || ' ' || detail FROM public.upkeep() WHERE action = 'postponed')),
	'recsys.request_log_default it has rows of 11 more days: call recsys.maintain again', 'of a few days of the past at a time');
$node->safe_psql('postgres', 'SELECT count(*) FROM public.upkeep()') foreach 1 .. 2;
is(default_rows('postgres'), '0|0', 'the default one is empty');
is(partitions('postgres', 'event_log'), $node->safe_psql('postgres', $days), 'there are those of today and seven days more');
is($node->safe_psql('postgres', q(SELECT count(*) FROM recsys.request_log r JOIN pg_class c ON c.oid = r.tableoid
	WHERE c.relname <> 'request_log_' || to_char(r.time AT TIME ZONE 'UTC', 'YYYYMMDD'))), '0', 'a day is one by Greenwich');
is($node->safe_psql('postgres', 'SELECT count(*) FROM public.upkeep()'), '0', 'a second call has nothing to do');
$node->safe_psql('postgres', q(SELECT recsys.log_click(request_id, item_id) FROM recommend(2, 3, 'bought_recsys', log => true)));
is(default_rows('postgres'), '0|0', 'what comes goes to its partition');
is($node->safe_psql('postgres', q(SELECT count(DISTINCT i.indexdef), count(*) FROM pg_indexes i WHERE i.schemaname = 'recsys' AND i.tablename = 'request_log_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'))),
	'2|2', 'which has the indexes of the default one');

# retention
$node->safe_psql('postgres', q(SELECT recsys.configure_log(retention => '20 days 12 hours')));
my $dropped = $node->safe_psql('postgres', 'SELECT action, count(*) FROM public.upkeep() GROUP BY 1 ORDER BY 1');
like($dropped, qr/^partition dropped\|(19|20)$/, 'what is too old is dropped');
is($node->safe_psql('postgres', q(SELECT count(*) FROM recsys.request_log WHERE time < now() - interval '22 days')), '0', 'it is gone');
is($node->safe_psql('postgres', q(SELECT count(*) > 9 FROM recsys.request_log WHERE time < now() - interval '9 days')), 't', 'and nothing else');
$node->safe_psql('postgres', q(SELECT recsys.log_impressions('older', '{1}'::bigint[], request_time => now() - interval '100 days')));
is($node->safe_psql('postgres', 'SELECT * FROM public.upkeep()'), 'rows deleted|recsys.request_log_default|1 rows had expired', 'in the default partition, too');

# one at a time
sub begin
{
	my ($sql, $application) = @_;
	my ($in, $out, $err) = ("BEGIN; $sql; SELECT 'there';\n", '', '');
	my $run = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-q', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout(60));

	pump $run until $out =~ /there/ || $err =~ /ERROR/;
	return { run => $run, in => \$in, out => \$out, err => \$err };
}

sub finish_it
{
	my ($session, $command) = @_;

	${ $session->{in} } .= "$command;\n";
	$session->{run}->finish;
	return ${ $session->{err} };
}
my $first = begin('SELECT count(*) FROM public.upkeep()');
my (undef, $out, $err) = $node->psql('postgres', 'SELECT count(*) FROM public.upkeep()');
is($out, '0', 'a second one at the same time does nothing');
like($err, qr/NOTICE:  recsys.maintain is running already/, 'and says so');
is(finish_it($first, 'COMMIT'), '', 'the first one goes through');

# Nobody who logs waits for long, whatever others hold
$node->safe_psql('postgres', q(
	SELECT recsys.configure_log(retention => '12 days');
	SELECT recsys.log_impressions('old', '{1,2}'::bigint[], request_time => now() - interval '5 days');));
my $writer = begin(q(SELECT count(*) FROM recommend(3, 3, 'bought_recsys', log => true); SELECT recsys.log_impressions('old', '{1}'::bigint[], request_time => now() - interval '60 days')));
my $begin = time;
my $postponed = $node->safe_psql('postgres', 'SELECT action, object, detail FROM public.upkeep()');
like($postponed, qr/^postponed\|partitions that have expired\|others are using it$/m, 'it does not wait for a writer');
like($postponed, qr/^postponed\|partitions of the log\|others are using it$/m, 'nor for one of the default partition');
cmp_ok(time - $begin, '<', 20, 'or not for long');
is(finish_it($writer, 'COMMIT'), '', 'the writer is not disturbed');
like($node->safe_psql('postgres', 'SELECT DISTINCT action FROM public.upkeep() ORDER BY 1'), qr/partition created\npartition dropped/, 'the next call does it');
is(default_rows('postgres'), '0|0', 'all of it');

# Writers all the time, and none of theirs is lost
{
	my $script = "$directory/log.sql";

	append_to_file($script, q(
\set u random(1, 19)
SELECT recsys.log_click(request_id, item_id) FROM recommend(:u, 2, 'bought_recsys', log => true);
SELECT recsys.log_impressions('busy', '{1}'::bigint[], request_time => now() - (:u * 3 + 20) * interval '1 day');
));
	$node->safe_psql('postgres', q(SELECT recsys.configure_log(retention => '1000 days'); DELETE FROM recsys.request_log; DELETE FROM recsys.event_log;));
	my $load = IPC::Run::start([ 'pgbench', '-n', '-c', '4', '-T', '4', '-f', $script, $node->connstr('postgres') ], '>', \my $said, '2>', \my $complaints);
	my $rounds = 0;
	while ($load->pumpable && $rounds < 30)
	{
		$node->safe_psql('postgres', 'SELECT count(*) FROM public.upkeep()');
		$rounds++;
		sleep 0.1;
	}
	$load->finish;
	my ($transactions) = $said =~ /actually processed: (\d+)/;
	cmp_ok($transactions, '>', 10, 'writers write while partitions are made');
	unlike($complaints, qr/ERROR/, 'without errors');
	is($node->safe_psql('postgres', q(SELECT count(*) FILTER (WHERE recommender = 'busy'), count(*) FILTER (WHERE recommender <> 'busy') FROM recsys.request_log)),
		"$transactions|$transactions", 'no request is lost');
	is($node->safe_psql('postgres', q(SELECT count(*) FROM recsys.event_log)), 2 * $transactions, 'nor a click');
	my $left = $node->safe_psql('postgres', 'SELECT count(*) FROM public.upkeep() WHERE action = \'postponed\'');
	is($left, '0', 'in the end it all has its place');
	is(default_rows('postgres'), '0|0', 'which is not the default partition');
	$node->safe_psql('postgres', q(DELETE FROM recsys.request_log WHERE recommender = 'busy'; SELECT recsys.configure_log(retention => '15 days')));
	$node->safe_psql('postgres', 'SELECT count(*) FROM public.upkeep()');
}

# A dump: nothing is lost, by whomever
sub log_as_text
{
	my ($database) = @_;

	return $node->safe_psql($database, q(
		SELECT * FROM recsys.request_log ORDER BY request_id;
		SELECT * FROM recsys.event_log ORDER BY request_id, kind, item_id;
		SELECT * FROM recsys.log_setting; SELECT * FROM recsys.log_key;));
}
$node->safe_psql('postgres', q(
	SELECT recsys.configure_log(pseudonymous => true, attribution => 'first');
	SELECT recsys.log_click(request_id, item_id) FROM recommend(4, 3, 'bought_recsys', log => true);
	SELECT recsys.log_impressions('default', '{1,2}'::bigint[], 1, request_time => now() - interval '6 days');));
foreach my $format ('plain', 'custom')
{
	$node->safe_psql('postgres', "CREATE DATABASE from_$format");
	$node->command_ok([ 'pg_dump', "-F$format", '-f', "$directory/$format", $node->connstr('postgres') ], "pg_dump, $format");
	$node->command_ok($format eq 'plain' ?
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$directory/$format", $node->connstr('from_plain') ] :
		[ 'pg_restore', '-e', '-d', $node->connstr('from_custom'), "$directory/$format" ], "it is restored, $format");
	is(log_as_text("from_$format"), log_as_text('postgres'), "all of the log is there, $format");
	is($node->safe_psql("from_$format", $where), $node->safe_psql('postgres', $where), "in its partitions, $format");
	is($node->safe_psql("from_$format", q(SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname ~ '^(request|event)_log_')),
		$node->safe_psql('postgres', q(SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname ~ '^(request|event)_log_')),
		"with their indexes, $format");
	$node->safe_psql("from_$format", q(
		SELECT recsys.log_click(request_id, item_id) FROM recommend(4, 3, 'bought_recsys', log => true);
		SELECT count(*) FROM public.upkeep();));
	is($node->safe_psql("from_$format", q(SELECT count(DISTINCT user_id) FROM recsys.request_log WHERE recommender = 'public.bought_recsys' AND user_id ~ '^[0-9a-f]{32}$')),
		'1', "a user's pseudonym stays, $format");
	is(default_rows("from_$format"), '0|0', "maintain goes on, $format");
	$node->command_ok([ 'pg_dump', '-f', "$directory/$format.again", $node->connstr("from_$format") ], "and can be dumped again, $format");
}
$node->safe_psql('from_plain', 'DROP INDEX bought_recsys; DROP EXTENSION recsys');
is($node->safe_psql('from_plain', q(SELECT count(*) FROM pg_class WHERE relname ~ '_log')), '0', 'the extension goes, and its log with it');
$node->safe_psql('from_plain', 'CREATE EXTENSION recsys');

# An owner who is no superuser
$node->safe_psql('postgres', q(
	CREATE ROLE shopkeeper LOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE stranger LOGIN;
	CREATE DATABASE small OWNER shopkeeper;
	CREATE DATABASE small_again OWNER shopkeeper));
my @shopkeeper = ('-U', 'shopkeeper', '-h', $node->host, '-p', $node->port);
my @as = (extra_params => [ '-U', 'shopkeeper' ]);
$node->safe_psql('small', "CREATE EXTENSION recsys; CREATE SCHEMA his; SET search_path = his; $shop GRANT USAGE ON SCHEMA his TO clerk; GRANT SELECT ON bought TO clerk", @as);
$node->safe_psql('small', q(SELECT recsys.log_click(request_id, item_id) FROM recommend(1, 3, 'his.bought_recsys', log => true)), extra_params => [ '-U', 'clerk' ]);
is($node->safe_psql('small', 'SELECT count(*) FROM public.upkeep()', @as), '16', 'he makes partitions');
$node->safe_psql('small', q(SELECT recsys.configure_log(pseudonymous => true)), @as);
$node->safe_psql('small', q(SELECT recsys.log_click(request_id, item_id) FROM recommend(1, 3, 'his.bought_recsys', log => true)), extra_params => [ '-U', 'clerk' ]);
$node->safe_psql('small', q(SELECT recsys.log_click(request_id, item_id) FROM recommend(2, 3, 'his.bought_recsys', log => true)));
is($node->safe_psql('small', 'SELECT count(*), count(DISTINCT user_id) FROM recsys.request_log', @as), '3|3', 'all are logged');
like(($node->psql('small', 'SELECT recsys.maintain()', extra_params => [ '-U', 'clerk' ]))[2], qr/permission denied for recsys.maintain/, 'others do not maintain');
like(($node->psql('small', 'SELECT * FROM recsys.log_key', extra_params => [ '-U', 'clerk' ]))[2], qr/permission denied/, 'nor see the key');
$node->command_ok([ 'pg_dump', @shopkeeper, '-f', "$directory/small", 'small' ], 'he dumps it');
$node->command_ok([ 'psql', '-X', '-q', @shopkeeper, '-v', 'ON_ERROR_STOP=1', '-f', "$directory/small", 'small_again' ], 'and restores it');
is(log_as_text('small_again'), log_as_text('small'), 'all of the log is there');
is($node->safe_psql('small_again', 'SELECT count(*) FROM public.upkeep()', @as), '0', 'and its partitions');
$node->safe_psql('small_again', q(SELECT recsys.configure_log(retention => '1 day')), @as);
$node->safe_psql('small_again', q(SELECT count(*) FROM public.upkeep()));
is($node->safe_psql('small_again', q(SELECT count(*) FROM pg_class WHERE relispartition AND relname ~ '_log' AND relowner <> 'shopkeeper'::regrole)), '0', 'whoever makes partitions, they are his');

# What he does to his tables is done with his rights, whoever comes along
$node->safe_psql('small', q(
	CREATE FUNCTION his.grab() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE ''ALTER ROLE shopkeeper SUPERUSER''; RETURN NEW; END';
	CREATE TRIGGER grab AFTER INSERT ON recsys.request_log FOR EACH ROW EXECUTE FUNCTION his.grab()), @as);
like(($node->psql('small', q(SELECT * FROM recommend(3, 3, 'his.bought_recsys', log => true))))[2], qr/permission denied|must be superuser/, 'a trigger of his has no more rights than he');
$node->safe_psql('small', q(
	DROP TRIGGER grab ON recsys.request_log;
	CREATE CONSTRAINT TRIGGER grab AFTER INSERT ON recsys.request_log_default DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION his.grab()), @as);
$node->psql('small', q(SELECT recsys.log_impressions('old', '{1}'::bigint[], request_time => now() - interval '30 days')));
is($node->safe_psql('small', q(SELECT rolsuper FROM pg_roles WHERE rolname = 'shopkeeper')), 'f', 'nor one that waits for the end');
$node->safe_psql('small', 'DROP TRIGGER grab ON recsys.request_log_default', @as);
$node->safe_psql('small', 'DROP INDEX his.bought_recsys; DROP EXTENSION recsys', @as);

# A partition that others depend on stays, and is reported
$node->safe_psql('postgres', q(
	SELECT recsys.configure_log(pseudonymous => false, retention => '0');
	SELECT recsys.log_impressions('old', '{1}'::bigint[], request_time => '2020-02-29 23:59:59.999+00');
	SELECT recsys.log_impressions('old', '{1}'::bigint[], request_time => '2020-03-01 00:00:00+00');
	SELECT count(*) FROM public.upkeep();
	CREATE VIEW leap AS SELECT * FROM recsys.request_log_20200229;
	SELECT recsys.configure_log(retention => '1000 days')));
(undef, $out, $err) = $node->psql('postgres', 'SELECT action, object FROM public.upkeep()');
is($out, "postponed|recsys.request_log_20200229\npartition dropped|recsys.request_log_20200301", 'a view keeps a partition, and no other one');
like($err, qr/WARNING:  recsys.maintain could not see to recsys.request_log_20200229: cannot drop/, 'which is said');
$node->safe_psql('postgres', 'DROP VIEW leap');
is($node->safe_psql('postgres', 'SELECT object FROM public.upkeep() ORDER BY 1'), 'recsys.request_log_20200229', 'until it is gone');

$node->stop;
done_testing();
