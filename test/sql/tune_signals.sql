--
-- recsys.tune_signals(): weights of signals, learned on what users had last.
--
SET client_min_messages = warning;
CREATE SCHEMA tunings;
SET search_path = tunings, public;
RESET client_min_messages;
CREATE FUNCTION draw(a int, b int, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || substr(md5(a || '-' || b || '-' || salt), 1, 7))::bit(28)::int)::float8 / (1 << 28) $$;

-- what is bought is one of 60 items of the user's taste; views foretell it, and clicks are noise
CREATE TABLE purchases (user_id int, item_id int, at timestamptz);
CREATE TABLE views (user_id int, item_id int, at timestamptz);
CREATE TABLE clicks (user_id int, item_id int, at timestamptz);
INSERT INTO purchases SELECT u, i, '2024-01-01'::timestamptz + make_interval(hours => (draw(u, i, 2) * 2000)::int)
  FROM generate_series(1, 300) u, generate_series(1, 60) i WHERE draw(u, i, 1) < CASE WHEN u % 6 = i % 6 THEN 0.3 ELSE 0.02 END;
INSERT INTO views SELECT user_id, item_id, at - interval '1 hour' FROM purchases WHERE draw(user_id, item_id, 3) < 0.3;
INSERT INTO views SELECT u, i, '2024-01-01'::timestamptz + make_interval(hours => (draw(u, i, 4) * 1000)::int)
  FROM generate_series(1, 300) u, generate_series(1, 60) i WHERE draw(u, i, 5) < CASE WHEN u % 6 = i % 6 THEN 0.3 ELSE 0.01 END;
INSERT INTO clicks SELECT u, i, '2024-01-01' FROM generate_series(1, 300) u, generate_series(1, 60) i WHERE draw(u, i, 7) < 0.1;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, item_id, at) WITH (similarity = cosine, popularity = 0);
CREATE INDEX views_recsys ON views USING recsys (user_id, item_id, at) WITH (similarity = cosine, popularity = 0);
CREATE INDEX clicks_recsys ON clicks USING recsys (user_id, item_id, at) WITH (similarity = cosine, popularity = 0);
SELECT recsys.create_recommender('tuned', signals => '[{"events": "purchases_recsys", "half_life": "0"},
  {"events": "views_recsys", "predicts": "purchases_recsys", "name": "views", "half_life": "0", "weight": 0.1, "similarity": "cosine", "min_support": 1},
  {"events": "clicks_recsys", "predicts": "purchases_recsys", "name": "clicks", "half_life": "0", "weight": 0.9, "similarity": "cosine", "min_support": 1}]');

CREATE TABLE answer AS SELECT * FROM recsys.tune_signals('tuned');
-- the noise weighs less, the views more
SELECT what, (value > 0 AND ci_low <= value AND value <= ci_high) AS plausible, users, command IS NULL AS is_declared, honest_value IS NULL AS not_chosen FROM answer ORDER BY rank;
SELECT (signals -> 1 ->> 'weight')::float8 > 0.1 AS views, coalesce((signals -> 2 ->> 'weight')::float8, 0) < 0.1 * (signals -> 1 ->> 'weight')::float8 AS clicks FROM answer WHERE what = 'learned';
SELECT l.value > d.value AS better, l.p_declared < 0.05 AS surely, l.honest_value > d.value AS honestly FROM answer l, answer d WHERE l.what = 'learned' AND d.what = 'declared';
SELECT array_agg(rank ORDER BY value DESC, rank) = array_agg(rank ORDER BY rank) AS by_value FROM answer;
-- the same again
SELECT count(*) AS differing FROM (SELECT rank, value, ci_low, what FROM recsys.tune_signals('tuned') EXCEPT SELECT rank, value, ci_low, what FROM answer) x;

-- the reference: of each user the last purchase is held out, and pairs with it are counted without the user
CREATE VIEW held AS SELECT DISTINCT ON (user_id) user_id, item_id AS target, at AS until FROM purchases ORDER BY user_id, at DESC;
CREATE VIEW lone AS SELECT user_id FROM held JOIN purchases p USING (user_id) WHERE p.at = until GROUP BY 1 HAVING count(*) = 1;
CREATE VIEW evidence AS
  SELECT 1 AS signal, user_id, item_id FROM purchases JOIN held USING (user_id) WHERE at < until AND item_id <> target
  UNION ALL SELECT 2, user_id, item_id FROM views JOIN held USING (user_id) WHERE at < until
  UNION ALL SELECT 3, user_id, item_id FROM clicks JOIN held USING (user_id) WHERE at < until;
CREATE VIEW graphs AS
  SELECT 1 AS signal, item_id, similar_item_id, score::float8, support, 2 AS least FROM item_similarity('purchases_recsys')
  UNION ALL SELECT 2, item_id, similar_item_id, score, support, 1 FROM views_recsys_predicts_purchases_recsys
  UNION ALL SELECT 3, item_id, similar_item_id, score, support, 1 FROM clicks_recsys_predicts_purchases_recsys;
