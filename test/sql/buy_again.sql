-- buy_again: what comes up and what does not, how often and when last against plain SQL, and
-- the same answers by an index, by a declared recommender of nothing else, and by all key types.
SET client_min_messages = warning;
CREATE SCHEMA buy_again;
SET search_path = buy_again, public;
SET timezone = 'UTC';

/*
 * A grocer's: milk (1) once a week, bread (2) every three days, coffee (3) once a month; and a
 * television (4), a ladder (5) that everybody has one of.  What else there is (10 to 29) is bought
 * now and then.
 */
CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, bought_at timestamptz);
INSERT INTO purchases
SELECT u, p, 1, '2024-06-01 10:00'::timestamptz - u % 5 * interval '1 hour' - n * gap - u % 3 * interval '1 day'
FROM generate_series(1, 90) u,
	(VALUES (1, interval '7 days', 12), (2, interval '3 days', 25), (3, interval '30 days', 5)) r (p, gap, times), generate_series(0, times) n
WHERE (u + p) % 3 > 0;
INSERT INTO purchases SELECT u, 4 + u % 2, 1, '2024-05-20'::timestamptz - u * interval '2 days' FROM generate_series(1, 90) u;
INSERT INTO purchases
SELECT u, 10 + (u * 7 + n * n) % 20, 1 + n % 2, '2024-06-01 10:00'::timestamptz - u % 5 * interval '1 hour' - n * interval '12 days' - interval '3 days'
FROM generate_series(1, 90) u, generate_series(0, 8) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, bought_at);

SELECT item_id, times, last_bought_at, due_at > last_bought_at AS due_later, score > 0 AND score <= 1 AS is_probability, rank
FROM buy_again(7, 10, 'purchases_recsys', at => '2024-06-03');
SELECT string_agg(item_id::text, ',' ORDER BY rank) FROM buy_again(9, 3, 'purchases_recsys', at => '2024-06-03');

/*
 * For all users: occasions, the last of them, and nothing that they have not.  What follows within
 * an hour is one visit to the shop, whatever its items.
 */
CREATE VIEW occasions AS
SELECT user_id, product_id, bought_at, dense_rank() OVER (PARTITION BY user_id, product_id ORDER BY visit) AS occasion
FROM (SELECT *, count(*) FILTER (WHERE later) OVER (PARTITION BY user_id ORDER BY bought_at) AS visit
	  FROM (SELECT *, bought_at >= lag(bought_at) OVER (PARTITION BY user_id ORDER BY bought_at) + interval '1 hour' AS later
			FROM purchases WHERE quantity > 0) s) v;
CREATE VIEW expected AS
SELECT user_id, product_id, max(occasion) AS times, max(bought_at) AS last_bought_at FROM occasions
WHERE bought_at <= '2024-06-03' AND (user_id, product_id) IN
	(SELECT user_id, product_id FROM purchases WHERE bought_at <= '2024-06-03' GROUP BY 1, 2 HAVING sum(quantity) > 0)
GROUP BY 1, 2;
CREATE VIEW lists AS
SELECT u AS user_id, r.* FROM generate_series(0, 91) u, buy_again(u, NULL, 'purchases_recsys', at => '2024-06-03') r;
CREATE FUNCTION check_lists(OUT wrong bigint, OUT televisions bigint, OUT unordered bigint, OUT lists text) LANGUAGE sql AS $$
	SELECT count(*) FILTER (WHERE e IS NULL OR (l.times, l.last_bought_at) IS DISTINCT FROM (e.times, e.last_bought_at)),
		count(*) FILTER (WHERE item_id IN (4, 5)),
		count(*) FILTER (WHERE score > before OR rank <> before_rank + 1),
		count(DISTINCT l.user_id) || ' users have ' || CASE WHEN count(*) > 200 THEN 'many' ELSE 'few' END
	FROM (SELECT *, lag(score, 1, 1.0::real) OVER w AS before, lag(rank, 1, 0) OVER w AS before_rank FROM lists WINDOW w AS (PARTITION BY user_id ORDER BY rank)) l
	LEFT JOIN expected e ON e.user_id = l.user_id AND e.product_id = l.item_id
