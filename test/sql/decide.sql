-- Statistics of experiments from counts and sums: published figures, real experiments, and what is refused.
SET extra_float_digits = 0;
CREATE FUNCTION pg_temp.rounded(x double precision, digits int DEFAULT 5) RETURNS numeric LANGUAGE sql AS 'SELECT round(x::numeric, digits)';

-- GrowthBook (gbstats, tests of frequentist tests), Howard's confseq, Spotify's confidence
SELECT what, pg_temp.rounded(difference) AS difference, pg_temp.rounded(ci_low) AS low, pg_temp.rounded(ci_high) AS high,
	pg_temp.rounded(standard_error) AS error, pg_temp.rounded(p_value) AS p
FROM (
	SELECT 1, 'sequential lift', r.* FROM recsys.compare_means(3000, 1396.87, 52377.9767, 3461, 2422.7, 134698.29, expected_units => 1000) r
	UNION ALL SELECT 2, 'sequential lift of proportions', r.* FROM recsys.compare_proportions(3000, 1396, 3461, 2422) r
	UNION ALL SELECT 3, 'fixed lift', r.* FROM recsys.compare_means(3407, 1396.87, 52377.9767, 3461, 2422.7, 134698.29, method => 'fixed') r
	UNION ALL SELECT 4, 'fixed difference', r.* FROM recsys.compare_means(3407, 1396.87, 52377.9767, 3461, 2422.7, 134698.29, relative => false, method => 'fixed') r
	UNION ALL SELECT 5, 'adjusted sequential lift', r.* FROM recsys.compare_arms('{3000,1396.87,0,16.87,0, 52377.9767,0,1,0, 0,0,0, 527.9767,0, 0}',
		'{3461,2422.7,0,22.7,0, 134698.29,0,1,0, 0,0,0, 1348.29,0, 0}', adjusted => true) r
	UNION ALL SELECT 6, 'adjusted sequential lift of ratios', r.* FROM recsys.compare_arms(
		'{100,485.112236689623,679.9093275844917,192.59138069991536,290.1398399750233, 2715.484666118136,3602.146836776702,1113.6215759318352,1559.2878434944676, 4939.424001640236,1460.3181079276983,2130.9404074446747, 460.076026390857,634.239482353647, 920.9461385038898}',
		'{100,514.7757826608777,705.4090874383759,206.94157227402536,302.54389139107326, 2994.897482705013,3918.1561431600717,1237.0953021125997,1701.0287270040265, 5291.36604146392,1604.0759503266522,2292.081739775257, 514.2903702246757,698.4173425817908, 994.4506208125663}',
		'ratio', adjusted => true) r
	UNION ALL SELECT 7, 'two proportions', r.* FROM recsys.compare_proportions(104, 42, 1009, 500, relative => false, method => 'fixed') r
) f (number, what) ORDER BY number;
SELECT pg_temp.rounded(recsys.normal_mixture_bound(100, 100)), pg_temp.rounded(recsys.normal_mixture_bound(100, 100, one_sided => true)) AS one_sided;
SELECT pg_temp.rounded(chi_square, 4) AS chi_square, degrees, p_value < 1e-160 AS sure
FROM recsys.sample_ratio_test('{1009,104,1502,100,100,150}', '{.35,.04,.52,.035,.0035,.0515}');

-- K. Hillstrom's e-mail test (2008): visits, conversions, sum and sum of squares of what was spent
CREATE TABLE hillstrom (part text, arm text, units bigint, visits bigint, conversions bigint, spend numeric, spend_squares numeric);
INSERT INTO hillstrom VALUES
	('Multichannel', 'Mens E-Mail', 2577, 545, 44, 4702.69, 914684.1603), ('Multichannel', 'No E-Mail', 2606, 335, 18, 1604.62, 257029.9086),
	('Multichannel', 'Womens E-Mail', 2579, 453, 36, 4573.28, 1155076.1116), ('Phone', 'Mens E-Mail', 9240, 1504, 100, 11166.79, 2371619.5415),
	('Phone', 'No E-Mail', 9327, 813, 50, 6010.81, 1277045.1395), ('Phone', 'Womens E-Mail', 9454, 1246, 67, 8290.46, 1576377.0238),
	('Web', 'Mens E-Mail', 9490, 1845, 123, 14442.21, 3472720.7955), ('Web', 'No E-Mail', 9373, 1114, 54, 6292.90, 1335975.3140),
	('Web', 'Womens E-Mail', 9354, 1539, 86, 10174.37, 2179993.4409), ('all', 'Mens E-Mail', 21307, 3894, 267, 30311.69, 6759024.4973),
	('all', 'No E-Mail', 21306, 2262, 122, 13908.33, 2870050.3621), ('all', 'Womens E-Mail', 21387, 3238, 189, 23038.11, 4911446.5763);
