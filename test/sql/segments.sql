-- Lists by segment, persona, category, seller and price level, and customer_segments, against
-- plain SQL.
SET client_min_messages = warning;
CREATE SCHEMA segments;
SET search_path = segments, public;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text, age_band text, is_fraud boolean);
INSERT INTO customers SELECT c, (ARRAY['DE', 'FR', 'IT', NULL])[1 + c % 4], CASE c % 3 WHEN 0 THEN '20-29' WHEN 1 THEN '30-39' END, CASE c % 40 WHEN 0 THEN true WHEN 1 THEN NULL ELSE false END
FROM generate_series(1, 300) c;
CREATE TABLE sellers (seller_id text PRIMARY KEY, stars bigint, ratings integer);
INSERT INTO sellers SELECT 's' || s, 3 * s + 10, s FROM generate_series(0, 7) s;
CREATE TABLE products (product_id bigint PRIMARY KEY, category text, seller_id text, price numeric);
INSERT INTO products SELECT p, CASE WHEN p % 11 > 0 THEN 'c' || p % 5 END, 's' || p % 8, CASE WHEN p % 13 > 0 THEN (p * 7) % 50 END FROM generate_series(1, 60) p;
CREATE TABLE purchases (customer_id bigint, product_id bigint, quantity integer, purchased_at timestamptz, paid numeric, status text);
INSERT INTO purchases
SELECT 1 + abs(hashint4(n)) % 310, 1 + (abs(hashint4(n * 3 + 1)) % 62) * (abs(hashint4(n + 70000)) % 62) / 62, CASE n % 17 WHEN 0 THEN -1 WHEN 1 THEN NULL ELSE n % 3 END,
	now() - abs(hashint4(n + 5)) % 300 * interval '1 day' - n * interval '1 minute', n % 40, CASE n % 9 WHEN 0 THEN 'cancelled' ELSE 'paid' END
FROM generate_series(1, 4000) n;
INSERT INTO purchases VALUES (NULL, 1, 1, now(), 1, 'paid'), (1, NULL, 1, now(), 1, 'paid'), (2, 3, 1, 'infinity', 5, 'paid'),
	(3, 3, 1, '9999-01-01', 5, 'paid'), (4, 4, 1, NULL, 5, 'paid');
CREATE INDEX purchases_recsys ON purchases USING recsys (customer_id, product_id, quantity, purchased_at) WITH (similarity = cosine) WHERE status <> 'cancelled';
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys", "price": "paid"}]',
	items => 'products', item_key => 'product_id', category => 'category', price => 'price', seller => 'seller_id',
	sellers => 'sellers', seller_key => 'seller_id', seller_quality => '{"rating": "stars", "ratings": "ratings"}',
	profiles => 'customers', profile_key => 'customer_id', segment => 'country || age_band', larger_segments => ARRAY['persona', 'country'],
	exclude_users => 'is_fraud', min_users => 3);

-- nothing has been found out yet, and nothing is wrong with that
SELECT count(*) FROM recsys.popularity;
SELECT persona, count(*) > 0 AS some FROM recsys.customer_segments('home') GROUP BY 1 ORDER BY 1;
SELECT recsys.refresh_recommender('home') AS lists \gset
SELECT :lists = count(*) AS counted FROM recsys.popularity WHERE kind <> 'shop';

/*
 * The reference: who has what, and every kind of value with it
 */
CREATE VIEW counting AS
SELECT customer_id, product_id, coalesce(quantity, 1) AS quantity, paid,
	CASE WHEN isfinite(purchased_at) THEN least(purchased_at, now()) END AS purchased_at
FROM purchases p WHERE status <> 'cancelled' AND customer_id IS NOT NULL AND product_id IS NOT NULL;
CREATE VIEW honest AS SELECT * FROM counting c WHERE NOT EXISTS (SELECT FROM customers f WHERE f.customer_id = c.customer_id AND is_fraud);
CREATE VIEW life AS
SELECT customer_id, min(purchased_at) AS first_at, max(purchased_at) AS latest_at,
	count(DISTINCT floor(extract(epoch FROM purchased_at) / 86400)) AS days
FROM honest WHERE quantity > 0 GROUP BY 1;
CREATE VIEW gap AS
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM latest_at - first_at)::float8 / (days - 1)) AS gap FROM life WHERE days > 1;
CREATE VIEW personas AS
SELECT customer_id, CASE WHEN silence > 4 * own THEN 'lost' WHEN silence > 2 * own THEN 'at risk' WHEN days = 1 THEN 'new' ELSE 'active' END AS persona
FROM (SELECT customer_id, days, extract(epoch FROM now() - latest_at)::float8 AS silence, (gap + extract(epoch FROM latest_at - first_at)::float8) / days AS own
	  FROM life, gap WHERE days > 0) s;
