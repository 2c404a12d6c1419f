-- Who wants an item: the users and scores of recommend(), the other way round.
SET client_min_messages = warning;
CREATE SCHEMA audience;
SET search_path = audience, public;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text, is_fraud boolean, newsletter boolean);
INSERT INTO customers SELECT c, (ARRAY['DE', 'FR', NULL])[1 + c % 3], c % 25 = 0, CASE c % 5 WHEN 0 THEN NULL WHEN 1 THEN false ELSE true END FROM generate_series(1, 150) c;
CREATE TABLE products (product_id bigint PRIMARY KEY, category text, seller_id text, name text, consumable boolean, is_new boolean, stock integer);
INSERT INTO products SELECT p, 'c' || p % 5, 's' || p % 7, 'Product ' || p, p % 6 = 0, p % 7 = 3 AND p > 30, p % 10 FROM generate_series(1, 45) p;
CREATE TABLE purchases (customer_id bigint, product_id bigint, quantity integer, purchased_at timestamptz);
INSERT INTO purchases
SELECT 1 + abs(hashint4(n)) % 160, 1 + (abs(hashint4(n * 3 + 1)) % 42) * (abs(hashint4(n + 70000)) % 42) / 42, CASE n % 17 WHEN 0 THEN -1 WHEN 1 THEN NULL ELSE n % 3 END,
	now() - abs(hashint4(n + 5)) % 200 * interval '1 day' - n * interval '1 minute'
FROM generate_series(1, 1500) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (customer_id, product_id, quantity, purchased_at) WITH (similarity = cosine, neighbors = 12, half_life = '30 days');
CREATE INDEX prior_recsys ON purchases USING recsys (customer_id, product_id, quantity, purchased_at) WITH (similarity = jaccard, neighbors = 12, popularity = 0.3);
CREATE INDEX factors_recsys ON purchases USING recsys (customer_id, product_id, quantity, purchased_at) WITH (similarity = als, rank = 8);
CREATE INDEX stars_recsys ON purchases USING recsys (customer_id, product_id, (1 + abs(quantity)), purchased_at) WITH (similarity = cosine, neighbors = 12);
CREATE TABLE likeness (item_id bigint, similar_item_id bigint, score real);
INSERT INTO likeness SELECT a, b, 1.0 / (1 + abs(a - b)) FROM generate_series(1, 45) a, generate_series(1, 45) b WHERE a <> b AND abs(a - b) < 5;
SELECT recsys.create_recommender(name, signals::jsonb)
FROM (VALUES ('plain', '[{"events": "purchases_recsys"}]'), ('older', '[{"events": "purchases_recsys", "half_life": "0", "weight": 2}]'),
	('prior', '[{"events": "prior_recsys"}]'), ('factors', '[{"events": "factors_recsys"}]'),
	('stars', '[{"events": "stars_recsys", "neutral": 2}]'), ('other', '[{"events": "purchases_recsys", "graph": "prior_recsys"}]'),
	('factored', '[{"events": "purchases_recsys", "graph": "factors_recsys"}]'), ('made_elsewhere', '[{"events": "purchases_recsys", "graph": "likeness"}]')) v (name, signals);
-- rows since the build: users and items that it does not know
INSERT INTO purchases VALUES (161, 3, 1, now()), (161, 99, 1, now()), (1, 98, 2, now()), (2, 5, -100, now());

CREATE FUNCTION users() RETURNS TABLE (user_id bigint) LANGUAGE sql AS 'SELECT DISTINCT customer_id FROM purchases';
CREATE FUNCTION compare(name text, OUT scores bigint, OUT missing bigint, OUT unexpected bigint, OUT different bigint, OUT misplaced bigint) LANGUAGE sql AS $$
WITH expected AS MATERIALIZED (
	SELECT user_id::text, item_id, score FROM users(), LATERAL recommend(user_id, 10000, name) WHERE source = 'history'),
got AS MATERIALIZED (
	SELECT p.product_id AS item_id, a.* FROM (SELECT product_id FROM purchases UNION SELECT product_id FROM products) p, LATERAL recsys.audience(name, p.product_id::text, NULL) a WHERE a.score > 0)