CREATE TABLE compared AS
SELECT t.part, t.arm, m.metric, m.method, r.*
FROM hillstrom c JOIN hillstrom t ON t.part = c.part AND c.arm = 'No E-Mail' AND t.arm <> c.arm,
	(SELECT metric, method FROM unnest('{visit,conversion,spend}'::text[]) metric, unnest('{fixed,sequential}'::text[]) method) m,
	LATERAL (SELECT p.* FROM recsys.compare_proportions(c.units, CASE metric WHEN 'visit' THEN c.visits ELSE c.conversions END, t.units,
			CASE metric WHEN 'visit' THEN t.visits ELSE t.conversions END, false, method, expected_units => 20000) p WHERE metric <> 'spend'
		UNION ALL SELECT p.* FROM recsys.compare_means(c.units, c.spend, c.spend_squares, t.units, t.spend, t.spend_squares, false, method, expected_units => 20000) p
		WHERE metric = 'spend') r;
SELECT part, arm, metric, pg_temp.rounded(difference, 6) AS difference, pg_temp.rounded(ci_low, 6) AS low, pg_temp.rounded(ci_high, 6) AS high, to_char(p_value, '9.999EEEE') AS p
FROM compared WHERE method = 'fixed' ORDER BY 1, 2, 3;
-- the same from the rows by SciPy (ttest_ind) and statsmodels (proportions_ztest, confint_proportions_2indep), six digits
CREATE TABLE independent (part text, arm text, metric text, difference float8, low float8, high float8, p float8);
INSERT INTO independent VALUES
	('Multichannel', 'Mens E-Mail', 'visit', 0.0829367, 0.0625967, 0.103277, 1.84108e-15), ('Multichannel', 'Mens E-Mail', 'conversion', 0.010167, 0.00424003, 0.0160939, 0.000761818),
	('Multichannel', 'Mens E-Mail', 'spend', 1.20913, 0.390813, 2.02745, 0.00378959), ('Multichannel', 'Womens E-Mail', 'visit', 0.0471, 0.0275856, 0.0666143, 2.31787e-06),
	('Multichannel', 'Womens E-Mail', 'conversion', 0.00705176, 0.00151885, 0.0125847, 0.0123897), ('Multichannel', 'Womens E-Mail', 'spend', 1.15754, 0.258584, 2.05649, 0.0116255),
	('Phone', 'Mens E-Mail', 'visit', 0.0756043, 0.0661477, 0.0850609, 9.06439e-55), ('Phone', 'Mens E-Mail', 'conversion', 0.00546173, 0.0028836, 0.00803986, 3.22819e-05),
	('Phone', 'Mens E-Mail', 'spend', 0.564074, 0.161132, 0.967017, 0.00607731), ('Phone', 'Womens E-Mail', 'visit', 0.0446298, 0.0357266, 0.0535329, 1.26875e-22),
	('Phone', 'Womens E-Mail', 'conversion', 0.00172617, -0.000522237, 0.00397457, 0.13278), ('Phone', 'Womens E-Mail', 'spend', 0.232474, -0.119223, 0.58417, 0.195118),
	('Web', 'Mens E-Mail', 'visit', 0.0755632, 0.0652521, 0.0858742, 3.46518e-46), ('Web', 'Mens E-Mail', 'conversion', 0.00719978, 0.00445641, 0.00994315, 2.92757e-07),
	('Web', 'Mens E-Mail', 'spend', 0.850449, 0.397156, 1.30374, 0.000236322), ('Web', 'Womens E-Mail', 'visit', 0.0456765, 0.035708, 0.0556451, 3.17081e-19),
	('Web', 'Womens E-Mail', 'conversion', 0.0034327, 0.000965189, 0.00590021, 0.0063969), ('Web', 'Womens E-Mail', 'spend', 0.416317, 0.0245344, 0.808099, 0.0372798),
	('all', 'Mens E-Mail', 'visit', 0.0765896, 0.0699535, 0.0832256, 5.68517e-112), ('all', 'Mens E-Mail', 'conversion', 0.00680501, 0.00500017, 0.00860984, 1.52322e-13),
	('all', 'Mens E-Mail', 'spend', 0.769827, 0.48514, 1.05451, 1.16381e-07), ('all', 'Womens E-Mail', 'visit', 0.0452331, 0.0388938, 0.0515724, 3.1824e-44),
	('all', 'Womens E-Mail', 'conversion', 0.00311106, 0.00149868, 0.00472344, 0.000157105), ('all', 'Womens E-Mail', 'spend', 0.424412, 0.168957, 0.679868, 0.0011294);
