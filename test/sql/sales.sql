-- An index is not in the way of a sale: whatever a row may legally hold, it can be written,
-- and an index can be built over it.
SET client_min_messages = warning;
CREATE SCHEMA sales;
SET search_path = sales, public;
RESET client_min_messages;

-- the README's expressions over integers, at all their ends; each index sees INSERT, COPY, UPDATE and a build
CREATE TABLE lines (order_id int, user_id int, product_id int, quantity int, price int);
CREATE INDEX lines_damped ON lines USING recsys (user_id, product_id, (sign(quantity) * ln(1 + abs(quantity::float8))));
CREATE INDEX lines_bought ON lines USING recsys (user_id, product_id, ln(1 + quantity::float8)) WHERE quantity > 0;
CREATE INDEX lines_revenue ON lines USING recsys (order_id, product_id, (price::float8 * quantity));
INSERT INTO lines VALUES (1, 42, 7, -1, 100), (1, 42, 8, 0, 0), (1, 42, 9, NULL, NULL), (2, 42, 10, 2147483647, 2147483647),
	(2, 42, 11, -2147483648, -2147483648), (3, NULL, 7, 1, 1), (3, 42, NULL, 1, 1), (NULL, NULL, NULL, NULL, NULL);
COPY lines FROM stdin;
4	2147483647	-2147483648	-1	1
4	-2147483648	2147483647	-2147483648	-1
\.
UPDATE lines SET quantity = -5 WHERE product_id = 7;
UPDATE lines SET quantity = 3, price = 2147483647;
UPDATE lines SET quantity = -quantity;
REINDEX TABLE lines;
SELECT recsys.check_index('lines_damped'), recsys.check_index('lines_bought'), recsys.check_index('lines_revenue');

-- a return takes its purchase back: what is left is no evidence, but still seen
TRUNCATE lines;
INSERT INTO lines SELECT u, u, p, 1 + u % 3, 1 FROM generate_series(1, 9) u, generate_series(1, 4) p;
INSERT INTO lines VALUES (100, 42, 1, 3, 1), (101, 42, 1, -3, 1), (102, 42, 2, 2, 1);
SELECT recomputed > 0 AS merged FROM recsys.merge('lines_damped', true);
SELECT item_id, source FROM recommend(42, 2, 'lines_damped') ORDER BY item_id;
SELECT because_item_id FROM explain_recommendation(42, 3, 'lines_damped');

-- weights of every type, not a number, infinite, too large and too small for what is kept
CREATE TABLE ratings (user_id bigint, item_id bigint, f4 float4, f8 float8, n numeric, i8 bigint);
CREATE INDEX ratings_f4 ON ratings USING recsys (user_id, item_id, f4);
CREATE INDEX ratings_f8 ON ratings USING recsys (user_id, item_id, f8);
CREATE INDEX ratings_n ON ratings USING recsys (user_id, item_id, n);
CREATE INDEX ratings_i8 ON ratings USING recsys (user_id, item_id, i8);
CREATE TABLE odd (f4 float4, f8 float8, n numeric, i8 bigint);
INSERT INTO odd VALUES ('NaN', 'NaN', 'NaN', -9223372036854775808), ('inf', 'inf', 'inf', 9223372036854775807), ('-inf', '-inf', '-inf', 0),
	(3.4e38, 1.7e308, 1e4000, 1), (-3.4e38, -1.7e308, -1e4000, -1), (1e-45, 5e-324, 1e-4000, 1), ('-0', '-0', 0, 0), (NULL, NULL, NULL, NULL);
INSERT INTO ratings SELECT u, (u + i) % 11, odd.* FROM generate_series(1, 6) u, generate_series(1, 5) i, odd;
UPDATE ratings SET item_id = item_id + 1;
SELECT recsys.merge('ratings_f4', true) IS NOT NULL AND recsys.merge('ratings_f8', true) IS NOT NULL AND
	   recsys.merge('ratings_n', true) IS NOT NULL AND recsys.merge('ratings_i8', true) IS NOT NULL AS merged;
REINDEX TABLE ratings;
SELECT recsys.check_index('ratings_f4'), recsys.check_index('ratings_f8'), recsys.check_index('ratings_n'), recsys.check_index('ratings_i8');
SELECT (SELECT count(*) FROM recommend(1, 5, 'ratings_f4')) + (SELECT count(*) FROM recommend(1, 5, 'ratings_f8')) +
	   (SELECT count(*) FROM recommend(1, 5, 'ratings_n')) + (SELECT count(*) FROM recommend(1, 5, 'ratings_i8')) AS recommended;

-- times at and beyond all ends
CREATE TABLE events (user_id int, item_id int, d date, t timestamp, tz timestamptz);
CREATE INDEX events_d ON events USING recsys (user_id, item_id, d) WITH (half_life = '30 days');
CREATE INDEX events_t ON events USING recsys (user_id, item_id, t) WITH (half_life = '30 days');
CREATE INDEX events_tz ON events USING recsys (user_id, item_id, tz) WITH (half_life = '30 days');
CREATE TABLE times (d date, t timestamp, tz timestamptz);
INSERT INTO times VALUES ('4714-11-24 BC', '4714-11-24 00:00:00 BC', '4714-11-24 00:00:00+00 BC'), ('5874897-12-31', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00'),
	('infinity', 'infinity', 'infinity'), ('-infinity', '-infinity', '-infinity'), (NULL, NULL, NULL), ('2000-01-01', '2000-01-01', '2000-01-01 00:00:00+00');
INSERT INTO events SELECT u, (u * i) % 7, times.* FROM generate_series(1, 6) u, generate_series(1, 4) i, times;
UPDATE events SET item_id = item_id + 1;
SELECT recsys.merge('events_d', true) IS NOT NULL AND recsys.merge('events_t', true) IS NOT NULL AND recsys.merge('events_tz', true) IS NOT NULL AS merged;
REINDEX TABLE events;
SELECT recsys.check_index('events_d'), recsys.check_index('events_t'), recsys.check_index('events_tz');
SELECT (SELECT count(*) FROM recommend(1, 3, 'events_d')) + (SELECT count(*) FROM recommend(1, 3, 'events_t')) +
	   (SELECT count(*) FROM recommend(1, 3, 'events_tz')) AS recommended;

-- keys: empty ones, the longest, and one that is too long, which is refused as a B-tree refuses it a little later
CREATE TABLE pages (visitor text, url text);
CREATE INDEX pages_recsys ON pages USING recsys (visitor, url);
INSERT INTO pages VALUES ('', ''), (repeat('x', 1024), repeat('y', 1024)), (' ', E'\n');
SELECT recsys.check_index('pages_recsys');
INSERT INTO pages VALUES ('v', repeat('x', 1025));
COPY pages (url) FROM PROGRAM 'printf "%01025d\n" 1';
UPDATE pages SET url = repeat('x', 1025) WHERE visitor = '';
DROP INDEX pages_recsys;
INSERT INTO pages VALUES ('v', repeat('x', 1025));
CREATE INDEX pages_recsys ON pages USING recsys (visitor, url);

-- what the hint says takes any length
CREATE INDEX pages_recsys ON pages USING recsys (visitor, (md5(url)::uuid));
DELETE FROM pages WHERE length(visitor) > 100;
INSERT INTO pages SELECT 'v', string_agg(md5(i::text), '') FROM generate_series(1, 10000) i;
SELECT recsys.check_index('pages_recsys');

SET client_min_messages = warning;
DROP SCHEMA sales CASCADE;
