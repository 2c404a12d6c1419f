# A session that has used a declared recommender keeps numbers of items and plans.  What
# others change meanwhile counts in its next call: graphs in relations that are refreshed, indexes
# that are rebuilt with other numbers.  Everything is read with the caller's rights, a call
# that ends in an error leaves nothing behind, and calls within calls do not meet.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('signals', 'shared_buffers = 32MB', 'autovacuum = off');
my $options = 'WITH (similarity = cosine, popularity = 0)';

$node->safe_psql('postgres', qq(
	CREATE FUNCTION draw(n bigint, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
	RETURN ('x' || substr(md5(n::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;
	CREATE TABLE purchases AS
	SELECT u::bigint AS user_id, (1 + 80 * draw(u * 100 + i, 'item') * draw(u * 100 + i, 'more'))::bigint AS product_id
	FROM generate_series(1, 200) u, generate_series(1, 12) i;
	CREATE TABLE views AS
	SELECT u::bigint AS user_id, (1 + 90 * draw(u * 100 + i, 'view'))::bigint AS product_id
	FROM generate_series(1, 200) u, generate_series(1, 12) i;
	CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id) $options;
	CREATE INDEX views_recsys ON views USING recsys (user_id, product_id) $options;
	CREATE MATERIALIZED VIEW item_similarity AS SELECT * FROM item_similarity('purchases_recsys');
	CREATE UNIQUE INDEX ON item_similarity (item_id, similar_item_id);
	SELECT recsys.create_recommender('plain', '[{"events": "purchases_recsys"}]');
	SELECT recsys.create_recommender('both', '[{"events": "purchases_recsys"}, {"events": "views_recsys", "weight": 0.5}]');
	SELECT recsys.create_recommender('relation', '[{"events": "purchases_recsys", "graph": "item_similarity"}]');
	CREATE FUNCTION lists(recommender text) RETURNS text LANGUAGE sql STABLE
	RETURN (SELECT string_agg(concat_ws(',', u, item_id, score, source, rank), ' ' ORDER BY u, rank)
		FROM generate_series(1, 210) u, recommend(u, 20, recommender));));

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $all = sub { $session->query_safe("SELECT lists('$_[0]')") };
my $index = sub { $node->safe_psql('postgres', q(SELECT lists('purchases_recsys'))) };
my $fresh = sub { $node->safe_psql('postgres', "SELECT lists('$_[0]')") };

same_answers($all->('plain'), $index->(), 'one signal');
same_answers($all->('relation'), $index->(), 'its graph in a materialized view');
my $both = $all->('both');

# Refreshed by others
$node->safe_psql('postgres', q(
	INSERT INTO purchases SELECT u, 500 + u % 20 FROM generate_series(1, 200) u;
	REINDEX INDEX purchases_recsys; REFRESH MATERIALIZED VIEW item_similarity;));
same_answers($all->('relation'), $index->(), 'after REFRESH');
$node->safe_psql('postgres', q(
	INSERT INTO purchases SELECT u, 600 + u % 30 FROM generate_series(1, 200) u; SELECT recsys.merge('purchases_recsys');
	REFRESH MATERIALIZED VIEW CONCURRENTLY item_similarity;));
same_answers($all->('relation'), $index->(), 'after REFRESH CONCURRENTLY');
same_answers($all->('plain'), $index->(), 'items that came after the build');
isnt($all->('both'), $both, 'the second signal beside them');
same_answers($all->('both'), $fresh->('both'), 'as in a new session');

# Rebuilt by others: other items have the numbers
$node->safe_psql('postgres', q(UPDATE purchases SET product_id = 1000 - product_id; VACUUM purchases; REINDEX INDEX purchases_recsys;));
same_answers($all->('plain'), $index->(), 'after REINDEX');
same_answers($all->('both'), $fresh->('both'), 'after REINDEX, two signals');
$node->safe_psql('postgres', q(DELETE FROM purchases WHERE product_id % 3 = 0; VACUUM purchases; REINDEX INDEX CONCURRENTLY purchases_recsys;));
same_answers($all->('plain'), $index->(), 'after REINDEX CONCURRENTLY');
$node->safe_psql('postgres', q(
	CREATE TABLE copy AS SELECT user_id, product_id * 7 % 1009 AS product_id FROM purchases;
	TRUNCATE purchases; INSERT INTO purchases TABLE copy; SELECT recsys.merge('purchases_recsys');));
same_answers($all->('plain'), $index->(), 'after TRUNCATE');
same_answers($all->('both'), $fresh->('both'), 'after TRUNCATE, two signals');

# Rebuilt by the session itself, and not in the end; in place, where the transaction made the table
my $before = $all->('both');
$session->query_safe(q(BEGIN; TRUNCATE purchases; INSERT INTO purchases SELECT user_id, 2000 - product_id FROM copy; REINDEX INDEX purchases_recsys;));
my $within = $all->('both');
isnt($within, $before, 'within a transaction that has truncated');
$session->query_safe(q(SAVEPOINT a; TRUNCATE purchases; INSERT INTO purchases SELECT user_id, 3000 - product_id FROM copy; REINDEX INDEX purchases_recsys;));
isnt($all->('both'), $within, 'truncated twice');
$session->query_safe('ROLLBACK TO a;');
same_answers($all->('both'), $within, 'back to the savepoint');
$session->query_safe('ROLLBACK;');
same_answers($all->('both'), $before, 'rolled back');

# the second build is in the file of the first, and merges count what is committed
$session->query_safe(qq(BEGIN; CREATE TABLE made AS SELECT user_id, product_id FROM copy;
	CREATE INDEX made_recsys ON made USING recsys (user_id, product_id) $options;
	SELECT recsys.create_recommender('made', '[{"events": "made_recsys"}]');));
same_answers($all->('made'), $session->query_safe(q(SELECT lists('made_recsys'))), 'made by the transaction');
my $file = q(SELECT pg_relation_filenode('made_recsys'));
is($session->query_safe("$file; TRUNCATE made; $file;") =~ s/^(\d+)\n\1$//r, '', 'truncated in place');
$session->query_safe(q(INSERT INTO made SELECT user_id, 2000 - product_id FROM copy; COMMIT; SELECT recsys.merge('made_recsys');));
same_answers($all->('made'), $session->query_safe(q(SELECT lists('made_recsys'))), 'the same file with other items');
$node->safe_psql('postgres', 'REFRESH MATERIALIZED VIEW item_similarity');
same_answers($all->('relation'), $index->(), 'refreshed at last');

# The caller's rights, whoever has declared it
$node->safe_psql('postgres', q(
	CREATE ROLE reader;
	GRANT SELECT ON purchases, views TO reader;
	CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text, is_fraud boolean);
	INSERT INTO customers SELECT u, 'DE', false FROM generate_series(1, 200) u;
	SELECT recsys.create_recommender('segmented', '[{"events": "purchases_recsys"}]', profiles => 'customers', profile_key => 'customer_id', segment => 'country', exclude_users => 'is_fraud');));
sub as_reader
{
	my ($recommender) = @_;
	my ($code, $out, $error) = $node->psql('postgres', "SET ROLE reader; SELECT count(*) > 0 FROM recommend(1, 5, '$recommender');");
	return $code == 0 ? $out : $error;
}
is(as_reader('both'), 't', 'a role that may read the signals');
like(as_reader('relation'), qr/permission denied for materialized view item_similarity/, 'without the right to read the graph');
like(as_reader('segmented'), qr/permission denied for table customers/, 'without the right to read the profiles');
like(as_reader('segmented'), qr/CONTEXT: .*of recommender "segmented"/s, 'the error says what it is about');
$node->safe_psql('postgres', 'REVOKE SELECT ON views FROM reader');
like(as_reader('both'), qr/permission denied for table views/, 'without the right to read a further signal');
$node->safe_psql('postgres', 'GRANT SELECT (customer_id, country, is_fraud) ON customers TO reader; GRANT SELECT ON item_similarity TO reader');
is(as_reader('segmented'), 't', 'with the right to read the columns');
is(as_reader('relation'), 't', 'with the right to read the graph');

# Policies of row-level security count as the caller sees them: a graph, a profile
$node->safe_psql('postgres', q(
	CREATE TABLE pairs AS SELECT item_id, similar_item_id, score FROM item_similarity;
	GRANT SELECT ON pairs TO reader;
	ALTER TABLE pairs ENABLE ROW LEVEL SECURITY;
	CREATE POLICY even ON pairs USING (similar_item_id % 2 = 0);
	UPDATE customers SET is_fraud = true WHERE customer_id = 1;
	ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
	CREATE POLICY none ON customers USING (false);
	SELECT recsys.create_recommender('pairs', '[{"events": "purchases_recsys", "graph": "pairs"}]');));
my $odd = q(SELECT count(*) FILTER (WHERE item_id % 2 = 0) > 0, count(*) FILTER (WHERE item_id % 2 = 1) FROM generate_series(1, 200) u, recommend(u, 20, 'pairs') WHERE source = 'history');
is($node->safe_psql('postgres', "SET ROLE reader; $odd"), 't|0', 'a policy on the graph');
isnt($session->query_safe("SELECT lists('pairs')"), '', 'owner first');
is($session->query_safe("SET ROLE reader; $odd; RESET ROLE;"), 't|0', 'a policy on the graph, in a session that was somebody else');
my $sources = q(SELECT string_agg(DISTINCT source, ',') FROM recommend(1, 3, 'segmented'));
is($node->safe_psql('postgres', $sources), 'popular', 'who is excluded');
is($node->safe_psql('postgres', "SET ROLE reader; $sources"), 'history', 'is not, for who does not see the profile');

# A call that is cut short leaves the session as it was, and calls within calls do not meet:
# this graph is a view over a function that asks the same recommenders.
$node->safe_psql('postgres', q(
	CREATE FUNCTION busy(item bigint) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = public AS $$
	BEGIN
		PERFORM count(*) FROM recommend(item, 20, 'both');
		PERFORM count(*) FROM recommend(item, 20, 'relation');
		IF current_setting('test.sleep', true) = 'on' THEN PERFORM pg_sleep(10); END IF;
		IF current_setting('test.fail', true) = 'on' THEN RAISE 'failed'; END IF;
		RETURN true;
	END $$;
	CREATE VIEW nested AS SELECT * FROM item_similarity WHERE busy(similar_item_id);
	SELECT recsys.create_recommender('nested', '[{"events": "purchases_recsys", "graph": "nested"}, {"events": "views_recsys", "weight": 0.5}]');
	SELECT recsys.create_recommender('unnested', '[{"events": "purchases_recsys", "graph": "item_similarity"}, {"events": "views_recsys", "weight": 0.5}]');));
my $some = sub { $session->query_safe("SELECT string_agg(concat_ws(',', u, r), ' ' ORDER BY u, rank) FROM generate_series(1, 200, 40) u, recommend(u, 20, '$_[0]') r") };
my $expected = $some->('unnested');
is($some->('nested'), $expected, 'calls within a call');
foreach my $how ("SET test.sleep = on; SET statement_timeout = '100ms';", 'SET test.fail = on;')
{
	$session->query("$how SELECT count(*) FROM recommend(1, 20, 'nested');");
	$session->{stderr} = '';
	$session->query_safe('RESET test.sleep; RESET test.fail; RESET statement_timeout;');
	is($some->('nested'), $expected, "after a call that ended in an error: $how");
}
$session->query_safe(q(DO $$ BEGIN FOR i IN 1 .. 20 LOOP
	BEGIN PERFORM set_config('test.fail', 'on', true); PERFORM count(*) FROM recommend(i, 20, 'nested'); RAISE NOTICE 'no error'; EXCEPTION WHEN raise_exception THEN NULL; END;
	PERFORM set_config('test.fail', 'off', true); PERFORM count(*) FROM recommend(i, 20, 'nested');
	END LOOP; END $$;));
is($some->('nested'), $expected, 'after errors within a transaction');

# Ten thousand calls leave nothing behind
my $calls = q(SELECT count(*) FROM generate_series(1, 2500) i, unnest('{plain,both,relation,pairs}'::text[]) r,
	recommend(i % 210 + 1, 10, r, context => jsonb_build_object('cart', jsonb_build_array(i % 90, 1000000 + i), 'exclude', jsonb_build_array(2000000 + i))));
my $memory = 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
$session->query_safe($calls);
my $held = $session->query_safe($memory);
$session->query_safe($calls);
cmp_ok($session->query_safe($memory) - $held, '<', 65536, 'memory of a session');
$session->quit;

done_testing();
