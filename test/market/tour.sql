/*
 * A walk through the generated marketplace, for somebody who runs a shop: after generate.sql and
 * declare.sql.  The second half of make demo.
 */
\pset footer off
\pset linestyle unicode
\pset border 1
\pset null ''
SET client_min_messages = warning;

-- one with a history, who buys within the taste, and not in the newest things
SELECT customer_id AS customer FROM purchases JOIN customers c USING (customer_id) JOIN true_tastes t USING (customer_id)
WHERE NOT is_fraud AND country = 'DE' GROUP BY customer_id HAVING count(DISTINCT purchase_id) BETWEEN 10 AND 16 AND count(DISTINCT theme) = 3
ORDER BY customer_id LIMIT 1
\gset
CREATE TEMP VIEW offered AS
SELECT product_id AS item_id, title, category, s.name AS seller, price + shipping AS cost, theme, listed_at, s.joined_at, stock
FROM products p JOIN sellers s USING (seller_id) JOIN (SELECT canonical_product_id, theme FROM canonical_products) c USING (canonical_product_id);

\echo
\echo '1. The shop'
SELECT (SELECT count(*) FROM customers) AS customers, (SELECT count(*) FROM sellers) AS sellers, (SELECT count(*) FROM canonical_products) AS products,
	   (SELECT count(*) FROM products) AS offers, (SELECT count(*) FROM purchases) AS purchases, (SELECT count(*) FROM views) AS views,
	   (SELECT count(*) FROM ratings) AS ratings, (SELECT count(*) FROM returns) AS returns;

\echo '2. What is declared, once, over these tables: recsys.create_recommender(''home'', …)'
SELECT rule, declared FROM (VALUES
	(1, 'what counts', 'purchases, and less of it: views, carts, wishes, ratings; returns count against'),
	(2, 'never shown', 'what is sold out or suspected to be a fake; what the customer has, unless it is used up'),
	(3, 'offers', 'of the sellers of one product the cheapest, shipping included'),
	(4, 'a list has', 'at most 2 products of a seller, 3 of a category, 2 of a brand'),
	(5, 'a chance', 'one place of ten for what came within two weeks, one of twenty for a new seller'),
	(6, 'newcomers', 'see what their country and age buys'),
	(7, 'frauds', 'count for nothing, and get no list of their own'),
	(8, 'promotions', 'lift a product while they last, within bounds')) r (n, rule, declared) ORDER BY n;

\echo '3. A customer: who it is, what was bought, and what the generator knows'
SELECT customer_id AS customer, country, age_band AS age,
	   (SELECT string_agg(theme || ' ' || round(100 * share) || ' %', '; ' ORDER BY share DESC) FROM true_tastes t WHERE t.customer_id = c.customer_id) AS "likes (nobody told the recommender)"
FROM customers c WHERE customer_id = :customer;
SELECT title AS bought, round(price) AS price, to_char(purchased_at, 'FMMonth') AS "in" FROM (
	SELECT DISTINCT ON (canonical_product_id) title, p.price, purchased_at FROM purchases p JOIN products USING (product_id) WHERE customer_id = :customer
	ORDER BY canonical_product_id, purchased_at DESC) b ORDER BY purchased_at DESC LIMIT 8;
\echo 'recommend_with_reasons(customer, 10, ''home'')'
\timing on
SELECT r.rank, o.title AS recommended, o.cost, o.seller, r.reason,
	   CASE WHEN theme IN (SELECT theme FROM true_tastes WHERE customer_id = :customer) THEN 'yes' END AS "likes it"
FROM recommend_with_reasons(:customer, 10, 'home') r JOIN offered o USING (item_id)
ORDER BY r.rank;
\timing off

