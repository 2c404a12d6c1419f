-- Declaring recommenders: what is kept, what is refused, and what is said when something is gone.
SET client_min_messages = warning;
CREATE SCHEMA declared;
CREATE SCHEMA "Other shop";
SET search_path = declared, public;
CREATE TYPE shade AS ENUM ('red', 'green', 'blue');
CREATE TABLE products (product_id bigint PRIMARY KEY, name text, category text, brand text, price numeric(10, 2), shipping numeric(10, 2),
	stock integer, suspected_fake boolean DEFAULT false, canonical_product_id bigint, seller_id integer, listed_at timestamptz, tags text[], place point);
INSERT INTO products SELECT p, 'Product ' || p, 'c' || p % 4, 'b' || p % 3, p, 1, p % 5, false, p / 2, p % 7, now() - p * interval '1 day', '{a}', point(p, p)
FROM generate_series(1, 60) p;
CREATE TABLE sellers (seller_id integer PRIMARY KEY, rating_sum numeric, ratings bigint, since date, code text);
INSERT INTO sellers SELECT s, s * 4, s, '2024-01-01', 's' || s FROM generate_series(0, 6) s;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text, age_band text, is_fraud boolean, agreed boolean, code uuid);
INSERT INTO customers SELECT c, 'DE', '30-39', false, true, md5(c::text)::uuid FROM generate_series(1, 40) c;
CREATE TABLE promotions (product_id bigint, boost real, starts_at timestamptz, ends_at timestamptz);
CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, paid numeric, purchased_at timestamptz);
INSERT INTO purchases SELECT 1 + n % 40, 1 + (n * 7 + n / 40) % 60, 1, 5, '2024-01-01'::timestamptz + n * interval '1 hour' FROM generate_series(1, 400) n;
CREATE TABLE views AS SELECT user_id, product_id FROM purchases;
CREATE TABLE text_purchases AS SELECT user_id::text AS u, product_id::text AS p FROM purchases;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at);
CREATE INDEX views_recsys ON views USING recsys (user_id, product_id);
CREATE INDEX text_recsys ON text_purchases USING recsys (u, p);
CREATE INDEX mixed_recsys ON text_purchases USING recsys (u, (p::bigint));
CREATE FUNCTION is_fine(bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 > 0';
CREATE FUNCTION is_random(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT random() < 0.5';
VACUUM ANALYZE;

-- all that there is, as it is kept: for every search path, DateStyle and IntervalStyle
SET datestyle = 'German';
SET intervalstyle = 'sql_standard';
SELECT recsys.create_recommender('declared_all',
	signals => '[{"events": "purchases_recsys", "price": "paid * quantity"},
		{"events": "declared.views_recsys", "name": "views", "weight": 0.2, "exclude": true, "graph": "purchases_recsys"},
		{"events": "purchases_recsys", "name": "returns", "weight": -1, "half_life": "7 12:00:00", "neutral": 3.5}]',
	items => 'products', item_key => 'product_id', item_filter => 'stock > 0 AND NOT products.suspected_fake AND is_fine(product_id) AND listed_at > ''01.02.2020''',
	title => 'name', category => 'category', price => 'price', group_by => 'canonical_product_id', offer_order => 'price + shipping', repeatable => 'category = ''c1''',
	seller => 'seller_id', sellers => 'sellers', seller_key => 'seller_id', seller_quality => '{"rating": "rating_sum", "ratings": "ratings", "prior": 10}', max_per_seller => 2,
	profiles => 'customers', profile_key => 'customer_id', segment => 'country || age_band', larger_segments => '{country,persona}', exclude_users => 'is_fraud', consent => 'agreed', min_users => 3,
	caps => '{"category": 3, "lower(brand)": 2}', diversity => 0.3, category_mix => 0.2, price_affinity => 0.1,
	new_item_share => 0.1, new_item_since => 'listed_at > now() - interval ''14 0:00:00''', new_seller_share => 0.05, new_seller_since => 'since > ''31.12.2023''',
	promotions => '{"table": "promotions", "item": "product_id", "boost": "boost", "when": "now() BETWEEN starts_at AND ends_at", "limit": 3}',
	complements => 'purchases_recsys', reason_formats => '{"history": "weil Sie {item} haben"}', seed => 9223372036854775807);
RESET datestyle;
RESET intervalstyle;
SELECT jsonb_pretty(definition) FROM recsys.recommender WHERE name = 'declared_all';
SELECT name, owner = current_user AS is_mine, items, item_filter, larger_segments, caps, seed, created_at = changed_at AS is_new, problem
FROM recsys.recommenders WHERE name = 'declared_all';
-- each parameter is a column
SELECT p.name FROM (SELECT unnest(proargnames) AS name FROM pg_proc WHERE oid::regproc = 'recsys.create_recommender'::regproc) p
WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'recsys.recommenders'::regclass AND attname = p.name);
-- what the view shows can be declared again, and gives the same
SELECT recsys.create_recommender('declared_again', signals, items, item_key, item_filter, title, category, price, group_by, offer_order, repeatable,
	seller, sellers, seller_key, seller_quality, max_per_seller, profiles, profile_key, segment, larger_segments, exclude_users, consent, min_users, caps, diversity,
	category_mix, price_affinity, new_item_share, new_item_since, new_seller_share, new_seller_since, promotions, complements, reason_formats, seed)
