--
-- Lists that every shop has: recently viewed, trending
--
CREATE SCHEMA ready;
SET search_path = ready, public;
SET timezone = 'UTC';

CREATE TABLE views (user_id int, product_id int, n int, viewed_at timestamptz);
INSERT INTO views VALUES
	(1, 10, 1, '2026-01-01 10:00'), (1, 11, 1, '2026-01-02 10:00'), (1, 12, 1, '2026-01-03 10:00'),
	(1, 10, 1, '2026-01-04 10:00'), (1, 13, 1, '2026-01-03 09:00'), (1, 13, -1, '2026-01-05 09:00'),
	(1, 14, 1, NULL), (1, NULL, 1, '2026-01-06 10:00'), (2, 10, 1, '2026-01-01 10:00');
CREATE INDEX views_recsys ON views USING recsys (user_id, product_id, n, viewed_at);
SELECT * FROM recently_viewed(1, 10, 'views_recsys');
SELECT * FROM recently_viewed(1, 2, 'views_recsys', NULL::text);
SELECT * FROM recently_viewed(1, 2, 'views_recsys', NULL::int);
SELECT * FROM recently_viewed('2', '3', 'views_recsys');
SELECT * FROM recently_viewed(NULL::int, 3, 'views_recsys');
SELECT * FROM recently_viewed(99, 3, 'views_recsys');
SELECT * FROM recently_viewed(1, 0, 'views_recsys');
SELECT * FROM recently_viewed(1, -1, 'views_recsys');
-- a row of this transaction is the latest
BEGIN;
INSERT INTO views VALUES (1, 11, 1, '2026-02-01');
SELECT * FROM recently_viewed(1, 1, 'views_recsys');
ROLLBACK;
-- keys of other types; no times
CREATE TABLE searches (visitor uuid, term text, at timestamp);
INSERT INTO searches VALUES ('00000000-0000-0000-0000-000000000001', 'lamp', '2026-01-01'), ('00000000-0000-0000-0000-000000000001', 'oak', '2026-01-02');
CREATE INDEX searches_recsys ON searches USING recsys (visitor, term, at);
SELECT * FROM recently_viewed('00000000-0000-0000-0000-000000000001', 5, 'searches_recsys', NULL::text);
SELECT * FROM recently_viewed('00000000-0000-0000-0000-000000000001'::uuid, 5, 'searches_recsys', NULL::text);
CREATE INDEX untimed_recsys ON searches USING recsys (visitor, term);
SELECT * FROM recently_viewed('00000000-0000-0000-0000-000000000001'::uuid, 5, 'untimed_recsys', NULL::text);
SELECT * FROM trending_items(5, 'untimed_recsys', NULL::text);

-- trending: what the formula says, on random data
CREATE TABLE sales (user_id int, product_id int, quantity int, sold_at timestamptz);
INSERT INTO sales
SELECT u, CASE WHEN x % 5 = 0 AND h % 2400 < 100 THEN 7 + x % 3 ELSE 1 + (h % 30) * (h / 30 % 30) / 30 END, CASE WHEN h % 29 = 0 THEN -1 ELSE 1 END,
	CASE WHEN h % 97 = 0 THEN NULL ELSE timestamptz '2026-06-01' - make_interval(hours => h % 2400) END
FROM generate_series(1, 400) u, generate_series(1, 20) x, LATERAL (SELECT abs(hashint4(u * 100 + x)) % 100000 AS h) r;
CREATE INDEX sales_recsys ON sales USING recsys (user_id, product_id, quantity, sold_at);
CREATE FUNCTION reference(size interval, fewest int DEFAULT 3, of int[] DEFAULT NULL) RETURNS TABLE (product_id int, users bigint, expected float8, score float8) LANGUAGE sql AS $$
	WITH latest AS (SELECT max(sold_at) AS at FROM sales WHERE quantity > 0),
	kept AS (SELECT s.user_id, s.product_id FROM sales s WHERE of IS NULL OR s.user_id = ANY (of) GROUP BY 1, 2 HAVING sum(quantity) > 0),
	rows AS (SELECT DISTINCT s.user_id, s.product_id, floor(extract(epoch FROM at - sold_at) / extract(epoch FROM size)) AS age
		FROM sales s JOIN kept USING (user_id, product_id), latest WHERE quantity > 0 AND sold_at IS NOT NULL),
	counts AS (SELECT r.product_id, count(*) FILTER (WHERE age = 0) AS lately, count(*) FILTER (WHERE age BETWEEN 1 AND 12) AS base
		FROM rows r WHERE age <= 12 GROUP BY 1),
	totals AS (SELECT count(*) AS items, sum(lately) AS lately, sum(base) AS base FROM counts),
	scored AS (SELECT c.product_id, c.lately, t.lately * (c.base + 1) / (t.base + t.items) AS expected FROM counts c, totals t)
	SELECT s.product_id, lately, s.expected, sqrt(lately) + sqrt(lately + 1) - sqrt(4 * s.expected + 1)
	FROM scored s WHERE lately >= fewest AND sqrt(lately) + sqrt(lately + 1) - sqrt(4 * s.expected + 1) >= 3
