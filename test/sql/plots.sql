-- Pictures: they are XML whatever labels hold, show what the functions answer, and do not depend on settings
-- a server without XML has nothing to parse them with
CREATE FUNCTION pg_temp.has_xml() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN xml_is_well_formed('<a/>');
EXCEPTION WHEN feature_not_supported THEN
	RETURN false;
END
$$;
SELECT pg_temp.has_xml() \gset
\if :has_xml
\else
\quit
\endif
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA pictures;
SET search_path = pictures, public;
CREATE TABLE products (product_id text PRIMARY KEY, name text);
INSERT INTO products SELECT 'p' || n, CASE n WHEN 1 THEN '<script>alert("1")</script> & ]]>' WHEN 2 THEN E'tab\there \x01\x1f\x7f end' WHEN 3 THEN repeat('long ', 2000)
	WHEN 4 THEN '' WHEN 5 THEN NULL WHEN 6 THEN '%s %1$s %I \1 &amp;' WHEN 7 THEN 'same' WHEN 8 THEN 'same' ELSE 'Product ' || n END FROM generate_series(1, 20) n;
CREATE TABLE purchases (user_id bigint, product_id text, bought_at timestamptz);
INSERT INTO purchases SELECT u, 'p' || 1 + (u * 7 + n * n * (1 + u % 3)) % 20, '2026-01-01'::timestamptz + u * interval '1 hour' FROM generate_series(1, 300) u, generate_series(0, 4) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, bought_at) WITH (similarity = cosine);
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', title => 'name');

-- elements of a picture: an error if it is no XML
CREATE FUNCTION elements(picture text, path text) RETURNS bigint LANGUAGE sql AS $$
SELECT count(*) FROM unnest(xpath(path, XMLPARSE(DOCUMENT picture), ARRAY[ARRAY['s', 'http://www.w3.org/2000/svg']])) $$;
CREATE FUNCTION texts(picture text, path text) RETURNS SETOF text LANGUAGE sql AS $$
SELECT x::text FROM unnest(xpath(path, XMLPARSE(DOCUMENT picture), ARRAY[ARRAY['s', 'http://www.w3.org/2000/svg']])) x $$;

/*
 * What pictures are made of
 */
SELECT x, recsys.svg_number(x) FROM unnest('{0,-0.0001234,1e-300,1e300,-123456.7,9.999,-55.55,0.05,0.999,9999999,1e7,NaN,Infinity}'::float8[]) x;
SELECT recsys.svg_text(NULL), recsys.svg_text(''), recsys.svg_text('<&">'), recsys.svg_text('12345678', 8), recsys.svg_text('123456789', 8), recsys.svg_text('1&3', 2), recsys.svg_text('abc', 0);
SELECT recsys.svg_text(E' \x01a\n\tb\x7f '), recsys.svg_text(U&'a\FFFFb\FFFEc');
SELECT recsys.plot_order('{a,b,c,d,e}', '{a,c,a}', '{d,d,b}', '{3,2,1}'), recsys.plot_order('{a,b,c}', NULL, NULL, NULL), recsys.plot_order('{}', '{}', '{}', '{}');
SELECT array_agg(s) FROM recsys.svg_steps(-0.13, 0.31) s;
SELECT array_agg(s) FROM recsys.svg_steps(0, 1234567) s;
SELECT elements(recsys.svg_picture(100, 100, '<t>', '"&', '<g/>'), '//s:g'), texts(recsys.svg_picture(100, 100, '<t>', '"&', ''), '/s:svg/s:title/text()');

/*
 * Neighbors: as many as similar_items has, with their titles; edges among them
 */
CREATE VIEW neighbors AS SELECT recsys.plot_neighbors('p10', 'home', 8) AS picture;
SELECT elements(picture, '//s:circle[@class="f1"]') AS neighbors, elements(picture, '//s:circle[@class="f2"]') AS item, elements(picture, '//s:line') AS lines FROM neighbors;
SELECT count(*) = (SELECT elements(picture, '//s:path[@class="link"]') FROM neighbors) AS all_links
FROM (WITH near AS (SELECT item_id FROM similar_items('p10', 8, 'home'))
	  SELECT DISTINCT least(n.item_id, s.item_id), greatest(n.item_id, s.item_id) FROM near n, LATERAL similar_items(n.item_id, 100, 'home') s WHERE s.item_id IN (SELECT item_id FROM near)) pairs;
