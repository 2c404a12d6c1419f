-- Building an items index: types, parameters, and the graph against plain SQL.
\set VERBOSITY default
SET client_min_messages = warning;
SET extra_float_digits = 0;

-- operator classes are what they should be
SELECT opcname FROM pg_opclass
WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'recsys_items') AND NOT amvalidate(oid);
SELECT f.opfname, string_agg(c.opcname || CASE WHEN c.opcdefault THEN '' ELSE ' (not default)' END, ', ' ORDER BY c.opcname)
FROM pg_opclass c JOIN pg_opfamily f ON f.oid = c.opcfamily
WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'recsys_items') GROUP BY 1 ORDER BY 1;

-- every type of key
CREATE TYPE size AS ENUM ('small', 'medium', 'large');
CREATE DOMAIN price AS numeric CHECK (value > 0);
CREATE DOMAIN tag AS text;
CREATE TABLE every (i2 smallint, i4 int, i8 bigint, t text, vc varchar(40), ch char(6), na name, u uuid, en size,
	label text);
INSERT INTO every
SELECT i, i, i, 'k' || i, 'v' || i, 'c' || i, 'n' || i, md5(i::text)::uuid, (ARRAY['small', 'medium', 'large'])[i]::size, 'a'
FROM generate_series(1, 3) i;
CREATE INDEX every_i2 ON every USING recsys_items (i2, label);
CREATE INDEX every_i4 ON every USING recsys_items (i4, label);
CREATE INDEX every_i8 ON every USING recsys_items (i8, label);
CREATE INDEX every_t ON every USING recsys_items (t, label);
CREATE INDEX every_vc ON every USING recsys_items (vc, label);
CREATE INDEX every_ch ON every USING recsys_items (ch, label);
CREATE INDEX every_na ON every USING recsys_items (na, label);
CREATE INDEX every_u ON every USING recsys_items (u, label);
CREATE INDEX every_en ON every USING recsys_items (en, label);
SELECT name, count(*), min(item_id), count(DISTINCT item_id), min(score) > 0.999 AS alike
FROM unnest(ARRAY['i2', 'i4', 'i8', 't', 'vc', 'ch', 'na', 'u', 'en']) WITH ORDINALITY n (name, place),
	LATERAL item_similarity('every_' || name, NULL::text) GROUP BY name, place ORDER BY place;

-- every type of attribute, alone: the likeness of row 1 to the others
CREATE TABLE attributes (id int PRIMARY KEY, l2 smallint, l4 int, l8 bigint, lu uuid, lb boolean, lc char(4), ln name, le size,
	lt text, lm numeric, ld tag, lp price,
	a2 smallint[], a4 int[], a8 bigint[], au uuid[], at text[], av varchar[], ae size[], ad tag[],
	tt text, tv varchar, ts tsvector,
	f4 real, f8 double precision, nu numeric, n2 smallint, n4 int, n8 bigint,
	da date, tm timestamp, tz timestamptz, v4 real[], v8 double precision[]);
INSERT INTO attributes VALUES
(1, 1, 1, 1, md5('1')::uuid, true, 'a', 'a', 'small', 'a', 1.0, 'a', 100,
	'{1,2}', '{1,2}', '{1,2}', ARRAY[md5('1'), md5('2')]::uuid[], '{a,b}', '{a,b}', '{small,large}', '{a,b}',
	'red shoe', 'red shoe', 'red:1 shoe:2', 100, 100, 100, 100, 100, 100,
	'2024-01-01', '2024-01-01', '2024-01-01 00:00+00', '{1,0}', '{1,0}'),
(2, 1, 1, 1, md5('1')::uuid, true, 'a ', 'a', 'small', 'a', 1.00, 'a', 200,
	'{2,NULL,1,1}', '{2,NULL,1,1}', '{2,NULL,1,1}', ARRAY[md5('2'), NULL, md5('1'), md5('1')]::uuid[], '{b,NULL,a,a}', '{b,NULL,a,a}',
	'{large,NULL,small,small}', '{b,NULL,a,a}',
	'Shoe, red!', 'Shoe, red!', 'red shoe', 200, 200, 200, 200, 200, 200,
	'2024-01-31', '2024-01-31', '2024-01-31 00:00+00', '{2,2}', '{2,2}'),
