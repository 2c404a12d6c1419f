/*
 * popularity, popularity_half_life and item_max_age against plain SQL: what the prior of
 * an item is, what lists make of it, and which items are offered.
 */
SET client_min_messages = warning;
CREATE SCHEMA blend;
SET search_path = blend, public;
SET timezone = 'UTC';
CREATE FUNCTION chance(row_number integer, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(row_number::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;

-- NULLs, duplicates, returns; users and items without anything that counts; times that are missing
CREATE TABLE past (user_id bigint, item_id bigint, weight double precision, at timestamptz);
INSERT INTO past
SELECT nullif(floor(80 * chance(g, 'user')), 7), nullif(floor(60 * chance(g, 'item') ^ 2), 11),
	   CASE WHEN g % 10 = 0 THEN NULL ELSE round((5 * chance(g, 'weight') - 0.5)::numeric, 2) END,
	   CASE WHEN g % 19 <> 0 THEN '2024-01-01 00:00+00'::timestamptz + interval '6 hours' * floor(300 * chance(g, 'at') * chance(g, 'item') ^ 0.5) END
FROM generate_series(1, 900) g;
INSERT INTO past VALUES (1000, 0, -5, '2024-04-01'), (1001, 1000, NULL, NULL), (1002, 1001, 0, '2024-03-01');
CREATE TABLE future (user_id bigint, item_id bigint);
INSERT INTO future SELECT floor(88 * chance(g, 'user2')), floor(62 * chance(g, 'item2') ^ 1.5) FROM generate_series(1, 300) g;

CREATE TABLE setting (alpha float8, beta float8, user_damping float8, popularity float8, half_life interval, max_age interval);
CREATE VIEW folded AS
SELECT user_id, item_id, max(at) AS at FROM past WHERE user_id IS NOT NULL AND item_id IS NOT NULL
GROUP BY 1, 2 HAVING sum(coalesce(weight, 1)::numeric) > 0;
CREATE VIEW totals AS
SELECT count(DISTINCT user_id)::float8 AS n, count(DISTINCT item_id)::float8 AS i, count(*)::float8 AS m, max(at) AS latest FROM folded;
CREATE VIEW item AS
WITH q AS (
	SELECT item_id, count(*) AS users, max(at) AS at,
		   coalesce(sum(2 ^ greatest(-1000, -extract(epoch FROM (SELECT latest FROM totals) - at)::float8 / extract(epoch FROM half_life)::float8)) FILTER (WHERE at IS NOT NULL), 0) AS q
	FROM folded CROSS JOIN setting GROUP BY 1)
SELECT item_id, users, at, CASE WHEN half_life IS NULL THEN users ELSE m * q / sum(q) OVER () END AS r
FROM q CROSS JOIN setting CROSS JOIN totals;
CREATE VIEW reference_rp3beta AS
SELECT item_id, popularity * (m / i) ^ (1 - alpha) / n * (m / n) ^ (-(alpha + user_damping)) * r * users ^ (-beta) AS score
FROM item, totals, setting;
CREATE VIEW reference_cosine AS
SELECT item_id, popularity * sqrt(m / i * r) / n * users ^ (-alpha) AS score FROM item, totals, setting;

-- a user without evidence gets the prior: every item of it, in its order, from popularity
CREATE PROCEDURE compare_prior(similarity text, columns text) LANGUAGE plpgsql AS $$
DECLARE
	difference bigint;
	items bigint;
BEGIN
	EXECUTE (SELECT format('CREATE INDEX prior ON past USING recsys (%s) WITH (similarity = %s, alpha = %s, beta = %s, user_damping = %s, popularity = %s%s)',
		columns, similarity, alpha, beta, user_damping, popularity, ', popularity_half_life = ' || quote_literal(half_life)) FROM setting);
	EXECUTE format($sql$
		WITH got AS (SELECT * FROM recommend(-1::bigint, 100, 'prior') WHERE score > 0),
		expected AS (SELECT item_id, score FROM reference_%s WHERE score > 1.2e-38)
		SELECT (SELECT count(*) FROM got FULL JOIN expected USING (item_id)
				WHERE got.score IS NULL OR expected.score IS NULL OR abs(got.score - expected.score) > 1e-6 * expected.score
				   OR source <> 'popular') +
			   (SELECT count(*) FROM got a JOIN got b ON a.rank < b.rank
				WHERE a.score < b.score OR (a.score = b.score AND a.item_id > b.item_id)),
			   (SELECT count(*) FROM got)$sql$, similarity) INTO difference, items;
	RAISE NOTICE '% over (%): % items, % differences', similarity, columns, items, difference;
	DROP INDEX prior;
END $$;
RESET client_min_messages;
INSERT INTO setting VALUES (1, 0.6, 0, 1, NULL, NULL);
CALL compare_prior('rp3beta', 'user_id, item_id, weight');
CALL compare_prior('cosine', 'user_id, item_id, weight, at');
UPDATE setting SET alpha = 0.7, beta = 0.3, user_damping = 0.4, popularity = 12.5;
CALL compare_prior('rp3beta', 'user_id, item_id, weight, at');
CALL compare_prior('cosine', 'user_id, item_id, weight');
UPDATE setting SET half_life = '10 days';
CALL compare_prior('rp3beta', 'user_id, item_id, weight, at');
CALL compare_prior('cosine', 'user_id, item_id, weight, at');
UPDATE setting SET half_life = '1 hour', popularity = 30;
CALL compare_prior('rp3beta', 'user_id, item_id, weight, at');
UPDATE setting SET half_life = '7000 days', alpha = 0, beta = 0, user_damping = 0;
CALL compare_prior('rp3beta', 'user_id, item_id, weight, at');
CALL compare_prior('cosine', 'user_id, item_id, weight, at');

-- a list is what the graph says and the prior; what is explained adds up to it
UPDATE setting SET alpha = 0.8, beta = 0.4, half_life = '15 days', popularity = 20;
CREATE INDEX plain ON past USING recsys (user_id, item_id, weight, at) WITH (similarity = rp3beta, alpha = 0.8, beta = 0.4, neighbors = 5);
CREATE INDEX blended ON past USING recsys (user_id, item_id, weight, at)
WITH (similarity = rp3beta, alpha = 0.8, beta = 0.4, neighbors = 5, popularity = 20, popularity_half_life = '15 days');
WITH sums AS (
	SELECT u.user_id, item_id, sum(score) AS score
	FROM (SELECT DISTINCT user_id FROM folded) u
	CROSS JOIN LATERAL (SELECT item_id, score::float8 FROM recommend(u.user_id, 100, 'plain', false) WHERE source = 'history'
						UNION ALL SELECT item_id, score FROM reference_rp3beta) s GROUP BY 1, 2),
got AS (
	SELECT u.user_id, r.* FROM (SELECT DISTINCT user_id FROM folded) u CROSS JOIN LATERAL recommend(u.user_id, 100, 'blended', false) r)
SELECT count(*) > 1000 AS many,
	   count(*) FILTER (WHERE abs(sums.score - got.score) IS NULL OR abs(sums.score - got.score) > 1e-5 * sums.score) AS differences,
	   string_agg(DISTINCT source, ', ') AS sources
FROM sums FULL JOIN (SELECT * FROM got WHERE score > 0) got USING (user_id, item_id) WHERE sums.score IS NULL OR sums.score > 1e-6;
SELECT count(*) > 100 AS many, count(*) FILTER (WHERE abs(explained - score) > 1e-6 * score) AS differences, min(priors), max(priors)
FROM (SELECT DISTINCT user_id FROM folded WHERE user_id < 20 UNION SELECT -1) u CROSS JOIN LATERAL recommend(u.user_id, 10, 'blended') r
CROSS JOIN LATERAL (SELECT sum(contribution) AS explained, count(*) FILTER (WHERE because_item_id IS NULL) AS priors
					FROM explain_recommendation(u.user_id, r.item_id, 'blended')) e
WHERE score > 0;
SELECT because_item_id, weight, similarity = contribution::real AS same, support, rank FROM explain_recommendation(-1::bigint, 0::bigint, 'blended');
SELECT count(*) FROM explain_recommendation(-1::bigint, 0::bigint, 'plain');
-- items that nobody has are not explained, nor are unknown ones
SELECT count(*) FROM explain_recommendation(-1::bigint, 1001::bigint, 'blended');
SELECT count(*) FROM explain_recommendation(-1::bigint, 123456::bigint, 'blended');
-- items given: the same sum; unknown ones are no evidence
SELECT count(*) AS differences FROM recommend_for_items('{0,1}'::bigint[], 100, 'plain') a
JOIN reference_rp3beta USING (item_id) FULL JOIN (SELECT * FROM recommend_for_items('{0,1}'::bigint[], 100, 'blended')) b USING (item_id)
WHERE abs(coalesce(a.score, 0) + reference_rp3beta.score - b.score) > 1e-5 * b.score;
SELECT DISTINCT source FROM recommend_for_items('{123456}'::bigint[], 10, 'blended');
SELECT recsys.check_index('plain'), recsys.check_index('blended');

-- half of the history counts less: the prior has the same weight
SELECT round(max(a.contribution)::numeric, 6) = round(max(b.contribution)::numeric, 6) AS same
FROM explain_recommendation(3::bigint, 0::bigint, 'blended', '1 day'::interval) a, explain_recommendation(3::bigint, 0::bigint, 'blended') b
WHERE a.because_item_id IS NULL AND b.because_item_id IS NULL;

-- evaluations rank as recommend does
CREATE FUNCTION recall_of(index_name text, ks integer[]) RETURNS TABLE (k integer, value double precision) STABLE LANGUAGE sql AS $$
	WITH relevant AS (
		SELECT DISTINCT user_id, item_id FROM future f
		WHERE NOT EXISTS (SELECT FROM past p WHERE p.user_id = f.user_id AND p.item_id = f.item_id)),
	hits AS (
		SELECT user_id, rank, EXISTS (SELECT FROM relevant t WHERE t.user_id = u.user_id AND t.item_id = r.item_id) AS hit
		FROM (SELECT DISTINCT user_id FROM relevant) u CROSS JOIN LATERAL recommend(u.user_id, 50, index_name) r)
	SELECT k, avg(recall) FROM unnest(ks) k CROSS JOIN LATERAL (
		SELECT (count(*) FILTER (WHERE hit AND rank <= k))::float8 / (SELECT count(*) FROM relevant t WHERE t.user_id = h.user_id) AS recall
		FROM hits h GROUP BY user_id) r GROUP BY 1 $$;
CREATE PROCEDURE compare_evaluations(options text) LANGUAGE plpgsql AS $$
DECLARE
	right_ones bigint;
BEGIN
	-- nothing here is about bestsellers
	SET LOCAL client_min_messages = error;
	EXECUTE format('CREATE INDEX measured ON past USING recsys (user_id, item_id, weight, at) WITH (%s)', options);
	SELECT count(*) INTO right_ones FROM recall_of('measured', '{1,5,20,50}') r
	JOIN recsys.evaluate('SELECT user_id, item_id, weight, at FROM past',
						 model => options, test => 'SELECT user_id, item_id FROM future', k => '{1,5,20,50}', metrics => '{recall}') e USING (k)
	JOIN recsys.evaluate_recommender('measured', 'SELECT user_id, item_id FROM future', k => '{1,5,20,50}', metrics => '{recall}') i USING (k)
	WHERE abs(r.value - e.value) < 1e-9 AND abs(r.value - i.value) < 1e-9;
	SET LOCAL client_min_messages = notice;
	RAISE NOTICE '%: % of 4 agree', options, right_ones;
	DROP INDEX measured;
END $$;
CALL compare_evaluations('similarity = cosine');
CALL compare_evaluations('similarity = cosine, popularity = 3');
CALL compare_evaluations('similarity = rp3beta, popularity = 10, beta = 0.3, popularity_half_life = ''9 days''');
CALL compare_evaluations('similarity = rp3beta, popularity = 10, item_max_age = ''25 days''');
CALL compare_evaluations('similarity = jaccard, item_max_age = ''10 days''');
CALL compare_evaluations('similarity = als, rank = 8, item_max_age = ''10 days''');

-- item_max_age: what nobody has taken for so long before the latest time is not offered
CREATE FUNCTION wrongly_offered(index_name text, age interval) RETURNS TABLE (offered bigint, wrong bigint, missing bigint) STABLE LANGUAGE sql AS $$
	WITH lists AS (
		SELECT u.user_id, r.item_id, r.rank FROM (SELECT DISTINCT user_id FROM folded UNION SELECT -1) u
		CROSS JOIN LATERAL recommend(u.user_id, 100, index_name) r),
	fresh AS (SELECT item_id, NOT coalesce(item.at < latest - age, false) AS fresh FROM item, totals)
	SELECT count(*), count(*) FILTER (WHERE NOT fresh),
		   -- every fresh item that the user has not seen is there
		   (SELECT count(*) FROM (SELECT DISTINCT user_id FROM lists) u CROSS JOIN fresh f
			WHERE fresh AND NOT EXISTS (SELECT FROM past p WHERE p.user_id = u.user_id AND p.item_id = f.item_id)
			  AND NOT EXISTS (SELECT FROM lists l WHERE l.user_id = u.user_id AND l.item_id = f.item_id))
	FROM lists JOIN fresh USING (item_id) $$;
SELECT offered > 1000 AS many, wrong > 0 AS some_are_old, missing FROM wrongly_offered('blended', '20 days');
CREATE INDEX aged ON past USING recsys (user_id, item_id, weight, at)
WITH (similarity = rp3beta, alpha = 0.8, beta = 0.4, neighbors = 5, popularity = 20, popularity_half_life = '15 days', item_max_age = '20 days');
SELECT offered > 1000 AS many, wrong, missing FROM wrongly_offered('aged', '20 days');
-- the same lists otherwise, whatever their length
SELECT count(*) AS differences FROM (
	SELECT u.user_id, k, i.index_name, array_agg(r.item_id ORDER BY r.rank) AS items
	FROM generate_series(1, 30) u(user_id) CROSS JOIN unnest('{1,2,7,30}'::integer[]) k CROSS JOIN unnest('{blended,aged}'::text[]) i(index_name)
	CROSS JOIN LATERAL (
		SELECT r.item_id, r.rank FROM recommend(u.user_id, CASE index_name WHEN 'aged' THEN k ELSE 100 END, index_name) r
		JOIN item USING (item_id) CROSS JOIN totals WHERE NOT coalesce(item.at < latest - interval '20 days', false) ORDER BY rank LIMIT k) r
	GROUP BY 1, 2, 3) l GROUP BY user_id, k HAVING count(DISTINCT items) > 1;
-- similar items tell what the graph has
SELECT count(*) AS differences FROM item_similarity('aged', NULL::bigint) a FULL JOIN item_similarity('blended', NULL::bigint) b
USING (item_id, similar_item_id, score) WHERE a.rank IS NULL OR b.rank IS NULL;
-- by factors the search goes on as well
CREATE INDEX factors ON past USING recsys (user_id, item_id, weight, at) WITH (similarity = als, rank = 8, item_max_age = '20 days');
SELECT offered > 1000 AS many, wrong, missing FROM wrongly_offered('factors', '20 days');
-- an old item that is taken again is offered again
SELECT item.item_id AS old FROM item, totals WHERE at < latest - interval '20 days' ORDER BY users DESC, 1 LIMIT 1 \gset
SELECT count(*) FROM recommend(-1::bigint, 100, 'aged') WHERE item_id = :old;
INSERT INTO past SELECT 5000, :old, 1, latest FROM totals;
SELECT merged FROM recsys.merge('aged');
SELECT count(*) FROM recommend(-1::bigint, 100, 'aged') WHERE item_id = :old;
SELECT recsys.check_index('aged');
DROP INDEX aged, factors, plain, blended;

-- times are needed
CREATE INDEX timeless ON past USING recsys (user_id, item_id) WITH (item_max_age = '1 day');
CREATE INDEX timeless ON past USING recsys (user_id, item_id) WITH (popularity = 1, popularity_half_life = '1 day');
CREATE INDEX timeless ON past USING recsys (user_id, item_id) WITH (similarity = cosine, popularity = 1);
ALTER INDEX timeless SET (item_max_age = '1 day');
ALTER INDEX timeless SET (popularity_half_life = '1 day');
ALTER INDEX timeless SET (popularity_half_life = '', item_max_age = off);
SELECT * FROM recsys.evaluate('SELECT user_id, item_id FROM past', 'similarity = cosine, item_max_age = ''1 day''', 'SELECT user_id, item_id FROM future');
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM past', options => 'popularity_half_life = 1 day');
-- values
ALTER INDEX timeless SET (popularity = -1);
ALTER INDEX timeless SET (popularity = 1e7);
ALTER INDEX timeless SET (item_max_age = '-1 day');
ALTER INDEX timeless SET (item_max_age = 'old');
ALTER INDEX timeless SET (popularity_half_life = '0');
-- they wait for a REINDEX, and say so
DROP INDEX timeless;
CREATE INDEX waits ON past USING recsys (user_id, item_id, weight, at) WITH (similarity = rp3beta, popularity = 2);
ALTER INDEX waits SET (popularity = 5, popularity_half_life = '30 days', item_max_age = '90 days');
SELECT built_options, set_options FROM recsys.index_stats WHERE index_name = 'waits';
SELECT count(*) > 0 AS as_built FROM explain_recommendation(-1::bigint, 0::bigint, 'waits') e JOIN item ON item_id = 0, totals
WHERE abs(contribution - 2 * users ^ 0.4 / m) < 1e-6;
REINDEX INDEX waits;
SELECT set_options FROM recsys.index_stats WHERE index_name = 'waits';
ALTER INDEX waits RESET (popularity, popularity_half_life, item_max_age);
SELECT pg_get_indexdef('waits'::regclass);
DROP INDEX waits;

-- other measures take them and do nothing
CREATE INDEX other ON past USING recsys (user_id, item_id) WITH (similarity = jaccard, popularity = 5);
SELECT DISTINCT source, score FROM recommend(-1::bigint, 5, 'other');
SELECT recsys.check_index('other');
DROP INDEX other;

-- a shop of one item, an empty one, one without times, one that begins empty
CREATE TABLE shop (user_id text, item_id text, at date);
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id, at) WITH (similarity = cosine, popularity = 1, popularity_half_life = '7 days', item_max_age = '30 days');
SELECT * FROM recommend('a'::text, 5, 'shop_recsys', NULL::text);
SELECT recsys.check_index('shop_recsys');
INSERT INTO shop VALUES ('a', 'x', NULL);
SELECT merged FROM recsys.merge('shop_recsys');
SELECT * FROM recommend('b'::text, 5, 'shop_recsys', NULL::text);
SELECT recsys.check_index('shop_recsys');
UPDATE shop SET at = '2024-01-01';
SELECT merged > 0 AS merged FROM recsys.merge('shop_recsys', exact => true);
SELECT * FROM recommend('b'::text, 5, 'shop_recsys', NULL::text);
SELECT recsys.check_index('shop_recsys');
INSERT INTO shop VALUES ('b', 'x', '2024-01-03'), ('b', 'y', '2024-03-01');
SELECT merged > 0 AS merged FROM recsys.merge('shop_recsys');
SELECT item_id, round(score::numeric, 3) AS score, source FROM recommend('c'::text, 5, 'shop_recsys', NULL::text);
SELECT item_id, round(score::numeric, 3) AS score, source FROM recommend('a'::text, 5, 'shop_recsys', NULL::text);
SELECT recsys.check_index('shop_recsys');
DELETE FROM shop;
VACUUM shop;
SELECT merged > 0 AS merged FROM recsys.merge('shop_recsys', exact => true);
SELECT * FROM recommend('b'::text, 5, 'shop_recsys', NULL::text);
SELECT recsys.check_index('shop_recsys');
TRUNCATE shop;
SELECT recsys.check_index('shop_recsys');

-- times in the future count as of now, and again with the next exact merge
CREATE TABLE soon (user_id int, item_id int, at timestamptz);
INSERT INTO soon SELECT u, i, now() + (u - 2) * interval '100 years' FROM generate_series(1, 3) u, generate_series(1, 3) i;
SET client_min_messages = error;
CREATE INDEX soon_recsys ON soon USING recsys (user_id, item_id, at) WITH (similarity = cosine, popularity = 1, popularity_half_life = '1 year', item_max_age = '1 year');
RESET client_min_messages;
SELECT count(*), min(score) = max(score) AS same FROM recommend(-1, 5, 'soon_recsys');
SELECT recsys.check_index('soon_recsys');
SELECT pg_sleep(0.01);
SELECT recomputed FROM recsys.merge('soon_recsys', exact => true);
SELECT count(*), min(score) = max(score) AS same FROM recommend(-1, 5, 'soon_recsys');
SELECT recsys.check_index('soon_recsys');

-- so do those of learned scores, which are no more out of date for it
SET client_min_messages = error;
CREATE INDEX learned_recsys ON soon USING recsys (user_id, item_id, at) WITH (similarity = cosine, weighting = bm25, popularity = 1, popularity_half_life = '1 year');
RESET client_min_messages;
SELECT pg_sleep(0.01);
SELECT recomputed, inexact FROM recsys.merge('learned_recsys', exact => true);
SELECT recsys.check_index('learned_recsys');

-- workers measure the same
CREATE TABLE many AS SELECT u AS user_id, (u * (i + 3) + i * i) % 97 AS item_id, '2024-01-01'::timestamptz + (u % 50) * interval '1 day' AS at
FROM generate_series(1, 2000) u, generate_series(1, 6) i;
CREATE TABLE measured (workers integer, metric text, k integer, value double precision);
SET max_parallel_maintenance_workers = 0;
INSERT INTO measured SELECT 0, metric, k, value FROM recsys.evaluate('SELECT user_id, item_id, at FROM many',
	'similarity = cosine, popularity = 10, popularity_half_life = ''9 days'', item_max_age = ''20 days'', neighbors = 3', holdout_last => 1);
SET max_parallel_maintenance_workers = 2;
INSERT INTO measured SELECT 2, metric, k, value FROM recsys.evaluate('SELECT user_id, item_id, at FROM many',
	'similarity = cosine, popularity = 10, popularity_half_life = ''9 days'', item_max_age = ''20 days'', neighbors = 3', holdout_last => 1);
SELECT count(*) > 10 AS many, count(*) FILTER (WHERE a.value IS DISTINCT FROM b.value) AS differences
FROM measured a JOIN measured b USING (metric, k) WHERE a.workers = 0 AND b.workers = 2;
RESET max_parallel_maintenance_workers;

SET client_min_messages = warning;
DROP SCHEMA blend CASCADE;
