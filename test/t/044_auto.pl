# Indexes that choose their model: after random histories an exact merge gives what a new
# index with the chosen model gives; a crash at any step of a build or merge is survived;
# standbys and dumps have the model; a choice can be cancelled at once.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

$RecsysTest::users = 300;
$RecsysTest::products = 120;

my $node = new_node('primary', 'restart_after_crash = on', 'client_min_messages = warning', 'shared_buffers = 32MB');

# Customers with tastes of their own, the same ones for the same seed
sub rows
{
	my ($seed, $from, $to) = @_;

	return qq(
		SELECT setseed($seed);
		INSERT INTO purchases
		SELECT u, 1 + CASE WHEN random() < 0.7 THEN (u % 6) * 20 + floor(20 * random() * random())::int ELSE floor(120 * random() * random())::int END,
			   CASE WHEN random() < 0.05 THEN NULL WHEN random() < 0.05 THEN -1 ELSE 1 + floor(3 * random())::int END,
			   timestamptz '2024-01-01' + floor(random() * 300) * interval '1 day'
		FROM (SELECT 1 + floor(300 * random())::int AS u FROM generate_series($from, $to)) u;);
}

sub model
{
	my ($name) = @_;

	return $node->safe_psql('postgres', "SELECT model, model_quality IS NOT NULL FROM recsys.index_stats WHERE index_name = '$name'");
}

my @columns = ('user_id, product_id', 'user_id, product_id, quantity', 'user_id, product_id, purchased_at',
	'user_id, product_id, quantity, purchased_at');

$node->safe_psql('postgres', 'CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz)');
foreach my $seed (1 .. 24)
{
	my $columns = "purchases USING recsys ($columns[$seed % 4])";

	srand($seed);
	$node->safe_psql('postgres', 'TRUNCATE purchases;' . rows($seed / 100, 1, 3000) . "CREATE INDEX purchases_recsys ON $columns");
	my ($model, $measured) = split /\|/, model('purchases_recsys');
	is($measured, 't', "history $seed: measured, $model");
	foreach my $step (1 .. 6)
	{
		my $r = int(rand(7));
		my $k = 3 + int(rand(20));
		my $sql = $r == 0 ? "DELETE FROM purchases WHERE (user_id * 7 + product_id) % $k = 0"
		  : $r == 1 ? "UPDATE purchases SET quantity = 4 - quantity, purchased_at = purchased_at + interval '3 days' WHERE user_id % $k = 1"
		  : $r == 2 ? "UPDATE purchases SET product_id = 1 + (product_id + $k) % 130 WHERE product_id % $k = 2"
		  : $r == 3 ? "SET recsys.merge_budget = $k; SELECT recsys.merge('purchases_recsys')"
		  : $r == 4 ? 'VACUUM (INDEX_CLEANUP on) purchases'
		  : $r == 5 ? "INSERT INTO purchases SELECT 1000 + i, 1 + i % 140, 1, '2025-01-01' FROM generate_series(1, $k) i; DELETE FROM purchases WHERE user_id = $k"
		  : rows(($seed + $step / 10) / 100, 1, 40 * $k);
		$node->safe_psql('postgres', $sql);
	}
	is(model('purchases_recsys'), "$model|t", "history $seed: a merge does not choose");
	equals_new_index($node, 'purchases_recsys', "$columns WITH ($model)", "history $seed");
	$node->safe_psql('postgres', 'DROP INDEX purchases_recsys');
}

# Crashes
my $columns = "purchases USING recsys ($columns[3])";
my $create = "CREATE INDEX purchases_recsys ON $columns";
my $merge = q(SELECT recsys.merge('purchases_recsys', true));
my $faulty = $node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault'));

sub fault
{
	my ($point, $sql) = @_;
	my $offset = -s $node->logfile;
	my ($status, undef, $stderr) = $node->psql('postgres', "SET recsys.fault = '$point:kill'; $sql");

	ok($status != 0 && $stderr =~ /terminat|closed the connection|connection to server was lost/,
		"$point: the server dies there") or diag($stderr);
	is_back($node, $offset) or BAIL_OUT('the server does not come back');
	($status, undef, $stderr) = $node->psql('postgres', $sql);
	is($status, 0, "$point: the same statement again") or diag($stderr);
	check_clean($node, 'purchases_recsys', "$point: check_index after it");
}

