-- similarity = auto, which CREATE INDEX without options means: what is chosen, that the text
-- of the model gives the same index, that what is set is kept, and odd data.
SET client_min_messages = warning;
CREATE SCHEMA choosing;
SET search_path = choosing, public;
SET intervalstyle = postgres;
SELECT setseed(0.5);

-- tastes and times: 500 customers in six groups
CREATE TABLE bought AS
SELECT u AS user_id, CASE WHEN random() < 0.75 THEN (u % 6) * 20 + floor(20 * random() * random())::int ELSE floor(120 * random() * random())::int END AS item_id,
	   round((1 + 3 * random())::numeric, 1) AS quantity, timestamptz '2024-01-01' + floor(random() * 300 * 86400) * interval '1 second' AS at
FROM generate_series(1, 500) u, generate_series(1, 12) g;

CREATE VIEW chosen AS SELECT index_name, similarity, model, model_quality AS quality, built_options, set_options FROM recsys.index_stats WHERE schema_name = 'choosing';
CREATE FUNCTION model_of(index text) RETURNS text LANGUAGE sql RETURN (SELECT model FROM chosen WHERE index_name = index);

-- what two indexes tell, but for the names
CREATE FUNCTION differences(a text, b text) RETURNS TABLE (pairs bigint, pairs_differ bigint, lists bigint, lists_differ bigint) LANGUAGE plpgsql AS $$
BEGIN
	SELECT count(*), count(*) FILTER (WHERE x IS NULL OR y IS NULL) INTO pairs, pairs_differ
	FROM (SELECT x FROM item_similarity(a) x) x FULL JOIN (SELECT y FROM item_similarity(b) y) y ON x.x::text = y.y::text;
	SELECT count(*), count(*) FILTER (WHERE x IS DISTINCT FROM y) INTO lists, lists_differ
	FROM (SELECT (SELECT array_agg(r::text) FROM recommend(u, 20, a) r) AS x,
				 (SELECT array_agg(r::text) FROM recommend(u, 20, b) r) AS y FROM generate_series(0, 501) u) r;
	RETURN NEXT;
END $$;

-- without options, by columns; the text of the model as options of another index, and as a query
CREATE TABLE findings (n serial, columns text, similarity text, keys text, sane boolean, pairs boolean, pairs_differ bigint, lists bigint, lists_differ bigint);
CREATE PROCEDURE check_auto(keys_and_more text) LANGUAGE plpgsql AS $$
DECLARE
	options text;
