-- next_basket: what is in the list, in which order, and where it comes from, against plain SQL; and
-- the same answers by an index, by a declared recommender of nothing else, and by all key types.
SET client_min_messages = warning;
CREATE SCHEMA next_basket;
SET search_path = next_basket, public;
SET timezone = 'UTC';

/*
 * Milk (1) and bread (2) of everybody's, a television (3) of every second one's, and 57 other things:
 * each user has some of them that are near each other.
 */
CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, bought_at timestamptz);
INSERT INTO purchases
SELECT u, CASE WHEN x < 2 THEN x + 1 ELSE 4 + (u % 7 * 8 + (hashint4(u * 100 + n * 10 + x) & 7)) % 57 END, 1,
	'2024-06-01 10:00'::timestamptz - u % 9 * interval '1 day' - n * interval '7 days'
FROM generate_series(1, 120) u, generate_series(0, u % 11) n, generate_series(0, 4) x WHERE x > 0 OR (n + u) % 3 > 0;
INSERT INTO purchases SELECT u, 3, 1, '2024-05-20'::timestamptz - u * interval '1 day' FROM generate_series(2, 120, 2) u;
-- some who have a single thing, and some who have given all of theirs back
INSERT INTO purchases SELECT 200 + n, 4 + n, 1, '2024-05-30' FROM generate_series(1, 50) n;
INSERT INTO purchases SELECT 300, 4 + n % 2, CASE WHEN n < 2 THEN 1 ELSE -1 END, '2024-05-30'::timestamptz + n * interval '1 hour' FROM generate_series(0, 3) n;
INSERT INTO purchases SELECT 301, 4 + n % 2, CASE WHEN n < 2 THEN 2 ELSE -1 - n % 2 END, '2024-05-30'::timestamptz + n * interval '1 hour' FROM generate_series(0, 3) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, bought_at) WITH (similarity = cosine);

SELECT item_id, source, rank FROM next_basket(12, 6, 'purchases_recsys', at => '2024-06-02');
SELECT source, count(*), min(rank), max(rank) FROM next_basket(12, NULL, 'purchases_recsys', at => '2024-06-02') GROUP BY 1 ORDER BY 3;

/*
 * Each item once, as many as asked for or as there are without those given back; repeats are what
 * the user has; popular items, which nothing else speaks for, are in their order.
 */
CREATE VIEW lists AS
SELECT u AS user_id, r.* FROM generate_series(1, 301) u, next_basket(u, NULL, 'purchases_recsys', at => '2024-06-02') r;
CREATE VIEW had AS SELECT user_id, product_id, sum(quantity) > 0 AS has FROM purchases WHERE bought_at <= '2024-06-02' GROUP BY 1, 2;
CREATE FUNCTION check_lists(OUT rows text, OUT doubles bigint, OUT wrong_source bigint, OUT unordered bigint, OUT missing bigint, OUT given_back bigint, OUT unpopular bigint) LANGUAGE sql AS $$
	WITH l AS MATERIALIZED (SELECT *, lag(score) OVER w AS before, lag(item_id) OVER w AS item_before, lag(rank, 1, 0) OVER w AS rank_before FROM lists WINDOW w AS (PARTITION BY user_id ORDER BY rank)),
		p AS MATERIALIZED (SELECT * FROM popular_items(NULL, 'purchases_recsys'))
	SELECT CASE WHEN count(*) > 10000 THEN 'many' ELSE 'few' END,
		count(*) - count(DISTINCT (l.user_id, item_id)),
		count(*) FILTER (WHERE (source = 'repeat') IS DISTINCT FROM coalesce(has, false) OR source NOT IN ('repeat', 'history', 'popular')),
		count(*) FILTER (WHERE score > before OR (score = before AND source <> 'popular' AND item_id < item_before) OR rank <> rank_before + 1),
		(SELECT count(*) FROM (SELECT DISTINCT l.user_id, p.item_id FROM l, p EXCEPT SELECT user_id, item_id FROM l EXCEPT SELECT user_id, product_id FROM had WHERE NOT has) m),
		count(*) FILTER (WHERE NOT has),
		(SELECT count(*) FROM (SELECT p.rank - lag(p.rank) OVER (PARTITION BY user_id ORDER BY l.rank) AS step FROM l JOIN p USING (item_id) WHERE source = 'popular') s WHERE step < 0)
	FROM l LEFT JOIN had ON had.user_id = l.user_id AND product_id = item_id