SELECT count(e.score), count(*) FILTER (WHERE g.score IS NULL), count(*) FILTER (WHERE e.score IS NULL),
	count(*) FILTER (WHERE abs(e.score - g.score) > 1e-5 * e.score),
	(SELECT count(*) FROM (SELECT rank, row_number() OVER (PARTITION BY item_id ORDER BY score DESC, user_id::bigint) AS place FROM got) r WHERE rank <> place)
FROM expected e FULL JOIN got g USING (user_id, item_id)
$$;
SELECT name, (compare(name)).* FROM unnest(ARRAY['plain', 'older', 'prior', 'factors', 'stars', 'other', 'factored', 'made_elsewhere']) name;

-- why: the item of the user's that contributes most to the score
SELECT count(*) > 500 AS some, count(*) FILTER (WHERE b.contribution IS NULL OR most - b.contribution > 1e-9) AS different
FROM (SELECT product_id FROM products WHERE product_id % 4 = 0) p, LATERAL recsys.audience('plain', p.product_id::text) a,
	LATERAL (SELECT max(contribution) AS most, max(contribution) FILTER (WHERE because_item_id::text = a.because_item_id) AS contribution
			 FROM explain_recommendation(a.user_id::bigint, p.product_id, 'purchases_recsys')) b
WHERE a.score > 0;

/*
 * With a table of items and of profiles
 */
SELECT recsys.create_recommender('shop', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', item_filter => 'stock > 0',
	title => 'name', category => 'category', seller => 'seller_id', repeatable => 'consumable', new_item_since => 'is_new',
	profiles => 'customers', profile_key => 'customer_id', segment => 'country', larger_segments => ARRAY['persona'], exclude_users => 'is_fraud', consent => 'newsletter');
CREATE TABLE scores AS
SELECT user_id, item_id, score FROM users(), LATERAL recommend(user_id, NULL, 'purchases_recsys', false) WHERE source = 'history';
CREATE VIEW has AS SELECT DISTINCT customer_id AS user_id, product_id AS item_id FROM purchases;
CREATE VIEW may AS SELECT customer_id AS user_id, country FROM customers WHERE newsletter AND NOT is_fraud;
-- sums over the targets that a user has not got, unless they are consumed
CREATE FUNCTION expected(targets bigint[]) RETURNS TABLE (user_id bigint, country text, score float8) LANGUAGE sql AS $$
SELECT user_id, country, sum(score::float8) FROM may JOIN scores s USING (user_id) JOIN products p ON p.product_id = s.item_id
WHERE item_id = ANY (targets) AND (consumable OR NOT EXISTS (SELECT FROM has h WHERE h.user_id = s.user_id AND h.item_id = s.item_id)) GROUP BY 1, 2
$$;
CREATE FUNCTION disagree(targets bigint[], item text, seller text, category text, segment text, OUT users bigint, OUT different bigint) LANGUAGE sql AS $$
SELECT count(e.score), count(*) FILTER (WHERE e.score IS NULL OR a.score IS NULL OR abs(e.score - a.score) > 1e-5 * e.score)
FROM (SELECT * FROM expected(targets) WHERE segment IS NULL OR country = segment) e
	FULL JOIN (SELECT * FROM recsys.audience('shop', item, NULL, segment, seller, category) WHERE score > 0) a ON a.user_id = e.user_id::text