\echo '4. The first two are sold out at this moment, and the next page view knows:'
CREATE TEMP TABLE before AS SELECT * FROM recommend(:customer, 10, 'home');
UPDATE products SET stock = 0 WHERE product_id IN (SELECT item_id FROM before WHERE rank <= 2);
\timing on
SELECT r.rank, o.title AS recommended, o.cost, o.seller, CASE WHEN r.item_id NOT IN (SELECT item_id FROM before) THEN 'comes in' END AS change
FROM recommend(:customer, 10, 'home') r JOIN offered o USING (item_id) ORDER BY r.rank;
\timing off
UPDATE products SET stock = 10 WHERE product_id IN (SELECT item_id FROM before WHERE rank <= 2);

\echo '5. Newcomers, of whom the registration is known and no more'
INSERT INTO customers VALUES (1000001, 'DE', '30-39', now(), true, false), (1000002, 'FR', '65+', now(), true, false);
\timing on
SELECT rank, max(title) FILTER (WHERE country = 'DE') AS "Germany, 30-39", max(title) FILTER (WHERE country = 'FR') AS "France, 65+"
FROM customers, LATERAL recommend(customer_id, 6, 'home') r JOIN offered o USING (item_id)
WHERE customer_id > 1000000 GROUP BY rank ORDER BY rank;
\timing off

\echo '6. A visitor without a name, with something in the cart, who looks for things below 30'
SELECT string_agg(product_id::text, ',') AS cart, string_agg(title, ' and ') AS cart_titles FROM (
	SELECT DISTINCT ON (c.category) o.product_id, o.title FROM canonical_products c JOIN products o USING (canonical_product_id)
	WHERE theme_rank <= 2 AND c.category IN ('kitchen', 'coffee and tea') ORDER BY c.category, canonical_product_id) p
\gset
SELECT jsonb_build_object('cart', ARRAY[:cart], 'filter', '{"max_price": 30}'::jsonb) AS context
\gset
\echo 'In the cart: ':cart_titles
\echo 'recommend(NULL, 5, ''home'', context =>' :'context' ')'
\timing on
SELECT r.rank, o.title AS "also", o.cost, o.seller, r.source
FROM recommend(NULL::bigint, 5, 'home', context => :'context') r JOIN offered o USING (item_id) ORDER BY r.rank;
\timing off

\echo '7. On the page of a product: what else of the kind, and what goes with it'
SELECT product_id AS item, title AS item_title FROM products JOIN purchases USING (product_id) WHERE category = 'kitchen' GROUP BY product_id, title ORDER BY count(*) DESC, product_id LIMIT 1
\gset
\echo 'The product: ':item_title
\timing on
SELECT s.rank, o.title AS "similar_items(item, 5)", g.title AS "goes_with(item, 5)"
FROM similar_items(:item, 5, 'home') s JOIN offered o ON o.item_id = s.item_id
FULL JOIN (SELECT r.rank, title FROM goes_with(:item, 5, 'home') r JOIN offered o ON o.item_id = r.item_id) g USING (rank) ORDER BY rank;
\timing off

\echo '8. What sellers see: recsys.seller_exposure(''home''), the three most shown and the three least'
\timing on
CREATE TEMP TABLE exposure AS SELECT * FROM recsys.seller_exposure('home', now() - interval '90 days', users => 500);
\timing off
SELECT s.name AS seller, shown AS "places on 500 lists", round((100 * shown_share)::numeric, 1) AS "% of places", round((100 * listed_share)::numeric, 1) AS "% of offers", round((100 * sold_share)::numeric, 1) AS "% of sales"
FROM ((SELECT * FROM exposure ORDER BY shown DESC, seller_id LIMIT 3) UNION ALL (SELECT * FROM exposure ORDER BY shown, seller_id LIMIT 3)) e
JOIN sellers s ON s.seller_id = e.seller_id::integer ORDER BY shown DESC, s.seller_id;

\echo '9. A campaign: to whom do we write about this product?  recsys.audience(''home'', item, 1000): those who may be written to'
SELECT item_id AS item, title AS item_title, theme AS item_theme FROM offered WHERE stock > 0 AND listed_at < now() - interval '1 year' AND category = 'audio'
	AND item_id IN (SELECT product_id FROM purchases GROUP BY product_id HAVING count(DISTINCT customer_id) BETWEEN 15 AND 60) ORDER BY item_id LIMIT 1
