-- What events of one kind say about those of another: cross_similarity against plain SQL, each
-- measure; keys, weights, users of one side only; memory; what it refuses.
SET client_min_messages = warning;
CREATE SCHEMA crossing;
SET search_path = crossing, public;

/*
 * The reference.  Interactions are folded as an index does: rows without a key count for nothing,
 * weights are summed up, and what does not sum up to more than zero is none.
 */
CREATE TABLE ev (u text, i text, w float8);
CREATE TABLE pr (u text, i text, w float8);
CREATE FUNCTION reference(measure text, min_support int = 2, floor float8 = 0, alpha float8 = 0.4, beta float8 = 0)
RETURNS TABLE (item text, similar_item text, score float8, support bigint) LANGUAGE sql AS $$
WITH fe AS (SELECT u, i, sum(coalesce(w, 1)) AS w FROM ev WHERE u IS NOT NULL AND i IS NOT NULL GROUP BY 1, 2 HAVING sum(coalesce(w, 1)) > 0),
fp AS (SELECT u, i, sum(coalesce(w, 1)) AS w FROM pr WHERE u IS NOT NULL AND i IS NOT NULL GROUP BY 1, 2 HAVING sum(coalesce(w, 1)) > 0),
e AS (SELECT * FROM fe WHERE u IN (SELECT u FROM fp)),
p AS (SELECT * FROM fp WHERE u IN (SELECT u FROM fe)),
n AS (SELECT count(DISTINCT u)::float8 AS n FROM e),
ei AS (SELECT i, count(*)::float8 AS n, sum(w) AS mass, sum(w * w) AS norm2 FROM e GROUP BY 1),
pi AS (SELECT i, count(*)::float8 AS n, sum(w * w) AS norm2 FROM p GROUP BY 1),
pu AS (SELECT u, sum(w) AS mass FROM p GROUP BY 1),
pairs AS (
	SELECT e.i, p.i AS j, count(*)::float8 AS c, sum(e.w * p.w) AS dot, sum((e.w / ei.mass) ^ alpha * (p.w / pu.mass) ^ alpha) AS walk
	FROM e JOIN p USING (u) JOIN pu USING (u) JOIN ei ON ei.i = e.i GROUP BY 1, 2),
cells AS (
	SELECT pairs.*, ei.n AS a, pi.n AS b, n.n, ei.norm2 AS norm2_a, pi.norm2 AS norm2_b,
		2 * (SELECT sum(CASE WHEN k > 0 THEN k * ln(k * n.n / (x * y)) ELSE 0 END) FROM (VALUES
			(c, ei.n, pi.n), (ei.n - c, ei.n, n.n - pi.n), (pi.n - c, n.n - ei.n, pi.n), (n.n - ei.n - pi.n + c, n.n - ei.n, n.n - pi.n)) v (k, x, y)) AS g2
	FROM pairs JOIN ei USING (i) JOIN pi ON pi.i = j, n),
signed AS (SELECT *, CASE WHEN c * n > a * b THEN greatest(g2, 0) ELSE 0 END AS likelihood FROM cells),
scored AS (
	SELECT *, CASE measure WHEN 'cosine' THEN dot / sqrt(norm2_a * norm2_b) WHEN 'jaccard' THEN c / (a + b - c) WHEN 'dice' THEN 2 * c / (a + b)
		WHEN 'confidence' THEN c / a WHEN 'lift' THEN c * n / (a * b) WHEN 'pmi' THEN ln(c * n / (a * b))
		WHEN 'log_likelihood' THEN likelihood ELSE b ^ -beta * walk END AS score
	FROM signed)
SELECT i, j, score, c::bigint FROM scored WHERE c >= min_support AND score > 1e-9 AND (floor = 0 OR likelihood >= floor)
$$;

-- what differs between the reference and an answer; its rows, whole or the best k
CREATE TABLE answer (item text, similar_item text, score real, support bigint, rank int, PRIMARY KEY (item, similar_item));
CREATE TABLE expected (item text, similar_item text, score float8, support bigint, PRIMARY KEY (item, similar_item));
CREATE FUNCTION difference(k int = 1000) RETURNS TABLE (what text, n bigint) LANGUAGE sql AS $$
SELECT 'no pair of the reference', count(*) FROM answer WHERE NOT EXISTS (SELECT FROM expected e WHERE (e.item, e.similar_item) = (answer.item, answer.similar_item)) HAVING count(*) > 0
UNION ALL SELECT 'other score or support', count(*) FROM answer JOIN expected e USING (item, similar_item)
	WHERE e.support <> answer.support OR abs(e.score - answer.score) > 1e-5 * e.score + 1e-9 HAVING count(*) > 0