$$;
SELECT item_id, users, round(expected::numeric, 3) AS expected, round(score::numeric, 3) AS score, rank FROM trending_items(5, 'sales_recsys', '4 days');
SELECT w.size, count(*) AS items, count(*) FILTER (WHERE r.users = t.users AND abs(r.expected - t.expected) < 1e-9 AND abs(r.score - t.score) < 1e-9) AS equal
FROM (VALUES (interval '4 days'), ('1 day'), ('9 hours'), ('12 hours'), ('2 days'), ('2 months')) w (size), LATERAL reference(w.size) r
FULL JOIN LATERAL trending_items(1000, 'sales_recsys', w.size) t ON t.item_id = r.product_id GROUP BY 1 ORDER BY 1;
SELECT item, pg_typeof(item), users, rank FROM trending_items(1, 'sales_recsys', NULL::int, '4 days') AS t (item, users, expected, score, rank);
SELECT item_id FROM trending_items('1', 'sales_recsys', '4 days');
SELECT item_id FROM trending_items(0, 'sales_recsys');
SELECT item_id FROM trending_items(1, 'sales_recsys', '-1 day');
SELECT item_id FROM trending_items(1, 'sales_recsys', '1 day', 'north');

-- by a declared recommender: what may be shown, and segments
CREATE TABLE goods (product_id int PRIMARY KEY, shown boolean);
INSERT INTO goods SELECT g, g <> 7 FROM generate_series(1, 40) g;
CREATE TABLE people (user_id int PRIMARY KEY, region text);
INSERT INTO people SELECT u, CASE WHEN u % 3 = 0 THEN 'north' WHEN u = 1 THEN 'one' ELSE 'south' END FROM generate_series(1, 400) u;
SELECT recsys.create_recommender('ready', signals => '[{"events": "sales_recsys"}]', items => 'goods', item_key => 'product_id', item_filter => 'shown', profiles => 'people', profile_key => 'user_id', segment => 'region');
SELECT item_id FROM trending_items(5, 'ready', '4 days');
SELECT recsys.alter_recommender('ready', reset => '{item_filter}');
SELECT t.item_id, t.users, t.users = r.users AND abs(t.score - r.score) < 1e-5 AS equal
FROM trending_items(5, 'ready', '4 days', 'north') t LEFT JOIN reference('4 days', 5, ARRAY(SELECT user_id FROM people WHERE region = 'north')) r ON r.product_id = t.item_id::int;
SELECT * FROM trending_items(5, 'ready', '4 days', 'one');
SELECT * FROM trending_items(5, 'ready', '4 days', 'unknown');
SELECT count(*), bool_and(last_at = wanted) FROM recently_viewed(5, 100, 'ready') v
JOIN (SELECT product_id, max(sold_at) AS wanted FROM sales WHERE user_id = 5 AND quantity > 0 GROUP BY 1) s ON s.product_id = v.item_id;

