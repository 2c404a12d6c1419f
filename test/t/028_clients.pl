# The library serves functions as 0.1.0 declares them, k an integer and no rank, and
# as they are declared now: the same answers before and after ALTER EXTENSION UPDATE.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = PostgreSQL::Test::Cluster->new('clients');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION recsys VERSION '0.1.0';
CREATE TABLE purchases (user_id bigint, product_id bigint);
INSERT INTO purchases SELECT n / 4, (n * 7 + n / 4) % 23 FROM generate_series(1, 400) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id);
CREATE MATERIALIZED VIEW product_rules AS SELECT * FROM association_rules('purchases_recsys', 0.02, 0.1);
SQL

my @calls = (
	[ 'item_id, score, source', 'recommend(42, 5)' ],
	[ 'item_id, score, source', 'recommend(42, NULL)' ],
	[ 'item_id, score, source', "recommend(42, 5, NULL, NULL::bigint)" ],
	[ 'item_id, score, source', "recommend(42, 5, 'purchases_recsys', NULL::text)" ],
	[ 'item_id, score, source', 'recommend_for_items(ARRAY[1, 2], 5)' ],
	[ 'item_id, score, source', "recommend_for_items(ARRAY['1', '2'], 5)" ],
	[ 'item_id, score, support', 'similar_items(1, 5)' ],
	[ 'item_id, score, support', "similar_items('1', 5)" ],
	[ 'item_id, users, score', 'popular_items(5)' ],
	[ 'item_id, users, score', 'popular_items(5, NULL, NULL::text)' ],
	[ 'because_item_id, contribution, weight, similarity, support', 'explain_recommendation(42, 1)' ],
	[ 'item_id, support, confidence, lift, jaccard, fisher_p', 'frequently_bought_together(1, 5)' ],
	[ 'item_id, confidence, lift, support, antecedent', "complete_basket(ARRAY[1, 2], 5, 'product_rules')" ]);
my $query = join ";\n", map { "SELECT $_->[0] FROM $_->[1]" } @calls;
my $before = $node->safe_psql('postgres', $query);
cmp_ok(scalar(split /\n/, $before), '>=', 60, 'with the functions of 0.1.0: all answer');
like($node->safe_psql('postgres', 'EXPLAIN SELECT * FROM similar_items(1, 7)'), qr/rows=7 /,
	'with the functions of 0.1.0: the planner reads k');

# what stands on a function whose result changes has to go first
$node->safe_psql('postgres', 'CREATE VIEW best AS SELECT * FROM popular_items(3)');
my ($code, $out, $error) = $node->psql('postgres', 'ALTER EXTENSION recsys UPDATE');
like($error, qr/view best depends on function popular_items/, 'a view in the way is named');
is($node->safe_psql('postgres', $query), $before, 'nothing has changed then');
$node->safe_psql('postgres', 'DROP VIEW best; ALTER EXTENSION recsys UPDATE');
is($node->safe_psql('postgres', $query), $before, 'after the update: the same answers');
$node->safe_psql('postgres', 'REFRESH MATERIALIZED VIEW product_rules; CREATE VIEW best AS SELECT * FROM popular_items(3)');
is($node->safe_psql('postgres', 'SELECT string_agg(rank::text, \',\') FROM best'), '1,2,3', 'and ranks');

# scripts are read in the encoding of the database
$node->safe_psql('postgres', "CREATE DATABASE japanese TEMPLATE template0 ENCODING 'EUC_JP' LOCALE 'C'");
$node->safe_psql('japanese', "CREATE EXTENSION recsys VERSION '0.1.0'; ALTER EXTENSION recsys UPDATE; DROP EXTENSION recsys; CREATE EXTENSION recsys");
is($node->safe_psql('japanese', q(SELECT extversion FROM pg_extension WHERE extname = 'recsys')), '0.2.0', 'databases of all encodings take it');

done_testing();