SELECT count(*) AS compared, count(*) FILTER (WHERE abs(x / y - 1) < 1e-5) AS alike
FROM compared c JOIN independent i USING (part, arm, metric),
	LATERAL (VALUES (c.difference, i.difference), (c.ci_low, i.low), (c.ci_high, i.high), (c.p_value, i.p)) v (x, y)
WHERE method = 'fixed';
-- at all times: wider, and the p-values greater
SELECT count(*) AS compared, count(*) FILTER (WHERE s.ci_low < f.ci_low AND s.ci_high > f.ci_high AND s.p_value > f.p_value) AS wider
FROM compared s JOIN compared f USING (part, arm, metric) WHERE s.method = 'sequential' AND f.method = 'fixed';

-- the game Cookie Cats: a gate at level 30 or 40; rounds played as they are, and no more than 493 (the .99 quantile) of each player
WITH games (metric, units_30, sum_30, squares_30, units_40, sum_40, squares_40) AS (VALUES
	('rounds', 44700, 2344795, 3068811771, 45489, 2333530, 605052202), ('winsorised', 44700, 2196372, 426851670, 45489, 2222316, 429118834))
SELECT metric, pg_temp.rounded(difference, 6) AS difference, pg_temp.rounded(ci_low, 6) AS low, pg_temp.rounded(ci_high, 6) AS high, pg_temp.rounded(p_value, 6) AS p
FROM games, recsys.compare_means(units_30, sum_30, squares_30, units_40, sum_40, squares_40, false, 'fixed');
WITH games (metric, n_30, n_40) AS (VALUES ('retention after 1 day', 20034, 20119), ('retention after 7 days', 8502, 8279))
SELECT metric, method, pg_temp.rounded(difference, 6) AS difference, pg_temp.rounded(ci_low, 6) AS low, pg_temp.rounded(ci_high, 6) AS high, pg_temp.rounded(p_value, 6) AS p
FROM games, (VALUES ('fixed'), ('sequential')) m (method), recsys.compare_proportions(44700, n_30, 45489, n_40, false, method, expected_units => 20000) ORDER BY 1, 2;
SELECT pg_temp.rounded(chi_square) AS chi_square, degrees, pg_temp.rounded(p_value) AS p FROM recsys.sample_ratio_test('{44700,45489}');

-- from rows: the aggregate
CREATE TABLE visitor AS
SELECT n, CASE WHEN n % 3 = 0 THEN 'new' ELSE 'old' END AS arm, n * 7 % 5 AS clicks, 5 + n % 4 AS views, n * 11 % 6 AS clicks_before, 3 + n % 5 AS views_before
FROM generate_series(1, 600) n;
SELECT recsys.arm_sums(clicks), recsys.arm_sums(clicks, views), recsys.arm_sums(clicks, views, clicks_before, views_before) FROM visitor;
SELECT recsys.arm_sums(clicks) FILTER (WHERE false), recsys.arm_sums(clicks, NULL, CASE WHEN n > 2 THEN clicks_before END, NULL) FROM visitor WHERE n < 4;
WITH sums AS (SELECT arm, recsys.arm_sums(clicks, views) AS arm_sums, count(*) AS n, sum(clicks) AS sum, sum(clicks * clicks) AS squares,
	sum(views) AS views, sum(views * views) AS view_squares, sum(clicks * views) AS products FROM visitor GROUP BY arm)
