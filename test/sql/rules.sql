-- Association rules and frequent item sets against a slow reference in plain SQL,
-- over random data and a grid of parameters; then arguments, rights and limits.
SET client_min_messages = warning;
-- hashes are random, and the same everywhere and always
CREATE FUNCTION chance(basket integer, item integer) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(basket || ' ' || item), 1, 8))::bit(32)::bigint / 4294967296.0;
CREATE TABLE lines (basket int, item int, weight real, bought timestamptz);
-- items that go together in patterns, noise, duplicates, returns, NULLs
INSERT INTO lines
SELECT b, i, 1 + b % 3, timestamptz '2026-01-01' + b * interval '1 hour'
FROM generate_series(1, 120) b, generate_series(1, 9) i
WHERE chance(b, i) < CASE WHEN (b + i) % 3 = 0 THEN 0.7 ELSE 0.25 END;
INSERT INTO lines SELECT basket, item, 2, bought FROM lines WHERE basket % 10 = 0;
INSERT INTO lines SELECT basket, item, -100, bought FROM lines WHERE basket % 17 = 0 AND item % 2 = 0;
INSERT INTO lines VALUES (500, 1, 1, NULL), (501, 77, 1, NULL), (NULL, 1, 1, NULL), (502, NULL, 1, NULL), (503, 2, -1, NULL);
CREATE INDEX lines_recsys ON lines USING recsys (basket, item, weight, bought) WITH (min_support = 1);

-- the reference: what is in a basket, and every item set by joining items one by one
CREATE TABLE contents AS
SELECT basket, item, sum(weight) AS weight FROM lines
WHERE basket IS NOT NULL AND item IS NOT NULL GROUP BY 1, 2 HAVING sum(weight) > 0;
CREATE TABLE all_sets AS
WITH RECURSIVE sets AS (
	SELECT ARRAY[item::bigint] AS items, array_agg(basket) AS baskets FROM contents GROUP BY item
	UNION ALL
	SELECT s.items || m.item::bigint, m.baskets
	FROM sets s, LATERAL (
		SELECT c.item, array_agg(c.basket) AS baskets FROM contents c
		WHERE c.basket = ANY (s.baskets) AND c.item > s.items[cardinality(s.items)]
		GROUP BY c.item) m
)
SELECT items, cardinality(baskets)::bigint AS support,
	   (SELECT sum(weight)::float8 FROM contents c WHERE c.basket = ANY (baskets)) AS weight
FROM sets;
SELECT count(DISTINCT basket) AS n FROM contents
\gset

CREATE FUNCTION expected_sets(lowest bigint, kind text, excluded bigint[])
RETURNS TABLE (items bigint[], support bigint, weight float8) LANGUAGE sql AS $$
	WITH frequent AS MATERIALIZED (
		SELECT s.* FROM all_sets s WHERE s.support >= lowest AND NOT s.items && excluded)
	SELECT f.* FROM frequent f
	WHERE kind = 'all'
	   OR NOT EXISTS (SELECT FROM frequent g
			WHERE g.items @> f.items AND cardinality(g.items) = cardinality(f.items) + 1
			  AND (kind = 'maximal' OR g.support = f.support));
$$;

-- every difference is a row
SELECT lowest, kind, shortest, longest, excluded, included, source, d.*
FROM unnest(ARRAY[1, 3, 12, 40]::bigint[]) lowest, unnest(ARRAY['all', 'closed', 'maximal']) kind,
	 (VALUES (1, NULL::int), (2, 3), (1, 2), (4, NULL)) l (shortest, longest),
	 (VALUES ('{}'::bigint[], '{}'::bigint[]), ('{3,99}', '{}'), ('{}', '{2,5}'), ('{1}', '{4}')) f (excluded, included),
	 unnest(ARRAY['index', 'query']) source,
	 LATERAL (
		WITH expected AS (
			SELECT e.items, e.support, e.weight FROM expected_sets(lowest, kind, excluded) e
			WHERE cardinality(e.items) >= shortest AND (longest IS NULL OR cardinality(e.items) <= longest)
			  AND e.items @> included),
		found AS (
			SELECT r.items, r.support, r.basket_weight
			FROM frequent_itemsets('lines_recsys', lowest, kind, shortest, longest, included, excluded, weights => true) r
			WHERE source = 'index'
			UNION ALL
			SELECT r.items, r.support, r.basket_weight
			FROM query_frequent_itemsets('SELECT basket, item, weight FROM lines', lowest, kind, shortest, longest,
				included, excluded, weights => true) r
			WHERE source = 'query')
		(SELECT 'missing' AS difference, * FROM (TABLE expected EXCEPT ALL TABLE found) x
		 UNION ALL
		 SELECT 'wrong', * FROM (TABLE found EXCEPT ALL TABLE expected) x)) d
LIMIT 10;

