/*
 * Who comes, and something in every view.  After the shop of test/manual/shop.sql and what
 * doc/drivers.md makes in it.
 */
CREATE ROLE web LOGIN PASSWORD 'web''s secret';
GRANT SELECT ON purchases, products, clicks TO web;
GRANT USAGE ON SCHEMA shop TO web;
-- who reads all and may change nothing, as tools for reports are let in
CREATE ROLE analyst LOGIN PASSWORD 'analyst''s secret';
GRANT pg_read_all_data, pg_read_all_stats TO analyst;
GRANT USAGE ON SCHEMA shop TO analyst;

COMMENT ON SCHEMA shop IS 'what gateways see: "é" <€> 😀';
CREATE VIEW shop.catalogue AS SELECT product_id, name, price, tags, photo, embedding, listed_at FROM products;
COMMENT ON VIEW shop.catalogue IS 'what is on sale';
COMMENT ON COLUMN shop.catalogue.tags IS 'words, as an array';
GRANT SELECT ON shop.catalogue TO web;

CREATE MATERIALIZED VIEW shop.neighbors AS SELECT * FROM item_similarity('public.purchases_recsys');
CREATE UNIQUE INDEX ON shop.neighbors (item_id, similar_item_id);
COMMENT ON MATERIALIZED VIEW shop.neighbors IS 'the item graph';
COMMENT ON COLUMN shop.neighbors.score IS 'how alike they are';
GRANT SELECT ON shop.neighbors TO web;
SELECT recsys.configure_log(purchases => 'purchases_recsys');
SELECT recsys.create_experiment('front', variants => '{"control": "home", "other": "purchases_recsys"}', purchases => 'purchases');
SELECT recsys.create_bandit('slot', arms => '{home, purchases_recsys}');
SELECT count(*) FROM generate_series(1, 60) u, LATERAL recommend(u, 5, 'front', log => true, session_id => 's' || u);
SELECT count(*) FROM generate_series(1, 60) u, LATERAL recommend(u, 5, 'slot', log => true);
SELECT count(*) FROM generate_series(1, 60) u, LATERAL recommend(u, 5, 'home', log => true);
SELECT count(recsys.log_click(request_id, item_ids[1 + get_byte(uuid_send(request_id), 15) % 3]))
FROM recsys.request_log;
SELECT count(*) FROM recsys.maintain();
SELECT recsys.refresh_metrics(current_date - 1);

-- those that recsys makes
SELECT to_regproc('recsys.create_views') IS NOT NULL AS makes_views \gset
\if :makes_views
SELECT count(*) FROM recsys.create_views('home', 'shop', readers => '{web}');
\endif
