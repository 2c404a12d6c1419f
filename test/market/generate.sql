/*
 * A marketplace to try things on: customers with tastes, sellers, products that
 * several of them offer, and a year of what customers did.  Plain SQL for psql:
 *
 *     psql -v customers=3000 -v seed=1 -f test/market/generate.sql
 *
 * customers (default 3000) is the scale: there is a product to four customers, 1 to 5
 * offers a product, a seller to forty customers, some 8 purchases and 30 views a
 * customer.  3000 take 3 seconds, 100000 two minutes.  The same seed (default 1) and the
 * same day give the same rows, whatever the server's version and plans: each random number is
 * a hash of what it is for.
 *
 * What a shop would know:
 *     sellers, products (an offer of a seller each), customers, promotions,
 *     views, carts, wishlist, purchases, ratings, returns
 * What only the generator knows, to measure by:
 *     canonical_products (theme, quality), true_tastes, true_levels
 *
 * A theme is a category in a style, as "kitchen, rustic".  Products within a theme, and
 * all products together, are as popular as their rank's reciprocal (Zipf).  A customer has three
 * to five themes, half of them those of others of the same country and age; 85 of 100 acts are
 * within them.  Of two products that come to mind it is the one nearer to the customer's price
 * level.  Some categories are bought in summer or before Christmas.  Mostly the cheapest
 * offer is taken.  What is poor, and fakes all the more, is rated low and sent back.
 * One in 150 customers is a fraud who praises the goods of one seller.
 */
\if :{?customers}
\else
\set customers 3000
\endif
\if :{?seed}
\else
\set seed 1
\endif

BEGIN;
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';

-- A number from 0 to 1, by what it is for (what), whose it is (a), and which of theirs (b)
CREATE OR REPLACE FUNCTION pg_temp.draw(what integer, a bigint, b bigint) RETURNS double precision
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	AS 'SELECT (hashint8extended(a, hashint8extended(b, what)) & 4503599627370495) / 4503599627370496.0::double precision';
-- The same, normally distributed
CREATE OR REPLACE FUNCTION pg_temp.bell(what integer, a bigint, b bigint) RETURNS double precision
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	AS 'SELECT sqrt(-2 * ln(1 - pg_temp.draw(what, a, b))) * cos(2 * pi() * pg_temp.draw(what + 1, a, b))';
-- A rank from 1 to n, the first one most often
CREATE OR REPLACE FUNCTION pg_temp.zipf(u double precision, n bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	AS 'SELECT least(n, floor((n + 1.0::double precision) ^ u)::bigint)';

/* Each kind of draw has a hundred numbers, and each seed a thousand. */
SELECT 1000 * :seed AS of_theme, 1000 * :seed + 100 AS of_product, 1000 * :seed + 200 AS of_seller,
	   1000 * :seed + 300 AS of_offer, 1000 * :seed + 400 AS of_customer, 1000 * :seed + 500 AS of_act,
	   1000 * :seed + 600 AS of_trace, date_trunc('day', now()) AS today
\gset

CREATE TEMP TABLE categories ON COMMIT DROP AS
SELECT * FROM (VALUES
	(1, 'kitchen', '{pan,bread knife,kettle,salad bowl,grater}'::text[], 24.0, NULL::integer, false),
	(2, 'coffee and tea', '{espresso beans,filter coffee,green tea,cocoa,black tea}', 9.0, NULL, true),
	(3, 'garden', '{spade,planter,watering can,bird house,deck chair}', 29.0, 160, false),
	(4, 'toys', '{puzzle,wooden train,kite,board game,doll}', 19.0, 345, false),
	(5, 'sports', '{yoga mat,running belt,water bottle,skipping rope,helmet}', 27.0, NULL, false),
	(6, 'audio', '{headphones,speaker,turntable,radio,earbuds}', 69.0, NULL, false),
	(7, 'lighting', '{desk lamp,floor lamp,string lights,candle holder,pendant}', 39.0, NULL, false),
	(8, 'beauty', '{hand cream,soap,shampoo bar,face oil,bath salt}', 8.0, NULL, true),
	(9, 'pets', '{dog treats,cat litter,bird seed,dog lead,scratching post}', 14.0, NULL, true),
	(10, 'bags', '{backpack,tote bag,purse,suitcase,pencil case}', 45.0, NULL, false),
	(11, 'stationery', '{notebook,fountain pen,calendar,wrapping paper,sketch pad}', 7.0, 340, false),
	(12, 'textiles', '{cushion,throw,bath towel,table cloth,rug}', 32.0, NULL, false)
) c (category_id, category, nouns, price, season, consumable);

-- 48 themes, numbered by how many like them
CREATE TEMP TABLE themes ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY pg_temp.draw(:of_theme, category_id, style_id))::integer AS theme_id,
	   category || ', ' || style AS theme, c.*, style