-- rules with one item in the consequent, and with several; all measures by their formulas
CREATE VIEW expected_rules AS
SELECT a.items AS antecedent, c.items AS consequent, z.support, z.support / n.n AS support_share,
	   z.support / x AS confidence, z.support * n.n / (x * y) AS lift, z.support / n.n - x * y / (n.n * n.n) AS leverage,
	   CASE WHEN y = n.n THEN 1 WHEN z.support = x THEN 'Infinity' ELSE (x / n.n) * (1 - y / n.n) / ((x - z.support) / n.n) END AS conviction,
	   z.support / (x + y - z.support) AS jaccard, z.support / sqrt(x * y) AS cosine,
	   (z.support / x + z.support / y) / 2 AS kulczynski, abs(x - y) / (x + y - z.support) AS imbalance_ratio,
	   CASE WHEN x = n.n OR y = n.n THEN 0
			ELSE n.n * (z.support * n.n - x * y) ^ 2 / (x * y * (n.n - x) * (n.n - y)) END AS chi_square,
	   a.support AS antecedent_support, c.support AS consequent_support, z.weight
FROM all_sets z
JOIN all_sets a ON a.items <@ z.items AND cardinality(a.items) < cardinality(z.items)
JOIN all_sets c ON c.items <@ z.items AND NOT c.items && a.items
	AND cardinality(c.items) = cardinality(z.items) - cardinality(a.items),
	(SELECT count(DISTINCT basket)::float8 AS n FROM contents) n,
	LATERAL (SELECT a.support::float8 AS x, c.support::float8 AS y) f
WHERE cardinality(z.items) <= 4;

SELECT count(*) AS rules,
	   count(*) FILTER (WHERE r.antecedent IS NULL OR e.antecedent IS NULL) AS unmatched,
	   count(*) FILTER (WHERE (r.support, r.antecedent_support, r.consequent_support, r.basket_weight)
			IS DISTINCT FROM (e.support, e.antecedent_support, e.consequent_support, e.weight) OR r.baskets <> :n) AS counts_differ,
	   count(*) FILTER (WHERE NOT (abs(r.support_share - e.support_share) < 1e-12 AND abs(r.confidence - e.confidence) < 1e-12
			AND abs(r.lift - e.lift) < 1e-12 AND abs(r.leverage - e.leverage) < 1e-12
			AND (r.conviction = e.conviction OR abs(r.conviction - e.conviction) < 1e-9)
			AND abs(r.jaccard - e.jaccard) < 1e-12 AND abs(r.cosine - e.cosine) < 1e-12
			AND abs(r.kulczynski - e.kulczynski) < 1e-12 AND abs(r.imbalance_ratio - e.imbalance_ratio) < 1e-12
			AND abs(r.chi_square - e.chi_square) < 1e-9)) AS measures_differ
FROM association_rules('lines_recsys', 6, 0.4, max_length => 4, weights => true) r
FULL JOIN (SELECT * FROM expected_rules WHERE support >= 6 AND confidence >= 0.4 AND cardinality(consequent) = 1) e
	ON e.antecedent = r.antecedent AND e.consequent = ARRAY[r.consequent];

SELECT m AS max_consequent, count(f.antecedent) AS rules,
	   count(*) FILTER (WHERE f.antecedent IS NULL OR e.antecedent IS NULL) AS unmatched,
	   count(*) FILTER (WHERE f.support <> e.support OR abs(f.confidence - e.confidence) > 1e-12
			OR abs(f.lift - e.lift) > 1e-12) AS differences
FROM (SELECT m, r.* FROM generate_series(1, 3) m,
		association_rules_to_sets('lines_recsys', 6, 0.4, max_length => 4, max_consequent => m) r) f
FULL JOIN (SELECT m, x.* FROM generate_series(1, 3) m, expected_rules x
		WHERE support >= 6 AND confidence >= 0.4 AND cardinality(consequent) <= m) e
	USING (m, antecedent, consequent)
GROUP BY m ORDER BY m;

-- p-values: the tail of chi-square by its numbers in books, Fisher's test by its definition
CREATE FUNCTION choose(n bigint, k bigint) RETURNS numeric LANGUAGE sql IMMUTABLE
RETURN CASE WHEN k < 0 OR k > n THEN 0 ELSE trunc(factorial(n) / (factorial(k) * factorial(n - k))) END;
SELECT count(*) AS rules, count(*) FILTER (WHERE NOT abs(r.fisher_p - f.p) <= 1e-10 * f.p) AS differ
FROM association_rules('lines_recsys', 10, 0, max_length => 2) r,
	 LATERAL (SELECT sum(choose(r.antecedent_support, k) * choose(r.baskets - r.antecedent_support, r.consequent_support - k)
				/ choose(r.baskets, r.consequent_support))::float8 AS p
			  FROM generate_series(r.support, least(r.antecedent_support, r.consequent_support)) k) f;
SELECT count(*) FILTER (WHERE (chi_square > 3.841458820694124) <> (chi_square_p < 0.05)
	OR (chi_square > 10.827566170662733) <> (chi_square_p < 0.001)) AS differ
