/*
 * The generated marketplace: what catalogue.c makes.  Run by content.sh.
 */
\o /dev/null
CREATE TABLE events (user_id bigint, item_id bigint, place bigserial);
COPY events (user_id, item_id) FROM :'purchases';
CREATE TABLE items (item_id bigint, category text, brand text, tags text[], title text, price numeric, embedding real[]);
COPY items FROM :'products';
\o
\set key bigint
\set attributes 'category text_label_ops, brand text_label_ops, tags, title, price, embedding'
\echo
\echo '### The generated marketplace'
SELECT (SELECT count(*) FROM items) AS items, count(*) AS purchases, count(DISTINCT user_id) AS users FROM events;
\ir cold.sql