CREATE VIEW has AS SELECT customer_id, product_id FROM honest GROUP BY 1, 2 HAVING sum(quantity) > 0;
CREATE VIEW bounds AS
SELECT percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY ln(price::float8)) AS bounds FROM has JOIN products USING (product_id) WHERE price > 0;
CREATE VIEW values_of AS
SELECT 'segment1' AS kind, customer_id, product_id, country || age_band AS value FROM has JOIN customers USING (customer_id)
UNION ALL SELECT 'segment3', customer_id, product_id, country FROM has JOIN customers USING (customer_id)
UNION ALL SELECT 'persona', customer_id, product_id, persona FROM has JOIN personas USING (customer_id)
UNION ALL SELECT 'category', customer_id, product_id, category FROM has JOIN products USING (product_id)
UNION ALL SELECT 'seller', customer_id, product_id, seller_id FROM has JOIN products USING (product_id)
UNION ALL SELECT 'price', customer_id, product_id, (SELECT count(*) FROM unnest(bounds) b WHERE b <= ln(price::float8))::text FROM has JOIN products USING (product_id), bounds WHERE price > 0
UNION ALL SELECT 'all', customer_id, product_id, '' FROM has;
CREATE VIEW expected AS
SELECT kind, value, array_agg(product_id::text ORDER BY users DESC, product_id) AS items, array_agg(users ORDER BY users DESC, product_id) AS users
FROM (SELECT kind, value, product_id, count(*) AS users FROM values_of WHERE value IS NOT NULL GROUP BY 1, 2, 3 HAVING count(*) >= 3) c GROUP BY 1, 2;

SELECT kind, count(*) AS lists, count(*) FILTER (WHERE e.items IS DISTINCT FROM p.items OR e.users IS DISTINCT FROM p.users) AS different
FROM expected e FULL JOIN (SELECT * FROM recsys.popularity WHERE recommender = 'home' AND kind <> 'shop') p USING (kind, value) GROUP BY 1 ORDER BY 1;
SELECT abs(items[1]::float8 - gap) < 1e-6 * gap AS typical_gap FROM recsys.popularity, gap WHERE kind = 'shop' AND value = 'typical_gap';
SELECT bool_and(abs(i::float8 - b) < 1e-9) AS price_bounds
FROM recsys.popularity, bounds, LATERAL unnest(items, bounds) u (i, b) WHERE kind = 'shop' AND value = 'price_bounds';
SELECT abs(items[1]::float8 - (SELECT sum(stars)::float8 / sum(ratings) FROM sellers WHERE ratings > 0)) < 1e-9 AS seller_mean FROM recsys.popularity WHERE kind = 'shop' AND value = 'seller_mean';

/*
 * Customers: fifths by the share of the others who are less
 */
CREATE VIEW customers_expected AS
SELECT coalesce(customer_id, c.customer_id)::text AS user_id, country || age_band AS segment,
	coalesce(persona, recsys.persona(first_at, latest_at, coalesce(days, 0), make_interval(secs => gap), now())) AS persona, floor(extract(epoch FROM now() - latest_at) / 86400)::int AS recency_days,
	coalesce(days, 0) AS frequency, coalesce(money, 0) AS monetary, coalesce(is_fraud, false) AS excluded
FROM (SELECT customer_id, count(DISTINCT floor(extract(epoch FROM purchased_at) / 86400)) FILTER (WHERE quantity > 0) AS days,
		min(purchased_at) FILTER (WHERE quantity > 0) AS first_at, max(purchased_at) FILTER (WHERE quantity > 0) AS latest_at, sum(quantity * paid)::float8 AS money FROM counting GROUP BY 1) l
	FULL JOIN customers c USING (customer_id) LEFT JOIN personas USING (customer_id), gap;
SELECT count(*) AS customers, count(*) FILTER (WHERE e.user_id IS NULL OR g.user_id IS NULL OR e.segment IS DISTINCT FROM g.segment OR e.persona IS DISTINCT FROM g.persona
	OR e.recency_days IS DISTINCT FROM g.recency_days OR e.frequency <> g.frequency OR abs(e.monetary - g.monetary) > 1e-6 OR e.excluded <> g.excluded) AS different
