/*
 * Every function once, on data small enough to be checked by hand.
 *
 * Users of an item: 1001 has 4, 1002 has 4, 1003 and 1004 have 2, 1005 has 1.
 * Two pairs have two users or more: 1001 and 1002 (3 users, cosine 3/4) and
 * 1002 and 1003 (2 users, cosine 2/sqrt(8)).
 */
CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz);
INSERT INTO purchases VALUES
	(1, 1001, 1, '2024-01-01 00:00+00'), (1, 1002, 1, '2024-01-02 00:00+00'), (1, 1003, 1, '2024-01-03 00:00+00'),
	(2, 1001, 1, '2024-01-01 00:00+00'), (2, 1002, 1, '2024-01-05 00:00+00'),
	(3, 1001, 1, '2024-01-01 00:00+00'), (3, 1002, 1, '2024-01-01 00:00+00'), (3, 1004, 1, '2024-01-07 00:00+00'),
	(4, 1002, 1, '2024-01-01 00:00+00'), (4, 1003, 1, '2024-01-11 00:00+00'),
	(5, 1004, 1, '2024-01-01 00:00+00'), (5, 1005, 1, '2024-01-11 00:00+00'),
	(42, 1001, 1, '2024-01-01 00:00+00');

CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at);
\d purchases_recsys
SELECT recsys.check_index('purchases_recsys');
SELECT format_version, similarity, users, items, interactions, pairs, capped_users, capped_interactions,
	   built_at BETWEEN now() - interval '1 hour' AND clock_timestamp() AS built_now
FROM recsys.index_info('purchases_recsys');

-- in the select list, as composite values
SELECT recommend(42, 10);
SELECT popular_items(2), popular_items(3);

-- in FROM
SELECT * FROM recommend(42, 10);
SELECT * FROM recommend(4, 2);
SELECT * FROM similar_items(1001, 10);
SELECT * FROM similar_items(1002, 10);
SELECT * FROM similar_items(1005, 10);
SELECT * FROM recommend_for_items(ARRAY[1001, 1002], 10);
SELECT * FROM popular_items(10);
SELECT * FROM explain_recommendation(42, 1002);
SELECT * FROM explain_recommendation(2, 1003);
SELECT * FROM item_similarity('purchases_recsys');

-- unknown and NULL users and items
SELECT * FROM recommend(99, 3);
SELECT * FROM recommend(NULL::bigint, 3);
SELECT * FROM similar_items(99, 10);
SELECT * FROM similar_items(NULL::bigint);
SELECT * FROM recommend_for_items(ARRAY[99, NULL], 2);
SELECT * FROM recommend_for_items(NULL::bigint[], 2);
SELECT * FROM recommend_for_items('{}'::bigint[], 2);
SELECT * FROM explain_recommendation(42, 99);
SELECT * FROM explain_recommendation(99, 1002);
SELECT * FROM explain_recommendation(NULL::bigint, 1002);
SELECT * FROM explain_recommendation(42, NULL::bigint);

-- k: none, all, more than there is
SELECT count(*) FROM recommend(42, 0);
SELECT count(*) FROM recommend(42, NULL);
SELECT count(*) FROM recommend(42, 2147483647);
SELECT count(*) FROM similar_items(1001, 0);
SELECT count(*) FROM similar_items(1002, NULL);
SELECT count(*) FROM popular_items(0);
SELECT count(*) FROM popular_items(NULL);
SELECT count(*) FROM recommend_for_items(ARRAY[1001], NULL);

-- named arguments
SELECT * FROM recommend(user_id => 42, k => 2, recommender => 'purchases_recsys', exclude_seen => false, half_life => '1 day');
SELECT * FROM recommend(4, exclude_seen => false, k => 3);
SELECT * FROM recommend_for_items(items => ARRAY[1001], k => 2, exclude_given => false);
SELECT * FROM recommend_for_session(ARRAY[1001, 1002], 10);
SELECT * FROM recommend_for_session(items => ARRAY[1001], k => 2, exclude_given => false);
SELECT * FROM similar_items(item_id => 1002, k => 1, recommender => 'public.purchases_recsys');
SELECT * FROM popular_items(k => 2, recommender => 'purchases_recsys');
SELECT * FROM recently_viewed(3, 10);
SELECT * FROM recently_viewed(user_id => 42, k => 2, recommender => 'purchases_recsys');
SELECT * FROM trending_items(k => 2, recommender => 'purchases_recsys', window_size => '2 days');
SELECT * FROM explain_recommendation(user_id => 4, item_id => 1002, half_life => '10 days');
-- 1003 is user 4's latest: 1002 lies one half-life back
SELECT item_id, round(score::numeric, 6) AS score FROM recommend(4, 2, half_life => '10 days', exclude_seen => false);

-- trending: the interactions from the fifth of January on, and with one of two half-lives
SELECT * FROM popular_items(10, since => '2024-01-05 00:00+00');
SELECT item_id, users, round(score::numeric, 6) AS score FROM popular_items(3, half_life => '10 days');

-- the overloads that take the item type from a typed NULL
SELECT * FROM recommend(42, 2, 'purchases_recsys', NULL::integer);
SELECT * FROM popular_items(1, NULL, NULL::integer);
SELECT * FROM item_similarity('purchases_recsys', NULL::smallint) ORDER BY 1, 5;
SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM purchases', NULL::integer) ORDER BY 1, 5;

-- materialized views
CREATE MATERIALIZED VIEW product_similarity AS SELECT * FROM item_similarity('purchases_recsys');
CREATE UNIQUE INDEX ON product_similarity (item_id, similar_item_id);
REFRESH MATERIALIZED VIEW CONCURRENTLY product_similarity;
SELECT * FROM product_similarity ORDER BY item_id, rank;
\d product_similarity

-- from any query
CREATE VIEW any_view AS SELECT * FROM purchases;
SELECT * FROM query_item_similarity('SELECT user_id, product_id, quantity FROM any_view', similarity => 'jaccard', neighbors => 50)
ORDER BY item_id, rank;
SELECT * FROM query_item_similarity('SELECT user_id, product_id, purchased_at FROM any_view', min_support => 3)
ORDER BY item_id, rank;

-- an INSERT counts at once for the user, and for the others after a REINDEX
INSERT INTO purchases VALUES (42, 1003, 1, '2024-01-09 00:00+00');
SELECT * FROM recommend(42, 10);
SELECT * FROM similar_items(1003);
REINDEX INDEX purchases_recsys;
SELECT * FROM similar_items(1003);
SELECT recsys.check_index('purchases_recsys');

-- everything that is called or looked at has a comment
SELECT pg_describe_object(classid, objid, 0) AS uncommented
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'recsys')
  AND classid IN ('pg_proc'::regclass, 'pg_am'::regclass, 'pg_namespace'::regclass)
  AND obj_description(objid, classid::regclass::name) IS NULL
ORDER BY 1;
SELECT classid::regclass AS catalog, count(*)
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'recsys')
  AND classid <> 'pg_type'::regclass  -- of views: members from PostgreSQL 17 on
GROUP BY classid ORDER BY classid::regclass::text COLLATE "C";

DROP VIEW any_view;
DROP MATERIALIZED VIEW product_similarity;
DROP TABLE purchases;
