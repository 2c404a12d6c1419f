/*
 * The k most frequent item sets where all of them are too many, and what the limit's
 * error says helps.
 */
CREATE TABLE basket (id bigint, item bigint);
INSERT INTO basket SELECT 1, n FROM generate_series(1, 28) n;
CREATE INDEX basket_recsys ON basket USING recsys (id, item);
SET recsys.max_itemsets = 100000;
SELECT * FROM frequent_itemsets('basket_recsys', 0.5);
SELECT count(*) FROM frequent_itemsets('basket_recsys', 0.5, kind => 'closed');
SELECT count(*) FROM frequent_itemsets('basket_recsys', 0.5, max_length => 3);
SELECT * FROM frequent_itemsets('basket_recsys', 0.5, k => 3);
SELECT * FROM frequent_itemsets('basket_recsys', 0.5, k => 3, min_length => 27);
SELECT * FROM frequent_itemsets('basket_recsys', 0.5, k => 0);
SELECT count(*) FROM frequent_itemsets('basket_recsys', 0.5, k => 100);
SELECT * FROM frequent_itemsets('basket_recsys', 0.5, k => 4, must_contain => '{2,5}', max_length => 4);
SELECT * FROM association_rules('basket_recsys', 0.5, max_length => NULL);
SELECT sum(length) FROM query_frequent_itemsets('SELECT * FROM basket', 1, k => 10000);
SET recsys.max_itemsets = 100;
INSERT INTO basket SELECT 1 + n % 50, n % 7 FROM generate_series(1, 300) n;
-- more than the limit of each kind
SELECT count(*) FROM frequent_itemsets('basket_recsys', 2);
SELECT count(*) FROM frequent_itemsets('basket_recsys', 1, kind => 'closed', min_length => 2);
SELECT count(*) FROM frequent_itemsets('basket_recsys', 1, kind => 'maximal');
SELECT count(*) FROM association_rules('basket_recsys', 2, max_length => NULL);
RESET recsys.max_itemsets;
DROP TABLE basket;

-- random baskets (b * 0 makes them differ): with the limit far below what there is, the k best are those of all
SELECT setseed(0.3);
CREATE TABLE random_baskets (id bigint, item bigint, amount integer);
INSERT INTO random_baskets
SELECT b, i, 1 + (b * 7 + i) % 5 FROM generate_series(1, 60) b, generate_series(1, 14) i WHERE random() + b * 0 < 0.95 / (1 + (i * 5 % 14) / 10.0);
CREATE INDEX random_recsys ON random_baskets USING recsys (id, item, amount);
CREATE FUNCTION differ(arguments text, sought integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	sets bigint;
	differ bigint;
BEGIN
	SET LOCAL recsys.max_itemsets = 10000000;
	EXECUTE format('CREATE TEMP TABLE every AS SELECT * FROM frequent_itemsets(''random_recsys'', %s)', arguments);
	SET LOCAL recsys.max_itemsets = 5;
	EXECUTE format('CREATE TEMP TABLE best AS SELECT * FROM frequent_itemsets(''random_recsys'', %s, k => %s) WITH ORDINALITY', arguments, sought);
	SELECT count(*) INTO sets FROM every;
	WITH expected AS (SELECT *, row_number() OVER (ORDER BY support DESC, items) FROM every LIMIT sought)
	SELECT count(*) INTO differ FROM expected e FULL JOIN best b ON e.row_number = b.ordinality
	WHERE (e.items, e.support, e.support_share, e.length, e.basket_weight) IS DISTINCT FROM (b.items, b.support, b.support_share, b.length, b.basket_weight);
	DROP TABLE every, best;
	RETURN CASE WHEN sets <= 5 THEN 'too few sets, ' ELSE '' END || format('%s differ', differ);
END;
$$;
SELECT arguments, k, differs
FROM (VALUES ('1'), ('2'), ('5'), ('1, must_contain => ''{3}'''), ('1, must_contain => ''{2,11}'''), ('1, must_contain => ''{14}'', weights => true'),
		('1, weights => true'), ('1, min_length => 3, max_length => 4'), ('2, max_length => 2'), ('1, must_not_contain => ''{1,2}'''),
		('1, kind => ''closed'''), ('1, kind => ''closed'', min_length => 4, weights => true'), ('1, kind => ''closed'', must_contain => ''{3}''')) a(arguments),
	(VALUES (1), (7), (300)) k(k), LATERAL differ(arguments, k) differs
WHERE differs <> '0 differ';
DROP FUNCTION differ;
DROP TABLE random_baskets;