BEGIN
	EXECUTE format('CREATE INDEX auto_recsys ON bought USING recsys (%s)', keys_and_more);
	PERFORM recsys.check_index('auto_recsys');
	options := model_of('auto_recsys');
	EXECUTE format('CREATE INDEX fixed_recsys ON bought USING recsys (%s) WITH (%s)', keys_and_more, options);
	IF model_of('fixed_recsys') <> options OR (SELECT quality FROM chosen WHERE index_name = 'fixed_recsys') IS NOT NULL THEN
		RAISE '% is %', options, model_of('fixed_recsys');
	END IF;
	INSERT INTO findings (columns, similarity, keys, sane, pairs, pairs_differ, lists, lists_differ)
	SELECT keys_and_more, c.similarity IN ('cosine', 'rp3beta'), (SELECT string_agg(k, ' ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(quality) k),
		   quality->>'metric' = 'ndcg' AND quality->'k' = '20' AND (quality->>'value')::float > 2 * (quality->>'popular')::float AND
		   (quality->>'p_popular')::float < 0.001 AND (quality->>'models')::int > 30 AND (quality->>'users')::int BETWEEN 200 AND 500 AND
		   quality->>'runner_up_model' <> c.model AND (quality->>'runner_up')::float BETWEEN 0.1 AND 1 AND built_options IS NULL AND set_options IS NULL,
		   d.pairs > 2000, d.pairs_differ, d.lists, d.lists_differ
	FROM chosen c, differences('auto_recsys', 'fixed_recsys') d WHERE index_name = 'auto_recsys';
	DROP INDEX fixed_recsys;
	DROP INDEX auto_recsys;
END $$;
CALL check_auto('user_id, item_id');
CALL check_auto('user_id, item_id, quantity');
CALL check_auto('user_id, item_id, at');
CALL check_auto('user_id, item_id, quantity, at');
SELECT * FROM findings ORDER BY n;

-- the same again: another build, rows in another order, parallel workers, another seed
CREATE INDEX bought_recsys ON bought USING recsys (user_id, item_id, quantity, at);
CREATE TEMP TABLE before AS SELECT model, quality FROM chosen;
REINDEX INDEX bought_recsys;
SELECT model = (SELECT model FROM before) AND quality = (SELECT quality FROM before) AS same FROM chosen;
UPDATE bought SET quantity = quantity WHERE user_id % 3 = 0;
VACUUM FULL bought;
SELECT model = (SELECT model FROM before) AND quality = (SELECT quality FROM before) AS same FROM chosen;
CREATE TABLE shuffled AS SELECT * FROM bought ORDER BY random();
ALTER TABLE shuffled SET (parallel_workers = 2);
SET min_parallel_table_scan_size = 0;
SET max_parallel_maintenance_workers = 2;
CREATE INDEX shuffled_recsys ON shuffled USING recsys (user_id, item_id, quantity, at);
RESET min_parallel_table_scan_size;
RESET max_parallel_maintenance_workers;
SELECT model = (SELECT model FROM before) AND quality = (SELECT quality FROM before) AS same FROM chosen WHERE index_name = 'shuffled_recsys';
DROP TABLE shuffled;

-- a merge does not choose, REINDEX does
INSERT INTO bought SELECT u, 1000 + i, 1, '2024-12-01' FROM generate_series(1, 300) u, generate_series(1, 20) i;
SELECT inexact FROM recsys.merge('bought_recsys', true);
SELECT model = (SELECT model FROM before) AND quality = (SELECT quality FROM before) AS same FROM chosen;
REINDEX INDEX bought_recsys;
SELECT quality <> (SELECT quality FROM before) AS again FROM chosen;
DELETE FROM bought WHERE item_id > 1000;
DROP INDEX bought_recsys;

-- what is set is kept, alone and together
CREATE FUNCTION kept(columns text, options text, pattern text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format('CREATE INDEX kept_recsys ON bought USING recsys (%s) WITH (%s)', columns, options);
	PERFORM recsys.check_index('kept_recsys');
	SELECT model ~ pattern AND quality IS NOT NULL AND built_options IS NULL INTO result FROM chosen WHERE index_name = 'kept_recsys';
	IF NOT result THEN RAISE WARNING '%: %', options, model_of('kept_recsys'); END IF;
	PERFORM * FROM recommend(1, 5, 'kept_recsys');
	DROP INDEX kept_recsys;
	RETURN result;
END $$;
SELECT columns, options, kept(columns, options, pattern) FROM (VALUES
	('user_id, item_id', 'neighbors = 17', 'neighbors = 17(,|$)'),
	('user_id, item_id', 'neighbors = 1', 'neighbors = 1(,|$)'),
	('user_id, item_id', 'min_support = 3', 'min_support = 3(,|$)'),
	('user_id, item_id', 'shrinkage = 7.5', 'shrinkage = 7.5(,|$)'),
	('user_id, item_id', 'alpha = 0.125', 'alpha = 0.125(,|$)'),
	('user_id, item_id', 'user_damping = 0.333', 'user_damping = 0.333(,|$)'),
	('user_id, item_id', 'max_history = 5', 'max_history = 5(,|$)'),
	('user_id, item_id', 'popularity = 3', 'popularity = 3(,|$)'),
	('user_id, item_id', 'weighting = tfidf', 'weighting = tfidf(,|$)'),
	('user_id, item_id', 'weight_transform = none', '.'),
	('user_id, item_id', 'weight_transform = log', '.'),
	('user_id, item_id, quantity', 'weight_transform = none', '^((?!weight_transform).)*$'),
	('user_id, item_id, quantity', 'weight_transform = log', 'weight_transform = log(,|$)'),
	('user_id, item_id, quantity', 'weight_transform = binary', 'weight_transform = binary(,|$)'),
	('user_id, item_id, at', 'weight_transform = log', '.'),
	('user_id, item_id, at', 'half_life = ''44 days''', 'half_life = ''44 days''(,|$)'),
	('user_id, item_id, at', 'half_life = ''none''', '^((?! half_life).)*$'),
	('user_id, item_id, at', 'item_max_age = ''100 days''', 'item_max_age = ''100 days''(,|$)'),
	('user_id, item_id, at', 'item_max_age = ''none''', '^((?!item_max_age).)*$'),
	('user_id, item_id, at', 'popularity_half_life = ''20 days'', popularity = 2', 'popularity = 2, popularity_half_life = ''20 days''(,|$)'),
	('user_id, item_id, quantity, at', 'training_half_life = ''90 days''', 'training_half_life = ''90 days''(,|$)'),
	('user_id, item_id, quantity, at', 'weight_transform = log, alpha = 0.7, min_support = 1, neighbors = 20', 'neighbors = 20, min_support = 1, .*alpha = 0.7(,|$)')
) AS o (columns, options, pattern);
SELECT kept('user_id, item_id', 'beta = 0.777', 'similarity = cosine|beta = 0.777(,|$)') AS beta;

-- little memory: histories on disk, with each meaning of weights
CREATE TABLE many AS SELECT user_id + 500 * n AS user_id, item_id, quantity, at FROM bought, generate_series(0, 9) n;
SET maintenance_work_mem = '1MB';
CREATE INDEX many_recsys ON many USING recsys (user_id, item_id, quantity, at);
SELECT recsys.check_index('many_recsys') IS NOT NULL AS checked, quality IS NOT NULL AS measured FROM chosen WHERE index_name = 'many_recsys';
DROP INDEX many_recsys;
CREATE PROCEDURE check_little(transform text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'CREATE INDEX many_recsys ON many USING recsys (user_id, item_id, quantity, at) WITH (weight_transform = ' || transform || ')';
	PERFORM recsys.check_index('many_recsys');
	EXECUTE format('CREATE INDEX fixed_recsys ON many USING recsys (user_id, item_id, quantity, at) WITH (%s)', model_of('many_recsys'));
	RAISE WARNING '%: %', transform, (SELECT format('pairs %s %s, lists %s %s', d.pairs > 2000, d.pairs_differ, d.lists, d.lists_differ) FROM differences('many_recsys', 'fixed_recsys') d);
	DROP INDEX many_recsys;
	DROP INDEX fixed_recsys;
END $$;
CALL check_little('auto');
CALL check_little('binary');
CALL check_little('log');
CALL check_little('none');
RESET maintenance_work_mem;
DROP TABLE many;

-- quantities that tell: much of what suits, little of what does not, so that sums or logs are taken
CREATE TABLE amounts AS
SELECT u AS user_id, item_id, CASE WHEN item_id / 15 = u % 8 THEN 400 ELSE 1 END::real AS amount
FROM generate_series(1, 600) u, LATERAL (SELECT DISTINCT CASE WHEN random() < 0.35 THEN (u % 8) * 15 + floor(15 * random())::int ELSE floor(120 * random())::int END AS item_id FROM generate_series(1, 20) WHERE u > 0) i;
CREATE INDEX amounts_recsys ON amounts USING recsys (user_id, item_id, amount);
SELECT model !~ 'binary' AS weights_count FROM chosen WHERE index_name = 'amounts_recsys';
SET maintenance_work_mem = '1MB';
CREATE INDEX fixed_recsys ON amounts USING recsys (user_id, item_id, amount);
SELECT model_of('amounts_recsys') = model_of('fixed_recsys') AS same, pairs > 1000 AS pairs, pairs_differ, lists, lists_differ FROM differences('amounts_recsys', 'fixed_recsys');
RESET maintenance_work_mem;
DROP TABLE amounts;

-- a query's pairs are the index's
CREATE INDEX bought_recsys ON bought USING recsys (user_id, item_id, quantity, at);
SELECT count(*) > 1000 AS pairs, count(*) FILTER (WHERE q IS NULL OR i IS NULL) AS differ
FROM (SELECT q::text AS q FROM query_item_similarity('SELECT user_id, item_id, quantity, at FROM choosing.bought', item_type => NULL::int) q) q
	 FULL JOIN (SELECT i::text AS i FROM item_similarity('bought_recsys') i) i ON q = i;

-- measured: the model that is chosen on the part to learn from, by the same rules
CREATE TABLE early AS SELECT * FROM bought WHERE at < '2024-09-15';
CREATE INDEX early_recsys ON early USING recsys (user_id, item_id, at);
SELECT count(*) > 3 AS enough, bool_and(a.value > b.value * 0.95 AND b.value > a.value * 0.95) AS as_good
FROM recsys.evaluate('SELECT user_id, item_id, at FROM choosing.early', '', test => 'SELECT user_id, item_id FROM choosing.bought WHERE at >= ''2024-09-15''') a
	 JOIN recsys.evaluate('SELECT user_id, item_id, at FROM choosing.early', model_of('early_recsys'), test => 'SELECT user_id, item_id FROM choosing.bought WHERE at >= ''2024-09-15''') b
	 USING (metric, k) WHERE metric IN ('ndcg', 'recall', 'precision');
SELECT bool_and(difference = 0) AS same FROM recsys.compare('SELECT user_id, item_id, at FROM choosing.early', '', 'similarity = auto', holdout_last => 2);
SELECT bool_or(difference <> 0) AS other FROM recsys.compare('SELECT user_id, item_id, at FROM choosing.early', '', 'similarity = popular', holdout_last => 2);
DROP TABLE early;

-- options that wait
RESET client_min_messages;
\set VERBOSITY terse
ALTER INDEX bought_recsys SET (neighbors = 33);
\set VERBOSITY default
SELECT set_options FROM chosen;
ALTER INDEX bought_recsys RESET (neighbors);
SELECT built_options, set_options FROM chosen;
ALTER INDEX bought_recsys SET (similarity = auto);
\set VERBOSITY terse
ALTER INDEX bought_recsys SET (similarity = jaccard);
\set VERBOSITY default
SELECT built_options ~ 'similarity = (cosine|rp3beta)' AS built, set_options ~ 'similarity = jaccard' AS set FROM chosen;
ALTER INDEX bought_recsys RESET (similarity);
ALTER INDEX bought_recsys SET (half_life = '7 days');
SELECT model ~ 'half_life = ''7 days''' AS serves, built_options, set_options FROM chosen;
ALTER INDEX bought_recsys SET (half_life = 'none');
SELECT model !~ ' half_life' AS serves, built_options, set_options FROM chosen;
ALTER INDEX bought_recsys RESET (half_life);
SET client_min_messages = warning;
DROP INDEX bought_recsys;

-- too little to tell: cosine; nothing at all; one item each
CREATE TABLE small AS SELECT * FROM bought WHERE user_id < 150;
CREATE INDEX small_recsys ON small USING recsys (user_id, item_id, quantity, at);
CREATE INDEX small_set ON small USING recsys (user_id, item_id, at) WITH (popularity = 2, popularity_half_life = '30 days', half_life = '3 days', item_max_age = '1 year');
CREATE TABLE nothing (user_id uuid, item_id text, at timestamp);
CREATE INDEX nothing_recsys ON nothing USING recsys (user_id, item_id, at);
CREATE TABLE single AS SELECT u AS user_id, u % 50 AS item_id, 1.5::real AS weight, now() AS at FROM generate_series(1, 1000) u;
CREATE INDEX single_recsys ON single USING recsys (user_id, item_id, weight, at);
SELECT index_name, similarity, model, quality FROM chosen ORDER BY 1;
SELECT recsys.check_index(n::regclass) IS NOT NULL AS checked FROM unnest('{small_recsys,small_set,nothing_recsys,single_recsys}'::text[]) n;
SELECT count(*) FROM recommend(7, 5, 'single_recsys');
DROP TABLE small, nothing, single;

-- unlogged and temporary tables, other keys, other times
CREATE UNLOGGED TABLE notlogged AS SELECT * FROM bought;
CREATE INDEX notlogged_recsys ON notlogged USING recsys (user_id, item_id, quantity, at);
CREATE TEMP TABLE passing AS SELECT * FROM bought;
CREATE INDEX passing_recsys ON passing USING recsys (user_id, item_id, quantity, at);
SELECT count(*), count(DISTINCT model), count(DISTINCT model_quality) FROM recsys.index_stats WHERE index_name IN ('notlogged_recsys', 'passing_recsys');
DROP TABLE notlogged, passing;
CREATE TABLE named AS SELECT md5(user_id::text)::uuid AS user_id, 'item ' || item_id AS item_id, at::date AS day, CASE WHEN item_id % 2 = 0 THEN at::timestamp END AS at FROM bought;
CREATE INDEX named_recsys ON named USING recsys (user_id, item_id);
CREATE INDEX named_half ON named USING recsys (user_id, item_id, at);
SELECT index_name, quality IS NOT NULL AS measured, recsys.check_index(index_name::regclass) IS NOT NULL AS checked FROM chosen ORDER BY 1;
SELECT count(*), count(DISTINCT item_id) FROM recommend(md5('7')::uuid, 5, 'named_recsys', item_type => NULL::text);
DROP TABLE named;
CREATE TABLE odd AS SELECT * FROM bought;
CREATE PROCEDURE check_odd(name text, change text) LANGUAGE plpgsql AS $$
DECLARE
	differ bigint;
BEGIN
	TRUNCATE odd;
	INSERT INTO odd SELECT * FROM bought;
	EXECUTE 'UPDATE odd SET ' || change;
	CREATE INDEX odd_recsys ON odd USING recsys (user_id, item_id, quantity, at);
	PERFORM recsys.check_index('odd_recsys');
	EXECUTE format('CREATE INDEX fixed_recsys ON odd USING recsys (user_id, item_id, quantity, at) WITH (%s)', model_of('odd_recsys'));
	SELECT pairs_differ + lists_differ INTO differ FROM differences('odd_recsys', 'fixed_recsys');
	RAISE WARNING '%: %', name, (SELECT format('measured %s, differ %s', (quality->>'value')::float > 0, differ) FROM chosen WHERE index_name = 'odd_recsys');
	DROP INDEX odd_recsys, fixed_recsys;
END $$;
ALTER TABLE odd ALTER quantity TYPE double precision;
CALL check_odd('times are NULL', 'at = NULL');
CALL check_odd('one time', 'at = ''2024-01-01''');
CALL check_odd('weights are NULL', 'quantity = NULL');
CALL check_odd('returns', 'quantity = -1 WHERE item_id % 4 = 0');
CALL check_odd('NaN', 'quantity = ''NaN'' WHERE item_id % 4 = 0');
CALL check_odd('huge', 'quantity = 1e300 WHERE item_id % 4 = 0');
CALL check_odd('tiny', 'quantity = 1e-300 WHERE item_id % 4 = 0');
CALL check_odd('all returned', 'quantity = -1');
\set VERBOSITY terse
CALL check_odd('infinity', 'at = CASE WHEN user_id % 5 = 0 THEN ''infinity'' WHEN user_id % 5 = 1 THEN ''-infinity'' ELSE at END');
CALL check_odd('9999-12-31', 'at = ''9999-12-31'' WHERE item_id % 5 = 0');
CALL check_odd('4000 BC', 'at = ''4000-01-01 BC'' WHERE item_id % 5 = 0');

SET client_min_messages = error;
DROP SCHEMA choosing CASCADE;
