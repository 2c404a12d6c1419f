-- recsys.evaluate, compare and holdout with task => 'next_basket' against plain SQL, and
-- recsys.learn_next_basket
SET client_min_messages = warning;
CREATE SCHEMA next_basket_evaluate;
SET search_path = next_basket_evaluate, public;
SET maintenance_work_mem = '64MB';

-- users with staples that they buy every few baskets, and other things now and then; returns, too
CREATE FUNCTION draw(VARIADIC parts integer[]) RETURNS double precision LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(hashtext(array_to_string(parts, ' '))::bigint, 7) & 1048575) / 1048576.0 $$;
CREATE TABLE purchases AS
SELECT u AS user_id, item AS item_id, 1 + (draw(u, b, item, 3) * 3)::int AS quantity,
	timestamp '2024-01-01 08:00' + interval '1 day' * (b * (3 + u % 9) + (draw(u, b, 1) * 2)::int) +
		interval '1 minute' * (draw(u, b, item, 2) * 50)::int AS at
FROM generate_series(1, 120) u, generate_series(1, 2 + u % 11) b, generate_series(1, 60) item
WHERE draw(u, b, item) < CASE WHEN (u * 7 + item * 3) % 17 = 0 THEN 0.55 WHEN item < 6 THEN 0.2 ELSE 0.012 END;
INSERT INTO purchases SELECT user_id, item_id, -quantity, at + interval '20 minutes' FROM purchases
WHERE draw(user_id, item_id, 9) < 0.03;

-- baskets: rows within an hour of the one before; returns open none
CREATE VIEW baskets AS
SELECT user_id, item_id, quantity, at, sum(opens) OVER (PARTITION BY user_id ORDER BY at) AS basket
FROM (SELECT *, (coalesce(at - lag(at) OVER (PARTITION BY user_id ORDER BY at), '1 hour') >= '1 hour')::int AS opens
	FROM purchases WHERE quantity > 0) p;
CREATE TABLE last AS
SELECT user_id, (array_agg(begin ORDER BY basket DESC))[1] AS begin
FROM (SELECT user_id, basket, min(at) AS begin FROM baskets GROUP BY 1, 2) b GROUP BY 1 HAVING count(*) >= 3;
CREATE TABLE test AS
SELECT user_id, item_id FROM purchases JOIN last USING (user_id) WHERE at >= begin
GROUP BY 1, 2 HAVING sum(quantity) > 0;
CREATE TABLE train AS SELECT p.* FROM purchases p LEFT JOIN last USING (user_id) WHERE begin IS NULL OR at < begin;
CREATE TABLE bought AS SELECT user_id, item_id FROM train GROUP BY 1, 2 HAVING sum(quantity) > 0;
CREATE TABLE popular AS SELECT item_id, count(*) AS users FROM bought GROUP BY 1;
SELECT count(*) > 50 AS enough, count(*) < (SELECT count(DISTINCT user_id) FROM purchases) AS not_all FROM last;

SELECT count(*) = 0 AS same FROM
	(SELECT user_id::int, item_id::int FROM recsys.holdout('SELECT user_id, item_id, quantity, at FROM purchases', task => 'next_basket')) a
	FULL JOIN test b USING (user_id, item_id) WHERE a.user_id IS NULL OR b.user_id IS NULL;

-- the lists: by frequency, by popularity, both, and those that next_basket serves at that time
CREATE TABLE asked AS SELECT user_id, begin FROM last WHERE user_id IN (SELECT user_id FROM test);
CREATE TABLE lists (method text, user_id int, item_id int, rank bigint);
INSERT INTO lists
SELECT 'personal_frequency', user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY count(DISTINCT basket) DESC, p.users DESC, item_id)
FROM baskets JOIN asked USING (user_id) JOIN bought USING (user_id, item_id) JOIN popular p USING (item_id)
WHERE at < begin GROUP BY user_id, item_id, p.users;
INSERT INTO lists
SELECT 'popular', user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY users DESC, item_id) FROM asked, popular;
INSERT INTO lists
SELECT 'personal_then_popular', user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY f.rank, p.rank)
FROM (SELECT * FROM lists WHERE method = 'popular') p
	LEFT JOIN (SELECT * FROM lists WHERE method = 'personal_frequency') f USING (user_id, item_id);
CREATE INDEX train_recsys ON train USING recsys (user_id, item_id, quantity, at) WITH (similarity = cosine, min_support = 2);
INSERT INTO lists
SELECT 'mix', user_id, n.item_id, n.rank
FROM asked, LATERAL next_basket(user_id, 20, 'train_recsys', at => begin AT TIME ZONE current_setting('timezone')) n;

CREATE VIEW figures AS
WITH places AS (
	SELECT method, l.user_id, k, l.rank, t.user_id IS NOT NULL AS hit, b.user_id IS NOT NULL AS known
	FROM generate_series(5, 20, 5) k JOIN lists l ON l.rank <= k
		LEFT JOIN test t USING (user_id, item_id) LEFT JOIN bought b USING (user_id, item_id)),