FROM association_rules('lines_recsys', 3, 0);

-- adjusted by Benjamini and Hochberg over all rules, whatever is shown of them
WITH every AS (SELECT * FROM association_rules('lines_recsys', 5, 0, max_length => 3, adjust => true)),
	 ranked AS (SELECT *, count(*) OVER () AS m, count(*) OVER (ORDER BY fisher_p) AS place FROM every),
	 stepped AS (SELECT *, min(least(1, fisher_p * m / place)) OVER (ORDER BY fisher_p DESC) AS expected FROM ranked)
SELECT count(*) AS rules, count(*) FILTER (WHERE NOT abs(s.adjusted_p - s.expected) < 1e-12) AS differ,
	   count(*) FILTER (WHERE s.adjusted_p <= 0.05) =
		(SELECT count(*) FROM association_rules('lines_recsys', 5, 0, max_length => 3, filter => 'adjusted_p <= 0.05')) AS filtered
FROM stepped s;

-- filters and the k best are what WHERE, ORDER BY and LIMIT would choose
WITH every AS MATERIALIZED (SELECT * FROM association_rules('lines_recsys', 5, 0))
SELECT what, count(*) AS differences FROM (
	SELECT 'lift' AS what, d.* FROM ((SELECT antecedent, consequent FROM every WHERE lift >= 1.2)
		EXCEPT SELECT antecedent, consequent FROM association_rules('lines_recsys', 5, 0, min_lift => 1.2)) d
	UNION ALL
	SELECT 'filter', d.* FROM ((SELECT antecedent, consequent FROM every WHERE jaccard > 0.3 AND chi_square_p <= 1e-3)
		EXCEPT SELECT antecedent, consequent FROM association_rules('lines_recsys', 5, 0, filter => 'jaccard > 0.3 AND chi_square_p<=1e-3')) d
	UNION ALL
	SELECT 'no more', d.* FROM (SELECT antecedent, consequent FROM association_rules('lines_recsys', 5, 0, filter => ' Jaccard>.3 and  chi_square_p <= 1e-3 ')
		EXCEPT SELECT antecedent, consequent FROM every WHERE jaccard > 0.3 AND chi_square_p <= 1e-3) d
	UNION ALL
	SELECT 'must_contain', d.* FROM ((SELECT antecedent, consequent FROM every WHERE antecedent || consequent @> '{2,4}')
		EXCEPT SELECT antecedent, consequent FROM association_rules('lines_recsys', 5, 0, must_contain => '{2,4,2}')) d
	UNION ALL
	SELECT 'consequents', d.* FROM ((SELECT antecedent, consequent FROM every WHERE consequent IN (1, 8))
		EXCEPT SELECT antecedent, consequent FROM association_rules('lines_recsys', 5, 0, consequents => '{1,8,1000}')) d
	UNION ALL
	SELECT 'must_not_contain', d.* FROM ((SELECT antecedent, consequent FROM every WHERE NOT antecedent || consequent && '{1,8}')
		EXCEPT SELECT antecedent, consequent FROM association_rules('lines_recsys', 5, 0, must_not_contain => '{1,8}')) d
	UNION ALL
	SELECT 'the ' || k || ' best by ' || m, b.antecedent, b.consequent
	FROM unnest(ARRAY['lift', 'support', 'fisher_p', 'conviction']) m, unnest(ARRAY[1, 7, 100]) k,
		 LATERAL (SELECT r.*, row_number() OVER () AS place FROM association_rules('lines_recsys', 5, 0, k => k, order_by => m) r) b
	JOIN LATERAL (
		SELECT e.*, row_number() OVER (ORDER BY CASE m WHEN 'lift' THEN -lift WHEN 'support' THEN -support WHEN 'fisher_p' THEN fisher_p
			ELSE -conviction END, support DESC, antecedent, consequent) AS place FROM every e) t USING (place)
	WHERE (b.antecedent, b.consequent) <> (t.antecedent, t.consequent)) q
GROUP BY what ORDER BY what;

-- as many as asked for, best first; none is none
SELECT (SELECT count(*) FROM association_rules('lines_recsys', 5, 0, k => 7)) AS seven,
	   (SELECT count(*) FROM association_rules('lines_recsys', 5, 0, k => 0)) AS none;
SELECT count(*) AS differences FROM (SELECT items, support FROM frequent_itemsets('lines_recsys', 5, k => 20)
	EXCEPT (SELECT items, support FROM all_sets ORDER BY support DESC, items LIMIT 20)) d;

-- a share and a number of baskets mean the same where they are the same
SELECT count(*) AS sets, min(support) FROM frequent_itemsets('lines_recsys', min_support => 12.0 / :n);
SELECT count(*) AS sets, min(support) FROM frequent_itemsets('lines_recsys', min_support => 12);
SELECT recsys_share, count(*) FROM unnest(ARRAY[0.999999, 1, 100000]) recsys_share, frequent_itemsets('lines_recsys', recsys_share::float8)
GROUP BY 1 ORDER BY 1;

