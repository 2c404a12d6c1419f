/*
 * The demo's session, run by demo.sh in a directory with items.tsv and
 * baskets.tsv.  "Time:" lines belong to the statement before them.
 */
\pset footer off
\pset linestyle unicode
\pset border 1
\pset null ''

CREATE EXTENSION recsys;
CREATE TABLE items (item_id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE baskets (basket_id integer NOT NULL, item_id integer NOT NULL REFERENCES items);

\echo
\echo '1. Load the baskets'
\copy items FROM 'items.tsv'
\timing on
\copy baskets FROM 'baskets.tsv'
\timing off
SELECT count(DISTINCT basket_id) AS baskets, count(DISTINCT item_id) AS products,
	   count(*) AS "products in baskets",
	   round(count(*)::numeric / count(DISTINCT basket_id), 1) AS "products a basket"
FROM baskets;

\echo '2. Train: CREATE INDEX baskets_recsys ON baskets USING recsys (basket_id, item_id)'
\echo '          WITH (similarity = log_likelihood)'
\timing on
CREATE INDEX baskets_recsys ON baskets USING recsys (basket_id, item_id)
	WITH (similarity = log_likelihood);
\timing off
SELECT users AS baskets, items AS products, interactions, pairs AS "item pairs",
	   pg_size_pretty(pg_relation_size('baskets_recsys')) AS "index size"
FROM recsys.index_info('baskets_recsys');

\echo '3. Who buys this also buys: similar_items(item, 5)'
\timing on
SELECT i.name AS product,
	   string_agg(n.name || ' ' || to_char(s.score, 'FM9990'), ', ' ORDER BY s.rank) AS "most similar"
FROM items i,
	 LATERAL similar_items(i.item_id, 5) s,
	 items n
WHERE n.item_id = s.item_id
  AND i.name IN ('beef', 'tea', 'baby needs', 'pet foods', 'potatoes', '750ml red nz', 'kitchen')
GROUP BY i.name
ORDER BY i.name;
\timing off

\echo '4. Complete a basket: recommend_for_items(ARRAY[bread and cake, milk-cream], 5)'
\timing on
SELECT r.rank, i.name AS "also", round(r.score::numeric, 1) AS score
FROM recommend_for_items((SELECT array_agg(item_id::bigint) FROM items WHERE name IN ('bread and cake', 'milk-cream')), 5) r
JOIN items i ON i.item_id = r.item_id
ORDER BY r.rank;
\timing off

\echo '5. What basket 51 holds, and what else would go with it: recommend(51, 5)'
SELECT string_agg(i.name, ', ' ORDER BY i.name) AS "basket 51"
FROM baskets b JOIN items i USING (item_id) WHERE b.basket_id = 51;
\timing on
SELECT r.rank, i.name AS recommended, round(r.score::numeric, 1) AS score, r.source
FROM recommend(51, 5) r JOIN items i ON i.item_id = r.item_id
ORDER BY r.rank;
\timing off

\echo '6. Why the first of them: explain_recommendation(51, item), the five strongest reasons'
SELECT item_id AS best FROM recommend(51, 1)
\gset
\timing on
SELECT i.name AS "because of", round(e.contribution::numeric, 1) AS contribution,
	   e.support AS "baskets with both"
FROM explain_recommendation(51, :best) e JOIN items i ON i.item_id = e.because_item_id
ORDER BY e.rank LIMIT 5;
\timing off

\echo '7. The most popular: popular_items(5)'
\timing on
SELECT p.rank, i.name AS product, p.users AS baskets
FROM popular_items(5) p JOIN items i ON i.item_id = p.item_id
ORDER BY p.rank;
\timing off

\echo '8. A new basket counts at once: basket 9999 buys beef and potatoes, recommend(9999, 5)'
INSERT INTO baskets SELECT 9999, item_id FROM items WHERE name IN ('beef', 'potatoes');
\timing on
SELECT r.rank, i.name AS recommended, round(r.score::numeric, 1) AS score, r.source
FROM recommend(9999, 5) r JOIN items i ON i.item_id = r.item_id
ORDER BY r.rank;
\timing off

\echo '9. Retrain with REINDEX INDEX CONCURRENTLY; the item graph as a materialized view;'
\echo '   REFRESH MATERIALIZED VIEW CONCURRENTLY'
\timing on
REINDEX INDEX CONCURRENTLY baskets_recsys;
CREATE MATERIALIZED VIEW item_similarity AS SELECT * FROM item_similarity('baskets_recsys');
\timing off
CREATE UNIQUE INDEX ON item_similarity (item_id, similar_item_id);
\timing on
REFRESH MATERIALIZED VIEW CONCURRENTLY item_similarity;
\timing off
SELECT count(*) AS "item pairs", round(avg(score)::numeric, 1) AS "mean score", max(support) AS "largest support"
FROM item_similarity;

\echo '10. Every basket gets its five recommendations'
\timing on
SELECT count(*) AS recommendations, count(DISTINCT r.item_id) AS "different products"
FROM (SELECT DISTINCT basket_id FROM baskets) b, LATERAL recommend(b.basket_id, 5) r;
\timing off

\echo '11. Ten rules of the shop: what foretells a product best, no two of them about the same two products (association_rules)'
\timing on
CREATE MATERIALIZED VIEW rules AS
SELECT * FROM association_rules('baskets_recsys', min_support => 0.05, min_confidence => 0.4, max_length => 3);
\timing off
CREATE INDEX ON rules USING gin (antecedent);
WITH best AS (
	SELECT DISTINCT ON (consequent) *, antecedent || consequent AS products
	FROM rules ORDER BY consequent, lift DESC, antecedent)
SELECT 'Who buys ' || (SELECT string_agg(i.name, ' and ' ORDER BY i.name) FROM items i WHERE i.item_id = ANY (r.antecedent)) ||
	   ' also buys ' || c.name || ': ' || round(100 * r.confidence) || ' of 100 such baskets, ' ||
	   round(r.lift::numeric, 1) || ' times as many as among all' AS rule
FROM best r JOIN items c ON c.item_id = r.consequent
WHERE NOT EXISTS (
	SELECT FROM best better
	WHERE (better.lift, better.consequent) > (r.lift, r.consequent)
	  AND cardinality(ARRAY(SELECT unnest(better.products) INTERSECT SELECT unnest(r.products))) > 1)
ORDER BY r.lift DESC, r.consequent DESC LIMIT 10;

\echo '12. What goes with beef and potatoes, by the rules: complete_basket(ARRAY[beef, potatoes], 3, rules)'
\timing on
SELECT i.name AS "also", round(100 * b.confidence::numeric) || ' of 100' AS "baskets like this", round(b.lift::numeric, 2) AS lift
FROM complete_basket((SELECT array_agg(item_id::bigint) FROM items WHERE name IN ('beef', 'potatoes')), 3, 'rules') b
JOIN items i ON i.item_id = b.item_id
ORDER BY b.confidence DESC;
\timing off

\echo '13. The index is sound: recsys.check_index compared it with the table'
\timing on
DO $$ BEGIN PERFORM recsys.check_index('baskets_recsys'); END $$;
\timing off