$$;
SELECT * FROM check_lists();

-- inserted rows count at once; so they do when they have been merged, and after a build
INSERT INTO purchases SELECT u, 20 + n % 5, 1, '2024-06-02'::timestamptz - n * interval '50 minutes' FROM generate_series(1, 30, 4) u, generate_series(0, 9) n;
SELECT * FROM check_lists();
SELECT count(*) FROM recsys.merge('purchases_recsys');
SELECT * FROM check_lists();
REINDEX INDEX purchases_recsys;
SELECT * FROM check_lists();

-- all the same without types, by other types of keys and times, by a declared recommender, in a context
CREATE FUNCTION differences(a text, b text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) d', a, b) INTO result;
	RETURN result;
END
$$;
CREATE TABLE texts AS SELECT 'u' || lpad(user_id::text, 2, '0') AS user_id, lpad(product_id::text, 2, '0') AS product_id, quantity, bought_at::timestamp AS bought_at FROM purchases;
CREATE INDEX texts_recsys ON texts USING recsys (user_id, product_id, quantity, bought_at);
CREATE TABLE uuids AS SELECT lpad(user_id::text, 32, '0')::uuid AS user_id, lpad(product_id::text, 32, '0')::uuid AS product_id, quantity::numeric, bought_at FROM purchases;
CREATE INDEX uuids_recsys ON uuids USING recsys (user_id, product_id, (quantity::float8), bought_at);
SELECT recsys.create_recommender('plain', '[{"events": "purchases_recsys"}]');
SELECT ways, differences('SELECT u, r.* FROM generate_series(0, 91) u, buy_again(u, NULL, ''purchases_recsys'', at => ''2024-06-03'') r', ways)
FROM unnest(ARRAY[
	'SELECT u, r.* FROM generate_series(0, 91) u, buy_again(u, NULL, ''plain'', at => ''2024-06-03'') r',
	'SELECT u, r.* FROM generate_series(0, 91) u, buy_again(u, NULL, ''purchases_recsys'', at => ''2024-06-03'', context => ''{}'') r',
	'SELECT u, r.* FROM generate_series(0, 91) u, buy_again(u, NULL, ''purchases_recsys'', NULL::bigint, ''2024-06-03'') r',
	'SELECT u, item_id::bigint, score, times, last_bought_at, due_at, rank FROM generate_series(0, 91) u, buy_again(u::text, NULL, ''purchases_recsys'', ''2024-06-03'') r',
	'SELECT u, item_id::bigint, score, times, last_bought_at, due_at, rank FROM generate_series(0, 91) u, buy_again(u, NULL, ''purchases_recsys'', NULL::text, ''2024-06-03''::timestamptz, ''{}'') r',
	'SELECT u, item_id::bigint, score, times, last_bought_at, due_at, rank FROM generate_series(0, 91) u, buy_again(''u'' || lpad(u::text, 2, ''0''), NULL, ''texts_recsys'', ''2024-06-03'', ''{}'') r',
	'SELECT u, item_id::text::bigint, score, times, last_bought_at, due_at, rank FROM generate_series(0, 91) u, LATERAL (SELECT replace(item_id::text, ''-'', '''') AS item_id, score, times, last_bought_at, due_at, rank FROM buy_again(lpad(u::text, 32, ''0'')::uuid, NULL, ''uuids_recsys'', NULL::uuid, ''2024-06-03'')) r']) ways;
PREPARE untyped AS SELECT string_agg(item_id::text, ',' ORDER BY rank), min(pg_typeof(item_id)::text) FROM buy_again($1, $2, $3, $4);
EXECUTE untyped('7', '2', 'purchases_recsys', '2024-06-03');
PREPARE with_context AS SELECT string_agg(item_id::text, ',' ORDER BY rank), min(pg_typeof(item_id)::text) FROM buy_again($1, $2, $3, $4, $5);
EXECUTE with_context('7', '2', 'purchases_recsys', '2024-06-03', '{"exclude": [1]}');
PREPARE by_name AS SELECT string_agg(item_id::text, ',' ORDER BY rank), min(pg_typeof(item_id)::text) FROM buy_again(user_id => $1, k => $2, at => $3, context => $4, recommender => 'purchases_recsys');
EXECUTE by_name('7', '2', '2024-06-03', '{"exclude": [1]}');

-- nobody, nothing, and what cannot be asked
SELECT count(*) FROM buy_again(NULL::bigint, 10, 'purchases_recsys', at => '2024-06-03');
SELECT count(*) FROM buy_again(NULL::bigint, 10, 'plain', at => '2024-06-03');
SELECT count(*) FROM buy_again(12345, 10, 'purchases_recsys', at => '2024-06-03');
SELECT count(*) FROM buy_again(7, 0, 'purchases_recsys', at => '2024-06-03');
SELECT count(*) FROM buy_again(7, 0, 'plain', at => '2024-06-03');
SELECT count(*) FROM buy_again(7, 10, 'purchases_recsys', at => '2020-01-01');
SELECT * FROM buy_again(7, -1, 'purchases_recsys');
SELECT * FROM buy_again(7, -1, 'plain');
SELECT * FROM buy_again(7, 1, 'purchases_recsys', at => 'infinity');
SELECT * FROM buy_again(7, 1, 'plain', at => '-infinity');
SELECT * FROM buy_again('seven', 1, 'purchases_recsys');
SELECT * FROM buy_again(7, 1, 'nothing');
SELECT * FROM buy_again('u07', 1, 'texts_recsys');
SELECT * FROM buy_again(7, 1, 'purchases_recsys', context => '{"bag": [1]}');
CREATE INDEX timeless ON purchases USING recsys (user_id, product_id, quantity);
SELECT recsys.create_recommender('timeless_shop', '[{"events": "timeless"}]');
SELECT * FROM buy_again(7, 1, 'timeless');
SELECT * FROM buy_again(7, 1, 'timeless_shop');

/* As of when: what is later is not looked at, and what is due comes with time. */
SELECT differences('SELECT item_id, times, last_bought_at FROM buy_again(7, NULL, ''purchases_recsys'', at => ''2024-05-01'')',
	'SELECT item_id, times, last_bought_at FROM buy_again(7, NULL, ''purchases_recsys'', at => ''2024-05-01'') JOIN
		(SELECT product_id, max(occasion) AS times, max(bought_at) AS last_bought_at FROM occasions WHERE user_id = 7 AND bought_at <= ''2024-05-01'' GROUP BY 1) e
		USING (times, last_bought_at) WHERE item_id = product_id');
SELECT at, item_id, times, last_bought_at FROM unnest('{2024-05-01, 2024-05-17 08:00, 2024-05-17 07:59:59.999999}'::timestamptz[]) at, buy_again(7, 1, 'purchases_recsys', at => at);
SELECT bool_and(later.score > sooner.score) AS more_due
FROM buy_again(7, NULL, 'purchases_recsys', at => '2024-06-02') sooner JOIN buy_again(7, NULL, 'purchases_recsys', at => '2024-06-08') later USING (item_id)
WHERE item_id IN (1, 3);
-- who comes back after years finds what was bought then
SELECT string_agg(item_id::text, ',' ORDER BY rank), bool_and(due_at < now()) AS overdue FROM buy_again(7, 2, 'purchases_recsys');

-- rows of the future and of this moment
BEGIN;
INSERT INTO purchases SELECT 200, 1, 1, now() - n * interval '7 days' FROM generate_series(1, 8) n;
SELECT item_id, times, last_bought_at = now() - interval '7 days' AS last FROM buy_again(200, 10, 'purchases_recsys');
INSERT INTO purchases VALUES (200, 1, 1, clock_timestamp()), (200, 1, 1, clock_timestamp() + interval '1 day'), (200, 2, 1, clock_timestamp() + interval '1 day');
SELECT item_id, times, last_bought_at BETWEEN now() AND clock_timestamp() AS last FROM buy_again(200, 10, 'purchases_recsys');
SELECT item_id, times FROM buy_again(200, 10, 'purchases_recsys', at => clock_timestamp() + interval '2 days') WHERE item_id = 1;
ROLLBACK;
SELECT count(*) FROM buy_again(200, 10, 'purchases_recsys');

-- returns: of a part, of all, of all that a user has; quantities and lines of a basket are no occasions
INSERT INTO purchases VALUES (201, 1, 2, '2024-05-01'), (201, 1, 2, '2024-05-08'), (201, 1, -1, '2024-05-09'), (201, 1, 1, '2024-05-15'), (201, 1, 3, '2024-05-15 00:20'),
	(201, 2, 1, '2024-05-01'), (201, 2, 1, '2024-05-04'), (201, 2, -2, '2024-05-05'), (201, NULL, 1, '2024-05-05'),
	(202, 1, 1, '2024-05-01'), (202, 1, 1, '2024-05-08'), (202, 1, -2, '2024-05-09'),
	(203, 1, 1, NULL), (203, 1, 1, 'infinity'), (203, 2, 1, '2024-05-01'), (203, 2, NULL, '2024-05-04'), (203, 2, 1, '-infinity');
SELECT u, item_id, times, last_bought_at FROM generate_series(201, 203) u, buy_again(u, 10, 'purchases_recsys', at => '2024-05-16') WHERE item_id IN (1, 2) ORDER BY u, item_id;
DELETE FROM purchases WHERE user_id = 201;
SELECT count(*) FROM buy_again(201, 10, 'purchases_recsys', at => '2024-05-16');

/* What a shop declares. */
CREATE TABLE products AS SELECT p::bigint AS id, 'Product ' || p AS title, p % 4 AS kind, p / 2 AS thing, p <> 3 AS in_stock, p IN (1, 4, 12) AS daily FROM generate_series(1, 29) p;
CREATE UNIQUE INDEX ON products (id);
CREATE TABLE customers AS SELECT u::bigint AS id, u % 10 = 0 AS is_staff FROM generate_series(1, 90) u;
CREATE UNIQUE INDEX ON customers (id);
CREATE TABLE promotions (product_id bigint, boost real);
INSERT INTO promotions VALUES (3, 2), (29, 2);
CREATE TABLE complaints AS SELECT 9::bigint AS user_id, 2::bigint AS product_id, '2024-06-01'::timestamptz AS at;
CREATE INDEX complaints_recsys ON complaints USING recsys (user_id, product_id, at);
SELECT recsys.create_recommender('stock', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', item_filter => 'in_stock');
SELECT recsys.create_recommender('daily', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', repeatable => 'daily');
SELECT recsys.create_recommender('capped', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', caps => '{"kind": 1}');
SELECT recsys.create_recommender('staff', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', profiles => 'customers', profile_key => 'id', exclude_users => 'is_staff');
SELECT recsys.create_recommender('grouped', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', group_by => 'thing', offer_order => 'id');
SELECT recsys.create_recommender('pushed', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', promotions => '{"table": "promotions", "item": "product_id", "boost": "boost"}');
SELECT recsys.create_recommender('disliked', '[{"events": "purchases_recsys"}, {"events": "complaints_recsys", "weight": -1}]', items => 'products', item_key => 'id');
CREATE VIEW shops AS
SELECT name, u AS user_id, r.* FROM unnest('{plain,stock,daily,capped,staff,grouped,pushed,disliked}'::text[]) name, generate_series(1, 90) u, buy_again(u, NULL, name, at => '2024-06-03') r;
CREATE TABLE answers AS TABLE shops;
SELECT count(*) FILTER (WHERE name = 'stock' AND item_id = 3) AS sold_out,
	count(*) FILTER (WHERE name = 'daily' AND item_id NOT IN (1, 4, 12)) AS not_daily,
	count(*) FILTER (WHERE name = 'staff' AND user_id % 10 = 0) AS of_staff,
	count(*) FILTER (WHERE name = 'grouped' AND item_id % 2 = 1 AND item_id > 1) AS not_the_offer
FROM answers;
-- each is what is left of the plain list; an offer stands in for its group, with the times of what was bought
SELECT name, differences(format('SELECT user_id, item_id, score, times, last_bought_at, due_at FROM buy_again.answers WHERE name = %L', name),
	format('SELECT user_id, a.item_id, score, times, last_bought_at, due_at FROM buy_again.answers a JOIN buy_again.products p ON id = item_id WHERE name = ''plain'' AND %s', kept))
FROM (VALUES ('stock', 'in_stock'), ('daily', 'daily'), ('staff', 'user_id % 10 > 0'), ('disliked', '(user_id, item_id) <> (9, 2)')) v (name, kept);
SELECT max(n) AS most_of_a_kind FROM (SELECT count(*) AS n FROM answers JOIN products ON id = item_id WHERE name = 'capped' GROUP BY user_id, kind) s;
SELECT count(*) AS groups_missing FROM (SELECT user_id, item_id / 2 FROM answers WHERE name = 'plain' EXCEPT SELECT user_id, item_id / 2 FROM answers WHERE name = 'grouped') s;
SELECT count(*) AS others FROM answers g WHERE name = 'grouped' AND NOT EXISTS (SELECT FROM answers p WHERE p.name = 'plain' AND p.user_id = g.user_id AND p.item_id / 2 = g.item_id / 2 AND (p.times, p.last_bought_at) = (g.times, g.last_bought_at));
SELECT bool_and(a.score = p.score * CASE WHEN a.item_id IN (3, 29) THEN 2 ELSE 1 END) AS boosted, count(*) FILTER (WHERE a.item_id = 3) > 0 AS some
FROM answers a JOIN answers p USING (user_id, item_id) WHERE a.name = 'pushed' AND p.name = 'plain';
-- contexts
SELECT string_agg(item_id::text, ',' ORDER BY item_id) FROM buy_again(9, 20, 'stock', at => '2024-06-03', context => '{"cart": [1]}') WHERE item_id < 10;
SELECT string_agg(item_id::text, ',' ORDER BY item_id) FROM buy_again(9, 20, 'plain', at => '2024-06-03', context => '{"exclude": [2]}') WHERE item_id < 10;
SELECT string_agg(DISTINCT kind::text, ',') FROM buy_again(9, 10, 'capped', at => '2024-06-03', context => '{"filter": {"kind": [1, 2]}}') JOIN products ON id = item_id;
-- functions with the types of the shop
SELECT * FROM recsys.create_functions('stock', 'buy_again') f WHERE f ~ '\.(buy_again|next_basket)';
SELECT count(*) > 0 AS works FROM buy_again.buy_again(7::bigint, 10);

-- items that nobody has taken for long are not sold any more
CREATE INDEX dated ON purchases USING recsys (user_id, product_id, quantity, bought_at) WITH (similarity = cosine, popularity = 1, item_max_age = '20 days');
SELECT count(*) FILTER (WHERE bought_at < '2024-05-12') AS too_old, count(*) > 0 AS some
FROM generate_series(1, 90) u, buy_again(u, NULL, 'dated', at => '2024-06-03'), LATERAL (SELECT max(bought_at) AS bought_at FROM purchases p WHERE p.product_id = item_id AND bought_at < 'infinity') l;

-- who may ask: as for recommend
CREATE ROLE regress_recsys_grocer;
GRANT USAGE ON SCHEMA buy_again TO regress_recsys_grocer;
SET ROLE regress_recsys_grocer;
SELECT * FROM buy_again(7, 1, 'purchases_recsys');
SELECT * FROM buy_again(7, 1, 'plain');
RESET ROLE;
GRANT SELECT ON purchases TO regress_recsys_grocer;
SET ROLE regress_recsys_grocer;
SELECT item_id FROM buy_again(7, 1, 'purchases_recsys', at => '2024-06-03');
RESET ROLE;
ALTER TABLE purchases ENABLE ROW LEVEL SECURITY;
SET ROLE regress_recsys_grocer;
SELECT * FROM buy_again(7, 1, 'purchases_recsys');
RESET ROLE;
ALTER TABLE purchases DISABLE ROW LEVEL SECURITY;
-- nothing is written
BEGIN READ ONLY;
SELECT item_id FROM buy_again(7, 1, 'stock', at => '2024-06-03');
ROLLBACK;

SELECT count(recsys.drop_recommender(name)) FROM unnest('{plain,timeless_shop,stock,daily,capped,staff,grouped,pushed,disliked}'::text[]) name;
DROP SCHEMA buy_again CASCADE;
DROP ROLE regress_recsys_grocer;
