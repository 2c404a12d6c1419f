/*
 * New items: all interactions with a tenth of the items are held out, so that the rest speaks
 * for them by content alone; and of what is left, each user's last interaction.  Run by
 * content.sh, after a file that makes
 *
 *		events (user_id, item_id, place)	interactions, each pair once; place orders those of a user
 *		items (item_id, ...)				attributes of all items that have interactions, and more if you like
 *
 * and the variables attributes (columns of the items index), model (options of the index of
 * interactions), key (type of the items' keys), sample (users asked, at most).
 *
 * Lists are measured in plain SQL.  Of a user: recall@20 of the held-out interactions with new
 * items, recall@20 and NDCG@10 of the last one.
 */
\o /dev/null
ALTER TABLE items ADD is_new boolean NOT NULL DEFAULT false;
UPDATE items SET is_new = true
WHERE item_id IN (SELECT item_id FROM events) AND ('x' || left(md5(item_id::text), 6))::bit(24)::integer % 10 = 0;
CREATE TABLE purchases AS SELECT user_id, e.item_id, place FROM events e JOIN items USING (item_id) WHERE NOT is_new;
CREATE TABLE last AS
SELECT DISTINCT ON (user_id) user_id, item_id FROM (SELECT *, count(*) OVER (PARTITION BY user_id) AS n FROM purchases) p
WHERE n >= 3 ORDER BY user_id, place DESC, item_id;
DELETE FROM purchases p USING last l WHERE (p.user_id, p.item_id) = (l.user_id, l.item_id);
-- an item whose only interactions were last ones would be new as well
DELETE FROM last l WHERE NOT EXISTS (SELECT FROM purchases p WHERE p.item_id = l.item_id);
CREATE TABLE held AS
SELECT user_id, e.item_id, true AS is_new FROM events e JOIN items USING (item_id) WHERE is_new AND user_id IN (SELECT user_id FROM purchases)
UNION ALL SELECT user_id, item_id, false FROM last;
CREATE TABLE asked AS SELECT user_id FROM (SELECT DISTINCT user_id FROM held) u ORDER BY md5(user_id::text) LIMIT :sample;
DELETE FROM held WHERE user_id NOT IN (SELECT user_id FROM asked);
CREATE UNIQUE INDEX ON held (user_id, item_id);
CREATE INDEX ON purchases (user_id, item_id);
ALTER TABLE items ADD PRIMARY KEY (item_id);
CREATE TABLE lists (list text, user_id bigint, rank integer, item_id text, PRIMARY KEY (list, user_id, rank));
ANALYZE;

CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, item_id) WITH (:model);
CREATE INDEX items_recsys ON items USING recsys_items (item_id, :attributes);
VACUUM ANALYZE;
SELECT recsys.create_recommender('plain', signals => '[{"events": "purchases_recsys"}]', items => 'items', item_key => 'item_id');
SELECT recsys.create_recommender('home', signals => '[{"events": "purchases_recsys"}]', items => 'items', item_key => 'item_id', content => 'items_recsys');
SELECT recsys.create_recommender('new', signals => '[{"events": "purchases_recsys"}]', items => 'items', item_key => 'item_id', content => 'items_recsys',
	item_filter => 'is_new');
INSERT INTO lists SELECT 'interactions', user_id, r.rank, r.item_id FROM asked, LATERAL recommend(user_id, 20, 'plain', NULL::text) r;
INSERT INTO lists SELECT 'content and interactions', user_id, r.rank, r.item_id FROM asked, LATERAL recommend(user_id, 20, 'home', NULL::text) r;

-- popular items that the user does not have
CREATE TABLE popular AS SELECT item_id, row_number() OVER (ORDER BY count(*) DESC, md5(item_id::text)) AS place FROM purchases GROUP BY item_id;
CREATE INDEX ON popular (place);
INSERT INTO lists SELECT 'popular', user_id, row_number() OVER (PARTITION BY user_id ORDER BY p.place), p.item_id::text
FROM asked, LATERAL (SELECT * FROM popular p WHERE NOT EXISTS (SELECT FROM purchases i WHERE i.user_id = asked.user_id AND i.item_id = p.item_id)
	ORDER BY place LIMIT 20) p;
/*
 * Among new items nothing is known of any: the most popular ones are any.  By chance, and by what nobody can
 * know: how often they will be bought.
 */