UNION ALL SELECT 'missing', count(*) FROM expected e LEFT JOIN (SELECT item, count(*) AS n, min(score) AS worst FROM answer GROUP BY 1) a USING (item)
	WHERE NOT EXISTS (SELECT FROM answer WHERE (e.item, e.similar_item) = (answer.item, answer.similar_item))
	AND (coalesce(a.n, 0) < k OR e.score > a.worst * (1 + 1e-5)) HAVING count(*) > 0
UNION ALL SELECT 'too many', count(*) FROM (SELECT FROM answer GROUP BY item HAVING count(*) > k) x HAVING count(*) > 0
$$;
CREATE FUNCTION fill(call text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE answer;
	EXECUTE 'INSERT INTO answer SELECT * FROM ' || call;
	RETURN (SELECT count(*) FROM answer);
END
$$;
CREATE FUNCTION expect(measure text, min_support int = 2, floor float8 = 0, alpha float8 = 0.4, beta float8 = 0) RETURNS void LANGUAGE sql AS $$
TRUNCATE expected;
INSERT INTO expected SELECT * FROM reference(measure, min_support, floor, alpha, beta);
$$;

/*
 * Views of users 0 to 149, purchases of users 50 to 219: so 50 to 149 are users of both.  There are
 * rows without a user, an item, a weight; returns that cancel a purchase; and rows that are the same.
 */
SELECT setseed(0.5);
CREATE TABLE views (user_id int, item_id int, w numeric);
INSERT INTO views SELECT CASE WHEN n % 97 > 0 THEN (random() * 149)::int END, CASE WHEN n % 89 > 0 THEN 100 - (random() ^ 2 * 60)::int END,
	CASE WHEN n % 7 > 0 THEN (random() * 4)::int END FROM generate_series(1, 1500) n;
CREATE TABLE purchases (user_id bigint, item_id int, w float8);
INSERT INTO purchases SELECT CASE WHEN n % 97 > 0 THEN 50 + (random() * 169)::int END, CASE WHEN n % 89 > 0 THEN 60 + (random() ^ 2 * 50)::int END,
	CASE WHEN n % 7 > 0 THEN round((random() * 5 - 0.5)::numeric, 1) END FROM generate_series(1, 1500) n;
INSERT INTO purchases SELECT user_id, item_id, -w FROM purchases WHERE w > 4;
INSERT INTO views SELECT * FROM views WHERE user_id % 5 = 0;
CREATE INDEX views_recsys ON views USING recsys (user_id, item_id, w);
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, item_id, w);
INSERT INTO ev SELECT * FROM views;
INSERT INTO pr SELECT * FROM purchases;
CREATE TABLE measures (measure text);
INSERT INTO measures VALUES ('rp3beta'), ('log_likelihood'), ('cosine'), ('jaccard'), ('dice'), ('confidence'), ('lift'), ('pmi');

CREATE FUNCTION differences(call text, floors float8[] = '{0,3.84}', supports int[] = '{1,3}', ks int[] = '{1000,3}')
RETURNS TABLE (measure text, min_support int, floor float8, k int, what text, n bigint) LANGUAGE plpgsql AS $$
DECLARE
	m record;
	neighbors int;
	compared bigint = 0;
BEGIN
	FOR m IN SELECT * FROM measures, unnest(floors) AS f (floor), unnest(supports) AS s (support) LOOP
		PERFORM expect(m.measure, m.support, m.floor);
		FOREACH neighbors IN ARRAY ks LOOP
			compared = compared + fill(format(call, format('similarity => %L, neighbors => %s, min_support => %s, min_likelihood => %s', m.measure, neighbors, m.support, m.floor)));
			RETURN QUERY SELECT m.measure, m.support, m.floor, neighbors, d.* FROM difference(neighbors) d;
		END LOOP;
	END LOOP;
	IF compared < 1000 THEN
		RAISE EXCEPTION 'nothing to compare';
	END IF;
END
$$;
SELECT * FROM differences('cross_similarity(''views_recsys'', ''purchases_recsys'', %s)');
SELECT * FROM differences('query_cross_similarity(''SELECT * FROM views'', ''SELECT * FROM purchases'', %s)', '{0}', '{2}');

