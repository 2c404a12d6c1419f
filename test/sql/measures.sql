-- Measures of rules against exact fractions: each is the double next to it, so that a
-- threshold written as a decimal number holds where the fraction reaches it.
SET client_min_messages = warning;
-- 100 baskets: 15 with item 1, 30 with item 2, 9 with both: kulczynski is 9/20
CREATE TABLE twentieths AS
SELECT b AS basket, i AS item FROM generate_series(1, 100) b, generate_series(1, 3) i
WHERE i = 3 OR (i = 1 AND b <= 15) OR (i = 2 AND b BETWEEN 7 AND 36);
SELECT antecedent, consequent, support, kulczynski
FROM query_association_rules('TABLE twentieths', min_support => 1, filter => 'kulczynski >= 0.45 and kulczynski <= 0.45');
-- 7 of 100 baskets are a share of 0.07, 9 of 15 a confidence of 0.6
SELECT items, support FROM query_frequent_itemsets('SELECT b, CASE WHEN b <= 7 THEN 1 ELSE 2 END FROM generate_series(1, 100) b', 0.07);
SELECT antecedent, consequent FROM query_association_rules('TABLE twentieths', min_support => 0.09, min_confidence => 0.6, max_length => 2)
WHERE antecedent = '{1}' ORDER BY consequent;

-- all measures of many rules, computed anew as fractions
CREATE TABLE lines AS
SELECT b AS basket, i AS item
FROM generate_series(1, 997) b, generate_series(1, 14) i
WHERE ('x' || substr(md5(b || ' ' || i), 1, 8))::bit(32)::bigint / 4294967296.0 < 0.08 * i / (1 + (b + i) % 3);
CREATE TABLE supports AS
SELECT items, support::numeric AS support FROM query_frequent_itemsets('TABLE lines', 1, max_length => 4);
SELECT count(DISTINCT basket)::numeric AS n FROM lines
\gset
WITH rules AS (
	SELECT r.*, r.support::numeric AS c, x.support AS x, y.support AS y
	FROM query_association_rules_to_sets('TABLE lines', min_support => 1, min_confidence => 0, max_length => 4, max_consequent => 2) r
	JOIN supports x ON x.items = r.antecedent JOIN supports y ON y.items = r.consequent
)
SELECT count(*) > 1000 AS many,
	   count(*) FILTER (WHERE support_share <> (c / :n::numeric(60,40))::float8) AS support_share,
	   count(*) FILTER (WHERE confidence <> (c::numeric(60,40) / x)::float8) AS confidence,
	   count(*) FILTER (WHERE lift <> (c * :n::numeric(60,40) / (x * y))::float8) AS lift,
	   count(*) FILTER (WHERE leverage <> ((c * :n::numeric(60,40) - x * y) / (:n * :n))::float8) AS leverage,
	   count(*) FILTER (WHERE conviction <> CASE WHEN c = x THEN 'Infinity' ELSE (x * (:n::numeric(60,40) - y) / (:n * (x - c)))::float8 END) AS conviction,
	   count(*) FILTER (WHERE jaccard <> (c::numeric(60,40) / (x + y - c))::float8) AS jaccard,
	   count(*) FILTER (WHERE cosine <> (c / sqrt((x * y)::numeric(80,60)))::float8) AS cosine,
	   count(*) FILTER (WHERE kulczynski <> (c * (x + y)::numeric(60,40) / (2 * x * y))::float8) AS kulczynski,
	   count(*) FILTER (WHERE imbalance_ratio <> (abs(x - y)::numeric(60,40) / (x + y - c))::float8) AS imbalance_ratio,
	   count(*) FILTER (WHERE chi_square <> (:n * (c * :n - x * y) ^ 2::numeric(10) * 1.0000000000000000000000000000000000000000 / (x * y * (:n - x) * (:n - y)))::float8) AS chi_square
FROM rules;
DROP TABLE twentieths, lines, supports;
