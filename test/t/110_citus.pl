# A recommender over a table that Citus has distributed: shells speak up, answers are those of one server
# with the same rows on every node, in views, WITH, joins, transactions, prepared statements and functions.
#
# Three servers on loopback.  Where Citus is not installed the test is skipped.

use strict;
use warnings;

use Test::More;

use RecsysTest;
use RecsysCitus;

skip_without_citus();

my ($coordinator, @workers) = new_citus();
my $model = 'USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';
my @nodes = ($coordinator, @workers);

# what stands for shards does not answer
create_purchases($coordinator, 20_000);
$coordinator->safe_psql('postgres', "CREATE INDEX home ON purchases $model");
like(says($coordinator, "SELECT recsys.distribute('home')"), qr/is not distributed.*create_distributed_table/s,
	'a table that is not distributed');
$coordinator->safe_psql('postgres', "SELECT create_distributed_table('purchases', 'user_id')");
for my $call ("* FROM recommend(42, 3, 'home')", "* FROM similar_items(1, 3, 'home')", "* FROM popular_items(3, 'home')",
	"* FROM recommend_for_items(ARRAY[1, 2], 3, 'home')", "* FROM item_similarity('home')",
	"* FROM explain_recommendation(42, 1, 'home')", "recsys.merge('home')", "recsys.check_index('home')",
	"recsys.forget_user('home', 42)", "* FROM recsys.index_info('home')", "* FROM next_basket(42, 3, 'home')")
{
	for my $node ($coordinator, $workers[0])
	{
		like(says($node, "SELECT $call"), qr/stands for the indexes of several nodes.*recsys\.distribute\('public\.home'\)/s,
			$node->name . ": $call speaks up");
	}
}
like(says($_, 'SELECT * FROM recommend(42, 3)'), qr/there is no recommender/, $_->name . ': no shell, and no shard, without a name')
  for @nodes;
is($coordinator->safe_psql('postgres', 'SELECT count(*) FROM recsys.index_stats'), 0, 'no shell among the statistics');

# queries that functions run do not write, whoever plans them
my $count = $coordinator->safe_psql('postgres', 'SELECT count(*) FROM purchases');
$coordinator->safe_psql('postgres', q(
	CREATE FUNCTION taken() RETURNS TABLE (u bigint, i bigint) LANGUAGE plpgsql AS
	'BEGIN RETURN QUERY DELETE FROM purchases WHERE user_id = 5 RETURNING user_id, product_id; END'));
for my $query ('WITH d AS (DELETE FROM purchases WHERE user_id = 5 RETURNING *) SELECT user_id, product_id FROM d',
	'SELECT * FROM taken()')
{
	for my $call ("query_item_similarity('$query')", "query_frequent_itemsets('$query')", "recsys.evaluate('$query')")
	{
		like(says($coordinator, "SELECT count(*) FROM $call"), qr/not allowed|read-only/, "refused: $call");
	}
}
is($coordinator->safe_psql('postgres', 'SELECT count(*) FROM purchases'), $count, 'nothing is deleted');
is(says($coordinator, q(BEGIN; INSERT INTO purchases VALUES (1, 1); SELECT count(*) FROM query_item_similarity('SELECT user_id, product_id FROM purchases');
	INSERT INTO purchases VALUES (1, 1); ROLLBACK), on_error_stop => 1), '', 'the transaction of such a query writes before and after');

# what cannot be distributed
$coordinator->safe_psql('postgres', q(
	CREATE TABLE baskets (basket bigint, user_id bigint, item bigint);
	SELECT create_distributed_table('baskets', 'user_id');
	CREATE INDEX by_basket ON baskets USING recsys (basket, item);
	CREATE TABLE everywhere (u bigint, i bigint);
	SELECT create_reference_table('everywhere');
	CREATE INDEX copies ON everywhere USING recsys (u, i)));
like(says($coordinator, "SELECT recsys.distribute('by_basket')"), qr/distributed by column "user_id".*alter_distributed_table/s,
	'the users must be whole');
