/*
 * When items are bought again: recsys.item_rhythm against plain SQL over the table, on random
 * purchases with returns, rows without a time, duplicates, several rows within an hour, and
 * users with more items than count.  After builds of models of every kind, after merges of
 * inserts, updates, deletes and VACUUM, after forgetting, and after REINDEX.  check_index
 * compares the integers behind it.
 */
SET client_min_messages = warning;
CREATE SCHEMA rhythm;
SET search_path = rhythm, public;
CREATE TABLE purchases (user_id bigint, product_id bigint, quantity double precision, at timestamptz);
CREATE FUNCTION buy(n bigint, users integer, items integer) RETURNS void LANGUAGE sql AS $$
	WITH drawn AS MATERIALIZED (
		SELECT floor(users * random()) AS user_id, floor(items * random() ^ 2) AS product_id,
			   (ARRAY[1, 1, 1, 2, 0.1, -1, -0.1, 0, NULL, 'NaN', 'infinity'])[CASE WHEN random() < 0.5 THEN 1 ELSE 1 + floor(11 * random())::integer END]::double precision AS quantity,
			   CASE WHEN random() < 0.1 THEN NULL WHEN random() < 0.01 THEN 'infinity' WHEN random() < 0.01 THEN '-infinity'
			   ELSE '2026-01-01 00:00+00'::timestamptz + floor(random() * 40 * 24 * 60) * interval '1 minute' END AS at,
			   random() AS again
		FROM generate_series(1, n))
	INSERT INTO purchases
	SELECT CASE WHEN again > 0.99 THEN NULL ELSE user_id END, CASE WHEN again < 0.01 THEN NULL ELSE product_id END, quantity, at FROM drawn
	UNION ALL SELECT user_id, product_id, quantity, at FROM drawn WHERE again < 0.1
	UNION ALL SELECT user_id, product_id, 1, at + interval '1 minute' * floor(90 * random()) FROM drawn WHERE again > 0.7;
$$;
-- the same by plain SQL; a user's latest items count, no more than kept of them
CREATE FUNCTION by_table(kept integer, forgotten bigint DEFAULT NULL) RETURNS TABLE (item_id text, users bigint, repeaters bigint, repeat_share double precision,
	gaps bigint, typical_gap interval, spread double precision) LANGUAGE sql AS $$
	WITH rows AS MATERIALIZED (
		SELECT user_id, product_id, coalesce(quantity, 1) AS weight, CASE WHEN isfinite(at) THEN at ELSE '-infinity' END AS at FROM purchases
		WHERE user_id IS NOT NULL AND product_id IS NOT NULL AND user_id IS DISTINCT FROM forgotten),
	sums AS (
		SELECT user_id, product_id, max(at) AS latest,
			   CASE WHEN count(*) = 1 THEN min(weight)
			   ELSE sum(CASE WHEN weight IN ('NaN', 'infinity', '-infinity') THEN 0 ELSE weight END::numeric)::double precision END AS weight
		FROM rows GROUP BY 1, 2),
	pairs AS (
		SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY latest DESC, product_id) AS place
		FROM sums WHERE weight > 0 AND weight < 'infinity'),
	gaps AS (
		SELECT user_id, product_id, at - lag(at) OVER (PARTITION BY user_id, product_id ORDER BY at) AS gap
		FROM rows WHERE weight > 0 AND weight < 'infinity' AND isfinite(at)),
	logs AS (
		SELECT user_id, product_id, round(1024 * ln(extract(epoch FROM gap)::double precision)) AS log FROM gaps WHERE gap >= '1 hour'),
	told AS (
		SELECT product_id, count(*) AS gaps, count(DISTINCT user_id) AS repeaters, sum(log) AS logs, sum(log ^ 2) AS squares
		FROM logs JOIN pairs USING (user_id, product_id) WHERE place <= kept GROUP BY 1)
	SELECT product_id::text, users, coalesce(repeaters, 0), coalesce(repeaters, 0) / users::double precision, coalesce(gaps, 0),
		   justify_hours(unit * round(exp(logs / 1024 / gaps) / extract(epoch FROM unit))),
		   sqrt(CASE WHEN gaps > 0 THEN greatest(squares / 1024 ^ 2 / gaps - (logs / 1024 / gaps) ^ 2, 0) END)
	FROM (SELECT product_id, count(*) AS users FROM pairs WHERE place <= kept GROUP BY 1) u LEFT JOIN told USING (product_id),
		 LATERAL (SELECT CASE WHEN exp(logs / 1024 / gaps) < 2 * 86400 THEN '1 minute' WHEN exp(logs / 1024 / gaps) < 60 * 86400 THEN '1 hour'
				  ELSE '24 hours' END::interval AS unit) o;
