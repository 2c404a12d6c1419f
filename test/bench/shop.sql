-- A shop around the benchmark's interactions: items with sellers, categories and stock, a second
-- signal, and the recommenders that run.sh measures.
CREATE TABLE views AS SELECT user_id, item_id, now() - interval '30 days' * (hashint8(user_id * 31 + item_id) & 65535) / 65536 AS viewed_at FROM viewed;
CREATE TABLE items AS
SELECT i AS item_id, (hashint8(i) & 65535) % 500 AS seller_id, 'category ' || (hashint8(-i) & 65535) % 100 AS category,
	   5 + (hashint8(i * 3) & 65535) % 100 AS price, (hashint8(i * 7) & 65535) % 10 AS stock, i % 10000 = 17 AS is_rare
FROM generate_series(1::bigint, :items) i;
ALTER TABLE items ADD PRIMARY KEY (item_id);
CREATE INDEX views_recsys ON views USING recsys (user_id, item_id, (1), viewed_at) WITH (similarity = cosine);
CREATE MATERIALIZED VIEW similarity AS SELECT item_id, similar_item_id, score FROM item_similarity('pairs_recsys');
CREATE UNIQUE INDEX ON similarity (item_id, similar_item_id) INCLUDE (score);
CREATE TABLE typical AS
SELECT row_number() OVER () AS n, user_id FROM (SELECT user_id FROM pairs GROUP BY user_id HAVING count(*) BETWEEN 68 AND 72) u;
ALTER TABLE typical ADD PRIMARY KEY (n);
VACUUM ANALYZE pairs, views, items, similarity, typical;

SELECT recsys.create_recommender('nothing', signals => '[{"events": "pairs_recsys"}]');
SELECT recsys.create_recommender('filtered', signals => '[{"events": "pairs_recsys"}]', items => 'items', item_key => 'item_id', item_filter => 'stock > 0');
SELECT recsys.create_recommender('signals', signals => '[{"events": "pairs_recsys"}, {"events": "views_recsys", "weight": 0.2, "half_life": "7 days"}]');
SELECT recsys.create_recommender('shop', signals => '[{"events": "pairs_recsys"}, {"events": "views_recsys", "weight": 0.2, "half_life": "7 days"}]',
	items => 'items', item_key => 'item_id', item_filter => 'stock > 0', category => 'category', seller => 'seller_id', max_per_seller => 2, diversity => 0.3);
SELECT recsys.create_recommender('rare', signals => '[{"events": "pairs_recsys"}]', items => 'items', item_key => 'item_id', item_filter => 'is_rare');
-- of this one the planner cannot know how few pass
SELECT recsys.create_recommender('unknown', signals => '[{"events": "pairs_recsys"}]', items => 'items', item_key => 'item_id', item_filter => 'abs(item_id) % 10000 = 17');
SELECT recsys.create_recommender('tabled', signals => '[{"events": "pairs_recsys", "graph": "similarity"}]');