-- a pair of an item with itself is one as any other
SELECT count(*) > 5 AS bought_what_was_viewed FROM cross_similarity('views_recsys', 'purchases_recsys') WHERE item_id = similar_item_id;

-- defaults, options, order
SELECT expect('rp3beta');
SELECT fill('cross_similarity(''views_recsys'', ''purchases_recsys'', neighbors => 1000)') > 100 AS some;
SELECT * FROM difference();
SELECT count(*) AS out_of_order FROM (SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY score DESC, similar_item_id) AS place
	FROM cross_similarity('views_recsys', 'purchases_recsys')) x WHERE rank <> place;
SELECT count(*) AS out_of_order FROM (SELECT item_id, lag(item_id) OVER () AS before FROM cross_similarity('views_recsys', 'purchases_recsys')) x WHERE item_id < before;
SELECT expect('rp3beta', 2, 0, 0.7, 0.5);
SELECT fill('cross_similarity(''views_recsys'', ''purchases_recsys'', neighbors => 1000, options => ''alpha = 0.7, beta = 0.5'')') > 100 AS some;
SELECT * FROM difference();
SELECT count(*) AS differences FROM cross_similarity('views_recsys', 'purchases_recsys', 'cosine') a
JOIN cross_similarity('views_recsys', 'purchases_recsys', 'cosine', options => 'shrinkage = 2') b USING (item_id, similar_item_id)
WHERE abs(b.score - a.score * a.support / (a.support + 2)) > 1e-6;

-- what has been inserted, updated, deleted and forgotten since, merged or not; items that came late
INSERT INTO views SELECT 50 + n % 60, n % 30, 1 FROM generate_series(1, 300) n;
INSERT INTO purchases SELECT 50 + n % 70, 40 + n % 23, 2 FROM generate_series(1, 300) n;
DELETE FROM purchases WHERE user_id % 10 = 3;
UPDATE views SET item_id = item_id + 1 WHERE user_id % 10 = 4;
TRUNCATE ev, pr;
INSERT INTO ev SELECT * FROM views;
INSERT INTO pr SELECT * FROM purchases;
SELECT * FROM differences('cross_similarity(''views_recsys'', ''purchases_recsys'', %s)', '{0}', '{1}');
SELECT recsys.merge('views_recsys') IS NULL AS merged, recsys.merge('purchases_recsys') IS NULL AS merged;
SELECT * FROM differences('cross_similarity(''views_recsys'', ''purchases_recsys'', %s)', '{0}', '{2}');
VACUUM views, purchases;
SELECT * FROM differences('cross_similarity(''views_recsys'', ''purchases_recsys'', %s)', '{0}', '{2}', '{1000}');
BEGIN;
DELETE FROM views WHERE user_id > 120;
DELETE FROM ev WHERE u::int > 120;
SELECT * FROM differences('cross_similarity(''views_recsys'', ''purchases_recsys'', %s)', '{0}', '{2}', '{1000}');
ROLLBACK;
SELECT recsys.forget_user('purchases_recsys', 60) > 0 AS forgotten;
DELETE FROM pr WHERE u = '60';
SELECT * FROM differences('cross_similarity(''views_recsys'', ''purchases_recsys'', %s)', '{0}', '{2}', '{1000}');