$$;
SELECT (disagree(ARRAY[4], '4', NULL, NULL, NULL)).*;
SELECT (disagree(ARRAY[6], '6', NULL, NULL, 'DE')).*;
-- of a seller with new items, those; of one without, and of a category, all that are on offer
SELECT (disagree((SELECT array_agg(product_id) FROM products WHERE seller_id = 's3' AND is_new AND stock > 0), NULL, 's3', NULL, NULL)).*;
SELECT (disagree((SELECT array_agg(product_id) FROM products WHERE seller_id = 's2' AND stock > 0), NULL, 's2', NULL, 'FR')).*;
SELECT (disagree((SELECT array_agg(product_id) FROM products WHERE category = 'c1' AND stock > 0), NULL, NULL, 'c1', NULL)).*;
SELECT (disagree((SELECT array_agg(product_id) FROM products WHERE category = 'c1' AND seller_id = 's2' AND stock > 0), NULL, 's2', 'c1', NULL)).*;
-- nobody has bought item 43 yet: who buys its category, by how much; reasons
INSERT INTO customers VALUES (900, 'DE', false, true), (901, 'DE', false, true), (902, 'DE', true, true), (903, 'DE', false, false);
INSERT INTO purchases SELECT c, i, 1, now() FROM generate_series(900, 903) c, unnest(ARRAY[8, 13]) i WHERE c <> 901 OR i = 13;
SELECT user_id, score, because_item_id, reason FROM recsys.audience('shop', '43', segment => 'DE') WHERE user_id::bigint >= 900 ORDER BY rank;
SELECT user_id, score > 0 AS positive, because_item_id, reason FROM recsys.audience('shop', '3', segment => 'DE') WHERE user_id::bigint >= 900 ORDER BY rank;
-- a seller's newest has no neighbors yet: who has bought there
INSERT INTO products VALUES (50, 'c9', 's9', 'Product 50', false, true, 1), (51, 'c9', 's9', 'Product 51', false, false, 1);
INSERT INTO purchases VALUES (900, 51, 1, now()), (903, 51, 1, now());
SELECT * FROM recsys.audience('shop', seller => 's9');
SELECT * FROM recsys.audience('shop', category => 'c9');
-- life cycles as customer_segments has them
SELECT recsys.refresh_recommender('shop') > 0 AS refreshed;
SELECT s.persona, count(*) FILTER (WHERE a.user_id IS NULL) AS missing, count(*) > 0 AS some
FROM recsys.customer_segments('shop') s JOIN recsys.audience('shop', '4', NULL) e USING (user_id)
	LEFT JOIN LATERAL (SELECT user_id FROM recsys.audience('shop', '4', NULL, segment => s.persona) x WHERE x.user_id = s.user_id) a ON true GROUP BY 1 ORDER BY 1;
SELECT count(*) AS of_another_persona
FROM unnest(ARRAY['new', 'active', 'at risk', 'lost']) p, LATERAL recsys.audience('shop', '4', NULL, segment => p) a JOIN recsys.customer_segments('shop') s USING (user_id) WHERE s.persona <> p;
-- the best k, and none
SELECT count(*), array_agg(rank ORDER BY rank) = ARRAY[1, 2, 3] AS ranked FROM recsys.audience('shop', '4', 3);
SELECT bool_and(b.user_id = a.user_id) AS same FROM recsys.audience('shop', '4', 3) a JOIN recsys.audience('shop', '4', NULL) b USING (rank);
SELECT count(*) FROM recsys.audience('shop', '4', 0);
SELECT count(*) FROM recsys.audience('shop', '123456');
SELECT count(*) FROM recsys.audience('shop', '4', segment => 'Atlantis');

-- keys of other types
CREATE TABLE wishes (who text, what uuid);
INSERT INTO wishes SELECT 'u' || n % 9, lpad(to_hex(n * n % 11), 32, '0')::uuid FROM generate_series(1, 40) n;
CREATE INDEX wishes_recsys ON wishes USING recsys (who, what) WITH (similarity = cosine);
SELECT recsys.create_recommender('wishes', '[{"events": "wishes_recsys"}]');
SELECT count(*) AS scores, count(*) FILTER (WHERE a.score IS DISTINCT FROM r.score) AS different
FROM (SELECT DISTINCT who FROM wishes) u CROSS JOIN LATERAL recommend(who, 10, 'wishes_recsys', NULL::text) r
	LEFT JOIN LATERAL (SELECT * FROM recsys.audience('wishes', r.item_id) x WHERE x.user_id = u.who) a ON true WHERE r.source = 'history';

