-- What drivers send: parameters without types, texts, arrays as they are written,
-- bigint for whole numbers.  What comes without a type is read as the key's type.
SET client_min_messages = warning;
CREATE SCHEMA drivers;
SET search_path = drivers, public;
CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz);
INSERT INTO purchases
SELECT n / 4, (n * 7 + n / 4) % 23, 1, '2024-01-01 00:00+00'::timestamptz + n * interval '1 hour' FROM generate_series(1, 400) n;
CREATE TABLE text_purchases AS
SELECT 'u' || user_id AS user_id, 'p' || lpad(product_id::text, 2, '0') AS product_id, quantity, purchased_at FROM purchases;
CREATE TABLE uuid_purchases AS
SELECT lpad(to_hex(user_id), 32, '0')::uuid AS user_id, lpad(to_hex(product_id), 32, '0')::uuid AS product_id, quantity, purchased_at FROM purchases;
CREATE INDEX ints ON purchases USING recsys (user_id, product_id, quantity, purchased_at);
CREATE INDEX texts ON text_purchases USING recsys (user_id, product_id, quantity, purchased_at);
CREATE INDEX uuids ON uuid_purchases USING recsys (user_id, product_id, quantity, purchased_at);
CREATE TABLE int_rules AS SELECT * FROM association_rules('ints', 0.02, 0.1);
CREATE TABLE text_rules AS SELECT * FROM association_rules('texts', NULL::text, 0.02, 0.1);
CREATE TABLE uuid_rules AS SELECT * FROM association_rules('uuids', NULL::uuid, 0.02, 0.1);

/*
 * Every function with every number of arguments, none of them with a type.  Those that
 * mine or train are ambiguous by position beyond the first argument, and never by name.
 */
CREATE VIEW surface AS
SELECT p.oid, n.nspname, p.proname, p.pronargs, p.pronargdefaults, p.proargnames[1:p.pronargs] AS names
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'recsys'
WHERE p.prokind = 'f' AND p.oid NOT IN (SELECT unnest(ARRAY[aggtransfn, aggcombinefn]) FROM pg_aggregate) AND p.prorettype NOT IN ('internal'::regtype, 'index_am_handler'::regtype, 'trigger'::regtype) AND NOT 'internal'::regtype = ANY (p.proargtypes);
CREATE FUNCTION prepare_error(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'PREPARE untyped AS SELECT * FROM ' || call;
	DEALLOCATE untyped;
	RETURN NULL;
EXCEPTION WHEN others THEN
	RETURN regexp_replace(sqlerrm, '.* is not unique', 'is not unique');
END
$$;
SELECT proname, min(n) AS least, max(n) AS most, error
FROM (SELECT DISTINCT proname, n, prepare_error(format('%I.%I(%s)', nspname, proname,
		(SELECT string_agg('$' || x, ', ') FROM generate_series(1, n) x))) AS error
	  FROM surface, generate_series((pronargs - pronargdefaults)::int, pronargs) n) s
WHERE error IS NOT NULL GROUP BY proname, error ORDER BY proname, least;
SELECT count(*) > 30 AS tried, array_agg(DISTINCT proname || ': ' || error) FILTER (WHERE error IS NOT NULL) AS fail
FROM (SELECT proname, prepare_error(format('%I.%I(%s)', nspname, proname,
		(SELECT string_agg(format('%I => %s', name, CASE WHEN name ~ 'item_type$' THEN 'NULL::text' ELSE '$' || x END), ', ')
		 FROM (SELECT name, count(*) FILTER (WHERE name !~ 'item_type$') OVER (ORDER BY x) AS x
			   FROM unnest(names) WITH ORDINALITY a (name, x)) s))) AS error
	  FROM surface) s;

/*
 * The same answers, whether types are given or not.  A call has :user and the like
 * in the place of values; a row is wrong if its answers as text differ.
 */
CREATE TABLE calls (call text);
INSERT INTO calls VALUES
	('recommend(:user, 5, :index, :type)'),
	('recommend(:user, 5, :index, :true)'),
	('recommend(:user, 5, :index, :false, :day)'),
	('recommend(:user, 5, :index, :false, :day, :context)'),
	('recommend_with_reasons(:user, 5, :index, :context)'),
	('recommend_with_reasons(:user, 5, :index, :type)'),
	('next_basket(:user, 5, :index, :at)'),
	('next_basket(:user, 5, :index, :type)'),
	('next_basket(:user, 5, :index, :at, :context)'),
	('recently_viewed(:user, 5, :index, :type)'),
	('goes_with(:item, 5, :index)'),
	('recommend_for_items(:items, 5, :index)'),
	('recommend_for_items(items => :items, k => 30, recommender => :index, exclude_given => :false)'),
	('recommend_for_session(:items, 5, :index)'),
	('recommend_for_session(items => :items, k => 30, recommender => :index, exclude_given => :false)'),
	('similar_items(:item, 5, :index)'),
	('popular_items(5, :index, :type)'),
	('popular_items(5, :index, :since)'),
	('popular_items(5, :index, :since, :day)'),
	('explain_recommendation(:user, :item, :index)'),
	('explain_recommendation(:user, :item, :index, :day)'),
	('frequently_bought_together(:item, 5, :index)'),
	('complete_basket(:items, 5, :rules)'),
	('item_similarity(:index, :type)'),
	('recsys.item_rhythm(:index)'),
	('recsys.forget_user(:index, :absent)');
CREATE TABLE keys (kind regtype, index text, rules text, user_key text, item_key text, items text, absent text);
INSERT INTO keys VALUES
	('bigint', 'ints', 'int_rules', '3', '2', '{1,2,NULL,77}', '2261'),
	('text', 'texts', 'text_rules', 'u3', 'p02', '{"p01","p02",NULL,"p77"}', '2261'),
	('uuid', 'uuids', 'uuid_rules', lpad('3', 32, '0'), lpad('2', 32, '0'),
	 format('{%s,"%s",NULL,%s}', lpad('1', 32, '0'), lpad('2', 32, '0'), lpad('77', 32, '0')), lpad('8d5', 32, '0'));
-- with types; those that take the item type from a typed NULL get it by name
CREATE FUNCTION typed(call text, k keys) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN call ~ '^(recommend(_with_reasons)?\(|next_basket|recently|popular|item_sim)' AND k.kind <> 'bigint'::regtype
		   THEN regexp_replace(typed, '\)$', format(', item_type => NULL::%s)', k.kind)) ELSE typed END
	FROM regexp_replace(
		 replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(call,
		 ':user', format('%L::%s', k.user_key, k.kind)), ':items', format('%L::%s[]', k.items, k.kind)),
		 ':item', format('%L::%s', k.item_key, k.kind)), ':index', format('%L', k.index)), ':rules', format('%L::regclass', k.rules)),
		 ':absent', format('%L::%s', k.absent, k.kind)),
		 ', :context', ', context => ''{"exclude": []}''::jsonb'), ', :at', ', at => ''2024-01-05 00:00+00''::timestamptz'), ', :since', ', since => ''2024-01-10 00:00+00''::timestamptz'), ', :day', ', half_life => interval ''1 day'''),
		 'exclude_given => :false', 'exclude_given => false'),
		 ', :(true|false)', ', exclude_seen => \1') t, replace(t, ', :type', '') typed
