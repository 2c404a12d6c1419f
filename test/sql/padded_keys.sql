-- char(n) comes out of its column filled up with blanks, and is passed in so
CREATE TABLE padded_lines (customer char(6), sku char(4));
INSERT INTO padded_lines
SELECT 'c' || n % 9, 'p' || (n * n + n / 9) % 7 FROM generate_series(1, 40) n;
CREATE INDEX padded_recsys ON padded_lines USING recsys (customer, sku) WITH (min_support = 1);

CREATE FUNCTION same(one text, other text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a text;
	b text;
BEGIN
	EXECUTE format('SELECT string_agg(x::text, '' '') FROM %s x', one) INTO a;
	EXECUTE format('SELECT string_agg(x::text, '' '') FROM %s x', other) INTO b;
	RETURN CASE WHEN a = b THEN 'same' ELSE coalesce(a, 'nothing') || ' <> ' || coalesce(b, 'nothing') END;
END $$;

SELECT same('recommend(''c1'', 5, ''padded_recsys'', NULL::text)', 'recommend(''c1    '', 5, ''padded_recsys'', NULL::text)');
SELECT same('recommend(''c1'', 5, ''padded_recsys'', NULL::text, false, NULL)', 'recommend(''c1    ''::text, 5, ''padded_recsys'', NULL::text, false, NULL)');
SELECT same('similar_items(''p1'', 5, ''padded_recsys'')', 'similar_items(''p1  '', 5, ''padded_recsys'')');
SELECT same('frequently_bought_together(''p1'', 5, ''padded_recsys'', ''support'')',
			'frequently_bought_together(''p1  '', 5, ''padded_recsys'', ''support'')');
SELECT same('explain_recommendation(''c1'', ''p1'', ''padded_recsys'')', 'explain_recommendation(''c1    '', ''p1  '', ''padded_recsys'')');
SELECT same('recommend_for_items(''{p1,p2}'', 5, ''padded_recsys'')', 'recommend_for_items(''{"p1  ","p2  "}'', 5, ''padded_recsys'')');
SELECT same('recommend_for_items(''{p1,p2}'', 5, ''padded_recsys'')', 'recommend_for_items(ARRAY[''p1  '', ''p2  ''], 5, ''padded_recsys'')');
SELECT same('association_rules(''padded_recsys'', NULL::text, min_support => 1, must_contain => ''{p1}'', k => 3)',
			'association_rules(''padded_recsys'', NULL::text, min_support => 1, must_contain => ''{"p1  "}'', k => 3)');
SELECT same('query_frequent_itemsets(''TABLE padded_lines'', NULL::text, min_support => 1, must_contain => ''{p1}'', k => 3)',
			'query_frequent_itemsets(''TABLE padded_lines'', NULL::text, min_support => 1, must_contain => ''{"p1  "}'', k => 3)');

-- functions with the types of the columns, and rules in a table of such: nothing is cut off
CREATE SCHEMA padded;
SELECT count(*) > 0 AS made FROM recsys.create_functions('padded_recsys', 'padded');
SELECT same('padded.recommend(''c1'', 5)', 'recommend(''c1'', 5, ''padded_recsys'', NULL::text)');
SELECT same('padded.similar_items(''p1'', 5)', 'similar_items(''p1'', 5, ''padded_recsys'')');
SELECT same('padded.recommend_for_items(''{p1,p2}'', 5)', 'recommend_for_items(''{p1,p2}'', 5, ''padded_recsys'')');
CREATE TABLE text_rules AS SELECT * FROM association_rules('padded_recsys', NULL::text, min_support => 1);
CREATE TABLE padded_rules AS SELECT antecedent::char(4)[] AS antecedent, consequent::char(4) AS consequent, support, confidence, lift FROM text_rules;
SELECT same('complete_basket(''{p1}'', 5, ''padded_rules'')', 'complete_basket(''{p1}'', 5, ''text_rules'')');
SELECT same('complete_basket(''{p1}''::char(4)[], 5, ''padded_rules'')', 'complete_basket(''{p1}'', 5, ''padded_rules'')');
DROP TABLE text_rules, padded_rules;
SET client_min_messages = warning;
DROP SCHEMA padded CASCADE;
RESET client_min_messages;

-- with a type of no blanks they are what was meant
SELECT count(*) FROM similar_items(' p1', 5, 'padded_recsys');
ALTER TABLE padded_lines ALTER sku TYPE text;
SELECT count(*) FROM similar_items('p1  ', 5, 'padded_recsys');

PREPARE forget AS SELECT recsys.forget_user('padded_lines', $1) > 0 AS forgotten;
SET client_min_messages = warning;
EXECUTE forget('c1    ');
DEALLOCATE forget;
DROP FUNCTION same;
DROP TABLE padded_lines;
