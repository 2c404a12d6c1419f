--
-- Signals that predict: events of one index speak for items of another, through a view that
-- recsys makes.  Scores against a slow reference in plain SQL over cross_similarity().
--
SET client_min_messages = warning;
CREATE SCHEMA predicts;
SET search_path = predicts, public;
RESET client_min_messages;
CREATE FUNCTION draw(a int, b int, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || substr(md5(a || '-' || b || '-' || salt), 1, 7))::bit(28)::int)::float8 / (1 << 28) $$;

CREATE TABLE purchases (user_id int, item_id int);
CREATE TABLE views (user_id int, item_id int);
CREATE TABLE searches (user_id int, term text);
INSERT INTO purchases SELECT u, i FROM generate_series(1, 80) u, generate_series(1, 30) i
  WHERE draw(u, i, 1) < CASE WHEN u % 3 = i % 3 THEN 0.25 ELSE 0.05 END;
INSERT INTO views SELECT u, i FROM generate_series(1, 90) u, generate_series(1, 33) i
  WHERE draw(u, i, 1) < CASE WHEN u % 3 = i % 3 THEN 0.4 ELSE 0.1 END AND draw(u, i, 2) < 0.8;
INSERT INTO searches SELECT u, 'Wort "' || t || '''' FROM generate_series(1, 95) u, generate_series(1, 9) t
  WHERE draw(u, t, 3) < CASE WHEN u % 3 = t % 3 THEN 0.5 ELSE 0.1 END;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, item_id) WITH (similarity = cosine, popularity = 0);
CREATE INDEX views_recsys ON views USING recsys (user_id, item_id) WITH (similarity = cosine, popularity = 0);
CREATE INDEX searches_recsys ON searches USING recsys (user_id, term) WITH (similarity = cosine, popularity = 0);

SELECT recsys.create_recommender('predicting', signals => '[
  {"events": "purchases_recsys"},
  {"events": "views_recsys", "predicts": "purchases_recsys", "name": "views", "weight": 0.7, "reason": "because you viewed {item}"},
  {"events": "searches_recsys", "predicts": "purchases_recsys", "name": "searches", "weight": 0.4, "similarity": "cosine", "min_support": 1, "neighbors": 20}]');
SELECT jsonb_pretty(definition -> 'signals') FROM recsys.recommender WHERE name = 'predicting';
SELECT relname, relkind, obj_description(oid) FROM pg_class WHERE relnamespace = 'predicts'::regnamespace AND relkind = 'm' ORDER BY 1;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'predicts' AND tablename LIKE '%predicts%' ORDER BY 1;

-- the reference: evidence, graphs, each signal on the scale of the first that says something
CREATE VIEW graphs AS
  SELECT 1 AS signal, item_id::text AS item, similar_item_id::int AS found, score::float8 FROM item_similarity('purchases_recsys')
  UNION ALL SELECT 2, item_id::text, similar_item_id::int, score FROM cross_similarity('views_recsys', 'purchases_recsys')
  UNION ALL SELECT 3, item_id, similar_item_id::int, score FROM cross_similarity('searches_recsys', 'purchases_recsys', NULL::text, NULL::text, 'cosine', 20, 1);
CREATE VIEW evidence AS
  SELECT user_id, 1 AS signal, item_id::text AS item FROM purchases
  UNION ALL SELECT user_id, 2, item_id::text FROM views
  UNION ALL SELECT user_id, 3, term FROM searches;
CREATE VIEW reference AS
WITH sums AS (
  SELECT user_id, signal, found AS item, sum(score) AS score, max(sum(score)) OVER (PARTITION BY user_id, signal) AS highest
  FROM evidence JOIN graphs USING (signal, item) GROUP BY 1, 2, 3),
base AS (SELECT DISTINCT ON (user_id) user_id, highest AS base FROM sums ORDER BY user_id, signal)
SELECT user_id, item, sum(('{1,0.7,0.4}'::float8[])[signal] * score * base / highest) AS score
FROM sums JOIN base USING (user_id)
WHERE NOT EXISTS (SELECT FROM purchases p WHERE (p.user_id, p.item_id) = (sums.user_id, sums.item)) GROUP BY 1, 2;

-- who has a signal but not the first has another base: its own weight, as the first one's would
CREATE VIEW answers AS
  SELECT u AS user_id, r.item_id::int AS item, r.score FROM generate_series(1, 100) u, recommend(u, 40, 'predicting') r WHERE r.source = 'history';
SELECT count(*) AS differing FROM answers a FULL JOIN reference r USING (user_id, item)
  WHERE (a.score IS NULL OR r.score IS NULL OR abs(a.score - r.score) > 1e-4 * r.score)
    AND user_id IN (SELECT user_id FROM purchases);
SELECT count(*) AS pairs, count(DISTINCT user_id) AS users FROM answers;

-- what one has viewed is a candidate: only what is bought is passed over
SELECT count(*) > 0 AS viewed_ones FROM answers a JOIN views v ON (v.user_id, v.item_id) = (a.user_id, a.item)
  WHERE a.user_id IN (SELECT user_id FROM purchases);
SELECT count(*) AS bought_ones FROM answers a JOIN purchases p ON (p.user_id, p.item_id) = (a.user_id, a.item);
-- a pair of an item with itself speaks for it
SELECT count(*) FROM generate_series(81, 90) u, recommend(u, 3, 'predicting') r,
  LATERAL explain_recommendation(u, r.item_id::int, 'predicting') e WHERE e.because_item_id = r.item_id;

-- who has viewed and searched only
SELECT source, count(*) FROM recommend(85, 5, 'predicting') GROUP BY 1;
SELECT source, count(*) FROM recommend(94, 5, 'predicting') GROUP BY 1;

-- why
SELECT because_item_id, signal, reason, support > 0 AS support FROM explain_recommendation(84, (SELECT item_id FROM recommend(84, 1, 'predicting')), 'predicting') ORDER BY signal, reason LIMIT 8;
SELECT because_item_id, signal, reason FROM explain_recommendation('94', (SELECT item_id::text FROM recommend(94, 1, 'predicting')), 'predicting') ORDER BY reason LIMIT 3;
SELECT reason, details -> 'parts' -> 0 -> 'because' AS because, details -> 'parts' -> 0 -> 'title' AS title FROM recommend_with_reasons(94, 1, 'predicting');
-- contributions make up the score
SELECT count(*) AS differing FROM generate_series(1, 95, 7) u, recommend(u, 3, 'predicting') r
  WHERE r.source = 'history' AND abs(r.score - (SELECT sum(contribution) FROM explain_recommendation(u, r.item_id::int, 'predicting'))) > 1e-4 * r.score;

-- a context names items of the shop; a key that only searches have is none
SELECT count(*) FROM recommend(3, 5, 'predicting', context => '{"cart": [5]}');

-- categories and content are those of items that are recommended
CREATE TABLE products (id int PRIMARY KEY, name text, category text);
INSERT INTO products SELECT i, 'Product ' || i, 'c' || i % 3 FROM generate_series(1, 33) i;
SELECT recsys.alter_recommender('predicting', items => 'products', item_key => 'id', title => 'name', category => 'category', category_mix => 0.5, diversity => 0.2);
SELECT count(*) FROM recommend(3, 5, 'predicting');
SELECT reason FROM recommend_with_reasons(85, 2, 'predicting');
SELECT recsys.alter_recommender('predicting', reset => '{items,item_key,title,category,category_mix,diversity}');

-- another recommender with the same needs takes the same view, one with others has its own
SELECT recsys.create_recommender('second', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "purchases_recsys", "half_life": "0"}]');
SELECT recsys.create_recommender('third', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "purchases_recsys", "min_likelihood": 3.84, "options": "alpha = 0.5"}]');
SELECT name, signal ->> 'graph' AS graph FROM recsys.recommender, jsonb_array_elements(definition -> 'signals') signal WHERE name IN ('second', 'third') AND signal ? 'graph' ORDER BY 1;
SELECT pg_get_viewdef('views_recsys_predicts_purchases_recsys1') ~ 'min_likelihood => ''3.84''';
-- without pairs of an item with itself
SELECT recsys.alter_recommender('third', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "purchases_recsys", "self_pairs": false}]');
SELECT signal ->> 'graph' AS graph FROM recsys.recommender, jsonb_array_elements(definition -> 'signals') signal WHERE name = 'third' AND signal ? 'graph';
SELECT count(*) > 0 AS others, count(*) FILTER (WHERE item_id = similar_item_id) AS itself FROM views_recsys_predicts_purchases_recsys2;
SELECT recsys.drop_recommender('third');
SELECT recsys.drop_recommender('predicting');
SELECT relname FROM pg_class WHERE relnamespace = 'predicts'::regnamespace AND relkind = 'm' ORDER BY 1;
-- as it is printed it can be declared
SELECT recsys.alter_recommender('second', signals => (SELECT definition -> 'signals' FROM recsys.recommender WHERE name = 'second'));
SELECT recsys.create_recommender('copy', signals => (SELECT definition -> 'signals' FROM recsys.recommender WHERE name = 'second'));
SELECT recsys.drop_recommender('copy');
SELECT relname FROM pg_class WHERE relnamespace = 'predicts'::regnamespace AND relkind = 'm' ORDER BY 1;

