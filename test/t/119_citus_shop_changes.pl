# A declared recommender on several nodes: what cannot be served says what and what to do; rights are those on
# the tables; shards move, users are forgotten, nodes die and come, and lists stay those of one server.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;
use RecsysCitus;
use RecsysCitusShop;

skip_without_citus();

my ($coordinator, @workers) = new_citus();
my @nodes = ($coordinator, @workers);
my $same = sub { as_alone($coordinator, \@nodes, @_) };
my $lists = "SELECT u, r.* FROM generate_series(1, 40) u, LATERAL recommend(u::bigint, 6, 'shop') r ORDER BY u, rank";

create_citus_shop($coordinator);
create_lone_shop($coordinator);

# what is declared and cannot be served
my $refused = sub
{
	my ($what, $error, %with) = @_;

	like(says($coordinator, declare_shop(%with)), $error, "refused: $what");
	$coordinator->safe_psql('postgres', "SELECT recsys.drop_recommender('shop', if_exists => true)");
};
my $refused_later = sub
{
	my ($what, $error, %with) = @_;

	$coordinator->safe_psql('postgres', declare_shop(%with));
	like(says($coordinator, "SELECT recsys.distribute('shop')"), $error, "not distributed: $what");
	$coordinator->safe_psql('postgres', "SELECT recsys.drop_recommender('shop')");
};
$refused->('predictions', qr/"signals" of recommender "shop" cannot be served on several nodes.*query_cross_similarity/s,
	signals => q('[{"events": "bought"}, {"events": "viewed", "predicts": "bought"}]'));
$refused->('excluded users', qr/"exclude_users" of recommender "shop" cannot be served.*WHERE/s, exclude_users => q('country = ''DE'''));
$refused->('fatigue', qr/"fatigue" of recommender "shop" cannot be served/, fatigue => 0.5);
$coordinator->safe_psql('postgres', 'CREATE INDEX alike ON products USING recsys_items (product_id, category, name)');
$refused->('content', qr/"content" of recommender "shop" cannot be served/, content => q('alike'));
$coordinator->safe_psql('postgres', q(
	DROP INDEX alike;
	CREATE VIEW goods AS SELECT * FROM products;
	CREATE TABLE brands (brand text PRIMARY KEY, offered boolean);
	CREATE TABLE orders (product_id bigint, user_id bigint);
	SELECT create_distributed_table('orders', 'product_id');
	CREATE TABLE pairs (item_id bigint, similar_item_id bigint, score real);
	CREATE TABLE elsewhere (customer_id bigint PRIMARY KEY, country text, age_band text);
	SELECT create_distributed_table('elsewhere', 'customer_id', colocate_with => 'none');
	CREATE TABLE clicks (user_id bigint, product_id bigint);
	SELECT create_distributed_table('clicks', 'user_id', colocate_with => 'none');
	CREATE INDEX clicked ON clicks USING recsys (user_id, product_id);
	CREATE TABLE people (customer_id bigint PRIMARY KEY, country text, age_band text)));
$refused_later->('a view of items', qr/"items" of recommender "shop".*public\.goods is no table/s, items => q('goods'), item_filter => q('stock > 0'));
$refused_later->('a local table in an expression', qr/"item_filter".*Table public\.brands is on this node only.*create_reference_table\('public\.brands'\)/s,
	item_filter => q('brand IN (SELECT b.brand FROM brands b WHERE b.offered)'));
$refused_later->('a distributed table in an expression', qr/"item_filter".*Table public\.orders is distributed/s,
	item_filter => q('product_id NOT IN (SELECT o.product_id FROM orders o)'));
$refused_later->('a distributed table in a segment', qr/"segment".*Table public\.orders is distributed/s,
	segment => q('country || (SELECT count(*) FROM orders o WHERE o.user_id = customer_id)'));