SELECT count(*) AS named, count(*) FILTER (WHERE position('>' || recsys.svg_text(coalesce(nullif(p.name, ''), p.product_id), 32) || '<' IN picture) > 0) AS found,
	count(*) FILTER (WHERE picture LIKE '%>' || recsys.svg_number(s.score) || ' &#183; ' || s.support || ' users<%') AS with_score
FROM neighbors, similar_items('p10', 8, 'home') s JOIN products p ON p.product_id = s.item_id;
-- every item in one picture: hostile titles and all; no two circles in one place
SELECT elements(picture, '//s:circle'), elements(picture, '//s:script'), (SELECT count(DISTINCT t) FROM texts(picture, '//s:circle/@cy') t) FROM (SELECT recsys.plot_neighbors('p1', 'home', 40) AS picture) p;
SELECT texts(recsys.plot_neighbors('p1', 'home'), '/s:svg/s:title/text()');
-- of an index keys are shown; without a name the only one is taken
SELECT texts(recsys.plot_neighbors('p1', 'purchases_recsys', 3), '/s:svg/s:title/text()'), recsys.plot_neighbors('p1', 'purchases_recsys', 3) = recsys.plot_neighbors('p1', 'pictures.purchases_recsys', 3);
SELECT elements(recsys.plot_neighbors('none', 'home'), '//s:circle'), texts(recsys.plot_neighbors('none', 'home'), '/s:svg/s:desc/text()'), recsys.plot_neighbors(NULL::text, 'home');
SELECT elements(recsys.plot_neighbors('p1', 'home', k), '//s:circle') FROM unnest('{NULL,-1,0,1,2,3,1000000}'::int[]) k;
SELECT recsys.plot_neighbors('p1', 'nothing');

-- keys of other types
CREATE TABLE number_purchases AS SELECT user_id, substring(product_id, 2)::bigint AS item FROM purchases;
CREATE TABLE uuid_purchases AS SELECT user_id, md5(product_id)::uuid AS item FROM purchases;
CREATE INDEX number_recsys ON number_purchases USING recsys (user_id, item);
CREATE INDEX uuid_recsys ON uuid_purchases USING recsys (user_id, item);
SELECT elements(recsys.plot_neighbors(3, 'number_recsys'), '//s:circle'), recsys.plot_neighbors(3, 'number_recsys') = recsys.plot_neighbors('3', 'number_recsys'),
	elements(recsys.plot_neighbors(md5('p3')::uuid, 'uuid_recsys', 5), '//s:circle'), recsys.plot_neighbors(md5('p3')::uuid, 'uuid_recsys') = recsys.plot_neighbors(md5('p3')::uuid::text, 'uuid_recsys');
PREPARE untyped AS SELECT elements(recsys.plot_neighbors($1, $2, $3), '//s:circle');
EXECUTE untyped ('p1', 'home', 3);

/*
 * Rules
 */
SELECT elements(recsys.plot_rules('home', 6), '//s:g') > 5 AS has_cells, recsys.plot_rules('home', 6) LIKE '%&lt;script&gt;%' AS has_titles, recsys.plot_rules('home', 20) LIKE '%same (p7)%same (p8)%' AS tells_apart,
	elements(recsys.plot_rules('purchases_recsys', 6), '//s:g') = elements(recsys.plot_rules('home', 6), '//s:g') AS same_rules;
SELECT count(*) = (SELECT elements(recsys.plot_rules('home', 40, 0.001, 0.01), '//s:g')) AS all_rules
FROM association_rules('purchases_recsys', NULL::text, 0.001, 0.01, 2, 2);
SELECT texts(recsys.plot_rules('home', min_support => 0.99), '/s:svg/s:desc/text()');
-- by hand: colors, cells with the best lift, what is no rule
WITH p AS (SELECT recsys.plot_lift('{a,a,b,c,a,NULL,d,e}', '{b,b,a,a,c,x,y,z}', '{2,1.5,2,0.5,0,3,NaN,Infinity}') AS picture)
SELECT elements(picture, '//s:rect[@class="hot"]') AS hot, elements(picture, '//s:rect[@class="cold"]') AS cold, ARRAY(SELECT texts(picture, '//s:g/s:text/text()')) AS lifts,
	ARRAY(SELECT texts(picture, '//s:g/s:rect/@fill-opacity')) AS colors, ARRAY(SELECT texts(picture, '//s:g/s:title/text()')) AS cells FROM p;