-- supports of pairs are those of the item graph, and so are returns, duplicates and rows without basket or item
SELECT count(*) AS pairs, count(*) FILTER (WHERE s.support IS DISTINCT FROM f.support) AS differ
FROM item_similarity('lines_recsys') s
FULL JOIN frequent_itemsets('lines_recsys', 1, max_length => 2, min_length => 2) f
	ON f.items = ARRAY[least(s.item_id, s.similar_item_id), greatest(s.item_id, s.similar_item_id)];
SELECT * FROM frequent_itemsets('lines_recsys', 1, must_contain => '{77}');

-- of large baskets the most recent items count
CREATE TABLE large (basket int, item int, bought date);
INSERT INTO large VALUES (1, 1, '2026-01-01'), (1, 2, '2026-01-02'), (1, 3, '2026-01-03'), (1, 4, NULL), (2, 1, NULL), (2, 4, NULL);
CREATE INDEX large_recsys ON large USING recsys (basket, item, bought) WITH (min_support = 1, max_history = 3);
SELECT items, support FROM frequent_itemsets('large_recsys', 1, 'maximal') ORDER BY 1;
SELECT items, support FROM frequent_itemsets('large_recsys', 1, 'maximal', max_basket => 2) ORDER BY 1;
SELECT items, support FROM query_frequent_itemsets('SELECT basket, item, bought FROM large', 1, 'maximal') ORDER BY 1;

-- a row that has come or gone counts at once, and one's own are seen
BEGIN;
DELETE FROM large WHERE basket = 2 AND item = 4;
INSERT INTO large VALUES (2, 2, '2026-01-01'), (2, 9, '2026-01-01');
SELECT items, support FROM frequent_itemsets('large_recsys', 1, 'maximal') ORDER BY 1;
ROLLBACK;
SELECT items, support FROM frequent_itemsets('large_recsys', 1, 'maximal') ORDER BY 1;

-- other key types
CREATE TABLE named AS SELECT ('order ' || basket)::text AS basket, chr(64 + item) || repeat('x', item % 3) AS item,
	('00000000-0000-0000-0000-00000000000' || item)::uuid AS uuid, item::smallint AS small
FROM lines WHERE item < 6 AND basket < 100 GROUP BY basket, item;
CREATE INDEX named_text ON named USING recsys (basket, item);
CREATE INDEX named_uuid ON named USING recsys (basket, uuid);
SELECT * FROM frequent_itemsets('named_text', NULL::text, 40) ORDER BY support DESC, items;
SELECT items, support FROM frequent_itemsets('named_uuid', NULL::uuid, 40, must_contain => '{00000000-0000-0000-0000-000000000001}') ORDER BY support DESC, items;
SELECT antecedent, consequent, support FROM association_rules('named_text', NULL::text, 10, 0.5, consequents => '{Ax,Bxx}', k => 5, order_by => 'lift');
SELECT pg_typeof(antecedent), pg_typeof(consequent), count(*)
FROM query_association_rules('SELECT basket, small FROM named', NULL::smallint, 10, 0.1, must_not_contain => '{1}') GROUP BY 1, 2;
SELECT pg_typeof(antecedent), pg_typeof(consequent), count(*)
FROM query_association_rules_to_sets('SELECT basket, uuid FROM named', NULL::uuid, 10, 0.1) GROUP BY 1, 2;
SELECT count(*) AS differences FROM (
	SELECT array_length(antecedent, 1), support, fisher_p FROM association_rules('named_text', NULL::text, 5, 0)
	EXCEPT ALL SELECT array_length(antecedent, 1), support, fisher_p FROM association_rules('named_uuid', NULL::uuid, 5, 0)) d;
CREATE DOMAIN product AS text;
SELECT pg_typeof(items), count(*) FROM frequent_itemsets('named_text', NULL::product, 40) GROUP BY 1;

-- nothing in, nothing out
CREATE TABLE nothing (basket bigint, item bigint);
CREATE INDEX nothing_recsys ON nothing USING recsys (basket, item);
SELECT * FROM frequent_itemsets('nothing_recsys');
SELECT * FROM association_rules('nothing_recsys', adjust => true);
SELECT * FROM query_association_rules('SELECT basket, item FROM nothing', k => 3);
SELECT * FROM frequently_bought_together(1, 5, 'nothing_recsys');
INSERT INTO nothing VALUES (1, 1);
SELECT * FROM frequent_itemsets('nothing_recsys');
SELECT * FROM association_rules('nothing_recsys', 1, 0);

-- pairs from the item graph are the rules between two items that occur together more often than by chance
SELECT count(*) AS pairs, count(*) FILTER (WHERE (b.support, b.confidence, b.lift, b.jaccard, b.fisher_p)
	IS DISTINCT FROM (r.support, r.confidence, r.lift, r.jaccard, r.fisher_p)) AS differ