$$;
SELECT * FROM check_lists();
-- a shorter list is the beginning of a longer one
CREATE FUNCTION differences(a text, b text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) d', a, b) INTO result;
	RETURN result;
END
$$;
SELECT k, differences(format('SELECT u, r.* FROM generate_series(1, 301, 3) u, next_basket(u, %s, ''purchases_recsys'', at => ''2024-06-02'') r', k),
	format('SELECT u, r.* FROM generate_series(1, 301, 3) u, next_basket(u, NULL, ''purchases_recsys'', at => ''2024-06-02'') r WHERE rank <= %s', k)) FROM unnest('{0,1,2,5,10,40,59,60,1000}'::int[]) k;

/*
 * The score of a discovery: what the graph says of it, as a share of what it says of the best one, and
 * its place among the popular items, by the weights of the mix.
 */
CREATE FUNCTION set_mix(recommender text, discover float8, popular float8) RETURNS void LANGUAGE sql AS $$
	INSERT INTO recsys.basket_mix (recommender, basket_decay, basket_half_life, due_weight, neighbor_weight, discover_weight, popular_weight, users, judged_by)
	VALUES (recommender, 0.9, '0', 0.3, 0.05, discover, popular, 0, 0)
	ON CONFLICT ON CONSTRAINT basket_mix_pkey DO UPDATE SET discover_weight = discover, popular_weight = popular