SELECT elements(recsys.plot_lift(NULL, NULL, NULL), '//s:rect'), elements(recsys.plot_lift('{a}', '{b,c}', '{2,3,4}'), '//s:g'), elements(recsys.plot_lift('{a,b}', '{b,a}', '{1,1}', 1), '//s:g');

/*
 * Experiments: what the results say
 */
SET TimeZone = 'UTC';
SELECT recsys.create_experiment('trial', '{"control": {"recommender": "home", "share": 0.5}, "<other>": {"recommender": "purchases_recsys", "share": 0.5}}',
	metrics => '{ctr, conversion, revenue}', primary_metric => 'ctr', purchases => '{"table": "purchases", "user": "user_id", "item": "product_id", "time": "bought_at", "amount": "1"}');
SELECT texts(recsys.plot_experiment('trial'), '/s:svg/s:desc/text()'), elements(recsys.plot_experiment('trial'), '//s:circle');
UPDATE recsys.experiment SET started_at = '2026-02-01', stopped_at = '2026-03-01' WHERE name = 'trial';
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, segment, item_ids)
SELECT md5('trial' || u)::uuid, '2026-02-02'::timestamptz + u % 10 * interval '1 day', u, 'home', 'trial', CASE u % 2 WHEN 0 THEN 'control' ELSE '<other>' END, CASE WHEN u % 3 = 0 THEN 'DE' ELSE '&' END, '{p1,p2,p3}' FROM generate_series(1, 3000) u;
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
SELECT request_id, time, 'click', 'p1', time FROM recsys.request_log WHERE experiment = 'trial' AND user_id::integer / 2 % CASE variant WHEN 'control' THEN 6 ELSE 2 END = 0;
CREATE VIEW experiment_picture AS SELECT recsys.plot_experiment('trial') AS picture;
SELECT e.metric, e.verdict, picture LIKE '%' || recsys.svg_number(100 * e.lift) || ' \% [' || recsys.svg_number(100 * e.lift_low) || ', ' || recsys.svg_number(100 * e.lift_high) || ']%' AS has_interval
FROM recsys.experiment_results('trial') e, experiment_picture ORDER BY 1;
SELECT elements(picture, '//s:circle[@class="f3"]') AS better, elements(picture, '//s:line[@class="zero"]') AS zero_lines, ARRAY(SELECT texts(picture, '//s:text[@class="strong"]/text()')) AS main FROM experiment_picture;
-- the circle of ctr is between the ends of its line
SELECT (texts(picture, '//s:line[@class="l3"]/@x1'))::numeric < (texts(picture, '//s:circle[@class="f3"]/@cx'))::numeric, (texts(picture, '//s:circle[@class="f3"]/@cx'))::numeric < (texts(picture, '//s:line[@class="l3"]/@x2'))::numeric FROM experiment_picture;
SELECT texts(recsys.plot_experiment('trial', 'ctr'), '/s:svg/s:title/text()'), texts(recsys.plot_experiment('trial', '<metric>'), '/s:svg/s:desc/text()'), recsys.plot_experiment(NULL);
SELECT recsys.plot_experiment('none');

/*
 * Lines
 */
WITH p AS (SELECT recsys.plot_lines(array_agg(t), array_agg(n::float8), array_agg('<' || n % 2 || '>'), 'A & B', array_agg(n - 1.0), array_agg(n + 1.0)) AS picture
		   FROM generate_series(1, 10) n, LATERAL (SELECT '2026-03-01 00:00+00'::timestamptz + n * interval '1 day') AS t (t))
SELECT elements(picture, '//s:circle'), elements(picture, '//s:path[@fill="none"]') AS lines, elements(picture, '//s:path[@fill-opacity]') AS bands, texts(picture, '/s:svg/s:desc/text()') FROM p;
SELECT elements(recsys.plot_lines(t, v, l, 'x', lo, hi), '//s:circle') FROM (VALUES
	(NULL::timestamptz[], NULL::float8[], NULL::text[], NULL::float8[], NULL::float8[]), ('{}', '{}', '{}', NULL, NULL), ('{2026-01-01}', '{0}', NULL, NULL, NULL),
	('{2026-01-01,2026-01-01}', '{5,5}', '{a,b}', NULL, NULL), ('{infinity,-infinity,NULL,2026-01-01,2026-01-02}', '{1,2,3,NaN,Infinity}', NULL, NULL, NULL),
	('{2026-01-01,2026-01-02}', '{-1e300,1e-300}', NULL, '{-Infinity,NaN}', '{Infinity,1}'), ('{2026-01-01,0001-01-01,290000-01-01}', '{1,2,3}', '{a}', '{2}', '{1}')) v (t, v, l, lo, hi);