FROM association_rules('lines_recsys', 1, 0, max_length => 2, filter => 'lift > 1') r
FULL JOIN (SELECT i, b.* FROM generate_series(1, 9) i, frequently_bought_together(i, NULL, 'lines_recsys') b) b
	ON r.antecedent = ARRAY[i::bigint] AND r.consequent = b.item_id;
SELECT item_id, support FROM frequently_bought_together(4, 3, 'lines_recsys');
SELECT item_id, round(lift::numeric, 3) AS lift FROM frequently_bought_together(4, 3, 'lines_recsys', order_by => 'lift');
SELECT item_id, support FROM frequently_bought_together('Ax'::text, 2, 'named_text');
SELECT count(*) FROM frequently_bought_together(NULL::bigint, 3, 'lines_recsys');
SELECT count(*) FROM frequently_bought_together(123456, 3, 'lines_recsys');

-- baskets completed by the rules of a materialized view: as a query over it would
CREATE MATERIALIZED VIEW product_rules AS SELECT * FROM association_rules('lines_recsys', 5, 0.2);
CREATE INDEX ON product_rules USING gin (antecedent);
CREATE TABLE named_rules AS SELECT * FROM association_rules('named_text', NULL::text, 5, 0.2);
SELECT basket, count(*) AS differences
FROM (VALUES ('{1}'::bigint[]), ('{2,4}'), ('{5,NULL,3,5}'), ('{}'), ('{1,2,3,4,5,6,7,8,9}'), ('{88}')) b (basket),
	 LATERAL (
		(SELECT item_id, round(confidence::numeric, 9) FROM complete_basket(basket, 3, 'product_rules')
		 EXCEPT
		 SELECT consequent, round(max(confidence)::numeric, 9) FROM product_rules
		 WHERE antecedent <@ array_remove(basket, NULL) AND NOT consequent = ANY (array_remove(basket, NULL)) GROUP BY 1)
		UNION ALL
		SELECT NULL, least(3, (SELECT count(DISTINCT consequent) FROM product_rules
			WHERE antecedent <@ array_remove(basket, NULL) AND NOT consequent = ANY (array_remove(basket, NULL))))
			- (SELECT count(*) FROM complete_basket(basket, 3, 'product_rules'))) d (item, number)
WHERE number <> 0 OR item IS NOT NULL
GROUP BY basket;
SELECT item_id, round(confidence::numeric, 3) AS confidence, round(lift::numeric, 3) AS lift, support, antecedent
FROM complete_basket(ARRAY[1, 2], 3, 'product_rules');
SELECT item_id, support, antecedent FROM complete_basket(ARRAY['Ax', 'nowhere'], 2, 'named_rules');
-- changes of the relation show
REFRESH MATERIALIZED VIEW product_rules;
ALTER MATERIALIZED VIEW product_rules RENAME TO rules_of_products;
SELECT count(*) FROM complete_basket(ARRAY[1, 2], 3, 'rules_of_products');
SELECT count(*) FROM complete_basket(ARRAY[1, 2], 3, 'product_rules');
DELETE FROM named_rules;
SELECT count(*) FROM complete_basket(ARRAY['Ax'], 2, 'named_rules');
ALTER TABLE named_rules DROP COLUMN lift;
SELECT count(*) FROM complete_basket(ARRAY['Ax'], 2, 'named_rules');
CREATE VIEW few AS SELECT antecedent, consequent, confidence FROM rules_of_products;
SELECT * FROM complete_basket(ARRAY[1], 2, 'few');
SELECT * FROM complete_basket(ARRAY[1], 2, 'lines_recsys');
SELECT * FROM complete_basket(ARRAY[1], 2, 'lines');
SELECT * FROM complete_basket(ARRAY['a'], 2, 'rules_of_products');
SELECT * FROM complete_basket(ARRAY[1], 2, 'lines; DROP TABLE lines');
SELECT * FROM complete_basket(ARRAY[1], 2, NULL);
SELECT * FROM complete_basket(ARRAY[1], -1, 'rules_of_products');
CREATE TABLE to_sets AS SELECT * FROM association_rules_to_sets('lines_recsys', 20);
SELECT * FROM complete_basket(ARRAY[1], 2, 'to_sets');
CREATE TABLE odd (antecedent bigint[], consequent bigint, confidence float8, lift float8, support bigint);
INSERT INTO odd VALUES ('{1}', 2, 'NaN', 1, 1), ('{1}', 3, 0.5, 'Infinity', 1), (NULL, 4, 1, 1, 1), ('{1}', NULL, 1, 1, 1), ('{}', 5, 0.1, 1, 1), ('{1}', 5, 0.2, 1, 1);
SELECT * FROM complete_basket(ARRAY[1], NULL, 'odd');
SELECT * FROM complete_basket(NULL::bigint[], NULL, 'odd');

