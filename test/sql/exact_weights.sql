/*
 * Sums of weights, against those of numeric: in the index, by merges, in queries, in mining,
 * for a user with more rows than are kept, on disk, and in any order of the rows.
 */
SET client_min_messages = warning;
SELECT setseed(0.13);

/*
 * Amounts of up to 15 digits, of which many cancel.  Every item is also bought, once for
 * each, beside item 0 by users of their own, so that item 0 can be explained by all that
 * a user has.
 */
CREATE FUNCTION amount() RETURNS numeric LANGUAGE sql VOLATILE
	RETURN trunc((random() * 10 ^ (1 + floor(random() * 15)))::numeric) / 10 ^ floor(random() * 5)::int::numeric;

CREATE TABLE bought (id serial, user_id int, item_id int, amount numeric, at timestamptz);
INSERT INTO bought (user_id, item_id, amount, at)
SELECT user_id, item_id, amount(), timestamptz '2024-01-01' + n * interval '1 minute'
FROM (SELECT n, 1 + floor(random() * 120)::int AS user_id, 1 + floor(random() * 40)::int AS item_id FROM generate_series(1, 6000) n) r;

-- all of it back; or all but a cent
INSERT INTO bought (user_id, item_id, amount, at) SELECT user_id, item_id, -amount, at FROM bought WHERE (user_id + item_id) % 3 < 2 ORDER BY random();
INSERT INTO bought (user_id, item_id, amount, at) SELECT user_id, item_id, 0.01, max(at) FROM bought WHERE (user_id + item_id) % 3 = 1 GROUP BY 1, 2;
INSERT INTO bought (user_id, item_id, amount, at)
SELECT 1000 + item_id, unnest(ARRAY[0, item_id]), 1, '2023-01-01' FROM generate_series(1, 40) item_id;

-- what is there to find
CREATE VIEW expected AS
SELECT user_id, item_id, sum(amount)::double precision AS weight, count(*) AS nrows
FROM bought GROUP BY 1, 2 HAVING sum(amount) > 0;
SELECT count(*) > 1500 AS enough, count(*) FILTER (WHERE weight = 0.01) > 1000 AS nearly_nothing,
	   (SELECT count(*) > 1000 FROM (SELECT FROM bought GROUP BY user_id, item_id HAVING sum(amount) = 0) z) AS nothing,
	   max(nrows) > 5 AS several
FROM expected;

-- how the weights of an index differ from them
CREATE FUNCTION differences(index text) RETURNS TABLE (weights bigint, differ bigint) LANGUAGE sql AS $$
	SELECT count(*), count(*) FILTER (WHERE e.weight IS DISTINCT FROM x.weight)
	FROM (SELECT user_id, item_id, weight FROM expected WHERE user_id < 1000) e
		 FULL JOIN (SELECT user_id, because_item_id::int AS item_id, weight
					FROM (SELECT DISTINCT user_id FROM bought WHERE user_id < 1000) u,
						 explain_recommendation(user_id, 0, index)) x USING (user_id, item_id)
$$;

CREATE INDEX bought_recsys ON bought USING recsys (user_id, item_id, amount, at) WITH (min_support = 1);
SELECT weights > 1500 AS enough, differ FROM differences('bought_recsys');
SELECT recsys.check_index('bought_recsys');

-- from item graphs: weighted cosine of what numeric sums up
CREATE FUNCTION cosines() RETURNS TABLE (item_id int, similar_item_id int, score double precision, support bigint) LANGUAGE sql AS $$
	WITH norms AS (SELECT item_id, sqrt(sum(weight * weight)) AS norm FROM expected GROUP BY 1)
	SELECT a.item_id, b.item_id, sum(a.weight * b.weight) / max(x.norm) / max(y.norm), count(*)
	FROM expected a JOIN expected b ON b.user_id = a.user_id AND b.item_id <> a.item_id
		 JOIN norms x ON x.item_id = a.item_id JOIN norms y ON y.item_id = b.item_id
	GROUP BY 1, 2
