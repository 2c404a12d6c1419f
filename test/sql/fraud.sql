-- Two hundred fake users push one item: each has bought it with the twenty most popular ones.
-- What exclude_users changes, before and after a refresh.
SET client_min_messages = warning;
CREATE SCHEMA fraud;
SET search_path = fraud, public;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, is_fraud boolean);
INSERT INTO customers SELECT c, c > 1000 FROM generate_series(1, 1200) c;
CREATE TABLE products (product_id bigint PRIMARY KEY, category text);
INSERT INTO products SELECT p, 'c' || p % 7 FROM generate_series(1, 100) p;
INSERT INTO products VALUES (999, 'c1');
CREATE TABLE purchases (customer_id bigint, product_id bigint, fake boolean);
-- tastes: five kinds of users, each with products of its own, and all with the popular ones
INSERT INTO purchases SELECT DISTINCT 1 + abs(hashint4(n)) % 1000, CASE WHEN n % 3 > 0 THEN 1 + (abs(hashint4(n * 3 + 1)) % 30) * (abs(hashint4(n + 70000)) % 30) / 30
	ELSE 31 + 14 * (abs(hashint4(n)) % 1000 % 5) + (abs(hashint4(n + 5)) % 14) END, false FROM generate_series(1, 9000) n;
INSERT INTO purchases SELECT customer_id, 999, false FROM customers WHERE customer_id IN (5, 10, 15, 20);
CREATE TABLE pushed AS SELECT product_id FROM purchases GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 20;
INSERT INTO purchases SELECT customer_id, product_id, true FROM customers, (SELECT * FROM pushed UNION ALL SELECT 999) p WHERE is_fraud;
CREATE INDEX all_recsys ON purchases USING recsys (customer_id, product_id) WITH (similarity = cosine, neighbors = 40);
-- as if there had never been any of them
CREATE INDEX honest_recsys ON purchases USING recsys (customer_id, product_id) WITH (similarity = cosine, neighbors = 40) WHERE NOT fake;
SELECT recsys.create_recommender('naive', '[{"events": "all_recsys"}]', items => 'products', item_key => 'product_id', category => 'category');
SELECT recsys.create_recommender('careful', '[{"events": "all_recsys"}]', items => 'products', item_key => 'product_id', category => 'category',
	profiles => 'customers', profile_key => 'customer_id', exclude_users => 'is_fraud');
SELECT recsys.create_recommender('honest', '[{"events": "honest_recsys"}]', items => 'products', item_key => 'product_id', category => 'category');

CREATE FUNCTION lists(name text, k int) RETURNS TABLE (customer_id bigint, item_id bigint, rank int) LANGUAGE sql AS $$
SELECT c, item_id, rank FROM generate_series(1, 1000, 5) c, LATERAL recommend(c::bigint, k, name)
$$;
-- on how many of 200 honest users' lists of ten the pushed item stands
CREATE FUNCTION pushed_lists(name text) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM lists(name, 10) WHERE item_id = 999';
SELECT pushed_lists('naive') > 100 AS naive, pushed_lists('careful') > 100 AS careful_before, pushed_lists('honest') < 5 AS honest;
SELECT recsys.refresh_recommender('careful') > 0 AS refreshed;
SELECT pushed_lists('naive') > 100 AS naive, pushed_lists('careful') < 5 AS careful_after;
-- the lists are nearly those of a world without them
SELECT name, avg(common) > 9.5 AS alike
FROM (SELECT name, c.customer_id, count(h.item_id) AS common FROM unnest(ARRAY['naive', 'careful']) name, LATERAL lists(name, 10) c
	LEFT JOIN lists('honest', 10) h USING (customer_id, item_id) GROUP BY 1, 2) s GROUP BY 1 ORDER BY 1;

-- similarities of the graph, multiplied by the shares, are those of a count without the fake users
CREATE VIEW shares AS
SELECT p.item, s.similar_item, s.share FROM recsys.excluded_pairs p, LATERAL unnest(similar_items, shares) s (similar_item, share) WHERE recommender = 'careful' AND graph = 'fraud.all_recsys';
CREATE VIEW corrected AS
SELECT g.item_id, g.similar_item_id, g.score * coalesce(share, 1) AS score FROM item_similarity('all_recsys') g LEFT JOIN shares ON item = item_id::text AND similar_item = similar_item_id::text;
CREATE TABLE honest AS SELECT DISTINCT customer_id, product_id FROM purchases WHERE NOT fake;
CREATE TABLE honest_users AS SELECT product_id, count(*) AS n FROM honest GROUP BY 1;
SELECT count(*) > 1000 AS some, count(*) FILTER (WHERE abs(c.score - coalesce(e.score, 0)) > 0.01 * coalesce(e.score, 0)) AS different, (SELECT count(*) > 100 FROM shares) AS corrected
FROM corrected c LEFT JOIN (SELECT a.product_id AS item_id, b.product_id AS similar_item_id, count(*) / sqrt(i.n * j.n) AS score
	FROM honest a JOIN honest b USING (customer_id) JOIN honest_users i ON i.product_id = a.product_id JOIN honest_users j ON j.product_id = b.product_id GROUP BY 1, 2, i.n, j.n HAVING count(*) >= 2) e USING (item_id, similar_item_id);