\gset
\echo 'The product: ':item_title' (':item_theme')'
\timing on
CREATE TEMP TABLE audience AS SELECT a.*, c.accepts_mail FROM recsys.audience('home', :'item', 1000) a JOIN customers c ON c.customer_id = a.user_id::bigint;
\timing off
SELECT rank, user_id AS customer, reason FROM audience ORDER BY rank LIMIT 3;
SELECT count(*) AS customers, count(*) FILTER (WHERE NOT accepts_mail) AS "of those who want no mail",
	   round(100.0 * count(*) FILTER (WHERE rank <= 100 AND theme IS NOT NULL) / 100) AS "of the first 100 like such things, %",
	   (SELECT round(100.0 * count(DISTINCT customer_id) FILTER (WHERE theme = :'item_theme') / count(DISTINCT customer_id)) FROM true_tastes) AS "of all customers, %"
FROM audience a LEFT JOIN true_tastes t ON t.customer_id = a.user_id::bigint AND t.theme = :'item_theme';

\echo '10. A new product, which nobody has bought: an index over what products say of themselves, as content of home'
\timing on
CREATE INDEX products_recsys ON products USING recsys_items (product_id, category, brand text_label_ops, title, price);
\timing off
SELECT recsys.alter_recommender('home', content => 'products_recsys') \g /dev/null
INSERT INTO canonical_products
SELECT 1000000, format('%s, new', regexp_replace(title, ' [0-9]+$', '')), category, brand, consumable, price, now(), theme, 1000000, quality
FROM canonical_products WHERE NOT consumable AND theme = (SELECT theme FROM true_tastes WHERE customer_id = :customer ORDER BY share DESC, theme LIMIT 1) ORDER BY theme_rank LIMIT 1;
INSERT INTO products SELECT 1000000, canonical_product_id, 1, title, category, brand, consumable, price, 0, 10, false, now() FROM canonical_products WHERE canonical_product_id = 1000000;
SELECT title AS item_title, theme AS item_theme FROM offered WHERE item_id = 1000000
\gset
\echo 'The product: ':item_title' (':item_theme')'
\timing on
SELECT s.rank, o.title AS "similar_items(item, 5)", o.cost, round(s.score::numeric, 2) AS score
FROM similar_items(1000000, 5, 'products_recsys') s JOIN offered o USING (item_id) ORDER BY s.rank;
CREATE TEMP TABLE sees_it AS SELECT c AS customer_id FROM generate_series(1, 300) c WHERE EXISTS (SELECT FROM recommend(c, 20, 'home') r WHERE r.item_id = 1000000);
\timing off
SELECT count(*) AS "see it, of 300 customers", round(100.0 * count(t.theme) / greatest(count(*), 1)) AS "of those like such things, %",
	   (SELECT round(100.0 * count(DISTINCT customer_id) FILTER (WHERE theme = :'item_theme') / count(DISTINCT customer_id)) FROM true_tastes) AS "of all customers, %"
FROM sees_it s LEFT JOIN true_tastes t ON t.customer_id = s.customer_id AND t.theme = :'item_theme';