CREATE FUNCTION reference(weights float8[], k int) RETURNS float8 LANGUAGE sql AS $$
WITH sums AS (
  SELECT user_id, signal, similar_item_id AS item,
	sum(score * CASE WHEN similar_item_id <> target THEN 1 WHEN support - 1 >= least THEN (support - 1)::float8 / support ELSE 0 END) AS score
  FROM evidence JOIN graphs USING (signal, item_id) JOIN held USING (user_id) GROUP BY 1, 2, 3),
scaled AS (SELECT user_id, signal, item, weights[signal] * score / max(score) OVER (PARTITION BY user_id, signal) AS score FROM sums),
totals AS (SELECT user_id, item, sum(score) AS score FROM scaled GROUP BY 1, 2),
ranked AS (SELECT user_id, item, row_number() OVER (PARTITION BY user_id ORDER BY round(score::numeric, 9) DESC, item) AS rank FROM totals t
  WHERE score > 0 AND NOT EXISTS (SELECT FROM purchases p JOIN held h USING (user_id) WHERE p.at < h.until AND p.item_id <> h.target AND (p.user_id, p.item_id) = (t.user_id, t.item)))
SELECT sum(CASE WHEN rank <= k THEN 1 / log(2, rank + 1) ELSE 0 END) / (SELECT count(DISTINCT user_id) FROM evidence) FROM held LEFT JOIN ranked ON (ranked.user_id, item) = (held.user_id, target) $$;
-- users with several last ones have one drawn: none here
SELECT count(*) AS several FROM held WHERE user_id NOT IN (SELECT user_id FROM lone);
SELECT what, abs(value - reference(ARRAY(SELECT coalesce((SELECT (s ->> 'weight')::float8 FROM jsonb_array_elements(signals) s WHERE s ->> 'events' = e), 0)
    FROM unnest('{tunings.purchases_recsys,tunings.views_recsys,tunings.clicks_recsys}'::text[]) WITH ORDINALITY AS e(e, o) ORDER BY o), 10)) < 1e-3 AS as_reference
  FROM answer ORDER BY rank;

-- the command takes it over
SELECT command FROM answer WHERE what = 'learned' \gset
:command
SELECT recsys.recommender_problem('tuned');
SELECT b.value >= a.value - 1e-9 AS as_good FROM recsys.tune_signals('tuned') b, answer a WHERE b.what = 'declared' AND a.what = 'learned';

-- fewer users, other lists and figures
SELECT DISTINCT users FROM recsys.tune_signals('tuned', users => 50, seed => 7);
SELECT what FROM recsys.tune_signals('tuned', metric => 'hit_rate', k => 1) ORDER BY rank LIMIT 1;
SELECT count(*) > 0 FROM recsys.tune_signals('tuned', metric => 'mrr', k => 1000, users => 20);
DROP VIEW graphs CASCADE;
-- a signal that pushes down keeps its sign
SELECT recsys.alter_recommender('tuned', signals => '[{"events": "purchases_recsys"}, {"events": "clicks_recsys", "weight": -0.5}]');
SELECT DISTINCT (signals -> 1 ->> 'weight')::float8 <= 0 AS negative FROM recsys.tune_signals('tuned', users => 100) WHERE jsonb_array_length(signals) = 2;
-- without times any one is held out
CREATE INDEX untimed_recsys ON purchases USING recsys (user_id, item_id) WITH (similarity = cosine);
SELECT recsys.create_recommender('untimed', signals => '[{"events": "untimed_recsys"}, {"events": "views_recsys", "predicts": "untimed_recsys"}]');
SELECT count(*) > 0 AS answers, min(value) > 0 AS plausible FROM recsys.tune_signals('untimed');
SELECT recsys.drop_recommender('untimed');

-- refused
\set VERBOSITY terse
SELECT * FROM recsys.tune_signals('nothing');
SELECT * FROM recsys.tune_signals('tuned', metric => 'auc');
SELECT * FROM recsys.tune_signals('tuned', metric => NULL);
SELECT * FROM recsys.tune_signals('tuned', k => 0);
SELECT * FROM recsys.tune_signals('tuned', users => 0);
SELECT recsys.alter_recommender('tuned', signals => '[{"events": "purchases_recsys"}]');
SELECT * FROM recsys.tune_signals('tuned');
CREATE TABLE nobodies (user_id int, item_id int);
CREATE INDEX nobodies_recsys ON nobodies USING recsys (user_id, item_id);
SELECT recsys.alter_recommender('tuned', signals => '[{"events": "nobodies_recsys"}, {"events": "views_recsys"}]');
SELECT * FROM recsys.tune_signals('tuned');
CREATE ROLE tunings_stranger;
GRANT USAGE ON SCHEMA tunings TO tunings_stranger;
GRANT SELECT ON ALL TABLES IN SCHEMA tunings TO tunings_stranger;
SET ROLE tunings_stranger;
SELECT * FROM recsys.tune_signals('tuned');
RESET ROLE;
\set VERBOSITY default

SELECT recsys.drop_recommender('tuned');
SET client_min_messages = warning;
DROP OWNED BY tunings_stranger;
DROP ROLE tunings_stranger;
DROP SCHEMA tunings CASCADE;
