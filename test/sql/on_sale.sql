--
-- What is on sale for a user: the price now beside the usual one
--
CREATE SCHEMA on_sale;
SET search_path = on_sale, public;
CREATE TABLE goods (product_id int PRIMARY KEY, price numeric, shown boolean DEFAULT true, family int);
INSERT INTO goods SELECT g, 100, true, g / 3 FROM generate_series(1, 60) g;
CREATE TABLE sales (user_id int, product_id int);
INSERT INTO sales SELECT u, 1 + (u * 7 + x * x * (1 + u % 5)) % 60 FROM generate_series(1, 300) u, generate_series(1, 8) x;
CREATE INDEX sales_recsys ON sales USING recsys (user_id, product_id) WITH (similarity = cosine);
CREATE TABLE prices (product_id int, price numeric, valid_from timestamptz);
CREATE INDEX ON prices (product_id);

-- nothing is declared
SELECT * FROM on_sale_for(1, 5, 'sales_recsys');
SELECT recsys.create_recommender('sale', signals => '[{"events": "sales_recsys"}]', items => 'goods', item_key => 'product_id', item_filter => 'shown');
SELECT * FROM on_sale_for(1, 5, 'sale');
SELECT recsys.alter_recommender('sale', price => 'price');
SELECT * FROM on_sale_for(1, 5, 'sale');
-- what is no price history
SELECT recsys.alter_recommender('sale', price_history => '{"table": "prices", "item": "product_id", "price": "price"}');
SELECT recsys.alter_recommender('sale', price_history => '{"table": "prices", "item": "product_id", "price": "price", "time": "price"}');
SELECT recsys.alter_recommender('sale', price_history => '{"table": "prices", "item": "product_id", "price": "valid_from", "time": "valid_from"}');
SELECT recsys.alter_recommender('sale', price_history => '{"table": "prices", "item": "product_id", "price": "price", "time": "valid_from", "window": "-1 day"}');
SELECT recsys.alter_recommender('sale', price_history => '{"table": "prices", "item": "product_id", "price": "price", "time": "valid_from", "since": 1}');
SELECT recsys.alter_recommender('sale', price_history => '{"table": "prices", "item": "product_id", "price": "price", "time": "valid_from"}');
SELECT price_history, problem FROM recsys.recommenders WHERE name = 'sale';
SELECT recsys.alter_recommender('sale', price_history => '{"table": "prices", "item": "product_id", "price": "price", "time": "valid_from", "window": "0"}');
SELECT recsys.alter_recommender('sale', price_history => '{"table": "prices", "item": "product_id", "price": "price", "time": "valid_from", "window": "2000 years"}');
-- no prices yet
SELECT * FROM on_sale_for(1, 5, 'sale');

-- long at 100: 1 of 4 is down by a half for two days; one was always cheap; one rose; one will be cheap
INSERT INTO prices SELECT g, CASE WHEN g % 4 = 1 THEN 100 WHEN g % 4 = 2 THEN 100.5 WHEN g % 4 = 3 THEN 80 ELSE NULL END, now() - interval '100 days' FROM generate_series(1, 60) g;
INSERT INTO prices SELECT g, 100 - g, now() - interval '2 days' FROM generate_series(1, 60, 4) g;
INSERT INTO prices SELECT g, 1000, now() + interval '2 days' FROM generate_series(2, 60, 4) g;
-- many changes in the last hours do not make a price usual
INSERT INTO prices SELECT 5, 50 + h, now() - make_interval(mins => h) FROM generate_series(1, 50) h;
UPDATE goods SET price = 100 - product_id WHERE product_id % 4 = 1;
UPDATE goods SET price = NULL WHERE product_id = 9;
UPDATE goods SET shown = false WHERE product_id = 13;
CREATE FUNCTION reference(who int) RETURNS TABLE (product_id int, score float8, price float8, usual float8) LANGUAGE sql AS $$
	WITH held AS (SELECT h.product_id, h.price, extract(epoch FROM coalesce(lead(valid_from) OVER (PARTITION BY h.product_id ORDER BY valid_from), now())
			- greatest(valid_from, now() - interval '30 days')) AS seconds FROM prices h WHERE valid_from <= now()),
	usual AS (SELECT a.product_id, min(a.price) AS usual FROM held a WHERE seconds > 0 AND price > 0
		AND (SELECT sum(b.seconds) FROM held b WHERE b.seconds > 0 AND b.product_id = a.product_id AND b.price <= a.price)
			>= (SELECT sum(b.seconds) / 2 FROM held b WHERE b.seconds > 0 AND b.price > 0 AND b.product_id = a.product_id) GROUP BY 1)
	SELECT r.item_id, r.score * (2 - g.price / usual), g.price, usual
	FROM recommend(who, 60, 'sale') r JOIN goods g ON g.product_id = r.item_id JOIN usual ON usual.product_id = r.item_id
	WHERE r.source = 'history' AND g.price <= 0.95 * usual