$$;
CREATE FUNCTION untyped(call text, k keys, type text) RETURNS text LANGUAGE sql AS $$
	SELECT replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(call,
		   ':context', '''{"exclude": []}'''), ':type', 'NULL'), ':user', format('%L%s', k.user_key, type)), ':items', format('%L', k.items)),
		   ':item', format('%L%s', k.item_key, type)), ':index', format('%L', k.index)), ':rules', format('%L', k.rules)),
		   ':absent', format('%L%s', k.absent, type)),
		   ':at', '''2024-01-05 00:00+00'''), ':since', '''2024-01-10 00:00+00'''), ':day', '''1 day'''), ':true', '''true'''), ':false', '''false''')
$$;
CREATE FUNCTION answers(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	lines text;
BEGIN
	EXECUTE format('SELECT string_agg(r::text, E''\n'' ORDER BY r::text) FROM %s r', call) INTO lines;
	RETURN lines;
END
$$;
-- a statement with parameters of no type, executed with the same values
CREATE FUNCTION prepared(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	literals text[] := (SELECT array_agg(m[1]) FROM regexp_matches(call, '(''[^'']*'')', 'g') m);
	statement text := call;
	lines text;
BEGIN
	FOR i IN 1 .. cardinality(literals) LOOP
		statement := regexp_replace(statement, '''[^'']*''', '$' || i);
	END LOOP;
	DEALLOCATE ALL;
	EXECUTE format('PREPARE untyped AS SELECT string_agg(r::text, E''\n'' ORDER BY r::text) FROM %s r', statement);
	EXECUTE format('EXECUTE untyped(%s)', array_to_string(literals, ', ')) INTO lines;
	RETURN lines;
END
$$;
CREATE FUNCTION wrong(call text, k keys, way text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	expected text := answers(typed(call, k));
	got text;
BEGIN
	IF way = 'prepared' THEN
		got := prepared(untyped(call, k, ''));
	ELSE
		got := answers(untyped(call, k, way));
	END IF;
	RETURN CASE WHEN got IS DISTINCT FROM expected OR (expected IS NULL AND call !~ 'forget') THEN format(E'%s\nis not\n%s', got, expected) END;
EXCEPTION WHEN others THEN
	RETURN sqlerrm;
END
$$;
SELECT call, kind, way, wrong(call, k, way)
FROM calls, keys k, unnest(ARRAY['', '::text', '::varchar', '::char(40)', '::name', 'prepared']) way
WHERE wrong(call, k, way) IS NOT NULL;

-- the types of the answers
SELECT pg_typeof(a.item_id) AS untyped, pg_typeof(b.item_id) AS typed, pg_typeof(c.item_id) AS prototype, pg_typeof(d.item_id) AS by_name
FROM recommend('3', 1, 'ints') a, recommend_for_items('{1}', 1, 'ints') b, popular_items(1, 'ints', NULL::text) c,
	 popular_items(1, 'ints', item_type => NULL::integer) d;
SELECT pg_typeof(a.item_id) AS untyped, pg_typeof(b.item_id) AS named, pg_typeof(c.item_id) AS typed
FROM popular_items(1, 'ints', '2024-01-10') a, popular_items(1, 'ints', since => '2024-01-10') b,
	 popular_items(1, 'uuids', NULL::uuid) c;

-- node-postgres: numbers as text, arrays with quoted elements; psycopg: lists of text, empty ones, small integers
SELECT string_agg(item_id, ',' ORDER BY rank) FROM recommend_for_items('{"1","2"}', '3', 'ints');
SELECT string_agg(item_id, ',' ORDER BY rank) FROM recommend_for_items(ARRAY['1', '2'], 3, 'ints');
SELECT string_agg(item_id, ',' ORDER BY rank) FROM recommend_for_items(ARRAY['1', '2']::varchar[], 3, 'ints');
SELECT string_agg(item_id::text, ',' ORDER BY rank) FROM recommend_for_items(ARRAY[1, 2]::smallint[], 3::smallint, 'ints');
SELECT string_agg(item_id::text, ',' ORDER BY rank) FROM recommend_for_items(ARRAY[1, 2], 3::bigint, 'ints');
SELECT string_agg(item_id, ',' ORDER BY rank) FROM complete_basket(ARRAY['1', '2'], 3, 'int_rules');
SELECT string_agg(item_id::text, ',' ORDER BY rank) FROM complete_basket(ARRAY[1, 2]::smallint[], 3::bigint, 'int_rules');
SELECT array_agg(source) FROM recommend_for_items('{}', 2, 'ints');
SELECT array_agg(source) FROM recommend_for_items(NULL, 2, 'ints');
SELECT array_agg(source) FROM recommend_for_items('{NULL}', 2, 'ints');
SELECT array_agg(source) FROM recommend_for_items(ARRAY[]::text[], 2, 'uuids');
SELECT count(*) FROM complete_basket('{}', 2, 'int_rules');
SELECT count(*) FROM complete_basket(NULL, 2, 'int_rules');
SELECT array_agg(source) FROM recommend(NULL, 2, 'ints');
SELECT count(*) FROM similar_items(NULL, 2, 'ints');
-- a user that nobody is
SELECT array_agg(source) FROM recommend('2261', 2, 'ints');
SELECT array_agg(source) FROM recommend('2261', 2, 'texts', NULL);
-- what is no key says so as PostgreSQL does
\set VERBOSITY sqlstate
SELECT * FROM recommend('ann', 2, 'ints');
SELECT * FROM recommend('3', 2, 'uuids', NULL::uuid);
SELECT * FROM recommend('99999999999999999999', 2, 'ints');
SELECT * FROM recommend_for_items('{1,x}', 2, 'ints');
SELECT * FROM recommend_for_items('1', 2, 'ints');
SELECT * FROM complete_basket(ARRAY['x'], 2, 'int_rules');
SELECT * FROM popular_items(2, 'ints', 'yesterday or so');
SELECT recsys.forget_user('ints', 'x');
\set VERBOSITY default
SELECT * FROM recommend(3.5, 2, 'ints');
SELECT * FROM recommend(3, 2, 'texts');
SELECT * FROM recommend(3, 2, 'uuids');
SELECT * FROM recommend('u3', 2, 'texts');
SELECT * FROM recommend_for_items(ARRAY[1, 2], 2, 'texts');
SELECT * FROM similar_items(1, 2, 'uuids');
SELECT * FROM complete_basket(ARRAY[1, 2], 2, 'uuid_rules');
SELECT * FROM recommend(3, 2, 'ints', NULL::json);
SELECT * FROM popular_items(2, 'ints', NULL::numeric);
SELECT * FROM item_similarity('ints', NULL::json);
SELECT * FROM association_rules('ints', NULL::name, must_contain => '{1}');
SELECT * FROM frequent_itemsets('ints', NULL::json, must_contain => '{1}');
SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM purchases', NULL::numeric);
SELECT * FROM recsys.item_factors('ints', NULL::json);

-- JDBC: setLong for k, which has no limit as LIMIT has none
SELECT count(*) FROM recommend(3::bigint, 10::bigint, 'ints');
SELECT count(*) FROM similar_items(3::bigint, 10::bigint, 'ints');
SELECT count(*) FROM popular_items(10::bigint, 'ints');
SELECT count(*) FROM frequently_bought_together(3::bigint, 10::bigint, 'ints');
SELECT count(*) FROM recommend(3, 9223372036854775807, 'ints');
SELECT count(*) FROM recommend(3, 4294967297, 'ints', exclude_seen => false);
SELECT * FROM recommend(3, -4294967295, 'ints');
SELECT count(*) FROM recommend(3, '0', 'ints');

-- text holds keys of every type, where baskets are mined too
SELECT items, support FROM frequent_itemsets('ints', NULL::text, 8, min_length => 2, must_contain => '{4}') ORDER BY 1;
SELECT items, support FROM frequent_itemsets('ints', 8, min_length => 2, must_contain => '{4}') ORDER BY 1;
SELECT count(*) AS differences
FROM association_rules('uuids', NULL::uuid, 0.02, 0.1, consequents => ARRAY[lpad('2', 32, '0'), lpad('3', 32, '0')]) a
FULL JOIN association_rules('uuids', NULL::text, 0.02, 0.1, consequents => ARRAY[lpad('2', 32, '0'), lpad('3', 32, '0')]) b
	ON a.antecedent::text[] = b.antecedent AND a.consequent::text = b.consequent AND a.support = b.support
WHERE a.support IS NULL OR b.support IS NULL;
SELECT count(*) FROM association_rules('ints', NULL::text, must_contain => '{x}');
SELECT count(*) AS differences FROM item_similarity('ints') a
FULL JOIN item_similarity('ints', NULL::text) b ON a.item_id::text = b.item_id AND a.rank = b.rank AND a.similar_item_id::text = b.similar_item_id
WHERE a.item_id IS NULL OR b.item_id IS NULL;
SELECT count(*) AS differences FROM query_item_similarity('SELECT user_id, product_id FROM purchases') a
FULL JOIN query_item_similarity('SELECT user_id, product_id FROM purchases', item_type => NULL::text) b
	ON a.item_id::text = b.item_id AND a.rank = b.rank AND a.similar_item_id::text = b.similar_item_id
WHERE a.item_id IS NULL OR b.item_id IS NULL;
SELECT count(*) AS differences FROM cross_similarity('ints', 'ints') a
FULL JOIN cross_similarity('ints', 'ints', NULL, NULL) b ON a.item_id::text = b.item_id AND a.rank = b.rank AND a.similar_item_id::text = b.similar_item_id
WHERE a.item_id IS NULL OR b.item_id IS NULL;

-- forget_user with an index and a user of no type
PREPARE forget AS SELECT recsys.forget_user($1, $2);
EXECUTE forget('ints', '3');
EXECUTE forget('texts', 'u3');
EXECUTE forget('uuids', '00000000000000000000000000000003');
DEALLOCATE forget;

/*
 * rank: 1, 2, … in the order of the answer, with which a join with names gets the order back
 */
SELECT call, kind
FROM calls, keys k, LATERAL (SELECT answers(format('(SELECT 1 FROM %s WITH ORDINALITY r WHERE rank IS DISTINCT FROM ordinality)', typed(call, k))) AS out_of_order) s
WHERE call !~ 'forget|item_similarity|item_rhythm' AND out_of_order IS NOT NULL;
CREATE TABLE products (id bigint PRIMARY KEY, name text);
INSERT INTO products SELECT n, 'product ' || n FROM generate_series(0, 22) n;
ANALYZE products;
SELECT r.rank, p.name, r.score > 0 AS scored, r.source FROM recommend(0, 22, 'ints') r JOIN products p ON p.id = r.item_id ORDER BY r.rank;

DROP SCHEMA drivers CASCADE;