FROM categories c, unnest('{rustic,modern,playful,luxury}'::text[]) WITH ORDINALITY s (style, style_id);

/*
 * Products: numbered by popularity.
 */
CREATE TABLE canonical_products (canonical_product_id bigint PRIMARY KEY, title text NOT NULL, category text NOT NULL,
	brand text NOT NULL, consumable boolean NOT NULL, price numeric(8, 2) NOT NULL, listed_at timestamptz NOT NULL,
	theme text NOT NULL, theme_rank integer NOT NULL, quality double precision NOT NULL);
INSERT INTO canonical_products
SELECT n, format('%s %s %s %s', brand, style, noun, n), category, brand, consumable,
	   round((price * exp(0.6 * pg_temp.bell(:of_product, n, 0) +
						  CASE style WHEN 'luxury' THEN 0.7 WHEN 'playful' THEN -0.2 ELSE 0 END))::numeric, 2),
	   -- most are older than the year; a tenth comes in it, and one in thirty in its last two weeks
	   :'today'::timestamptz - interval '1 day' * CASE
			WHEN pg_temp.draw(:of_product + 3, n, 0) < 0.03 THEN 13 * pg_temp.draw(:of_product + 4, n, 0)
			WHEN pg_temp.draw(:of_product + 3, n, 0) < 0.13 THEN 14 + 340 * pg_temp.draw(:of_product + 4, n, 0)
			ELSE 366 + 700 * pg_temp.draw(:of_product + 4, n, 0) END,
	   theme, row_number() OVER (PARTITION BY theme ORDER BY n), 0.55 + 0.2 * pg_temp.bell(:of_product + 5, n, 0)
FROM (SELECT n, t.*,
			 nouns[1 + floor(5 * pg_temp.draw(:of_product + 8, n, 0))::integer] AS noun,
			 -- a theme has three brands, a brand has some themes
			 ('{Alder,Brisk,Corvo,Dunmore,Elva,Fjord,Garrick,Holt,Ivory,Juno,Kestrel,Lumen,Merle,Nordby,Orla,Pike,Quill,Rowan,Saba,Tarn,Umbra,Vesper,Wren,Yarrow}'::text[])
				[1 + (t.theme_id * 5 + floor(3 * pg_temp.draw(:of_product + 9, n, 0))::integer) % 24] AS brand
	  FROM generate_series(1, greatest(240, :customers / 4)) n
	  JOIN themes t ON t.theme_id = CASE WHEN n <= 96 THEN 1 + (n - 1) % 48
			ELSE 1 + floor(48 * pg_temp.draw(:of_product + 7, n, 0))::integer END) p;
CREATE UNIQUE INDEX ON canonical_products (theme, theme_rank);

CREATE TABLE sellers (seller_id integer PRIMARY KEY, name text NOT NULL, country text NOT NULL, joined_at timestamptz NOT NULL,
	rating_sum bigint NOT NULL DEFAULT 0, rating_count bigint NOT NULL DEFAULT 0);
INSERT INTO sellers
SELECT n, format('%s & %s', (ARRAY['Adler', 'Bruhn', 'Castel', 'Dahl', 'Ekman', 'Faber', 'Gruber', 'Hansen', 'Iversen', 'Jansen'])[1 + n % 10],
		(ARRAY['Sons', 'Daughters', 'Co', 'Partners', 'Friends', 'Brothers', 'Sisters'])[1 + n / 10 % 7] ||
			CASE WHEN n >= 70 THEN ' ' || n / 70 + 1 ELSE '' END),
	   ('{DE,DE,FR,NL,PL,SE}'::text[])[1 + floor(6 * pg_temp.draw(:of_seller, n, 0))::integer],
	   :'today'::timestamptz - interval '1 day' *
			CASE WHEN n % 12 = 0 THEN 1 + 25 * pg_temp.draw(:of_seller + 1, n, 0) ELSE 200 + 900 * pg_temp.draw(:of_seller + 1, n, 0) END