-- refreshed: what has been bought since
SELECT count(*) AS before FROM views_recsys_predicts_purchases_recsys WHERE item_id = 1 AND similar_item_id = 77;
INSERT INTO purchases SELECT user_id, 77 FROM views WHERE item_id = 1;
SELECT count(*) AS stale FROM views_recsys_predicts_purchases_recsys WHERE item_id = 1 AND similar_item_id = 77;
SELECT recsys.refresh_recommender('second');
SELECT count(*) AS refreshed FROM views_recsys_predicts_purchases_recsys WHERE item_id = 1 AND similar_item_id = 77;
-- without its index, and while it is not filled
DROP INDEX views_recsys_predicts_purchases_recsys_item_id_rank_idx;
SELECT recsys.refresh_recommender('second');
REFRESH MATERIALIZED VIEW views_recsys_predicts_purchases_recsys WITH NO DATA;
SELECT * FROM recommend(3, 1, 'second');
SELECT recsys.refresh_recommender('second');
SELECT count(*) FROM recommend(3, 1, 'second');

-- what is gone is named, with what helps
SELECT recsys.recommender_problem('second');
BEGIN;
DROP MATERIALIZED VIEW views_recsys_predicts_purchases_recsys;
SELECT recsys.recommender_problem('second');
SAVEPOINT here;
SELECT * FROM recommend(3, 1, 'second');
ROLLBACK TO here;
SELECT recsys.alter_recommender('second', signals => '[{"events": "predicts.purchases_recsys"}, {"events": "predicts.views_recsys", "half_life": "00:00:00", "predicts": "predicts.purchases_recsys"}]');
SELECT recsys.recommender_problem('second');
SELECT count(*) FROM recommend(3, 1, 'second');
ROLLBACK;
BEGIN;
DROP INDEX views_recsys;
SELECT recsys.recommender_problem('second');
ROLLBACK;
BEGIN;
ALTER INDEX purchases_recsys RENAME TO others_recsys;
SELECT recsys.recommender_problem('second');
ROLLBACK;

