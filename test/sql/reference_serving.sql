/*
 * What the index serves against plain SQL, on random data.
 *
 * The item graph is taken from item_similarity(), which reference_graph.sql
 * verifies; from there on everything is computed again: histories, decay,
 * scores, what fills up a short list, reasons, popular and trending items.
 */
CREATE FUNCTION chance(row_number integer, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(row_number::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;

CREATE TABLE visits (user_id bigint, item_id bigint, weight double precision, at timestamptz);
INSERT INTO visits
SELECT nullif(floor(150 * chance(g, 'user')), 7), nullif(floor(40 * chance(g, 'item') ^ 2), 11),
	   CASE WHEN g % 10 = 0 THEN NULL WHEN g % 101 = 0 THEN 'NaN'
			ELSE round((5 * chance(g, 'weight') - 1)::numeric, 2) END,
	   CASE WHEN g % 19 <> 0 THEN '2024-01-01 00:00+00'::timestamptz + interval '6 hours' * floor(300 * chance(g, 'at')) END
FROM generate_series(1, 2000) g;
CREATE INDEX visits_recsys ON visits USING recsys (user_id, item_id, weight, at)
	WITH (similarity = cosine, neighbors = 8, max_history = 6, half_life = '20 days');

-- everyone, a user that nobody knows, and none at all
CREATE TABLE users AS SELECT user_id, row_number() OVER (ORDER BY user_id) AS who
FROM (SELECT DISTINCT user_id FROM visits UNION SELECT -1) u;

CREATE TABLE graph AS SELECT * FROM item_similarity();
SELECT count(*) > 100 AS enough FROM graph;
ANALYZE users, graph;

CREATE TABLE histories (who bigint, item_id bigint, weight double precision, at timestamptz);
CREATE TABLE seen (who bigint, item_id bigint);
CREATE TABLE popular (item_id bigint, users bigint);

CREATE PROCEDURE read_histories() LANGUAGE sql BEGIN ATOMIC
	DELETE FROM histories;
	INSERT INTO histories
	SELECT who, item_id, weight, at
	FROM (SELECT *, row_number() OVER (PARTITION BY who ORDER BY recency DESC) AS place
		  FROM (SELECT who, item_id, max(at) AS at, max(recency) AS recency,
					   sum(CASE WHEN weight IS NULL THEN 1 WHEN weight = 'NaN' THEN 0 ELSE weight::real END)::real AS weight
				FROM (SELECT *, row_number() OVER (ORDER BY at NULLS FIRST, item_id DESC) AS recency FROM visits) v
				JOIN users USING (user_id)
				WHERE item_id IS NOT NULL GROUP BY 1, 2) folded
		  WHERE weight > 0) ranked
	WHERE place <= 6;
	DELETE FROM seen;
	INSERT INTO seen SELECT DISTINCT who, item_id FROM visits JOIN users USING (user_id) WHERE item_id IS NOT NULL;
END;

CALL read_histories();
INSERT INTO popular SELECT item_id, count(*) FROM histories GROUP BY 1;
ANALYZE histories, seen, popular;

-- one user's weights after decay
CREATE FUNCTION decayed(half_life interval)
RETURNS TABLE (who bigint, item_id bigint, weight double precision) LANGUAGE sql STABLE AS $$
	SELECT who, item_id,
		   weight * CASE WHEN at IS NULL OR half_life = interval '0' THEN 1
					ELSE 2 ^ (-extract(epoch FROM max(at) OVER (PARTITION BY who) - at)::float8 /
							  extract(epoch FROM half_life)::float8) END
	FROM histories;
$$;

CREATE TABLE answer (who bigint, item_id bigint, score real, source text, place bigint);
CREATE TABLE scored (who bigint, item_id bigint, score double precision);
CREATE TABLE excluded (who bigint, item_id bigint);

-- compares answer with what scored, popular and excluded tell; k as given to recommend
CREATE FUNCTION differences(k bigint) RETURNS bigint LANGUAGE sql AS $$
	WITH candidates AS MATERIALIZED (
		SELECT s.* FROM scored s LEFT JOIN excluded e USING (who, item_id) WHERE e.who IS NULL),
	fill AS MATERIALIZED (
		SELECT who, item_id, row_number() OVER (PARTITION BY who ORDER BY p.users DESC, item_id) AS place
		FROM (SELECT who, item_id, popular.users FROM users, popular) p
		LEFT JOIN excluded e USING (who, item_id) LEFT JOIN candidates c USING (who, item_id)
		WHERE e.who IS NULL AND c.who IS NULL),
	sizes AS MATERIALIZED (
		SELECT who, coalesce(c.n, 0) AS candidates, coalesce(f.n, 0) AS fill, coalesce(a.personal, 0) AS personal, coalesce(a.n, 0) AS listed
		FROM users
		LEFT JOIN (SELECT who, count(*) AS n FROM candidates GROUP BY 1) c USING (who)
		LEFT JOIN (SELECT who, count(*) AS n FROM fill GROUP BY 1) f USING (who)
		LEFT JOIN (SELECT who, count(*) AS n, count(*) FILTER (WHERE source = 'history') AS personal FROM answer GROUP BY 1) a USING (who))
	SELECT (
		-- not a candidate, or with another score
		SELECT count(*) FROM answer a LEFT JOIN candidates c USING (who, item_id)
		WHERE source = 'history' AND (abs(a.score - c.score) <= 1e-6 * greatest(1, c.score)) IS NOT TRUE
	) + (
		-- not by score and key
		SELECT count(*) FROM (SELECT place, row_number() OVER (PARTITION BY who ORDER BY score DESC, item_id) AS sorted
							  FROM answer WHERE source = 'history') a
		WHERE place <> sorted
	) + (
		-- a better one is missing
		SELECT count(*) FROM candidates c LEFT JOIN answer a USING (who, item_id)
		JOIN (SELECT who, min(score) AS score FROM answer GROUP BY 1) last USING (who)
		WHERE a.item_id IS NULL AND c.score > last.score + 1e-6 * greatest(1, c.score)
	) + (
		-- not as many as there could be
		SELECT count(*) FROM sizes WHERE personal <> least(k, candidates) OR listed <> least(k, candidates + fill)
	) + (
		-- not the popular items in their order
		SELECT count(*) FROM answer a JOIN sizes USING (who)
		LEFT JOIN fill f ON f.who = a.who AND f.item_id = a.item_id AND f.place = a.place - candidates
		WHERE source <> 'history' AND (source = 'popular' AND a.score = 0 AND f.item_id IS NOT NULL) IS NOT TRUE
	);
$$;

CREATE FUNCTION check_recommend(OUT calls bigint, OUT personal bigint, OUT popular bigint, OUT differences bigint)
LANGUAGE plpgsql AS $$
DECLARE
	o record;
	n bigint;
BEGIN
	calls := 0;
	personal := 0;
	popular := 0;
	differences := 0;
	FOR o IN SELECT * FROM unnest(ARRAY[NULL, '0', '5 days', '1 month 2 days']::interval[]) half_life,
						   unnest(ARRAY[true, false]) exclude, unnest(ARRAY[0, 1, 3, 10, NULL]) k
	LOOP
		TRUNCATE answer, scored, excluded;
		INSERT INTO answer SELECT who, r.* FROM users,
			LATERAL recommend(user_id, o.k, 'visits_recsys', o.exclude, o.half_life) r;
		INSERT INTO scored SELECT who, similar_item_id, sum(weight * score)
			FROM decayed(coalesce(o.half_life, '20 days')) JOIN graph USING (item_id) GROUP BY 1, 2;
		IF o.exclude THEN
			INSERT INTO excluded SELECT * FROM seen;
		END IF;
		ANALYZE answer, scored, excluded;
		-- planned anew for every filling of the tables
		EXECUTE 'SELECT differences($1)' INTO n USING o.k;
		IF n > 0 THEN
			RAISE NOTICE '% differences: %', n, o;
		END IF;
		calls := calls + (SELECT count(*) FROM users);
		personal := personal + (SELECT count(*) FROM answer WHERE source = 'history');
		popular := popular + (SELECT count(*) FROM answer WHERE source = 'popular');
		differences := differences + n;
	END LOOP;
END $$;

SELECT calls > 5000 AS enough_calls, personal > 10000 AS enough_personal, popular > 10000 AS enough_popular, differences
FROM check_recommend();

-- explain_recommendation: its rows one by one, their order, and that they add up to the score
CREATE FUNCTION check_explain(half_life interval, OUT explained bigint, OUT differences bigint) LANGUAGE sql AS $$
	WITH explained AS (
		SELECT who, r.item_id, r.score, e.*
		FROM users u, LATERAL recommend(user_id, NULL, NULL, false, half_life) r,
			 LATERAL explain_recommendation(u.user_id, r.item_id, 'visits_recsys', half_life) e
		WHERE r.source = 'history'),
	expected AS (
		SELECT who, h.item_id AS because_item_id, similar_item_id AS item_id,
			   weight * score AS contribution, weight, score AS similarity, support
		FROM decayed(coalesce(half_life, '20 days')) h JOIN graph USING (item_id))
	SELECT count(*),
		   count(*) FILTER (WHERE (abs(e.contribution - x.contribution) <= 1e-6 * greatest(1, x.contribution)
								   AND abs(e.weight - x.weight) <= 1e-6 * greatest(1, x.weight)
								   AND e.similarity = x.similarity AND e.support = x.support) IS NOT TRUE)
		   + (SELECT count(*) FROM (SELECT rank, row_number() OVER (PARTITION BY who, item_id
										   ORDER BY contribution DESC, because_item_id) AS sorted FROM explained) s
			  WHERE rank <> sorted)
		   + (SELECT count(*) FROM (SELECT FROM explained GROUP BY who, item_id
									HAVING abs(sum(contribution) - min(score)) > 1e-6 * greatest(1, min(score))) s)
	FROM explained e FULL JOIN expected x USING (who, item_id, because_item_id);
$$;
SELECT explained > 2000 AS enough, differences FROM check_explain(NULL);
SELECT explained > 2000 AS enough, differences FROM check_explain('0');
SELECT explained > 2000 AS enough, differences FROM check_explain('3 days');
-- nothing explains what was not recommended
SELECT count(*) FROM users u, LATERAL (
	SELECT p.item_id FROM popular p, LATERAL explain_recommendation(u.user_id, p.item_id)
	EXCEPT SELECT item_id FROM recommend(u.user_id, NULL, exclude_seen => false) WHERE source = 'history') e;

-- recommend_for_items: carts of up to five items, some twice, some unknown, some NULL
CREATE TABLE carts AS
SELECT who, array_agg(nullif(floor(45 * chance(who::integer * 5 + g, 'cart'))::bigint, 13) ORDER BY g) AS items
FROM users, generate_series(1, 5) g WHERE g <= who % 6 GROUP BY who;
INSERT INTO carts SELECT who, ARRAY[1, 2, 2, NULL, 1] FROM users WHERE who % 6 = 0;
CREATE FUNCTION check_carts(OUT personal bigint, OUT popular bigint, OUT differences bigint) LANGUAGE plpgsql AS $$
DECLARE
	o record;
	n bigint;
BEGIN
	personal := 0;
	popular := 0;
	differences := 0;
	FOR o IN SELECT * FROM unnest(ARRAY[true, false]) exclude, unnest(ARRAY[0, 1, 5, NULL]) k
	LOOP
		TRUNCATE answer, scored, excluded;
		INSERT INTO answer SELECT who, r.* FROM carts,
			LATERAL recommend_for_items(items, o.k, 'visits_recsys', o.exclude) r;
		INSERT INTO scored SELECT who, similar_item_id, sum(score)
			FROM (SELECT DISTINCT who, unnest(items) AS item_id FROM carts) c JOIN graph USING (item_id) GROUP BY 1, 2;
		IF o.exclude THEN
			INSERT INTO excluded SELECT who, item FROM carts, unnest(items) item WHERE item IS NOT NULL;
		END IF;
		ANALYZE answer, scored, excluded;
		personal := personal + (SELECT count(*) FROM answer WHERE source = 'history');
		popular := popular + (SELECT count(*) FROM answer WHERE source = 'popular');
		EXECUTE 'SELECT differences($1)' INTO n USING o.k;
		differences := differences + n;
	END LOOP;
END $$;
SELECT personal > 2000 AS enough_personal, popular > 2000 AS enough_popular, differences FROM check_carts();

-- similar_items: the rows of the graph
SELECT count(*) FROM graph g
FULL JOIN (SELECT i.item_id, s.item_id AS similar_item_id, s.score, s.support, s.rank
		   FROM (SELECT DISTINCT item_id FROM visits) i, LATERAL similar_items(i.item_id, 5) s) s
	USING (item_id, similar_item_id, score, support, rank)
WHERE (g.item_id IS NULL OR s.item_id IS NULL) AND rank <= 5;

-- popular_items: all time
SELECT count(*) FROM (SELECT item_id, users, users::float8 AS score, row_number() OVER (ORDER BY users DESC, item_id) AS rank FROM popular) p
FULL JOIN popular_items(NULL) q USING (item_id, users, score, rank)
WHERE p.item_id IS NULL OR q.item_id IS NULL;

-- trending: max_history does not matter here; NULL times are older than any since and do not decay
CREATE FUNCTION check_trending(since timestamptz, half_life interval, OUT items bigint, OUT differences bigint)
LANGUAGE sql AS $$
	WITH folded AS (
		SELECT user_id, item_id, max(at) AS at,
			   sum(CASE WHEN weight IS NULL THEN 1 WHEN weight = 'NaN' THEN 0 ELSE weight::real END) AS weight
		FROM visits WHERE user_id IS NOT NULL AND item_id IS NOT NULL AND (at >= since OR since IS NULL)
		GROUP BY 1, 2),
	expected AS (
		SELECT item_id, count(*) AS users,
			   sum(CASE WHEN at IS NULL OR half_life IS NULL OR half_life = interval '0' THEN 1
				   ELSE 2 ^ (-extract(epoch FROM latest - at)::float8 / extract(epoch FROM half_life)::float8) END) AS score
		FROM folded, (SELECT max(at) AS latest FROM folded WHERE weight > 0) l WHERE weight > 0 GROUP BY 1),
	trending AS (
		SELECT * FROM popular_items(NULL, 'visits_recsys', since, half_life))
	SELECT count(*), count(*) FILTER (WHERE (abs(t.score - e.score) <= 1e-6 * e.score AND t.users = e.users) IS NOT TRUE)
		   + (SELECT count(*) FROM (SELECT rank, row_number() OVER (ORDER BY score DESC, item_id) AS sorted FROM trending) s
			  WHERE rank <> sorted)
	FROM trending t FULL JOIN expected e USING (item_id);
$$;
SELECT items > 10 AS enough, differences FROM check_trending('2024-02-20 00:00+00', NULL);
SELECT items > 10 AS enough, differences FROM check_trending('2024-02-20 00:00+00', '1 day');
SELECT items > 10 AS enough, differences FROM check_trending(NULL, '10 days');
SELECT items > 10 AS enough, differences FROM check_trending('-infinity', '2 hours');
SELECT * FROM check_trending('2030-01-01', NULL);

-- all of it again after rows have come, gone and changed: histories are those of now, the graph is as of the build
INSERT INTO visits SELECT 1000 + g % 5, 20 + g % 30, 1, '2024-04-01 00:00+00'::timestamptz + interval '1 hour' * g FROM generate_series(1, 60) g;
INSERT INTO visits SELECT g % 20, g % 40, 2, '2024-04-01 00:00+00' FROM generate_series(1, 60) g;
INSERT INTO users SELECT 1000 + g, 1000 + g FROM generate_series(0, 4) g UNION ALL SELECT 7, 1007;
DELETE FROM visits WHERE user_id % 10 = 3 OR item_id = 2;
UPDATE visits SET weight = weight * 2, at = at + interval '1 day' WHERE user_id % 10 = 4;
UPDATE visits SET weight = -5 WHERE user_id % 10 = 5 AND item_id % 3 = 0;
CALL read_histories();
SELECT calls > 5000 AS enough_calls, personal > 10000 AS enough_personal, popular > 10000 AS enough_popular, differences
FROM check_recommend();
SELECT explained > 2000 AS enough, differences FROM check_explain(NULL);
SELECT items > 10 AS enough, differences FROM check_trending('2024-02-20 00:00+00', '1 day');
VACUUM visits;
SELECT recsys.check_index('visits_recsys');
-- VACUUM has merged: the graph and the popular items follow
SELECT inexact FROM recsys.merge('visits_recsys', exact => true);
DELETE FROM graph;
INSERT INTO graph SELECT * FROM item_similarity();
DELETE FROM popular;
INSERT INTO popular SELECT item_id, count(*) FROM histories GROUP BY 1;
SELECT differences FROM check_recommend();
SELECT differences FROM check_trending(NULL, '10 days');

-- half_life of the index changes at once
ALTER INDEX visits_recsys SET (half_life = '5 days');
SELECT count(*) FROM users, LATERAL (SELECT * FROM recommend(user_id, 5) EXCEPT SELECT * FROM recommend(user_id, 5, half_life => '5 days')) d;
ALTER INDEX visits_recsys RESET (half_life);
SELECT count(*) FROM users, LATERAL (SELECT * FROM recommend(user_id, 5) EXCEPT SELECT * FROM recommend(user_id, 5, half_life => '0')) d;

DROP TABLE visits, users, graph, histories, seen, popular, answer, scored, excluded, carts CASCADE;
DROP FUNCTION chance, decayed, differences, check_recommend, check_explain, check_carts, check_trending;
