# The background worker and a recommender over a partitioned table: it merges what is pending, puts together
# what nobody has put together, takes in partitions that were attached with an index of their own, and takes
# out those that are gone; it waits for nobody's lock.  recsys.keep_partitions drops beside it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary', "shared_preload_libraries = 'recsys'", 'recsys.merge_interval = 100ms', 'autovacuum = off',
	'recsys.maintain_interval = 0');

create_purchases($node, 2000);
$node->safe_psql('postgres', q(
	CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = cosine);
	CREATE TABLE sales (user_id bigint, product_id bigint, at date NOT NULL) PARTITION BY RANGE (at);
	CREATE TABLE sales_1 PARTITION OF sales FOR VALUES FROM ('2023-01-01') TO ('2023-02-01');
	CREATE TABLE sales_2 PARTITION OF sales FOR VALUES FROM ('2023-02-01') TO ('2023-03-01');
	INSERT INTO sales SELECT user_id, product_id, date '2023-01-01' + (user_id % 59)::int FROM purchases;
	CREATE INDEX sales_recsys ON sales USING recsys (user_id, product_id, at) WITH (similarity = cosine);));

my $compare = q(
	CREATE TABLE plain AS SELECT * FROM sales;
	CREATE INDEX plain_recsys ON plain USING recsys (user_id, product_id, at) WITH (similarity = cosine);
	SELECT count(*) FROM ((TABLE a EXCEPT TABLE b) UNION ALL (TABLE b EXCEPT TABLE a)) d;
	DROP TABLE plain;);
$compare =~ s/TABLE a/SELECT * FROM item_similarity('plain_recsys')/g;
$compare =~ s/TABLE b/SELECT * FROM item_similarity('sales_recsys')/g;

# A command alone that no index is told of wakes no worker, but some event always comes.
sub wake
{
	$node->safe_psql('postgres', 'INSERT INTO purchases VALUES (1, 1)');
}

# Until the worker has made the graph that of the rows
sub is_followed
{
	my ($what) = @_;
	my $deadline = time + 60;
	my $difference = '';

	wake();

	while (time < $deadline && $difference ne '0')
	{
		(undef, $difference) = $node->psql('postgres', $compare);
		select(undef, undef, undef, 0.2) if $difference ne '0';
	}
	is($difference, '0', "$what: the graph is that of the rows");
	is($node->safe_psql('postgres', q(SELECT recsys.check_index('sales_recsys'))), '', "$what: check");
}

$node->safe_psql('postgres', q(INSERT INTO sales SELECT 7000 + i % 9, i % 40, '2023-01-07' FROM generate_series(1, 300) i));
is_followed('rows');

$node->safe_psql('postgres', 'DROP TABLE sales_1');
is_followed('a dropped partition');

$node->safe_psql('postgres', 'TRUNCATE sales_2; INSERT INTO sales SELECT i % 50, i % 40, date \'2023-02-03\' FROM generate_series(1, 999, 2) i');
is_followed('a truncated partition');

# with its index: nobody tells
$node->safe_psql('postgres', q(
	CREATE TABLE sales_3 (LIKE sales);
	INSERT INTO sales_3 SELECT i % 60, i % 41, '2023-03-03' FROM generate_series(1, 800, 3) i;
	CREATE INDEX sales_3_recsys ON sales_3 USING recsys (user_id, product_id, at) WITH (similarity = cosine);
	ALTER TABLE sales ATTACH PARTITION sales_3 FOR VALUES FROM ('2023-03-01') TO ('2023-04-01');));
is_followed('an attached partition');

# one by one, as a restore does
$node->safe_psql('postgres', q(
	DROP INDEX sales_recsys;
	CREATE INDEX sales_recsys ON ONLY sales USING recsys (user_id, product_id, at) WITH (similarity = cosine);
	CREATE INDEX two ON sales_2 USING recsys (user_id, product_id, at) WITH (similarity = cosine);
	CREATE INDEX three ON sales_3 USING recsys (user_id, product_id, at) WITH (similarity = cosine);
	ALTER INDEX sales_recsys ATTACH PARTITION two;
	ALTER INDEX sales_recsys ATTACH PARTITION three;));
wake();
ok($node->poll_query_until('postgres', q(SELECT problem IS NULL FROM recsys.index_stats WHERE index_name = 'sales_recsys')), 'put together');
is_followed('put together');

# a partition that somebody has is left for later, and nothing queues behind the worker
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; LOCK TABLE sales_3 IN ACCESS EXCLUSIVE MODE');
$node->safe_psql('postgres', q(INSERT INTO sales SELECT 8000 + i % 9, i % 40, '2023-02-07' FROM generate_series(1, 300) i));
sleep 2;
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
	WHERE NOT l.granted AND a.backend_type <> 'client backend')), '0', 'the worker waits for nobody');
$holder->query_safe('COMMIT');
$holder->quit;
is_followed('rows beside a locked partition');

# partitions that are kept: the old ones are dropped, and the recommender follows
$node->safe_psql('postgres', q(
	CREATE TABLE seen (user_id bigint, product_id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
	CREATE INDEX seen_recsys ON seen USING recsys (user_id, product_id, at) WITH (similarity = cosine);
	SELECT count(*) FROM recsys.keep_partitions('seen', '1 month', keep => '50 years');));
$node->safe_psql('postgres', sprintf(q(CREATE TABLE seen_old_%d PARTITION OF seen FOR VALUES FROM ('200%d-01-01 00:00+00') TO ('200%d-02-01 00:00+00')), $_, $_, $_))
	foreach 1, 2;
$node->safe_psql('postgres', q(
	INSERT INTO seen SELECT i % 30, i % 20, '2001-01-05' FROM generate_series(1, 900, 7) i;
	INSERT INTO seen SELECT i % 31, 100 + i % 20, now() FROM generate_series(1, 900, 7) i;));
ok($node->poll_query_until('postgres', q(SELECT count(*) > 0 FROM similar_items(5, 5, 'seen_recsys'))), 'what was seen is known');
$node->safe_psql('postgres', q(SELECT count(*) FROM recsys.keep_partitions('seen', '1 month', keep => '1 year')));
wake();
like($node->safe_psql('postgres', q(SELECT action, object FROM recsys.maintain_partitions('seen'))), qr/dropped\|\S*seen_old_1/, 'an old partition is dropped');
ok($node->poll_query_until('postgres', q(SELECT count(*) = 0 FROM similar_items(5, 5, 'seen_recsys'))), 'and what it had is known no more');
is($node->safe_psql('postgres', q(SELECT recsys.check_index('seen_recsys'))), '', 'check');

unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC:|TRAP:|corrupt|pg_toast|could not be merged/, 'nothing alarming in the log');
$node->stop;
done_testing();
