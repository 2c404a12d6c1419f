/*
 * Recommending from factors (similarity = als): what is served is compared with
 * the formulas of core/dense/factors.c, worked out in PL/pgSQL from the factors that
 * recsys.item_factors() shows.  The factors themselves: test/core, models.sql.
 */
SET client_min_messages = warning;
CREATE FUNCTION chance(row_number integer, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(row_number::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;

-- several rows of a user and an item, returns, NULLs
CREATE TABLE visits (user_id bigint, item_id bigint, weight real, at timestamptz);
INSERT INTO visits
SELECT floor(70 * chance(g, 'user') ^ 1.4), floor(45 * chance(g, 'item') ^ 1.7), CASE WHEN g % 11 > 0 THEN round((0.3 + 3 * chance(g, 'weight'))::numeric, 2) END,
	   CASE WHEN g % 19 > 0 THEN '2024-01-01 00:00+00'::timestamptz + interval '1 hour' * floor(1500 * chance(g, 'at')) END
FROM generate_series(1, 900) g;
INSERT INTO visits VALUES (3, 44, 1, '2024-02-01'), (3, 44, -1, '2024-02-02'), (NULL, 5, 1, NULL), (5, NULL, 1, NULL), (4, 2, 'NaN', NULL), (6, 99, -1, NULL);
CREATE INDEX visits_recsys ON visits USING recsys (user_id, item_id, weight, at)
	WITH (similarity = als, rank = 7, unobserved = 0.15, lambda = 0.02, half_life = '20 days', min_support = 1);
SELECT recsys.check_index('visits_recsys');
-- an item that nobody counts for has none
SELECT count(*) = (SELECT items FROM recsys.index_info('visits_recsys')) AS all_items, min(cardinality(factor)) AS least, max(cardinality(factor)) AS most,
	   count(*) FILTER (WHERE item_id = 99) AS unlearned FROM recsys.item_factors('visits_recsys');
CREATE TABLE learned AS SELECT item_id, factor::double precision[] AS factor FROM recsys.item_factors('visits_recsys');
-- all items that the index knew when it was built: also the one without a factor
CREATE TABLE catalogue AS SELECT count(DISTINCT item_id) AS items FROM visits;

-- what counts of a user, without the rows above that do not
CREATE VIEW profile AS
SELECT user_id, item_id, sum(weight)::real AS weight, max(at) AS at
FROM (SELECT user_id, item_id, CASE WHEN weight = 'NaN' THEN 0 ELSE coalesce(weight, 1) END AS weight, at FROM visits) v
WHERE user_id IS NOT NULL AND item_id IS NOT NULL GROUP BY 1, 2 HAVING sum(weight)::real > 0;
CREATE FUNCTION evidence(whom bigint, half_life interval DEFAULT '20 days', OUT item_id bigint, OUT weight double precision) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT p.item_id, p.weight * CASE WHEN p.at IS NULL OR half_life = '0' THEN 1 ELSE 2 ^ (-extract(epoch FROM (max(p.at) OVER ()) - p.at)::double precision / extract(epoch FROM half_life)::double precision) END
	FROM profile p WHERE p.user_id = whom
$$;

-- A x = b by Gauss elimination: the user's factor
CREATE FUNCTION folded_in(items bigint[], weights double precision[], unobserved double precision DEFAULT 0.15, lambda double precision DEFAULT 0.02) RETURNS double precision[] LANGUAGE plpgsql AS $$
DECLARE
	k integer := (SELECT max(cardinality(factor)) FROM learned);
	a double precision[] := array_fill(0::double precision, ARRAY[k, k]);
	b double precision[] := array_fill(0::double precision, ARRAY[k]);
	mass double precision := 0;
	f record;
	m double precision;
BEGIN
	FOR f IN SELECT factor AS y, unobserved AS w, false AS own FROM learned
			 UNION ALL SELECT factor, w, true FROM unnest(items, weights) u (i, w) JOIN learned ON item_id = i WHERE w::real > 0 LOOP
		FOR r IN 1 .. k LOOP
			FOR s IN 1 .. k LOOP
				a[r][s] := a[r][s] + f.w * f.y[r] * f.y[s];
			END LOOP;
			b[r] := b[r] + CASE WHEN f.own THEN f.w * f.y[r] ELSE 0 END;
		END LOOP;
		mass := mass + CASE WHEN f.own THEN f.w ELSE 0 END;
	END LOOP;
	FOR r IN 1 .. k LOOP
		a[r][r] := a[r][r] + lambda * (mass + unobserved * (SELECT c.items FROM catalogue c));
	END LOOP;
	FOR r IN 1 .. k LOOP
		FOR s IN 1 .. k LOOP
			CONTINUE WHEN s = r;
			m := a[s][r] / a[r][r];
			FOR t IN 1 .. k LOOP
				a[s][t] := a[s][t] - m * a[r][t];
			END LOOP;
			b[s] := b[s] - m * b[r];
		END LOOP;
	END LOOP;
	RETURN (SELECT array_agg(b[r] / a[r][r] ORDER BY r) FROM generate_series(1, k) r);
END $$;
CREATE FUNCTION expected(whom bigint, half_life interval DEFAULT '20 days') RETURNS TABLE (item_id bigint, score double precision) LANGUAGE sql AS $$
	SELECT l.item_id, (SELECT sum(x * y) FROM unnest(u.factor, l.factor) f (x, y))
	FROM (SELECT folded_in(array_agg(e.item_id), array_agg(e.weight)) AS factor FROM evidence(whom, half_life) e) u, learned l
$$;
-- of all users: scores that are wrong, items that lack or should not be there
CREATE FUNCTION differences(half_life interval DEFAULT '20 days', exclude_seen boolean DEFAULT true, OUT users bigint, OUT scores bigint, OUT differences bigint) LANGUAGE plpgsql AS $$
DECLARE
	u bigint;
	d record;
BEGIN
	users := 0; scores := 0; differences := 0;
	FOR u IN SELECT DISTINCT user_id FROM visits WHERE user_id IS NOT NULL LOOP
		SELECT count(r.score) AS scored, count(*) FILTER (WHERE (abs(coalesce(r.score, 0) - greatest(coalesce(e.score, 0), 0)) <= 1e-5) IS NOT TRUE) AS wrong INTO d
		FROM (SELECT * FROM expected(u, half_life) x
			  WHERE NOT (exclude_seen AND EXISTS (SELECT FROM visits v WHERE (v.user_id, v.item_id) = (u, x.item_id)))) e
		FULL JOIN (SELECT * FROM recommend(u, NULL, 'visits_recsys', exclude_seen, half_life) WHERE source = 'history') r USING (item_id);
		users := users + 1;
		scores := scores + d.scored;
		differences := differences + d.wrong;
	END LOOP;
END $$;
SELECT users > 60 AS users, scores > 800 AS scores, differences FROM differences();
SELECT users > 60 AS users, scores > 800 AS scores, differences FROM differences('0', false);
SELECT users > 60 AS users, scores > 800 AS scores, differences FROM differences('3 days');
-- best first, popular items behind; the weight column and the option half_life count without being told
SELECT bool_and(score >= next) AS ordered, bool_and(source <= next_source) AS popular_last
FROM (SELECT score, source, lead(score) OVER w AS next, lead(source) OVER w AS next_source
	  FROM generate_series(0, 69) u, LATERAL recommend(u, NULL, 'visits_recsys') WITH ORDINALITY r WINDOW w AS (PARTITION BY u ORDER BY ordinality)) r;
SELECT count(*) AS differences FROM generate_series(0, 69) u,
	LATERAL (SELECT item_id, score, source FROM recommend(u, 6, 'visits_recsys') EXCEPT SELECT item_id, score, source FROM recommend(u, 6, 'visits_recsys', half_life => '20 days')) d;
SELECT count(*) FROM recommend(1, 0, 'visits_recsys');

-- given items
SELECT count(*) > 20 AS scores, count(*) FILTER (WHERE (abs(coalesce(r.score, 0) - greatest(coalesce(e.score, 0), 0)) <= 1e-5) IS NOT TRUE) AS differences
FROM (SELECT l.item_id, (SELECT sum(x * y) FROM unnest(u, l.factor) f (x, y)) AS score FROM learned l, folded_in('{3,8,21}', '{1,1,1}') u WHERE l.item_id NOT IN (3, 8, 21)) e
FULL JOIN (SELECT * FROM recommend_for_items('{8,3,NULL,21,3,1000}'::bigint[], NULL, 'visits_recsys') WHERE source = 'history') r USING (item_id);
SELECT DISTINCT source FROM recommend_for_items('{99,1000}'::bigint[], 10, 'visits_recsys');

-- reasons: all items of the history, and what they contribute adds up
SELECT count(*) AS explained,
	   count(*) FILTER (WHERE abs(x.sum - r.score) > 1e-5) AS other_sums, bool_and(x.products) AS products,
	   count(*) FILTER (WHERE x.items <> (SELECT count(*) FROM evidence(u) JOIN learned USING (item_id))) AS other_items
FROM generate_series(0, 69) u, LATERAL recommend(u, 3, 'visits_recsys') r,
	 LATERAL (SELECT sum(contribution), count(*) AS items, bool_and(abs(contribution - weight * similarity) <= 1e-6) AS products
			  FROM explain_recommendation(u, r.item_id, 'visits_recsys')) x
WHERE r.source = 'history';
-- similarity from the user's point of view: the change of the score by an item's weight
SELECT count(*) > 5 AS items, count(*) FILTER (WHERE abs(x.weight - e.weight) > 1e-6) AS other_weights,
	   bool_or(contribution < 0) AS negative_ones, bool_and(contribution <= before) IS NOT FALSE AS ordered
FROM (SELECT *, lag(contribution) OVER () AS before FROM explain_recommendation(2, (SELECT item_id FROM recommend(2, 1, 'visits_recsys')), 'visits_recsys')) x
LEFT JOIN evidence(2) e ON e.item_id = x.because_item_id;
SELECT count(*) FILTER (WHERE x.support IS NOT NULL) > 0 AS with_support, count(*) FILTER (WHERE s.support IS DISTINCT FROM x.support) AS other_supports
FROM explain_recommendation(2, 30, 'visits_recsys') x LEFT JOIN item_similarity('visits_recsys') s ON s.item_id = x.because_item_id AND similar_item_id = 30;
SELECT (SELECT count(*) FROM explain_recommendation(2, 99, 'visits_recsys')) AS without_factor, (SELECT count(*) FROM explain_recommendation(-1, 30, 'visits_recsys')) AS unknown_user;

/*
 * What is new counts at once; factors stay as they are until a build.
 */
INSERT INTO visits SELECT 2, i, 2, '2024-03-01' FROM unnest(ARRAY[31, 37, 40]) i;
INSERT INTO visits SELECT 200 + g % 3, floor(45 * chance(g, 'new')), 1, now() FROM generate_series(1, 12) g;
DELETE FROM visits WHERE user_id = 5 AND item_id % 2 = 0;
UPDATE visits SET weight = 5 WHERE user_id = 7 AND item_id % 3 = 0;
SELECT users > 60 AS users, scores > 800 AS scores, differences FROM differences();
SELECT source, count(*) FROM recommend(201, 10, 'visits_recsys') GROUP BY 1;
-- rolled back
BEGIN;
CREATE TEMP TABLE before AS SELECT * FROM recommend(9, 10, 'visits_recsys');
SAVEPOINT s;
INSERT INTO visits SELECT 9, i, 3, '2024-05-01' FROM generate_series(20, 40) i;
SELECT count(*) > 0 AS changed FROM (SELECT * FROM recommend(9, 10, 'visits_recsys') EXCEPT SELECT * FROM before) d;
ROLLBACK TO s;
SELECT count(*) AS changed FROM (SELECT * FROM recommend(9, 10, 'visits_recsys') EXCEPT SELECT * FROM before) d;
COMMIT;
-- new items have no factors: they say nothing and are not scored, but may be popular
INSERT INTO visits SELECT u, 500, 1, now() FROM generate_series(0, 69) u UNION ALL SELECT 300, 500, 1, now() UNION ALL SELECT 300, 501, 1, now();
SELECT source, count(*) FROM recommend(300, 10, 'visits_recsys') GROUP BY 1;
SELECT source, bool_or(item_id = 500) AS has_new FROM recommend(201, NULL, 'visits_recsys') GROUP BY 1 ORDER BY 1;
SELECT merged > 0 AS merged, inexact > 0 AS inexact FROM recsys.merge('visits_recsys');
SELECT item_id, score, source FROM recommend(-1, 1, 'visits_recsys');
SELECT recsys.check_index('visits_recsys');
SELECT users > 60 AS users, scores > 800 AS scores, differences FROM differences();
DELETE FROM visits WHERE user_id % 5 = 1;
VACUUM visits;
SELECT recsys.check_index('visits_recsys');
SELECT users > 50 AS users, scores > 600 AS scores, differences FROM differences();
SELECT count(*) AS changed FROM (SELECT item_id, factor::double precision[] FROM recsys.item_factors('visits_recsys') EXCEPT SELECT * FROM learned) d;
SELECT recsys.forget_user('visits_recsys', 8) > 0 AS forgotten;
SELECT DISTINCT source FROM recommend(8, 10, 'visits_recsys');

-- what it is measured by is what it serves
CREATE TABLE held_out AS SELECT DISTINCT floor(70 * chance(g, 'u3'))::bigint AS user_id, floor(46 * chance(g, 'i3') ^ 1.5)::bigint AS item_id FROM generate_series(1, 300) g;
DELETE FROM held_out WHERE user_id = 8;
SET client_min_messages = error;
WITH test AS (SELECT * FROM held_out h WHERE NOT EXISTS (SELECT FROM visits v WHERE (v.user_id, v.item_id) = (h.user_id, h.item_id))),
lists AS (SELECT user_id, item_id, ordinality AS place FROM (SELECT DISTINCT user_id FROM test) u, LATERAL recommend(user_id, 20, 'visits_recsys') WITH ORDINALITY),
served AS (SELECT k, avg(hits::double precision / items) AS recall FROM (
	SELECT k, t.user_id, count(DISTINCT t.item_id) AS items, count(l.item_id) AS hits
	FROM unnest('{5,20}'::integer[]) k CROSS JOIN test t LEFT JOIN lists l ON (l.user_id, l.item_id) = (t.user_id, t.item_id) AND place <= k GROUP BY 1, 2) r GROUP BY 1)
SELECT k, value > 0.05 AS something, abs(value - recall) < 1e-12 AS agree
FROM recsys.evaluate_recommender('visits_recsys', 'SELECT * FROM held_out', k => '{5,20}', metrics => '{recall}', resamples => 0) JOIN served USING (k) ORDER BY k;
SET client_min_messages = warning;

-- a build learns of all
REINDEX INDEX visits_recsys;
SELECT recsys.check_index('visits_recsys');
TRUNCATE learned, catalogue;
INSERT INTO learned SELECT item_id, factor FROM recsys.item_factors('visits_recsys');
INSERT INTO catalogue SELECT count(DISTINCT item_id) FROM visits;
SELECT count(*) FILTER (WHERE item_id IN (500, 501)) AS new_items FROM learned;
SELECT users > 50 AS users, scores > 600 AS scores, differences FROM differences();
-- more numbers than users or items; one; options that act at once
ALTER INDEX visits_recsys SET (rank = 60, half_life = '');
REINDEX INDEX CONCURRENTLY visits_recsys;
SELECT recsys.check_index('visits_recsys');
SELECT max(cardinality(factor)) FROM recsys.item_factors('visits_recsys');
SELECT count(*) > 50 AS history FROM generate_series(0, 69) u, LATERAL recommend(u, 3, 'visits_recsys') WHERE source = 'history';
ALTER INDEX visits_recsys SET (rank = 1);
REINDEX INDEX visits_recsys;
TRUNCATE learned;
INSERT INTO learned SELECT item_id, factor FROM recsys.item_factors('visits_recsys');
SELECT users > 50 AS users, scores > 600 AS scores, differences FROM differences('0');

-- pages
SELECT kind, side, pages, tuples, entries FROM recsys.page_summary('visits_recsys') WHERE kind IN ('factor', 'gram', 'sketch') ORDER BY 1;
SELECT factor_bytes, user_bytes + item_bytes + graph_bytes + pending_bytes + other_bytes + free_bytes + factor_bytes = pg_relation_size('visits_recsys') AS adds_up
FROM recsys.index_sections('visits_recsys');

-- of a larger catalog few factors are looked at: the best k are the first k of all
CREATE TABLE many AS SELECT DISTINCT floor(300 * chance(g, 'mu'))::bigint AS user_id, floor(700 * chance(g, 'mi') ^ 1.5)::bigint AS item_id FROM generate_series(1, 9000) g;
CREATE INDEX many_recsys ON many USING recsys (user_id, item_id) WITH (similarity = als, rank = 19, iterations = 3);
SELECT k, exclude_seen, count(DISTINCT u) AS users, count(*) AS rows, count(*) FILTER (WHERE first IS DISTINCT FROM listed) AS differences
FROM unnest(ARRAY[1, 7, 40]) k, unnest(ARRAY[false, true]) exclude_seen, generate_series(0, 290, 10) u,
	 LATERAL (SELECT * FROM (SELECT row_number() OVER () AS place, r::text AS listed FROM recommend(u, k, 'many_recsys', exclude_seen) r) x
			  FULL JOIN (SELECT row_number() OVER () AS place, r::text AS first FROM recommend(u, NULL, 'many_recsys', exclude_seen) r LIMIT k) y USING (place)) lists
GROUP BY 1, 2 ORDER BY 1, 2;
SELECT recsys.check_index('many_recsys');
DROP TABLE many;

/*
 * Who may, and what else an index may be of
 */
SET client_min_messages = notice;
CREATE ROLE regress_recsys_reader;
SET ROLE regress_recsys_reader;
SELECT count(*) FROM recsys.item_factors('visits_recsys');
SELECT count(*) FROM recommend(1, 3, 'visits_recsys');
RESET ROLE;
GRANT SELECT ON visits TO regress_recsys_reader;
SET ROLE regress_recsys_reader;
SELECT count(*) > 0 AS factors FROM recsys.item_factors('visits_recsys');
SELECT count(*) FROM recommend(1, 3, 'visits_recsys');
RESET ROLE;
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
SET ROLE regress_recsys_reader;
SELECT count(*) FROM recsys.item_factors('visits_recsys');
RESET ROLE;
ALTER TABLE visits DISABLE ROW LEVEL SECURITY;
SELECT count(*) FROM recsys.item_factors('visits_recsys', NULL::uuid);

-- text and uuid keys
CREATE TABLE words AS SELECT 'u' || user_id AS who, md5((item_id % 20)::text)::uuid AS what FROM visits WHERE item_id < 40;
CREATE INDEX words_recsys ON words USING recsys (who, what) WITH (similarity = als, rank = 4);
SELECT count(*) AS items FROM recsys.item_factors('words_recsys', NULL::uuid);
SELECT pg_typeof(item_id), source, count(*) FROM recommend('u3', 2, 'words_recsys', NULL::uuid, exclude_seen => false) GROUP BY 1, 2;
SELECT pg_typeof(item_id) FROM recommend_for_items(ARRAY[md5('3')::uuid], 1, 'words_recsys');
SELECT count(*) > 0 AS reasons FROM explain_recommendation('u3', md5('3')::uuid, 'words_recsys');
SELECT recsys.check_index('words_recsys');

-- nothing to learn from, now or any more; one row
TRUNCATE words;
SELECT recsys.check_index('words_recsys');
SELECT count(*) FROM recsys.item_factors('words_recsys', NULL::uuid);
SELECT count(*) FROM recommend('u3', 5, 'words_recsys', NULL::uuid);
INSERT INTO words VALUES ('u3', md5('3')::uuid), ('u3', md5('4')::uuid), ('u4', md5('4')::uuid);
SELECT source FROM recommend('u4', 5, 'words_recsys', NULL::uuid);
SELECT count(*) FROM explain_recommendation('u4', md5('3')::uuid, 'words_recsys');
SELECT merged FROM recsys.merge('words_recsys');
SELECT source FROM recommend('u4', 5, 'words_recsys', NULL::uuid);
SELECT recsys.check_index('words_recsys');
DELETE FROM words WHERE who = 'u3';
REINDEX INDEX words_recsys;
SELECT count(*) AS items FROM recsys.item_factors('words_recsys', NULL::uuid);
SELECT source FROM recommend('u4', 5, 'words_recsys', NULL::uuid, exclude_seen => false);
SELECT recsys.check_index('words_recsys');
-- weights as given, too large for single precision
CREATE TABLE heavy AS SELECT u::bigint AS user_id, i::bigint AS item_id, 1::double precision AS w FROM generate_series(1, 20) u, generate_series(1, 10) i WHERE (u + i) % 3 > 0;
CREATE INDEX heavy_recsys ON heavy USING recsys (user_id, item_id, w) WITH (similarity = als, rank = 4);
INSERT INTO heavy VALUES (30, 1, 1e30), (30, 2, 1e-30), (31, 1, 1e-300), (31, 2, 3e38);
SELECT count(*) FROM recommend(30, 3, 'heavy_recsys');
SELECT count(*) FROM recommend(31, 3, 'heavy_recsys');
-- another model has no factors
CREATE INDEX heavy_cosine ON heavy USING recsys (user_id, item_id);
SELECT count(*) FROM recsys.item_factors('heavy_cosine');
SELECT count(*) FROM recsys.page_summary('heavy_cosine') WHERE kind IN ('factor', 'gram');
REVOKE ALL ON visits FROM regress_recsys_reader;
DROP ROLE regress_recsys_reader;
DROP VIEW profile CASCADE;
DROP TABLE visits, learned, catalogue, held_out, words, heavy;
DROP FUNCTION differences, expected, folded_in, chance;