FROM recsys.recommenders WHERE name = 'declared_all';
SELECT a.definition = b.definition AS same FROM recsys.recommender a, recsys.recommender b WHERE a.name = 'declared_all' AND b.name = 'declared_again';
SELECT recsys.drop_recommender('declared_again');
SELECT recsys.drop_recommender('declared_again', if_exists => true);
SELECT recsys.drop_recommender('declared_again');

-- names of every kind
CREATE TABLE "Other shop"."The ""items""" ("Item Id" integer PRIMARY KEY, "select" boolean, items text);
CREATE INDEX "The index" ON "Other shop"."The ""items""" USING recsys ("Item Id", "Item Id");
SELECT recsys.create_recommender('declared_names', '[{"events": "\"Other shop\".\"The index\""}]', items => '"Other shop"."The ""items"""', item_key => '"Item Id"',
	item_filter => '"The ""items"""."select" AND items > ''b''', caps => '{"\"select\"": 1, "items": 2}');
SELECT definition - 'signals', definition -> 'signals' -> 0 ->> 'events' AS events FROM recsys.recommender WHERE name = 'declared_names';
SELECT recsys.alter_recommender('declared_names', item_filter => 'items.items = ''x''');
SELECT problem FROM recsys.recommenders WHERE name = 'declared_names';
SELECT recsys.drop_recommender('declared_names');

-- names that cannot be
SELECT recsys.create_recommender(n, '[{"events": "purchases_recsys"}]')
FROM unnest(ARRAY['My shop', 'a.b', '', '9lives']) n;
SELECT recsys.create_recommender(repeat('a', 64), '[{"events": "purchases_recsys"}]');
SELECT recsys.create_recommender('views_recsys', '[{"events": "purchases_recsys"}]');
SELECT recsys.create_recommender('declared_all', '[{"events": "purchases_recsys"}]');
SELECT recsys.create_recommender(NULL, '[{"events": "purchases_recsys"}]');

-- signals
CREATE FUNCTION with_signals(signals jsonb) RETURNS void LANGUAGE sql AS $$ SELECT recsys.create_recommender('declared', signals) $$;
SELECT with_signals(NULL);
SELECT with_signals('[]');
SELECT with_signals('{"events": "purchases_recsys"}');
SELECT with_signals('["purchases_recsys"]');
SELECT with_signals('[{"weight": 1}]');
SELECT with_signals('[{"event": "purchases_recsys"}]');
SELECT with_signals('[{"events": "nothing"}]');
SELECT with_signals('[{"events": "purchases"}]');
SELECT with_signals('[{"events": "purchases_recsys", "weight": 0}]');
SELECT with_signals('[{"events": "purchases_recsys", "weight": -1}]');
SELECT with_signals('[{"events": "purchases_recsys", "weight": "1"}]');
SELECT with_signals('[{"events": "purchases_recsys", "exclude": 1}]');
SELECT with_signals('[{"events": "purchases_recsys", "half_life": "soon"}]');
SELECT with_signals('[{"events": "purchases_recsys", "half_life": "-1 day"}]');
SELECT with_signals('[{"events": "views_recsys", "half_life": "1 day"}]');
SELECT with_signals('[{"events": "views_recsys", "neutral": 3}]');
SELECT with_signals('[{"events": "purchases_recsys", "price": "price"}]');
SELECT with_signals('[{"events": "purchases_recsys", "price": "purchased_at"}]');
SELECT with_signals('[{"events": "purchases_recsys"}, {"events": "text_recsys"}]');
SELECT with_signals('[{"events": "purchases_recsys"}, {"events": "mixed_recsys"}]');
SELECT with_signals('[{"events": "purchases_recsys", "graph": "text_recsys"}]');
SELECT with_signals('[{"events": "purchases_recsys", "graph": "products"}]');
SELECT with_signals('[{"events": "purchases_recsys", "graph": "nothing"}]');
CREATE VIEW pairs AS SELECT * FROM item_similarity('purchases_recsys');
SELECT with_signals('[{"events": "purchases_recsys", "graph": "pairs"}]');
SELECT recsys.drop_recommender('declared');

