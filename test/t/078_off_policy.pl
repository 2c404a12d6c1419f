# What a recommender would have been worth, from what recommend has logged: a bandit whose arms are
# recommenders, one that fills a place of a list, many rows, cancelling, somebody else's rights.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = PostgreSQL::Test::Cluster->new('off_policy');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION recsys;
CREATE TABLE bought (user_id bigint, item_id bigint);
INSERT INTO bought SELECT u, (u * 7 + p * p * 3) % 20 FROM generate_series(1, 300) u, generate_series(1, 5) p;
CREATE INDEX bought_recsys ON bought USING recsys (user_id, item_id);
CREATE INDEX cosine_recsys ON bought USING recsys (user_id, item_id) WITH (similarity = cosine);
CREATE TABLE things AS SELECT n::bigint AS id, n >= 15 AS fresh FROM generate_series(0, 19) n;
ALTER TABLE things ADD PRIMARY KEY (id);
SELECT recsys.create_recommender('shop', signals => '[{"events": "bought_recsys"}]', items => 'things', item_key => 'id');
SELECT recsys.create_bandit('lists', arms => '{bought_recsys, cosine_recsys}', policy => 'epsilon_greedy', epsilon => 1);
SELECT recsys.create_bandit('places', recommender => 'shop', places => '{2}', candidates => 'fresh', policy => 'epsilon_greedy', epsilon => 1);
SELECT count(*) FROM generate_series(1, 1200) n, LATERAL recommend(1 + n % 300, 3, 'lists', log => true) r;
SELECT count(*) FROM generate_series(1, 3000) n, LATERAL recommend(1 + n % 300, 3, 'places', log => true) r;
-- even items are clicked at the second place
SELECT count(recsys.log_click(request_id, item_ids[2])) FROM recsys.request_log WHERE item_ids[2]::int % 2 = 0;
SQL

# The lists of an arm, each of which counts by its probability: snips is their plain mean if that is always the same.
is($node->safe_psql('postgres', <<'SQL'), 't|t|1200', 'an arm of a bandit is worth what its own lists were');
SELECT abs(v.value - own.ctr) < 1e-9, v.ci_low < own.ctr AND own.ctr < v.ci_high, v.requests
FROM recsys.off_policy_value('cosine_recsys', estimators => '{snips}', logged_by => 'lists') v,
	(SELECT avg((item_ids[2]::int % 2 = 0)::int) / 3 AS ctr FROM recsys.request_log WHERE recommender = 'public.cosine_recsys') own;
SQL

# At the second place the truth is known: whether the list of the target has an even item there.
for my $target (qw(shop cosine_recsys))
{
	is($node->safe_psql('postgres', <<SQL), 't|t', "$target place by place: the interval holds the truth");
SELECT v.ci_low <= t.truth AND t.truth <= v.ci_high, v.mean_weight BETWEEN 0.8 AND 1.2
FROM recsys.off_policy_value('$target', estimators => '{ips}', k => 3, by_position => true, logged_by => 'places') v,
	(SELECT avg((r.item_id % 2 = 0)::int) AS truth FROM generate_series(1, 300) u, LATERAL recommend(u, 3, '$target') r WHERE r.rank = 2) t
WHERE v.position = 2;
SQL
}

# Somebody else sees nothing of it; who owns the bandit sees it, without rights on the log.
$node->safe_psql('postgres', 'CREATE ROLE other; GRANT SELECT ON bought, things TO other');
like($node->safe_psql('postgres', "SET ROLE other; SELECT status FROM recsys.off_policy_value('cosine_recsys', estimators => '{ips}')"),
	qr/^refused: the log has no requests/, 'requests of others are not seen');
is($node->safe_psql('postgres', "UPDATE recsys.bandit SET owner = 'other' WHERE name = 'lists'; SET ROLE other;
	SELECT requests, status LIKE 'ok%' FROM recsys.off_policy_value('cosine_recsys', estimators => '{ips}')"), '1200|t', 'their owner sees them');
like(($node->psql('postgres', "SET ROLE other; SELECT * FROM recsys.request_log"))[2], qr/permission denied/, 'and not the log');

# A session whose names mean something else gets the same.
is($node->safe_psql('postgres', <<'SQL'), 't', 'objects of the same names are in nobody\'s way');
CREATE SCHEMA trap;
CREATE FUNCTION trap.recommend(user_id text, k bigint, recommender text, item_type text, exclude_seen boolean, half_life interval)
	RETURNS TABLE (item_id text, score real, source text, rank integer) LANGUAGE sql AS 'SELECT 1 / 0::text::integer, 1::real, NULL::text, 1';
CREATE FUNCTION trap.pg_has_role(oid, oid, text) RETURNS boolean LANGUAGE sql AS 'SELECT 1 / 0 = 1';
CREATE FUNCTION trap.unnest(text[]) RETURNS SETOF text LANGUAGE sql AS 'SELECT (1 / 0)::text';
SET search_path = trap, public, pg_catalog;
SELECT status LIKE 'ok%' FROM recsys.off_policy_value('shop', estimators => '{ips}', k => 3, logged_by => 'places');
SQL

# A bootstrap of many rows can be cancelled.
my (undef, undef, $error) = $node->psql('postgres', "SET statement_timeout = '1500ms';
	SELECT * FROM recsys.off_policy_estimate('SELECT n % 2 AS reward, 0.5 AS propensity, 0.5 AS target_probability, n % 10 AS item FROM generate_series(1, 300000) n', resamples => 100000)");
like($error, qr/statement timeout/, 'cancelled');

# It writes nothing: a read-only transaction will do.
is($node->safe_psql('postgres', "BEGIN READ ONLY; SELECT status LIKE 'ok%' FROM recsys.off_policy_value('cosine_recsys', estimators => '{ips}', logged_by => 'lists'); COMMIT"),
	't', 'read-only');

done_testing();