SELECT recsys.compare_arms(o.arm_sums, n.arm_sums, 'ratio') = recsys.compare_ratios(o.n, o.sum, o.squares, o.views, o.view_squares, o.products,
		n.n, n.sum, n.squares, n.views, n.view_squares, n.products) AS ratios,
	recsys.compare_arms(o.arm_sums, n.arm_sums) = recsys.compare_means(o.n, o.sum, o.squares, n.n, n.sum, n.squares) AS means
FROM sums o, sums n WHERE o.arm = 'old' AND n.arm = 'new';
-- by workers
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT recsys.arm_sums(clicks, views) FROM visitor;
SELECT recsys.arm_sums(clicks, views) FROM visitor;
ROLLBACK;
-- days add up
SELECT recsys.arm_sums_combine(a, b) = c AS same FROM (SELECT recsys.arm_sums(clicks) FILTER (WHERE n < 100) AS a,
	recsys.arm_sums(clicks) FILTER (WHERE n >= 100) AS b, recsys.arm_sums(clicks) AS c FROM visitor) s;
-- as a window, where the state goes on
SELECT n, recsys.arm_sums(clicks) OVER (ORDER BY n) AS sums FROM visitor WHERE n <= 3 ORDER BY n;

-- what cannot be said is NULL
SELECT * FROM recsys.compare_means(0, 0, 0, 10, 5, 20);
SELECT * FROM recsys.compare_means(10, 0, 0, 10, 5, 20);
SELECT * FROM recsys.compare_means(1, 3, 9, 10, 5, 20, relative => false);
SELECT * FROM recsys.compare_means(10, 30, 90, 10, 30, 90);
SELECT * FROM recsys.compare_means(NULL, 30, 90, 10, 30, 90);
SELECT * FROM recsys.compare_arms(NULL, recsys.arm_sums_combine('{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}', '{9,3,0,0,0,3,0,0,0,0,0,0,0,0,0}'), 'proportion');
SELECT * FROM recsys.compare_ratios(10, 30, 100, 0, 0, 0, 10, 30, 100, 20, 50, 60);
SELECT * FROM recsys.sample_ratio_test('{}');
SELECT * FROM recsys.sample_ratio_test('{0,0}');
SELECT * FROM recsys.sample_ratio_test('{10,20,30}', '{1,0,0}');
SELECT recsys.sample_ratio_test(NULL), recsys.adjust_p_values(NULL), recsys.adjust_p_values('{}'), recsys.adjust_p_values('{NULL}');

SELECT recsys.adjust_p_values('{.01,NULL,.04,.03}'), recsys.adjust_p_values('{.01,NULL,.04,.03}', 'benjamini_hochberg'), recsys.adjust_p_values('{.01,NULL,.04,.03}', 'none');

-- planning: statsmodels has 3840.8 units of each arm for proportions (samplesize_proportions_2indep_onetail), 1569.8 for means (NormalIndPower)
SELECT method, kind, s.* FROM (VALUES ('fixed'), ('sequential')) m (method), (VALUES ('proportion', NULL::float8), ('mean', .2)) k (kind, deviation),
	recsys.sample_size(.1, .02, kind, deviation, relative => false, method => method, units_per_day => 1000) s ORDER BY 1, 2;
SELECT * FROM recsys.sample_size(20, 0.05, 'mean', deviation => 30, treatment_share => 0.2, power => 0.9);
SELECT pg_temp.rounded(recsys.detectable_effect(.1, 7682, relative => false, method => 'fixed'), 4) AS fixed, pg_temp.rounded(recsys.detectable_effect(.1, 7682), 4) AS sequential,
	recsys.detectable_effect(.1, 10) AS none, pg_temp.rounded(recsys.test_power(.1, .2, 7682, method => 'fixed'), 4) AS power;

