# A database with recommender indexes, dumped and restored, has the same
# indexes with the same options and gives the same answers.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary');
my $directory = PostgreSQL::Test::Utils::tempdir();

create_purchases($node, 8000);
$node->safe_psql('postgres', q(
	CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at)
		WITH (similarity = cosine, neighbors = 30, min_support = 3, shrinkage = 10, alpha = 0.25,
			  max_history = 500, half_life = '30 days');
	CREATE INDEX purchases_plain_recsys ON purchases USING recsys (user_id, product_id)
		WITH (similarity = log_likelihood);
	CREATE INDEX purchases_slim_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at)
		WITH (similarity = slim, l1 = 0.5, l2 = 2, candidates = 20, weighting = bm25, k1 = 2, b = 0.5,
			  user_damping = 0.3, training_half_life = '60 days');
	-- expressions and a predicate are the data preparation
	CREATE INDEX groups_recsys ON purchases USING recsys (user_id, (product_id / 10), quantity)
		WITH (similarity = jaccard) WHERE quantity > 1;

	CREATE TABLE visits (visitor text, page text, visited date);
	INSERT INTO visits SELECT 'v' || user_id, '/p/' || product_id, purchased_at::date
		FROM purchases WHERE user_id < 200;
	CREATE INDEX visits_recsys ON visits USING recsys (visitor, page);

	CREATE MATERIALIZED VIEW item_graph AS SELECT * FROM item_similarity('public.purchases_recsys');
	CREATE UNIQUE INDEX ON item_graph (item_id, similar_item_id);
	-- a name without schema: the restore's search_path is empty
	CREATE MATERIALIZED VIEW item_graph_short AS SELECT * FROM item_similarity('purchases_recsys');
	CREATE VIEW top AS SELECT * FROM popular_items(5, 'purchases_recsys');));

my $catalog = q(
	SELECT c.relname, c.reloptions, pg_get_indexdef(c.oid), i.indisvalid
	FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_am a ON a.oid = c.relam
	WHERE a.amname = 'recsys' ORDER BY 1);
my $views = q(
	SELECT * FROM item_graph ORDER BY item_id, rank;
	SELECT * FROM item_graph_short ORDER BY item_id, rank;
	SELECT * FROM top;);
my $visits = q(
	SELECT * FROM item_similarity('visits_recsys', NULL::text) ORDER BY item_id, rank;
	SELECT * FROM recommend('v3'::text, 20, 'visits_recsys', NULL::text) WITH ORDINALITY ORDER BY ordinality;);

my @indexes = qw(purchases_recsys purchases_plain_recsys purchases_slim_recsys groups_recsys);
my %expected = map { $_ => answers($node, $_) } @indexes;
my $expected_catalog = $node->safe_psql('postgres', $catalog);
my $expected_views = $node->safe_psql('postgres', $views);
my $expected_visits = $node->safe_psql('postgres', $visits);

like($expected_catalog, qr/half_life='?30 days/, 'options show in the definition');

sub restored_is_equal
{
	my ($database, $name) = @_;

	is($node->safe_psql($database, $catalog), $expected_catalog, "$name: definitions and options");
	same_answers(answers($node, $_, $database), $expected{$_}, "$name: $_") foreach @indexes;
	same_answers($node->safe_psql($database, $views), $expected_views, "$name: views");
	same_answers($node->safe_psql($database, $visits), $expected_visits, "$name: text keys");
	my ($status, $stdout, $stderr) = $node->psql($database,
		q(SELECT recsys.check_index(c.oid) FROM pg_class c JOIN pg_am a ON a.oid = c.relam
		  WHERE a.amname = 'recsys' AND c.relkind = 'i'));
	is($status, 0, "$name: check_index") or diag($stderr);
	is($node->safe_psql($database, q(SELECT extversion FROM pg_extension WHERE extname = 'recsys')),
		$node->safe_psql('postgres', q(SELECT extversion FROM pg_extension WHERE extname = 'recsys')),
		"$name: the extension itself");
}

# as SQL
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'pg_dump', '-f', "$directory/plain.sql", $node->connstr('postgres') ], 'pg_dump');
unlike(slurp_file("$directory/plain.sql"), qr/CREATE FUNCTION recsys|CREATE ACCESS METHOD/,
	'what belongs to the extension is not dumped');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$directory/plain.sql", $node->connstr('plain') ],
	'the dump runs without an error');
restored_is_equal('plain', 'plain dump');

# in parallel, from the custom format
$node->safe_psql('postgres', 'CREATE DATABASE custom');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$directory/custom.dump", $node->connstr('postgres') ], 'pg_dump -Fc');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-j', '2', '-d', $node->connstr('custom'), "$directory/custom.dump" ],
	'pg_restore -j 2');
restored_is_equal('custom', 'custom dump');

$node->stop;
done_testing();
