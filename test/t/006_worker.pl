# The background worker: every database with something pending is merged within
# seconds; an index that cannot be merged does not stop the others; workers are
# in nobody's way and come back after a crash; without them all else works.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

# what PostgreSQL::Test polls with has to be silent
$ENV{PGOPTIONS} = '-c client_min_messages=error';

my $node = new_node('worker',
	"shared_preload_libraries = 'recsys'",
	"recsys.merge_interval = '500ms'",
	'restart_after_crash = on');
my $workers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'recsys merge worker'";

# Nothing of the index is pending, and something has been merged.
sub merged
{
	my ($database, $index, $name) = @_;

	ok($node->poll_query_until($database, qq(
		SELECT pending = 0 AND last_merge_at IS NOT NULL
		FROM recsys.index_stats WHERE index_name = '$index')), $name);
}

sub set_interval
{
	my ($interval) = @_;

	$node->append_conf('postgresql.conf', "recsys.merge_interval = '$interval'");
	$node->reload;
}

# A client that is connected to a database until it is finished with.
sub start_client
{
	my ($database) = @_;
	my $output = '';
	my $client = IPC::Run::start(
		[ 'psql', '-X', '-q', '-d', $node->connstr($database), '-c', "SELECT 'client', pg_sleep(300)" ],
		'<', \undef, '>', \$output, '2>', \$output);

	$node->poll_query_until('postgres', qq(
		SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '$database' AND query LIKE 'SELECT ''client''%'));
	return $client;
}

sub stop_client
{
	my ($client, $database) = @_;

	$node->safe_psql('postgres', qq(
		SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = '$database' AND query LIKE 'SELECT ''client''%'));
	$client->finish;
}

# A table of ten people who bought two new things each, and nothing else.
sub create_pairs
{
	my ($database, $table) = @_;

	$node->safe_psql($database, qq(
		CREATE TABLE $table (user_id bigint, product_id bigint);
		INSERT INTO $table SELECT u, p FROM generate_series(1, 10) u, generate_series(1, 2) p;
		CREATE INDEX ${table}_recsys ON $table USING recsys (user_id, product_id)));
}

# Ten more people, two more things.
sub insert_pairs
{
	my ($database, $table, $product) = @_;

	$node->safe_psql($database, qq(
		INSERT INTO $table SELECT 100 + u, $product + p FROM generate_series(1, 10) u, generate_series(0, 1) p));
}

sub count_in_log
{
	my ($pattern, $offset) = @_;
	my $log = slurp_file($node->logfile, $offset);

	return scalar(() = $log =~ /$pattern/g);
}

#
# Databases with and without the extension
#
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'other', 'plain';
$node->safe_psql('other', 'CREATE EXTENSION recsys');

create_pairs('postgres', 'pairs');
create_pairs('other', 'pairs');
insert_pairs($_, 'pairs', 50) foreach 'postgres', 'other';
foreach my $database ('postgres', 'other')
{
	merged($database, 'pairs_recsys', "$database: the index is merged");
	ok($node->poll_query_until($database,
		"SELECT count(*) = 1 FROM similar_items(50, 10, 'pairs_recsys') WHERE item_id = 51"),
		"$database: the new items are similar");
}
is($node->safe_psql('postgres', "SELECT recsys.check_index('pairs_recsys')"), '', 'check_index');

# a worker leaves when the last client has left; in the background of one it stays
ok($node->poll_query_until('plain', $workers, '0'), 'without clients there is no worker');
my $client = start_client('other');
insert_pairs('other', 'pairs', 60);
ok($node->poll_query_until('plain', "$workers AND datname = 'other'", '1'), 'with a client there is one');
merged('other', 'pairs_recsys', 'it merges');
sleep 2;
is($node->safe_psql('plain', "$workers AND datname = 'other'"), '1', 'it stays for a while');
is($node->safe_psql('postgres', qq(
	SELECT string_agg(DISTINCT application_name, ',') FROM pg_stat_activity
	WHERE backend_type = 'recsys merge worker' AND state = 'idle' AND backend_xmin IS NULL AND backend_xid IS NULL)),
	'recsys merge worker', 'outside of a transaction');

#
# Off and on again
#
set_interval(0);
ok($node->poll_query_until('plain', $workers, '0'), 'no worker when merging is off');
insert_pairs('other', 'pairs', 70);
sleep 1.5;
is($node->safe_psql('other', 'SELECT pending > 0 FROM recsys.index_stats'), 't', 'nothing is merged');
set_interval('500ms');
merged('other', 'pairs_recsys', 'on again: what was pending is merged');

#
# Nobody waits for a worker, and the worker for nobody
#
my $locked = '';
my $locker = IPC::Run::start(
	[ 'psql', '-X', '-q', '-d', $node->connstr('other'), '-c',
		"BEGIN; LOCK TABLE pairs IN SHARE MODE; SELECT 'locker', pg_sleep(4); COMMIT" ],
	'<', \undef, '>', \$locked, '2>', \$locked);
create_pairs('other', 'more');
$node->poll_query_until('other', "SELECT count(*) = 1 FROM pg_locks WHERE relation = 'pairs'::regclass AND mode = 'ShareLock'");
insert_pairs('other', 'more', 50);
merged('other', 'more_recsys', 'a locked table does not stop the others');
is($node->safe_psql('other', 'SELECT count(*) FROM pg_locks WHERE NOT granted'), '0', 'the worker does not queue');
$locker->finish;