$$;
SELECT item_id, price, usual_price, round(discount::numeric, 3) AS discount, rank FROM on_sale_for(1, 5, 'sale');
CREATE TABLE given AS SELECT u, s.*, lag(score) OVER (PARTITION BY u ORDER BY rank) AS above FROM generate_series(1, 300) u, on_sale_for(u, 60, 'sale') s;
CREATE TABLE wanted AS SELECT u, r.* FROM generate_series(1, 300) u, reference(u) r;
SELECT count(*) > 1000 AS many, count(*) - count(*) FILTER (WHERE abs(g.score - w.score) < 1e-4 AND g.price = w.price AND g.usual_price = w.usual) AS different,
	bool_and(g.score <= above OR above IS NULL) AS descending
FROM given g FULL JOIN wanted w ON w.u = g.u AND w.product_id = g.item_id;
SELECT item_id FROM on_sale_for(1, 0, 'sale');
SELECT item_id FROM on_sale_for(1, -1, 'sale');
SELECT item_id FROM on_sale_for(NULL::int, 5, 'sale');
SELECT item_id FROM on_sale_for(12345, 5, 'sale');
SELECT item_id, pg_typeof(item_id) FROM on_sale_for('1', '1', 'sale', '{}');
SELECT pg_typeof(item_id) FROM on_sale_for(1, 1, 'sale', NULL::text, '{}'::jsonb);
SELECT pg_typeof(item_id) FROM on_sale_for(1, 1, 'sale', NULL::int);
-- a context as of recommend, a window of its own
SELECT count(*) FROM on_sale_for(1, 5, 'sale', '{"exclude": [1, 5, 17, 21, 25, 29, 33, 37, 41, 45, 49, 53, 57]}'::jsonb);
SELECT recsys.alter_recommender('sale', price_history => '{"table": "prices", "item": "product_id", "price": "price", "time": "valid_from", "window": "1 day"}');
SELECT count(*) FROM on_sale_for(1, 5, 'sale');
SELECT recsys.alter_recommender('sale', reset => '{price_history}');
SELECT price_history FROM recsys.recommenders WHERE name = 'sale';
SELECT recsys.alter_recommender('sale', price_history => '{"table": "prices", "item": "product_id", "price": "price", "time": "valid_from"}');

-- rights, rows that a policy hides, and a table that is gone
CREATE ROLE sale_stranger;
GRANT USAGE ON SCHEMA on_sale TO sale_stranger;
GRANT SELECT ON sales, goods TO sale_stranger;
SET ROLE sale_stranger;
SELECT item_id FROM on_sale_for(1, 5, 'sale');
RESET ROLE;
GRANT SELECT ON prices TO sale_stranger;
SET ROLE sale_stranger;
SELECT count(*) FROM on_sale_for(1, 5, 'sale');
RESET ROLE;
ALTER TABLE prices ENABLE ROW LEVEL SECURITY;
SET ROLE sale_stranger;
SELECT count(*) FROM on_sale_for(1, 5, 'sale');
RESET ROLE;
ALTER TABLE prices RENAME COLUMN price TO amount;
SELECT item_id FROM on_sale_for(1, 5, 'sale');
ALTER TABLE prices RENAME TO former;
SELECT item_id FROM on_sale_for(1, 5, 'sale');
SELECT problem FROM recsys.recommenders WHERE name = 'sale';
SELECT recsys.drop_recommender('sale');

-- keys that are text
CREATE TABLE things (code text PRIMARY KEY, cents int);
INSERT INTO things SELECT 'T' || g, 50 FROM generate_series(1, 20) g;
CREATE TABLE takes (visitor uuid, code text);
INSERT INTO takes SELECT md5(u::text)::uuid, 'T' || 1 + (u + x * x) % 20 FROM generate_series(1, 100) u, generate_series(1, 5) x;
CREATE INDEX takes_recsys ON takes USING recsys (visitor, code) WITH (similarity = cosine);
CREATE TABLE costs (code varchar(9), cents int, since date);
INSERT INTO costs SELECT 'T' || g, 100, current_date - 60 FROM generate_series(1, 20) g;
SELECT recsys.create_recommender('cheap', signals => '[{"events": "takes_recsys"}]', items => 'things', item_key => 'code', price => 'cents',
	price_history => '{"table": "costs", "item": "code", "price": "cents / 2.0", "time": "since"}');
SELECT count(*) FROM on_sale_for(md5('1')::uuid, 5, 'cheap', NULL::text);
SELECT recsys.alter_recommender('cheap', price_history => '{"table": "costs", "item": "code", "price": "cents", "time": "since"}');
SELECT count(*), min(discount), max(usual_price) FROM on_sale_for(md5('1')::uuid, 5, 'cheap', NULL::text);
SELECT recsys.drop_recommender('cheap');