-- arguments that make no sense
SELECT * FROM association_rules('lines_recsys', min_support => 0);
SELECT * FROM association_rules('lines_recsys', min_support => -0.1);
SELECT * FROM association_rules('lines_recsys', min_support => 'NaN');
SELECT * FROM association_rules('lines_recsys', min_support => 1.5);
SELECT * FROM association_rules('lines_recsys', min_support => NULL);
SELECT * FROM association_rules('lines_recsys', min_confidence => 'NaN');
SELECT * FROM association_rules('lines_recsys', min_confidence => 1.1);
SELECT * FROM association_rules('lines_recsys', min_lift => 'NaN');
SELECT * FROM association_rules('lines_recsys', max_length => 0);
SELECT count(*) > 0 FROM association_rules('lines_recsys', 20, max_length => 2147483647);
SELECT * FROM association_rules_to_sets('lines_recsys', max_consequent => 0);
SELECT * FROM association_rules('lines_recsys', must_contain => ARRAY[1, NULL]);
SELECT * FROM association_rules('lines_recsys', NULL::uuid, consequents => '{x}');
SELECT * FROM association_rules('lines_recsys', NULL::uuid);
SELECT * FROM association_rules('lines_recsys', k => -1);
SELECT * FROM association_rules('lines_recsys', k => 1, order_by => 'luck');
SELECT * FROM association_rules('lines_recsys', k => 1, order_by => NULL);
SELECT * FROM association_rules('lines_recsys', filter => 'luck > 1');
SELECT * FROM association_rules('lines_recsys', filter => 'lift = 1');
SELECT * FROM association_rules('lines_recsys', filter => 'lift > 1 or lift < 3');
SELECT * FROM association_rules('lines_recsys', filter => 'lift > NaN');
SELECT * FROM association_rules('lines_recsys', filter => 'lift > 2; DROP TABLE lines');
SELECT * FROM association_rules('lines_recsys', weights => true, max_basket => 0);
SELECT * FROM association_rules('large_recsys', weights => true);
SELECT * FROM association_rules('lines');
SELECT * FROM association_rules('nowhere');
SELECT * FROM frequent_itemsets('lines_recsys', kind => 'some');
SELECT * FROM query_frequent_itemsets(NULL);
SELECT * FROM query_frequent_itemsets('SELECT 1');
SELECT * FROM query_frequent_itemsets('DELETE FROM lines RETURNING basket, item');
SELECT * FROM query_frequent_itemsets('SELECT basket, item FROM large', weights => true);
SELECT * FROM frequently_bought_together(1, 5, 'lines_recsys', 'adjusted_p');
SELECT * FROM frequently_bought_together(1, -5, 'lines_recsys');

-- limits
CREATE TABLE dense AS SELECT b AS basket, i AS item FROM generate_series(1, 200) b, generate_series(1, 40) i
WHERE chance(b, i) < 0.9;
CREATE INDEX dense_recsys ON dense USING recsys (basket, item);
SET recsys.max_itemsets = 1000;
SELECT count(*) FROM frequent_itemsets('dense_recsys', 0.3);
SELECT count(*) BETWEEN 1 AND 1000 AS fits FROM frequent_itemsets('dense_recsys', 163);
SELECT count(*) FROM association_rules('dense_recsys', 10);
RESET recsys.max_itemsets;
SET recsys.max_rules = 100;
SELECT count(*) FROM association_rules('lines_recsys', 3, 0.1);
SELECT count(*) FROM association_rules_to_sets('lines_recsys', 3, 0.1, adjust => true);
SELECT count(*) FROM association_rules('lines_recsys', 3, 0.1, k => 200);
SELECT count(*) BETWEEN 1 AND 100 AS fits FROM association_rules('lines_recsys', 12, 0.5);
RESET recsys.max_rules;
-- enough memory to be still at it then
SET maintenance_work_mem = '1GB';
SET statement_timeout = '200ms';
SELECT count(*) FROM frequent_itemsets('dense_recsys', 1);
SELECT count(*) FROM frequent_itemsets('dense_recsys', 1, 'closed');
SELECT count(*) FROM association_rules('dense_recsys', 1, max_length => NULL);
RESET statement_timeout;
RESET maintenance_work_mem;

-- with little memory baskets go to disk; with workers the answer is the same
CREATE TABLE many AS SELECT b AS basket, 1 + floor(300 * chance(b, i) ^ 3)::int AS item FROM generate_series(1, 12000) b, generate_series(1, 10) i;
CREATE INDEX many_recsys ON many USING recsys (basket, item);
CREATE FUNCTION digest(source text) RETURNS TABLE (sets bigint, sum numeric) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'SELECT count(*), sum(hashtextextended(f::text, 0)) FROM ' || source || ' f';
END $$;
CREATE TABLE digests AS SELECT 'serial' AS how, d.* FROM digest('frequent_itemsets(''many_recsys'', 3)') d LIMIT 0;
SET max_parallel_workers_per_gather = 0;
INSERT INTO digests SELECT 'serial', * FROM digest('frequent_itemsets(''many_recsys'', 5)');
SET max_parallel_workers_per_gather = 2;
INSERT INTO digests SELECT 'workers', * FROM digest('frequent_itemsets(''many_recsys'', 5)');
INSERT INTO digests SELECT 'query', * FROM digest('query_frequent_itemsets(''SELECT * FROM many'', 5)');
SET maintenance_work_mem = '4MB';
INSERT INTO digests SELECT 'on disk', * FROM digest('query_frequent_itemsets(''SELECT * FROM many'', 5)');
SELECT count(*) AS ways, count(DISTINCT (sets, sum)) AS answers, min(sets) > 10000 AS enough FROM digests;
SET maintenance_work_mem = '1MB';
SELECT count(*) FROM association_rules('many_recsys', 2);
RESET maintenance_work_mem;
RESET max_parallel_workers_per_gather;