$refused_later->('a local graph', qr/"signals".*Table public\.pairs is on this node only/s, signals => q('[{"events": "bought", "graph": "pairs"}]'));
$refused_later->('local profiles', qr/"profiles".*create_distributed_table\('public\.people', 'customer_id', colocate_with => 'public\.purchases'\)/s, profiles => q('people'));
$refused_later->('profiles distributed otherwise', qr/"profiles".*alter_distributed_table\('public\.elsewhere'/s, profiles => q('elsewhere'));
$refused_later->('events distributed otherwise', qr/"signals".*Table public\.clicks is not distributed as table public\.purchases is/s,
	signals => q('[{"events": "bought"}, {"events": "clicked", "weight": 0.1}]'));
$coordinator->safe_psql('postgres', 'ALTER INDEX bought SET (popularity = 0.5)');
$refused->('an option that graphs do not have', qr/"signals".*RESET \(popularity, item_max_age\)/s);
$coordinator->safe_psql('postgres', 'ALTER INDEX bought RESET (popularity); DROP VIEW goods; DROP TABLE brands, orders, pairs, elsewhere, clicks, people');

# rights: of whoever calls, on the tables and columns that are read
$coordinator->safe_psql('postgres', q(
	CREATE ROLE guest LOGIN; CREATE ROLE client LOGIN; CREATE ROLE narrow LOGIN;
	GRANT SELECT ON purchases, views, products, sellers, customers, promotions TO client;
	GRANT SELECT ON purchases, views, sellers, customers, promotions TO narrow;
	GRANT SELECT (product_id, name, category, brand, price, seller_id, listed_at) ON products TO narrow));
in_both($coordinator, declare_shop());
$coordinator->safe_psql('postgres', "SELECT recsys.distribute('shop')");
in_both($coordinator);
for my $node (@nodes)
{
	my $ask = sub { says($node, "SELECT * FROM recommend(42, 3, 'shop'); SELECT * FROM recommend(43, 3, 'shop')", extra_params => [ '-U', $_[0] ]) };

	like($ask->('guest'), qr/permission denied/, $node->name . ': who may not read the events');
	like($ask->('narrow'), qr/permission denied for table products/, $node->name . ': who may not read a column of the filter');
	is($node->safe_psql('postgres', $lists, extra_params => [ '-U', 'client' ]), $coordinator->safe_psql('alone', $lists), $node->name . ': who may');
	like(says($node, 'SELECT * FROM recsys.distributed_popularity', extra_params => [ '-U', 'client' ]), qr/permission denied/, $node->name . ': lists of the refresh');
}
$coordinator->safe_psql('postgres', 'GRANT SELECT (stock) ON products TO narrow');
is($_->safe_psql('postgres', $lists, extra_params => [ '-U', 'narrow' ]), $coordinator->safe_psql('alone', $lists), $_->name . ': and with that column') for @nodes;
like(says($coordinator, "SELECT recsys.$_('shop')", extra_params => [ '-U', 'client' ]), qr/must be owner of recommender "shop"/, "$_ is for the owner")
  for qw(distribute retrain undistribute);

# row-level security on the items is that of the caller
$coordinator->safe_psql('postgres', 'ALTER TABLE products ENABLE ROW LEVEL SECURITY; CREATE POLICY cheap ON products FOR SELECT TO client USING (price < 100)');
$coordinator->safe_psql('alone', 'ALTER TABLE products ENABLE ROW LEVEL SECURITY; CREATE POLICY cheap ON products FOR SELECT TO client USING (price < 100);
	GRANT SELECT ON purchases, views, products, sellers, customers, promotions TO client');
is($_->safe_psql('postgres', $lists, extra_params => [ '-U', 'client' ]),
	$coordinator->safe_psql('alone', $lists, extra_params => [ '-U', 'client' ]), $_->name . ': under a policy') for @nodes;
$same->($lists, 'and without it');
in_both($coordinator, 'DROP POLICY cheap ON products; ALTER TABLE products DISABLE ROW LEVEL SECURITY');

# a recommender of a role that is no superuser, who owns the tables
$coordinator->safe_psql('postgres', q(CREATE ROLE keeper LOGIN; GRANT CREATE ON SCHEMA public TO keeper));
for my $database (qw(postgres alone))
{
	$coordinator->safe_psql($database, q(GRANT CREATE ON SCHEMA public TO keeper; SET ROLE keeper;
		CREATE TABLE sales (buyer text, item uuid); CREATE TABLE stock (item uuid PRIMARY KEY, pieces integer, shelf text);
		INSERT INTO stock SELECT md5(i::text)::uuid, i % 3, 's' || i % 4 FROM generate_series(1, 60) i));
	$coordinator->safe_psql($database, q(SET ROLE keeper; SELECT create_distributed_table('sales', 'buyer'))) if $database eq 'postgres';
	$coordinator->safe_psql($database, q(SET ROLE keeper;
		INSERT INTO sales SELECT 'buyer ' || user_id % 200, md5((product_id % 60 + 1)::text)::uuid FROM (SELECT i * 7919 % 1009 AS user_id, i * i % 997 AS product_id FROM generate_series(1, 3000) i) r;
		CREATE INDEX sold ON sales USING recsys (buyer, item) WITH (similarity = cosine);
		SELECT recsys.create_recommender('counter', signals => '[{"events": "sold"}]', items => 'stock', item_key => 'item', item_filter => 'pieces > 0', caps => '{"shelf": 2}')));
	$coordinator->safe_psql($database, 'ANALYZE stock');
}
my ($status) = $coordinator->psql('postgres', "SELECT recsys.distribute('counter')", extra_params => [ '-U', 'keeper' ]);
is($status, 0, 'distributed by its owner, with keys of text and uuid');
$coordinator->safe_psql('postgres', 'ANALYZE stock');
$same->("SELECT u, r.* FROM generate_series(0, 40) u, LATERAL recommend('buyer ' || u, 4, 'counter', NULL::uuid) r ORDER BY u, rank", 'keys of text and uuid');
$coordinator->safe_psql('postgres', "SELECT recsys.undistribute('counter'); SELECT recsys.undistribute('sold'); DROP TABLE sales, stock; SELECT recsys.drop_recommender('counter')");

# who is forgotten, and stays so when the shard moves; neighbors are as of the training before
my ($from) = grep { in_nodes($coordinator, 'purchases', 7) == $_->port } @workers;
my ($to) = grep { $_ != $from } @workers;
$coordinator->safe_psql('postgres', "SELECT recsys.forget_user('bought', 7); SELECT recsys.forget_user('viewed', 7)");
my $one = "SELECT item_id, source, rank FROM recommend(7, 6, 'shop') ORDER BY rank";
my $forgotten = $coordinator->safe_psql('postgres', $one);
unlike($forgotten, qr/history/, 'nothing of a forgotten user counts');
is($_->safe_psql('postgres', $one), $forgotten, $_->name . ': a forgotten user') for @workers;
my $directory = PostgreSQL::Test::Utils::tempdir();
append_to_file("$directory/read.sql", "\\set u random(1, 40)\nSELECT count(*) FROM recommend(:u, 5, 'shop');\n");
my @load = map { pgbench($_, 600, 2, '-f', "$directory/read.sql") } $coordinator, @workers;
for my $way ([ $from, $to ], [ $to, $from ])
{
	is((wait_moved($coordinator, 'purchases', 7, @$way, 'block_writes'))[0], 0, 'a shard moves, with what stands beside it');
	is($_->safe_psql('postgres', $one), $forgotten, $_->name . ': who was forgotten stays so') for @nodes;
	$same->("SELECT u, r.* FROM generate_series(8, 40) u, LATERAL recommend(u::bigint, 6, 'shop') r ORDER BY u, rank", 'after a move');
}
$_->signal('TERM') for @load;
$_->finish for @load;

# a node that is down: its users get an error, a change of the definition too; nothing is wrong afterwards
my ($there) = grep { in_nodes($coordinator, 'purchases', $_) == $to->port } 8 .. 100;
my ($here) = grep { in_nodes($coordinator, 'purchases', $_) == $from->port } 8 .. 100;
kill_server($to);
like(says($coordinator, "SELECT * FROM recommend($there, 5, 'shop')"), qr/connection|could not connect|server closed/i, 'users of a node that is down get an error');
is($coordinator->safe_psql('postgres', "SELECT * FROM recommend($here, 5, 'shop')"), $coordinator->safe_psql('alone', "SELECT * FROM recommend($here, 5, 'shop')"), 'others are served');
isnt(says($coordinator, "SELECT recsys.alter_recommender('shop', item_filter => 'stock > 3')"), '', 'the definition cannot change meanwhile');
isnt(says($coordinator, "SELECT recsys.distribute('shop')"), '', 'nor can it be distributed');
$to->start;
$same->("SELECT u, r.* FROM generate_series(8, 40) u, LATERAL recommend(u::bigint, 6, 'shop') r ORDER BY u, rank", 'the node is back');

# a node that is added, and a coordinator that has shards
my $third = citus_node('worker_3');
add_to_citus($coordinator, $third);
push @nodes, $third;
$coordinator->safe_psql('postgres', "SELECT recsys.distribute('shop'); SELECT citus_set_node_property('127.0.0.1', ${\ $coordinator->port}, 'shouldhaveshards', true);
	SELECT rebalance_table_shards(shard_transfer_mode => 'block_writes')");
$coordinator->safe_psql('alone', 'DELETE FROM purchases WHERE user_id = 7; DELETE FROM views WHERE user_id = 7; REINDEX INDEX bought; REINDEX INDEX viewed');
in_both($coordinator);
cmp_ok($coordinator->safe_psql('postgres', "SELECT count(DISTINCT nodename || nodeport) FROM citus_shards WHERE table_name = 'purchases'::regclass"), '>=', 3, 'shards are on all nodes');
$same->("SELECT * FROM item_similarity('$_') ORDER BY 1, 2", "item graph of $_, without who was forgotten") for qw(bought viewed);
$same->("SELECT u, r.* FROM generate_series(8, 60) u, LATERAL recommend(u::bigint, 6, 'shop') r ORDER BY u, rank", 'with another node, and shards on the coordinator');
$same->("SELECT item_id, score, rank FROM similar_items(5, 6, 'shop')", 'neighbors of an item there');

# a table of items that is made anew
$coordinator->safe_psql('postgres', "SELECT undistribute_table('products')");
like(says($workers[0], "SELECT * FROM recommend($here, 5, 'shop')"), qr/products/, 'a table of items that is gone');
$coordinator->safe_psql('postgres', "SELECT create_reference_table('products'); ANALYZE products");
$same->("SELECT u, r.* FROM generate_series(8, 40) u, LATERAL recommend(u::bigint, 6, 'shop') r ORDER BY u, rank", 'and is there again');
$coordinator->safe_psql('postgres', "SELECT recsys.retrain('shop')");
$same->("SELECT u, r.* FROM generate_series(8, 40) u, LATERAL recommend(u::bigint, 6, 'shop') r ORDER BY u, rank", 'trained anew');
$coordinator->safe_psql('postgres', "SELECT recsys.check_index('bought'); SELECT recsys.check_index('viewed')");

$_->stop for reverse @nodes;
done_testing();