FROM customers_expected e FULL JOIN recsys.customer_segments('home') g USING (user_id);
CREATE TABLE got AS SELECT * FROM recsys.customer_segments('home');
SELECT count(*) AS ranked, count(*) FILTER (WHERE
	r <> least(5, 1 + floor(5 * (SELECT count(*) FROM got o WHERE o.r IS NOT NULL AND o.latest_at < g.latest_at)::numeric / (n - 1)))
	OR f <> least(5, 1 + floor(5 * (SELECT count(*) FROM got o WHERE o.f IS NOT NULL AND o.frequency < g.frequency)::numeric / (n - 1)))
	OR m <> least(5, 1 + floor(5 * (SELECT count(*) FROM got o WHERE o.m IS NOT NULL AND o.monetary < g.monetary)::numeric / (n - 1)))) AS different
FROM got g, (SELECT count(*) AS n FROM got WHERE r IS NOT NULL) c WHERE r IS NOT NULL;
SELECT count(*) FILTER (WHERE r IS NULL) = count(*) AS unranked, count(*) > 0 AS some FROM got WHERE excluded OR frequency = 0;
-- usable as any table
SELECT count(*) > 0 AS some FROM recsys.customer_segments() s JOIN customers c ON c.customer_id::text = s.user_id WHERE s.persona = 'at risk' AND s.segment LIKE 'DE%';

-- the life cycle by itself: silences in gaps of ten days, own gaps weigh as much
SELECT day, recsys.persona('2024-01-01', '2024-01-01', 1, '10 days', timestamptz '2024-01-01' + day * interval '1 day') AS once,
	recsys.persona('2023-12-22', '2024-01-01', 2, '10 days', timestamptz '2024-01-01' + day * interval '1 day') AS twice,
	recsys.persona('2023-10-03', '2024-01-01', 4, '10 days', timestamptz '2024-01-01' + day * interval '1 day') AS slowly
FROM unnest(ARRAY[0, 20, 21, 40, 41, 50, 51, 100, 101]) day;
SELECT recsys.persona(NULL, NULL, 0) AS nothing, recsys.persona(now(), now(), NULL) AS none, recsys.persona(NULL, NULL, 3) AS untimed, recsys.persona(now(), now(), 1, NULL, NULL) AS never,
	recsys.persona(now() - interval '59 days', now() - interval '59 days', 1) AS unknown_gap, recsys.persona(now() - interval '61 days', now() - interval '61 days', 1) AS longer;

/*
 * Keys of other types, no times, no profiles; nothing at all
 */
CREATE TABLE wishes (who text, what uuid);
INSERT INTO wishes SELECT 'u' || n % 7, lpad(to_hex(n % 5), 32, '0')::uuid FROM generate_series(1, 35) n;
CREATE INDEX wishes_recsys ON wishes USING recsys (lower(who), what);
CREATE TABLE people (nick varchar(20), town text);
INSERT INTO people SELECT 'u' || n, CASE WHEN n < 5 THEN 'Ulm' ELSE 'Hof' END FROM generate_series(0, 6) n;
INSERT INTO people VALUES ('u1', 'Ulm'), (NULL, 'Ulm');
SELECT recsys.create_recommender('wishes', '[{"events": "wishes_recsys"}]', profiles => 'people', profile_key => 'nick', segment => 'town');
SELECT recsys.refresh_recommender('wishes');
SELECT kind, value, items, users FROM recsys.popularity WHERE recommender = 'wishes' AND kind <> 'shop' ORDER BY 1, 2;
SELECT user_id, segment, persona, recency_days, frequency, monetary, r, f, m, first_at, excluded FROM recsys.customer_segments('wishes') ORDER BY 1;
CREATE TABLE nothing (who integer, what integer, at timestamp);
CREATE INDEX nothing_recsys ON nothing USING recsys (who, what, at);
SELECT recsys.create_recommender('nothing', '[{"events": "nothing_recsys"}]', segment => 'persona');
SELECT recsys.refresh_recommender('nothing');
SELECT kind, value, items FROM recsys.popularity WHERE recommender = 'nothing' AND value <> 'meanings';
SELECT * FROM recsys.customer_segments('nothing');
INSERT INTO nothing VALUES (1, 1, localtimestamp), (1, 2, localtimestamp), (2, 1, localtimestamp - interval '200 days');
SELECT user_id, segment, persona, recency_days, frequency, r FROM recsys.customer_segments('nothing') ORDER BY 1;

