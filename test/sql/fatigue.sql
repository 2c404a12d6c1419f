-- Fatigue: what the log says was shown in vain loses, against plain SQL
SET client_min_messages = warning;
CREATE SCHEMA shop_fatigue;
SET search_path = shop_fatigue, public;
CREATE TABLE products (product_id integer PRIMARY KEY, title text, category text, price numeric, stock integer, model text, color text);
INSERT INTO products
SELECT p, 'Product ' || p, 'c' || p % 5, 5 + p % 20, 1, 'm' || p / 2, 'k' || p % 2 FROM generate_series(1, 60) p;
CREATE TABLE purchases (user_id integer, product_id integer, bought_at timestamptz);
INSERT INTO purchases
SELECT u, 1 + (u * 7 + x * x * 3 + u % 4 * x) % 58, timestamptz '2026-01-01' + u * interval '1 hour' + x * interval '1 day'
FROM generate_series(1, 200) u, generate_series(1, 6) x;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = cosine, min_support = 1);
VACUUM ANALYZE;

CREATE FUNCTION declare_shop(name text, VARIADIC given text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT recsys.create_recommender(%L, ''[{"events": "purchases_recsys"}]'', items => ''products'',
		item_key => ''product_id'', category => ''category'', item_filter => ''stock > 0''%s)', name, ', ' || array_to_string(given, ', '));
END
$$;
SELECT declare_shop('bare', 'seed => 0');
SELECT declare_shop('tiring', 'fatigue => 0.3');
SELECT declare_shop('worn', 'fatigue => 1', 'fatigue_window => ''2 days''');
SELECT name, fatigue, fatigue_window FROM recsys.recommenders ORDER BY name;

-- how a list is logged, so long ago: items in the order of their places
CREATE FUNCTION show(u text, recommender text, items text[], ago interval DEFAULT '1 hour') RETURNS uuid LANGUAGE sql AS $$
	INSERT INTO recsys.request_log (request_id, time, user_id, recommender, item_ids)
	VALUES (gen_random_uuid(), now() - ago, u, recommender, items) RETURNING request_id
$$;
CREATE FUNCTION happen(request uuid, what text, item text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
	SELECT request_id, time, what, item, time FROM recsys.request_log WHERE request_id = request
$$;

-- without a log the lists are the same
SELECT count(*) AS differ
FROM generate_series(1, 200, 7) u,
	 LATERAL (SELECT * FROM recommend(u, NULL, 'bare') EXCEPT SELECT * FROM recommend(u, NULL, 'tiring')) d;

/*
 * User 7: the best ten twice, the first of them once more by the index, its second clicked
 */
CREATE TABLE shown (item text, place integer);
DO $$
DECLARE
	ten text[] := (SELECT array_agg(item_id::text ORDER BY rank) FROM recommend(7, 10, 'bare'));
	request uuid;
BEGIN
	request := show('7', 'tiring', ten);
	PERFORM happen(request, 'click', ten[2]);
	PERFORM happen(request, 'hidden', ten[3]);		-- what a shop calls so is no reason to show it again
	PERFORM show('7', 'bare', ten, '6 days');		-- the same items by another recommender
	PERFORM show('7', 'shop_fatigue.purchases_recsys', ten[1:1]);
	PERFORM show('7', 'tiring', ten, '8 days');		-- too long ago
	PERFORM show('8', 'tiring', ten);				-- somebody else
	PERFORM show('7', 'of other things', ten);		-- of another kind
	PERFORM show('7', 'tiring', '{no number, NULL, 99999999999999999999, "7 ", "", 4711}');
	INSERT INTO shown SELECT item, place FROM unnest(ten) WITH ORDINALITY AS t (item, place), generate_series(1, 2);
	INSERT INTO shown VALUES (ten[1], 1);
	DELETE FROM shown WHERE item = ten[2];
END
$$;
CREATE TABLE expected AS
SELECT b.item_id, b.score * coalesce(0.7 ^ n, 1) AS score, b.source
FROM recommend(7, NULL, 'bare') b
	 LEFT JOIN (SELECT item, sum(1 / (ln(1 + place) / ln(2.0))) AS n FROM shown GROUP BY item) s ON s.item = b.item_id::text;
SELECT count(*) > 30 AS are_there, count(*) FILTER (WHERE t.score IS NULL OR abs(t.score - e.score) > 1e-6) AS wrong,
	count(*) FILTER (WHERE e.score > 0 AND t.source <> e.source) AS wrong_source
FROM expected e FULL JOIN recommend(7, NULL, 'tiring') t USING (item_id);
SELECT count(*) AS wrong_order
FROM (SELECT score, lead(score) OVER (ORDER BY rank) AS next FROM recommend(7, NULL, 'tiring')) r WHERE next > score;
-- of the first five of before some are gone, and the clicked one leads
SELECT (SELECT array_agg(item_id ORDER BY rank) FROM recommend(7, 5, 'bare'))[2] = (SELECT item_id FROM recommend(7, 1, 'tiring')) AS clicked_leads,
	(SELECT count(*) FROM recommend(7, 5, 'tiring')) AS rows;

-- explained: the parts add up to the score
SELECT count(*) AS items, count(*) FILTER (WHERE abs(parts - t.score) > 1e-6) AS wrong, count(*) FILTER (WHERE tired) AS tired
FROM recommend(7, NULL, 'tiring') t,
	 LATERAL (SELECT sum(contribution) AS parts, bool_or(part = 'fatigue') AS tired FROM explain_recommendation(7, t.item_id, 'tiring')) e
WHERE t.score > 0;
SELECT part, contribution < 0 AS takes, reason FROM explain_recommendation(7, (SELECT item_id FROM recommend(7, 1, 'bare')), 'tiring') WHERE part = 'fatigue';
-- neither the calls for sessions and carts nor those without a user know it
SELECT count(*) AS differ
FROM (SELECT * FROM recommend_for_items(ARRAY[3, 5], NULL, 'bare') EXCEPT SELECT * FROM recommend_for_items(ARRAY[3, 5], NULL, 'tiring')) d;

/*
 * fatigue => 1: what has been shown once comes last, and the list is as long as before
 */
SELECT count(*) AS all_of_them, min(rank) FILTER (WHERE item_id::text IN (SELECT item FROM shown)) AS first_of_the_shown,
	count(DISTINCT item_id) AS different
FROM recommend(7, NULL, 'worn');
SELECT count(*) AS as_many FROM recommend(7, NULL, 'bare');
-- six days ago is before its window: user 9
SELECT show('9', 'worn', (SELECT array_agg(item_id::text) FROM recommend(9, 3, 'bare')), '3 days') IS NOT NULL AS shown;
SELECT count(*) AS differ FROM (SELECT * FROM recommend(9, NULL, 'bare') EXCEPT SELECT * FROM recommend(9, NULL, 'worn')) d;
-- no more than the latest 200 requests count: user 10
SELECT count(show('10', 'worn', (SELECT array_agg(item_id::text) FROM recommend(10, 1, 'bare')), '5 hours')),
	count(show('10', 'worn', '{4711}')) FROM generate_series(1, 200) x;
SELECT count(*) AS differ FROM (SELECT * FROM recommend(10, NULL, 'bare') EXCEPT SELECT * FROM recommend(10, NULL, 'worn')) d;

-- who has no history gets others in place of the popular items that are shown in vain
SELECT show('9999', 'worn', (SELECT array_agg(item_id::text) FROM recommend(9999, 5, 'bare'))) IS NOT NULL AS shown;
SELECT count(*) AS of_the_shown
FROM recommend(9999, 5, 'worn') w JOIN recommend(9999, 5, 'bare') b USING (item_id);
SELECT count(*) AS all_of_them, min(rank) FILTER (WHERE item_id IN (SELECT item_id FROM recommend(9999, 5, 'bare'))) > 50 AS shown_ones_last
FROM recommend(9999, NULL, 'worn');
-- nobody knows whom
SELECT count(*) AS rows FROM recommend(NULL::integer, 5, 'worn');

/*
 * Offers of a group: the one that was shown loses, though the score is of another one
 */
SELECT declare_shop('offers', 'group_by => ''model''', 'offer_order => ''product_id''');
SELECT declare_shop('tired_offers', 'group_by => ''model''', 'offer_order => ''product_id''', 'fatigue => 0.5');
SELECT show('11', 'tired_offers', (SELECT array_agg(item_id::text ORDER BY rank) FROM recommend(11, 4, 'offers'))) IS NOT NULL AS shown;
SELECT count(*) AS items, count(*) FILTER (WHERE abs(t.score - o.score * coalesce(0.5 ^ (1 / (ln(1 + CASE WHEN o.rank <= 4 THEN o.rank END) / ln(2.0))), 1)) > 1e-6) AS wrong
FROM recommend(11, NULL, 'offers') o FULL JOIN recommend(11, NULL, 'tired_offers') t USING (item_id);
SELECT count(*) FILTER (WHERE abs(parts - t.score) > 1e-6) AS wrong_parts
FROM recommend(11, 10, 'tired_offers') t,
	 LATERAL (SELECT sum(contribution) AS parts FROM explain_recommendation(11, t.item_id, 'tired_offers')) e;

/*
 * Keys that are UUIDs or text; lists of an index declared without items
 */
CREATE TABLE votes AS
SELECT md5('u' || u)::uuid AS user_id, md5('i' || (u * 7 + x * x) % 11)::uuid AS item_id FROM generate_series(1, 40) u, generate_series(1, 3) x;
CREATE INDEX votes_recsys ON votes USING recsys (user_id, item_id) WITH (similarity = cosine, min_support = 1);
SELECT recsys.create_recommender('ballot', '[{"events": "votes_recsys"}]');
SELECT recsys.create_recommender('tired_ballot', '[{"events": "votes_recsys"}]', fatigue => 0.9);
SELECT show(md5('u1')::uuid::text, 'shop_fatigue.votes_recsys', (SELECT array_agg(item_id::text ORDER BY rank) FROM recommend(md5('u1')::uuid, 2, 'ballot', NULL::uuid)) || '{0123, not-a-uuid, 00000000-0000-0000-0000-0000000000000}') IS NOT NULL AS shown;
SELECT b.rank, round((t.score / b.score)::numeric, 4) AS factor
FROM recommend(md5('u1')::uuid, 3, 'ballot', NULL::uuid) b JOIN recommend(md5('u1')::uuid, NULL, 'tired_ballot', NULL::uuid) t USING (item_id) ORDER BY b.rank;
CREATE TABLE words AS SELECT 'u' || u AS user_id, 'i' || (u * 7 + x * x) % 11 AS item_id FROM generate_series(1, 40) u, generate_series(1, 3) x;
CREATE INDEX words_recsys ON words USING recsys (user_id, item_id) WITH (similarity = cosine, min_support = 1);
SELECT recsys.create_recommender('tired_words', '[{"events": "words_recsys"}]', fatigue => 0.9);
SELECT show('u1', 'tired_words', (SELECT array_agg(item_id ORDER BY rank) FROM recommend('u1'::text, 2, 'words_recsys', NULL::text))) IS NOT NULL AS shown;
SELECT b.rank, round((t.score / b.score)::numeric, 4) AS factor
FROM recommend('u1'::text, 3, 'words_recsys', NULL::text) b JOIN recommend('u1'::text, NULL, 'tired_words', NULL::text) t USING (item_id) ORDER BY b.rank;

/*
 * Rights: whoever may use the recommender is served by the log, and reads nothing of it
 */
CREATE ROLE regress_fatigue;
GRANT USAGE ON SCHEMA shop_fatigue TO regress_fatigue;
GRANT SELECT ON products, purchases TO regress_fatigue;
CREATE TABLE served AS SELECT * FROM recommend(7, 10, 'tiring');
GRANT SELECT ON served TO regress_fatigue;
SET ROLE regress_fatigue;
SELECT count(*) AS differ FROM (SELECT * FROM recommend(7, 10, 'tiring') EXCEPT SELECT * FROM served) d;
SELECT count(*) FROM recsys.request_log;
RESET ROLE;

-- what can be declared
SELECT recsys.alter_recommender('tiring', fatigue => 1.5);
SELECT recsys.alter_recommender('tiring', fatigue => 'NaN');
SELECT recsys.alter_recommender('tiring', fatigue_window => '-1 day');
SELECT recsys.alter_recommender('tiring', fatigue_window => '0');
SELECT recsys.alter_recommender('tiring', fatigue_window => 'a while');
SELECT recsys.alter_recommender('bare', fatigue_window => '1 day');
SELECT recsys.alter_recommender('tiring', fatigue_window => '36 hours', reason_formats => '{"fatigue": "seen often"}');
SELECT recsys.alter_recommender('tiring', reset => '{fatigue}');
SELECT recsys.alter_recommender('tiring', reset => '{fatigue, fatigue_window}');
SELECT count(*) AS differ FROM (SELECT * FROM recommend(7, NULL, 'bare') EXCEPT SELECT * FROM recommend(7, NULL, 'tiring')) d;

SELECT recsys.drop_recommender(name) FROM recsys.recommenders WHERE name IN ('bare', 'tiring', 'worn', 'offers', 'tired_offers', 'ballot', 'tired_ballot', 'tired_words');
DELETE FROM recsys.event_log;
DELETE FROM recsys.request_log;
DROP SCHEMA shop_fatigue CASCADE;
DROP ROLE regress_fatigue;