like(says($coordinator, "SELECT recsys.distribute('copies')"), qr/is not distributed by a column/, 'a reference table');
like(says($coordinator, "SELECT * FROM recommend(1, 3, 'copies')"), qr/Name the index.*copies_\d+/s, 'its copy here');
like(says($workers[0], "SELECT recsys.distribute('home')"), qr/is for the coordinator/, 'on a worker');
like(says($coordinator, "BEGIN; SELECT recsys.distribute('home')"), qr/inside a transaction block/, 'in a transaction block');
$coordinator->safe_psql('postgres', 'DROP TABLE baskets, everywhere');

# as one server with the same rows
$coordinator->safe_psql('postgres', "SELECT recsys.distribute('home')");
create_plain($coordinator, 'user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz',
	{ from => $coordinator->connstr('postgres'), to => $coordinator->connstr('alone') }, "CREATE INDEX home ON purchases $model");
my $expected = answers($coordinator, 'home', 'alone');
same_answers(answers($_, 'home'), $expected, $_->name . ' answers as one server does') for @nodes;
my $reasons = "SELECT * FROM explain_recommendation(%s, 3, 'home') ORDER BY rank";
my @explained = map { $coordinator->safe_psql('alone', sprintf($reasons, $_)) } 1 .. 20;
for my $node (@nodes)
{
	is_deeply([ map { $node->safe_psql('postgres', sprintf($reasons, $_)) } 1 .. 20 ], \@explained,
		$node->name . ' explains as one server does');
}
$coordinator->safe_psql('postgres', "SELECT recsys.distribute('home')");
same_answers(answers($workers[1], 'home'), $expected, 'distributed once more');
is($coordinator->safe_psql('postgres', q(SELECT count(*) FROM pg_dist_partition WHERE logicalrelid::text ~ '^home_graph_\d+$')), 2,
	'the graph that serves, and the one before');

# wherever a call stands
my $list = sub { "recommend($_[0], 5, 'home')" };
my $plain = sub { $coordinator->safe_psql('alone', $_[0]) };
for my $node (@nodes)
{
	my $name = $node->name;
	my $ask = sub { $node->safe_psql('postgres', $_[0]) };

	for my $query ("SELECT item_id, score, rank FROM recommend(NULL::bigint, 5, 'home')",
		"SELECT u, r.item_id, r.score FROM generate_series(1, 30) u, LATERAL recommend(u::bigint, 3, 'home') r ORDER BY 1, 2",
		"SELECT u, (SELECT count(*) FROM recommend(u::bigint, 3, 'home')) FROM generate_series(1, 30) u ORDER BY 1",
		"WITH a AS (SELECT * FROM recommend(7, 5, 'home')), b AS MATERIALIZED (SELECT * FROM recommend(8, 5, 'home')) SELECT a.item_id, a.score, b.score FROM a LEFT JOIN b USING (item_id) ORDER BY 1",
		"SELECT item_id FROM recommend(7, 5, 'home') UNION SELECT item_id FROM recommend(8, 5, 'home') ORDER BY 1",
		"SELECT p.user_id, r.item_id FROM (SELECT DISTINCT user_id FROM purchases WHERE user_id < 20) p CROSS JOIN LATERAL recommend(p.user_id, 2, 'home') r ORDER BY 1, 2",
		"SELECT * FROM recommend(7, 5, 'home', exclude_seen => false)",
		"SELECT * FROM recommend(7, 5, 'home', half_life => '10 days')",
		"SELECT * FROM recommend(7, 5, 'home', NULL::text) ORDER BY rank",
		"SELECT * FROM recommend('7', 5, 'home', 'true') ORDER BY rank",
		"SELECT * FROM recommend(99999999999, 3, 'home')",
		"SELECT * FROM recommend(7, NULL, 'home') ORDER BY rank",
		"SELECT * FROM recommend(7, 0, 'home')",
		"SELECT * FROM recommend(7, 3)")
	{
		is($ask->($query), $plain->($query), "$name: $query");
	}
	is($ask->("BEGIN; SELECT * FROM ${\ $list->(9)}; SELECT * FROM ${\ $list->(10)}; COMMIT"),
		$plain->("SELECT * FROM ${\ $list->(9)}; SELECT * FROM ${\ $list->(10)}"), "$name: in a transaction block");
	is($ask->("PREPARE p(bigint) AS SELECT * FROM recommend(\$1, 2, 'home');" . join('', map { "EXECUTE p($_);" } 11 .. 20)),
		$plain->(join '', map { "SELECT * FROM recommend($_, 2, 'home');" } 11 .. 20), "$name: prepared");
	is($ask->("SET plan_cache_mode = force_generic_plan; PREPARE p(bigint) AS SELECT * FROM recommend(\$1, 2, 'home'); EXECUTE p(11); EXECUTE p(12)"),
		$plain->("SELECT * FROM recommend(11, 2, 'home'); SELECT * FROM recommend(12, 2, 'home')"), "$name: by a generic plan");
}
$coordinator->safe_psql('postgres', q(
	CREATE FUNCTION best(who bigint) RETURNS bigint LANGUAGE plpgsql AS
	$$DECLARE item bigint; BEGIN SELECT r.item_id INTO item FROM recommend(who, 1, 'home') r; RETURN item; END$$;
	CREATE VIEW lists AS SELECT u, r.* FROM generate_series(1, 20) u, LATERAL recommend(u::bigint, 2, 'home') r;
	CREATE MATERIALIZED VIEW kept AS SELECT * FROM lists;
	CREATE TABLE sent (u bigint, item_id bigint);
	INSERT INTO sent SELECT u, item_id FROM lists));
