# buy_again and next_basket on a standby: the answers of the primary after every kind of change, for
# parameters without types, too; in transactions with rows of their own; and stopped when they are
# cancelled.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $primary = new_node('primary');
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# A grocer's: some things every week, others every few weeks, and some but once.
$primary->safe_psql('postgres', <<'SQL');
CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, bought_at timestamptz);
CREATE TABLE products AS SELECT p::bigint AS id, p % 7 > 0 AS in_stock FROM generate_series(1, 200) p;
CREATE UNIQUE INDEX ON products (id);
INSERT INTO purchases
SELECT u, CASE WHEN x < 3 THEN 1 + (u + x) % 20 WHEN x < 5 THEN 21 + (u * 3 + n % 2 + x) % 40 ELSE 61 + (u * 7 + n * 11 + x * 5) % 130 END, 1,
	'2024-06-01'::timestamptz - u % 13 * interval '1 day' - n * interval '1 week' - x * interval '1 minute'
FROM generate_series(1, 400) u, generate_series(0, 3 + u % 9) n, generate_series(0, 6) x;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, bought_at);
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', item_filter => 'in_stock');
SQL

my @calls = (
	q(buy_again(u, 20, 'purchases_recsys', at => '2024-06-05')),
	q(next_basket(u, 20, 'purchases_recsys', at => '2024-06-05')),
	q(buy_again(u, 20, 'home', at => '2024-06-05')),
	q(next_basket(u, 20, 'home', at => '2024-06-05')),
	q(next_basket(u, NULL, 'purchases_recsys', NULL::text, '2024-05-01'::timestamptz)));
my $all = join ' UNION ALL ', map { "SELECT u, $_->[0] AS call, r::text FROM generate_series(0, 401, 7) u, LATERAL $_->[1] r" }
	map { [ $_, $calls[$_] ] } 0 .. $#calls;

sub compare
{
	my ($name) = @_;
	my $query = "SELECT * FROM ($all) s ORDER BY 1, 2, 3";
	my $expected = $primary->safe_psql('postgres', $query);

	$primary->wait_for_catchup($standby);
	cmp_ok(scalar(split /\n/, $expected), '>', 1000, "$name: there are answers");
	is($standby->safe_psql('postgres', $query), $expected, "$name: the same on the standby");
}

compare('build');
$primary->safe_psql('postgres', q(INSERT INTO purchases SELECT u, 1 + (u * 3 + x) % 190, 1, '2024-06-03'::timestamptz + x * interval '1 minute' FROM generate_series(1, 400, 3) u, generate_series(1, 5) x));
compare('insert');
$primary->safe_psql('postgres', q(UPDATE purchases SET quantity = 2, bought_at = bought_at + interval '1 hour' WHERE user_id % 5 = 1 AND product_id < 40));
$primary->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id % 7 = 3 OR product_id % 11 = 2');
compare('update and delete');
$primary->safe_psql('postgres', 'VACUUM purchases');
compare('vacuum');
$primary->safe_psql('postgres', q(SELECT recsys.merge('purchases_recsys', exact => true)));
compare('merge');
$primary->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY purchases_recsys');
compare('REINDEX CONCURRENTLY');

# parameters without types, and what drivers send as text
my ($code, $out, $error) = $standby->psql('postgres', <<'SQL', on_error_stop => 1);
SET default_transaction_read_only = on;
PREPARE again AS SELECT string_agg(item_id || ' ' || times || ' ' || rank, ',' ORDER BY rank) FROM buy_again($1, $2, $3, $4);
EXECUTE again('8', '3', 'purchases_recsys', '2024-06-05');
SELECT string_agg(item_id || ' ' || times || ' ' || rank, ',' ORDER BY rank) FROM buy_again(8, 3, 'purchases_recsys', at => '2024-06-05');
PREPARE next AS SELECT string_agg(item_id || ' ' || source || ' ' || rank, ',' ORDER BY rank) FROM next_basket($1, $2, $3, $4, $5);
EXECUTE next('8', '3', 'home', '2024-06-05', '{"exclude": [5]}');
SELECT string_agg(item_id || ' ' || source || ' ' || rank, ',' ORDER BY rank) FROM next_basket(8, 3, 'home', at => '2024-06-05', context => '{"exclude": [5]}');
PREPARE named AS SELECT string_agg(item_id || ' ' || source || ' ' || rank, ',' ORDER BY rank) FROM next_basket(user_id => $1, k => $2, recommender => $3, at => $4, context => $5);
EXECUTE named('8', '3', 'home', '2024-06-05', '{"exclude": [5]}');
SQL
is($error, '', 'untyped parameters on a standby, read-only');
my @lines = split /\n/, $out;
like($lines[0], qr/^\d+ \d+ 1,/, 'there is something to buy again');
is($lines[0], $lines[1], 'buy_again: the same with and without types');
is($lines[2], $lines[3], 'next_basket: the same with and without types');
is($lines[4], $lines[3], 'and by names');

# own rows count before they are committed
$primary->safe_psql('postgres', <<'SQL');
INSERT INTO purchases SELECT 1000, 1, 1, '2024-05-01'::timestamptz + n * interval '1 week' FROM generate_series(0, 3) n;
SQL
my $times = q(SELECT times FROM buy_again(1000, 1, 'purchases_recsys', at => '2024-06-05'));
is($primary->safe_psql('postgres', $times), '4', 'committed rows');
is($primary->safe_psql('postgres', "BEGIN; INSERT INTO purchases VALUES (1000, 1, 1, '2024-06-01'); $times; ROLLBACK"), '5', 'own rows');
is($primary->safe_psql('postgres', "BEGIN; INSERT INTO purchases VALUES (1000, 1, 1, '2024-06-01'); SAVEPOINT s; INSERT INTO purchases VALUES (1000, 1, 1, '2024-06-03'); ROLLBACK TO s; $times; ROLLBACK"),
	'5', 'not those of a subtransaction that was rolled back');
is($primary->safe_psql('postgres', $times), '4', 'nor those rolled back');

# whoever has bought everything a thousand times can be stopped
$primary->safe_psql('postgres', <<'SQL');
INSERT INTO purchases SELECT 2000, 1 + n % 200, 1, '2020-01-01'::timestamptz + n * interval '30 minutes' FROM generate_series(1, 300000) n;
SQL
foreach my $call ('buy_again', 'next_basket')
{
	is($primary->safe_psql('postgres', "SELECT count(*) > 0 FROM $call(2000, NULL, 'purchases_recsys')"), 't', "$call: a user with 300,000 rows");
	(undef, undef, $error) = $primary->psql('postgres', "SET statement_timeout = '20ms'; SELECT count(*) FROM generate_series(1, 100) u, LATERAL $call(2000 + u - u, NULL, 'purchases_recsys')");
	like($error, qr/canceling statement due to statement timeout/, "$call: is cancelled");
}

done_testing();