$$;
SELECT set_mix('next_basket.' || name, 0.02, 0.03) FROM unnest('{purchases_recsys,texts_recsys,uuids_recsys,alike_recsys,factors}'::text[]) name;
CREATE FUNCTION wrong_scores(index text, ids bigint[], said text, OUT users bigint, OUT rows text, OUT wrong bigint, OUT wrong_source bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format($q$
		WITH said AS MATERIALIZED (%s), best AS (SELECT user_id, max(score) AS best FROM said GROUP BY 1),
			p AS MATERIALIZED (SELECT item_id, rank FROM popular_items(NULL, %L)),
			l AS MATERIALIZED (SELECT u AS user_id, r.* FROM unnest($1) u, next_basket(u, NULL, %L) r WHERE source <> 'repeat')
		SELECT count(DISTINCT l.user_id), CASE WHEN count(*) > 300 THEN 'many' ELSE 'few' END,
			count(*) FILTER (WHERE abs(l.score - 0.02 * coalesce(s.score / best, 0) - 0.03 / sqrt(p.rank)) > 1e-6),
			count(*) FILTER (WHERE (l.source = 'history') IS DISTINCT FROM (s.score IS NOT NULL))
		FROM l JOIN p USING (item_id) LEFT JOIN said s USING (user_id, item_id) LEFT JOIN best USING (user_id)$q$, said, index, index)
	USING ids INTO users, rows, wrong, wrong_source;
END
$$;
-- who has one thing: the row of the graph
SELECT * FROM wrong_scores('purchases_recsys', ARRAY(SELECT generate_series(201, 250)),
	'SELECT 196 + s.item_id AS user_id, similar_item_id AS item_id, score FROM item_similarity(''purchases_recsys'') s WHERE s.item_id BETWEEN 5 AND 54');
-- things that all users have once: several rows of the graph, all with the same weight; no times
CREATE TABLE alike AS SELECT DISTINCT u::bigint AS user_id, ((u * u * 7 + x * x) % 41)::bigint AS product_id FROM generate_series(1, 80) u, generate_series(1, 8) x;
CREATE INDEX alike_recsys ON alike USING recsys (user_id, product_id) WITH (similarity = jaccard);
SELECT * FROM wrong_scores('alike_recsys', ARRAY(SELECT generate_series(1, 80)),
	'SELECT user_id, similar_item_id AS item_id, sum(score) AS score FROM alike JOIN item_similarity(''alike_recsys'') ON item_id = product_id
	WHERE (user_id, similar_item_id) NOT IN (TABLE alike) GROUP BY 1, 2');
CREATE INDEX timeless ON purchases USING recsys (user_id, product_id, quantity) WITH (similarity = jaccard);
SELECT * FROM next_basket(12, 1, 'timeless', at => '2024-06-02');

/* Without a history it is the list of recommend. */
SELECT differences(format('SELECT * FROM next_basket(%s, 20, ''purchases_recsys'')', u), format('SELECT * FROM recommend(%s, 20, ''purchases_recsys'')', u)) FROM unnest('{999,300,NULL::bigint}'::text[]) u;
SELECT count(*), string_agg(DISTINCT source, ',') AS sources, count(*) FILTER (WHERE item_id IN (4, 5)) AS given_back FROM next_basket(300, NULL, 'purchases_recsys');
SELECT count(*), min(source), max(source) FROM next_basket(12, NULL, 'purchases_recsys', at => '2020-01-01');

-- all the same without types, by other types of keys and times, by a declared recommender, in a context
CREATE TABLE texts AS SELECT 'u' || lpad(user_id::text, 3, '0') AS user_id, lpad(product_id::text, 2, '0') AS product_id, quantity, bought_at::timestamp AS bought_at FROM purchases;
CREATE INDEX texts_recsys ON texts USING recsys (user_id, product_id, quantity, bought_at) WITH (similarity = cosine);
CREATE TABLE uuids AS SELECT lpad(user_id::text, 32, '0')::uuid AS user_id, lpad(product_id::text, 32, '0')::uuid AS product_id, quantity, bought_at FROM purchases;
CREATE INDEX uuids_recsys ON uuids USING recsys (user_id, product_id, quantity, bought_at) WITH (similarity = cosine);
SELECT recsys.create_recommender('plain', '[{"events": "purchases_recsys"}]');
SELECT ways, differences('SELECT u, r.* FROM generate_series(1, 301, 2) u, next_basket(u, 30, ''purchases_recsys'', at => ''2024-06-02'') r', ways)
FROM unnest(ARRAY[
	'SELECT u, r.* FROM generate_series(1, 301, 2) u, next_basket(u, 30, ''plain'', at => ''2024-06-02'') r',
	'SELECT u, r.* FROM generate_series(1, 301, 2) u, next_basket(u, NULL, ''plain'', at => ''2024-06-02'') r WHERE rank <= 30',
	'SELECT u, r.* FROM generate_series(1, 301, 2) u, next_basket(u, 30, ''purchases_recsys'', at => ''2024-06-02'', context => ''{}'') r',
	'SELECT u, r.* FROM generate_series(1, 301, 2) u, next_basket(u, 30, ''purchases_recsys'', NULL::bigint, ''2024-06-02'') r',
	'SELECT u, item_id::bigint, score, source, rank FROM generate_series(1, 301, 2) u, next_basket(u::text, 30, ''purchases_recsys'', ''2024-06-02'') r',
	'SELECT u, item_id::bigint, score, source, rank FROM generate_series(1, 301, 2) u, next_basket(u, 30, ''purchases_recsys'', NULL::text, ''2024-06-02''::timestamptz, ''{}'') r',
	'SELECT u, item_id::bigint, score, source, rank FROM generate_series(1, 301, 2) u, next_basket(''u'' || lpad(u::text, 3, ''0''), 30, ''texts_recsys'', ''2024-06-02'', ''{}'') r',
	'SELECT u, replace(item_id::text, ''-'', '''')::bigint, score, source, rank FROM generate_series(1, 301, 2) u, next_basket(lpad(u::text, 32, ''0'')::uuid, 30, ''uuids_recsys'', NULL::uuid, ''2024-06-02'') r']) ways;
PREPARE untyped AS SELECT string_agg(item_id::text || ' ' || source, ',' ORDER BY rank), min(pg_typeof(item_id)::text) FROM next_basket($1, $2, $3, $4);
EXECUTE untyped('12', '2', 'purchases_recsys', '2024-06-02');
PREPARE by_name AS SELECT string_agg(item_id::text, ',' ORDER BY rank), min(pg_typeof(item_id)::text) FROM next_basket(user_id => $1, k => $2, at => $3, context => $4, recommender => 'purchases_recsys');
EXECUTE by_name('12', '2', '2024-06-02', '{"exclude": [2]}');

-- what cannot be asked
SELECT count(*) FROM next_basket(12, 0, 'plain');
SELECT * FROM next_basket(12, -1, 'purchases_recsys');
SELECT * FROM next_basket(12, -1, 'plain');
SELECT * FROM next_basket(12, 1, 'purchases_recsys', at => 'infinity');
SELECT * FROM next_basket('u012', 1, 'texts_recsys');
SELECT * FROM next_basket(12, 1, 'nothing');

-- rows that are inserted, merged, of this moment, of the future
INSERT INTO purchases SELECT u, 61 + n, 1, '2024-06-02'::timestamptz - n * interval '1 day' FROM generate_series(1, 30, 4) u, generate_series(0, 3) n;
SELECT * FROM check_lists();
SELECT count(*) FROM recsys.merge('purchases_recsys');
SELECT * FROM check_lists();
BEGIN;
INSERT INTO purchases VALUES (400, 1, 1, now()), (400, 2, 1, clock_timestamp()), (400, 4, 1, clock_timestamp() + interval '1 day');
SELECT item_id FROM next_basket(400, NULL, 'purchases_recsys') WHERE source = 'repeat' ORDER BY 1;
SELECT item_id FROM next_basket(400, NULL, 'purchases_recsys', at => now() + interval '1 week') WHERE source = 'repeat' ORDER BY 1;
ROLLBACK;
SELECT count(*) FROM next_basket(400, NULL, 'purchases_recsys') WHERE source = 'repeat';
-- as of an earlier time: what came later is as new as anything
SELECT differences('SELECT u, item_id FROM generate_series(1, 120, 5) u, next_basket(u, NULL, ''purchases_recsys'', at => ''2024-05-01'') WHERE source = ''repeat''',
	'SELECT user_id, product_id FROM purchases WHERE user_id <= 120 AND user_id % 5 = 1 AND bought_at <= ''2024-05-01'' GROUP BY 1, 2 HAVING sum(quantity) > 0');

/* More items than popularity counts for, and than the index keeps in their order */
CREATE TABLE many AS SELECT u::bigint AS user_id, 1 + (hashint4(u * 97 + x) & 1048575)::bigint * (hashint4(u * 13 + x * 7) & 1048575) % 3001 AS product_id, 1 AS quantity,
	'2024-06-01'::timestamptz - (x % 5 * 7 + u % 7) * interval '1 day' AS bought_at FROM generate_series(1, 500) u, generate_series(1, 25) x;
CREATE INDEX many_recsys ON many USING recsys (user_id, product_id, quantity, bought_at) WITH (similarity = cosine, neighbors = 30);
SELECT recsys.create_recommender('many', '[{"events": "many_recsys"}]');
SELECT k, differences(format('SELECT u, r.* FROM generate_series(1, 500, 50) u, next_basket(u, %s, ''many_recsys'', at => ''2024-06-02'') r', k),
	format('SELECT u, r.* FROM generate_series(1, 500, 50) u, next_basket(u, NULL, ''many_recsys'', at => ''2024-06-02'') r WHERE rank <= %s', k)) AS shorter,
	differences(format('SELECT u, r.* FROM generate_series(1, 500, 50) u, next_basket(u, %s, ''many_recsys'', at => ''2024-06-02'') r', k),
	format('SELECT u, r.* FROM generate_series(1, 500, 50) u, next_basket(u, %s, ''many'', at => ''2024-06-02'') r', k)) AS declared FROM unnest('{1,10,100,1000}'::int[]) k;
SELECT count(DISTINCT product_id) > 2036 AS many, count(DISTINCT product_id) - (SELECT count(DISTINCT item_id) FROM next_basket(7, NULL, 'many_recsys', at => '2024-06-02')) AS missing FROM many;
-- a history whose rows of the graph are more than work_mem
INSERT INTO many SELECT 501, n, 1, '2024-05-01'::timestamptz + n % 30 * interval '1 day' FROM generate_series(1, 700) n;
CREATE TABLE large AS SELECT * FROM next_basket(501, 900, 'many_recsys', at => '2024-06-02');
SET work_mem = '64kB';
SELECT differences('TABLE next_basket.large', 'SELECT * FROM next_basket(501, 900, ''many_recsys'', at => ''2024-06-02'')');
RESET work_mem;

/* Factors in the place of the item graph: what is said of discoveries is what recommend says. */
CREATE INDEX factors ON purchases USING recsys (user_id, product_id, quantity, bought_at) WITH (similarity = als, rank = 8);
SELECT recsys.create_recommender('by_factors', '[{"events": "factors"}]');
SELECT differences('SELECT u, r.* FROM generate_series(1, 301, 5) u, next_basket(u, 30, ''factors'', at => ''2024-06-02'') r',
	'SELECT u, r.* FROM generate_series(1, 301, 5) u, next_basket(u, NULL, ''factors'', at => ''2024-06-02'') r WHERE rank <= 30') AS shorter,
	differences('SELECT u, r.* FROM generate_series(1, 301, 5) u, next_basket(u, 30, ''factors'', at => ''2024-06-02'') r',
	'SELECT u, r.* FROM generate_series(1, 301, 5) u, next_basket(u, 30, ''by_factors'', at => ''2024-06-02'') r') AS declared;
SELECT * FROM wrong_scores('factors', ARRAY(SELECT generate_series(201, 250, 7)),
	'SELECT u AS user_id, item_id, score FROM generate_series(201, 250, 7) u, recommend(u, NULL, ''factors'') WHERE source = ''history''');

/* What a shop declares. */
CREATE TABLE products AS SELECT p::bigint AS id, 'Product ' || p AS title, p % 4 AS kind, p / 2 AS thing, p % 5 > 0 AS in_stock, p IN (1, 2, 10, 20, 30) AS daily FROM generate_series(1, 64) p;
CREATE UNIQUE INDEX ON products (id);
CREATE TABLE customers AS SELECT u::bigint AS id, u % 10 = 0 AS is_staff FROM generate_series(1, 120) u;
CREATE UNIQUE INDEX ON customers (id);
CREATE TABLE promotions (product_id bigint, boost real);
INSERT INTO promotions VALUES (1, 1.5), (20, 2), (40, 2);
CREATE TABLE views AS SELECT user_id, 4 + (product_id + 3) % 57 AS product_id, bought_at - interval '1 hour' AS viewed_at FROM purchases WHERE user_id < 120;
CREATE INDEX views_recsys ON views USING recsys (user_id, product_id, viewed_at) WITH (similarity = cosine);
CREATE TABLE complaints AS SELECT 12::bigint AS user_id, 2::bigint AS product_id, '2024-06-01'::timestamptz AS at;
CREATE INDEX complaints_recsys ON complaints USING recsys (user_id, product_id, at);
SELECT recsys.create_recommender('stock', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', item_filter => 'in_stock');
SELECT recsys.create_recommender('daily', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', repeatable => 'daily');
SELECT recsys.create_recommender('capped', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', caps => '{"kind": 2}');
SELECT recsys.create_recommender('staff', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', profiles => 'customers', profile_key => 'id', exclude_users => 'is_staff');
SELECT recsys.create_recommender('grouped', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', group_by => 'thing', offer_order => 'id');
SELECT recsys.create_recommender('pushed', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'id', promotions => '{"table": "promotions", "item": "product_id", "boost": "boost"}');
SELECT recsys.create_recommender('viewed', '[{"events": "purchases_recsys"}, {"events": "views_recsys", "weight": 0.3, "exclude": false}]', items => 'products', item_key => 'id');
SELECT recsys.create_recommender('disliked', '[{"events": "purchases_recsys"}, {"events": "complaints_recsys", "weight": -1}]', items => 'products', item_key => 'id');
CREATE TABLE answers AS
SELECT name, u AS user_id, r.* FROM unnest('{plain,stock,daily,capped,staff,grouped,pushed,viewed,disliked}'::text[]) name, generate_series(1, 120, 3) u, next_basket(u, 20, name, at => '2024-06-02') r;
SELECT name, min(n), max(n) FROM (SELECT name, user_id, count(*) AS n FROM answers GROUP BY 1, 2) s GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE name = 'stock' AND item_id % 5 = 0) AS sold_out,
	count(*) FILTER (WHERE name = 'daily' AND source = 'repeat' AND item_id NOT IN (1, 2, 10, 20, 30)) AS not_daily,
	count(*) FILTER (WHERE name = 'daily' AND source = 'repeat') > 0 AS daily,
	count(*) FILTER (WHERE name = 'staff' AND user_id % 10 = 0 AND source IN ('repeat', 'history')) AS of_staff,
	count(*) FILTER (WHERE name = 'grouped' AND item_id % 2 = 1 AND item_id > 1) AS not_the_offer,
	count(*) FILTER (WHERE name = 'disliked' AND user_id = 12 AND item_id = 2) AS disliked
FROM answers;
SELECT max(n) AS most_of_a_kind FROM (SELECT count(*) AS n FROM answers JOIN products ON id = item_id WHERE name = 'capped' GROUP BY user_id, kind) s;
-- what passes the filter keeps its place and score
SELECT differences('SELECT u, item_id, source, row_number() OVER (PARTITION BY u ORDER BY rank) FROM generate_series(1, 120, 3) u, next_basket(u, NULL, ''plain'', at => ''2024-06-02'') WHERE item_id % 5 > 0 AND source = ''repeat''',
	'SELECT u, item_id, source, row_number() OVER (PARTITION BY u ORDER BY rank) FROM generate_series(1, 120, 3) u, next_basket(u, NULL, ''stock'', at => ''2024-06-02'') WHERE source = ''repeat''');
SELECT count(*) > 0 AS some, bool_and(abs(a.score / p.score - boost) < 1e-5) AS boosted
FROM answers a JOIN answers p USING (user_id, item_id) JOIN promotions ON product_id = item_id WHERE a.name = 'pushed' AND p.name = 'plain' AND p.score > 0;
SELECT bool_and(a.score = p.score) AS others_as_before
FROM answers a JOIN answers p USING (user_id, item_id) WHERE a.name = 'pushed' AND p.name = 'plain' AND item_id NOT IN (SELECT product_id FROM promotions);
-- a second signal changes which discoveries come, not what is a repeat
SELECT differences('SELECT u, item_id FROM generate_series(1, 120, 3) u, next_basket(u, NULL, ''plain'', at => ''2024-06-02'') WHERE source = ''repeat''',
	'SELECT u, item_id FROM generate_series(1, 120, 3) u, next_basket(u, NULL, ''viewed'', at => ''2024-06-02'') WHERE source = ''repeat''') AS repeats,
	differences('SELECT user_id, item_id FROM next_basket.answers WHERE name = ''plain''', 'SELECT user_id, item_id FROM next_basket.answers WHERE name = ''viewed''') > 0 AS differ;
-- views that are later than asked for are not looked at
CREATE TABLE before AS SELECT u, r.* FROM generate_series(1, 119, 3) u, next_basket(u, 20, 'viewed', at => '2024-06-02') r;
INSERT INTO views SELECT u, 4 + u % 50, '2024-06-03' FROM generate_series(1, 119, 3) u;
SELECT differences('TABLE next_basket.before', 'SELECT u, r.* FROM generate_series(1, 119, 3) u, next_basket(u, 20, ''viewed'', at => ''2024-06-02'') r') AS later_views,
	differences('TABLE next_basket.before', 'SELECT u, r.* FROM generate_series(1, 119, 3) u, next_basket(u, 20, ''viewed'', at => ''2024-06-04'') r') > 0 AS counted_later;
-- contexts
SELECT count(*), count(*) FILTER (WHERE item_id IN (1, 20)) AS in_cart FROM next_basket(12, 20, 'stock', at => '2024-06-02', context => '{"cart": [1, 20]}');
SELECT count(*), count(*) FILTER (WHERE kind <> 1) AS others FROM next_basket(12, 40, 'stock', at => '2024-06-02', context => '{"filter": {"kind": 1}}') JOIN products ON id = item_id;
SELECT count(*), string_agg(DISTINCT source, ',' ORDER BY source) FROM next_basket(999, 5, 'stock', context => '{"cart": [20]}');

-- who may ask: as for recommend; nothing is written
CREATE ROLE regress_recsys_grocer;
GRANT USAGE ON SCHEMA next_basket TO regress_recsys_grocer;
SET ROLE regress_recsys_grocer;
SELECT * FROM next_basket(12, 1, 'purchases_recsys');
SELECT * FROM next_basket(12, 1, 'plain');
RESET ROLE;
GRANT SELECT ON purchases TO regress_recsys_grocer;
SET ROLE regress_recsys_grocer;
SELECT count(*) FROM next_basket(12, 3, 'purchases_recsys');
SELECT * FROM next_basket(12, 1, 'stock');
RESET ROLE;
ALTER TABLE purchases ENABLE ROW LEVEL SECURITY;
SET ROLE regress_recsys_grocer;
SELECT * FROM next_basket(12, 1, 'purchases_recsys');
RESET ROLE;
ALTER TABLE purchases DISABLE ROW LEVEL SECURITY;
BEGIN READ ONLY;
SELECT count(*) FROM next_basket(12, 3, 'stock');
ROLLBACK;

-- the mix of a declared recommender comes before that of its index; without a row there are defaults
SELECT set_mix('plain', 0, 1);
SELECT source, count(*) FROM next_basket(201, 10, 'plain') GROUP BY 1 ORDER BY 1;
SELECT string_agg(item_id::text, ',' ORDER BY rank) = (SELECT string_agg(item_id::text, ',' ORDER BY rank) FROM (SELECT item_id, rank FROM popular_items(NULL, 'plain') WHERE item_id <> 5 ORDER BY rank LIMIT 9) p) AS by_popularity
FROM next_basket(201, 10, 'plain') WHERE source <> 'repeat';
SELECT set_mix('plain', 1, 0);
SELECT source, min(rank) AS best FROM next_basket(201, NULL, 'plain') GROUP BY 1 ORDER BY 2;
DELETE FROM recsys.basket_mix WHERE recommender = 'plain' OR recommender LIKE 'next_basket.%';
SELECT item_id, source FROM next_basket(201, 1, 'plain');

SELECT count(recsys.drop_recommender(name)) FROM unnest('{plain,many,by_factors,stock,daily,capped,staff,grouped,pushed,viewed,disliked}'::text[]) name;
DROP SCHEMA next_basket CASCADE;
DROP ROLE regress_recsys_grocer;