CREATE TABLE news AS SELECT i.item_id, count(h.item_id) AS later FROM items i LEFT JOIN held h USING (item_id) WHERE i.is_new GROUP BY i.item_id;
INSERT INTO lists SELECT 'new: popular (later)', user_id, row_number() OVER (PARTITION BY user_id ORDER BY later DESC, n.item_id), n.item_id::text
FROM asked, (SELECT * FROM news ORDER BY later DESC, item_id LIMIT 20) n;
-- attributes alone: the sum of likenesses to what the user has, from the items index in SQL
CREATE TABLE likes AS SELECT item_id, similar_item_id, score FROM item_similarity('items_recsys', CAST(NULL AS :key));
CREATE INDEX ON likes (item_id) INCLUDE (similar_item_id, score);
VACUUM ANALYZE likes;
SET work_mem = '256MB';
CREATE TABLE liked AS
SELECT p.user_id, l.similar_item_id AS item_id, sum(l.score) AS score
FROM purchases p JOIN asked USING (user_id) JOIN likes l ON l.item_id = p.item_id
WHERE NOT EXISTS (SELECT FROM purchases i WHERE i.user_id = p.user_id AND i.item_id = l.similar_item_id)
GROUP BY p.user_id, l.similar_item_id;
INSERT INTO lists SELECT list, user_id, rank, item_id::text FROM (
	SELECT 'attributes' AS list, user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY score DESC, md5(item_id::text)) AS rank FROM liked
	UNION ALL
	SELECT 'new: attributes', user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY score DESC, md5(item_id::text))
	FROM liked JOIN items USING (item_id) WHERE is_new) l
WHERE rank <= 20;
-- no more places than there are new items of which content says something: the rest would be any
INSERT INTO lists SELECT 'new: content', user_id, r.rank, r.item_id
FROM (SELECT user_id, count(*) AS places FROM lists WHERE list = 'new: attributes' GROUP BY user_id) a, LATERAL recommend(user_id, places, 'new', NULL::text) r;

/*
 * Figures of each list and user; a user without held-out interactions of a kind has none.
 */
CREATE TABLE each AS
SELECT n.list, h.user_id,
	   (count(rank) FILTER (WHERE h.is_new))::float8 / nullif(count(*) FILTER (WHERE h.is_new), 0) AS new_recall,
	   (count(rank) FILTER (WHERE NOT h.is_new))::float8 / nullif(count(*) FILTER (WHERE NOT h.is_new), 0) AS last_recall,
	   sum(CASE WHEN rank <= 10 THEN ln(2) / ln(rank + 1) ELSE 0 END) FILTER (WHERE NOT h.is_new) AS last_ndcg
FROM (SELECT DISTINCT list FROM lists) n CROSS JOIN held h
LEFT JOIN lists l ON (l.list, l.user_id, l.item_id) = (n.list, h.user_id, h.item_id::text)
GROUP BY n.list, h.user_id;
\o

\echo 'Held out: interactions with new items, and the last one of each user.  Lists beginning with "new:" are of new items alone.'
SELECT list, count(new_recall) AS "users with new items", round(avg(new_recall)::numeric, 4) AS "new recall@20",
	   count(last_ndcg) AS "users with a last one", round(avg(last_recall)::numeric, 4) AS "last recall@20", round(avg(last_ndcg)::numeric, 4) AS "last NDCG@10",
	   (SELECT round(avg(i.is_new::integer), 3) FROM lists l JOIN items i ON i.item_id::text = l.item_id WHERE l.list = each.list) AS "new items in the lists"
FROM each GROUP BY list ORDER BY list LIKE 'new:%', list;
SELECT * FROM recsys.content_weight WHERE recommender = 'home' \gx

/*
 * The usual test beside it: no item is new, each user's last interaction is held out.
 */
