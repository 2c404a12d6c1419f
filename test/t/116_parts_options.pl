# Other options for the recommender of a partitioned table, as the manual has it: another index is built beside
# the first and takes its name, and whoever asks by the name meanwhile gets an answer.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary', 'timezone = UTC', 'client_min_messages = warning');

sub sql { return $node->safe_psql('postgres', join ";\n", @_) }

sql(q(
	CREATE TABLE sales (user_id bigint, product_id bigint, quantity integer, sold_at timestamptz NOT NULL) PARTITION BY RANGE (sold_at);
	CREATE TABLE sales_2024 PARTITION OF sales FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
	CREATE TABLE sales_rest PARTITION OF sales DEFAULT;
	INSERT INTO sales SELECT 1 + i * 7919 % 211, 1 + (i * i % 97 + i % 3) % 83, 1 + i % 3, timestamptz '2024-01-01' + i % 500 * interval '1 day' FROM generate_series(1, 6000) i;
	CREATE INDEX sales_recsys ON sales USING recsys (user_id, product_id, quantity, sold_at)));

my ($status, undef, $errors) = $node->psql('postgres', 'ALTER INDEX sales_recsys SET (neighbors = 50)');
isnt($status, 0, 'PostgreSQL refuses to set options of a partitioned index');

my $load = pgbench($node, 12, 3, map { my $file = PostgreSQL::Test::Utils::tempdir() . "/116_$_->[0].sql"; append_to_file($file, $_->[1]); ('-f', $file) }
	[ ask => "SELECT 1 / least(count(*), 1) FROM recommend(1 + floor(200 * random())::bigint, 10, 'sales_recsys');\n" ],
	[ insert => "INSERT INTO sales VALUES (1 + floor(200 * random()), 1 + floor(80 * random()), 1, '2024-06-01');\n" ]);
my @neighbors;

foreach my $neighbors (50, 20, 7)
{
	sql(qq(CREATE INDEX sales_next ON sales USING recsys (user_id, product_id, quantity, sold_at) WITH (neighbors = $neighbors)));
	sql(q(BEGIN; DROP INDEX sales_recsys; ALTER INDEX sales_next RENAME TO sales_recsys; SELECT pg_sleep(0.5); COMMIT));
	push @neighbors, sql(q(SELECT max(rank) FROM item_similarity('sales_recsys')));
}
finish($load);
unlike(slurp_file($load->{recsys_log}), qr/ERROR|aborted/, 'who asks by the name, or writes, gets no error meanwhile') or diag(slurp_file($load->{recsys_log}));
is("@neighbors", '50 20 7', 'each time the options are the new ones');
check_clean($node, 'sales_recsys', 'check_index in the end');
is(sql(q(SELECT count(*) FROM recsys.index_stats WHERE table_name = 'sales')), 1, 'one index is left');
is(sql(q(SELECT count(*) FROM pg_class WHERE relnamespace = 'pg_toast'::regnamespace AND relname ~ '^recsys_\d+_index$')), 1, 'and one with its pages');

$node->stop;
done_testing();