$$;
CREATE FUNCTION judge(index regclass, kept integer, forgotten bigint DEFAULT NULL, OUT differences bigint, OUT items bigint, OUT enough boolean) LANGUAGE sql AS $$
	SELECT count(*) FILTER (WHERE (a.item_id, a.users, a.repeaters, a.repeat_share, a.gaps, a.typical_gap) IS DISTINCT FROM
								  (b.item_id, b.users, b.repeaters, b.repeat_share, b.gaps, b.typical_gap)
							OR abs(a.spread - b.spread) > 1e-6 OR (a.spread IS NULL) <> (b.spread IS NULL)),
		   count(*), sum(a.gaps) > count(*)
	FROM recsys.item_rhythm(index) a FULL JOIN by_table(kept, forgotten) b USING (item_id);
$$;

SELECT setseed(0.5);
SELECT buy(6000, 150, 60);
CREATE TABLE models (name text, options text, kept integer);
INSERT INTO models VALUES ('counted', 'min_support = 1', 2000), ('few', 'similarity = jaccard, max_history = 7', 7),
	('popular', 'similarity = popular', 2000), ('damped', 'similarity = rp3beta, user_damping = 0.5', 2000),
	('learned', 'similarity = als, rank = 4', 2000), ('slim', 'similarity = slim', 2000), ('chosen', 'similarity = auto', 2000),
	('session', 'similarity = session', 2000),
	('decaying', 'training_half_life = ''10 days''', 2000);
SELECT format('CREATE INDEX %s ON purchases USING recsys (user_id, product_id, quantity, at) WITH (%s)', name, options) FROM models \gexec
-- without weights a return is a purchase
CREATE INDEX bare ON purchases USING recsys (user_id, product_id, at);
CREATE VIEW judged AS SELECT name, j.*, recsys.check_index(name::regclass)::text AS checked
FROM models, LATERAL judge(name::regclass, kept) j;
SELECT * FROM judged ORDER BY name;
SELECT recsys.check_index('bare');

-- repeated purchases alone, of pairs that the model has already
INSERT INTO purchases SELECT user_id, product_id, 1, at + interval '50 days' FROM purchases WHERE quantity = 1 AND isfinite(at) AND user_id % 5 = 0;
SELECT sum((recsys.merge(name::regclass, exact => true)).inexact) AS inexact FROM models WHERE name IN ('counted', 'few', 'popular', 'damped');
SELECT count(recsys.merge(name::regclass, exact => true)) AS merged FROM models;
SELECT * FROM judged ORDER BY name;

-- changes of every kind, merged bit by bit and at once
SELECT buy(2000, 160, 65);
UPDATE purchases SET at = at + interval '3 hours' WHERE user_id % 11 = 0 AND isfinite(at);
UPDATE purchases SET quantity = -quantity WHERE user_id % 13 = 0;
DELETE FROM purchases WHERE random() < 0.1 OR user_id = 17;
SET recsys.merge_budget = 0;
SELECT count((recsys.merge(name::regclass)).merged) AS merged FROM models;
SELECT count(recsys.check_index(name::regclass)) AS checked FROM models;
RESET recsys.merge_budget;
VACUUM purchases;
SELECT sum((recsys.merge(name::regclass, exact => true)).inexact) AS inexact FROM models WHERE name IN ('counted', 'few', 'popular', 'damped');
SELECT count(recsys.merge(name::regclass, exact => true)) AS merged FROM models;
SELECT * FROM judged ORDER BY name;
SELECT count((recsys.merge('bare', exact => true)).merged), recsys.check_index('bare');

-- an update in place and a rolled back one tell nothing new
BEGIN;
SELECT buy(500, 160, 65);
ROLLBACK;
VACUUM purchases;
SELECT sum((recsys.merge(name::regclass, exact => true)).inexact) AS inexact FROM models WHERE name IN ('counted', 'few', 'popular', 'damped');
SELECT count(recsys.merge(name::regclass, exact => true)) AS merged FROM models;
SELECT name, differences FROM judged WHERE differences > 0;

-- forgetting
SELECT recsys.forget_user('counted', 20) > 0 AS forgotten;
SELECT count((recsys.merge('counted', exact => true)).merged), recsys.check_index('counted');
SELECT * FROM judge('counted', 2000, 20);

