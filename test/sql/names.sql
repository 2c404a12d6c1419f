/*
 * Names of recommenders are found as a regclass is: search path, schemas, quotes.
 * What leads nowhere says what would.
 */
CREATE SCHEMA shop;
CREATE SCHEMA "Other Shop";
CREATE SCHEMA hidden;
CREATE TABLE shop.lines (user_id bigint, item_id bigint);
INSERT INTO shop.lines VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 1);
CREATE TABLE "Other Shop"."Order Lines" (user_id bigint, item_id bigint);
INSERT INTO "Other Shop"."Order Lines" VALUES (1, 7), (1, 8), (2, 7), (2, 8), (3, 7);
CREATE INDEX l_ll ON shop.lines USING recsys (user_id, item_id);
CREATE INDEX "L Idx" ON "Other Shop"."Order Lines" USING recsys (user_id, item_id);

-- not on the search path: not for anyone
SELECT 'l_ll'::regclass;
SELECT * FROM recommend(3, 1, 'l_ll');
SELECT item_id FROM recommend(3, 1, 'shop.l_ll');
SELECT item_id FROM recommend(3, 1, 'SHOP . L_LL');
SELECT count(*) FROM recsys.index_info('shop.l_ll');
SET search_path = shop, public;
SELECT item_id FROM recommend(3, 1, 'l_ll');
SELECT item_id FROM recommend(3, 1, 'L_LL');
SELECT item_id FROM recommend(3, 1, '"L_LL"');

-- quotes and what goes without
SELECT * FROM recommend(3, 1, 'L Idx');
SELECT * FROM recommend(3, 1, '"L Idx"');
SELECT item_id FROM recommend(3, 1, '"Other Shop"."L Idx"');
SELECT * FROM recommend(3, 1, 'Other Shop."L Idx"');
SELECT * FROM recommend(3, 1, '');
SELECT * FROM recommend(3, 1, 'a.b.c.d');
SELECT * FROM recommend(3, 1, 'nowhere.l_ll');
CREATE INDEX "MixedCase" ON shop.lines USING recsys (user_id, item_id) WITH (similarity = jaccard);
SELECT * FROM recommend(3, 1, 'MixedCase');
SELECT item_id FROM recommend(3, 1, 'shop."MixedCase"');
DROP INDEX "MixedCase";

-- the same name in two schemas: the first on the path
ALTER INDEX "Other Shop"."L Idx" RENAME TO l_ll;
SELECT item_id FROM recommend(3, 1, 'l_ll');
SET search_path = "Other Shop", shop, public;
SELECT item_id FROM recommend(3, 1, 'l_ll');
SET search_path = public;
SELECT * FROM recommend(3, 1, 'l_ll');
SELECT item_id FROM recommend(3, 1, '"Other Shop".l_ll');
-- with no schema on the path, as where a dump is restored, a name is looked for everywhere
CREATE INDEX l_alone ON shop.lines USING recsys (user_id, item_id);
SET search_path = '';
SELECT item_id FROM public.recommend(3, 1, 'l_alone');
SELECT * FROM public.recommend(3, 1, 'l_ll');
SELECT * FROM public.recommend(3, 1, 'nothing');
SET search_path = pg_catalog, pg_temp;
SELECT item_id FROM public.recommend(3, 1, 'l_alone');
RESET search_path;
DROP INDEX shop.l_alone;

-- temporary tables hide what has the same name
SET search_path = shop, public;
CREATE TEMP TABLE lines (user_id bigint, item_id bigint);
INSERT INTO lines VALUES (1, 21), (1, 22), (2, 21), (2, 22), (3, 21);
CREATE INDEX l_ll ON pg_temp.lines USING recsys (user_id, item_id);
SELECT item_id FROM recommend(3, 1, 'l_ll');
SELECT item_id FROM recommend(3, 1, 'pg_temp.l_ll');
SELECT item_id FROM recommend(3, 1, 'shop.l_ll');
DROP TABLE pg_temp.lines;
SELECT item_id FROM recommend(3, 1, 'l_ll');