-- read by workers, for whom any index is large enough here: what is deleted, returned, without basket or item, weighted,
-- too much for a basket, not committed yet or newer than the snapshot counts as it does without them
CREATE TABLE sold AS SELECT b AS basket, 1 + floor(60 * chance(b, i) ^ 2)::int AS item, (1 + i % 3)::real AS weight,
	timestamptz '2026-01-01' + chance(i, b) * interval '100 days' AS bought
FROM generate_series(1, 3000) b, generate_series(1, 12) i WHERE i <= 4 + b % 9;
INSERT INTO sold SELECT basket, item, -weight, bought FROM sold WHERE basket % 50 = 0;
INSERT INTO sold VALUES (NULL, 1, 1, NULL), (1, NULL, 1, NULL), (4000, 1, 1, NULL), (4001, 1, -1, NULL);
CREATE INDEX sold_recsys ON sold USING recsys (basket, item, weight, bought) WITH (max_history = 9);
VACUUM sold;
DELETE FROM sold WHERE basket % 41 = 0 AND item % 2 = 0;
UPDATE sold SET item = item + 1 WHERE basket % 43 = 0 AND item < 50;
CREATE TABLE answers (way text, what text, count bigint, sum numeric, weights float8);
CREATE PROCEDURE both_ways(what text) LANGUAGE plpgsql AS $$
DECLARE
	call text := 'SELECT $1, $2, count(*), sum(hashtextextended(items::text || support, 0)), sum(basket_weight) FROM ';
BEGIN
	SET LOCAL min_parallel_index_scan_size = 0;
	SET LOCAL max_parallel_workers_per_gather = 0;
	EXECUTE 'INSERT INTO answers ' || call || what USING 'alone', what;
	SET LOCAL max_parallel_workers_per_gather = 2;
	EXECUTE 'INSERT INTO answers ' || call || what USING 'workers', what;
END $$;
CALL both_ways('frequent_itemsets(''sold_recsys'', 5, weights => true)');
CALL both_ways('frequent_itemsets(''sold_recsys'', 5, max_basket => 3, weights => true)');
CALL both_ways('frequent_itemsets(''sold_recsys'', 2, ''closed'', max_basket => 5)');
CALL both_ways('frequent_itemsets(''sold_recsys'', 0.01, must_contain => ''{1}'')');
CALL both_ways('frequent_itemsets(''sold_recsys'', 1, must_contain => ''{12345}'')');
CALL both_ways('frequent_itemsets(''many_recsys'', 10)');
CREATE TEMP TABLE own AS TABLE sold;
CREATE INDEX own_recsys ON own USING recsys (basket, item, weight, bought);
CALL both_ways('frequent_itemsets(''own_recsys'', 5, weights => true)');
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO sold SELECT basket + 10000, item, weight, bought FROM sold WHERE basket < 500;
SAVEPOINT one;
DELETE FROM sold WHERE basket BETWEEN 10100 AND 10200;
CALL both_ways('frequent_itemsets(''sold_recsys'', 4, weights => true)');
DECLARE before CURSOR FOR SELECT 'before', count(*), sum(support), sum(basket_weight) FROM frequent_itemsets('sold_recsys', 6, weights => true);
SAVEPOINT two;
UPDATE sold SET weight = weight + 1 WHERE basket BETWEEN 10000 AND 10400;
DELETE FROM sold WHERE basket < 1000;
CALL both_ways('frequent_itemsets(''sold_recsys'', 6, weights => true)');
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL min_parallel_index_scan_size = 0;
FETCH before;
ROLLBACK TO two;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT 'before', count(*), sum(support), sum(basket_weight) FROM frequent_itemsets('sold_recsys', 6, weights => true);
COMMIT;
SELECT what, count(*) AS ways, count(DISTINCT (count, sum, weights)) AS answers, min(count) > 50 AS many FROM answers GROUP BY what ORDER BY what;

