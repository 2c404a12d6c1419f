/*
 * Key types other than integers, text and uuid: what an index takes, how it is found,
 * and what the message says to write where it takes none.
 */
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE TABLE history (u integer, i integer);
INSERT INTO history VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (3, 3), (4, 1);
SET enable_seqscan = off;

-- char(n): trailing blanks do not count, here as anywhere
CREATE TABLE char_keys (user_id char(5), item_id char(3));
INSERT INTO char_keys SELECT 'u' || u, (ARRAY['a', 'b', 'ccc'])[i] FROM history;
CREATE INDEX char_recsys ON char_keys USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT item_id || '|' AS item, source FROM recommend('u4'::char(5), 3, 'char_recsys', NULL::text);
SELECT item_id::text || '|' AS item, source FROM recommend('u4   '::bpchar, 3, 'char_recsys', NULL::bpchar);
SELECT * FROM similar_items('b'::text, 5, 'char_recsys');
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT item_id FROM char_keys WHERE user_id = 'u3';
SELECT item_id FROM char_keys WHERE user_id = 'u3' ORDER BY 1;
SELECT item_id FROM char_keys WHERE user_id = 'u3  '::char(9) AND item_id = 'b ';
SELECT user_id FROM char_keys WHERE item_id = 'a' ORDER BY 1;
INSERT INTO char_keys VALUES ('u4', 'ccc'), (NULL, 'a'), ('u9', NULL);
SELECT recsys.check_index('char_recsys');
SELECT * FROM frequent_itemsets('char_recsys', NULL::text, 2) ORDER BY items;
SELECT * FROM frequent_itemsets('char_recsys', NULL::bpchar, 2, must_contain => ARRAY['a  ']) ORDER BY items;
DROP TABLE char_keys;

-- name, which equals a text of the same bytes
CREATE TABLE name_keys (user_id name, item_id name);
INSERT INTO name_keys SELECT 'u' || u, (ARRAY['a', 'b', repeat('c', 63)])[i] FROM history;
CREATE INDEX name_recsys ON name_keys USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT left(item_id, 3) AS item, source FROM recommend('u4'::name, 3, 'name_recsys', NULL::text);
SELECT pg_typeof(item_id), left(item_id, 3) AS item FROM recommend('u4'::text, 3, 'name_recsys', NULL::name);
EXPLAIN (COSTS OFF) SELECT item_id FROM name_keys WHERE user_id = 'u1'::text;
RESET enable_bitmapscan;
SELECT item_id FROM name_keys WHERE user_id = 'u1' ORDER BY 1;
SELECT item_id FROM name_keys WHERE user_id = 'u1'::text ORDER BY 1;
SELECT item_id FROM name_keys WHERE 'u1'::text = user_id AND item_id = 'b'::name;
SELECT count(*) FROM name_keys WHERE user_id = repeat('u1', 100);
SELECT items FROM frequent_itemsets('name_recsys', NULL::name, 2) ORDER BY items;
SELECT recsys.check_index('name_recsys');
DROP TABLE name_keys;

-- an enum is read and written by its labels
CREATE TABLE enum_keys (user_id integer, item_id colour);
INSERT INTO enum_keys SELECT u, (ARRAY['red', 'green', 'blue']::colour[])[i] FROM history;
CREATE INDEX enum_recsys ON enum_keys USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT * FROM recommend(4, 3, 'enum_recsys', NULL::text);
SELECT pg_typeof(item_id), * FROM recommend(4, 3, 'enum_recsys', NULL::colour);
SELECT * FROM similar_items('green'::text, 5, 'enum_recsys');
SELECT * FROM frequent_itemsets('enum_recsys', NULL::colour, 2, must_contain => ARRAY['red']) ORDER BY items;
SELECT user_id FROM enum_keys WHERE item_id = 'red' ORDER BY 1;
SELECT user_id FROM enum_keys WHERE user_id = 1 AND item_id = 'red';
SELECT recsys.check_index('enum_recsys');
SELECT * FROM recommend(4, 3, 'enum_recsys');
CREATE TYPE size AS ENUM ('s', 'm');
SELECT * FROM recommend(4, 3, 'enum_recsys', NULL::size);
-- a renamed label is a new key from then on
ALTER TYPE colour RENAME VALUE 'red' TO 'crimson';
SELECT user_id FROM enum_keys WHERE item_id = 'crimson' ORDER BY 1;
REINDEX INDEX enum_recsys;
SELECT recsys.check_index('enum_recsys');
SELECT * FROM similar_items('crimson'::text, 5, 'enum_recsys');
DROP TABLE enum_keys;