#
# DROP EXTENSION and DROP DATABASE
#
insert_pairs('other', 'pairs', 80);
$node->safe_psql('other', 'DROP EXTENSION recsys CASCADE');
$node->safe_psql('other', q(CREATE EXTENSION recsys;
	CREATE INDEX pairs_recsys ON pairs USING recsys (user_id, product_id)));
insert_pairs('other', 'pairs', 90);
merged('other', 'pairs_recsys', 'after DROP EXTENSION and CREATE EXTENSION');
insert_pairs('other', 'pairs', 95);
ok($node->poll_query_until('plain', "$workers AND datname = 'other'", '1'), 'a worker is there');
stop_client($client, 'other');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE other');
pass('CREATE DATABASE TEMPLATE, right after clients have left');
$node->safe_psql('postgres', 'DROP DATABASE other');
pass('DROP DATABASE');
$client = start_client('copy');
insert_pairs('copy', 'pairs', 110);
merged('copy', 'pairs_recsys', 'the copy is merged');
$node->safe_psql('postgres', 'DROP DATABASE copy WITH (FORCE)');
$client->finish;
pass('DROP DATABASE WITH (FORCE)');
sleep 2;
ok(count_in_log('database \d+ does not exist', 0) < 2, 'no worker is sent after a dropped database');

#
# What was pending when the server stopped; an index that cannot be merged
#
create_pairs('postgres', 'broken');
my $file = $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('broken_recsys')");
set_interval(0);
insert_pairs('postgres', $_, 120) foreach 'pairs', 'broken';
$node->stop;
open(my $handle, '+<:raw', $file) or die "$file: $!";
seek($handle, 100, 0);
print $handle "\0" x 64;
close $handle;
$node->append_conf('postgresql.conf', "recsys.merge_interval = '500ms'");
my $offset = -s $node->logfile;
$node->start;
merged('postgres', 'pairs_recsys', 'an index that cannot be merged does not stop the others');
$client = start_client('postgres');
sleep 4;
insert_pairs('postgres', 'pairs', 130);
merged('postgres', 'pairs_recsys', 'nor later');
is(count_in_log('recsys index "public\.broken_recsys" could not be merged', $offset), 1, 'the log tells once');
ok(count_in_log('invalid page in block 0', $offset) < 12, 'it is tried less and less often');
is($node->safe_psql('postgres', qq(
	SELECT index_name, users IS NULL, problem LIKE 'invalid page in block 0 %' FROM recsys.index_stats
	ORDER BY index_name COLLATE "C")), "broken_recsys|t|t\npairs_recsys|f|", 'index_stats shows both');
is($node->safe_psql('postgres', q(SELECT pages FROM recsys.page_summary('broken_recsys') WHERE kind = 'unknown')),
	'1', 'page_summary shows the damaged page');
is($node->safe_psql('postgres', q(SELECT kind FROM recsys.page_info('broken_recsys', 0))), 'unknown', 'and so does page_info');
$node->safe_psql('postgres', 'REINDEX INDEX broken_recsys');
insert_pairs('postgres', 'broken', 130);
merged('postgres', 'broken_recsys', 'after REINDEX it is merged');

#
# Killed
#
my $worker = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'recsys merge worker'");
like($worker, qr/^\d+$/, 'there is a worker');
kill 'KILL', $worker;
$client->finish;
ok($node->poll_query_until('postgres', 'SELECT true'), 'the server is back after kill -9 of the worker');
insert_pairs('postgres', 'pairs', 140);
merged('postgres', 'pairs_recsys', 'and merges');

#
# A standby has no worker until it is promoted
#
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
my ($status, $stdout, $stderr) = $standby->psql('postgres', "SELECT recsys.merge('pairs_recsys')");
like($stderr, qr/ERROR:  cannot execute recsys\.merge\(\) during recovery/, 'no merge on a standby');
is($standby->safe_psql('postgres', q(SELECT index_name, problem FROM recsys.index_stats WHERE index_name = 'pairs_recsys')),
	'pairs_recsys|', 'index_stats on a standby');
is($standby->safe_psql('postgres', q(SELECT sum(pages) > 0 FROM recsys.page_summary('pairs_recsys'))), 't', 'page_summary on a standby');
is($standby->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'recsys%')), '0', 'no worker on a standby');
$standby->promote;
$standby->safe_psql('postgres', 'INSERT INTO pairs VALUES (1, 145)');
ok($standby->poll_query_until('postgres', q(SELECT pending = 0 FROM recsys.index_stats WHERE index_name = 'pairs_recsys')),
	'after promotion it merges');
$standby->stop;

#
# Not preloaded
#
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
insert_pairs('postgres', 'pairs', 150);
sleep 1.5;
is($node->safe_psql('postgres', q(SELECT pending > 0 FROM recsys.index_stats WHERE index_name = 'pairs_recsys')),
	't', 'not preloaded: nothing is merged by itself');
$node->safe_psql('postgres', q(SELECT recsys.merge('pairs_recsys')));
is($node->safe_psql('postgres', q(SELECT pending FROM recsys.index_stats WHERE index_name = 'pairs_recsys')),
	'0', 'recsys.merge() works');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'recsys%')),
	'0', 'there are no background processes');
is($node->safe_psql('postgres', "SELECT recsys.check_index('pairs_recsys')"), '', 'check_index at the end');

$node->stop;
done_testing();
