-- The game Cookie Cats: a gate at level 40 against level 30.  Prints a CSV of comparisons.
CREATE TABLE player (userid bigint, version text, sum_gamerounds int, retention_1 boolean, retention_7 boolean);
\set copy '\\copy player FROM ' :'file' ' CSV HEADER'
:copy

-- winsorised: values above the quantile of all players count as that
CREATE TABLE sums AS
SELECT 'all' AS part, version AS arm, metric, kind, recsys.arm_sums(value) AS sums
FROM player, (SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY sum_gamerounds) AS cap FROM player) c, LATERAL (VALUES
	('retention after 1 day', 'proportion', retention_1::int::double precision),
	('retention after 7 days', 'proportion', retention_7::int),
	('rounds', 'mean', sum_gamerounds),
	('rounds winsorised', 'mean', least(sum_gamerounds, cap))) m (metric, kind, value)
GROUP BY 1, 2, 3, 4;

COPY (
	SELECT part, metric, t.arm, scale, method, r.*
	FROM sums c JOIN sums t USING (part, metric, kind), (VALUES ('difference'), ('lift')) s (scale),
		(VALUES ('fixed'), ('sequential')) m (method),
		recsys.compare_arms(c.sums, t.sums, kind, relative => scale = 'lift', method => method, expected_units => 20000) r
	WHERE c.arm = 'gate_30' AND t.arm = 'gate_40'
	UNION ALL
	SELECT 'all', 'sample ratio', 'all', '', '', r.chi_square, r.degrees, NULL, NULL, NULL, NULL, r.p_value
	FROM recsys.sample_ratio_test((SELECT array_agg(n ORDER BY version) FROM (SELECT version, count(*) AS n FROM player GROUP BY 1) s)) r
	ORDER BY 1, 2, 3, 4, 5
) TO STDOUT (FORMAT csv, HEADER);