my $lists = "SELECT u, r.* FROM generate_series(1, 20) u, LATERAL recommend(u::bigint, 2, 'home') r ORDER BY u, rank";
is($coordinator->safe_psql('postgres', 'SELECT best(u) FROM generate_series(1, 20) u'),
	$plain->("SELECT (SELECT item_id FROM recommend(u::bigint, 1, 'home')) FROM generate_series(1, 20) u"), 'in PL/pgSQL');
is($coordinator->safe_psql('postgres', "SELECT * FROM $_ ORDER BY u, rank"), $plain->($lists), "in $_") for qw(lists kept);
is($coordinator->safe_psql('postgres', 'SELECT count(*) FROM sent'), 40, 'INSERT SELECT');
# on a node, in a part of a query that Citus has taken there, for a user of another node
my $friends = "SELECT p.user_id, r.* FROM (SELECT DISTINCT user_id FROM purchases WHERE user_id BETWEEN 20 AND 60) p CROSS JOIN LATERAL recommend(p.user_id + 1, 2, 'home') r ORDER BY user_id, rank";
is($_->safe_psql('postgres', $friends), $plain->($friends), $_->name . ': for others than the users of the rows') for @nodes;
like(says($coordinator, "SELECT * FROM recommend_with_reasons(7, 3, 'home')"), qr/takes no context and gives no reasons/,
	'what it cannot do it says');
like(says($coordinator, "SELECT * FROM next_basket(7, 3, 'home')"), qr/this function is not for such a one/, 'other functions');

# rows that come later count in the user's history at once
$coordinator->safe_psql('postgres', "INSERT INTO purchases VALUES (100001, 1, 1, now()), (100001, 11, 1, now())");
is($_->safe_psql('postgres', "SELECT source FROM recommend(100001, 1, 'home')"), 'history', $_->name . ': a new user') for @nodes;

# rights are those on the table, on every node
$coordinator->safe_psql('postgres', 'CREATE ROLE guest LOGIN; CREATE ROLE client LOGIN; GRANT SELECT ON purchases TO client');
for my $node (@nodes)
{
	like(says($node, "SELECT * FROM recommend(7, 3, 'home')", extra_params => [ '-U', 'guest' ]), qr/permission denied/,
		$node->name . ': who may not read the table');
	like(says($node, "SELECT recsys.counts_for('home', 7, now())", extra_params => [ '-U', 'guest' ]), qr/permission denied/,
		$node->name . ': nor ask who was forgotten');
	is($node->safe_psql('postgres', "SELECT * FROM recommend(7, 3, 'home')", extra_params => [ '-U', 'client' ]),
		$node->safe_psql('postgres', "SELECT * FROM recommend(7, 3, 'home')"), $node->name . ': who may');
	like(says($node, $_, extra_params => [ '-U', 'client' ]), qr/must be owner|permission denied/, $node->name . ": not the owner: $_")
	  for "SELECT recsys.merge('home')", "SELECT recsys.forget_user('home', 7)", "SELECT recsys.on_shards('home', 'forget', '7')", 'SELECT secret FROM recsys.distributed',
	  'SELECT * FROM recsys.forgotten';
}
like(says($coordinator, "SELECT recsys.retrain('home')", extra_params => [ '-U', 'client' ]), qr/must be owner/, 'retrain is for the owner');

