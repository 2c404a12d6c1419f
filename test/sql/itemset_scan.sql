/*
 * frequent_itemsets() in FROM as a custom scan and, with recsys.itemset_scan off, as the
 * server's function scan: the same rows.
 */
CREATE TABLE line (basket bigint, item text, amount integer);
INSERT INTO line
SELECT b, 'item ' || i, 1 + (b + i) % 3 FROM generate_series(1, 80) b, generate_series(1, 9) i WHERE (b * 7919 + i * 104729) % 101 < 45;
CREATE INDEX line_recsys ON line USING recsys (basket, item, amount);

SHOW recsys.itemset_scan;
EXPLAIN (COSTS OFF) SELECT items, support FROM frequent_itemsets('line_recsys', NULL::text, 5) WHERE length > 1;
SET recsys.itemset_scan = off;
EXPLAIN (COSTS OFF) SELECT items, support FROM frequent_itemsets('line_recsys', NULL::text, 5) WHERE length > 1;
EXPLAIN (COSTS OFF, SETTINGS) SELECT items FROM frequent_itemsets('line_recsys', NULL::text, 5);
RESET recsys.itemset_scan;

-- a call's rows both ways, and how many stand in one of them alone
CREATE FUNCTION both_ways(call text, OUT sets bigint, OUT alone bigint) LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL recsys.itemset_scan = on;
	EXECUTE 'CREATE TEMPORARY TABLE by_custom_scan AS SELECT * FROM ' || call;
	SET LOCAL recsys.itemset_scan = off;
	EXECUTE 'CREATE TEMPORARY TABLE by_function_scan AS SELECT * FROM ' || call;
	SELECT count(*) INTO sets FROM by_custom_scan;
	SELECT count(*) INTO alone FROM (
		(TABLE by_custom_scan EXCEPT ALL TABLE by_function_scan) UNION ALL
		(TABLE by_function_scan EXCEPT ALL TABLE by_custom_scan)) d;
	DROP TABLE by_custom_scan, by_function_scan;
END $$;
SELECT call, b.*
FROM unnest(ARRAY[
	$$frequent_itemsets('line_recsys', NULL::text, 5)$$,
	$$frequent_itemsets('line_recsys', NULL::text, 5, weights => true)$$,
	$$frequent_itemsets('line_recsys', NULL::text, 5, 'closed', min_length => 2)$$,
	$$frequent_itemsets('line_recsys', NULL::text, 5, 'maximal')$$,
	$$frequent_itemsets('line_recsys', NULL::text, 5, k => 7)$$,
	$$frequent_itemsets('line_recsys', NULL::text, 1.0, must_contain => '{"item 1","item 2"}')$$,
	$$frequent_itemsets('line_recsys', NULL::text, 81)$$,
	$$query_frequent_itemsets('SELECT basket, amount FROM line', 10)$$,
	$$(VALUES (5), (20)) v (s), LATERAL frequent_itemsets('line_recsys', NULL::text, s)$$]) call, both_ways(call) b;

-- a plan that was made with the setting on is run with it off
SET plan_cache_mode = force_generic_plan;
PREPARE sets (float8) AS SELECT count(*), sum(support) FROM frequent_itemsets('line_recsys', NULL::text, $1);
EXECUTE sets (5);
SET recsys.itemset_scan = off;
EXECUTE sets (5);
DEALLOCATE sets;
PREPARE sets (float8) AS SELECT count(*), sum(support) FROM frequent_itemsets('line_recsys', NULL::text, $1);
EXECUTE sets (5);
RESET recsys.itemset_scan;
RESET plan_cache_mode;
DROP FUNCTION both_ways;
DROP TABLE line;