\o /dev/null
CREATE TABLE all_purchases AS SELECT user_id, item_id, place FROM events;
CREATE TABLE all_last AS
SELECT DISTINCT ON (user_id) user_id, item_id FROM (SELECT *, count(*) OVER (PARTITION BY user_id) AS n FROM events) p
WHERE n >= 3 ORDER BY user_id, place DESC, item_id;
DELETE FROM all_purchases p USING all_last l WHERE (p.user_id, p.item_id) = (l.user_id, l.item_id);
DELETE FROM all_last WHERE user_id NOT IN (SELECT user_id FROM all_last ORDER BY md5(user_id::text) LIMIT :sample);
CREATE INDEX all_recsys ON all_purchases USING recsys (user_id, item_id) WITH (:model);
VACUUM ANALYZE all_purchases;
SELECT recsys.create_recommender('all_plain', signals => '[{"events": "all_recsys"}]', items => 'items', item_key => 'item_id');
SELECT recsys.create_recommender('all_home', signals => '[{"events": "all_recsys"}]', items => 'items', item_key => 'item_id', content => 'items_recsys');
CREATE TABLE warm AS
SELECT list, user_id, coalesce(max(ln(2) / ln(rank + 1)), 0) AS ndcg, count(rank) AS hit
FROM (VALUES ('interactions', 'all_plain'), ('content and interactions', 'all_home')) n (list, name) CROSS JOIN all_last h
LEFT JOIN LATERAL (SELECT * FROM recommend(h.user_id, 10, name, NULL::text) r WHERE r.item_id = h.item_id::text) r ON true
GROUP BY list, user_id;

-- Student's paired test, two-sided; normal for so many users (erfc: Abramowitz and Stegun 7.1.26)
CREATE FUNCTION p_value(z float8) RETURNS float8 LANGUAGE sql AS $$
	SELECT t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * exp(-z * z / 2)
	FROM (SELECT 1 / (1 + 0.3275911 * abs(z) / sqrt(2)) AS t) s $$;
CREATE FUNCTION paired(differences float8[], OUT mean float8, OUT error float8, OUT p float8) LANGUAGE sql AS $$
	SELECT m, e, CASE WHEN e > 0 THEN p_value(m / e) END
	FROM (SELECT avg(d) AS m, stddev_samp(d) / sqrt(count(*)) AS e FROM unnest(differences) d) s $$;
CREATE TABLE tests AS
SELECT 'new items among the others' AS setting, without, p.* FROM (
	SELECT avg(a.last_ndcg) AS without, array_agg(b.last_ndcg - a.last_ndcg) AS differences FROM each a JOIN each b USING (user_id)
	WHERE a.list = 'interactions' AND b.list = 'content and interactions' AND a.last_ndcg IS NOT NULL) s, paired(differences) p
UNION ALL
SELECT 'no item new', without, p.* FROM (
	SELECT avg(a.ndcg) AS without, array_agg(b.ndcg - a.ndcg) AS differences FROM warm a JOIN warm b USING (user_id)
	WHERE a.list = 'interactions' AND b.list = 'content and interactions') s, paired(differences) p;
\o
\echo 'Last interactions, no item is new:'
SELECT list, count(*) AS users, round(avg(hit), 4) AS "hit rate @10", round(avg(ndcg)::numeric, 4) AS "NDCG@10" FROM warm GROUP BY list ORDER BY list;
\echo 'NDCG@10 of the last one with content, less without, user by user:'
SELECT setting, round(without::numeric, 4) AS without, round(mean::numeric, 4) AS difference, round(error::numeric, 4) AS "standard error",
	   round(p::numeric, 4) AS "p, two-sided" FROM tests;

-- lines of the table that content.sh prints in the end
CREATE VIEW figures AS
SELECT avg(new_recall) FILTER (WHERE list = 'content and interactions') AS home, avg(new_recall) FILTER (WHERE list = 'new: content') AS new,
	   avg(new_recall) FILTER (WHERE list = 'new: popular (later)') AS later, avg(new_recall) FILTER (WHERE list = 'new: attributes') AS attributes,
	   (SELECT least(1, 20.0 / count(*)) FROM news) AS chance
FROM each;
CREATE VIEW summary AS
SELECT 1 AS place, 'recall@20 of new items among themselves, against the popularity they have (any 20)' AS measure, new AS ours, chance AS theirs FROM figures
UNION ALL SELECT 2, 'recall@20 of new items in one list with the others, against any 20 of the new ones', home, chance FROM figures
UNION ALL SELECT 3, 'recall@20 of new items among themselves, against those most bought later', new, later FROM figures
UNION ALL SELECT 4, 'recall@20 of new items among themselves, against attributes in SQL', new, attributes FROM figures
UNION ALL SELECT 5, 'NDCG@10 of last items with content against without, ' || setting || ', p = ' || round(p::numeric, 4), without + mean, without FROM tests;
