/*
 * The Complete Journey: a sample of a grocery chain's till, households with their demographics,
 * prices, and what was in the leaflet each week.  Run by marketplaces.sh with the paths of the files.
 */
SET client_min_messages = warning;
CREATE TABLE transactions (household_id bigint NOT NULL, store_id integer, basket_id numeric, product_id bigint NOT NULL, quantity integer,
	sales_value numeric, retail_disc numeric, coupon_disc numeric, coupon_match_disc numeric, week integer NOT NULL, transaction_timestamp timestamp NOT NULL);
CREATE TABLE products (product_id bigint PRIMARY KEY, manufacturer_id integer, department text, brand text, product_category text,
	product_type text, package_size text);
CREATE TABLE demographics (household_id bigint PRIMARY KEY, age text, income text, home_ownership text, marital_status text,
	household_size text, household_comp text, kids_count text);
CREATE TABLE promotions (product_id bigint, store_id integer, display_location text, mailer_location text, week integer);
-- the files write some whole numbers as 9e+05
CREATE TEMP TABLE transactions_file (household_id numeric, store_id numeric, basket_id numeric, product_id numeric, quantity numeric,
	sales_value numeric, retail_disc numeric, coupon_disc numeric, coupon_match_disc numeric, week numeric, transaction_timestamp timestamp);
CREATE TEMP TABLE products_file (product_id numeric, manufacturer_id numeric, department text, brand text, product_category text, product_type text, package_size text);
CREATE TEMP TABLE promotions_file (product_id numeric, store_id numeric, display_location text, mailer_location text, week numeric);
COPY transactions_file FROM :'transactions_sample' (FORMAT csv, HEADER, NULL 'NA');
COPY products_file FROM :'products' (FORMAT csv, HEADER, NULL 'NA');
COPY promotions_file FROM :'promotions_sample' (FORMAT csv, HEADER, NULL 'NA');
COPY demographics FROM :'demographics' (FORMAT csv, HEADER, NULL 'NA');
INSERT INTO transactions SELECT * FROM transactions_file;
INSERT INTO products SELECT * FROM products_file;
INSERT INTO promotions SELECT * FROM promotions_file;
CREATE INDEX ON promotions (week, product_id);
-- the week that it is, for the leaflet
CREATE TABLE this_week (week integer NOT NULL);
INSERT INTO this_week SELECT week FROM (SELECT week, percent_rank() OVER (ORDER BY transaction_timestamp) AS share FROM transactions) t WHERE share > 0.8 ORDER BY share LIMIT 1;
CREATE VIEW leaflet AS
SELECT product_id, week, CASE WHEN bool_or(mailer_location = 'A') THEN 1.2 ELSE 1.1 END::double precision AS boost
FROM promotions WHERE mailer_location <> '0' GROUP BY product_id, week;

SELECT min(transaction_timestamp) AS cut FROM transactions WHERE week = (SELECT week FROM this_week)
\gset
\echo
\echo '### Complete Journey'
SELECT count(*) AS lines, count(DISTINCT household_id) AS households, count(DISTINCT product_id) AS "products bought",
	   (SELECT count(*) FROM demographics) AS "with demographics", count(*) FILTER (WHERE transaction_timestamp >= :'cut') AS "lines held out" FROM transactions;
CREATE TABLE later AS SELECT * FROM transactions WHERE transaction_timestamp >= :'cut';
DELETE FROM transactions WHERE transaction_timestamp >= :'cut';
VACUUM ANALYZE;

-- petrol and coupons say nothing of what else a household buys, and are in no list
SELECT string_agg(product_id::text, ',') AS others FROM (SELECT DISTINCT product_id FROM transactions) t LEFT JOIN products USING (product_id)
WHERE coalesce(department, 'MISCELLANEOUS') IN ('FUEL', 'MISCELLANEOUS', 'COUPON')
\gset
CREATE INDEX till_recsys ON transactions USING recsys (household_id, product_id, (1), transaction_timestamp) WHERE product_id NOT IN (:others);
\set shown 'department NOT IN (''FUEL'', ''MISCELLANEOUS'', ''COUPON'') AND product_type IS NOT NULL'
-- who they are and what they want; nothing else
SELECT recsys.create_recommender('till',
	signals => '[{"events": "till_recsys", "name": "bought", "price": "sales_value / nullif(quantity, 0)"}]',
	items => 'products', item_key => 'product_id', item_filter => :'shown', title => 'product_type', category => 'product_category', repeatable => 'true',
	profiles => 'demographics', profile_key => 'household_id', segment => 'age || '', '' || income', larger_segments => '{age}') \g /dev/null