-- settings do not matter, nor does the search path
CREATE TABLE drawn AS SELECT recsys.plot_neighbors('p10', 'home') AS a, recsys.plot_rules('home') AS b, recsys.plot_experiment('trial') AS c,
	recsys.plot_lines('{2026-01-01 00:00+00,2026-01-01 05:00+00}', '{0.123456789,2}') AS d;
SET extra_float_digits = -10;
SET TimeZone = 'Asia/Tokyo';
SET DateStyle = 'German';
SET standard_conforming_strings = off;
SET search_path = '';
SELECT a = recsys.plot_neighbors('p10', 'home'), b = recsys.plot_rules('home'), c = recsys.plot_experiment('trial'), d = recsys.plot_lines('{2026-01-01 00:00+00,2026-01-01 05:00+00}', '{0.123456789,2}') FROM pictures.drawn;
RESET extra_float_digits;
RESET TimeZone;
RESET DateStyle;
RESET standard_conforming_strings;
SET search_path = pictures, public;

/*
 * Titles
 */
SELECT item_id, left(title, 20) AS title FROM recsys.item_titles('{p9,p1,p5,p9,NULL,none}', 'home');
SELECT * FROM recsys.item_titles('{p1}', 'purchases_recsys');
SELECT * FROM recsys.item_titles('{p1}', 'nothing');
SELECT * FROM recsys.item_titles(NULL, 'home');
SELECT * FROM recsys.item_titles('{}', 'home');
CREATE VIEW numbers AS SELECT substring(product_id, 2)::integer AS item, name FROM products UNION ALL SELECT 9, 'Another' UNION ALL SELECT NULL, 'none';
CREATE VIEW uuids AS SELECT md5(product_id)::uuid AS "the item", name FROM products;
SELECT recsys.create_recommender('numbers', '[{"events": "number_recsys"}]', items => 'numbers', item_key => 'item', title => 'upper(name)');
SELECT recsys.create_recommender('uuids', '[{"events": "uuid_recsys"}]', items => 'uuids', item_key => '"the item"', title => 'name');
SELECT * FROM recsys.item_titles('{9,12,-1,12x,"",99999999999999999999,9223372036854775808,"1''2"}'::text[], 'numbers');
SELECT * FROM recsys.item_titles('{9,12,-1,12x,99999999999999999999,9223372036854775808,9223372036854775807,"1''2","\\"}'::text[], 'numbers');
SELECT title FROM recsys.item_titles(ARRAY[md5('p9'), md5('p8') || '-', upper(md5('p10')::uuid::text), md5('p11')::uuid::text, 'x'], 'uuids');
-- with the caller's rights
CREATE ROLE recsys_viewer;
GRANT USAGE ON SCHEMA pictures TO recsys_viewer;
GRANT SELECT ON purchases TO recsys_viewer;
SET ROLE recsys_viewer;
SELECT * FROM recsys.item_titles('{p9}', 'home');
SELECT length(recsys.plot_neighbors('p10', 'purchases_recsys', 2)) > 0 AS may_read;
SELECT recsys.plot_neighbors('p10', 'number_recsys', 2);
SELECT recsys.plot_rules('number_recsys');
SELECT recsys.plot_experiment('trial');
RESET ROLE;
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
CREATE POLICY some_of_them ON products USING (product_id <> 'p9');
GRANT SELECT ON products TO recsys_viewer;
SET ROLE recsys_viewer;
SELECT * FROM recsys.item_titles('{p9,p10}', 'home');
RESET ROLE;
DROP TABLE products CASCADE;
SELECT * FROM recsys.item_titles('{p9}', 'home');

SELECT recsys.drop_experiment('trial');
SELECT recsys.drop_recommender(name) FROM recsys.recommenders WHERE name IN ('home', 'numbers', 'uuids');
DELETE FROM recsys.request_log;
DELETE FROM recsys.event_log;
DROP SCHEMA pictures CASCADE;
DROP ROLE recsys_viewer;