FROM generate_series(1, greatest(24, :customers / 40)) n;

-- An offer of a product.  A seller that is new offers what there has been, too.
CREATE TABLE products (product_id bigint PRIMARY KEY, canonical_product_id bigint NOT NULL REFERENCES canonical_products,
	seller_id integer NOT NULL REFERENCES sellers, title text NOT NULL, category text NOT NULL, brand text NOT NULL,
	consumable boolean NOT NULL, price numeric(8, 2) NOT NULL, shipping numeric(6, 2) NOT NULL, stock integer NOT NULL,
	suspected_fake boolean NOT NULL, listed_at timestamptz NOT NULL, UNIQUE (canonical_product_id, seller_id));
INSERT INTO products
SELECT 1000 + row_number() OVER (ORDER BY canonical_product_id, seller_id), canonical_product_id, seller_id, title, category, brand,
	   consumable, round(price * CASE WHEN fake THEN 0.6 ELSE 0.92 + 0.2 * pg_temp.draw(:of_offer, canonical_product_id, seller_id)::numeric END, 2),
	   (ARRAY[0, 2.9, 4.9])[1 + seller_id % 3],
	   CASE WHEN pg_temp.draw(:of_offer + 1, canonical_product_id, seller_id) < 0.12 THEN 0
			ELSE 1 + floor(80 * pg_temp.draw(:of_offer + 2, canonical_product_id, seller_id) ^ 2)::integer END,
	   fake, greatest(listed_at, joined_at)
FROM (SELECT DISTINCT ON (c.canonical_product_id, s.seller_id) c.*, s.seller_id, s.joined_at,
			 -- the first offer of all is never a fake: something genuine is there
			 o > 1 AND pg_temp.draw(:of_offer + 3, c.canonical_product_id, o) < 0.04 AS fake
	  FROM canonical_products c,
		   generate_series(1, 1 + floor(4.99 * pg_temp.draw(:of_offer + 4, c.canonical_product_id, 0) ^ 1.5)::integer) o
	  JOIN sellers s ON true
	  WHERE s.seller_id = 1 + floor((SELECT count(*) FROM sellers) *
			-- large sellers offer more
			pg_temp.draw(:of_offer + 5, c.canonical_product_id, o) ^ 1.7)
	  ORDER BY c.canonical_product_id, s.seller_id, o) offered;
CREATE INDEX ON products (canonical_product_id);
CREATE INDEX ON products (listed_at);
CREATE INDEX ON products (seller_id);

/*
 * Customers
 */
CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text NOT NULL, age_band text NOT NULL, joined_at timestamptz NOT NULL,
	accepts_mail boolean NOT NULL, is_fraud boolean NOT NULL);
CREATE TABLE true_levels (customer_id bigint PRIMARY KEY, price_level double precision NOT NULL);
CREATE TABLE true_tastes (customer_id bigint, theme text, share double precision NOT NULL, PRIMARY KEY (customer_id, theme));
INSERT INTO customers
SELECT n, (ARRAY['DE', 'DE', 'DE', 'DE', 'FR', 'FR', 'NL', 'NL', 'PL', 'SE'])[1 + floor(10 * pg_temp.draw(:of_customer, n, 0))::integer],
	   (ARRAY['18-29', '30-39', '40-49', '50-64', '65+'])[1 + floor(5 * pg_temp.draw(:of_customer + 1, n, 0))::integer],
	   :'today'::timestamptz - interval '1 day' * (10 + 1000 * pg_temp.draw(:of_customer + 2, n, 0)),
	   pg_temp.draw(:of_customer + 3, n, 0) < 0.7, n % 150 = 149
FROM generate_series(1, :customers) n;
-- how much dearer than usual: the factor's logarithm
INSERT INTO true_levels SELECT customer_id, 0.5 * pg_temp.bell(:of_customer + 4, customer_id, 0) FROM customers;

CREATE TEMP TABLE liked ON COMMIT DROP AS
SELECT customer_id, place, theme,
	   sum(share) OVER (PARTITION BY customer_id ORDER BY place) - share AS below, sum(share) OVER (PARTITION BY customer_id ORDER BY place) AS above