-- other item spaces: words that were looked for, as text; users of another integer type; no weights
CREATE TABLE searches (customer smallint, word text, at timestamptz);
INSERT INTO searches SELECT 50 + (random() * 100)::int, CASE WHEN n % 50 > 0 THEN chr(97 + (random() ^ 2 * 25)::int) || CASE WHEN n % 3 = 0 THEN 'É' ELSE '' END END, now()
FROM generate_series(1, 800) n;
CREATE INDEX searches_recsys ON searches USING recsys (customer, word);
TRUNCATE ev;
INSERT INTO ev SELECT DISTINCT customer, word FROM searches;
SELECT * FROM differences('cross_similarity(''searches_recsys'', ''purchases_recsys'', NULL::text, NULL::bigint, %s)', '{0}', '{2}');
SELECT count(*) > 100 AS some, count(DISTINCT pg_typeof(item_id)::text || pg_typeof(similar_item_id)) AS types FROM cross_similarity('searches_recsys', 'purchases_recsys', item_type => NULL::text, similar_item_type => NULL::int);
SELECT count(*) AS differences FROM cross_similarity('searches_recsys', 'purchases_recsys', NULL, NULL) a
FULL JOIN cross_similarity('searches_recsys', 'purchases_recsys', NULL::varchar, NULL::bigint) b ON a.item_id = b.item_id AND a.similar_item_id = b.similar_item_id::text
WHERE a.rank IS DISTINCT FROM b.rank OR a.score IS DISTINCT FROM b.score;
SELECT count(*) AS differences FROM cross_similarity(events => 'crossing.searches_recsys', predicts => 'crossing.purchases_recsys', item_type => NULL::text, similar_item_type => NULL::bigint) a
FULL JOIN query_cross_similarity('SELECT customer, word FROM searches', 'SELECT * FROM purchases WHERE user_id <> 60', NULL::text, NULL::bigint) b USING (item_id, similar_item_id)
WHERE a.rank IS DISTINCT FROM b.rank OR a.score IS DISTINCT FROM b.score;
SELECT count(*) AS out_of_order FROM (SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY score DESC, similar_item_id) AS place
	FROM cross_similarity('searches_recsys', 'purchases_recsys', NULL::text, NULL::bigint, 'jaccard')) x WHERE rank <> place;

-- the other way round, and keys that are all uuids
SELECT count(*) > 100 AS some FROM cross_similarity('purchases_recsys', 'searches_recsys', NULL::bigint, NULL::text);
CREATE TABLE ids AS SELECT md5(user_id::text)::uuid AS user_id, md5(item_id::text)::uuid AS item_id FROM views WHERE user_id IS NOT NULL;
CREATE INDEX ids_recsys ON ids USING recsys (user_id, item_id);
CREATE INDEX ids_late ON ids USING recsys (user_id, item_id) WITH (max_history = 5);
SELECT count(*) AS differences FROM cross_similarity('ids_recsys', 'ids_recsys', NULL::uuid, NULL::uuid, 'cosine', 500) a
FULL JOIN query_item_similarity('SELECT * FROM ids', NULL::uuid, 'cosine', 500) b USING (item_id, similar_item_id)
WHERE (a.score, a.support) IS DISTINCT FROM (b.score, b.support) AND item_id IS DISTINCT FROM similar_item_id;
SELECT bool_and(score = 1) AS like_itself FROM cross_similarity('ids_recsys', 'ids_recsys', NULL::uuid, NULL::uuid, 'cosine', 500) WHERE item_id = similar_item_id;
SELECT max(support) < (SELECT max(support) FROM cross_similarity('ids_recsys', 'ids_recsys', NULL, NULL)) AS cut FROM cross_similarity('ids_late', 'ids_recsys', NULL, NULL);

-- the events on disk: the same answer
CREATE TABLE many AS SELECT (random() * 3000)::int AS user_id, (random() ^ 2 * 3000)::int AS item_id FROM generate_series(1, 200000);
CREATE TABLE few AS SELECT (random() * 3000)::int AS user_id, (random() ^ 2 * 100)::int AS item_id FROM generate_series(1, 9000);
CREATE INDEX many_recsys ON many USING recsys (user_id, item_id);
CREATE INDEX few_recsys ON few USING recsys (user_id, item_id);
CREATE TABLE all_at_once AS SELECT * FROM cross_similarity('many_recsys', 'few_recsys', neighbors => 20);
SET maintenance_work_mem = '1MB';
SELECT count(*) AS differences FROM all_at_once a FULL JOIN cross_similarity('many_recsys', 'few_recsys', neighbors => 20) b USING (item_id, similar_item_id)
WHERE (a.rank, a.score, a.support) IS DISTINCT FROM (b.rank, b.score, b.support);
SELECT count(*) AS differences FROM all_at_once a FULL JOIN query_cross_similarity('TABLE many', 'TABLE few', neighbors => 20) b USING (item_id, similar_item_id)
WHERE (a.rank, a.score, a.support) IS DISTINCT FROM (b.rank, b.score, b.support);
SELECT * FROM cross_similarity('few_recsys', 'many_recsys');
RESET maintenance_work_mem;

