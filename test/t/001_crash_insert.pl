# A server killed in the middle of concurrent inserts, updates, deletes and
# vacuum recovers to an index that holds exactly what the table holds, answers
# by the graph of its last build, and once rebuilt equals a new one.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use RecsysTest;

my $node = new_node('primary');
my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';

create_purchases($node, 15000);
$node->safe_psql('postgres', "CREATE INDEX purchases_recsys ON $columns");
check_clean($node, 'purchases_recsys', 'check_index after the build');

my $graph_query = "SELECT * FROM item_similarity('purchases_recsys') ORDER BY item_id, rank";
my $graph = $node->safe_psql('postgres', $graph_query);

my $one_row = q(
\set user random(1, 420)
\set product random_zipfian(1, 260, 1.05)
INSERT INTO purchases VALUES (:user, :product, 1 + :product % 3, now());
);
my $many_rows = q(
\set user random(1, 420)
INSERT INTO purchases SELECT :user, 1 + (:user * i) % 260, 1, now() FROM generate_series(1, 60) i;
);
my $rolled_back = q(
\set user random(1, 420)
BEGIN;
INSERT INTO purchases SELECT :user, i, 1, now() FROM generate_series(1, 20) i;
ROLLBACK;
);
my $changed = q(
\set user random(1, 420)
\set product random(1, 260)
UPDATE purchases SET quantity = 2 WHERE user_id = :user AND product_id = :product;
DELETE FROM purchases WHERE user_id = :user AND product_id = :product + 1;
);

foreach my $round (1 .. 3)
{
	my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM purchases');
	my $inserts = start_pgbench($node, 4, [ $one_row, 10 ], [ $many_rows, 2 ],
		[ $rolled_back, 1 ], [ $changed, 2 ]);
	my $vacuum;

	# recovery starts from here, sometimes with pages half changed since
	$node->safe_psql('postgres', 'CHECKPOINT') if $round == 2;
	ok($node->poll_query_until('postgres', "SELECT count(*) > $before + 3000 FROM purchases"),
		"round $round: inserts are running");
	if ($round == 3)
	{
		$vacuum = start_psql($node, 'VACUUM purchases');
		sleep 0.03;
	}
	kill_server($node);
	finish($inserts);
	finish($vacuum) if $vacuum;

	$node->start;
	check_clean($node, 'purchases_recsys', "round $round: check_index after recovery");
	scans_agree($node, "round $round");
	recommend_agrees($node, 'purchases_recsys', "round $round: recommend by its definition");
	same_answers($node->safe_psql('postgres', $graph_query), $graph,
		"round $round: the graph is that of the last build");
}

# life goes on
insert_purchases($node, 500);
$node->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id % 17 = 0; VACUUM purchases');
check_clean($node, 'purchases_recsys', 'check_index after more inserts, deletes and vacuum');
scans_agree($node, 'afterwards');
recommend_agrees($node, 'purchases_recsys', 'afterwards: recommend by its definition');

# the rebuilt index, a new one, and the model straight from the table are one
$node->safe_psql('postgres', "REINDEX INDEX purchases_recsys; CREATE INDEX second_recsys ON $columns");
check_clean($node, 'second_recsys', 'check_index of a second index');
same_answers(answers($node, 'purchases_recsys'), answers($node, 'second_recsys'),
	'the rebuilt index equals a new one');
same_answers(
	$node->safe_psql('postgres', $graph_query),
	$node->safe_psql('postgres', q(
		SELECT * FROM query_item_similarity('SELECT user_id, product_id, quantity, purchased_at FROM purchases', similarity => 'cosine')
		ORDER BY item_id, rank)),
	'the rebuilt graph equals the one of a query');
isnt($node->safe_psql('postgres', $graph_query), $graph, 'and differs from the old one');

$node->stop;
done_testing();