-- relations, keys and numbers
CREATE FUNCTION with_items(rest text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT recsys.create_recommender(''declared'', ''[{"events": "purchases_recsys"}]'', %s)', rest);
	RAISE NOTICE 'declared';
	PERFORM recsys.drop_recommender('declared');
END
$$;
\set SHOW_CONTEXT never
SELECT with_items('items => ''produkts'', item_key => ''product_id''');
SELECT with_items('items => ''purchases_recsys'', item_key => ''product_id''');
SELECT with_items('items => ''products''');
SELECT with_items('item_key => ''product_id''');
SELECT with_items('items => ''products'', item_key => ''produkt_id''');
SELECT with_items('items => ''products'', item_key => ''product_id + 1''');
SELECT with_items('items => ''products'', item_key => ''name''');
SELECT with_items('items => ''products'', item_key => ''canonical_product_id''');
CREATE UNIQUE INDEX partly ON products (canonical_product_id) WHERE product_id < 0;
SELECT with_items('items => ''products'', item_key => ''canonical_product_id''');
CREATE VIEW shown AS SELECT canonical_product_id AS id FROM products;
SELECT with_items('items => ''shown'', item_key => ''id''');
CREATE TEMP TABLE short_lived (id bigint PRIMARY KEY);
SELECT with_items('items => ''short_lived'', item_key => ''id''');
SELECT with_items('title => ''name''');
SELECT with_items('caps => ''{"category": 1}''');
CREATE FUNCTION items(rest text) RETURNS void LANGUAGE sql AS $$ SELECT with_items('items => ''products'', item_key => ''product_id'', ' || rest) $$;
SELECT items('offer_order => ''price''');
SELECT items('group_by => ''name'', offer_order => ''place''');
SELECT items('caps => ''{"category": 0}''');
SELECT items('caps => ''{"category": 1.5}''');
SELECT items('caps => ''{"category": "2"}''');
SELECT items('caps => ''{"categorie": 2}''');
SELECT items('caps => ''[3]''');
-- what would be accepted and then fail in each call, or leave scores without an order
SELECT items('caps => ''{"category": 1, "items.category": 3}''');
SELECT items('caps => ''{"category": 99999999999}''');
SELECT items('caps => (SELECT jsonb_object_agg(''category || '' || n, 5) FROM generate_series(1, 101) n)');
SELECT items('profiles => ''customers'', profile_key => ''customer_id'', segment => ''country'', larger_segments => (SELECT array_agg(''country || '' || n) FROM generate_series(1, 101) n)');
SELECT recsys.create_recommender('declared_wrong', '[null]');
SELECT recsys.create_recommender('declared_wrong', '[{"events": "purchases_recsys", "weight": 1e300}]');
SELECT recsys.create_recommender('declared_wrong', '[{"events": "purchases_recsys"}, {"events": "purchases_recsys", "weight": -1e-300}]');
SELECT items('promotions => ''{"table": "promotions", "item": "product_id", "boost": "boost", "limit": 1e300}''');
SELECT items('seller => ''seller_id'', sellers => ''sellers'', seller_key => ''seller_id'', seller_quality => ''{"rating": "rating_sum", "ratings": "ratings", "prior": 1e300}''');
SELECT items('max_per_seller => 2');
SELECT items('seller => ''seller_id'', max_per_seller => 0');
SELECT items('seller => ''seller_id'', sellers => ''sellers''');
SELECT items('seller => ''seller_id'', sellers => ''sellers'', seller_key => ''code''');
SELECT items('sellers => ''sellers'', seller_key => ''seller_id''');
SELECT items('seller => ''seller_id'', sellers => ''sellers'', seller_key => ''seller_id'', seller_quality => ''{"rating": "rating_sum"}''');
SELECT items('seller => ''seller_id'', sellers => ''sellers'', seller_key => ''seller_id'', seller_quality => ''{"rating": "rating_sum", "ratings": "code"}''');
SELECT items('seller => ''seller_id'', sellers => ''sellers'', seller_key => ''seller_id'', seller_quality => ''{"rating": "rating_sum", "ratings": "ratings", "prior": -1}''');
SELECT items('seller => ''seller_id'', sellers => ''sellers'', seller_key => ''seller_id'', seller_quality => ''{"rating": "rating_sum", "ratings": "ratings", "priors": 1}''');
SELECT items('seller_quality => ''{"rating": "1", "ratings": "1"}''');
SELECT items('new_seller_share => 0.1');
SELECT items('new_item_share => 0.1');
SELECT items('new_item_share => 0.6, new_item_since => ''true'', new_seller_share => 0.6, new_seller_since => ''true'', seller => ''seller_id'', sellers => ''sellers'', seller_key => ''seller_id''');
SELECT items('diversity => 1.1');
SELECT items('diversity => ''NaN''');
SELECT items('diversity => -0.1');
SELECT items('diversity => 0.6, category => ''category'', category_mix => 0.5');
SELECT items('category_mix => 0.5');
SELECT items('price_affinity => 0.5');
SELECT items('segment => ''country''');
SELECT items('segment => ''persona''');
SELECT items('segment => ''persona'', larger_segments => ''{country}''');
SELECT items('larger_segments => ''{persona}''');
SELECT items('exclude_users => ''is_fraud''');
SELECT items('min_users => 0');
SELECT items('profiles => ''customers'', profile_key => ''code''');
SELECT items('profiles => ''customers'', profile_key => ''customer_id'', segment => ''contry''');
SELECT items('promotions => ''{"table": "promotions", "item": "product_id"}''');
SELECT items('promotions => ''{"table": "promotion", "item": "product_id", "boost": "boost"}''');
SELECT items('promotions => ''{"table": "promotions", "item": "boost", "boost": "boost"}''');
SELECT items('promotions => ''{"table": "promotions", "item": "product_id", "boost": "ends_at"}''');
SELECT items('promotions => ''{"table": "promotions", "item": "product_id", "boost": "boost", "wen": "true"}''');
SELECT items('promotions => ''{"table": "promotions", "item": "product_id", "boost": "boost", "when": "boost"}''');
SELECT items('promotions => ''{"table": "promotions", "item": "product_id", "boost": "boost", "limit": 0.5}''');
SELECT items('complements => ''text_recsys''');
SELECT items('reason_formats => ''{"histry": "x"}''');
SELECT items('reason_formats => ''{"history": 1}''');

-- expressions: one, of the right type, and nothing but an expression
SELECT items(format('item_filter => %L', f)) FROM unnest(ARRAY['stock > 0']) f;
SELECT items('item_filter => ''stok > 0''');
SELECT items('item_filter => ''stock''');
SELECT items('item_filter => ''stock >''');
SELECT items('item_filter => ''''');
SELECT items('item_filter => ''true, true''');
SELECT items('item_filter => ''true AS x''');
SELECT items('item_filter => ''*''');
SELECT items('item_filter => ''products.*''');
SELECT items('item_filter => ''true) FROM products; DROP TABLE products; SELECT (true''');
SELECT items('item_filter => ''true; DROP TABLE products''');
SELECT items('item_filter => ''true UNION SELECT false''');
SELECT items('item_filter => ''true FROM customers''');
SELECT items('item_filter => ''true WHERE true''');
SELECT items('item_filter => ''true ORDER BY 1''');
SELECT items('item_filter => ''true LIMIT 1''');
SELECT items('item_filter => ''true FOR UPDATE''');
SELECT items('item_filter => ''true -- and more''');
SELECT items('item_filter => ''true /* and more''');
SELECT items('item_filter => ''DISTINCT true''');
SELECT items('item_filter => ''$1''');
SELECT items('item_filter => ''count(*) > 0''');
SELECT items('item_filter => ''row_number() OVER () > 0''');
SELECT items('item_filter => ''generate_series(1, 2) > 0''');
SELECT items('item_filter => ''random() > 0.5''');
SELECT items('item_filter => ''is_random(product_id)''');
SELECT items('item_filter => ''EXISTS (SELECT FROM sellers s WHERE s.seller_id = products.seller_id FOR UPDATE)''');
SELECT items('item_filter => ''(SELECT count(*) FROM short_lived) > 0''');
SELECT items('item_filter => ''EXISTS (SELECT FROM sellers WHERE sellers.seller_id = products.seller_id AND is_random(ratings))''');
SELECT items('title => ''ROW(1, 2)''');
SELECT items('price => ''name''');
SELECT items('item_filter => ''EXISTS (SELECT FROM products items WHERE items.product_id > products.product_id)''');
CREATE VIEW chance AS SELECT product_id FROM products WHERE random() < 0.5;
CREATE VIEW no_chance AS SELECT product_id FROM products;
SELECT with_items('items => ''chance'', item_key => ''product_id'', title => ''product_id''');
SELECT with_items('items => ''no_chance'', item_key => ''product_id'', title => ''product_id''');

-- changes: what is NULL stays; what is given is looked at; what is reset goes
SELECT recsys.alter_recommender('nothing');
SELECT recsys.alter_recommender('declared_all');
SELECT recsys.alter_recommender('declared_all', diversity => 0.1, item_filter => 'stock > 1');
SELECT item_filter, diversity, category_mix, changed_at >= created_at FROM recsys.recommenders WHERE name = 'declared_all';
SELECT recsys.alter_recommender('declared_all', diversity => 0.9);
SELECT recsys.alter_recommender('declared_all', item_filter => 'stok > 1');
SELECT recsys.alter_recommender('declared_all', reset => '{diversty}');
SELECT recsys.alter_recommender('declared_all', reset => '{signals}');
SELECT recsys.alter_recommender('declared_all', diversity => 0.1, reset => '{diversity}');
SELECT recsys.alter_recommender('declared_all', reset => '{group_by}');
SELECT recsys.alter_recommender('declared_all', reset => '{group_by,offer_order,diversity,profiles}');
SELECT recsys.alter_recommender('declared_all', reset => '{group_by,offer_order,diversity}');
SELECT group_by, offer_order, diversity FROM recsys.recommenders WHERE name = 'declared_all';
SELECT recsys.alter_recommender('declared_all', new_name => 'declared_all_2', new_owner => 'nobody_at_all');
SELECT recsys.alter_recommender('declared_all', new_name => 'views_recsys');
SELECT recsys.alter_recommender('declared_all', new_name => 'No');
SELECT recsys.alter_recommender('declared_all', new_name => 'declared_other');
SELECT recsys.create_recommender('declared_all', '[{"events": "views_recsys"}]');
SELECT recsys.alter_recommender('declared_all', new_name => 'declared_other');
SELECT recsys.drop_recommender('declared_all');
SELECT recsys.alter_recommender('declared_other', new_name => 'declared_all');

-- the transaction and its savepoints: what is rolled back has not been
BEGIN;
SELECT recsys.alter_recommender('declared_all', min_users => 30);
SAVEPOINT a;
SELECT recsys.create_recommender('declared_lost', '[{"events": "views_recsys"}]');
SELECT count(*) FROM recommend(1, 3, 'declared_lost');
SELECT recsys.alter_recommender('declared_all', min_users => 40, item_filter => 'stock > 3');
SELECT count(*) FROM recommend(1, 3, 'declared_all') JOIN products ON product_id = item_id WHERE stock > 3;
ROLLBACK TO a;
SELECT min_users, item_filter FROM recsys.recommenders WHERE name = 'declared_all';
SELECT count(*) FROM recommend(1, 3, 'declared_lost');
ROLLBACK;
SELECT min_users FROM recsys.recommenders WHERE name = 'declared_all';
SELECT count(*) FROM recommend(1, 3, 'declared_all');
BEGIN READ ONLY;
SELECT recsys.alter_recommender('declared_all', min_users => 30);
ROLLBACK;

-- what is gone: the error names the part, and its hint is a call that works
SELECT recsys.create_recommender('declared_boosts', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
	promotions => '{"table": "promotions", "item": "product_id", "boost": "boost"}');
\set SHOW_CONTEXT errors
SELECT count(*) FROM recommend(1, 3, 'declared_boosts');
BEGIN;
ALTER TABLE promotions RENAME product_id TO item_id;
SAVEPOINT a;
SELECT * FROM recommend(1, 3, 'declared_boosts');
ROLLBACK TO a;
SELECT recsys.alter_recommender('declared_boosts', reset => '{promotions}');
SELECT count(*) FROM recommend(1, 3, 'declared_boosts');
ROLLBACK;
BEGIN;
ALTER TABLE promotions RENAME boost TO factor;
SELECT * FROM recommend(1, 3, 'declared_boosts');
ROLLBACK;
BEGIN;
ALTER TABLE promotions RENAME TO offers;
SELECT * FROM recommend(1, 3, 'declared_boosts');
ROLLBACK;
-- what is declared comes to be of another type
CREATE FUNCTION kind_of(bigint) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN $1 % 20; END';
CREATE TABLE kinds AS SELECT i AS product_id, (i % 20)::text AS kind FROM generate_series(1, 60) i;
SELECT recsys.create_recommender('declared_kinds', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
	group_by => 'kind_of(product_id)', offer_order => 'price', seller => '(SELECT kind FROM kinds k WHERE k.product_id = items.product_id)', caps => '{"kind_of(product_id)": 1}');
CREATE TEMP TABLE list AS SELECT u, r.* FROM generate_series(1, 40) u, recommend(u, 4, 'declared_kinds', exclude_seen => false, context => '{"filter": {"seller": ["1", "2", "3", "4", "5"]}}') r;
SELECT count(*), count(DISTINCT item_id % 20) AS kinds FROM list;
DROP FUNCTION kind_of;
CREATE FUNCTION kind_of(bigint) RETURNS integer LANGUAGE plpgsql STABLE AS 'BEGIN RETURN $1 % 20; END';
ALTER TABLE kinds ALTER kind TYPE integer USING kind::integer;
SELECT count(*) AS different FROM (SELECT u, r.* FROM generate_series(1, 40) u, recommend(u, 4, 'declared_kinds', exclude_seen => false, context => '{"filter": {"seller": [1, 2, 3, 4, 5]}}') r EXCEPT TABLE list) d;
DROP FUNCTION kind_of;
CREATE FUNCTION kind_of(bigint) RETURNS numeric LANGUAGE plpgsql STABLE AS 'BEGIN RETURN $1 % 20; END';
SELECT count(*) AS different FROM (SELECT u, r.* FROM generate_series(1, 40) u, recommend(u, 4, 'declared_kinds', exclude_seen => false, context => '{"filter": {"seller": [1, 2, 3, 4, 5]}}') r EXCEPT TABLE list) d;
DROP FUNCTION kind_of;
CREATE FUNCTION kind_of(bigint) RETURNS uuid LANGUAGE plpgsql STABLE AS 'BEGIN RETURN md5(($1 % 20)::text); END';
SELECT count(*) AS different FROM (SELECT u, r.* FROM generate_series(1, 40) u, recommend(u, 4, 'declared_kinds', exclude_seen => false, context => '{"filter": {"seller": [1, 2, 3, 4, 5]}}') r EXCEPT TABLE list) d;
SELECT recsys.drop_recommender('declared_kinds');
DROP TABLE list, kinds;
DROP FUNCTION kind_of;
-- and keys, too
CREATE TYPE hue AS ENUM ('h1', 'h2', 'h3', 'h4');
CREATE TABLE worn AS SELECT 'u' || n % 10 AS user_id, 'h' || 1 + n % 4 AS hue FROM generate_series(1, 60) n;
CREATE INDEX worn_recsys ON worn USING recsys (user_id, hue);
CREATE TABLE hues (hue text PRIMARY KEY, price integer);
INSERT INTO hues SELECT 'h' || h, h FROM generate_series(1, 4) h;
CREATE TABLE wearers (user_id text PRIMARY KEY, country text);
INSERT INTO wearers SELECT 'u' || u, 'DE' FROM generate_series(0, 9) u;
SELECT recsys.create_recommender('declared_hues', '[{"events": "worn_recsys", "exclude": false}]', items => 'hues', item_key => 'hue',
	price => 'price', price_affinity => 0.5, profiles => 'wearers', profile_key => 'user_id', segment => 'country');
CREATE TEMP TABLE list AS SELECT u, r.* FROM wearers w (u), recommend(u, 3, 'declared_hues', NULL::text, true, NULL::interval, '{"cart": ["h3", "none"]}') r;
SELECT count(*) FROM list;
ALTER TABLE hues ALTER hue TYPE hue USING hue::hue;
ALTER TABLE wearers ALTER user_id TYPE char(5);
SELECT count(*) AS different FROM (SELECT u, r.* FROM wearers w (u), recommend(u::text, 3, 'declared_hues', NULL::text, true, NULL::interval, '{"cart": ["h3", "none"]}') r EXCEPT TABLE list) d;
ALTER TABLE hues ALTER hue TYPE varchar(9);
ALTER TABLE wearers ALTER user_id TYPE text;
SELECT count(*) AS different FROM (SELECT u, r.* FROM wearers w (u), recommend(u, 3, 'declared_hues', NULL::text, true, NULL::interval, '{"cart": ["h3", "none"]}') r EXCEPT TABLE list) d;
SELECT recsys.drop_recommender('declared_hues');
DROP TABLE list, worn, hues, wearers;
DROP TYPE hue;
-- an index follows its table and columns, and so does what is read of the table
SELECT recsys.alter_recommender('declared_boosts', signals => '[{"events": "purchases_recsys", "price": "2"}]',
	price => 'price', price_affinity => 0.5, reset => '{promotions}');
SELECT count(*) FROM recommend(1, 3, 'declared_boosts');
BEGIN;
ALTER TABLE purchases RENAME TO bought;
SELECT count(*) FROM recommend(1, 3, 'declared_boosts');
ALTER TABLE bought RENAME user_id TO buyer;
SELECT count(*) FROM recommend(1, 3, 'declared_boosts');
ROLLBACK;
SELECT count(*) FROM recommend(1, 3, 'declared_boosts');
SELECT recsys.drop_recommender('declared_boosts');
SELECT recsys.alter_recommender('declared_all', reset => '{promotions}');
SELECT count(*) FROM recommend(1, 3, 'declared_all');
\set SHOW_CONTEXT errors
BEGIN;
ALTER TABLE products DROP COLUMN category;
SELECT * FROM recommend(1, 3, 'declared_all');
ROLLBACK;
BEGIN;
ALTER TABLE products RENAME TO goods;
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
SAVEPOINT a;
SELECT * FROM recommend(1, 3, 'declared_all');
ROLLBACK TO a;
-- all that is over the items is looked at anew
SELECT recsys.alter_recommender('declared_all', items => 'goods');
SELECT items, item_filter, problem FROM recsys.recommenders WHERE name = 'declared_all';
SELECT count(*) FROM recommend(1, 3, 'declared_all');
ROLLBACK;
BEGIN;
DROP FUNCTION is_fine;
SELECT recsys.alter_recommender('declared_all', item_filter => 'stock > 0');
ROLLBACK;
SELECT recsys.alter_recommender('declared_all', item_filter => 'is_fine(product_id)');
BEGIN;
DROP FUNCTION is_fine;
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
SELECT * FROM recommend(1, 3, 'declared_all');
ROLLBACK;
BEGIN;
CREATE OR REPLACE FUNCTION is_fine(bigint) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT $1 > 0';
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
SELECT * FROM recommend(1, 3, 'declared_all');
ROLLBACK;
BEGIN;
ALTER TABLE products ALTER stock TYPE boolean USING stock > 0;
SELECT recsys.alter_recommender('declared_all', item_filter => 'stock');
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
SELECT count(*) FROM recommend(1, 3, 'declared_all');
ROLLBACK;
BEGIN;
DROP INDEX views_recsys;
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
SELECT * FROM recommend(1, 3, 'declared_all');
ROLLBACK;
BEGIN;
ALTER TABLE customers RENAME customer_id TO id;
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
SELECT * FROM recommend(1, 3, 'declared_all');
ROLLBACK;
BEGIN;
ALTER TABLE products DROP CONSTRAINT products_pkey;
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
ROLLBACK;
-- two things at once are mended one after the other
BEGIN;
ALTER TABLE products DROP COLUMN category, DROP COLUMN brand;
DROP TABLE sellers CASCADE;
SELECT recsys.alter_recommender('declared_all', reset => '{sellers,seller_key,seller_quality,new_seller_since,new_seller_share}');
SELECT recsys.alter_recommender('declared_all', reset => '{category,category_mix}');
SELECT recsys.alter_recommender('declared_all', reset => '{caps}');
SELECT recsys.alter_recommender('declared_all', repeatable => 'false');
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
SELECT count(*) FROM recommend(1, 3, 'declared_all');
ROLLBACK;
SELECT recsys.recommender_problem('nothing');

-- functions of the search path do not come between
CREATE SCHEMA evil;
CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE 'evil'; END $$;
SELECT recsys.alter_recommender('declared_all', category => 'lower(category)', item_filter => 'lower(name) > ''a''');
SET search_path = evil, pg_catalog, declared, public;
SELECT count(*) FROM recommend(1, 3, 'declared_all');
SELECT count(*) FROM recommend(2, 3, 'declared_all');
SET search_path = declared, public;

-- rights: those of the caller
CREATE ROLE regress_shop_owner;
CREATE ROLE regress_shop_reader;
GRANT USAGE ON SCHEMA declared TO regress_shop_owner, regress_shop_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA declared TO regress_shop_owner;
SET ROLE regress_shop_reader;
SELECT recsys.create_recommender('declared_mine', '[{"events": "purchases_recsys"}]');
SELECT recsys.alter_recommender('declared_all', min_users => 1);
SELECT recsys.drop_recommender('declared_all');
INSERT INTO recsys.recommender (name, owner, definition) VALUES ('declared_mine', 'regress_shop_owner', '{}');
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
RESET ROLE;
GRANT SELECT ON purchases, views, products, sellers, promotions TO regress_shop_reader;
SET ROLE regress_shop_reader;
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
SELECT * FROM recommend(1, 3, 'declared_all');
SELECT count(*) FROM popular_items(3, 'declared_all', segment => 'DE20-29');
SELECT count(*) FROM recommend(NULL::bigint, 3, 'declared_all', context => '{"segment": "DE20-29"}');
SELECT count(*) FROM recommend(NULL::bigint, 3, 'declared_all', context => '{"cart": [1]}');
RESET ROLE;
GRANT SELECT (customer_id, country, age_band, is_fraud) ON customers TO regress_shop_reader;
SET ROLE regress_shop_reader;
SELECT problem FROM recsys.recommenders WHERE name = 'declared_all';
SELECT count(*) FROM recommend(1, 3, 'declared_all');
SELECT count(*) FROM recommend(NULL::bigint, 3, 'declared_all', context => '{"segment": "DE20-29"}');
-- a function that may not be called
RESET ROLE;
REVOKE EXECUTE ON FUNCTION is_fine FROM PUBLIC;
SELECT recsys.create_recommender('declared_function', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', item_filter => 'is_fine(product_id)');
SET ROLE regress_shop_reader;
SELECT problem FROM recsys.recommenders WHERE name = 'declared_function';
SELECT recsys.create_recommender('declared_function2', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', item_filter => 'is_fine(product_id)');
RESET ROLE;
SELECT recsys.drop_recommender('declared_function');
-- who owns it may change it, and those who have that one's rights; it is given only to those whose rights one has
SET ROLE regress_shop_owner;
SELECT recsys.create_recommender('declared_mine', '[{"events": "purchases_recsys"}]');
SELECT owner FROM recsys.recommenders WHERE name = 'declared_mine';
SET ROLE regress_shop_reader;
SELECT recsys.alter_recommender('declared_mine', min_users => 1);
RESET ROLE;
GRANT regress_shop_owner TO regress_shop_reader;
SET ROLE regress_shop_reader;
SELECT recsys.alter_recommender('declared_mine', min_users => 1);
SELECT recsys.alter_recommender('declared_mine', new_owner => 'regress_shop_reader');
RESET ROLE;
REVOKE regress_shop_owner FROM regress_shop_reader;
SET ROLE regress_shop_owner;
SELECT recsys.drop_recommender('declared_mine');
RESET ROLE;
SELECT recsys.drop_recommender('declared_mine');

-- functions with the exact types
CREATE SCHEMA gateway;
SELECT * FROM recsys.create_functions('declared_all', 'gateway');
SELECT oid::regprocedure, pg_get_function_result(oid), obj_description(oid, 'pg_proc') FROM pg_proc WHERE pronamespace = 'gateway'::regnamespace ORDER BY 1;
SELECT count(*) AS differences FROM (TABLE customers) c,
	LATERAL (SELECT item_id, score, source, rank FROM gateway.recommend(customer_id, 5) EXCEPT SELECT * FROM recommend(customer_id, 5, 'declared_all')) d;
SELECT count(*) FROM gateway.recommend(1);
SELECT count(*) FROM gateway.recommend_with_context(user_id => 1, context => '{"exclude": [3]}', k => 4) WHERE item_id <> 3;
SELECT count(*) FROM gateway.similar_items(3, 4);
SELECT count(*) FROM gateway.goes_with(3, 4);
SELECT count(*) FROM gateway.popular_items(4);
SELECT count(*) FROM gateway.recommend_for_items('{3,4}', 4);
SELECT count(*) > 0 FROM gateway.recommend(1, 1) r, gateway.explain_recommendation(1, r.item_id);
SELECT count(*) FROM gateway.recommend_with_reasons(1, 4) WHERE reason IS NOT NULL AND jsonb_typeof(details) = 'object';
SELECT count(*) AS differences FROM (SELECT item_id, users, rank FROM gateway.popular_in_segment('DE', 4) EXCEPT SELECT item_id, users, rank FROM popular_items(4, 'declared_all', segment => 'DE')) d;
-- those that log
CREATE TABLE logged AS SELECT * FROM gateway.recommend_logged(1, 4, session_id => 's');
SELECT count(*) AS rows, count(DISTINCT request_id) AS requests, count(experiment) AS experiments,
	(SELECT count(*) FROM (SELECT item_id, score, source, rank FROM logged EXCEPT SELECT * FROM gateway.recommend(1, 4)) d) AS differences
FROM logged;
SELECT gateway.log_click(request_id, item_id), gateway.log_click(request_id, item_id) AS again, gateway.log_add_to_cart(request_id, item_id),
	gateway.log_event(request_id, 'watched', item_id, 2.5), gateway.log_event(request_id, 'watched', item_id, event_key => 'twice') FROM logged WHERE rank = 1;
SELECT gateway.log_request(r), gateway.log_request(r) AS again FROM (SELECT gateway.recommend_request(1, 4, '{"exclude": [3]}') AS r OFFSET 0) d;
SELECT gateway.log_impressions('{3,4}') IS NOT NULL AS visitor, gateway.log_impressions('{3,4}', 1, 's') IS NOT NULL AS known;
SELECT count(*) FROM gateway.recommend_logged(1, 4, recommender => 'purchases_recsys');
SELECT recommender, user_id, session_id, cardinality(item_ids) FROM recsys.request_log WHERE recommender ~ '^declared' ORDER BY 1, 2, 3, 4;
SELECT kind, value, event_key FROM recsys.event_log WHERE request_id IN (SELECT request_id FROM logged) ORDER BY kind, event_key;
DELETE FROM recsys.event_log WHERE request_id IN (SELECT request_id FROM logged);
DELETE FROM recsys.request_log WHERE recommender ~ '^declared';
SELECT count(*) FROM recsys.create_functions('declared_all', 'gateway');
DROP FUNCTION gateway.goes_with;
CREATE FUNCTION gateway.goes_with(item_id bigint, k integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
SELECT * FROM recsys.create_functions('declared_all', 'gateway');
SELECT * FROM recsys.create_functions('declared_all', 'no schema');
SELECT * FROM recsys.create_functions('nothing at all', 'gateway');
SELECT * FROM recsys.create_functions('nothing', 'gateway');
SELECT * FROM recsys.create_functions(NULL, 'gateway');
-- narrow integers, uuids, enums and domains
CREATE DOMAIN sku AS varchar(20);
CREATE TABLE exact AS SELECT user_id::smallint AS i2, user_id::integer AS i4, md5(user_id::text)::uuid AS id, 'c' || user_id AS t, (ARRAY['red', 'green', 'blue'])[1 + user_id % 3]::shade AS e,
	('s' || product_id)::sku AS d, product_id::integer AS p4, md5(product_id::text)::uuid AS pid, product_id FROM purchases;
CREATE INDEX exact_i ON exact USING recsys (i2, p4);
CREATE INDEX exact_u ON exact USING recsys (id, pid);
CREATE INDEX exact_d ON exact USING recsys (t, d);
CREATE INDEX exact_e ON exact USING recsys (t, e);
CREATE SCHEMA exactly_i;
CREATE SCHEMA exactly_u;
CREATE SCHEMA exactly_d;
CREATE SCHEMA exactly_e;
SELECT recsys.create_recommender('declared_' || k, format('[{"events": "exact_%s"}]', k)::jsonb) FROM unnest('{i,u,d,e}'::text[]) k;
SELECT k, f FROM unnest('{i,u,d,e}'::text[]) k, recsys.create_functions('declared_' || k, 'exactly_' || k) f;
SELECT pg_typeof(item_id), count(*) FROM exactly_i.recommend(1::smallint) GROUP BY 1;
SELECT pg_typeof(item_id), count(*) FROM exactly_u.recommend(md5('1')::uuid) GROUP BY 1;
SELECT pg_typeof(item_id), count(*) FROM exactly_d.similar_items('s7'::sku) GROUP BY 1;
SELECT pg_typeof(item_id), count(*) FROM exactly_e.similar_items('red'::shade) GROUP BY 1;
SELECT pg_typeof(item_id), count(*) FROM exactly_d.recommend_for_items(ARRAY['s7', 's8']::sku[]) GROUP BY 1;
SELECT exactly_i.log_click(request_id, item_id) FROM exactly_i.recommend_logged(1::smallint, 1);
SELECT exactly_u.log_click(request_id, item_id) FROM exactly_u.recommend_logged(md5('1')::uuid, 1);
SELECT exactly_d.log_click(request_id, item_id) FROM exactly_d.recommend_logged('c1', 1);
SELECT exactly_e.log_click(request_id, item_id) FROM exactly_e.recommend_logged('c1', 1);
SELECT exactly_e.log_impressions('{red,green}'::shade[], 'c1') IS NOT NULL AS logged;
DELETE FROM recsys.event_log WHERE request_id IN (SELECT request_id FROM recsys.request_log WHERE recommender ~ '^declared');
DELETE FROM recsys.request_log WHERE recommender ~ '^declared';
SELECT * FROM recsys.create_functions('declared_u', 'exactly_i');
SELECT recsys.drop_recommender(name) FROM recsys.recommender WHERE name LIKE 'declared\_%';
SELECT count(*) FROM recsys.recommender WHERE name LIKE 'declared%';

DROP SCHEMA declared, "Other shop", evil, gateway, exactly_i, exactly_u, exactly_d, exactly_e CASCADE;
DROP OWNED BY regress_shop_owner, regress_shop_reader;
DROP ROLE regress_shop_owner, regress_shop_reader;