-- what cannot be a key: each command runs as printed
CREATE TABLE others (id integer, n numeric, f double precision, r real, b boolean, d date, ts timestamp,
					 tz timestamptz, o oid, raw bytea, j jsonb, ip inet, c "char", t time, "An Item" numeric, "by" interval, a text[]);
INSERT INTO others VALUES (1, 17850.0, 1e6, 2, true, '2024-01-31', '2024-01-31 10:00', '2024-01-31 10:00+00', 5, '\xff', '{"id": 7}', '10.0.0.1', 'x', '12:00', 4, '1 day', '{a}');
CREATE FUNCTION try(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
	index text;
BEGIN
	EXECUTE command;
	RETURN 'it is an index';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	IF hint LIKE 'Index an expression: %' THEN
		EXECUTE rtrim(substr(hint, length('Index an expression: ') + 1), '.');
		SELECT indexrelid::regclass::text INTO index FROM pg_index WHERE indrelid = 'others'::regclass;
		PERFORM recsys.check_index(index::regclass);
		EXECUTE 'DROP INDEX ' || index;
	END IF;
	RETURN message || ' / ' || hint;
END;
$$;
SELECT try(format('CREATE INDEX others_recsys ON others USING recsys (id, %I)', attname))
FROM pg_attribute WHERE attrelid = 'others'::regclass AND attnum > 1 ORDER BY attnum;
SELECT try('CREATE INDEX others_recsys ON others USING recsys (n, b)');
SELECT try('CREATE INDEX others_recsys ON others USING recsys (n, id, f, tz)');
SELECT try('CREATE INDEX others_recsys ON others USING recsys ((n * 2), (abs(f)))');
CREATE INDEX others_recsys ON others USING recsys (n, id);
-- an equality of the type's own is not to be had by another class
CREATE INDEX others_recsys ON others USING recsys (id, n int8_ops);
-- citext is binary coercible to text, but equal where its text is not (made here as its extension does it)
SET client_min_messages = warning;
CREATE TYPE citext;
CREATE FUNCTION citextin(cstring) RETURNS citext AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION citextout(citext) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE citext (INPUT = citextin, OUTPUT = citextout, INTERNALLENGTH = variable, STORAGE = extended, CATEGORY = 'S', COLLATABLE = true);
CREATE CAST (citext AS text) WITHOUT FUNCTION AS IMPLICIT;
RESET client_min_messages;
ALTER TABLE others ADD email citext;
-- from 17 on the search path leads nowhere while an index is made
SELECT replace(try('CREATE INDEX others_recsys ON others USING recsys (email, id)'), 'public.citext', 'citext') AS try;
SELECT * FROM query_item_similarity('SELECT email, id FROM others');
DROP FUNCTION try;

-- a query may return whole numbers of any type, and whatever has a text
SELECT * FROM query_item_similarity('SELECT u::numeric(10,1), i::double precision FROM history');
SELECT * FROM query_item_similarity('SELECT u::real, i::numeric FROM history', min_support => 2);
SELECT * FROM query_item_similarity('SELECT u, i + 0.5 FROM history');
SELECT * FROM query_item_similarity('SELECT u, i + 0.5::float8 FROM history');
SELECT * FROM query_item_similarity('SELECT u, ''NaN''::numeric FROM history');
SELECT * FROM query_item_similarity('SELECT u, 1e30::float8 FROM history');
SELECT * FROM query_item_similarity('SELECT u, 1e30::numeric FROM history');
SELECT * FROM query_item_similarity('SELECT u::text::char(4), (''i'' || i)::name FROM history', item_type => NULL::text);
SELECT * FROM query_item_similarity('SELECT u, (ARRAY[''crimson'', ''green'', ''blue'']::colour[])[i] FROM history', item_type => NULL::colour);
SELECT * FROM query_item_similarity('SELECT u, ''purple'' || i AS colour FROM history', item_type => NULL::colour);
SELECT * FROM query_item_similarity('SELECT u AS user_id, date ''2024-01-31'' + i AS "on" FROM history');
SELECT * FROM query_item_similarity('SELECT u, i > 1 FROM history');
SELECT * FROM query_item_similarity('SELECT u, ARRAY[i] FROM history');
SELECT * FROM query_frequent_itemsets('SELECT u::numeric, i::numeric FROM history', 2) ORDER BY items;
SELECT metric, value FROM recsys.evaluate('SELECT u::numeric, i::numeric FROM history', 'similarity = cosine, min_support = 1',
	test => 'SELECT 4, 2.0', metrics => '{hit_rate}', k => '{1}');
RESET enable_seqscan;
DROP TABLE others, history;
SET client_min_messages = warning;
DROP TYPE citext CASCADE;
RESET client_min_messages;
DROP TYPE colour, size;
