/*
 * The item graph in plain SQL: cosine of all item pairs that two users share,
 * the 100 best of every item.  Every pair is counted once and then mirrored.
 */
CREATE TABLE selfjoin AS
WITH item AS MATERIALIZED (
	SELECT item_id, count(*) AS users
	FROM pairs
	GROUP BY item_id
), pair AS MATERIALIZED (
	SELECT a.item_id AS low, b.item_id AS high, count(*) AS support
	FROM pairs a JOIN pairs b ON b.user_id = a.user_id AND b.item_id > a.item_id
	GROUP BY a.item_id, b.item_id
	HAVING count(*) >= 2
), scored AS (
	SELECT p.low, p.high, p.support, (p.support / sqrt(l.users::float8 * h.users))::real AS score
	FROM pair p JOIN item l ON l.item_id = p.low JOIN item h ON h.item_id = p.high
), mirrored AS (
	SELECT low AS item_id, high AS similar_item_id, support, score FROM scored
	UNION ALL
	SELECT high, low, support, score FROM scored
), ranked AS (
	SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY score DESC, similar_item_id) AS rank
	FROM mirrored
)
SELECT item_id, similar_item_id, score, support, rank
FROM ranked
WHERE rank <= 100;