(3, 2, 2, 2, md5('2')::uuid, false, 'b', 'b', 'large', 'b', 2, 'b', 300,
	'{3}', '{3}', '{3}', ARRAY[md5('3')]::uuid[], '{c}', '{c}', '{medium}', '{c}',
	'blue hat', 'blue hat', 'blue hat', -1, -1, -1, -1, -1, -1,
	'infinity', '-infinity', 'infinity', '{-1,0}', '{-1,0}'),
(4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	'{}', '{NULL}', NULL, NULL, NULL, NULL, NULL, NULL, '', ' .', '', 'NaN', 'Infinity', 'NaN', 0, 0, 0,
	NULL, NULL, NULL, '{0,0}', '{}');
CREATE FUNCTION alone(attribute text, OUT indexed text, OUT to_2 numeric, OUT to_3 numeric, OUT to_4 numeric) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE INDEX alone_index ON attributes USING recsys_items (id, %s)', attribute);
	indexed := attribute;
	SELECT max(score) FILTER (WHERE similar_item_id = 2), max(score) FILTER (WHERE similar_item_id = 3),
		max(score) FILTER (WHERE similar_item_id = 4)
	INTO to_2, to_3, to_4 FROM item_similarity('alone_index') WHERE item_id = 1;
	to_2 := round(to_2, 3);
	to_3 := round(to_3, 3);
	to_4 := round(to_4, 3);
	PERFORM recsys.check_index('alone_index');
	DROP INDEX alone_index;
END $$;
SELECT a.* FROM unnest(ARRAY['l2', 'l4', 'l8', 'lu', 'lb', 'lc', 'ln', 'le', 'lt text_label_ops', 'lm numeric_label_ops',
	'ld text_label_ops', 'lp numeric_label_ops',
	'a2', 'a4', 'a8', 'au', 'at', 'av', 'ae', 'ad', 'tt', 'tv', 'ts', 'ld', 'f4', 'f8', 'nu', 'lp',
	'n2 int2_number_ops', 'n4 int4_number_ops', 'n8 int8_number_ops',
	'n4 int4_number_ops (scale = 1)', 'n4 int4_number_ops (linear, scale = 100)', 'n4 int4_number_ops (linear)',
	'da', 'tm', 'tz', 'da date_ops (scale = 60)', 'v4', 'v8',
	'(lower(tt))', '(l4 + l8)']) WITH ORDINALITY u (attribute, place), LATERAL alone(attribute) a ORDER BY place;

-- weights: what weighs nothing is not looked at
SELECT * FROM alone('l2 int2_ops (weight = 3), lt text_label_ops (weight = 1), n4 int4_number_ops (weight = 0)');
SELECT * FROM alone('l4, n4 int4_number_ops (weight = 0.5)');

-- what cannot be
CREATE TABLE refused (id int, other numeric, label text, tags text[], price numeric, document jsonb, range int4range, vector real[],
	doubles float8[]);
