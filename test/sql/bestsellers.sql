-- Bestsellers are measured with every model; who is no better than they are is told so.
SET client_min_messages = warning;
CREATE SCHEMA bestsellers;
SET search_path = bestsellers, public;
SET maintenance_work_mem = '64MB';
CREATE FUNCTION chance(n integer, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(n::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;

-- clubs whose members buy what their club buys; and buyers who take the popular, at random
CREATE TABLE clubs AS
SELECT u AS user_id, (u % 12) * 8 + i AS item_id FROM generate_series(1, 600) u, generate_series(0, 7) i WHERE chance(u * 8 + i, 'club') < 0.7;
CREATE TABLE crowd AS
SELECT DISTINCT g / 6 AS user_id, floor(40 * chance(g, 'crowd') ^ 3)::integer AS item_id FROM generate_series(1, 1200) g;

-- the same as the model similarity = popular; the p-value is that of compare
CREATE FUNCTION agreement(query text, model text) RETURNS TABLE (figures bigint, differences bigint) LANGUAGE sql AS $$
	SELECT count(*), count(*) FILTER (WHERE e.value IS DISTINCT FROM c.value_a OR c.popular_value IS DISTINCT FROM c.value_b
			OR e.popular_value IS DISTINCT FROM p.value OR e.p_popular IS DISTINCT FROM c.p_t OR c.p_popular_a IS DISTINCT FROM c.p_t
			OR p.popular_value IS DISTINCT FROM p.value OR (p.p_popular = 1 OR p.p_popular IS NULL) IS NOT TRUE OR (c.p_popular_b = 1 OR c.p_popular_b IS NULL) IS NOT TRUE)
	FROM recsys.evaluate(query, model, metrics => '{recall,precision,hit_rate,ndcg,mrr,map,auc,novelty,popularity,serendipity,coverage,gini}', resamples => 0) e
	JOIN recsys.compare(query, model, 'similarity = popular', metrics => '{recall,precision,hit_rate,ndcg,mrr,map,auc,novelty,popularity,serendipity,coverage,gini}', resamples => 0) c
		ON c.metric = e.metric AND c.k IS NOT DISTINCT FROM e.k
	JOIN recsys.evaluate(query, 'similarity = popular', resamples => 0) p
		ON p.metric = e.metric AND p.k IS NOT DISTINCT FROM e.k
$$;
SELECT * FROM agreement('SELECT * FROM clubs', 'similarity = jaccard, min_support = 1');
SELECT * FROM agreement('SELECT * FROM clubs', 'similarity = als, rank = 8, iterations = 3');

-- plain SQL: lists of what the user does not have, NDCG and its paired t
CREATE TABLE held AS SELECT user_id::integer, item_id::integer FROM recsys.holdout('SELECT * FROM clubs', seed => 4);
CREATE TABLE kept AS SELECT * FROM clubs c WHERE NOT EXISTS (SELECT FROM held h WHERE (h.user_id, h.item_id) = (c.user_id, c.item_id));
WITH sold AS (SELECT item_id, count(*) AS users FROM kept GROUP BY 1),
lists AS (
	SELECT user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY users DESC, item_id) AS place
	FROM (SELECT DISTINCT user_id FROM held) u CROSS JOIN sold
	WHERE NOT EXISTS (SELECT FROM kept k WHERE (k.user_id, k.item_id) = (u.user_id, sold.item_id))),
gains AS (
	SELECT h.user_id, coalesce(sum(1 / log(2, place + 1)) FILTER (WHERE place <= 10), 0) / (SELECT sum(1 / log(2, r + 1)) FROM generate_series(1, 10) r WHERE r <= count(h.*)) AS ndcg
	FROM held h LEFT JOIN lists l ON (l.user_id, l.item_id) = (h.user_id, h.item_id) GROUP BY 1)
SELECT abs(avg(ndcg) - max(popular_value)) < 1e-12 AS popular, max(users) = count(*) AS users
FROM gains, recsys.evaluate('SELECT * FROM clubs', metrics => '{ndcg}', k => '{10}', seed => 4, resamples => 0);

-- good enough: nothing is said, nor of bestsellers themselves, of few users, of figures that are not about hits
SELECT value > 2 * popular_value AS better, p_popular < 1e-6 AS certain FROM recsys.evaluate('SELECT * FROM clubs', 'min_support = 1', metrics => '{ndcg}', k => '{5}');
SELECT p_popular FROM recsys.evaluate('SELECT * FROM crowd', 'similarity = popular', metrics => '{ndcg}', k => '{5}');
SELECT users, p_popular < 0.05 AS certain FROM recsys.evaluate('SELECT * FROM crowd WHERE user_id < 29', 'min_support = 1', metrics => '{ndcg}', k => '{5}');
SELECT count(*) FROM recsys.evaluate('SELECT * FROM crowd', 'min_support = 1', metrics => '{popularity,coverage}', k => '{5}');

-- no better: whatever is asked for decides
CREATE TABLE test AS SELECT user_id, item_id + 1 AS item_id FROM crowd;
SELECT count(*) FROM recsys.evaluate('SELECT * FROM crowd', 'similarity = lift, min_support = 1', metrics => '{ndcg,recall}', k => '{20,5}', holdout_share => 0.3, seed => 7);
SELECT count(*) FROM recsys.evaluate('SELECT * FROM crowd', 'similarity = pmi', metrics => '{auc,coverage}', exclude_seen => false, test => 'SELECT user_id, item_id FROM test');
CREATE INDEX "Crowd" ON crowd USING recsys (user_id, item_id) WITH (min_support = 1000000);
SELECT count(*) FROM recsys.evaluate_recommender('"Crowd"', 'SELECT * FROM test', metrics => '{hit_rate}', k => '{3}');
-- one of two, the other, both
SELECT count(*) FROM recsys.compare('SELECT * FROM clubs', 'min_support = 1000000', 'min_support = 1', metrics => '{recall}', k => '{5}');
SELECT count(*) FROM recsys.compare('SELECT * FROM clubs', 'min_support = 1', 'min_support = 1000000', metrics => '{recall}', k => '{5}');
SELECT count(*) FROM recsys.compare('SELECT * FROM clubs', 'min_support = 1000000', 'neighbors = 1, min_support = 1000000', metrics => '{ndcg}', k => '{10}');
SELECT count(*) FROM recsys.compare('SELECT * FROM clubs', 'similarity = popular', 'min_support = 1', metrics => '{ndcg}', k => '{5}');

-- tune has them as a row, once, and says when nothing is better; commands run as printed
SELECT rank, model, p_popular < 0.05 AS certain, honest_value IS NOT NULL AS honest FROM recsys.tune('SELECT * FROM clubs', models => '{"similarity = cosine, min_support = 1", similarity = popular, "min_support = 100000"}', resamples => 0);
SELECT model FROM recsys.tune('"Crowd"', models => '{"similarity = lift, min_support = 1", "similarity = popular, max_history = 3"}', resamples => 0) ORDER BY model;
SELECT command FROM recsys.tune('SELECT user_id, item_id % 30, 2 - item_id % 4 FROM crowd GROUP BY 1, 2, 3 -- of any query
;', models => '{"similarity = lift, min_support = 1"}', resamples => 0, metric => 'auc') WHERE model = 'similarity = popular' \gset
SELECT array_agg(item ORDER BY number) = (SELECT array_agg(item ORDER BY n DESC, item) FROM (
	SELECT item, count(*) AS n FROM (SELECT user_id, item_id % 30 AS item FROM (SELECT DISTINCT user_id, item_id % 30 AS item_id, 2 - item_id % 4 AS w FROM crowd) c GROUP BY 1, 2 HAVING sum(w) > 0) f GROUP BY 1) b) AS bestsellers
FROM (SELECT item, row_number() OVER () AS number FROM (:command) c) c;

-- commands of text keys with collations, expressions, conditions and odd names, of an index and of queries
CREATE TABLE "Odd ""lines" ("User" text COLLATE "C", "the Item" text COLLATE "POSIX", quantity integer, gone boolean);
INSERT INTO "Odd ""lines" SELECT 'u' || user_id, 'I''' || item_id, 1 + item_id % 3, item_id % 7 = 0 FROM clubs;
CREATE INDEX "Odd ""index" ON "Odd ""lines" USING recsys ("User" COLLATE "POSIX", (lower("the Item")), (ln(1 + quantity))) WHERE NOT gone AND "the Item" <> ';';
CREATE PROCEDURE run_commands(query text) LANGUAGE plpgsql AS $$
DECLARE
	c text;
BEGIN
	FOR c IN SELECT command FROM recsys.tune(query, models => '{"similarity = cosine, min_support = 1", "similarity = log_likelihood, min_support = 3, neighbors = 7", "similarity = rp3beta, alpha = 0.7, beta = 0.3"}', resamples => 0) LOOP
		EXECUTE c;
	END LOOP;
END $$;
SET client_min_messages = error;
CALL run_commands('"Odd ""index"');
CALL run_commands('SELECT "User", lower("the Item") COLLATE "C", ln(1 + quantity) FROM "Odd ""lines" WHERE NOT gone');
CALL run_commands('SELECT "User" COLLATE "POSIX", "the Item" FROM "Odd ""lines"');
CALL run_commands('SELECT "User", "the Item", sum(quantity) FROM "Odd ""lines" GROUP BY 1, 2 HAVING count(*) < 9');
CALL run_commands('SELECT md5("User")::uuid, "the Item"::name FROM "Odd ""lines" LIMIT 10000;');
RESET client_min_messages;
-- an index for each command, with the keys, collations and condition that were asked for
SELECT regexp_replace(pg_get_indexdef(indexrelid), '.* USING', 'USING') AS definition FROM pg_index
WHERE indrelid = '"Odd ""lines"'::regclass ORDER BY 1;

SET client_min_messages = warning;
DROP SCHEMA bestsellers CASCADE;
