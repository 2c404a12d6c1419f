-- recsys.tune begins with what similarity = auto chooses, and steps over whatever that chooses
-- from; bestsellers are the same yardstick for all models.
SET client_min_messages = error;
CREATE SCHEMA tuning_choice;
SET search_path = tuning_choice, public;
SET maintenance_work_mem = '64MB';
CREATE FUNCTION draw(n bigint, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(n::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;

-- clubs; what is popular changes with time; some buy by the thousand
CREATE TABLE lines AS
SELECT u AS user_id, CASE WHEN draw(n, 'kind') < 0.6 THEN 100 + u % 20 * 10 + floor(10 * draw(n, 'club'))
	   ELSE floor(50 * draw(n, 'popular') ^ 2 + i * 3) END::integer AS item_id,
	   CASE WHEN draw(n, 'dealer') < 0.05 THEN 1000 ELSE 1 END AS quantity,
	   timestamptz '2024-01-01' + i * interval '20 days' + draw(n, 'at') * interval '15 days' AS at
FROM generate_series(1, 700) u, generate_series(1, 12) i, LATERAL (SELECT u * 12 + i) v(n);

-- the yardstick, whatever the model itself makes of popularity, offers, or forgets
CREATE TABLE yardstick AS
SELECT model, e.metric, e.k, e.popular_value
FROM unnest(ARRAY['similarity = cosine', 'similarity = cosine, popularity = 10', 'similarity = rp3beta, popularity = 100, popularity_half_life = ''9 days''',
				  'similarity = rp3beta, item_max_age = ''20 days''', 'similarity = popular, item_max_age = ''20 days''', 'similarity = popular, max_history = 3',
				  'similarity = als, rank = 4, iterations = 2, item_max_age = ''20 days''', 'similarity = cosine, weight_transform = log', '']) model,
	 recsys.evaluate('SELECT * FROM lines', model, metrics => '{recall,ndcg,mrr,auc,novelty,coverage,gini}', k => '{3,20}', resamples => 0) e;
SELECT count(DISTINCT model) AS models, count(*) AS figures,
	   count(*) FILTER (WHERE y.popular_value IS DISTINCT FROM p.value) AS others
FROM yardstick y
JOIN recsys.evaluate('SELECT * FROM lines', 'similarity = popular', metrics => '{recall,ndcg,mrr,auc,novelty,coverage,gini}', k => '{3,20}', resamples => 0) p
	ON (p.metric, coalesce(p.k, 0)) = (y.metric, coalesce(y.k, 0));

-- by plain SQL: what is held out is later, and everybody is asked about what he does not have
CREATE TABLE future AS SELECT DISTINCT user_id, item_id FROM lines l WHERE at >= '2024-07-20'
AND NOT EXISTS (SELECT FROM lines WHERE (user_id, item_id) = (l.user_id, l.item_id) AND at < '2024-07-20');
CREATE TABLE past AS SELECT * FROM lines WHERE at < '2024-07-20';
CREATE TABLE sold AS SELECT item_id, count(DISTINCT user_id) AS users FROM past GROUP BY 1;
CREATE INDEX aged ON past USING recsys (user_id, item_id, at) WITH (similarity = rp3beta, popularity = 100, item_max_age = '20 days');
CREATE INDEX plain ON past USING recsys (user_id, item_id, at) WITH (similarity = cosine);
WITH lists AS (
	SELECT user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY users DESC, item_id) AS place
	FROM (SELECT DISTINCT user_id FROM future) u CROSS JOIN sold
	WHERE NOT EXISTS (SELECT FROM past p WHERE (p.user_id, p.item_id) = (u.user_id, sold.item_id))),
recall AS (
	SELECT avg(hits / items::float8) AS value FROM (
		SELECT f.user_id, count(*) AS items, count(l.*) AS hits
		FROM future f LEFT JOIN lists l ON (l.user_id, l.item_id) = (f.user_id, f.item_id) AND l.place <= 10 GROUP BY 1) h)
SELECT abs(r.value - a.popular_value) < 1e-12 AS aged, abs(r.value - p.popular_value) < 1e-12 AS plain, abs(r.value - e.popular_value) < 1e-12 AS query
FROM recall r, recsys.evaluate_recommender('aged', 'SELECT * FROM future', k => '{10}', metrics => '{recall}', resamples => 0) a,
	 recsys.evaluate_recommender('plain', 'SELECT * FROM future', k => '{10}', metrics => '{recall}', resamples => 0) p,
	 recsys.evaluate('SELECT user_id, item_id, at FROM past', 'similarity = rp3beta, popularity = 9, item_max_age = ''20 days''', test => 'SELECT user_id, item_id FROM future', k => '{10}', metrics => '{recall}', resamples => 0) e;

-- what auto chooses is written out, once, and worth what evaluate says of auto; so is what it chooses when some is given
CREATE TABLE given AS
SELECT * FROM recsys.tune('SELECT * FROM lines', models => '{similarity = auto, "", "similarity = auto, min_support = 3, popularity = 0", "similarity = cosine, min_support = 2", similarity = cosine}', resamples => 0, time_limit => NULL);
SELECT count(*) AS rows, count(*) FILTER (WHERE model ~ 'auto' OR command ~ 'auto') AS auto, count(*) FILTER (WHERE model ~ 'min_support = 3') AS asked,
	   count(*) FILTER (WHERE model ~ 'cosine') AS cosine
FROM given;
SELECT count(*) AS as_auto FROM given, recsys.evaluate('SELECT * FROM lines', '', metrics => '{ndcg}', k => '{10}', resamples => 0) e WHERE e.value = given.value AND model ~ 'rp3beta';
SELECT count(*) AS as_asked FROM given, recsys.evaluate('SELECT * FROM lines', 'min_support = 3, popularity = 0', metrics => '{ndcg}', k => '{10}', resamples => 0) e WHERE e.value = given.value AND model ~ 'rp3beta, .*min_support = 3';

-- a search is never less than auto, which it begins with; each model once; counted ones stay mergeable
CREATE TABLE search AS SELECT * FROM recsys.tune('SELECT * FROM lines', trials => 70, resamples => 0, time_limit => NULL);
SELECT model ~ 'rp3beta|cosine' AS counted, s.value = e.value AS is_auto FROM recsys.tune('SELECT * FROM lines', trials => 1, resamples => 0, time_limit => NULL) s,
	recsys.evaluate('SELECT * FROM lines', '', metrics => '{ndcg}', k => '{10}', resamples => 0) e WHERE model <> 'similarity = popular';
SELECT max(value) FILTER (WHERE users IS NOT NULL) >= (SELECT value FROM recsys.evaluate('SELECT * FROM lines', '', metrics => '{ndcg}', k => '{10}', resamples => 0)) AS not_less,
	   count(*) - count(DISTINCT model) AS again, count(problem) AS problems,
	   count(*) FILTER (WHERE model ~ 'rp3beta|cosine' AND model ~ 'bm25') AS unmergeable,
	   count(*) FILTER (WHERE model ~ 'spectral') > 0 AS spectral, count(*) FILTER (WHERE model ~ 'ease') > 0 AS ease,
	   count(*) FILTER (WHERE model ~ 'als') > 0 AS als, count(*) FILTER (WHERE model ~ 'slim') > 0 AS slim
FROM search;
-- counted ones are stepped in all that auto chooses
SELECT option, count(DISTINCT coalesce(substring(model FROM option || ' = ([^,]*)'), 'default')) > 1 AS stepped
FROM search, unnest('{alpha,beta,user_damping,min_support,neighbors,shrinkage,weight_transform,popularity}'::text[]) option
WHERE model ~ 'rp3beta|cosine' GROUP BY 1 ORDER BY 1;

-- what is printed makes that model: nothing in it is left to auto
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT command FROM (SELECT DISTINCT ON (model) * FROM search WHERE model ~ 'rp3beta|cosine' ORDER BY model) s ORDER BY value DESC LIMIT 5 LOOP
		EXECUTE c.command;
	END LOOP;
END $$;
SELECT count(*) AS made, count(*) FILTER (WHERE EXISTS (SELECT FROM search WHERE model = (SELECT string_agg(o, ', ') FROM (
		SELECT regexp_replace(regexp_replace(o, '=', ' = '), ' = (.*[ :].*)', ' = ''\1''') AS o FROM unnest(c.reloptions) o) o))) AS as_said
FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = 'lines'::regclass;

-- without times or weights nothing is stepped that needs them
SELECT count(*) FILTER (WHERE model ~ 'half_life|max_age|weight') AS of_columns_that_are_not_there
FROM recsys.tune('SELECT user_id, item_id FROM lines', trials => 40, resamples => 0, time_limit => NULL);

-- too few to choose by, and few times: the fallback
SELECT model FROM recsys.tune('SELECT * FROM lines WHERE user_id < 20', trials => 1, resamples => 0, time_limit => NULL) ORDER BY 1;
SELECT count(*) > 20 AS trials FROM recsys.tune('SELECT user_id, item_id, timestamp ''2024-01-01'' FROM lines', trials => 25, resamples => 0, time_limit => NULL);
-- one is chosen and tried, whatever the time; where auto fails, the others go on
SELECT regexp_replace(model, ',.*', '') AS model, problem FROM recsys.tune('SELECT user_id, item_id, at FROM lines', models => '{"similarity = auto, half_life = ''3 days''", similarity = dice}', time_limit => '1 microsecond', resamples => 0);
SELECT model, problem FROM recsys.tune('SELECT user_id, item_id FROM lines', models => '{similarity = dice, "half_life = ''3 days''"}', resamples => 0) WHERE problem IS NOT NULL;
DROP SCHEMA tuning_choice CASCADE;