CREATE INDEX refused_index ON refused USING recsys_items (id);
CREATE INDEX refused_index ON refused USING recsys_items (other, label);
CREATE INDEX refused_index ON refused USING recsys_items (range, label);
CREATE INDEX refused_index ON refused USING recsys_items (id, range);
CREATE INDEX refused_index ON refused USING recsys_items (id, document);
CREATE INDEX refused_index ON refused USING recsys_items (id, (document ->> 'name'));
DROP INDEX refused_index;
CREATE INDEX refused_index ON refused USING recsys_items (id int4_ops (weight = 2), label);
CREATE INDEX refused_index ON refused USING recsys_items (id, label text_ops (weight = -1));
CREATE INDEX refused_index ON refused USING recsys_items (id, label text_ops (b = 2));
CREATE INDEX refused_index ON refused USING recsys_items (id, label text_ops (scale = 2));
CREATE INDEX refused_index ON refused USING recsys_items (id, price numeric_ops (scale = 0));
CREATE INDEX refused_index ON refused USING recsys_items (id, tags text_array_ops (linear));
CREATE INDEX refused_index ON refused USING recsys_items (id, label numeric_ops);
CREATE INDEX refused_index ON refused USING recsys_items (id, label) WITH (min_support = 2);
CREATE INDEX refused_index ON refused USING recsys_items (id, label) WITH (similarity = cosine);
CREATE INDEX refused_index ON refused USING recsys_items (id, label) WITH (neighbors = 0);
CREATE UNIQUE INDEX refused_index ON refused USING recsys_items (id, label);
CREATE INDEX refused_index ON refused USING recsys_items (id, label) INCLUDE (price);
CREATE INDEX refused_index ON refused USING recsys_items (id, label DESC);
INSERT INTO refused (id, vector) VALUES (1, '{1,2}'), (2, '{1,2,3}');
CREATE INDEX refused_index ON refused USING recsys_items (id, vector);
UPDATE refused SET vector = '{1,NULL}' WHERE id = 2;
CREATE INDEX refused_index ON refused USING recsys_items (id, vector);
UPDATE refused SET vector = '{{1,2},{3,4}}' WHERE id = 2;
CREATE INDEX refused_index ON refused USING recsys_items (id, vector);
UPDATE refused SET vector = '{NaN,2}' WHERE id = 2;
CREATE INDEX refused_index ON refused USING recsys_items (id, vector);
UPDATE refused SET doubles = '{1e300,2}' WHERE id = 2;
CREATE INDEX refused_index ON refused USING recsys_items (id, doubles);
UPDATE refused SET vector = array_fill(1::real, ARRAY[5000]) WHERE id = 2;
CREATE INDEX refused_index ON refused USING recsys_items (id, vector);
UPDATE refused SET vector = array_fill(1::real, ARRAY[3500]), doubles = array_fill(1, ARRAY[3500]);
CREATE INDEX refused_index ON refused USING recsys_items (id, vector, doubles);
INSERT INTO refused (id, label) VALUES (3, repeat('x', 2000));
CREATE INDEX refused_index ON refused USING recsys_items (label, id);

-- the planner has no use for it
SET enable_seqscan = off;
-- PostgreSQL 18 and later say which nodes are disabled
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line !~ '^ *Disabled: ' THEN
			RETURN NEXT line;
		END IF;
	END LOOP;
END $$;
SELECT plan_of('SELECT * FROM every WHERE i4 = 1');
DROP FUNCTION plan_of;
SELECT i4 FROM every WHERE i4 = 1;
RESET enable_seqscan;

-- as dumps have it
CREATE INDEX dumped ON attributes USING recsys_items (id, l4, n4 int4_number_ops (linear, scale = 10), tt text_ops (k1 = 2, b = 0.5, weight = 3))
	WITH (neighbors = 7, fillfactor = 80, pending_limit = 128) WHERE l4 IS NOT NULL;
SELECT pg_get_indexdef('dumped'::regclass);
SELECT count(*), max(rank) FROM item_similarity('dumped') WHERE 4 NOT IN (item_id, similar_item_id);
SELECT count(*) FROM item_similarity('dumped') WHERE 4 IN (item_id, similar_item_id);

-- no rows, rows without a key, rows with nothing known
CREATE TABLE nothing (id text, label text);
CREATE INDEX nothing_index ON nothing USING recsys_items (id, label);
SELECT count(*) FROM item_similarity('nothing_index', NULL::text);
SELECT recsys.check_index('nothing_index');
INSERT INTO nothing VALUES (NULL, 'a'), ('b', NULL), ('c', NULL), ('d', 'a');
REINDEX INDEX nothing_index;
SELECT count(*) FROM item_similarity('nothing_index', NULL::text);
SELECT recsys.check_index('nothing_index');

