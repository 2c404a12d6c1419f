-- recsys.tune loses nothing: models that cannot be trained, time that is up, cancellation.
SET client_min_messages = warning;
CREATE SCHEMA tuning;
SET search_path = tuning, public;
RESET client_min_messages;

-- a shop whose wholesale buyers order by the ten thousand: too much for single precision as it is
CREATE TABLE lines AS
SELECT u AS user_id, (u * i * i) % 37 AS item_id, CASE WHEN u % 10 = 0 THEN 80000 + u ELSE 1 + u % 3 END AS quantity
FROM generate_series(1, 300) u, generate_series(1, 8) i;
CREATE INDEX lines_recsys ON lines USING recsys (user_id, item_id, quantity);

-- what fails is passed over with its reason, wherever it stands
SELECT rank, value > 0 AS value, users, model, command IS NOT NULL AS command, problem
FROM recsys.tune('lines_recsys'::regclass, resamples => 0, models => '{similarity = ease, similarity = jaccard, "similarity = ease, lambda = 10", similarity = dice}');
\set VERBOSITY terse
SELECT rank, model, problem ~ '^maintenance_work_mem is too small .*Set maintenance_work_mem to at least' AS problem
FROM recsys.tune('lines_recsys'::regclass, resamples => 0, models => '{"similarity = als, rank = 1024", similarity = cosine}');
\set VERBOSITY default

-- where nothing is left, its error is the answer
SELECT * FROM recsys.tune('lines_recsys'::regclass, models => '{similarity = ease}');

-- a search proposes no model that the weights forbid; without weights nothing is weighted
SET client_min_messages = warning;	-- learned models may be better, by how much depends on BLAS
SELECT count(*) > 12 AS trials, count(*) FILTER (WHERE problem IS NOT NULL) AS failed,
	   count(*) FILTER (WHERE model LIKE '%ease%') > 0 AS ease,
	   bool_and(model ~ 'bm25|binary|log') FILTER (WHERE model LIKE '%ease%') AS saturated
FROM recsys.tune('lines_recsys'::regclass, trials => 30, time_limit => NULL, resamples => 0);
RESET client_min_messages;
SELECT count(*) FILTER (WHERE model LIKE '%weighting%') AS weighted
FROM recsys.tune('SELECT user_id, item_id FROM lines', trials => 20, time_limit => NULL, resamples => 0);

SET maintenance_work_mem = '256MB';

-- a trial that overruns is interrupted, and the next statement is none the worse
SELECT rank, model, value > 0 AS value, problem
FROM recsys.tune('lines_recsys'::regclass, resamples => 0, time_limit => '2 seconds', models => '{similarity = jaccard, "similarity = als, rank = 1024, iterations = 1000", similarity = dice}');
SELECT pg_sleep(0.01);

-- the only model is let run, whatever the limit
SELECT rank, model, value > 0 AS value FROM recsys.tune('lines_recsys'::regclass, resamples => 0, time_limit => '1 microsecond', models => '{similarity = jaccard, similarity = dice}');

-- a statement that is cancelled tells what it had
SET statement_timeout = '2s';
SELECT rank FROM recsys.tune('lines_recsys'::regclass, resamples => 0, time_limit => NULL, models => '{similarity = jaccard, similarity = dice, "similarity = als, rank = 1024, iterations = 1000"}');
SELECT rank FROM recsys.tune('lines_recsys'::regclass, resamples => 0, models => '{similarity = jaccard, similarity = dice, "similarity = als, rank = 1024, iterations = 1000"}');
RESET statement_timeout;

SET client_min_messages = warning;
DROP SCHEMA tuning CASCADE;
