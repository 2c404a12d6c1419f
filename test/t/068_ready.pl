# Ready-made lists: the same on a standby and in read-only transactions; a dump keeps the price
# history; a trend of many users can be cancelled, also that of a segment.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use RecsysTest;

my $primary = new_node('primary');
$primary->safe_psql('postgres', q(
	CREATE TABLE sales (user_id bigint, product_id bigint, sold_at timestamptz);
	INSERT INTO sales
	SELECT u, CASE WHEN x = 1 AND u % 3 = 0 THEN 7 ELSE 1 + (u + x * x * (1 + u % 7)) % 90 END,
		timestamptz '2024-06-01' - CASE WHEN x = 1 AND u % 3 = 0 THEN u % 40 ELSE (u * 7 + x * 331) % 2000 END * interval '1 hour'
	FROM generate_series(1, 1500) u, generate_series(1, 8) x;
	CREATE INDEX sales_recsys ON sales USING recsys (user_id, product_id, sold_at) WITH (similarity = cosine);
	CREATE TABLE products (product_id bigint PRIMARY KEY, price numeric);
	INSERT INTO products SELECT p, 20 FROM generate_series(1, 90) p;
	CREATE TABLE prices (product_id integer, price numeric, valid_from timestamptz);
	INSERT INTO prices SELECT p, 20 + p % 4 * 5, '2024-01-01' FROM generate_series(1, 90) p;
	CREATE INDEX ON prices (product_id);
	CREATE TABLE people (user_id bigint PRIMARY KEY, region text);
	INSERT INTO people SELECT u, CASE WHEN u % 2 = 0 THEN 'north' ELSE 'south' END FROM generate_series(1, 1500) u;
	SELECT recsys.create_recommender('shop', signals => '[{"events": "sales_recsys"}]', items => 'products', item_key => 'product_id', price => 'price',
		profiles => 'people', profile_key => 'user_id', segment => 'region',
		price_history => '{"table": "prices", "item": "product_id", "price": "price", "time": "valid_from", "window": "2 years"}');
	VACUUM ANALYZE sales));
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

my %calls = (
	recently_viewed => "generate_series(1, 60) u, recently_viewed(u, 5, 'shop')",
	'recently_viewed of an index' => "generate_series(1, 60) u, recently_viewed(u, 5, 'sales_recsys')",
	trending_items => "trending_items(10, 'shop', interval '2 days')",
	'trending_items of a segment' => "trending_items(10, 'shop', interval '2 days', 'north')",
	'trending_items of an index' => "trending_items(10, 'sales_recsys', interval '2 days')",
	on_sale_for => "generate_series(1, 60) u, on_sale_for(u, 5, 'shop')");

sub lists
{
	my ($node, $call, $database) = @_;

	return $node->safe_psql($database // 'postgres', "BEGIN READ ONLY; SELECT * FROM $calls{$call} ORDER BY 1, rank; COMMIT");
}

sub same_on_standby
{
	my ($when) = @_;

	$primary->wait_for_catchup($standby);
	foreach my $call (sort keys %calls)
	{
		my $wanted = lists($primary, $call);

		isnt($wanted, '', "$when: $call has rows");
		is(lists($standby, $call), $wanted, "$when: $call, standby");
	}
}

same_on_standby('built');
$primary->safe_psql('postgres', q(
	INSERT INTO sales SELECT u, 8, '2024-06-01 01:00+00' FROM generate_series(1, 200) u;
	DELETE FROM sales WHERE product_id = 7 AND user_id % 2 = 0;
	UPDATE products SET price = 10 WHERE product_id % 9 = 0;
	INSERT INTO prices SELECT product_id, 10, now() FROM products WHERE product_id % 9 = 0));
same_on_standby('changed');
like(lists($primary, 'trending_items'), qr/^8\|/m, 'what sells now is trending');
$primary->safe_psql('postgres', 'VACUUM sales; SELECT recsys.merge(\'sales_recsys\')');
same_on_standby('merged');

# what another transaction has not committed is not there
my $writer = $primary->background_psql('postgres', on_error_stop => 1);
my $before = lists($primary, 'trending_items');
$writer->query_safe(q(BEGIN; INSERT INTO sales SELECT u, 9, '2024-06-01 02:00+00' FROM generate_series(1, 200) u; INSERT INTO prices SELECT p, 99, '2024-01-02' FROM generate_series(1, 90) p));
is(lists($primary, 'trending_items'), $before, 'not committed: no trend');
$writer->query_safe('ROLLBACK');
is(lists($primary, 'trending_items'), $before, 'rolled back: no trend');
$writer->quit;

# a dump
$primary->safe_psql('postgres', 'CREATE DATABASE copy');
command_ok([ 'pg_dump', '-f', $primary->basedir . '/dump.sql', '-d', $primary->connstr('postgres') ], 'pg_dump');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $primary->basedir . '/dump.sql', '-d', $primary->connstr('copy') ], 'psql');
is($primary->safe_psql('copy', 'SELECT price_history, problem FROM recsys.recommenders'),
	$primary->safe_psql('postgres', 'SELECT price_history, problem FROM recsys.recommenders'), 'the declaration is dumped');
is(lists($primary, $_, 'copy'), lists($primary, $_), "dumped and restored: $_") foreach sort keys %calls;

# cancelled
$primary->safe_psql('postgres', q(
	INSERT INTO sales SELECT u, 1 + u % 900, '2024-05-01'::timestamptz + u % 40 * interval '1 hour' FROM generate_series(2000, 120000) u;
	INSERT INTO people SELECT u, 'many' FROM generate_series(2000, 120000) u));
foreach my $segment ('NULL', "'many'")
{
	my $call = "SELECT count(*) FROM generate_series(1, 100000) n, LATERAL trending_items(10, 'shop', n * interval '1 hour', $segment)";
	my $started = time;
	my ($code, $out, $error) = $primary->psql('postgres', "SET statement_timeout = '1s'; $call");

	like($error, qr/canceling statement due to statement timeout/, "cancelled: segment $segment");
	cmp_ok(time - $started, '<', 10, 'within time');
}
check_clean($primary, 'sales_recsys', 'check_index');
$standby->stop;
$primary->stop;
done_testing();