-- what makes no sense
SELECT * FROM recsys.audience('shop');
SELECT * FROM recsys.audience('shop', '4', seller => 's1');
SELECT * FROM recsys.audience('plain', seller => 's1');
SELECT * FROM recsys.audience('plain', category => 'c1');
SELECT * FROM recsys.audience('plain', 'four');
SELECT * FROM recsys.audience('plain', '4', -1);
SELECT * FROM recsys.audience('purchases_recsys', '4');
CREATE ROLE recsys_marketing;
GRANT USAGE ON SCHEMA audience TO recsys_marketing;
SET ROLE recsys_marketing;
SELECT * FROM recsys.audience('shop', '4');
RESET ROLE;
GRANT SELECT ON purchases, products TO recsys_marketing;
SET ROLE recsys_marketing;
SELECT count(*) > 0 AS some FROM recsys.audience('plain', '4');
SELECT * FROM recsys.audience('shop', '4');
RESET ROLE;

/*
 * Exposure: lists of some users counted by seller
 */
CREATE TABLE shown AS
SELECT seller_id, count(*) AS n FROM (SELECT DISTINCT customer_id FROM purchases p WHERE coalesce(quantity, 1) > 0 AND NOT EXISTS (SELECT FROM customers c WHERE c.customer_id = p.customer_id AND is_fraud)) u,
	LATERAL recommend(customer_id, 5, 'shop') r JOIN products ON product_id = r.item_id GROUP BY 1;
SELECT count(*) AS sellers, count(*) FILTER (WHERE e.shown <> coalesce(s.n, 0)
	OR e.listed <> (SELECT count(*) FROM products p WHERE p.seller_id = e.seller_id AND stock > 0)
	OR e.sold <> (SELECT count(*) FROM purchases JOIN products p USING (product_id) LEFT JOIN customers USING (customer_id) WHERE p.seller_id = e.seller_id AND coalesce(quantity, 1) > 0 AND is_fraud IS NOT TRUE)) AS different,
	abs(sum(shown_share) - 1) < 1e-9 AND abs(sum(listed_share) - 1) < 1e-9 AND abs(sum(sold_share) - 1) < 1e-9 AS shares
FROM recsys.seller_exposure('shop', users => 10000, k => 5) e LEFT JOIN shown s USING (seller_id);
-- Gini as half the mean absolute difference over the mean
SELECT abs(min(e.gini) - (SELECT avg(abs(a.n - b.n)) / (2 * avg(a.n)) FROM shown a, shown b)) < 1e-9 AS gini, min(e.gini) = max(e.gini) AS the_same FROM recsys.seller_exposure('shop', users => 10000, k => 5) e;
SELECT sum(shown) AS shown, sum(sold) < 1000 AS since FROM recsys.seller_exposure('shop', now() - interval '20 days', 10, 3);
SELECT bool_and(a = b) AS repeatable FROM recsys.seller_exposure('shop', NULL, 10, 3) a JOIN recsys.seller_exposure('shop', NULL, 10, 3) b USING (seller_id);
SELECT * FROM recsys.seller_exposure('plain');
SELECT * FROM recsys.seller_exposure('wishes', now());
SELECT * FROM recsys.seller_exposure('shop', users => 0);

-- who has one offer of a product has the others, unless it is bought again and again
SELECT recsys.alter_recommender('shop', group_by => 'product_id / 3');
SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM purchases b WHERE b.customer_id = a.user_id::bigint AND b.product_id = p.product_id)) AS have_it,
	count(*) FILTER (WHERE NOT p.consumable AND EXISTS (SELECT FROM purchases b WHERE b.customer_id = a.user_id::bigint AND b.product_id / 3 = p.product_id / 3)) AS have_an_offer,
	count(*) > 100 AS many
FROM products p, recsys.audience('shop', p.product_id::text, 1000) a WHERE NOT p.consumable;
-- of a seller: those who have offers of all its products are not asked
SELECT count(*) AS has_all FROM recsys.audience('shop', seller => 's2', k => 1000) a
WHERE NOT EXISTS (SELECT FROM products p WHERE p.seller_id = 's2' AND p.stock > 0 AND (p.consumable OR NOT EXISTS (
	SELECT FROM purchases b WHERE b.customer_id = a.user_id::bigint AND b.product_id / 3 = p.product_id / 3)));
SELECT count(recsys.drop_recommender(name)) > 0 AS dropped FROM recsys.recommender WHERE definition ->> 'signals' LIKE '%audience.%';
DROP SCHEMA audience CASCADE;
DROP ROLE recsys_marketing;