-- and all that the chain would like: variety, the leaflet, one size of a thing
SELECT recsys.create_recommender('rules',
	signals => '[{"events": "till_recsys", "name": "bought", "price": "sales_value / nullif(quantity, 0)"}]',
	items => 'products', item_key => 'product_id', item_filter => :'shown', title => 'product_type', category => 'product_category', repeatable => 'true',
	group_by => 'product_type', caps => '{"product_category": 2, "department": 6}', diversity => 0.2,
	profiles => 'demographics', profile_key => 'household_id', segment => 'age || '', '' || income', larger_segments => '{age}',
	promotions => '{"table": "leaflet", "item": "product_id", "boost": "boost", "when": "week = (SELECT week FROM this_week)"}') \g /dev/null
SELECT recsys.refresh_recommender('till'), recsys.refresh_recommender('rules') \g /dev/null
VACUUM ANALYZE;

/*
 * What households that are known bought afterwards
 */
INSERT INTO held SELECT DISTINCT household_id::text, product_id::text FROM later l JOIN products USING (product_id)
WHERE :shown AND household_id IN (SELECT household_id FROM transactions);
CREATE TABLE shown AS SELECT t.* FROM transactions t JOIN products USING (product_id) WHERE :shown;
CREATE TABLE popular AS SELECT product_id, count(DISTINCT household_id) AS users, row_number() OVER (ORDER BY count(DISTINCT household_id) DESC, product_id) AS rank
FROM shown GROUP BY product_id;
CREATE TABLE popular_in AS
SELECT age, income, product_id, count(DISTINCT household_id) AS users,
	   row_number() OVER (PARTITION BY age, income ORDER BY count(DISTINCT household_id) DESC, product_id) AS rank
FROM shown JOIN demographics USING (household_id) GROUP BY age, income, product_id;
CREATE TABLE asked AS SELECT DISTINCT customer::bigint AS household_id FROM held;
INSERT INTO lists SELECT name, household_id, r.rank, r.item_id, r.source
FROM asked, unnest('{till,rules}'::text[]) name, LATERAL recommend(household_id, 10, name) r;
INSERT INTO lists SELECT 'popular', household_id, rank, product_id FROM asked, popular WHERE rank <= 10;
-- popular by segment, where there is one; of five households or more
INSERT INTO lists SELECT 'popular by segment', household_id, row_number() OVER (PARTITION BY household_id ORDER BY place, rank), product_id
FROM (SELECT household_id, product_id, min(place) AS place, min(rank) AS rank
	  FROM (SELECT household_id, product_id, 1 AS place, rank FROM asked JOIN demographics USING (household_id) JOIN popular_in USING (age, income) WHERE rank <= 10 AND users >= 5
			UNION ALL SELECT household_id, product_id, 2, rank FROM asked, popular WHERE rank <= 20) b
	  GROUP BY household_id, product_id) l;
DELETE FROM lists WHERE rank > 10;
-- what each bought most often
INSERT INTO lists SELECT 'bought most often before', household_id, row_number() OVER (PARTITION BY household_id ORDER BY place, often DESC, product_id), product_id
FROM (SELECT household_id, product_id, min(place) AS place, max(often) AS often
	  FROM (SELECT household_id, product_id, 1 AS place, count(DISTINCT basket_id) AS often FROM shown JOIN asked USING (household_id) GROUP BY household_id, product_id
			UNION ALL SELECT household_id, product_id, 2, users FROM asked, popular WHERE rank <= 20) b
	  GROUP BY household_id, product_id) l;