-- refused
\set VERBOSITY terse
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "searches_recsys"}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "neighbors": 10}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "purchases_recsys", "graph": "purchases_recsys"}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "nothing"}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "searches_recsys"}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "searches_recsys", "predicts": "purchases_recsys"}, {"events": "purchases_recsys"}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "searches_recsys", "predicts": "purchases_recsys", "exclude": true}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "searches_recsys", "graph": "purchases_recsys"}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "other_items": true}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "purchases_recsys", "similarity": "consine"}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "purchases_recsys", "min_support": 0}]');
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "purchases_recsys", "min_likelihood": -1}]');
\set VERBOSITY default
SELECT count(*) FROM pg_class WHERE relnamespace = 'predicts'::regnamespace AND relkind = 'm';

-- other items of the same type, and a graph of one's own between two kinds of items
CREATE TABLE brand_graph (item_id text, similar_item_id bigint, score real);
INSERT INTO brand_graph VALUES ('Wort "1''', 501, 2), ('Wort "2''', 502, 1), ('Wort "1''', 502, 1), ('Wort "3''', NULL, 1);
SELECT recsys.create_recommender('third', signals => '[{"events": "purchases_recsys"},
  {"events": "searches_recsys", "graph": "brand_graph", "name": "searches"}, {"events": "views_recsys", "predicts": "purchases_recsys", "other_items": true, "name": "brands"}]');
SELECT count(*) FROM searches WHERE user_id = 95;
SELECT item_id FROM recommend(95, 2, 'third') ORDER BY 1;
SELECT DISTINCT signal FROM explain_recommendation(84, (SELECT item_id FROM recommend(84, 1, 'third')), 'third') ORDER BY 1;
SELECT recsys.drop_recommender('third');
SELECT count(*) FROM brand_graph;

