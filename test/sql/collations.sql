-- Keys are equal when their bytes are: nondeterministic collations are refused by whatever
-- reads keys, as CREATE INDEX does.  Says nothing on servers without ICU.
SET client_min_messages = warning;
DO $$
DECLARE
	query text;
BEGIN
	CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
	CREATE TABLE any_case_shop (user_id text COLLATE any_case, item_id text COLLATE any_case, item int, at timestamptz);
	CREATE TABLE any_case_rules (antecedent text[] COLLATE any_case, consequent text, confidence float8, lift float8, support bigint);
	INSERT INTO any_case_shop SELECT u, i, i, now() FROM generate_series(1, 5) u, generate_series(1, 5) i;
	FOREACH query IN ARRAY ARRAY[
		$q$CREATE INDEX ON any_case_shop USING recsys (user_id, item)$q$,
		$q$CREATE INDEX ON any_case_shop USING recsys (item, item_id)$q$,
		$q$SELECT query_item_similarity('SELECT user_id, item FROM any_case_shop')$q$,
		$q$SELECT query_item_similarity('SELECT item, item_id FROM any_case_shop', item_type => NULL::text)$q$,
		$q$SELECT query_item_similarity('SELECT item, lower(item_id) FROM any_case_shop', item_type => NULL::text)$q$,
		$q$SELECT query_association_rules('SELECT user_id, item FROM any_case_shop')$q$,
		$q$SELECT query_frequent_itemsets('SELECT user_id, item FROM any_case_shop')$q$,
		$q$SELECT recsys.evaluate('SELECT user_id, item FROM any_case_shop')$q$,
		$q$SELECT recsys.evaluate('SELECT user_id COLLATE "C", item FROM any_case_shop', test => 'SELECT user_id, item FROM any_case_shop')$q$,
		$q$SELECT recsys.evaluate('SELECT user_id COLLATE "C", item FROM any_case_shop', segments => 'SELECT user_id, 1 FROM any_case_shop')$q$,
		$q$SELECT recsys.compare('SELECT user_id, item FROM any_case_shop', '', 'similarity = jaccard')$q$,
		$q$SELECT recsys.tune('SELECT user_id, item FROM any_case_shop')$q$,
		$q$SELECT recsys.holdout('SELECT user_id, item FROM any_case_shop')$q$,
		$q$SELECT complete_basket('{a}'::text[], 5, 'any_case_rules')$q$]
	LOOP
		BEGIN
			EXECUTE query;
			RAISE WARNING 'accepted: %', query;
		EXCEPTION WHEN OTHERS THEN
			IF SQLERRM <> 'nondeterministic collations are not supported for keys of a recommender' THEN
				RAISE WARNING '%: %', query, SQLERRM;
			END IF;
		END;
	END LOOP;
	PERFORM query_item_similarity('SELECT user_id COLLATE "C", item FROM any_case_shop');

	-- an index under a deterministic collation is tuned, and its command keeps that
	CREATE INDEX any_case_recsys ON any_case_shop USING recsys (user_id COLLATE "C", item_id COLLATE "POSIX");
	SELECT command INTO query FROM recsys.tune('any_case_recsys'::regclass, models => '{"similarity = cosine"}', resamples => 0) WHERE model = 'similarity = cosine';
	IF query <> 'CREATE INDEX ON public.any_case_shop USING recsys (user_id COLLATE "C", item_id COLLATE "POSIX") WITH (similarity = cosine)' THEN
		RAISE WARNING 'the command is %', query;
	END IF;
	EXECUTE query;
	DROP TABLE any_case_shop, any_case_rules;
	DROP COLLATION any_case;
EXCEPTION WHEN feature_not_supported OR undefined_object OR invalid_parameter_value THEN
	IF SQLERRM NOT LIKE '%ICU%' THEN
		RAISE WARNING '%', SQLERRM;
	END IF;
END $$;

-- what tune prints makes the same index again, whatever it has
SET allow_in_place_tablespaces = true;
CREATE TABLESPACE regress_recsys_space LOCATION '';
CREATE OPERATOR CLASS own_ops FOR TYPE bigint USING recsys AS OPERATOR 1 = (bigint, bigint);
CREATE SCHEMA "Odd schema";
CREATE TABLE "Odd schema"."Odd lines" (customer text, "Item" bigint, quantity int, price numeric, at timestamptz, gone boolean);
INSERT INTO "Odd schema"."Odd lines"
SELECT 'c' || u, (u * i) % 11, i, 1.5, timestamptz '2024-01-01' + u * interval '1 day', i = 4
FROM generate_series(1, 30) u, generate_series(1, 6) i;
CREATE TABLE "Odd schema"."more lines" () INHERITS ("Odd schema"."Odd lines");
INSERT INTO "Odd schema"."more lines" SELECT 'x' || u, 1, 1, 1, now() FROM generate_series(1, 100) u;
CREATE INDEX "Odd" ON "Odd schema"."Odd lines" USING recsys (lower(customer) COLLATE "C", "Item" own_ops, (quantity * price), at)
	WITH (similarity = jaccard, min_support = 1, fillfactor = 70, pending_limit = 128)
	TABLESPACE regress_recsys_space WHERE NOT gone AND customer <> 'it''s ) WITH (';
SELECT command FROM recsys.tune('"Odd schema"."Odd"'::regclass, models => '{"similarity = jaccard, min_support = 1", "", "  "}', resamples => 0);
SELECT command FROM recsys.tune('"Odd schema"."Odd"'::regclass, models => '{"similarity = jaccard, min_support = 1"}', resamples => 0)
\gexec
SELECT count(*), count(DISTINCT regexp_replace(pg_get_indexdef(indexrelid), 'INDEX .*? ON', '')) AS definitions,
	   count(DISTINCT (SELECT array_agg(o ORDER BY o) FROM unnest(c.reloptions) o)) AS options,
	   count(DISTINCT reltablespace) AS spaces
FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = '"Odd schema"."Odd lines"'::regclass;
SELECT DISTINCT regexp_replace(pg_get_indexdef(indexrelid), 'INDEX .*? ON', 'INDEX ON') FROM pg_index
WHERE indrelid = '"Odd schema"."Odd lines"'::regclass ORDER BY 1;
-- only rows of the table itself are the index's: not 100 users more
SELECT users FROM recsys.tune('"Odd schema"."Odd"'::regclass, models => '{"similarity = jaccard"}', resamples => 0);
-- a query over a table with children is of no index
SELECT command FROM recsys.tune('SELECT customer, "Item" FROM "Odd schema"."Odd lines"', models => '{"similarity = jaccard"}', resamples => 0);
SELECT command FROM recsys.tune('SELECT customer, "Item" FROM ONLY "Odd schema"."Odd lines"', models => '{"similarity = jaccard"}', resamples => 0);
SELECT command FROM recsys.tune('SELECT customer, "Item" FROM ONLY "Odd schema"."Odd lines"', models => '{""}', resamples => 0)
\gexec
DROP SCHEMA "Odd schema" CASCADE;
DROP OPERATOR FAMILY own_ops USING recsys;
DROP TABLESPACE regress_recsys_space;