$$;
CREATE TABLE reference AS SELECT * FROM cosines();
CREATE FUNCTION graph_differences(graph text) RETURNS TABLE (pairs bigint, differ bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT count(*), count(*) FILTER (WHERE r.support IS DISTINCT FROM g.support OR
		abs(r.score - g.score) > 1e-6) FROM reference r FULL JOIN (SELECT item_id::int, similar_item_id::int, score, support FROM %s) g
		USING (item_id, similar_item_id)', graph);
END $$;
SELECT pairs > 1000 AS enough, differ FROM graph_differences($$item_similarity('bought_recsys')$$);
SELECT differ FROM graph_differences($$query_item_similarity('SELECT user_id, item_id, amount FROM bought', min_support => 1)$$);

-- in other orders of the rows, by other types, and with rows and histories on disk
CREATE TABLE mixed AS SELECT * FROM bought ORDER BY random();
CREATE TABLE backwards AS SELECT id, user_id, item_id, amount::double precision, at FROM bought ORDER BY amount;
CREATE INDEX mixed_recsys ON mixed USING recsys (user_id, item_id, amount) WITH (min_support = 1);
SELECT differ FROM differences('mixed_recsys');
CREATE INDEX backwards_recsys ON backwards USING recsys (user_id, item_id, amount) WITH (min_support = 1);
SELECT differ FROM differences('backwards_recsys');
SELECT differ FROM graph_differences($$query_item_similarity('SELECT user_id, item_id, amount FROM backwards', min_support => 1)$$);

SET maintenance_work_mem = '1MB';
CREATE TABLE padding AS
SELECT user_id, item_id, amount, at FROM mixed UNION ALL SELECT 2000 + n, 100 + n % 5, 1, NULL FROM generate_series(1, 30000) n;
CREATE INDEX padding_recsys ON padding USING recsys (user_id, item_id, amount, at) WITH (min_support = 1);
SELECT differ FROM differences('padding_recsys');
SELECT recsys.check_index('padding_recsys');
SELECT differ FROM graph_differences($$query_item_similarity('SELECT user_id, item_id, amount FROM padding', min_support => 1)
	WHERE item_id < 100 AND similar_item_id < 100$$);
RESET maintenance_work_mem;

-- merges: rows come one by one, and some go
CREATE TABLE late (LIKE bought);
CREATE INDEX late_recsys ON late USING recsys (user_id, item_id, amount, at) WITH (min_support = 1);
INSERT INTO late SELECT * FROM bought WHERE id % 2 = 0 ORDER BY random();
INSERT INTO late SELECT 0, user_id, item_id, amount() - amount(), at FROM bought WHERE id % 5 = 0;
SELECT recsys.merge('late_recsys') IS NOT NULL AS merged;
INSERT INTO late SELECT * FROM bought WHERE id % 2 = 1 ORDER BY random();
DELETE FROM late WHERE id = 0;
VACUUM late;
SELECT recsys.merge('late_recsys', exact => true) IS NOT NULL AS merged;
SELECT differ FROM differences('late_recsys');
SELECT differ FROM graph_differences($$item_similarity('late_recsys')$$);
SELECT recsys.check_index('late_recsys');

-- a user with more rows than are kept one by one, in a query and in an index
CREATE TABLE giant AS
SELECT 1 AS user_id, 1 + n % 40 AS item_id, amount() * CASE WHEN random() < 0.5 THEN -1 ELSE 1 END AS amount FROM generate_series(1, 90000) n;
INSERT INTO giant SELECT 1, item_id, -amount FROM giant WHERE item_id % 4 < 3 ORDER BY random();
INSERT INTO giant SELECT 1, item_id, 12345.67 FROM giant WHERE item_id % 2 = 0 GROUP BY item_id;
INSERT INTO giant SELECT user_id, item_id, amount FROM bought WHERE user_id >= 1000;
CREATE INDEX giant_recsys ON giant USING recsys (user_id, item_id, amount) WITH (min_support = 1);
CREATE VIEW giant_expected AS
SELECT item_id, sum(amount)::double precision AS weight FROM giant WHERE user_id = 1 GROUP BY 1 HAVING sum(amount) > 0;
SELECT count(*) BETWEEN 20 AND 35 AS enough, count(*) FILTER (WHERE e.weight IS DISTINCT FROM x.weight) AS differ
FROM giant_expected e FULL JOIN explain_recommendation(1, 0, 'giant_recsys') x ON x.because_item_id = e.item_id;
SELECT recsys.check_index('giant_recsys');
TRUNCATE reference;
INSERT INTO reference
WITH folded AS (SELECT user_id, item_id, sum(amount)::double precision AS weight FROM giant GROUP BY 1, 2 HAVING sum(amount) > 0),
	norms AS (SELECT item_id, sqrt(sum(weight * weight)) AS norm FROM folded GROUP BY 1)
SELECT a.item_id, b.item_id, sum(a.weight * b.weight) / max(x.norm) / max(y.norm), count(*)
FROM folded a JOIN folded b ON b.user_id = a.user_id AND b.item_id <> a.item_id
	 JOIN norms x ON x.item_id = a.item_id JOIN norms y ON y.item_id = b.item_id GROUP BY 1, 2;
SELECT differ FROM graph_differences($$item_similarity('giant_recsys')$$);
SELECT differ FROM graph_differences($$query_item_similarity('SELECT user_id, item_id, amount FROM giant', min_support => 1)$$);
SELECT differ FROM graph_differences($$query_item_similarity('SELECT user_id, item_id, amount FROM giant ORDER BY random()', min_support => 1)$$);

-- mining: revenue
CREATE TABLE lines (order_id int, item_id int, amount numeric);
INSERT INTO lines SELECT n, i, amount FROM generate_series(1, 3) n, (VALUES (1, 19.99), (2, 5.05)) p(i, amount);
SELECT items, support, basket_weight FROM query_frequent_itemsets('SELECT * FROM lines', min_support => 1, weights => true) ORDER BY items;
INSERT INTO lines SELECT user_id + 10, item_id, amount FROM bought WHERE user_id < 1000 AND item_id < 12;
CREATE VIEW baskets AS
SELECT order_id, array_agg(item_id ORDER BY item_id) AS items, sum(amount) AS amount
FROM (SELECT order_id, item_id, sum(amount) AS amount FROM lines GROUP BY 1, 2 HAVING sum(amount) > 0) l GROUP BY 1;
CREATE FUNCTION mined_differences(sets text) RETURNS TABLE (found bigint, differ bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT count(*), count(*) FILTER (WHERE s.basket_weight IS DISTINCT FROM
		(SELECT sum(amount)::double precision FROM baskets b WHERE b.items @> s.items::int[])) FROM %s s', sets);
END $$;
SELECT found > 200 AS enough, differ
FROM mined_differences($$query_frequent_itemsets('SELECT * FROM lines', min_support => 3, weights => true)$$);
CREATE INDEX lines_recsys ON lines USING recsys (order_id, item_id, amount);
SELECT found > 200 AS enough, differ FROM mined_differences($$frequent_itemsets('lines_recsys', min_support => 3, weights => true)$$);
SELECT differ FROM mined_differences($$frequent_itemsets('lines_recsys', min_support => 3, weights => true, kind => 'closed')$$);
SELECT differ FROM mined_differences($$frequent_itemsets('lines_recsys', k => 20, weights => true)$$);
SELECT count(*) > 100 AS enough, count(*) FILTER (WHERE basket_weight IS DISTINCT FROM
	(SELECT sum(amount)::double precision FROM baskets b WHERE b.items @> (antecedent || consequent)::int[])) AS differ
FROM association_rules('lines_recsys', min_support => 3, min_confidence => 0, weights => true);

-- popular items: whoever took all back is no user
SELECT count(*) AS differ
FROM popular_items(1000, 'bought_recsys', since => '2000-01-01') p
	 FULL JOIN (SELECT item_id, count(*) AS users FROM expected GROUP BY 1) e USING (item_id)
WHERE p.users IS DISTINCT FROM e.users;
SELECT count(*) AS differ
FROM popular_items(1000, 'bought_recsys') p FULL JOIN (SELECT item_id, count(*) AS users FROM expected GROUP BY 1) e USING (item_id)
WHERE p.users IS DISTINCT FROM e.users;

-- what is held out, and evaluations: sums in place of their rows are the same
SELECT count(*) AS differ
FROM recsys.holdout('SELECT user_id, item_id, amount, at FROM bought', holdout_last => 1) h
	 FULL JOIN (SELECT DISTINCT ON (user_id) user_id::text, item_id::text
				FROM (SELECT user_id, item_id, max(at) AS at, count(*) OVER (PARTITION BY user_id) AS items
					  FROM bought GROUP BY 1, 2 HAVING sum(amount) > 0) f
				WHERE items > 1 ORDER BY user_id, at DESC, f.item_id) e USING (user_id, item_id)
WHERE h.user_id IS NULL OR e.user_id IS NULL;
CREATE FUNCTION quality(query text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT q::text FROM recsys.evaluate(query, 'similarity = cosine, min_support = 1', holdout_share => 0.3, exclude_seen => false) q $$;
SELECT count(*) FROM (SELECT * FROM quality('SELECT user_id, item_id, amount FROM bought')
					  EXCEPT SELECT * FROM quality('SELECT user_id, item_id, weight FROM expected')) d;

-- a real stands for what it prints, too; what cancels is gone everywhere
CREATE TABLE returned (user_id int, item_id int, amount real, precise double precision);
INSERT INTO returned VALUES (1, 1, 0.3), (1, 1, 0.6), (1, 1, -0.9), (1, 2, 9999999), (1, 2, 5), (1, 2, -10000004), (1, 3, 1), (1, 4, 1),
	(2, 1, 1), (2, 2, 1), (2, 3, 0.1), (2, 3, 0.2), (2, 4, 1), (3, 1, 1), (3, 2, 1), (3, 3, 1.7e-8), (3, 5, 1.0000001);
UPDATE returned SET precise = amount::numeric;
CREATE INDEX returned_recsys ON returned USING recsys (user_id, item_id, amount) WITH (min_support = 1);
SELECT because_item_id, weight FROM explain_recommendation(2, 1, 'returned_recsys') ORDER BY 1;
SELECT because_item_id, weight FROM explain_recommendation(3, 4, 'returned_recsys') ORDER BY 1;
SELECT item_id, users FROM popular_items(10, 'returned_recsys') ORDER BY 1;
SELECT item_id, similar_item_id, support FROM query_item_similarity('SELECT user_id, item_id, amount FROM returned', min_support => 1) WHERE item_id <= 2 ORDER BY 1, 2;
SELECT recsys.check_index('returned_recsys');

-- what a double can hold is evidence, and nothing else is
CREATE TABLE extreme (user_id int, item_id int, amount numeric);
INSERT INTO extreme SELECT user_id, unnest(ARRAY[0, 1, 2, 3, 4, 5, 6]),
	unnest(ARRAY[1, 1e200, 1e-200, 'NaN', 'Infinity', 1e400, -1e-300]) FROM generate_series(1, 3) user_id;
INSERT INTO extreme VALUES (4, 1, 1e200), (4, 1, 1e200), (4, 2, 1e-200), (4, 3, 1), (4, 7, 1.7e308), (4, 7, 1.7e308);
CREATE INDEX extreme_recsys ON extreme USING recsys (user_id, item_id, amount) WITH (min_support = 1);
SELECT item_id, users FROM popular_items(10, 'extreme_recsys') ORDER BY 1;
SELECT because_item_id, weight FROM explain_recommendation(4, 0, 'extreme_recsys') ORDER BY 1;
SELECT item_id, similar_item_id, support, score > 0 AND score <= 1 AS sane
FROM item_similarity('extreme_recsys') ORDER BY 1, 2;
SELECT recsys.check_index('extreme_recsys');

DROP TABLE bought, mixed, backwards, padding, late, giant, reference, lines, returned, extreme CASCADE;
DROP FUNCTION amount, differences, cosines, graph_differences, mined_differences, quality;
RESET client_min_messages;