-- rebuilt: the same numbers; a merge has changed them bit by bit
CREATE TABLE merged AS SELECT name, r.* FROM models, LATERAL recsys.item_rhythm(name::regclass) r WHERE name <> 'counted';
REINDEX TABLE purchases;
SELECT * FROM judged ORDER BY name;
SELECT count(*) FROM (SELECT name, r.* FROM models, LATERAL recsys.item_rhythm(name::regclass) r WHERE name <> 'counted' EXCEPT TABLE merged) d;

-- one item, looked at
TRUNCATE purchases;
INSERT INTO purchases VALUES (1, 7, 1, '2026-01-01 10:00+00'), (1, 7, 2, '2026-01-01 10:59+00'), (1, 7, 1, '2026-01-11 10:59+00'),
	(2, 7, 1, '2026-01-05 10:00+00'), (2, 7, 1, '2026-02-14 10:00+00'), (2, 7, -1, '2026-03-01 10:00+00'),
	(3, 7, 1, '2026-01-05 10:00+00'), (3, 8, 1, NULL), (3, 8, 1, '2026-01-05 10:00+00'), (4, 9, 1, now()), (4, 9, -1, now());
SELECT count((recsys.merge('counted', exact => true)).merged);
SELECT item_id, users, repeaters, round(repeat_share::numeric, 3) AS repeat_share, gaps, typical_gap, round(spread::numeric, 3) AS spread
FROM recsys.item_rhythm('counted');
DELETE FROM purchases;
VACUUM purchases;
SELECT count((recsys.merge('counted', exact => true)).merged), recsys.check_index('counted');
SELECT * FROM recsys.item_rhythm('counted');
SELECT * FROM recsys.item_rhythm(NULL);

-- a user whose rows are merged on the way, in a build (more than 65,536), and looked at in one piece by a merge
DROP INDEX counted, few, popular, damped, learned, slim, chosen, session, decaying, bare;
INSERT INTO purchases SELECT 1, n % 7, CASE WHEN n % 5 = 0 THEN -0.5 ELSE 0.3 END, '2020-01-01 00:00+00'::timestamptz + (n * 7919 % 400009) * interval '5 minutes'
FROM generate_series(1, 150000) n;
INSERT INTO purchases SELECT n % 20, n % 7, 1, '2020-01-01 00:00+00'::timestamptz + n * interval '1 day' FROM generate_series(1, 200) n;
CREATE INDEX large ON purchases USING recsys (user_id, product_id, quantity, at);
SELECT * FROM judge('large', 2000);
SELECT recsys.check_index('large');
INSERT INTO purchases SELECT 1, n % 7, -0.1, NULL FROM generate_series(1, 200) n;
SELECT count((recsys.merge('large', exact => true)).merged);
SELECT * FROM judge('large', 2000);
SELECT recsys.check_index('large');
DROP INDEX large;

-- keys of other types; dates
CREATE TABLE loans (reader uuid, title text, on_day date);
INSERT INTO loans SELECT md5((n % 40)::text)::uuid, 'title ' || n % 9, '2026-01-01'::date + n / 10 FROM generate_series(1, 900) n;
CREATE INDEX loans_recsys ON loans USING recsys (reader, title, on_day);
SELECT * FROM recsys.item_rhythm('loans_recsys') ORDER BY item_id COLLATE "C" LIMIT 2;
SELECT recsys.check_index('loans_recsys');

-- rights, and what has no rhythm
CREATE ROLE rhythm_reader;
GRANT USAGE ON SCHEMA rhythm TO rhythm_reader;
CREATE INDEX untimed ON loans USING recsys (reader, title);
CREATE TABLE books (title text PRIMARY KEY, genre text);
CREATE INDEX books_items ON books USING recsys_items (title, genre);
SELECT * FROM recsys.item_rhythm('untimed');
SELECT * FROM recsys.item_rhythm('books_items');
SELECT * FROM recsys.item_rhythm('books_pkey');
SELECT * FROM recsys.item_rhythm('loans');
SET ROLE rhythm_reader;
SELECT count(*) FROM recsys.item_rhythm('loans_recsys');
RESET ROLE;
GRANT SELECT ON loans TO rhythm_reader;
SET ROLE rhythm_reader;
SELECT count(*) FROM recsys.item_rhythm('loans_recsys');
RESET ROLE;
ALTER TABLE loans ENABLE ROW LEVEL SECURITY;
SET ROLE rhythm_reader;
SELECT count(*) FROM recsys.item_rhythm('loans_recsys');
RESET ROLE;

DROP SCHEMA rhythm CASCADE;
DROP ROLE rhythm_reader;