relevant AS (
	SELECT user_id, count(*) AS n, count(b.user_id) AS known, count(*) - count(b.user_id) AS fresh
	FROM test LEFT JOIN bought b USING (user_id, item_id) GROUP BY 1),
ideal AS (
	SELECT n, k, sum(1 / log(2::numeric, r::numeric + 1)) AS dcg
	FROM generate_series(1, 60) n, generate_series(5, 20, 5) k, LATERAL generate_series(1, least(n, k)) r GROUP BY 1, 2),
sums AS (
	SELECT m.method, a.user_id, k.k, count(p.*) AS listed, count(*) FILTER (WHERE p.known) AS knowns,
		count(*) FILTER (WHERE hit) AS hits, count(*) FILTER (WHERE hit AND p.known) AS repeat, count(*) FILTER (WHERE hit AND NOT p.known) AS explore,
		coalesce(sum(1 / log(2::numeric, p.rank::numeric + 1)) FILTER (WHERE hit), 0) AS dcg,
		coalesce(sum(1 / log(2::numeric, p.rank::numeric + 1)) FILTER (WHERE hit AND p.known), 0) AS dcg_repeat,
		coalesce(sum(1 / log(2::numeric, p.rank::numeric + 1)) FILTER (WHERE hit AND NOT p.known), 0) AS dcg_explore
	FROM asked a CROSS JOIN generate_series(5, 20, 5) k CROSS JOIN (SELECT DISTINCT method FROM lists) m
		LEFT JOIN places p ON p.method = m.method AND p.user_id = a.user_id AND p.k = k.k GROUP BY 1, 2, 3)
SELECT method, s.k, metric, avg(value) AS value, count(value) AS users
FROM sums s JOIN relevant r USING (user_id)
	LEFT JOIN ideal i ON i.n = r.n AND i.k = s.k LEFT JOIN ideal ik ON ik.n = r.known AND ik.k = s.k LEFT JOIN ideal ie ON ie.n = r.fresh AND ie.k = s.k,
	LATERAL (VALUES ('recall', hits::numeric / r.n), ('ndcg', s.dcg / i.dcg), ('hit_rate', (hits > 0)::int), ('precision', hits::numeric / s.k),
		('recall_repeat', repeat::numeric / nullif(r.known, 0)), ('recall_explore', explore::numeric / nullif(r.fresh, 0)),
		('ndcg_repeat', dcg_repeat / ik.dcg), ('ndcg_explore', dcg_explore / ie.dcg), ('repeat_share', knowns::numeric / nullif(listed, 0))) v(metric, value)
GROUP BY 1, 2, 3;

CREATE FUNCTION measured(method text) RETURNS TABLE (metric text, k int, value double precision, users bigint, popular_value double precision) LANGUAGE sql AS
$$ SELECT metric, k, value, users, popular_value FROM recsys.evaluate('SELECT user_id, item_id, quantity, at FROM next_basket_evaluate.purchases',
	'similarity = cosine, min_support = 2, method = ' || method, k => '{5,10,15,20}', resamples => 0, task => 'next_basket',
	metrics => '{recall,precision,hit_rate,ndcg,recall_repeat,recall_explore,ndcg_repeat,ndcg_explore,repeat_share}') $$;
SELECT l.method, count(*) AS figures, count(*) FILTER (WHERE abs(f.value - m.value) < 1e-9 AND f.users = m.users) AS same,
	count(*) FILTER (WHERE abs(m.popular_value - p.value) < 1e-9) AS popular_same
FROM (SELECT DISTINCT method FROM lists) l CROSS JOIN LATERAL measured(l.method) m JOIN figures f ON f.method = l.method AND f.metric = m.metric AND f.k = m.k
	LEFT JOIN figures p ON p.method = 'popular' AND p.metric = m.metric AND p.k = m.k
GROUP BY 1 ORDER BY 1;