-- nothing on either side, nobody on both
CREATE TABLE nothing (user_id int, item_id int);
CREATE INDEX nothing_recsys ON nothing USING recsys (user_id, item_id);
CREATE TABLE others AS SELECT user_id + 100000 AS user_id, item_id FROM few;
CREATE INDEX others_recsys ON others USING recsys (user_id, item_id);
SELECT (SELECT count(*) FROM cross_similarity('nothing_recsys', 'few_recsys')), (SELECT count(*) FROM cross_similarity('few_recsys', 'nothing_recsys')),
	(SELECT count(*) FROM cross_similarity('few_recsys', 'others_recsys')), (SELECT count(*) FROM query_cross_similarity('TABLE nothing', 'TABLE nothing'));

-- what does not go
SELECT * FROM cross_similarity(NULL, 'few_recsys');
SELECT * FROM cross_similarity('few_recsys', NULL);
SELECT * FROM cross_similarity('few_recsys', 'nowhere');
SELECT * FROM cross_similarity('few', 'many_recsys');
SELECT * FROM cross_similarity('ids_recsys', 'few_recsys', NULL, NULL);
SELECT * FROM query_cross_similarity('SELECT user_id::text, item_id FROM many', 'TABLE few');
SELECT * FROM cross_similarity('searches_recsys', 'few_recsys');
SELECT * FROM cross_similarity('few_recsys', 'searches_recsys', NULL::int, NULL::uuid);
SELECT * FROM query_cross_similarity('SELECT customer, word FROM searches', 'TABLE few');
SELECT * FROM cross_similarity('few_recsys', 'few_recsys', NULL::json, NULL::int);
SELECT * FROM cross_similarity('few_recsys', 'few_recsys', 'ease');
SELECT * FROM cross_similarity('few_recsys', 'few_recsys', 'auto');
SELECT * FROM cross_similarity('few_recsys', 'few_recsys', 'likelihood');
SELECT * FROM cross_similarity('few_recsys', 'few_recsys', neighbors => 0);
SELECT * FROM cross_similarity('few_recsys', 'few_recsys', min_support => 0);
SELECT * FROM cross_similarity('few_recsys', 'few_recsys', min_likelihood => -1);
SELECT * FROM cross_similarity('few_recsys', 'few_recsys', min_likelihood => 'NaN');
SELECT * FROM cross_similarity('few_recsys', 'few_recsys', options => 'neighbors = 3');
SELECT * FROM cross_similarity('few_recsys', 'few_recsys', options => 'alpha = 3');
SELECT * FROM query_cross_similarity('few_recsys', 'TABLE few');

-- parameters without a type
PREPARE untyped AS SELECT count(*) > 100 AS some FROM cross_similarity($1, $2, min_support => $3);
EXECUTE untyped('many_recsys', 'few_recsys', 3);
PREPARE untyped_keys AS SELECT count(*) > 100 AS some FROM cross_similarity($1, $2, $3, $4);
EXECUTE untyped_keys('searches_recsys', 'purchases_recsys', NULL, NULL);

-- rights on both tables; row-level security on either
CREATE ROLE regress_crossing;
GRANT USAGE ON SCHEMA crossing TO regress_crossing;
GRANT SELECT ON many TO regress_crossing;
SET ROLE regress_crossing;
SELECT * FROM cross_similarity('many_recsys', 'few_recsys');
SELECT * FROM cross_similarity('few_recsys', 'many_recsys');
SELECT * FROM query_cross_similarity('TABLE many', 'TABLE few');
RESET ROLE;
GRANT SELECT (user_id, item_id) ON few TO regress_crossing;
SET ROLE regress_crossing;
SELECT count(*) > 100 AS some FROM cross_similarity('many_recsys', 'few_recsys');
RESET ROLE;
ALTER TABLE few ENABLE ROW LEVEL SECURITY;
CREATE POLICY even ON few USING (user_id % 2 = 0);
SET ROLE regress_crossing;
SELECT * FROM cross_similarity('many_recsys', 'few_recsys');
SELECT * FROM cross_similarity('few_recsys', 'many_recsys');
SELECT count(*) AS pairs_of_what_is_hidden FROM query_cross_similarity('TABLE many', 'SELECT * FROM few WHERE user_id % 2 = 1');
RESET ROLE;

-- a materialized view is refreshed with a search path that leads nowhere
CREATE MATERIALIZED VIEW viewed_bought AS SELECT * FROM public.cross_similarity('crossing.many_recsys', 'others_recsys');
REFRESH MATERIALIZED VIEW viewed_bought;

DROP SCHEMA crossing CASCADE;
DROP ROLE regress_crossing;
