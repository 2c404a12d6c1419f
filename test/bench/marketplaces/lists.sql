/*
 * What the marketplaces are measured by, in plain SQL: lists of ten against items held out.
 */
CREATE TABLE held (customer text, item text, PRIMARY KEY (customer, item));
CREATE TABLE lists (list text, customer text, rank integer, item text, source text, PRIMARY KEY (list, customer, rank));

-- of each list: how many customers got one of what they were to buy; normalised discounted
-- cumulative gain; how many different lists there are to a hundred customers; how many items
-- are in some list
CREATE VIEW figures AS
WITH customers AS (SELECT customer, least(10, count(*)) AS held FROM held GROUP BY customer),
ideals AS (SELECT n AS held, sum(ln(2) / ln(n + 1)) OVER (ORDER BY n) AS ideal FROM generate_series(1, 10) n),
each AS (
	SELECT list, customer, count(h.item) > 0 AS hit, coalesce(sum(ln(2) / ln(l.rank + 1)) FILTER (WHERE h.item IS NOT NULL), 0) / min(ideal) AS gain,
		   array_agg(l.item ORDER BY l.rank) AS items
	FROM (SELECT DISTINCT list FROM lists) names CROSS JOIN customers JOIN ideals USING (held)
	LEFT JOIN lists l USING (list, customer) LEFT JOIN held h USING (customer, item)
	GROUP BY list, customer)
SELECT list, count(*) AS customers, round(100 * avg(hit::integer), 2) AS "hit rate @10, %", round(avg(gain)::numeric, 4) AS "NDCG@10",
	   round(100.0 * count(DISTINCT items) / count(*), 1) AS "different lists of 100",
	   (SELECT count(DISTINCT item) FROM lists l WHERE l.list = each.list) AS "items shown"
FROM each GROUP BY list;