-- metrics: all but auc without being asked; others' not
SELECT string_agg(metric, ' ') AS metrics FROM
	(SELECT DISTINCT ON (metric) metric FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases', k => '{5}', resamples => 0, task => 'next_basket')) m;
SELECT count(*) FILTER (WHERE metric LIKE '%repeat%' OR metric LIKE '%explore') AS of_baskets, count(*) FILTER (WHERE metric = 'auc') AS auc
FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases', k => '{5}', resamples => 0, task => 'next_item');

-- two models, user by user; weights of the mix
SELECT metric, abs(value_a - a.value) < 1e-9 AS a, abs(value_b - b.value) < 1e-9 AS b, p_t IS NOT NULL AS tested
FROM recsys.compare('SELECT user_id, item_id, quantity, at FROM purchases', 'similarity = cosine, min_support = 2, method = personal_frequency',
		'similarity = cosine, min_support = 2', k => '{10}', metrics => '{recall,ndcg,recall_repeat}', resamples => 100, task => 'next_basket') c
	JOIN figures a USING (metric, k) JOIN figures b USING (metric, k)
WHERE a.method = 'personal_frequency' AND b.method = 'mix' ORDER BY 1;
SELECT metric, value_a < value_b AS more_discoveries
FROM recsys.compare('SELECT user_id, item_id, quantity, at FROM purchases', 'discover_weight = 0, popular_weight = 0, neighbor_weight = 0.5',
	'discover_weight = 1, popular_weight = 1, basket_decay = 0.6, basket_half_life = ''30 days'', due_weight = 0', k => '{10}', metrics => '{recall_explore}',
	resamples => 0, task => 'next_basket');

-- what cannot be
\set VERBOSITY terse
SELECT * FROM recsys.evaluate('SELECT user_id, item_id FROM purchases', task => 'next_basket');
SELECT * FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases', task => 'baskets');
SELECT * FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases', holdout_last => 1, task => 'next_basket');
SELECT * FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases', metrics => '{auc}', task => 'next_basket');
SELECT * FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases', metrics => '{recall_repeat}');
SELECT * FROM recsys.evaluate_recommender('train_recsys', 'SELECT user_id, item_id FROM test', metrics => '{repeat_share}');
SELECT * FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases', 'method = mix');
SELECT * FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases', 'method = best', task => 'next_basket');
SELECT * FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases', 'due_weight = 2', task => 'next_basket');
SELECT * FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases', 'basket_half_life = ''-1 day''', task => 'next_basket');
SELECT * FROM recsys.evaluate('SELECT user_id, item_id, at FROM purchases WHERE user_id % 11 = 0', task => 'next_basket');
SELECT * FROM recsys.tune('SELECT user_id, item_id, at FROM purchases', metric => 'recall_repeat');

-- learning: a row for the index, which next_basket goes by
CREATE INDEX all_recsys ON purchases USING recsys (user_id, item_id, quantity, at) WITH (similarity = cosine, min_support = 2);
SELECT learned_for, users + judged_by = (SELECT count(*) FROM asked) AS all_users, users - judged_by IN (0, 1) AS halves,
	recall > 0 AS recall, ndcg > 0 AS ndcg, recall_frequency > 0 AS recall_frequency, ndcg_frequency > 0 AS ndcg_frequency, p_value BETWEEN 0 AND 1 AS p_value
FROM recsys.learn_next_basket('all_recsys');
SELECT recommender, users > 0 AS users FROM recsys.basket_mix WHERE recommender LIKE 'next_basket_evaluate.%';
SELECT count(*) FROM recsys.learn_next_basket('all_recsys');
SELECT count(*) FROM recsys.basket_mix WHERE recommender LIKE 'next_basket_evaluate.%';
UPDATE recsys.basket_mix SET discover_weight = 1, popular_weight = 1, neighbor_weight = 0, due_weight = 0.5 WHERE recommender = 'next_basket_evaluate.all_recsys';
SELECT count(*) FILTER (WHERE source = 'repeat') AS repeats FROM next_basket(7, 5, 'all_recsys');
UPDATE recsys.basket_mix SET discover_weight = 0, popular_weight = 0 WHERE recommender = 'next_basket_evaluate.all_recsys';
SELECT count(*) FILTER (WHERE source = 'repeat') AS repeats FROM next_basket(7, 5, 'all_recsys');
DELETE FROM recsys.basket_mix WHERE recommender LIKE 'next_basket_evaluate.%';

-- of a declared recommender, by its first signal
SELECT recsys.create_recommender('next_basket_home', signals => '[{"events": "next_basket_evaluate.all_recsys"}]');
SELECT learned_for FROM recsys.learn_next_basket('next_basket_home');
SELECT recommender FROM recsys.basket_mix WHERE recommender = 'next_basket_home';
SELECT recsys.drop_recommender('next_basket_home');
SELECT count(*) FROM recsys.basket_mix WHERE recommender = 'next_basket_home';

-- rights, times, too little
CREATE ROLE next_basket_reader;
GRANT USAGE ON SCHEMA next_basket_evaluate TO next_basket_reader;
GRANT SELECT ON purchases TO next_basket_reader;
SET ROLE next_basket_reader;
SELECT count(*) FROM recsys.learn_next_basket('all_recsys');
SELECT count(*) FROM recsys.basket_mix WHERE recommender LIKE 'next_basket_evaluate.%';
RESET ROLE;
CREATE INDEX untimed_recsys ON purchases USING recsys (user_id, item_id, quantity) WITH (similarity = cosine);
SELECT count(*) FROM recsys.learn_next_basket('untimed_recsys');
CREATE INDEX few_recsys ON purchases USING recsys (user_id, item_id, quantity, at) WITH (similarity = cosine) WHERE user_id < 30;
SELECT count(*) FROM recsys.learn_next_basket('few_recsys');
BEGIN READ ONLY;
SELECT count(*) FROM recsys.learn_next_basket('all_recsys');
ROLLBACK;

DROP OWNED BY next_basket_reader;
DROP ROLE next_basket_reader;
DROP SCHEMA next_basket_evaluate CASCADE;
