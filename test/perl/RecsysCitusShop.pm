# A shop on several nodes of Citus, and the same one on one server.
package RecsysCitusShop;

use strict;
use warnings;

use Exporter 'import';
use Test::More;

use RecsysCitus;

our @EXPORT = qw(create_citus_shop create_lone_shop as_alone in_both declare_shop);

# Rows come from numbers alone, so that both have the same.
my $tables = q(
	CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, paid numeric, purchased_at timestamptz);
	CREATE TABLE views (user_id bigint, product_id bigint, viewed_at timestamptz);
	CREATE TABLE products (product_id bigint PRIMARY KEY, name text, category text, brand text, stock integer,
		price numeric, seller_id integer, listed_at timestamptz);
	CREATE TABLE sellers (seller_id integer PRIMARY KEY, rating_sum double precision, rating_count integer, blocked boolean);
	CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text, age_band text);
	CREATE TABLE promotions (product_id bigint, boost double precision, starts_at timestamptz, ends_at timestamptz));
my $rows = q(
	INSERT INTO products SELECT i, 'product ' || i, 'c' || i % 7, 'b' || i % 11, i % 5, 5 + (i * 37) % 200, i % 20,
		timestamptz '2026-01-01' + i * interval '1 hour' FROM generate_series(1, 300) i;
	INSERT INTO sellers SELECT i, 40 + i, 10, i = 3 FROM generate_series(0, 19) i;
	INSERT INTO customers SELECT i, (ARRAY['DE', 'FR', 'IT'])[1 + i % 3], (ARRAY['18-29', '30-39', '40+'])[1 + i / 3 % 3]
		FROM generate_series(1, 900) i;
	INSERT INTO purchases SELECT 1 + h(i, 1) % 1000, 1 + h(i, 2) % 300 * (h(i, 3) % 300) / 300, 1 + i % 3, 3 + i % 40,
		timestamptz '2026-03-01' + i * interval '1 minute' FROM generate_series(1, 12000) i;
	INSERT INTO views SELECT 1 + h(i, 4) % 1000, 1 + h(i, 5) % 300 * (h(i, 6) % 300) / 300,
		timestamptz '2026-03-01' + i * interval '1 minute' FROM generate_series(1, 12000) i;
	INSERT INTO promotions SELECT i, 1.5, '2020-01-01', '2100-01-01' FROM generate_series(10, 300, 30) i);
$rows =~ s/\bh\(i, (\d)\)/(hashint8(i * 8 + $1)::bigint + 2147483648)/g;
my $indexes = q(
	CREATE INDEX bought ON purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine);
	CREATE INDEX viewed ON views USING recsys (user_id, product_id, viewed_at) WITH (similarity = cosine));

# The declaration, with these words in the place of those of the same names
sub declare_shop
{
	my %with = @_;
	my %declared = (
		signals => q('[{"events": "bought", "price": "paid"}, {"events": "viewed", "weight": 0.2}]'),
		items => q('products'), item_key => q('product_id'),
		item_filter => q('stock > 0 AND NOT EXISTS (SELECT FROM sellers s WHERE s.seller_id = products.seller_id AND s.blocked)'),
		title => q('name'), category => q('category'), price => q('price'),
		seller => q('seller_id'), sellers => q('sellers'), seller_key => q('seller_id'),
		seller_quality => q('{"rating": "rating_sum", "ratings": "rating_count"}'), max_per_seller => 2,
		profiles => q('customers'), profile_key => q('customer_id'),
		segment => q('country || age_band'), larger_segments => q('{country}'),
		caps => q('{"brand": 2}'), diversity => 0.3, price_affinity => 0.2,
		new_item_share => 0.1, new_item_since => q('listed_at > timestamptz ''2026-01-12'''), seed => 7,
		promotions => q('{"table": "promotions", "item": "product_id", "boost": "boost", "when": "now() BETWEEN starts_at AND ends_at"}'),
		%with);

	return "SELECT recsys.create_recommender('shop', "
	  . join(', ', map { "$_ => $declared{$_}" } grep { defined $declared{$_} } sort keys %declared) . ')';
}

# In database postgres of a coordinator: everything but the declaration
sub create_citus_shop
{
	my ($coordinator) = @_;

	$coordinator->safe_psql('postgres', "$tables; $rows; $indexes");
	$coordinator->safe_psql('postgres', q(
		SELECT create_distributed_table('purchases', 'user_id');
		SELECT create_distributed_table('views', 'user_id', colocate_with => 'purchases');
		SELECT create_distributed_table('customers', 'customer_id', colocate_with => 'purchases');
		SELECT create_reference_table('products')));
}

# In database alone, of which Citus knows nothing
sub create_lone_shop
{
	my ($node) = @_;

	$node->safe_psql('template1', 'CREATE DATABASE alone');
	$node->safe_psql('alone', "CREATE EXTENSION recsys; $tables; $rows; $indexes");
}

# How many are looked at before a list is full depends on what the server knows of the rows
sub in_both
{
	my ($coordinator, @statements) = @_;

	for my $database (qw(alone postgres))
	{
		$coordinator->safe_psql($database, $_) for @statements, 'ANALYZE products; ANALYZE sellers; ANALYZE promotions; ANALYZE customers';
	}
}

# Each of the nodes says what one server says
sub as_alone
{
	my ($coordinator, $nodes, $query, $name) = @_;
	my $expected = $coordinator->safe_psql('alone', $query);

	for my $node (@$nodes)
	{
		my ($status, $answer, $error) = $node->psql('postgres', $query);
		my @got = split /\n/, $answer;
		my @expected = split /\n/, $expected;
		my ($line) = grep { ($got[$_] // '') ne ($expected[$_] // '') } 0 .. ($#expected > $#got ? $#expected : $#got);

		ok($answer eq $expected && $error eq '', $node->name . ': ' . ($name // $query))
		  or diag($error || "line $line\n  got      $got[$line]\n  expected $expected[$line]");
	}
}

1;