FROM (SELECT customer_id, theme, share / sum(share) OVER (PARTITION BY customer_id) AS share,
			 row_number() OVER (PARTITION BY customer_id ORDER BY first) AS place
	  FROM (SELECT customer_id, theme_id, min(place) AS first, sum(1.0::double precision / place) AS share
			FROM (SELECT customer_id, place, CASE WHEN pg_temp.draw(:of_customer + 6, customer_id, place) < 0.5
						-- one of five that those of this country and age like best
						THEN 1 + floor(48 * pg_temp.draw(:of_customer + 7, hashtext(country || age_band),
							floor(5 * pg_temp.draw(:of_customer + 8, customer_id, place))::bigint))::bigint
						ELSE pg_temp.zipf(pg_temp.draw(:of_customer + 9, customer_id, place), 48) END AS theme_id
				  FROM customers, generate_series(1, 3 + floor(3 * pg_temp.draw(:of_customer + 10, customer_id, 0))::integer) place) drawn
			GROUP BY customer_id, theme_id) each
	  JOIN themes USING (theme_id)) shares;
INSERT INTO true_tastes SELECT customer_id, theme, above - below FROM liked;

/*
 * What customers came for: a product and a time.
 */
CREATE TEMP TABLE shelves ON COMMIT DROP AS
SELECT theme, theme_rank::bigint AS place, canonical_product_id FROM canonical_products
UNION ALL SELECT 'everything', canonical_product_id, canonical_product_id FROM canonical_products;
CREATE TEMP TABLE shelf_sizes ON COMMIT DROP AS SELECT theme, count(*) AS places FROM shelves GROUP BY theme;
-- offers of a product, the cheapest first
CREATE TEMP TABLE offers ON COMMIT DROP AS
SELECT product_id, canonical_product_id, seller_id, suspected_fake, price, listed_at,
	   row_number() OVER (PARTITION BY canonical_product_id ORDER BY price + shipping, product_id) AS place
FROM products;
ANALYZE canonical_products; ANALYZE products; ANALYZE customers; ANALYZE liked; ANALYZE shelves; ANALYZE shelf_sizes; ANALYZE offers;

CREATE TEMP TABLE acts ON COMMIT DROP AS
WITH planned AS MATERIALIZED (
	-- in the last year, since the customer is there
	SELECT customer_id, act, price_level, begins, begins + (:'today' - begins) * pg_temp.draw(:of_act + 7, customer_id, act) AS at,
		   pg_temp.draw(:of_act, customer_id, act) >= 0.85 AS is_whim, pg_temp.draw(:of_act + 1, customer_id, act) AS fancy
	FROM customers JOIN true_levels USING (customer_id),
		 LATERAL (SELECT greatest(joined_at, :'today'::timestamptz - interval '365 days') AS begins) b,
		 generate_series(1, least(120, 1 + floor(exp(2.1 + 0.8 * pg_temp.bell(:of_customer + 12, customer_id, 0)))::integer)) act
	WHERE NOT is_fraud),
wanted AS MATERIALIZED (
	SELECT customer_id, act, begins, at, price_level, theme, places,
		   pg_temp.zipf(pg_temp.draw(:of_act + 2, customer_id, act), places) AS one,
		   pg_temp.zipf(pg_temp.draw(:of_act + 3, customer_id, act), places) AS other
	FROM (SELECT p.*, CASE WHEN is_whim THEN 'everything' ELSE l.theme END AS theme
		  FROM planned p JOIN liked l ON l.customer_id = p.customer_id AND p.fancy >= l.below AND p.fancy < l.above) t
	JOIN shelf_sizes USING (theme)),
-- of two that come to mind the one nearer to the price level; two of three acts in season, if there is one
chosen AS MATERIALIZED (
	SELECT DISTINCT ON (w.customer_id, w.act) w.customer_id, w.act, w.theme, w.places, c.canonical_product_id, c.category, c.consumable, c.quality,
		   CASE WHEN in_season BETWEEN begins AND :'today' AND pg_temp.draw(:of_act + 6, w.customer_id, w.act) < 0.67 THEN in_season ELSE w.at END AS at
	FROM wanted w
	CROSS JOIN unnest(ARRAY[w.one, w.other]) mind (place)
	JOIN shelves s ON s.theme = w.theme AND s.place = mind.place
	JOIN canonical_products c USING (canonical_product_id)
	JOIN categories USING (category),
	LATERAL (SELECT date_trunc('year', :'today'::timestamptz - interval '1 day' * season) + interval '1 day' *
					(season + 14 * pg_temp.bell(:of_act + 8, w.customer_id, w.act)) AS in_season) t
	ORDER BY w.customer_id, w.act, abs(ln(c.price::double precision / categories.price) - w.price_level), s.place)