-- keys of the history of other widths and types; prices that are none; all at one time
CREATE TABLE wares (product_id bigint PRIMARY KEY, price numeric, family int, offered boolean DEFAULT true);
INSERT INTO wares SELECT g, 50, g, true FROM generate_series(1, 60) g;
CREATE TABLE odd (short smallint, wide bigint, label text, number numeric, amount float8, since timestamptz);
INSERT INTO odd SELECT g, g, g, g, 100, '-infinity' FROM generate_series(1, 60) g;
INSERT INTO odd SELECT g, g, g, g, x, since FROM generate_series(1, 60) g, unnest(ARRAY['NaN', 'Infinity', '-Infinity', -5, 0, NULL]::float8[]) x, unnest(ARRAY[now() - interval '20 days', 'infinity', NULL]) since;
INSERT INTO odd VALUES (NULL, NULL, NULL, NULL, 1, '-infinity');
INSERT INTO odd SELECT * FROM odd WHERE amount = 100;
SELECT recsys.create_recommender('odd', signals => '[{"events": "sales_recsys"}]', items => 'wares', item_key => 'product_id', price => 'price',
	price_history => '{"table": "odd", "item": "short", "price": "amount", "time": "since"}');
SELECT count(*), min(usual_price), max(usual_price) FROM on_sale_for(1, 60, 'odd');
SELECT recsys.alter_recommender('odd', price_history => '{"table": "odd", "item": "wide", "price": "amount", "time": "since"}');
SELECT count(*), min(usual_price), max(usual_price) FROM on_sale_for(1, 60, 'odd');
SELECT recsys.alter_recommender('odd', price_history => '{"table": "odd", "item": "label", "price": "amount", "time": "since"}');
SELECT recsys.alter_recommender('odd', price_history => '{"table": "odd", "item": "number", "price": "amount", "time": "since"}');
SELECT recsys.alter_recommender('odd', price_history => '{"table": "odd", "item": "wide", "price": "amount / 0", "time": "since"}');
SELECT count(*) FROM on_sale_for(1, 60, 'odd');
SELECT count(*) FROM on_sale_for(1, 60, 'odd');
SELECT recsys.alter_recommender('odd', price_history => '{"table": "odd", "item": "wide", "price": "amount", "time": "since"}');
UPDATE wares SET price = CASE product_id / 5 % 5 WHEN 0 THEN 'NaN'::numeric WHEN 1 THEN 'infinity' WHEN 2 THEN 0 WHEN 3 THEN -50 ELSE 50 END;
SELECT count(*), count(*) FILTER (WHERE price <> 50) AS wrong FROM on_sale_for(1, 60, 'odd');
-- whoever changes the column's type hears of it
ALTER TABLE odd ALTER wide TYPE text;
SELECT count(*) FROM on_sale_for(1, 60, 'odd');
SELECT problem IS NOT NULL AS told FROM recsys.recommenders WHERE name = 'odd';
ALTER TABLE odd ALTER wide TYPE int USING wide::int;
-- of offers of one product the one shown has to be on sale; those that are not take nobody's place
UPDATE wares SET price = CASE WHEN product_id % 2 = 0 THEN 50 ELSE 98 END, family = (product_id + 1) / 2;
SELECT recsys.alter_recommender('odd', group_by => 'family', offer_order => 'price');
SELECT count(*), count(*) FILTER (WHERE item_id % 2 = 1) AS odd_ones FROM on_sale_for(1, 60, 'odd');
SELECT recsys.alter_recommender('odd', offer_order => 'CASE WHEN family < 20 THEN -price ELSE price END');
SELECT count(*) FROM on_sale_for(1, 60, 'odd');
SELECT count(*) FROM on_sale_for(1, 3, 'odd');
SELECT count(*) FROM on_sale_for(1, 60, 'odd') WHERE item_id < 39 OR item_id % 2 = 1;
SELECT recsys.drop_recommender('odd');
-- history by uuid
CREATE TABLE gems (id uuid PRIMARY KEY, price int);
INSERT INTO gems SELECT md5(g::text)::uuid, 5 FROM generate_series(1, 20) g;
CREATE TABLE finds AS SELECT u, md5((1 + (u + x * x) % 20)::text)::uuid AS id FROM generate_series(1, 100) u, generate_series(1, 5) x;
CREATE INDEX finds_recsys ON finds USING recsys (u, id) WITH (similarity = cosine);
CREATE VIEW worth AS SELECT id, price * 2 AS price, timestamp '2020-01-01' AS since FROM gems;
SELECT recsys.create_recommender('gems', signals => '[{"events": "finds_recsys"}]', items => 'gems', item_key => 'id', price => 'price',
	price_history => '{"table": "worth", "item": "id", "price": "price", "time": "since"}');
SELECT count(*), min(discount) FROM on_sale_for(1, 20, 'gems', NULL::uuid);
SELECT count(*) FROM on_sale_for(1, 20, 'gems');
SELECT recsys.drop_recommender('gems');

SET client_min_messages = warning;
DROP INDEX sales_recsys, takes_recsys, finds_recsys;
DROP SCHEMA on_sale CASCADE;
DROP ROLE sale_stranger;