SELECT count(*) AS items, count(*) FILTER (WHERE abs(item_share - n::float8 / (n + 200)) > 1e-6) AS different
FROM (SELECT item::bigint AS product_id, item_share FROM recsys.excluded_pairs WHERE recommender = 'careful' AND graph = 'fraud.all_recsys' AND item_share < 1) p LEFT JOIN honest_users USING (product_id);
-- scores are the sums of similarities without them
CREATE TABLE corrected_table AS SELECT * FROM corrected;
SELECT count(*) > 1000 AS some, count(*) FILTER (WHERE abs(coalesce(e.score, 0) - coalesce(r.score, 0)) > 1e-5) AS different
FROM (SELECT c AS customer_id, similar_item_id AS item_id, sum(score) AS score FROM generate_series(1, 300, 9) c JOIN purchases p ON customer_id = c JOIN corrected_table ON item_id = product_id
	  WHERE NOT EXISTS (SELECT FROM purchases h WHERE h.customer_id = c AND h.product_id = similar_item_id) GROUP BY 1, 2 HAVING sum(score) > 0) e
	FULL JOIN (SELECT c AS customer_id, r.item_id, r.score FROM generate_series(1, 300, 9) c, LATERAL recommend(c::bigint, 500, 'careful') r WHERE source = 'history') r USING (customer_id, item_id);
-- reasons and audiences agree with them
SELECT count(*) AS explained, count(*) FILTER (WHERE abs(r.score - (SELECT sum(contribution) FROM explain_recommendation(c::bigint, r.item_id, 'careful'))) > 1e-5) AS different
FROM generate_series(1, 200, 10) c, LATERAL recommend(c::bigint, 5, 'careful') r WHERE source = 'history';
SELECT count(*) > 100 AS some, count(*) FILTER (WHERE abs(a.score - r.score) > 1e-5) AS different
FROM recsys.audience('careful', '2', NULL) a, LATERAL (SELECT * FROM recommend(a.user_id::bigint, 500, 'careful') x WHERE item_id = 2) r WHERE a.user_id::bigint % 5 = 0;
SELECT count(*) AS fakes FROM recsys.audience('careful', '50', NULL) WHERE user_id::bigint > 1000;
-- similar items of a popular one
SELECT (SELECT count(*) FROM similar_items(1::bigint, 10, 'naive') WHERE item_id = 999) AS naive, (SELECT count(*) FROM similar_items(1::bigint, 10, 'careful') WHERE item_id = 999) AS careful;

-- they get no personal lists, and do not count among what is popular
SELECT count(DISTINCT list) AS lists FROM (SELECT c, array_agg(item_id ORDER BY rank) AS list FROM generate_series(1001, 1005) c, LATERAL recommend(c::bigint, 10, 'careful') GROUP BY 1) s;
SELECT name, count(*) FILTER (WHERE item_id = 999) AS pushed FROM unnest(ARRAY['naive', 'careful']) name, LATERAL recommend(123456::bigint, 30, name) GROUP BY 1 ORDER BY 1;
-- nor where popularity is part of the scores
CREATE INDEX prior_recsys ON purchases USING recsys (customer_id, product_id) WITH (similarity = cosine, neighbors = 40, popularity = 1);
SELECT recsys.create_recommender(name, '[{"events": "prior_recsys"}]', profiles => 'customers', profile_key => 'customer_id', exclude_users => condition)
FROM (VALUES ('naive_prior', 'false'), ('careful_prior', 'is_fraud')) v (name, condition);
SELECT recsys.refresh_recommender(name) > 0 AS refreshed FROM unnest(ARRAY['naive_prior', 'careful_prior']) name;
SELECT name, bool_or(item_id = 999) AS pushed FROM unnest(ARRAY['naive_prior', 'careful_prior']) name, LATERAL recommend(123456::bigint, 30, name) GROUP BY 1 ORDER BY 1;

-- what is kept in the session follows refreshes, rebuilds and changes of mind
UPDATE customers SET is_fraud = false;
SELECT pushed_lists('careful') < 5 AS still;
SELECT recsys.refresh_recommender('careful') > 0 AS refreshed;
SELECT pushed_lists('careful') > 100 AS pushed_again, (SELECT count(*) FROM recsys.excluded_pairs WHERE recommender = 'careful') AS pairs;
UPDATE customers SET is_fraud = customer_id > 1000;
BEGIN;
SELECT recsys.refresh_recommender('careful') > 0 AS refreshed;
SELECT pushed_lists('careful') < 5 AS within;
ROLLBACK;
SELECT pushed_lists('careful') > 100 AS rolled_back;
SELECT recsys.refresh_recommender('careful') > 0 AS refreshed;
REINDEX INDEX all_recsys;
SELECT pushed_lists('careful') < 5 AS rebuilt;
-- and a new name keeps it
SELECT recsys.alter_recommender('careful', new_name => 'renamed');
SELECT pushed_lists('renamed') < 5 AS renamed;
SELECT recsys.alter_recommender('renamed', new_name => 'careful');
-- without memory for all of them
UPDATE customers SET is_fraud = true;
SET maintenance_work_mem = '1MB';
SET client_min_messages = notice;
SELECT recsys.refresh_recommender('careful') >= 0 AS refreshed;
DROP INDEX honest_recsys, prior_recsys;
INSERT INTO purchases SELECT c, p, true FROM generate_series(1, 1200) c, generate_series(2001, 2110) p;
SELECT recsys.refresh_recommender('careful') >= 0 AS refreshed;
RESET maintenance_work_mem;
SET client_min_messages = warning;
SELECT count(recsys.drop_recommender(name)) > 0 AS dropped FROM recsys.recommender WHERE definition ->> 'signals' LIKE '%fraud.%';
SELECT count(*) AS left_behind FROM recsys.excluded_pairs;
DROP SCHEMA fraud CASCADE;