-- of the offers that there were then; what was not there was not bought
SELECT DISTINCT ON (c.customer_id, c.act) c.*, o.product_id, o.seller_id, o.price, o.suspected_fake
FROM chosen c JOIN offers o ON o.canonical_product_id = c.canonical_product_id AND o.listed_at <= c.at
ORDER BY c.customer_id, c.act, CASE WHEN pg_temp.draw(:of_act + 4, c.customer_id, c.act) < 0.6 THEN o.place
	ELSE pg_temp.draw(:of_act + 5, 1000 * c.customer_id + c.act, o.product_id) END;
ANALYZE acts;

-- Five of ten acts end in a purchase, one in a cart that is left, one on the wishlist.
CREATE TABLE purchases (purchase_id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, product_id bigint NOT NULL REFERENCES products,
	quantity integer NOT NULL, price numeric(8, 2) NOT NULL, purchased_at timestamptz NOT NULL);
INSERT INTO purchases
SELECT row_number() OVER (ORDER BY at, customer_id, act, again), customer_id, product_id,
	   1 + floor(2.2 * pg_temp.draw(:of_trace, customer_id, act) ^ 4)::integer, price, at
FROM (SELECT customer_id, act, again, product_id, price, at + again * interval '1 day' * (20 + 25 * pg_temp.draw(:of_trace + 1, customer_id, act)) AS at
	  FROM acts, generate_series(0, CASE WHEN consumable THEN floor(4 * pg_temp.draw(:of_trace + 2, customer_id, act))::integer ELSE 0 END) again
	  WHERE pg_temp.draw(:of_trace + 3, customer_id, act) < 0.6) bought
WHERE at <= :'today';

CREATE TABLE carts (customer_id bigint NOT NULL REFERENCES customers, product_id bigint NOT NULL REFERENCES products, added_at timestamptz NOT NULL);
INSERT INTO carts
SELECT customer_id, product_id, at - interval '10 minutes' FROM acts WHERE pg_temp.draw(:of_trace + 3, customer_id, act) < 0.72
ORDER BY at, customer_id, act;

CREATE TABLE wishlist (customer_id bigint NOT NULL REFERENCES customers, product_id bigint NOT NULL REFERENCES products, wished_at timestamptz NOT NULL);
INSERT INTO wishlist
SELECT customer_id, product_id, at - interval '3 days' * pg_temp.draw(:of_trace + 4, customer_id, act)
FROM acts WHERE pg_temp.draw(:of_trace + 3, customer_id, act) BETWEEN 0.68 AND 0.82
ORDER BY at, customer_id, act;

-- Who comes for something looks at some of its theme: in the hour before.
CREATE TABLE views (customer_id bigint NOT NULL REFERENCES customers, product_id bigint NOT NULL REFERENCES products, viewed_at timestamptz NOT NULL);
INSERT INTO views
SELECT customer_id, coalesce(o.product_id, a.product_id), greatest(o.listed_at, a.at - interval '1 minute' * (11 * look + 10 * pg_temp.draw(:of_trace + 5, a.customer_id, 16 * a.act + look)))
FROM (SELECT a.*, look, pg_temp.zipf(pg_temp.draw(:of_trace + 6, a.customer_id, 16 * a.act + look), a.places) AS looked_at
	  FROM acts a, generate_series(0, floor(5 * pg_temp.draw(:of_trace + 7, a.customer_id, a.act))::integer) look) a
LEFT JOIN shelves s ON look > 0 AND s.theme = a.theme AND s.place = looked_at
LEFT JOIN offers o ON o.canonical_product_id = s.canonical_product_id AND o.place = 1
WHERE o.listed_at IS NULL OR o.listed_at < a.at
ORDER BY a.at, a.customer_id, a.act, look;

