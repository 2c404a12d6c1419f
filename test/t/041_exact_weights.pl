# Sums of weights are those of numeric whoever adds them up: builds and mining by
# parallel workers, in memory and on disk, and what a crash leaves.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary', 'shared_buffers = 64MB', 'max_parallel_workers = 8', 'max_worker_processes = 16',
	'min_parallel_table_scan_size = 0', 'min_parallel_index_scan_size = 0');

# Amounts of up to 15 digits, of which two thirds of the users return all or nearly all;
# item 0 goes with every item once, so that it can be explained by all that a user has
$node->safe_psql('postgres', q(
	CREATE EXTENSION IF NOT EXISTS recsys;
	SELECT setseed(0.41);
	CREATE TABLE bought (user_id int, item_id int, amount numeric);
	INSERT INTO bought SELECT 1 + floor(random() * 3000), 1 + floor(random() * 60),
		trunc((random() * 10 ^ (1 + floor(random() * 15)))::numeric) / 10 ^ floor(random() * 5)::int::numeric
	FROM generate_series(1, 60000);
	INSERT INTO bought SELECT user_id, item_id, -amount FROM bought WHERE user_id % 3 > 0 ORDER BY random();
	INSERT INTO bought SELECT DISTINCT user_id, item_id, 0.01 FROM bought WHERE user_id % 3 = 2;
	INSERT INTO bought SELECT 10000 + i, unnest(ARRAY[0, i]), 1 FROM generate_series(1, 60) i;
	CREATE VIEW folded AS SELECT user_id, item_id, sum(amount) AS amount FROM bought GROUP BY 1, 2 HAVING sum(amount) > 0;
	CREATE TABLE baskets AS SELECT array_agg(item_id ORDER BY item_id) AS items, sum(amount) AS amount FROM folded GROUP BY user_id;
	ALTER TABLE bought SET (parallel_workers = 2);
	ANALYZE bought));

sub check_weights
{
	my ($name) = @_;

	is($node->safe_psql('postgres', q(
		SELECT count(*) > 10000, count(*) FILTER (WHERE e.weight IS DISTINCT FROM x.weight)
		FROM (SELECT user_id, item_id, amount::double precision AS weight FROM folded WHERE user_id <= 3000) e
			 FULL JOIN (SELECT user_id, because_item_id AS item_id, weight
						FROM generate_series(1, 3000) user_id, explain_recommendation(user_id, 0, 'bought_recsys')) x USING (user_id, item_id))),
		't|0', "$name: weights");
	check_clean($node, 'bought_recsys', $name);
}

sub check_revenue
{
	my ($name, $workers) = @_;
	my $stderr;
	my $found;

	$node->psql('postgres', qq(
		SET max_parallel_workers_per_gather = $workers;
		SET client_min_messages = debug1;
		SELECT count(*) > 500, count(*) FILTER (WHERE basket_weight IS DISTINCT FROM
			(SELECT sum(amount)::double precision FROM baskets b WHERE b.items \@> s.items::int[]))
		FROM (SELECT * FROM frequent_itemsets('bought_recsys', max_length => 2, min_support => 30, weights => true)) s),
		stdout => \$found, stderr => \$stderr, on_error_die => 1);
	is($found, 't|0', "$name: revenue");
	like($stderr, qr/baskets read in \d+ pieces/, "$name: workers took part") if $workers > 0;
}

foreach my $how ([0, '64MB'], [2, '64MB'], [2, '4MB'])
{
	my ($workers, $memory) = @$how;
	my $name = "$workers workers, $memory";

	$node->safe_psql('postgres', qq(
		SET maintenance_work_mem = '$memory';
		SET max_parallel_maintenance_workers = $workers;
		DROP INDEX IF EXISTS bought_recsys;
		CREATE INDEX bought_recsys ON bought USING recsys (user_id, item_id, amount) WITH (similarity = cosine, min_support = 1)));
	check_weights($name);
	check_revenue($name, $workers);
}

# Returns after the build, and a crash before and after the merge
$node->safe_psql('postgres', q(
	INSERT INTO bought SELECT user_id, item_id, -amount FROM bought WHERE user_id % 6 = 3 AND user_id <= 3000 ORDER BY random();
	INSERT INTO bought SELECT user_id, item_id, 0.3 FROM folded WHERE user_id % 6 = 0 AND user_id <= 3000));
$node->stop('immediate');
$node->start;
check_weights('after a crash');
$node->safe_psql('postgres', q(SELECT recsys.merge('bought_recsys', exact => true)));
$node->stop('immediate');
$node->start;
check_weights('after a merge and a crash');

my $graph = q(SELECT item_id, similar_item_id, support, round(score::numeric, 5) FROM item_similarity('bought_recsys') ORDER BY 1, 2);
my $merged = $node->safe_psql('postgres', $graph);
$node->safe_psql('postgres', 'REINDEX INDEX bought_recsys');
check_weights('built anew');
is($node->safe_psql('postgres', $graph), $merged, 'the merged graph is that of a new index');

# An index of the format before says so, whatever is done with it, and a REINDEX is the way out
my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q(SELECT pg_relation_filepath('bought_recsys')));
$node->stop;
system_or_bail('pg_checksums', '--disable', '--no-sync', '-D', $node->data_dir);
open(my $index, '+<:raw', $file) or die "$file: $!";
seek($index, 28, 0);
print $index pack('L', 4);
close($index);
$node->start;
foreach my $statement (q(SELECT * FROM recommend(1, 10, 'bought_recsys')), 'INSERT INTO bought VALUES (1, 1, 1)',
	q(SELECT recsys.merge('bought_recsys')), 'VACUUM bought')
{
	my (undef, undef, $error) = $node->psql('postgres', $statement);
	like($error, qr/"bought_recsys" has format version 4, this server's recsys library reads version 6.*REINDEX/s,
		"format 4: $statement");
}
my $command = $node->safe_psql('postgres', q(SELECT format('REINDEX INDEX %s', c.oid::regclass)
	FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'recsys' AND c.relkind = 'i'));
is($command, 'REINDEX INDEX bought_recsys', 'format 4: the command to run');
$node->safe_psql('postgres', $command);
check_weights('format 5');

done_testing();