$node->safe_psql('postgres', 'TRUNCATE purchases;' . rows(0.5, 1, 4000) . $create);
my ($model) = split /\|/, model('purchases_recsys');
if ($faulty)
{
	foreach my $point ('build-scanned', 'build-graph-row', 'build-written', 'build-logged')
	{
		$node->safe_psql('postgres', 'DROP INDEX purchases_recsys');
		fault($point, $create);
		is(model('purchases_recsys'), "$model|t", "$point: the same choice");
	}
	foreach my $point ('merge-read', 'merge-recounted', 'merge-page-written', 'merge-users', 'merge-removed')
	{
		$node->safe_psql('postgres', 'DELETE FROM purchases WHERE random() < 0.02;' . rows(0.6, 1, 100));
		fault($point, $merge);
		is(model('purchases_recsys'), "$model|t", "$point: the same model");
	}
}
equals_new_index($node, 'purchases_recsys', "$columns WITH ($model)", 'after crashes');

# A standby serves it, with the half-life that was chosen, and merges of it
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', rows(0.7, 1, 300) . $merge);
$node->wait_for_catchup($standby);
same_answers(answers($standby, 'purchases_recsys'), answers($node, 'purchases_recsys'), 'standby: same answers');
check_clean($standby, 'purchases_recsys', 'standby: check_index');
is($standby->safe_psql('postgres', 'SELECT model, model_quality FROM recsys.index_stats'),
	$node->safe_psql('postgres', 'SELECT model, model_quality FROM recsys.index_stats'), 'standby: what was chosen, and by what');
$node->safe_psql('postgres', 'REINDEX INDEX purchases_recsys');
$node->wait_for_catchup($standby);
same_answers(answers($standby, 'purchases_recsys'), answers($node, 'purchases_recsys'), 'standby: same answers after REINDEX');
$standby->stop;

# A dump has the table and that the index chooses
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'pg_dump');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('restored') ], 'restored');
same_answers(answers($node, 'purchases_recsys', 'restored'), answers($node, 'purchases_recsys'), 'restored: same answers');
is($node->safe_psql('restored', 'SELECT model, model_quality FROM recsys.index_stats'),
	$node->safe_psql('postgres', 'SELECT model, model_quality FROM recsys.index_stats'), 'restored: the same choice');

# Cancelled while it chooses: that is when models are told of
$node->safe_psql('postgres', q(
	SELECT setseed(0.3);
	CREATE TABLE many AS
	SELECT u AS user_id, (u % 50) * 400 + floor(400 * random() * random())::int + 1 AS item_id, 1.5::real AS weight,
		   timestamptz '2024-01-01' + random() * 300 * interval '1 day' AS at
	FROM generate_series(1, 20000) u, generate_series(1, 30) i));
my $latest = $ENV{ASAN_OPTIONS} ? 5 : 0.5;

foreach my $wanted (1, 12, 30, 50)
{
	my $log = '';
	my $run = IPC::Run::start(
		[ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c', 'SET client_min_messages = debug1',
			'-c', 'CREATE INDEX many_recsys ON many USING recsys (user_id, item_id, weight, at)' ],
		'<', \undef, '>', \$log, '2>', \$log);
	my $deadline = time + 60;

	while ($run->pumpable && time < $deadline && (() = $log =~ /NDCG\@/g) < $wanted)
	{
		$run->pump_nb;
		sleep 0.005;
	}
	$node->safe_psql('postgres', q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX many%'));
	my $asked = time;
	$run->finish;
	my $late = time - $asked;
	like($log, qr/canceling statement due to user request/, "cancelled after $wanted models");
	cmp_ok($late, '<', $latest, sprintf('soon: %.3f s', $late));
}
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_class WHERE relname = 'many_recsys')), 0, 'nothing is left');
is(join(' ', glob($node->data_dir . '/base/pgsql_tmp/*')), '', 'no temporary files either');

$node->stop;
done_testing();
