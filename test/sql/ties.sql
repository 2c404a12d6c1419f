/*
 * Ties: by time, then by item key.  Neither the order of a query's rows nor where rows
 * are in the table nor when an item came changes an answer.
 */
SET client_min_messages = warning;
SET max_parallel_maintenance_workers = 0;
-- of each user's items, many have the same time; weights that do not add up exactly
CREATE TABLE buys AS
SELECT u::bigint AS user_id, ((u * 7 + i * i * 3) % 23)::bigint AS item_id, (ARRAY[0.1, 1e8, 0.7, -1e8, 3, 0.3])[1 + (u + i) % 6]::real AS weight,
	   timestamptz '2024-01-01' + (i / 6) * interval '1 day' AS at
FROM generate_series(1, 60) u, generate_series(1, 18) i;
CREATE TABLE orders (name text, ordered text);
INSERT INTO orders VALUES ('forward', 'ORDER BY user_id, item_id, at, weight'), ('backward', 'ORDER BY user_id DESC, item_id DESC, at DESC, weight DESC'),
	('hashed', 'ORDER BY md5(user_id || '' '' || item_id || at || weight)'), ('weighed', 'ORDER BY weight, md5(user_id::text)');

-- what is held out, and what comes of it
SELECT count(DISTINCT h) AS holdouts
FROM orders, LATERAL (SELECT array_agg(x ORDER BY user_id, item_id) AS h
	FROM recsys.holdout('SELECT user_id, item_id, weight, at FROM buys ' || ordered, holdout_last => 4) x) x;
SELECT count(DISTINCT h) AS holdouts
FROM orders, LATERAL (SELECT array_agg(x ORDER BY user_id, item_id) AS h
	FROM recsys.holdout('SELECT user_id, item_id, date ''2024-01-01'' FROM buys ' || ordered, holdout_last => 4) x) x;
SELECT count(DISTINCT round(value::numeric, 9)) AS figures
FROM orders, recsys.evaluate('SELECT user_id, item_id, weight, at FROM buys ' || ordered, 'min_support = 1, max_history = 5, half_life = ''1 day''', holdout_last => 3, metrics => '{ndcg}', k => '{5}');
-- the lowest keys among the latest are held out
SELECT * FROM recsys.holdout('SELECT 1, i, NULL::real, now() FROM generate_series(9, 1, -1) i UNION ALL SELECT 1, 10, NULL, now() - interval ''1 day''', holdout_last => 3);

-- the cut at max_history, of queries and of baskets
SELECT count(DISTINCT h) AS graphs
FROM orders, LATERAL (SELECT array_agg((item_id, similar_item_id, round(score::numeric, 5), support) ORDER BY item_id, rank) AS h
	FROM query_item_similarity('SELECT user_id, item_id, weight, at FROM buys ' || ordered, max_history => 5, min_support => 1)) x;
SELECT count(DISTINCT h) AS graphs
FROM orders, LATERAL (SELECT array_agg((item_id, similar_item_id, round(score::numeric, 5), support) ORDER BY item_id, rank) AS h
	FROM query_item_similarity('SELECT user_id, item_id FROM buys ' || ordered, max_history => 5, min_support => 1)) x;
SELECT count(DISTINCT h) AS itemsets
FROM orders, LATERAL (SELECT array_agg((items, support) ORDER BY items) AS h
	FROM query_frequent_itemsets('SELECT user_id, item_id, weight, at FROM buys ' || ordered, 1, max_basket => 4)) x;