-- What was bought three weeks ago and is poor comes back.
CREATE TABLE returns (customer_id bigint NOT NULL REFERENCES customers, product_id bigint NOT NULL REFERENCES products, returned_at timestamptz NOT NULL);
INSERT INTO returns
SELECT customer_id, product_id, at + interval '12 days'
FROM (SELECT DISTINCT ON (customer_id, product_id) * FROM acts
	  WHERE pg_temp.draw(:of_trace + 3, customer_id, act) < 0.6 ORDER BY customer_id, product_id, at) bought
WHERE at + interval '12 days' <= :'today' AND NOT consumable
  AND pg_temp.draw(:of_trace + 8, customer_id, act) < CASE WHEN suspected_fake THEN 0.45 WHEN quality < 0.4 THEN 0.2 ELSE 0.03 END
ORDER BY at, customer_id, act;

-- 1 to 5 stars of a third of what was bought, a day later
CREATE TABLE ratings (customer_id bigint NOT NULL REFERENCES customers, product_id bigint NOT NULL REFERENCES products, stars integer NOT NULL,
	comment text, rated_at timestamptz NOT NULL, PRIMARY KEY (customer_id, product_id));
INSERT INTO ratings
SELECT customer_id, product_id, stars,
	   CASE WHEN pg_temp.draw(:of_trace + 9, customer_id, act) < 0.4
			THEN (ARRAY['Sent it back.', 'Not what I had hoped for.', 'Does what it should.', 'Good.', 'Would buy it again.'])[stars] END,
	   at + interval '1 day'
FROM (SELECT DISTINCT ON (customer_id, product_id) *,
			 least(5, greatest(1, round(1.2 + 4.5 * quality + 0.8 * pg_temp.bell(:of_trace + 10, customer_id, act) +
				-- some praise all, some nothing
				0.6 * pg_temp.bell(:of_trace + 12, customer_id, 0) - CASE WHEN suspected_fake THEN 2 ELSE 0 END)))::integer AS stars
	  FROM acts
	  WHERE pg_temp.draw(:of_trace + 3, customer_id, act) < 0.6 AND pg_temp.draw(:of_trace + 14, customer_id, act) < 0.35
	  ORDER BY customer_id, product_id, at) rated
WHERE at + interval '1 day' <= :'today'
ORDER BY at, customer_id, act;

-- The frauds: in the last month each buys and praises up to twelve offers of seller 7.
CREATE TEMP TABLE fakes ON COMMIT DROP AS
SELECT customer_id, product_id, price, greatest(p.listed_at, :'today'::timestamptz - interval '30 days' * pg_temp.draw(:of_trace + 15, customer_id, product_id)) AS at
FROM customers c, (SELECT * FROM products WHERE seller_id = 7 ORDER BY product_id LIMIT 12) p WHERE is_fraud;
INSERT INTO purchases
SELECT (SELECT max(purchase_id) FROM purchases) + row_number() OVER (ORDER BY at, customer_id, product_id), customer_id, product_id, 1, price, at FROM fakes;
INSERT INTO ratings SELECT customer_id, product_id, 5, 'Superb!!!', at FROM fakes;

UPDATE sellers s SET rating_sum = r.sum, rating_count = r.count
FROM (SELECT seller_id, sum(stars), count(*) FROM ratings JOIN products USING (product_id) GROUP BY seller_id) r
WHERE r.seller_id = s.seller_id;

-- An offer in fifty is promoted: now, in the past, or soon.
CREATE TABLE promotions (promotion_id integer PRIMARY KEY, product_id bigint NOT NULL REFERENCES products, boost double precision NOT NULL,
	starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL);
INSERT INTO promotions
SELECT row_number() OVER (ORDER BY product_id), product_id, (ARRAY[1.2, 1.5, 2])[1 + product_id % 3], starts_at, starts_at + interval '14 days'
FROM (SELECT product_id, :'today'::timestamptz - interval '7 days' + (product_id % 3 - 1) * interval '20 days' AS starts_at
	  FROM products WHERE pg_temp.draw(:of_offer + 8, product_id, 0) < 0.02) p;

CREATE INDEX ON promotions (product_id);
COMMIT;
VACUUM ANALYZE customers, sellers, canonical_products, products, purchases, views, carts, wishlist, ratings, returns, promotions, true_tastes, true_levels;