-- whose users count less the longer ago they came
CREATE INDEX recent_recsys ON purchases USING recsys (customer_id, product_id, quantity, purchased_at) WITH (similarity = cosine, popularity = 1, popularity_half_life = '20 days');
SELECT recsys.create_recommender('recent', '[{"events": "recent_recsys"}]', profiles => 'customers', profile_key => 'customer_id', segment => 'country', min_users => 1);
SELECT recsys.refresh_recommender('recent') > 0 AS refreshed;
SELECT count(*) AS lists, count(*) FILTER (WHERE e.items IS DISTINCT FROM p.items) AS different
FROM (SELECT country AS value, array_agg(product_id::text ORDER BY score DESC, product_id) AS items
	  FROM (SELECT country, product_id, sum(coalesce(0.5 ^ (extract(epoch FROM now() - at)::float8 / 1728000), 1)) AS score
			FROM (SELECT customer_id, product_id, max(CASE WHEN isfinite(purchased_at) THEN least(purchased_at, now()) END) AS at FROM purchases
				  WHERE customer_id IS NOT NULL AND product_id IS NOT NULL GROUP BY 1, 2 HAVING sum(coalesce(quantity, 1)) > 0) h
				JOIN customers USING (customer_id) WHERE country IS NOT NULL GROUP BY 1, 2) s GROUP BY 1) e
	FULL JOIN (SELECT * FROM recsys.popularity WHERE recommender = 'recent' AND kind = 'segment1') p USING (value);

/*
 * Who may do what
 */
CREATE ROLE recsys_keeper;
CREATE ROLE recsys_clerk;
GRANT USAGE ON SCHEMA segments TO recsys_keeper, recsys_clerk;
GRANT SELECT ON ALL TABLES IN SCHEMA segments TO recsys_keeper;
GRANT SELECT ON purchases TO recsys_clerk;
SET ROLE recsys_keeper;
SELECT recsys.create_recommender('theirs', '[{"events": "purchases_recsys"}]', profiles => 'customers', profile_key => 'customer_id', segment => 'country');
SELECT recsys.refresh_recommender('theirs') > 0 AS refreshed;
SELECT recsys.refresh_recommender('home');
SELECT * FROM recsys.popularity;
DELETE FROM recsys.popularity;
SET ROLE recsys_clerk;
SELECT recsys.refresh_recommender('theirs');
SELECT count(*) FROM recsys.customer_segments('theirs');
RESET ROLE;
REVOKE SELECT ON customers FROM recsys_keeper;
-- with the owner's rights, whoever calls
SELECT recsys.refresh_recommender('theirs');
GRANT SELECT ON customers TO recsys_keeper;
SELECT recsys.refresh_recommender('theirs') > 0 AS refreshed;
-- code of the owner's runs as the owner, even if a superuser refreshes
GRANT CREATE ON SCHEMA segments TO recsys_keeper;
SET ROLE recsys_keeper;
CREATE FUNCTION whoami() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN current_user; END';
SELECT recsys.create_recommender('hostile', '[{"events": "purchases_recsys"}]', profiles => 'customers', profile_key => 'customer_id', segment => 'segments.whoami()');
RESET ROLE;
SELECT recsys.refresh_recommender('hostile') > 0 AS refreshed;
SELECT DISTINCT value FROM recsys.popularity WHERE recommender = 'hostile' AND kind = 'segment1';
SELECT name, refreshed_at > now() - interval '1 hour' AS lately FROM recsys.recommenders WHERE name IN ('hostile', 'nothing') ORDER BY 1;
CREATE OR REPLACE FUNCTION whoami() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN current_user; END';
SELECT recsys.refresh_recommender('hostile');
SELECT count(*) FROM recsys.customer_segments('hostile');
CREATE OR REPLACE FUNCTION whoami() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RAISE ''nobody''; END';
SELECT recsys.refresh_recommender('hostile');
SELECT count(*) FROM recsys.customer_segments('hostile');
SELECT recsys.drop_recommender('hostile');
-- row-level security counts for who asks
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY germans ON customers FOR SELECT USING (country = 'DE');
GRANT SELECT ON customers TO recsys_clerk;
SET ROLE recsys_clerk;
SELECT segment, count(*) > 0 AS some FROM recsys.customer_segments('theirs') GROUP BY 1 ORDER BY 1;
RESET ROLE;
SELECT recsys.refresh_recommender('there is none');
SELECT * FROM recsys.customer_segments('purchases_recsys');
SELECT recsys.refresh_recommender(NULL);
BEGIN READ ONLY;
SELECT recsys.refresh_recommender('home');
ROLLBACK;
SELECT recsys.drop_recommender('theirs');
SELECT count(*) AS left_behind FROM recsys.popularity WHERE recommender = 'theirs';
SELECT recsys.drop_recommender(name) FROM unnest(ARRAY['home', 'wishes', 'nothing', 'recent']) name;
DROP SCHEMA segments CASCADE;
DROP ROLE recsys_keeper, recsys_clerk;