-- clients that send no types
PREPARE untyped AS SELECT pg_temp.rounded(p_value) FROM recsys.compare_proportions($1, $2, $3, $4, $5, $6);
EXECUTE untyped (104, 42, 1009, 500, false, 'fixed');
PREPARE untyped_arms AS SELECT pg_temp.rounded(p_value) FROM recsys.compare_arms($1, $2, $3);
EXECUTE untyped_arms ('{104,42,0,0,0,42,0,0,0,0,0,0,0,0,0}', '{1009,500,0,0,0,500,0,0,0,0,0,0,0,0,0}', 'proportion');
DEALLOCATE ALL;

-- refused
SELECT recsys.compare_means(10, 30, 80, 10, 30, 100);
SELECT recsys.compare_means(10, 30, 'NaN', 10, 30, 100);
SELECT recsys.compare_means(-1, 0, 0, 10, 30, 100);
SELECT recsys.compare_means(0, 1, 1, 10, 30, 100);
SELECT recsys.compare_means(10, 30, 100, 10, 30, -100);
SELECT recsys.compare_proportions(10, 11, 10, 3);
SELECT recsys.compare_proportions(10, -1, 10, 3);
SELECT recsys.compare_ratios(10, 30, 100, 20, 50, 90, 10, 30, 100, 20, 50, 60);
SELECT recsys.compare_arms('{10,5,0,0,0,9,0,0,0,0,0,0,0,0,0}', NULL, 'proportion');
SELECT recsys.compare_arms('{1,2}', NULL);
SELECT recsys.compare_arms('{10,5,0,0,0,9,0,0,0,0,0,0,0,0,NULL}', NULL);
SELECT recsys.compare_arms('{10,inf,0,0,0,9,0,0,0,0,0,0,0,0,0}', NULL);
SELECT recsys.compare_arms(NULL, NULL, 'median');
SELECT recsys.compare_means(10, 30, 100, 10, 30, 100, method => 'bayes');
SELECT recsys.compare_means(10, 30, 100, 10, 30, 100, method => NULL);
SELECT recsys.compare_means(10, 30, 100, 10, 30, 100, alpha => 0);
SELECT recsys.compare_means(10, 30, 100, 10, 30, 100, expected_units => 'infinity');
SELECT recsys.compare_means(10, 30, 100, 10, 30, 100, relative => NULL);
SELECT recsys.arm_sums(NULL::float8) FROM visitor;
SELECT recsys.arm_sums(1, 'NaN') FROM visitor;
SELECT recsys.arm_sums(1e200) FROM visitor;
SELECT recsys.arm_sums_combine('{1}', '{1}');
SELECT recsys.arm_sums_combine(NULL, NULL);
SELECT recsys.arm_sums_add(NULL, 1);
SELECT recsys.sample_ratio_test('{10,20}', '{.5}');
SELECT recsys.sample_ratio_test('{10,-20}');
SELECT recsys.sample_ratio_test('{{10,20},{1,2}}');
SELECT recsys.sample_ratio_test('{10,20}', '{.5,NULL}');
SELECT recsys.adjust_p_values('{1.2}');
SELECT recsys.adjust_p_values('{.2}', 'bonferroni');
SELECT recsys.normal_mixture_bound(-1, 10);
SELECT recsys.normal_mixture_bound(1, 0);
SELECT recsys.sample_size(.1, 0);
SELECT recsys.sample_size(.1, 10);
SELECT recsys.sample_size(0, .1);
SELECT recsys.sample_size(0, .1, 'mean', 1);
SELECT recsys.sample_size(5, .1, 'mean');
SELECT recsys.sample_size(5, .1, 'mean', deviation => 0);
SELECT recsys.sample_size(5, .1, 'ratio');
SELECT recsys.sample_size(.1, .1, power => 1);
SELECT recsys.sample_size(.1, .1, units_per_day => 0);
SELECT recsys.detectable_effect(.1, 3);
DROP TABLE hillstrom, compared, independent, visitor;