-- rights: who may read both tables may ask; the view itself is nobody's but its owner's
CREATE ROLE predicts_owner;
CREATE ROLE predicts_shop;
GRANT USAGE, CREATE ON SCHEMA predicts TO predicts_owner;
GRANT USAGE ON SCHEMA predicts TO predicts_shop;
GRANT SELECT ON purchases, views TO predicts_owner;
GRANT SELECT ON purchases TO predicts_shop;
-- a stranger's relation of that name is left alone
SELECT recsys.drop_recommender('second');
CREATE TABLE views_recsys_predicts_purchases_recsys (item_id bigint, similar_item_id bigint, score real);
SET ROLE predicts_owner;
SELECT recsys.create_recommender('owned', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "purchases_recsys"}]');
RESET ROLE;
SELECT relname, relowner::regrole FROM pg_class WHERE relnamespace = 'predicts'::regnamespace AND relname LIKE '%predicts%' AND relkind IN ('r', 'm') ORDER BY 1;
SET ROLE predicts_shop;
SELECT count(*) FROM recommend(3, 5, 'owned');
RESET ROLE;
GRANT SELECT ON views TO predicts_shop;
SET ROLE predicts_shop;
SELECT count(*) FROM recommend(3, 5, 'owned');
SELECT count(*) FROM explain_recommendation(3, 6, 'owned') WHERE signal = 'views_recsys';
SELECT count(*) FROM views_recsys_predicts_purchases_recsys1;
SELECT recsys.refresh_recommender('owned');
SELECT recsys.drop_recommender('owned');
SELECT current_user;
RESET ROLE;
-- what is hidden by policies is not told by a view, either
ALTER TABLE purchases ENABLE ROW LEVEL SECURITY;
SET ROLE predicts_shop;
SELECT count(*) FROM recommend(3, 5, 'owned');
RESET ROLE;
ALTER TABLE purchases DISABLE ROW LEVEL SECURITY;
-- a superuser has no part in it
SELECT recsys.refresh_recommender('owned');
SELECT recsys.alter_recommender('owned', signals => '[{"events": "purchases_recsys"}, {"events": "views_recsys", "predicts": "purchases_recsys", "min_support": 3}]');
SELECT relname, relowner::regrole FROM pg_class WHERE relnamespace = 'predicts'::regnamespace AND relkind = 'm' ORDER BY 1;
-- a function that would be called in the place of cross_similarity
CREATE ROLE predicts_stranger;
GRANT CREATE ON SCHEMA public TO predicts_stranger;
SET ROLE predicts_stranger;
CREATE FUNCTION public.cross_similarity(events text, predicts text, item_type text, similar_item_type bigint)
  RETURNS TABLE (item_id text, similar_item_id bigint, score real, support bigint, rank int) LANGUAGE sql STABLE AS $$ SELECT current_user::text, 1::bigint, 1::real, 1::bigint, 1 $$;
RESET ROLE;
SELECT recsys.create_recommender('bad', signals => '[{"events": "purchases_recsys"}, {"events": "searches_recsys", "predicts": "purchases_recsys"}]');
DROP FUNCTION public.cross_similarity(text, text, text, bigint);
REVOKE CREATE ON SCHEMA public FROM predicts_stranger;
DROP ROLE predicts_stranger;
-- nor is a stranger's view read with the owner's rights once it has the name
CREATE ROLE predicts_stranger;
GRANT USAGE, CREATE ON SCHEMA predicts TO predicts_stranger;
SELECT definition -> 'signals' -> 1 ->> 'graph' AS graph FROM recsys.recommender WHERE name = 'owned' \gset
ALTER MATERIALIZED VIEW :graph RENAME TO kept_aside;
SET ROLE predicts_stranger;
CREATE FUNCTION who(bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE EXCEPTION 'run by %', current_user; END $$;
CREATE VIEW :graph AS SELECT i::bigint AS item_id, who(i) AS similar_item_id, 1.0::real AS score, 9::bigint AS support FROM generate_series(1, 30) i;
GRANT SELECT ON :graph TO predicts_shop;
SET ROLE predicts_shop;
SELECT count(*) FROM recommend(3, 5, 'owned');
RESET ROLE;
SELECT recsys.recommender_problem('owned');
SELECT recsys.refresh_recommender('owned');
DROP VIEW :graph;
DROP FUNCTION who;
ALTER MATERIALIZED VIEW kept_aside RENAME TO views_recsys_predicts_purchases_recsys2;
SELECT recsys.recommender_problem('owned');
DROP OWNED BY predicts_stranger;
DROP ROLE predicts_stranger;
-- a new owner has a view of its own
SELECT recsys.alter_recommender('owned', new_owner => current_user);
SELECT relname, relowner = current_user::regrole AS mine FROM pg_class WHERE relnamespace = 'predicts'::regnamespace AND relkind = 'm' ORDER BY 1;
SELECT recsys.drop_recommender('owned');
SELECT relname FROM pg_class WHERE relnamespace = 'predicts'::regnamespace AND relkind = 'm' ORDER BY 1;

SET client_min_messages = warning;
DROP OWNED BY predicts_owner, predicts_shop;
DROP ROLE predicts_owner, predicts_shop;
DROP SCHEMA predicts CASCADE;