\echo '11. An attack: 200 made-up customers buy the bestsellers and one thing that nobody wants'
SELECT p.product_id AS pushed, p.title AS pushed_title FROM products p LEFT JOIN purchases b USING (product_id)
WHERE stock > 0 AND NOT suspected_fake AND NOT consumable AND p.listed_at < now() - interval '1 year' AND (SELECT count(*) FROM products o WHERE o.canonical_product_id = p.canonical_product_id) = 1
GROUP BY p.product_id, p.title ORDER BY count(b.customer_id), p.product_id LIMIT 1
\gset
CREATE TEMP TABLE attack (step integer, what text, lists bigint, pages bigint);
CREATE TEMP TABLE bestsellers AS SELECT item_id FROM popular_items(20, 'purchases_recsys');
CREATE FUNCTION pg_temp.look(step integer, what text, pushed bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO attack SELECT step, what, (SELECT count(*) FROM generate_series(1, 1000) c, LATERAL recommend(c, 10, 'home') r WHERE item_id = pushed),
		(SELECT count(*) FROM bestsellers b, LATERAL similar_items(b.item_id, 10, 'home') s WHERE s.item_id = pushed) $$;
SELECT pg_temp.look(1, 'before', :pushed) \g /dev/null
INSERT INTO customers SELECT 2000000 + n, 'DE', '30-39', now(), false, false FROM generate_series(1, 200) n;
INSERT INTO purchases
SELECT 10000000 + 21 * n + place, 2000000 + n, product_id, 1, 10, now() FROM generate_series(1, 200) n,
	(SELECT :pushed AS product_id, 0 AS place UNION ALL SELECT item_id, row_number() OVER () FROM bestsellers) p;
SELECT recsys.merge('purchases_recsys'), recsys.refresh_recommender('home') \g /dev/null
SELECT pg_temp.look(2, 'nobody has noticed', :pushed) \g /dev/null
UPDATE customers SET is_fraud = true WHERE customer_id > 2000000;
SELECT recsys.refresh_recommender('home') \g /dev/null
SELECT pg_temp.look(3, 'marked as frauds (is_fraud)', :pushed) \g /dev/null
\echo 'Pushed: ':pushed_title
SELECT what AS "the attack", lists AS "of 1000 customers see it", pages AS "of 20 bestsellers' pages show it" FROM attack ORDER BY step;
DELETE FROM purchases WHERE customer_id > 2000000;
DELETE FROM customers WHERE customer_id > 2000000;

\echo '12. How good is it?  Of what is shown to 1000 customers, how much is within their true tastes; and what variety costs'
CREATE TEMP TABLE shown (place integer, list text, customer_id bigint, item_id bigint);
\timing on
INSERT INTO shown SELECT 1, 'home, with all rules', c, item_id FROM generate_series(1, 1000) c, LATERAL recommend(c, 10, 'home') r;
\timing off
SELECT recsys.alter_recommender('home', reset => '{caps,max_per_seller}') \g /dev/null
INSERT INTO shown SELECT 2, 'without limits for categories, brands, sellers', c, item_id FROM generate_series(1, 1000) c, LATERAL recommend(c, 10, 'home') r;
SELECT recsys.alter_recommender('home', diversity => 0, new_item_share => 0, new_seller_share => 0) \g /dev/null
INSERT INTO shown SELECT 3, 'nor chances for the new', c, item_id FROM generate_series(1, 1000) c, LATERAL recommend(c, 10, 'home') r;
INSERT INTO shown SELECT 4, 'the index of purchases, no rules at all', c, item_id FROM generate_series(1, 1000) c, LATERAL recommend(c, 10, 'purchases_recsys') r
UNION ALL SELECT 5, 'bestsellers', c, item_id FROM generate_series(1, 1000) c, popular_items(10, 'purchases_recsys');
SELECT list, round(100.0 * count(t.theme) / count(*)) AS "within the tastes, %", count(DISTINCT s.item_id) AS "different offers shown",
	   round(avg(categories), 1) AS "categories on a list", round(100.0 * count(*) FILTER (WHERE o.stock = 0) / count(*)) AS "sold out, %"
FROM (SELECT *, count(*) FILTER (WHERE first) OVER (PARTITION BY place, customer_id) AS categories
	  FROM (SELECT s.*, row_number() OVER (PARTITION BY place, customer_id, o.category) = 1 AS first FROM shown s JOIN offered o USING (item_id)) s) s
JOIN customers USING (customer_id) JOIN offered o USING (item_id) LEFT JOIN true_tastes t ON t.customer_id = s.customer_id AND t.theme = o.theme
WHERE NOT is_fraud GROUP BY list, place ORDER BY place;
