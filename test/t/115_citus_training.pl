# Training from the shards of a table that Citus has distributed: the parts of a graph, each computed
# on another node, are together the graph of all rows; no node counts many more pairs than its share.

use strict;
use warnings;

use Test::More;

use RecsysTest;
use RecsysCitus;

skip_without_citus();

my ($coordinator, @workers) = new_citus();
my @nodes = ($coordinator, @workers);

create_purchases($coordinator, 20_000);
$coordinator->safe_psql('postgres', "SELECT create_distributed_table('purchases', 'user_id')");
create_plain($coordinator, 'user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz',
	{ from => $coordinator->connstr('postgres'), to => $coordinator->connstr('alone') }, 'SELECT 1');

my $rows = 'SELECT user_id, product_id, quantity, purchased_at FROM purchases';
my $arrays = 'SELECT user_id, array_agg(product_id), array_agg(quantity), array_agg(purchased_at) FROM purchases GROUP BY user_id';
my $fingerprint = "md5(string_agg(q::text, ',' ORDER BY q::text))";

# histories come from any node, as rows and as arrays, inside of a transaction too
my $pairs = sub { "SELECT count(*), $fingerprint FROM query_item_similarity('$_[0]', 'rp3beta', neighbors => 20) AS q" };
my $expected = $coordinator->safe_psql('alone', $pairs->($rows));
for my $node (@nodes)
{
	is($node->safe_psql('postgres', $pairs->($rows)), $expected, $node->name . ': pairs of rows');
	is($node->safe_psql('postgres', $pairs->($arrays)), $expected, $node->name . ': pairs of arrays');
	is($node->safe_psql('postgres', 'BEGIN READ ONLY; ' . $pairs->($arrays) . '; COMMIT'), $expected, $node->name . ': read only');
}

# one part a node
my $n = scalar @nodes;
my ($plan, $balance, $total) = split /\|/, $coordinator->safe_psql('postgres', qq(
	SELECT plan, (SELECT round(max(x) * $n / sum(x), 4) FROM unnest(pair_updates) AS x), (SELECT sum(x) FROM unnest(pair_updates) AS x)
	FROM recsys.train_plan('$arrays', $n)));
cmp_ok($balance, '<', 1.1, 'no node counts many more pairs than its share');
is($total, $coordinator->safe_psql('alone', 'SELECT sum(n * n) FROM (SELECT count(DISTINCT product_id) AS n FROM purchases GROUP BY user_id) AS h'),
	'together they count all pairs');
for my $similarity ('cosine', 'lift', 'rp3beta')
{
	my $train = sub { "SELECT q FROM recsys.train_part('$arrays', $_[0], $_[1], '$similarity', neighbors => 20, plan => $_[2]) AS q" };
	my @parts = map { split /\n/, $nodes[$_]->safe_psql('postgres', $train->($_, $n, "'$plan'")) } 0 .. $#nodes;
	my @whole = split /\n/, $coordinator->safe_psql('alone', $train->(0, 1, 'NULL'));

	is_deeply([ sort @parts ], [ sort @whole ], "$similarity: the parts of all nodes are the whole");
}

# a plan holds for items that have come since
$coordinator->safe_psql('postgres', q(INSERT INTO purchases SELECT u, 1000 + i, 1, now() FROM generate_series(1, 40) AS u, generate_series(1, 30) AS i));
my @items = map { split /\n/, $nodes[$_]->safe_psql('postgres', "SELECT item_id FROM recsys.train_part('$arrays', $_, $n, plan => '$plan')") } 0 .. $#nodes;
is_deeply([ sort { $a <=> $b } @items ],
	[ split /\n/, $coordinator->safe_psql('postgres', 'SELECT DISTINCT product_id FROM purchases ORDER BY 1') ],
	'every item is in one part, new ones too');

# as does a query that writes
like(says($workers[0], "SELECT * FROM recsys.train_part('WITH d AS (DELETE FROM purchases RETURNING *) SELECT user_id, product_id FROM d', 0, 1)"),
	qr/not allowed|read-only/, 'a query that writes is refused');
like(says($workers[0], "SELECT * FROM recsys.train_plan('WITH d AS (DELETE FROM purchases RETURNING *) SELECT user_id, product_id FROM d', 2)"),
	qr/not allowed|read-only/, 'where parts are planned, too');

# the graph in a table, a copy on each node, serves there
$coordinator->safe_psql('postgres', q(
	CREATE TABLE graph (item_id bigint, users integer, similar_ids bigint[], scores real[], supports integer[]);
	SELECT create_reference_table('graph')));
$nodes[$_]->safe_psql('postgres', "INSERT INTO graph SELECT * FROM recsys.train_part('$arrays', $_, $n, 'cosine', 20, plan => '$plan')") for 0 .. $#nodes;
$coordinator->safe_psql('postgres', 'CREATE INDEX graph_index ON graph USING recsys_graph (item_id, users, similar_ids, scores, supports)');
my ($copy) = split /\n/, $coordinator->safe_psql('postgres',
	"SELECT shard_name('graph_index'::regclass, shardid) FROM pg_dist_shard WHERE logicalrelid = 'graph'::regclass");
my $neighbors = "SELECT $fingerprint FROM generate_series(1, 250) AS i, recsys.similar_from(i, 20, '$copy') AS q";
my @neighbors = on_all($neighbors, @nodes);
is($neighbors[$_], $neighbors[0], $nodes[$_]->name . ' has the same neighbors') for 1 .. $#nodes;
is($neighbors[0], $coordinator->safe_psql('postgres', "SELECT $fingerprint FROM query_item_similarity('$arrays', 'cosine', 20) AS p, LATERAL (SELECT (similar_item_id, score, support, rank) AS q) AS s WHERE item_id <= 250"),
	'which are those of all rows');
is_deeply([ on_all("SELECT recsys.check_index('$copy')", @nodes) ], [ ('') x $n ], 'check_index of each copy');
like(says($coordinator, "INSERT INTO graph VALUES (1)"), qr/takes no new rows/, 'a row cannot be added');

done_testing();