-- unlogged and temporary tables
CREATE UNLOGGED TABLE unlogged_items AS SELECT * FROM every;
CREATE INDEX unlogged_index ON unlogged_items USING recsys_items (i4, label);
SELECT count(*) FROM item_similarity('unlogged_index');
CREATE TEMP TABLE temp_items AS SELECT * FROM every;
CREATE INDEX temp_index ON temp_items USING recsys_items (i4, label);
SELECT count(*) FROM item_similarity('temp_index');

-- several rows with one key: the first of them is the item
CREATE TABLE twice (id int, label text);
INSERT INTO twice VALUES (1, 'a'), (2, 'a'), (2, 'b'), (3, 'b'), (2, 'b'), (3, 'a');
CREATE INDEX twice_index ON twice USING recsys_items (id, label text_label_ops);
SELECT item_id, similar_item_id FROM item_similarity('twice_index') ORDER BY 1, 2;
DELETE FROM twice WHERE ctid = '(0,2)';
REINDEX INDEX twice_index;
SELECT item_id, similar_item_id FROM item_similarity('twice_index') ORDER BY 1, 2;
SELECT recsys.check_index('twice_index');

/*
 * The graph against plain SQL, on random data.
 */
CREATE FUNCTION draw(i int, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE AS
	$$ SELECT (('x' || substr(md5(i || salt), 1, 8))::bit(32)::bigint) / 4294967296.0 $$;
CREATE TABLE products AS
SELECT i * 7 % 1009 AS id,
	CASE WHEN draw(i, 'brand?') < 0.9 THEN 'brand ' || floor(draw(i, 'brand') ^ 2 * 12) END AS brand,
	CASE WHEN draw(i, 'category?') < 0.9 THEN floor(draw(i, 'category') * 5)::int END AS category,
	CASE WHEN draw(i, 'tags?') < 0.8 THEN (SELECT array_agg(CASE WHEN draw(i, 't' || n) < 0.95 THEN 'tag ' || floor(draw(i, 'tag' || n) ^ 3 * 20) END)
		FROM generate_series(1, 1 + floor(draw(i, 'ntags') * 5)::int) n) END AS tags,
	CASE WHEN draw(i, 'title?') < 0.9 THEN (SELECT string_agg('word' || floor(draw(i, 'word' || n) ^ 3 * 60), ' ')
		FROM generate_series(1, 1 + floor(draw(i, 'nwords') * 7)::int) n) END AS title,
	CASE WHEN draw(i, 'price?') < 0.9 THEN round(exp(draw(i, 'price') * 4)::numeric, 2) END AS price,
	CASE WHEN draw(i, 'stars?') < 0.9 THEN floor(draw(i, 'stars') * 9)::int END AS stars,
	CASE WHEN draw(i, 'listed?') < 0.9 THEN DATE '2024-01-01' + floor(draw(i, 'listed') * 300)::int END AS listed,
	CASE WHEN draw(i, 'vector?') < 0.9 THEN (SELECT array_agg((draw(i, 'v' || n) - 0.4)::real ORDER BY n) FROM generate_series(1, 12) n) END AS vector
FROM generate_series(1, 250) i;
CREATE INDEX products_index ON products USING recsys_items
	(id, brand text_label_ops (weight = 0.5), category, tags, title text_ops (k1 = 1.5, b = 0.6, weight = 2), price,
	 stars int4_number_ops (linear, scale = 2), listed date_ops (weight = 0.7, scale = 20), vector float4_array_ops (weight = 1.5))
	WITH (neighbors = 20);

CREATE TABLE labels AS
SELECT DISTINCT id, label FROM products, unnest(tags) label WHERE label IS NOT NULL;
CREATE TABLE label_weights AS
SELECT label, ln(1 + ((SELECT count(DISTINCT id) FROM labels) - count(*) + 0.5) / (count(*) + 0.5)) AS weight
FROM labels GROUP BY label;
CREATE TABLE words AS
SELECT id, word, count(*) AS n, sum(count(*)) OVER (PARTITION BY id) AS length
FROM products, regexp_split_to_table(title, ' ') word GROUP BY id, word;
CREATE TABLE word_weights AS
SELECT id, word, weight / sqrt(sum(weight ^ 2) OVER (PARTITION BY id)) AS weight FROM (
	SELECT w.id, w.word, ln(1 + (a.documents - t.n + 0.5) / (t.n + 0.5)) *
		w.n * (1.5 + 1) / (w.n + 1.5 * (1 - 0.6 + 0.6 * w.length / a.mean)) AS weight
	FROM words w JOIN (SELECT word, count(*) AS n FROM words GROUP BY word) t USING (word),
		(SELECT count(DISTINCT id)::float8 AS documents, sum(n) / count(DISTINCT id)::float8 AS mean FROM words) a) x;

CREATE TABLE reference AS
WITH jaccard AS (
	SELECT x.id, y.id AS other, sum(w.weight) AS common FROM labels x JOIN labels y USING (label) JOIN label_weights w USING (label) GROUP BY 1, 2
), size AS (
	SELECT id, sum(weight) AS weight FROM labels JOIN label_weights USING (label) GROUP BY id
), text AS (
	SELECT x.id, y.id AS other, sum(x.weight * y.weight) AS cosine FROM word_weights x JOIN word_weights y USING (word) GROUP BY 1, 2
), vectors AS (
	SELECT id, n, x / sqrt(sum(x::float8 ^ 2) OVER (PARTITION BY id)) AS x FROM products, unnest(vector) WITH ORDINALITY u (x, n)
), cosine AS (
	SELECT x.id, y.id AS other, greatest(sum(x.x * y.x), 0) AS cosine FROM vectors x JOIN vectors y USING (n) GROUP BY 1, 2
)
SELECT p.id, q.id AS other,
	(0.5 * coalesce((p.brand = q.brand)::int, 0)
	+ 1 * coalesce((p.category = q.category)::int, 0)
	+ 1 * coalesce(j.common / (sp.weight + sq.weight - j.common), 0)
	+ 2 * coalesce(t.cosine, 0)
	+ 1 * coalesce(exp(-power((ln(p.price) - ln(q.price))::float8, 2) / (2 * 0.5 ^ 2)), 0)
	+ 1 * coalesce(exp(-power(p.stars - q.stars, 2) / (2 * 2 ^ 2)), 0)
	+ 0.7 * coalesce(exp(-power(p.listed - q.listed, 2) / (2 * 20 ^ 2)), 0)
	+ 1.5 * coalesce(c.cosine, 0)) / (0.5 + 1 + 1 + 2 + 1 + 1 + 0.7 + 1.5) AS likeness
FROM products p JOIN products q ON p.id <> q.id
LEFT JOIN jaccard j ON (j.id, j.other) = (p.id, q.id)
LEFT JOIN size sp ON sp.id = p.id LEFT JOIN size sq ON sq.id = q.id
LEFT JOIN text t ON (t.id, t.other) = (p.id, q.id)
LEFT JOIN cosine c ON (c.id, c.other) = (p.id, q.id);
CREATE TABLE graph AS SELECT * FROM item_similarity('products_index');
SELECT recsys.check_index('products_index');

-- every item has as many neighbors as there can be, and they are as alike as the reference says, but
-- for the lot, which takes away at most a 4096th
SELECT count(*) AS pairs, count(DISTINCT item_id) AS items, min(n) AS fewest, max(n) AS most
FROM (SELECT item_id, count(*) OVER (PARTITION BY item_id) AS n FROM graph) x;
SELECT count(*) AS checked, bool_and(g.score BETWEEN r.likeness * (1 - 1 / 4096.0) - 1e-4 AND r.likeness + 1e-4) AS alike
FROM graph g JOIN reference r ON (r.id, r.other) = (g.item_id, g.similar_item_id);

-- who is left out is no more alike than the last one listed
SELECT count(*) AS left_out_wrongly
FROM reference r JOIN (SELECT item_id, min(score) AS last FROM graph GROUP BY item_id) g ON g.item_id = r.id
WHERE likeness * (1 - 1 / 4096.0) > last + 1e-4 AND NOT EXISTS (SELECT FROM graph x WHERE (x.item_id, x.similar_item_id) = (r.id, r.other));

-- likeness is mutual, and ranks follow scores
SELECT count(*) AS unequal FROM graph a JOIN graph b ON (a.item_id, a.similar_item_id) = (b.similar_item_id, b.item_id)
WHERE a.score <> b.score;
SELECT count(*) AS out_of_order FROM graph a JOIN graph b ON b.item_id = a.item_id AND b.rank = a.rank + 1
WHERE (-a.score, a.similar_item_id) > (-b.score, b.similar_item_id);

-- other rows and another order of them: the same graph
CREATE TABLE shuffled AS SELECT * FROM products ORDER BY md5(id::text);
CREATE INDEX shuffled_index ON shuffled USING recsys_items
	(id, brand text_label_ops (weight = 0.5), category, tags, title text_ops (k1 = 1.5, b = 0.6, weight = 2), price,
	 stars int4_number_ops (linear, scale = 2), listed date_ops (weight = 0.7, scale = 20), vector float4_array_ops (weight = 1.5))
	WITH (neighbors = 20);
SELECT count(*) FROM (TABLE graph EXCEPT SELECT * FROM item_similarity('shuffled_index')) x;

-- the same through expressions, other types, and casts of types that the library does not know
CREATE TYPE shape AS (numbers real[]);
CREATE FUNCTION shape_numbers(shape) RETURNS real[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT ($1).numbers';
CREATE CAST (shape AS real[]) WITH FUNCTION shape_numbers(shape);
CREATE TABLE cast_products AS SELECT id::text AS id, brand::char(12) AS brand, category::bigint AS category, tags::varchar[] AS tags,
	to_tsvector('simple', title) AS title, price::float8 AS price, stars::numeric AS stars, listed::timestamp AS listed,
	CASE WHEN vector IS NOT NULL THEN row(vector)::shape END AS vector FROM products;
CREATE INDEX cast_index ON cast_products USING recsys_items
	((id::int), brand bpchar_ops (weight = 0.5), category, tags, title tsvector_ops (k1 = 1.5, b = 0.6, weight = 2), price,
	 stars numeric_ops (linear, scale = 2), listed timestamp_ops (weight = 0.7, scale = 20), vector any_ops (weight = 1.5))
	WITH (neighbors = 20);
SELECT count(*) AS pairs, max(abs(g.score - x.score)) < 1e-6 AS alike
FROM graph g JOIN item_similarity('cast_index') x USING (item_id, similar_item_id);

-- clusters: most of the best neighbors are found
SET recsys.exact_items = 100;
CREATE INDEX clustered_index ON products USING recsys_items
	(id, brand text_label_ops (weight = 0.5), category, tags, title text_ops (k1 = 1.5, b = 0.6, weight = 2), price,
	 stars int4_number_ops (linear, scale = 2), listed date_ops (weight = 0.7, scale = 20), vector float4_array_ops (weight = 1.5))
	WITH (neighbors = 20);
RESET recsys.exact_items;
SELECT recsys.check_index('clustered_index');
SELECT count(DISTINCT c.item_id) AS items, count(*) FILTER (WHERE g.score <> c.score) AS unequal,
	count(*) > 0.3 * (SELECT count(*) FROM graph) AS found
FROM graph g JOIN item_similarity('clustered_index') c USING (item_id, similar_item_id);

DROP TABLE every, attributes, refused, nothing, unlogged_items, temp_items, twice, products, labels, label_weights, words, word_weights,
	reference, graph, shuffled, cast_products;
DROP FUNCTION alone, draw;
DROP TYPE shape CASCADE;
DROP TYPE size;
DROP DOMAIN price, tag;
