-- K. Hillstrom's e-mail test: each of two e-mails against none.  Prints a CSV of comparisons.
CREATE TABLE customer (recency int, history_segment text, history double precision, mens int, womens int,
	zip_code text, newbie int, channel text, segment text, visit int, conversion int, spend double precision);
\set copy '\\copy customer FROM ' :'file' ' CSV HEADER'
:copy

-- the sums of each arm, of all customers and by channel
CREATE TABLE sums AS
SELECT coalesce(channel, 'all') AS part, segment AS arm, metric, kind, adjusted,
	recsys.arm_sums(value, denominator, before, NULL) AS sums
FROM customer, LATERAL (VALUES
	('visit', 'proportion', false, visit::double precision, NULL::double precision, NULL::double precision),
	('conversion', 'proportion', false, conversion, NULL, NULL),
	('spend', 'mean', false, spend, NULL, NULL),
	('spend adjusted', 'mean', true, spend, NULL, history),
	('spend by visit', 'ratio', false, spend, visit, NULL)) m (metric, kind, adjusted, value, denominator, before)
GROUP BY GROUPING SETS ((channel, segment, metric, kind, adjusted), (segment, metric, kind, adjusted));

COPY (
	SELECT part, metric, t.arm, scale, method, r.*
	FROM sums c JOIN sums t USING (part, metric, kind, adjusted), (VALUES ('difference'), ('lift')) s (scale),
		(VALUES ('fixed'), ('sequential')) m (method),
		recsys.compare_arms(c.sums, t.sums, kind, adjusted, scale = 'lift', method, expected_units => 20000) r
	WHERE c.arm = 'No E-Mail' AND t.arm <> 'No E-Mail'
	UNION ALL
	SELECT 'all', 'sample ratio', 'all', '', '', r.chi_square, r.degrees, NULL, NULL, NULL, NULL, r.p_value
	FROM recsys.sample_ratio_test((SELECT array_agg(n ORDER BY segment) FROM (SELECT segment, count(*) AS n FROM customer GROUP BY 1) s)) r
	ORDER BY 1, 2, 3, 4, 5
) TO STDOUT (FORMAT csv, HEADER);
