# Nodes that die while a distributed recommender serves and while it is trained: errors say which node it
# is, the old item graph serves on, and nothing is wrong afterwards.  A standby of a worker serves, too.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use RecsysTest;
use RecsysCitus;

skip_without_citus();

my ($coordinator, @workers) = new_citus();
my $lists = "SELECT u, r.* FROM generate_series(1, 60) u, LATERAL recommend(u::bigint, 3, 'home') r ORDER BY u, rank";

create_purchases($coordinator, 30_000);
$coordinator->safe_psql('postgres', q(
	SELECT create_distributed_table('purchases', 'user_id');
	CREATE INDEX home ON purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine);
	SELECT recsys.distribute('home')));
my $before = $coordinator->safe_psql('postgres', $lists);
my ($lost, $kept) = @workers;
my ($here) = grep { in_nodes($coordinator, 'purchases', $_) == $kept->port } 1 .. 100;
my ($there) = grep { in_nodes($coordinator, 'purchases', $_) == $lost->port } 1 .. 100;
my $graph = $coordinator->safe_psql('postgres', 'SELECT graph FROM recsys.distributed');

# a standby of a worker answers for the users that the worker has
$kept->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($kept, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\nport = " . $standby->port . "\n");
$standby->start;
$kept->wait_for_catchup($standby);
my $one = "SELECT * FROM recommend($here, 5, 'home')";
is($standby->safe_psql('postgres', $one), $coordinator->safe_psql('postgres', $one), 'a standby of a worker serves its users');
is($standby->safe_psql('postgres', "SELECT * FROM similar_items(1, 5, 'home')"),
	$coordinator->safe_psql('postgres', "SELECT * FROM similar_items(1, 5, 'home')"), 'and neighbors of items');
like(says($standby, "SELECT recsys.merge('home')"), qr/recovery|read-only/, 'and changes nothing');
$standby->stop;

# a worker dies under load: its users get an error, others are served
my $directory = PostgreSQL::Test::Utils::tempdir();
append_to_file("$directory/read.sql", "SELECT count(*) FROM recommend($here, 5, 'home');\n");
my $load = pgbench($coordinator, 600, 2, '-f', "$directory/read.sql");
kill_server($lost);
like(says($coordinator, "SELECT * FROM recommend($there, 5, 'home')"), qr/connection|could not connect|server closed/i,
	'the users of a node that is down get an error');
is($coordinator->safe_psql('postgres', $one), $kept->safe_psql('postgres', $one), 'others are served by the coordinator');
isnt($coordinator->safe_psql('postgres', "SELECT count(*) FROM recommend(NULL::bigint, 3, 'home')"), 0, 'and whoever has no history');
my $port = $lost->port;
like(says($coordinator, "SELECT recsys.retrain('home')"), qr/failed on node 127\.0\.0\.1:$port|127\.0\.0\.1:$port/, 'training says which node it lacks');
like(says($coordinator, "SELECT recsys.$_"), qr/127\.0\.0\.1:$port/, "$_ says which node it lacks")
  for "merge('home')", "check_index('home')", "forget_user('home', $there)";
sleep 1;
$load->signal('TERM');
$load->finish;
is(join("\n", grep { /ERROR/ } split /\n/, slurp_file($load->{recsys_log})), '', 'the load on the other node ran without an error');
$lost->start;
is($coordinator->safe_psql('postgres', $lists), $before, 'back again: answers as before');
is($coordinator->safe_psql('postgres', 'SELECT graph FROM recsys.distributed'), $graph, 'the graph is the one before');

# a worker dies in the middle of a training
for my $delay (0.3, 0.6, 1.0)
{
	my $run = start_psql($coordinator, "SELECT recsys.retrain('home')");

	sleep $delay;
	kill_server($lost);
	my $done = finish($run);
	note('a worker was killed after ' . $delay . ' s: the training ' . ($done ? 'had ended' : 'failed'));
	is($kept->safe_psql('postgres', $one), $coordinator->safe_psql('postgres', $one), "killed after $delay s: what serves is the same on all nodes");
	$lost->start;
	is($coordinator->safe_psql('postgres', $lists), $before, "killed after $delay s: answers as before");
	$coordinator->safe_psql('postgres', 'SELECT recover_prepared_transactions()');
}
# and it is cancelled
my $error = says($coordinator, "SET statement_timeout = '300ms'; SELECT recsys.retrain('home')");
like($error, qr/^$|statement timeout/, 'a training is cancelled');
is($coordinator->safe_psql('postgres', $lists), $before, 'cancelled: answers as before');

# the next training clears up
$coordinator->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_stat_activity WHERE query ~ 'train_p' AND pid <> pg_backend_pid())) or die;
is(says($coordinator, "SELECT recsys.retrain('home')"), '', 'the next training');
is($coordinator->safe_psql('postgres', $lists), $before, 'its graph is the same: rows have not changed');
cmp_ok($coordinator->safe_psql('postgres', q(SELECT count(*) FROM pg_class WHERE relname ~ '^home_graph_\d+$')), '<=', 2, 'nothing is left behind');
is(says($coordinator, "SELECT recsys.check_index('home')"), '', 'check_index');

# the coordinator dies in a training
my $run = start_psql($coordinator, "SELECT recsys.retrain('home')");
sleep 0.6;
kill_server($coordinator);
finish($run);
is($kept->safe_psql('postgres', $one), $kept->safe_psql('postgres', $one), 'without the coordinator workers serve their users');
isnt($kept->safe_psql('postgres', $one), '', 'with lists');
$coordinator->start;
$coordinator->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_stat_activity WHERE query ~ 'train_p' AND pid <> pg_backend_pid())) or die;
is($coordinator->safe_psql('postgres', $lists), $before, 'the coordinator is back: answers as before');
is(says($coordinator, "SELECT recsys.distribute('home')"), '', 'distributed anew');
is($coordinator->safe_psql('postgres', $lists), $before, 'answers as before');
is(says($coordinator, "SELECT recsys.check_index('home')"), '', 'check_index');

# a user forgotten by a transaction that is rolled back is forgotten
is($coordinator->safe_psql('postgres', "BEGIN; SELECT recsys.forget_user('home', $there) > 0; ROLLBACK"), 't', 'forgotten in a transaction');
is($coordinator->safe_psql('postgres', "SELECT DISTINCT source FROM recommend($there, 3, 'home')"), 'popular', 'which was rolled back: it stays forgotten');

$_->stop for $coordinator, @workers;
done_testing();