DELETE FROM lists WHERE rank > 10;
\echo 'What households buy afterwards, known things included:'
SELECT * FROM figures ORDER BY "NDCG@10" DESC;

/* And what is new to them */
SET search_path = new_things, public;
CREATE SCHEMA new_things;
\ir lists.sql
INSERT INTO new_things.held SELECT h.* FROM public.held h WHERE NOT EXISTS (SELECT FROM shown s WHERE (s.household_id::text, s.product_id::text) = (h.customer, h.item));
SELECT recsys.alter_recommender('till', reset => '{repeatable}'), recsys.alter_recommender('rules', reset => '{repeatable}') \g /dev/null
INSERT INTO lists SELECT name, customer, r.rank, r.item_id, r.source
FROM (SELECT DISTINCT customer FROM held) c, unnest('{till,rules}'::text[]) name, LATERAL recommend(customer::bigint, 10, name) r;
INSERT INTO lists SELECT 'popular', customer, row_number() OVER (PARTITION BY customer ORDER BY rank), product_id
FROM (SELECT DISTINCT customer FROM held) c, LATERAL (SELECT * FROM popular p
	WHERE NOT EXISTS (SELECT FROM shown s WHERE s.household_id::text = customer AND s.product_id = p.product_id) ORDER BY rank LIMIT 10) p;
INSERT INTO lists SELECT 'popular by segment', customer, row_number() OVER (PARTITION BY customer ORDER BY place, rank), product_id
FROM (SELECT customer, product_id, min(place) AS place, min(rank) AS rank
	  FROM (SELECT customer, product_id, 1 AS place, rank FROM (SELECT DISTINCT customer FROM held) c JOIN demographics d ON d.household_id::text = customer JOIN popular_in USING (age, income) WHERE rank <= 60 AND users >= 5
			UNION ALL SELECT customer, product_id, 2, rank FROM (SELECT DISTINCT customer FROM held) c, popular WHERE rank <= 60) b
	  WHERE NOT EXISTS (SELECT FROM shown s WHERE (s.household_id::text, s.product_id) = (b.customer, b.product_id))
	  GROUP BY customer, product_id) l;
DELETE FROM lists WHERE rank > 10;
\echo 'What households buy afterwards that is new to them:'
SELECT * FROM figures ORDER BY "NDCG@10" DESC;
RESET search_path;
SELECT recsys.alter_recommender('till', repeatable => 'true'), recsys.alter_recommender('rules', repeatable => 'true') \g /dev/null

\echo 'Newcomers: what is popular in the five largest segments, beyond what is popular everywhere'
SELECT segment, households, (SELECT string_agg(product_type, '; ' ORDER BY r.rank) FROM popular_items(8, 'till', segment => segment) r JOIN products p ON p.product_id = r.item_id
	WHERE r.item_id NOT IN (SELECT product_id FROM popular WHERE popular.rank <= 10)) AS popular
FROM (SELECT age || ', ' || income AS segment, count(*) AS households FROM demographics GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5) s;

\echo 'Ten households, for you to judge (recommender rules):'
SELECT CASE WHEN r.rank = 1 THEN d.household_id || ': ' || concat_ws(', ', d.age, d.income, d.household_comp) END AS household,
	   CASE WHEN r.rank = 1 THEN (SELECT string_agg(product_type || ' ' || n || 'x', ', ') FROM (
			SELECT lower(left(product_type, 18)) AS product_type, count(*) AS n FROM shown JOIN products USING (product_id) WHERE household_id = d.household_id GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 4) t) END AS "bought most",
	   r.rank, p.department, p.product_type AS recommended, r.reason,
	   CASE WHEN EXISTS (SELECT FROM later l WHERE l.household_id = d.household_id AND l.product_id = r.item_id) THEN 'bought' END AS then
FROM (SELECT * FROM demographics WHERE household_id IN (SELECT household_id FROM asked) ORDER BY md5(household_id::text) LIMIT 10) d,
	 LATERAL recommend_with_reasons(d.household_id, 10, 'rules') r JOIN products p ON p.product_id = r.item_id
ORDER BY md5(d.household_id::text), r.rank;