-- the same rows in other places, with and without a time; some items come after the build, and
-- their keys are among those of the others
CREATE FUNCTION make(shop text, place text, columns text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (LIKE buys)', shop);
	EXECUTE format('INSERT INTO %I SELECT * FROM buys WHERE item_id %% 3 > 0 %s', shop, place);
	EXECUTE format('CREATE INDEX %I ON %I USING recsys (%s) WITH (max_history = 5, min_support = 1, half_life = ''%s'')', shop || '_recsys', shop, columns,
		CASE WHEN columns LIKE '%at' THEN '1 day' ELSE '' END);
	EXECUTE format('INSERT INTO %I SELECT * FROM buys WHERE item_id %% 3 = 0 %s', shop, place);
	EXECUTE format('DELETE FROM %I WHERE user_id = 5 AND item_id = 4', shop);
	EXECUTE format('INSERT INTO %I SELECT 1000, i, 1, timestamptz ''2024-01-05'' FROM generate_series(24, 0, -1) i', shop);
END $$;
SELECT make(name || part, ordered, columns)
FROM orders, (VALUES ('_timed', 'user_id, item_id, weight, at'), ('_plain', 'user_id, item_id')) p (part, columns);
CREATE FUNCTION graph(shop text) RETURNS TABLE (pairs text) LANGUAGE sql AS $$
	SELECT string_agg((item_id, similar_item_id, round(score::numeric, 5), support)::text, ' ' ORDER BY item_id, rank) FROM item_similarity(shop || '_recsys');
$$;
CREATE FUNCTION answers(shop text) RETURNS TABLE (answer text) LANGUAGE sql AS $$
	SELECT string_agg(x::text, ' ' ORDER BY n) FROM (
		SELECT 1000 * u + row_number() OVER () AS n, (u, r.item_id, round(r.score::numeric, 4)) AS x
		FROM generate_series(1, 60, 7) u, recommend(u, 8, shop || '_recsys', exclude_seen => false) r
		UNION ALL
		SELECT 100000 + row_number() OVER (), (because_item_id, round(contribution::numeric, 4))
		FROM explain_recommendation(1000, 7, shop || '_recsys')
		UNION ALL
		SELECT 200000 + row_number() OVER (), (item_id, users) FROM popular_items(30, shop || '_recsys')
		UNION ALL
		SELECT 300000 + row_number() OVER (), (items, support) FROM (SELECT * FROM frequent_itemsets(shop || '_recsys', 1, max_basket => 4) ORDER BY items) s) y;
$$;
SELECT part, count(merged) AS merged
FROM (VALUES ('_timed'), ('_plain')) p (part), orders, recsys.merge((quote_ident(name || part || '_recsys'))::regclass, exact => true) GROUP BY part ORDER BY part;
CREATE TABLE merged AS SELECT name, part, graph(name || part), answers(name || part) FROM orders, (VALUES ('_timed'), ('_plain')) p (part);
SELECT part, count(DISTINCT graph) AS graphs, count(DISTINCT answers) AS answers FROM merged GROUP BY part ORDER BY part;
-- the cut of user 1000: items 0 to 4
SELECT array_agg(because_item_id ORDER BY because_item_id) FROM explain_recommendation(1000, 7, 'backward_timed_recsys');
SELECT array_agg(because_item_id ORDER BY because_item_id) FROM explain_recommendation(1000, 7, 'backward_plain_recsys');
-- a build changes nothing, nor do rows that move
REINDEX INDEX "forward_timed_recsys";
REINDEX INDEX "backward_timed_recsys";
REINDEX INDEX "forward_plain_recsys";
REINDEX INDEX "backward_plain_recsys";
VACUUM FULL "hashed_timed";
VACUUM FULL "hashed_plain";
UPDATE "weighed_timed" SET weight = weight WHERE user_id % 2 = 0;
UPDATE "weighed_plain" SET user_id = user_id WHERE user_id % 2 = 0;
SELECT count(merged) AS merged FROM unnest('{"weighed_timed_recsys","weighed_plain_recsys"}'::text[]) i, recsys.merge(quote_ident(i)::regclass, exact => true);
SELECT name, part, m.graph = graph(name || part) AS same_graph, m.answers = answers(name || part) AS same_answers FROM merged m ORDER BY part, name;
SELECT recsys.check_index(quote_ident(name || part || '_recsys')::regclass) FROM merged;

-- ties of scores and of users, where an item came late: by key
CREATE TABLE late (user_id int, item_id text, at date);
INSERT INTO late SELECT u, i, '2024-01-01' FROM generate_series(1, 4) u, unnest('{b,d,f}'::text[]) i;
INSERT INTO late VALUES (9, 'b', '2024-01-01');
CREATE INDEX late_recsys ON late USING recsys (user_id, item_id, at);
INSERT INTO late SELECT u, i, '2024-01-01' FROM generate_series(1, 4) u, unnest('{e,a,c}'::text[]) i;
INSERT INTO late VALUES (9, 'e', '2024-01-01');
SELECT merged FROM recsys.merge('late_recsys', exact => true);
SELECT item_id, round(score::numeric, 4) FROM recommend(9, 3, 'late_recsys', NULL::text);
SELECT item_id FROM popular_items(6, 'late_recsys', NULL::text, half_life => '1 day');
SELECT item_id FROM popular_items(6, 'late_recsys', NULL::text);
SELECT because_item_id FROM explain_recommendation(1, 'b'::text, 'late_recsys');
-- an evaluation ranks as recommend does
CREATE FUNCTION precision_of_lists() RETURNS TABLE (same boolean) LANGUAGE sql AS $$
	SELECT (SELECT value FROM recsys.evaluate_recommender('late_recsys', 'SELECT 9, unnest(''{c,d}''::text[])', k => '{2}', metrics => '{precision}'))
		= (SELECT count(*) / 2.0 FROM recommend(9, 2, 'late_recsys', NULL::text) r WHERE r.item_id IN ('c', 'd'));
$$;
SELECT * FROM precision_of_lists();
REINDEX INDEX late_recsys;
SELECT * FROM precision_of_lists();
SELECT item_id, round(score::numeric, 4) FROM recommend(9, 3, 'late_recsys', NULL::text);
SELECT item_id FROM popular_items(6, 'late_recsys', NULL::text, half_life => '1 day');
SELECT because_item_id FROM explain_recommendation(1, 'b'::text, 'late_recsys');

-- of rules that are worth the same, the antecedent that sorts first is told
CREATE TABLE rules AS SELECT ARRAY[a]::text[] AS antecedent, 'x' AS consequent, 0.5::float8 AS confidence, 2::float8 AS lift, 10::bigint AS support
FROM unnest('{c,B,a,b}'::text[]) a;
SELECT * FROM complete_basket('{b,c,a,B}'::text[], 5, 'rules');
CREATE TABLE rules_backward AS SELECT * FROM rules ORDER BY antecedent DESC;
SELECT * FROM complete_basket('{b,c,a,B}'::text[], 5, 'rules_backward');
DROP TABLE rules, rules_backward;

DO $$
DECLARE
	shop record;
BEGIN
	FOR shop IN SELECT name, part FROM merged
	LOOP
		EXECUTE format('DROP TABLE %I', shop.name || shop.part);
	END LOOP;
END $$;
DROP TABLE buys, orders, merged, late;
DROP FUNCTION make, graph, answers, precision_of_lists;