-- in FROM it is a scan of its own, unless whole rows are wanted
EXPLAIN (COSTS OFF, VERBOSE) SELECT support, length FROM frequent_itemsets('lines_recsys', 25) WHERE support > 30;
EXPLAIN (COSTS OFF) SELECT f FROM frequent_itemsets('lines_recsys', 25) f;
EXPLAIN (COSTS OFF) SELECT * FROM frequent_itemsets('lines_recsys', 25) WITH ORDINALITY;
EXPLAIN (COSTS OFF) SELECT * FROM ROWS FROM (frequent_itemsets('lines_recsys', 25), generate_series(1, 3));
SELECT items, support, length, support_share = support / :n::float8 AS share, basket_weight IS NULL AS no_weight
FROM frequent_itemsets('lines_recsys', 30) WHERE support > 45 ORDER BY items;
SELECT count(*) AS differences FROM (
	SELECT (f).* FROM (SELECT f FROM frequent_itemsets('lines_recsys', 3, weights => true) f) whole
	EXCEPT ALL SELECT * FROM frequent_itemsets('lines_recsys', 3, weights => true)) d;
SELECT s, count(items) AS sets, min(support) FROM unnest(ARRAY[15, 25, 25, NULL, 45]) s, frequent_itemsets('lines_recsys', coalesce(s, 20)) GROUP BY s ORDER BY s;
SELECT s, (SELECT count(*) FROM frequent_itemsets('lines_recsys', s) a, frequent_itemsets('lines_recsys', 45) b) AS pairs FROM generate_series(25, 45, 20) s;
SELECT count(*) AS pairs FROM frequent_itemsets('lines_recsys', 25) a JOIN frequent_itemsets('lines_recsys', 25) b ON a.items <@ b.items AND a.support = b.support;
SELECT count(*) FROM (SELECT FROM frequent_itemsets('lines_recsys', (SELECT max(support) FROM frequent_itemsets('lines_recsys', 3))) LIMIT 1) first;
-- what does not fit into memory is read from disk, as often as it is asked for
SET enable_material = off;
CREATE TABLE sums AS SELECT 'memory' AS place, x, count(*), sum(support) AS support, sum(cardinality(items)) AS items
FROM generate_series(1, 2) x, frequent_itemsets('dense_recsys', 128) GROUP BY x;
SET maintenance_work_mem = '4MB';
INSERT INTO sums SELECT 'disk', x, count(*), sum(support), sum(cardinality(items))
FROM generate_series(1, 2) x, frequent_itemsets('dense_recsys', 128) GROUP BY x;
RESET maintenance_work_mem;
RESET enable_material;
SELECT count(*) AS ways, count(DISTINCT (count, support, items)) AS answers, min(count) > 100000 AS many FROM sums;
BEGIN;
DECLARE back SCROLL CURSOR FOR SELECT items FROM frequent_itemsets('lines_recsys', 40) WHERE length = 1 ORDER BY items;
FETCH 2 FROM back;
FETCH BACKWARD 1 FROM back;
FETCH ABSOLUTE 3 FROM back;
COMMIT;
ALTER FUNCTION frequent_itemsets(text, float8, text, int, int, bigint[], bigint[], int, int, boolean) SET work_mem = '1MB';
EXPLAIN (COSTS OFF) SELECT * FROM frequent_itemsets('lines_recsys', 25);
SELECT count(*) FROM frequent_itemsets('lines_recsys', 25);
ALTER FUNCTION frequent_itemsets(text, float8, text, int, int, bigint[], bigint[], int, int, boolean) RESET work_mem;
PREPARE sets(float8) AS SELECT count(*) FROM frequent_itemsets('lines_recsys', $1);
SET plan_cache_mode = force_generic_plan;
EXECUTE sets(25);
EXECUTE sets(30);
RESET plan_cache_mode;
DEALLOCATE sets;

-- rights: those of the caller
CREATE ROLE regress_recsys_shopper;
GRANT USAGE ON SCHEMA public TO regress_recsys_shopper;
SET ROLE regress_recsys_shopper;
SELECT * FROM association_rules('lines_recsys');
SELECT * FROM frequent_itemsets('lines_recsys');
SELECT * FROM query_association_rules('SELECT basket, item FROM lines');
SELECT * FROM frequently_bought_together(1, 3, 'lines_recsys');
SELECT * FROM complete_basket(ARRAY[1], 3, 'rules_of_products');
RESET ROLE;
GRANT SELECT ON rules_of_products, lines TO regress_recsys_shopper;
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lines USING (basket < 10);
SET ROLE regress_recsys_shopper;
SELECT count(*) FROM complete_basket(ARRAY[1], 3, 'rules_of_products');
SELECT * FROM association_rules('lines_recsys');
SELECT count(*) > 0 AS some, max(support) < 10 AS own FROM query_frequent_itemsets('SELECT basket, item FROM lines', 1);
RESET ROLE;
REVOKE SELECT ON rules_of_products FROM regress_recsys_shopper;
SET ROLE regress_recsys_shopper;
SELECT count(*) FROM complete_basket(ARRAY[1], 3, 'rules_of_products');
RESET ROLE;
DROP OWNED BY regress_recsys_shopper;
DROP ROLE regress_recsys_shopper;

SET client_min_messages = warning;
DROP TABLE answers, dense, large, lines, many, named, nothing, own, sold, sums CASCADE;
DROP PROCEDURE both_ways;
