# Read replicas: a session that reads from the standbys of workers (citus.use_secondary_nodes) is served
# by them, through the dispatcher, in whatever way a call is made, and changes nothing.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;
use RecsysCitus;

skip_without_citus();

my ($coordinator, @workers) = new_citus();
my @standbys;

create_purchases($coordinator, 20_000);
$coordinator->safe_psql('postgres', q(
	SELECT create_distributed_table('purchases', 'user_id');
	CREATE INDEX home ON purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine);
	SELECT recsys.distribute('home');
	SELECT recsys.distribute_log()));
for my $i (0, 1)
{
	my $standby = PostgreSQL::Test::Cluster->new("standby_$i");

	$workers[$i]->backup("base_$i");
	$standby->init_from_backup($workers[$i], "base_$i", has_streaming => 1);
	$standby->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\nport = " . $standby->port . "\n");
	$standby->start;
	$coordinator->safe_psql('postgres', "SELECT citus_add_secondary_node('127.0.0.1', ${\ $standby->port}, '127.0.0.1', ${\ $workers[$i]->port})");
	push @standbys, $standby;
}
$workers[$_]->wait_for_catchup($standbys[$_]) for 0, 1;

# what a session of the coordinator's says that reads from standbys
sub ask
{
	my ($query, %options) = @_;

	local $ENV{PGOPTIONS} = '-c citus.use_secondary_nodes=always';
	my ($status, $stdout, $stderr) = $coordinator->psql('postgres', $query, %options);
	return $stderr ne '' ? $stderr : $stdout;
}

my $lists = "SELECT u, r.* FROM generate_series(1, 60) u, LATERAL recommend(u::bigint, 3, 'home') r ORDER BY u, rank";
my @queries = ($lists,
	"SELECT * FROM recommend(NULL::bigint, 3, 'home')",
	"SELECT * FROM recommend(99999999, 3, 'home')",
	"SELECT * FROM similar_items(1, 5, 'home')",
	"SELECT * FROM popular_items(5, 'home')",
	"SELECT u, r.* FROM generate_series(1, 20) u, LATERAL explain_recommendation(u::bigint, 3, 'home') r ORDER BY u, rank",
	"WITH a AS (SELECT * FROM recommend(7, 5, 'home')) SELECT * FROM a ORDER BY rank",
	"SELECT p.user_id, r.item_id FROM (SELECT DISTINCT user_id FROM purchases WHERE user_id < 20) p CROSS JOIN LATERAL recommend(p.user_id + 1, 2, 'home') r ORDER BY 1, 2",
	"PREPARE p(bigint) AS SELECT * FROM recommend(\$1, 2, 'home'); EXECUTE p(11); EXECUTE p(12)",
	"BEGIN READ ONLY; SELECT * FROM recommend(11, 2, 'home'); SELECT * FROM recommend(12, 2, 'home'); COMMIT");
my @expected = map { $coordinator->safe_psql('postgres', $_) } @queries;
is(ask($queries[$_]), $expected[$_], "served by standbys: $queries[$_]") for 0 .. $#queries;

# it is the standbys that serve: their workers are down
$_->stop('immediate') for @workers;
is(ask($queries[$_]), $expected[$_], "without their workers: $queries[$_]") for 0 .. $#queries;
isnt(says($coordinator, $lists), '', 'a session that does not read from standbys misses the workers');
like(ask("SELECT count(*) FROM recommend(7, 3, 'home', log => true)"), qr/not currently allowed/, 'nothing is logged through them');
isnt(ask("SELECT recommend_request(7, 3, 'home') ->> 'item_ids'"), '', 'but a request is made to be logged elsewhere');
like(ask("SELECT recsys.$_"), qr/not currently allowed|read-only|recovery|failed on node/i, "$_ changes nothing")
  for "merge('home')", "forget_user('home', 7)", "retrain('home')";
$_->start for @workers;
is($coordinator->safe_psql('postgres', $lists), $expected[0], 'the workers are back');

# what was forgotten is so on standbys
$coordinator->safe_psql('postgres', "SELECT recsys.forget_user('home', 7)");
$workers[$_]->wait_for_catchup($standbys[$_]) for 0, 1;
is(ask("SELECT DISTINCT source FROM recommend(7, 3, 'home')"), 'popular', 'who was forgotten is so on standbys');
is($standbys[$_]->safe_psql('postgres', "SELECT DISTINCT source FROM recommend(7, 3, 'home')"),
	in_nodes($coordinator, 'purchases', 7) == $workers[$_]->port ? 'popular' : $coordinator->safe_psql('postgres', "SELECT DISTINCT source FROM recommend(7, 3, 'home')"),
	'standby ' . $_ . ' itself') for grep { in_nodes($coordinator, 'purchases', 7) == $workers[$_]->port } 0, 1;

$_->stop for @standbys, $coordinator, @workers;
done_testing();