-- of products offered several times, what may be shown, at its place in time
UPDATE goods SET shown = product_id % 2 = 0;
ALTER TABLE goods ADD family int;
UPDATE goods SET family = (product_id + 1) / 2;
SELECT recsys.alter_recommender('ready', group_by => 'family', item_filter => 'shown');
SELECT count(*) > 0 AS some, count(*) FILTER (WHERE item_id % 2 = 1) AS hidden, count(*) - count(DISTINCT item_id) AS twice, bool_and(last_at <= before OR before IS NULL) AS descending
FROM (SELECT *, lag(last_at) OVER (ORDER BY rank) AS before FROM recently_viewed(5, 100, 'ready')) v;
SELECT count(*) FILTER (WHERE item_id % 2 = 1) AS hidden, count(*) - count(DISTINCT item_id) AS twice FROM trending_items(100, 'ready', interval '4 days');
SELECT recsys.alter_recommender('ready', reset => '{group_by, item_filter}');
-- who is excluded does not count, in no segment and without one
ALTER TABLE people ADD fake boolean;
UPDATE people SET fake = user_id % 2 = 0;
SELECT recsys.alter_recommender('ready', exclude_users => 'fake');
SELECT count(*) > 0 AS some, count(*) - count(*) FILTER (WHERE t.users = r.users AND abs(t.expected - r.expected) < 1e-9 AND abs(t.score - r.score) < 1e-5) AS different
FROM trending_items(100, 'ready', interval '4 days') t FULL JOIN reference('4 days', 3, ARRAY(SELECT user_id FROM people WHERE NOT fake)) r ON r.product_id = t.item_id;
SELECT count(*) > 0 AS some, count(*) - count(*) FILTER (WHERE t.users = r.users AND abs(t.expected - r.expected) < 1e-9 AND abs(t.score - r.score) < 1e-5) AS different
FROM trending_items(100, 'ready', interval '4 days', 'south') t FULL JOIN reference('4 days', 5, ARRAY(SELECT user_id FROM people WHERE NOT fake AND region = 'south')) r ON r.product_id = t.item_id;
SELECT recsys.alter_recommender('ready', reset => '{exclude_users}');
-- what was returned is gone, to the last digit; amounts that are none, times that are no times
CREATE TABLE amounts (user_id int, product_id int, amount float8, taken_at timestamptz);
INSERT INTO amounts SELECT u, p, 1, timestamptz '2024-01-01' + make_interval(days => u) FROM generate_series(1, 100) u, generate_series(1, 9) p WHERE p < 7;
INSERT INTO amounts SELECT u, 7, a, timestamptz '2024-04-10' FROM generate_series(1, 30) u, unnest(ARRAY[0.1, 0.2, -0.3]) a;
INSERT INTO amounts SELECT u, 8, a, timestamptz '2024-04-10' FROM generate_series(1, 30) u, unnest(ARRAY['NaN', 'Infinity']::float8[]) a;
INSERT INTO amounts SELECT u, 9, 1, t FROM generate_series(1, 30) u, unnest(ARRAY['infinity', '-infinity', NULL, now() + interval '1 year']::timestamptz[]) t;
CREATE INDEX amounts_recsys ON amounts USING recsys (user_id, product_id, amount, taken_at) WITH (similarity = cosine);
SELECT * FROM trending_items(10, 'amounts_recsys');
INSERT INTO amounts SELECT u, 7, 0.1, timestamptz '2024-04-10' FROM generate_series(1, 20) u;
SELECT item_id, users FROM trending_items(10, 'amounts_recsys');
DROP INDEX amounts_recsys;
-- the first signal tells; it has to have times
CREATE INDEX timeless_recsys ON sales USING recsys (user_id, product_id) WITH (similarity = cosine);
SELECT recsys.create_recommender('timeless', signals => '[{"events": "timeless_recsys"}, {"events": "sales_recsys"}]');
SELECT * FROM recently_viewed(5, 3, 'timeless');
SELECT * FROM trending_items(3, 'timeless');
SELECT recsys.drop_recommender('timeless');

-- rows that a policy hides
ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
CREATE ROLE ready_guest;
GRANT USAGE ON SCHEMA ready TO ready_guest;
GRANT SELECT ON sales, goods TO ready_guest;
SET ROLE ready_guest;
SELECT * FROM recently_viewed(5, 3, 'sales_recsys');
SELECT * FROM trending_items(3, 'sales_recsys');
SELECT * FROM trending_items(3, 'ready');
RESET ROLE;
ALTER TABLE sales DISABLE ROW LEVEL SECURITY;
DROP OWNED BY ready_guest;
DROP ROLE ready_guest;

-- others need the rights to read what is asked
CREATE ROLE ready_stranger;
GRANT USAGE ON SCHEMA ready TO ready_stranger;
SET ROLE ready_stranger;
SELECT * FROM recently_viewed(1, 1, 'views_recsys');
SELECT * FROM trending_items(1, 'sales_recsys');
SELECT * FROM recently_viewed(1, 1, 'ready');
RESET ROLE;
GRANT SELECT ON sales, goods TO ready_stranger;
SET ROLE ready_stranger;
SELECT count(*) > 0 FROM trending_items(1, 'ready', '4 days');
SELECT * FROM trending_items(1, 'ready', '4 days', 'north');
RESET ROLE;
SELECT recsys.drop_recommender('ready');
SET client_min_messages = warning;
DROP INDEX views_recsys, searches_recsys, untimed_recsys, sales_recsys, timeless_recsys;
DROP SCHEMA ready CASCADE;
DROP ROLE ready_stranger;
