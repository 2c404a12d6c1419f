/*
 * Amazon Beauty: purchases in time order, and attributes of items: categories and brands without
 * names.  Run by content.sh, which has made rows of the lines.
 *
 * A brand comes first in the list of an item, and is followed by a category that is the first
 * one of other items.
 */
\o /dev/null
CREATE TABLE events (user_id bigint, item_id bigint, place integer);
COPY events FROM :'Beauty';
CREATE TABLE raw (attributes text);
COPY raw FROM :'Beauty_item2attributes' (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02');
CREATE TABLE labels AS
SELECT a.key::bigint AS item_id, l.label::integer, l.place::integer
FROM raw, jsonb_each(attributes::jsonb) a, jsonb_array_elements_text(a.value) WITH ORDINALITY l (label, place);
CREATE INDEX ON labels (item_id);
CREATE TABLE kinds AS SELECT label, count(*) AS items, avg((place = 1)::integer) AS first FROM labels GROUP BY label;
CREATE TABLE brands AS
SELECT a.label FROM labels a JOIN kinds k USING (label) LEFT JOIN labels b ON b.item_id = a.item_id AND b.place = 2 LEFT JOIN kinds n ON n.label = b.label
WHERE k.first = 1 AND k.items < 400 GROUP BY a.label HAVING avg((coalesce(n.first, 0) > 0.3)::integer) > 0.5;
CREATE TABLE items AS
SELECT item_id, min(label) FILTER (WHERE is_brand) AS brand, array_agg(label ORDER BY place) FILTER (WHERE NOT is_brand) AS categories
FROM (SELECT *, label IN (SELECT label FROM brands) AS is_brand FROM labels) l GROUP BY item_id;
\o
\set key bigint
\set attributes 'brand int4_ops (weight = 2), categories'
\echo
\echo '### Amazon Beauty'
SELECT count(*) AS items, count(brand) AS "with a brand", count(DISTINCT brand) AS brands,
	   (SELECT count(*) FROM events) AS purchases, (SELECT count(DISTINCT user_id) FROM events) AS users FROM items;
\ir cold.sql