-- a table where its index is meant
SELECT * FROM recommend(3, 1, 'lines');
CREATE TABLE plain (user_id bigint, item_id bigint);
CREATE INDEX plain_btree ON plain (user_id);
SELECT * FROM recommend(3, 1, 'plain');
SELECT * FROM recommend(3, 1, 'plain_btree');
SELECT * FROM recsys.index_info('lines');
DROP TABLE plain;

-- which of several
SELECT * FROM recommend(3, 1);
RESET search_path;
DROP INDEX "Other Shop".l_ll;
SELECT item_id FROM recommend(3, 1);

/*
 * One message for all functions on a part of a partitioned index.
 */
CREATE TABLE visits (user_id bigint, item_id bigint, at date) PARTITION BY RANGE (at);
CREATE INDEX visits_recsys ON visits USING recsys (user_id, item_id);
SELECT * FROM recommend(1, 1, 'visits_recsys');
CREATE TABLE visits_2023 PARTITION OF visits FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE visits_2024 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO visits VALUES (1, 1, '2023-05-05'), (1, 2, '2024-05-05');
CREATE FUNCTION told(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'it works';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN format(E'%s: %s\n%s\n%s', state, message, detail, hint);
END;
$$;
SELECT string_agg(split_part(call, '(', 1), ', ') AS functions, told
FROM (VALUES ('recommend(1, 1, ''visits_2023_user_id_item_id_idx'')'), ('recommend_for_items(ARRAY[1], 1, ''visits_2023_user_id_item_id_idx'')'),
		('similar_items(1, 1, ''visits_2023_user_id_item_id_idx'')'), ('popular_items(1, ''visits_2023_user_id_item_id_idx'')'),
		('explain_recommendation(1, 1, ''visits_2023_user_id_item_id_idx'')'), ('frequently_bought_together(1, 1, ''visits_2023_user_id_item_id_idx'')'),
		('item_similarity(''visits_2023_user_id_item_id_idx'')'), ('association_rules(''visits_2023_user_id_item_id_idx'')'),
		('association_rules_to_sets(''visits_2023_user_id_item_id_idx'')'), ('frequent_itemsets(''visits_2023_user_id_item_id_idx'')'),
		('recsys.item_factors(''visits_2023_user_id_item_id_idx'')'), ('recsys.item_rhythm(''visits_2023_user_id_item_id_idx'')'), ('recsys.index_info(''visits_2023_user_id_item_id_idx'')'),
		('recsys.merge(''visits_2023_user_id_item_id_idx'')'), ('recsys.check_index(''visits_2023_user_id_item_id_idx'')'),
		('recsys.forget_user(''visits_2023_user_id_item_id_idx'', 1)'), ('recsys.page_summary(''visits_2023_user_id_item_id_idx'')'),
		('recsys.page_info(''visits_2023_user_id_item_id_idx'', 0)'), ('recsys.index_sections(''visits_2023_user_id_item_id_idx'')'),
		('recsys.tune(''visits_2023_user_id_item_id_idx''::regclass)'), ('recsys.evaluate_recommender(''visits_2023_user_id_item_id_idx'', ''SELECT 1, 1'')')) v(call),
	LATERAL told('SELECT * FROM ' || call) told
GROUP BY told;
DROP TABLE visits;
DROP FUNCTION told;

/*
 * A right that is missing is never read as "does not exist".
 */
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_recsys_reader;
RESET client_min_messages;
CREATE ROLE regress_recsys_reader;
CREATE TABLE hidden.orders (order_id bigint, product_id bigint, secret text, note text);
INSERT INTO hidden.orders VALUES (1, 1, 's'), (1, 2, 's'), (2, 1, 's'), (2, 2, 's'), (3, 1, 's');
CREATE INDEX o_ll ON hidden.orders USING recsys (order_id, product_id);
CREATE INDEX o_expression ON hidden.orders USING recsys (order_id, (product_id + length(secret))) WHERE note IS NULL;
CREATE INDEX o_row ON hidden.orders USING recsys (order_id, product_id) WHERE orders IS NOT NULL;
SET ROLE regress_recsys_reader;
SELECT * FROM recommend(3, 1);
SELECT * FROM recommend(3, 1, 'o_ll');
SELECT * FROM recommend(3, 1, 'hidden.o_ll');
SELECT * FROM recommend(3, 1, 'o_lll');
RESET ROLE;
GRANT USAGE ON SCHEMA hidden TO regress_recsys_reader;
SET ROLE regress_recsys_reader;
SELECT * FROM recommend(3, 1);
SELECT * FROM recommend(3, 1, 'o_ll');
SELECT * FROM recommend(3, 1, 'hidden.o_ll');
RESET ROLE;
GRANT SELECT (order_id, product_id) ON hidden.orders TO regress_recsys_reader;
SET ROLE regress_recsys_reader;
SELECT item_id FROM recommend(3, 1);
SELECT * FROM recommend(3, 1, 'o_ll');
SELECT item_id FROM recommend(3, 1, 'hidden.o_ll');
SELECT * FROM recommend(3, 1, 'hidden.o_expression');
RESET ROLE;
GRANT SELECT (secret) ON hidden.orders TO regress_recsys_reader;
SET ROLE regress_recsys_reader;
SELECT * FROM recommend(3, 1, 'hidden.o_expression');
SELECT * FROM recommend(3, 1, 'hidden.o_row');
RESET ROLE;
GRANT SELECT (note) ON hidden.orders TO regress_recsys_reader;
SET ROLE regress_recsys_reader;
-- expression and condition: now all that they look at
SELECT item_id FROM recommend(3, 1, 'hidden.o_expression');
SELECT item_id FROM recommend(3, 1, 'hidden.o_row');
SELECT index_name FROM recsys.index_stats WHERE schema_name = 'hidden' ORDER BY 1;
RESET ROLE;
-- without the schema, the columns do not help
REVOKE USAGE ON SCHEMA hidden FROM regress_recsys_reader;
SET ROLE regress_recsys_reader;
SET search_path = hidden, public;
SELECT * FROM recommend(3, 1, 'o_ll');
SELECT * FROM recommend(3, 1);
RESET search_path;
RESET ROLE;
DROP SCHEMA shop, "Other Shop", hidden CASCADE;
DROP ROLE regress_recsys_reader;

/*
 * Bought together is what occurs together more often than by chance.
 */
CREATE TABLE baskets (order_id bigint, product_id bigint);
-- 1 and 2 in all, 3 and 4 hardly ever together, 3 and 5 together
INSERT INTO baskets SELECT n, 1 FROM generate_series(1, 40) n;
INSERT INTO baskets SELECT n, 2 FROM generate_series(1, 40) n;
INSERT INTO baskets SELECT n, 3 FROM generate_series(1, 20) n;
INSERT INTO baskets SELECT n, 4 FROM generate_series(19, 40) n;
INSERT INTO baskets SELECT n, 5 FROM generate_series(1, 10) n;
CREATE INDEX baskets_recsys ON baskets USING recsys (order_id, product_id) WITH (min_support = 1);
SELECT item_id, support, lift FROM frequently_bought_together(3, 10, 'baskets_recsys');
SELECT item_id, support, lift FROM frequently_bought_together(3, 10, 'baskets_recsys', order_by => 'support');
SELECT count(*) FROM frequently_bought_together(1, 10, 'baskets_recsys');
SELECT consequent, support, round(lift::numeric, 2) AS lift
FROM association_rules('baskets_recsys', 1, 0, max_length => 2, filter => 'lift <= 1') WHERE antecedent = '{3}' ORDER BY lift DESC, consequent;
DROP TABLE baskets;