# all shards in one call
$coordinator->safe_psql('postgres', "SELECT recsys.check_index('home')");
like($coordinator->safe_psql('postgres', "SELECT merged FROM recsys.merge('home', true)"), qr/^\d+$/, 'merge');
for my $user (7, 8)
{
	my $rows = $coordinator->safe_psql('postgres', "SELECT count(*) FROM purchases WHERE user_id = $user");
	my $node = $user == 7 ? $coordinator : $workers[0];

	is($node->safe_psql('postgres', "SELECT recsys.forget_user('home', $user)"), $rows, "user $user is forgotten, of all shards");
	is($_->safe_psql('postgres', "SELECT DISTINCT source FROM recommend($user, 5, 'home')"), 'popular', $_->name . ": user $user is forgotten")
	  for @nodes;
}
is($coordinator->safe_psql('postgres', "SELECT recsys.forget_user('purchases', 9)") > 0, 1, 'by the table');
$coordinator->safe_psql('postgres', "SELECT recsys.retrain('home')");
$coordinator->safe_psql('alone', 'DELETE FROM purchases WHERE user_id IN (7, 8, 9)');
$coordinator->safe_psql('alone', "INSERT INTO purchases VALUES (100001, 1, 1, now()), (100001, 11, 1, now()); REINDEX INDEX home");
is($coordinator->safe_psql('postgres', "SELECT * FROM item_similarity('home') ORDER BY 1, 2"),
	$coordinator->safe_psql('alone', "SELECT * FROM item_similarity('home') ORDER BY 1, 2"), 'the graph is trained without them');
$coordinator->safe_psql('postgres', "SELECT recsys.check_index('home')");

# keys of other types, a table of another schema with names to quote, a condition
for my $kind ([ 'text', '%s::text' ], [ 'uuid', 'md5(%s::text)::uuid' ], [ 'integer', '%s::integer' ])
{
	my ($type, $key) = @$kind;
	my ($user, $item) = map { sprintf($key, $_) } qw(user_id product_id);
	my $table = qq("My shop"."Buys of $type");
	my $name = qq("My shop"."It's $type");
	my $index = qq(CREATE INDEX "It's $type" ON $table USING recsys (u, i) WITH (similarity = cosine) WHERE NOT void);
	(my $quoted = $name) =~ s/'/''/g;

	for my $database ('alone', 'postgres')
	{
		$coordinator->safe_psql($database, qq(CREATE SCHEMA IF NOT EXISTS "My shop"; CREATE TABLE $table (u $type, i $type, void boolean)));
		$coordinator->safe_psql($database, "SELECT create_distributed_table('$table', 'u')") if $database eq 'postgres';
		$coordinator->safe_psql($database, "INSERT INTO $table SELECT $user, $item, product_id % 9 = 0 FROM purchases WHERE user_id BETWEEN 10 AND 300");
		$coordinator->safe_psql($database, $index);
	}
	$coordinator->safe_psql('postgres', "SELECT recsys.distribute('$quoted')");
	my $query = qq(SELECT n, r.* FROM generate_series(10, 40) n, LATERAL recommend(${\ sprintf($key, 'n')}, 3, '$quoted', NULL::text) r ORDER BY n, rank);
	is($_->safe_psql('postgres', $query), $coordinator->safe_psql('alone', $query), $_->name . ": keys of type $type") for @nodes;
}

# and back
$coordinator->safe_psql('postgres', "SELECT recsys.undistribute('home')");
like(says($coordinator, "SELECT * FROM recommend(7, 3, 'home')"), qr/recsys\.distribute/, 'a shell again');
is($coordinator->safe_psql('postgres', q(SELECT count(*) FROM pg_class WHERE relname ~ '^home_graph')), 0, 'no graph is left');
is($coordinator->safe_psql('postgres', q(SELECT count(*) FROM pg_proc WHERE proname IN ('home_recommend', 'home_explain'))), 0, 'no function is left');
is($coordinator->safe_psql('postgres', "SELECT count(*) FROM recsys.forgotten WHERE recommender = 'public.home'"), 0, 'and no hash of a user');

$_->stop for @nodes;
done_testing();
