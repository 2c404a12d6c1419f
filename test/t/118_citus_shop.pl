# A declared recommender over tables that Citus has distributed: its lists are those of one server with the
# same rows and the same declaration, on every node, wherever a call stands.
#
# Three servers on loopback.  Where Citus is not installed the test is skipped.

use strict;
use warnings;

use IPC::Run;
use Test::More;

use RecsysTest;
use RecsysCitus;
use RecsysCitusShop;

skip_without_citus();

my ($coordinator, @workers) = new_citus();
my @nodes = ($coordinator, @workers);
my $same = sub { as_alone($coordinator, \@nodes, @_) };
my $each = sub { my ($call, $users) = @_; 'SELECT u, r.* FROM generate_series(1, ' . ($users // 40) . ") u, LATERAL $call r ORDER BY u, rank" };

create_citus_shop($coordinator);
create_lone_shop($coordinator);
in_both($coordinator, declare_shop());
like(says($coordinator, "SELECT * FROM recommend(42, 3, 'shop')"), qr/are on several nodes.*recsys\.distribute\('shop'\)/s,
	'before, a call says what to do');
like($coordinator->safe_psql('postgres', "SELECT problem FROM recsys.recommenders WHERE name = 'shop'"), qr/distributed/, 'and so does problem');
like(says($workers[0], "SELECT * FROM recommend(42, 3, 'shop')"), qr/does not exist/, 'a worker does not know it');
like(says($workers[0], "SELECT recsys.distribute('shop')"), qr/is for the coordinator/, 'distribute is for the coordinator');
my (undef, $row, $notices) = $coordinator->psql('postgres', "SELECT * FROM recsys.distribute('shop')");
like($row, qr/^public\.bought_graph_1_index\|\d+\|2$/, 'distributed');
like($notices, qr/table public\.$_ becomes a reference table/, "$_ becomes a reference table") for qw(sellers promotions);
is($coordinator->safe_psql('postgres', "SELECT problem FROM recsys.recommenders WHERE name = 'shop'"), '', 'no problem any more');
in_both($coordinator, "SELECT recsys.refresh_recommender('shop')");

# lists of users: filter, sellers, caps, diversity, prices, promotions, new items; nobody and strangers
$same->($each->("recommend(u::bigint, 10, 'shop')", 80), 'lists');
$same->($each->("recommend(u::bigint, 100, 'shop')", 10), 'long lists, to what is popular nearby');
$same->($each->("recommend(u::bigint, 10, 'shop', exclude_seen => false)"), 'with what users have');
$same->($each->("recommend(u::bigint, 10, 'shop', half_life => '2 days')"), 'by another half-life');
$same->($each->("recommend_with_reasons(u::bigint, 4, 'shop')", 15), 'reasons');
$same->($each->("explain_recommendation(u::bigint, 11, 'shop')", 15), 'what is behind an item');
$same->("SELECT * FROM recommend($_, 10, 'shop')", "user $_") for 'NULL::bigint', 99999999999, -5, 950;
$same->("SELECT * FROM recommend(NULL::bigint, 10, 'shop', context => '$_')", $_)
  for '{"recently_viewed": [77, 78]}', '{"segment": "DE40+"}', '{"cart": [5]}';
$same->($each->("recommend(u::bigint, 10, 'shop', context => '$_')", 20), $_)
  for '{"exclude": [1, 2, 3]}', '{"filter": {"max_price": 60}}', '{"filter": {"category": "c2", "stock": [1, 2]}}';
$same->("SELECT item_id, source, rank FROM recommend(42, 10, 'shop', context => '{\"cart\": [5, 9], \"recently_viewed\": [77]}')", 'a cart');

# lists of items, and of all
$same->("SELECT i, r.* FROM generate_series(1, 60) i, LATERAL $_(i::bigint, 6, 'shop') r ORDER BY i, rank", $_) for qw(similar_items goes_with);
$same->($_) for "SELECT * FROM recommend_for_items(ARRAY[1, 2, 3], 10, 'shop')", "SELECT * FROM popular_items(20, 'shop')",
  "SELECT * FROM popular_items(10, 'shop', segment => 'DE40+')", "SELECT * FROM popular_items(10, 'shop', segment => 'FR')";
is($coordinator->safe_psql('postgres', 'SELECT recommender, kind, value, items, users FROM recsys.popularity ORDER BY 1, 2, 3'),
	$coordinator->safe_psql('alone', 'SELECT recommender, kind, value, items, users FROM recsys.popularity ORDER BY 1, 2, 3'), 'what is popular where');

# wherever a call stands
my $users = '(SELECT DISTINCT user_id FROM purchases WHERE user_id < 20) p';
$same->("SELECT p.user_id, r.* FROM $users CROSS JOIN LATERAL recommend(p.user_id$_, 4, 'shop') r ORDER BY user_id, rank") for '', ' + 1';
$same->("SELECT p.user_id, r.* FROM $users CROSS JOIN LATERAL recommend_with_reasons(p.user_id + 1, 2, 'shop') r ORDER BY user_id, rank");
$same->("SELECT p.user_id, r.* FROM $users CROSS JOIN LATERAL explain_recommendation(p.user_id + 1, 5, 'shop') r ORDER BY user_id, rank");
$same->($_) for "SELECT r.*, p.name FROM recommend(42, 10, 'shop') r JOIN products p ON p.product_id = r.item_id ORDER BY rank",
  "BEGIN; SELECT * FROM recommend(42, 10, 'shop'); SELECT * FROM recommend(43, 10, 'shop'); SELECT * FROM similar_items(5, 3, 'shop'); COMMIT",
  "BEGIN; UPDATE products SET stock = 0 WHERE product_id IN (1, 7, 11, 14); SELECT * FROM recommend(42, 10, 'shop'); SELECT * FROM recommend(43, 10, 'shop'); ROLLBACK",
  "BEGIN; INSERT INTO purchases VALUES (42, 1, 1, 3, '2026-03-20'), (43, 1, 1, 3, '2026-03-20'); SELECT * FROM recommend(42, 10, 'shop'); SELECT * FROM recommend(43, 10, 'shop'); ROLLBACK",
  "WITH a AS (SELECT * FROM recommend(7, 5, 'shop')), b AS MATERIALIZED (SELECT * FROM recommend(8, 5, 'shop')) SELECT a.item_id, b.item_id FROM a FULL JOIN b USING (rank) ORDER BY 1, 2",
  "SET plan_cache_mode = force_generic_plan; PREPARE p(bigint) AS SELECT * FROM recommend(\$1, 2, 'shop'); EXECUTE p(11); EXECUTE p(12)",
  "SELECT * FROM recommend('42', 3, 'shop', 'true', NULL, '{\"exclude\": [5]}')", 'SELECT * FROM recommend(42, 5)',
  "SELECT * FROM recommend(42, 0, 'shop')", "SELECT * FROM recommend(42, 3, 'shop', NULL::text)";

# what changes in the tables counts in the next call
in_both($coordinator, 'UPDATE products SET stock = 0 WHERE product_id IN (SELECT item_id FROM recommend(42, 3))',
	'UPDATE sellers SET blocked = NOT blocked WHERE seller_id IN (3, 5)', "UPDATE promotions SET ends_at = '2020-01-02' WHERE product_id < 100",
	"UPDATE customers SET country = 'ES' WHERE customer_id < 20");
$same->($each->("recommend(u::bigint, 10, 'shop')"), 'after changes of items, sellers, promotions and profiles');

# items that no training has met: those who have them do not get them again
in_both($coordinator, "INSERT INTO products SELECT i, 'new ' || i, 'c1', 'b1', 4, 20, 5, '2026-05-01' FROM generate_series(1001, 1006) i",
	"INSERT INTO purchases VALUES (42, 1001, 1, 3, '2026-03-20'), (43, 1002, 1, 3, '2026-03-20'), (5000, 1003, 1, 3, '2026-03-20'), (5000, 1002, 1, 3, '2026-03-20')",
	"SELECT recsys.alter_recommender('shop', new_item_share => 0.3, new_item_since => 'listed_at > timestamptz ''2026-04-01''')");
$same->("SELECT * FROM recommend($_, 10, 'shop')", "new items for user $_") for 42, 43, 44, 5000;

# the definition follows on all nodes, as part of the transaction
in_both($coordinator, "SELECT recsys.alter_recommender('shop', item_filter => 'stock > 2', caps => '{\"category\": 3}', reset => '{diversity,promotions}')");
$same->($each->("recommend(u::bigint, 10, 'shop')"), 'another definition');
as_alone($coordinator, [$coordinator], "BEGIN; SELECT recsys.alter_recommender('shop', reset => '{item_filter}'); SELECT * FROM recommend(42, 10, 'shop'); SELECT * FROM recommend(43, 10, 'shop'); ROLLBACK",
	'in the transaction that changes it');
$same->($each->("recommend(u::bigint, 3, 'shop')"), 'and rolled back');

# distributed anew while it is changed: the change is not lost
my $change = $coordinator->background_psql('postgres');
$change->query_safe("BEGIN; SELECT recsys.alter_recommender('shop', caps => '{\"category\": 1}')");
my ($out, $err) = ('', '');
my $anew = IPC::Run::start([ 'psql', '-XqAt', '-d', $coordinator->connstr('postgres'), '-c', "SELECT nodes FROM recsys.distribute('shop')" ], '<', \'', '>', \$out, '2>', \$err);
ok($coordinator->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%nodes FROM recsys.distribute%' AND wait_event_type = 'Lock'"), 'distribute waits for a change');
$change->query_safe('COMMIT');
$change->quit;
$anew->finish;
is($out . $err, "2\n", 'and goes on');
$coordinator->safe_psql('alone', "SELECT recsys.alter_recommender('shop', caps => '{\"category\": 1}')");
in_both($coordinator);
$same->($each->("recommend(u::bigint, 10, 'shop')"), 'with the change');
in_both($coordinator, "SELECT recsys.alter_recommender('shop', caps => '{\"category\": 3}')");

# profiles that are a reference table; a graph of pairs; one signal that pushes down
$coordinator->safe_psql('postgres', q(
	SELECT undistribute_table('customers'); SELECT create_reference_table('customers');
	CREATE TABLE pairs AS SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM views') r (item_id, similar_item_id, score, support, rank);
	SELECT create_reference_table('pairs')));
$coordinator->safe_psql('alone', q(
	CREATE TABLE pairs AS SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM views') r (item_id, similar_item_id, score, support, rank)));
in_both($coordinator, q(SELECT recsys.alter_recommender('shop', signals => '[{"events": "bought"}, {"events": "viewed", "graph": "pairs", "weight": 0.5}]')));
$same->($each->("recommend(u::bigint, 10, 'shop')"), 'a graph in a reference table, and profiles in one');
in_both($coordinator, q(SELECT recsys.alter_recommender('shop', signals => '[{"events": "bought"}, {"events": "viewed", "weight": -0.5}]')));
$same->($each->("recommend(u::bigint, 10, 'shop')"), 'what is pushed down');

# events that are a reference table; complements; shuffled names
$coordinator->safe_psql($_, 'CREATE TABLE "Sent back" (user_id bigint, product_id bigint);
	INSERT INTO "Sent back" SELECT 1 + i * 7919 % 100, 1 + i * 104729 % 60 FROM generate_series(1, 2000) i') for qw(alone postgres);
$coordinator->safe_psql('postgres', q(SELECT create_reference_table('"Sent back"')));
in_both($coordinator, 'CREATE INDEX "It came back" ON "Sent back" USING recsys (user_id, product_id) WITH (similarity = cosine)',
	q(SELECT recsys.alter_recommender('shop', complements => 'viewed', signals => '[{"events": "bought"}, {"events": "\"It came back\"", "weight": -1}]',
		item_filter => 'product_id NOT IN (SELECT b.product_id FROM "Sent back" b WHERE b.user_id = 3) AND EXISTS (SELECT FROM sellers WHERE sellers.seller_id = items.seller_id AND NOT blocked)')));
$same->($each->("recommend(u::bigint, 10, 'shop')"), 'events in a reference table');
$same->("SELECT i, r.* FROM generate_series(1, 30) i, LATERAL goes_with(i::bigint, 6, 'shop') r ORDER BY i, rank", 'complements');

# functions with the types of the shop, and lists that are logged
$coordinator->safe_psql('postgres', "CREATE SCHEMA mine; SELECT count(*) FROM recsys.create_functions('shop', 'mine')");
is($coordinator->safe_psql('postgres', 'SELECT item_id, rank FROM mine.recommend(42, 5)'),
	$coordinator->safe_psql('postgres', "SELECT item_id, rank FROM recommend(42, 5, 'shop')"), 'functions of the types');
is($coordinator->safe_psql('postgres', "SELECT item_id, rank FROM mine.recommend_logged($_, k => 5)"),
	$coordinator->safe_psql('postgres', "SELECT item_id, rank FROM recommend($_, 5, 'shop')"), "a logged list of user $_") for 42, 43;

# nobody takes its name on another node
like(says($workers[0], q(SELECT recsys.create_recommender('shop', signals => '[{"events": "bought"}]'))), qr/already exists/, 'its name is taken on a worker');
like(says($workers[0], q(SELECT recsys.alter_recommender('shop', seed => 3))), qr/declared on the coordinator/, 'where it cannot be changed');

# and back
like(says($coordinator, "SELECT recsys.drop_recommender('shop')"), qr/distributed over several nodes.*undistribute/s, 'not dropped while it is distributed');
like(says($coordinator, "SELECT recsys.alter_recommender('shop', new_name => 'other')"), qr/distributed over several nodes/, 'nor renamed');
$coordinator->safe_psql('postgres', "SELECT recsys.undistribute('shop')");
like(says($coordinator, "SELECT * FROM recommend(42, 3, 'shop')"), qr/are on several nodes/, 'taken back');
like(says($workers[0], "SELECT * FROM recommend(42, 3, 'shop')"), qr/does not exist/, 'on all nodes');
is($coordinator->safe_psql('postgres', q(SELECT count(*) FROM pg_proc WHERE proname IN ('shop_list', 'shop_reasons', 'shop_because'))), 0, 'no function is left');
is($coordinator->safe_psql('postgres', 'SELECT count(*) FROM recsys.distributed_popularity'), 0, 'and no list');
is($coordinator->safe_psql('postgres', "SELECT count(*) FROM recommend(42, 3, 'bought')"), 3, 'its index is still one recommender');
$coordinator->safe_psql('postgres', "SELECT recsys.drop_recommender('shop')");

# the first signal is a reference table: lists of the coordinator, logged ones and experiments too
in_both($coordinator, q(SELECT recsys.create_recommender('returned', signals => '[{"events": "\"It came back\""}]')),
	q(SELECT recsys.create_experiment('returns', '{"control": "returned", "other": "returned"}')));
as_alone($coordinator, [$coordinator], $_) for "SELECT u, r.* FROM generate_series(1, 30) u, LATERAL recommend(u::bigint, 5, 'returned') r ORDER BY u, rank",
  (map { "SELECT item_id, rank FROM recommend($_, 5, 'returned', log => true)" } 1, 2, q('3')), q(SELECT variant IS NOT NULL FROM recsys.assignment('returns', '+4')),
  "SELECT item_id, rank FROM recommend('+5', 5, 'returns', log => true)";

# two of names that begin alike, and are too long for those of their functions; one goes
my @long = map { 'l' . 'o' x 58 . "ng$_" } 1, 2;
for my $name (@long)
{
	my $k = $name eq $long[0] ? 1 : 2;

	in_both($coordinator, qq(SELECT recsys.create_recommender('$name', signals => '[{"events": "bought"}]', items => 'products', item_key => 'product_id', item_filter => 'stock = $k')));
	$coordinator->safe_psql('postgres', "SELECT recsys.distribute('$name')");
}
$same->($each->("recommend(u::bigint, 5, '$_')"), 'a long name') for @long;
is($coordinator->safe_psql('postgres', q(SELECT count(DISTINCT proname) FROM pg_proc WHERE proname ~ '^loo')), 6, 'functions of each');
$coordinator->safe_psql('postgres', "SELECT recsys.undistribute('$long[0]')");
$same->($each->("recommend(u::bigint, 5, '$long[1]')"), 'the other one stays');
$coordinator->safe_psql('postgres', "SELECT recsys.undistribute('$long[1]')");

$_->stop for @nodes;
done_testing();
