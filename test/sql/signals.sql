--
-- Several signals in one recommender, each kind of interaction that a shop keeps, against
-- a slow reference in plain SQL over item_similarity().
--

-- Deterministic: what users do depends on numbers alone.
SET client_min_messages = warning;
CREATE SCHEMA signals;
SET search_path = signals, public;
RESET client_min_messages;
CREATE FUNCTION draw(a int, b int, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || substr(md5(a || '-' || b || '-' || salt), 1, 7))::bit(28)::int)::float8 / (1 << 28) $$;

-- three tastes, 24 items of which each is of one taste
CREATE FUNCTION acts(users int, salt int, share float8)
RETURNS TABLE (user_id int, item_id int, at timestamptz) LANGUAGE sql IMMUTABLE AS
$$
  SELECT u, i, '2024-03-01'::timestamptz - make_interval(hours => (draw(u, i, salt + 1) * 2000)::int)
  FROM generate_series(1, users) u, generate_series(1, 24) i
  WHERE draw(u, i, salt) < share * CASE WHEN u % 3 = i % 3 THEN 2.5 ELSE 0.5 END
$$;

CREATE TABLE purchases (user_id int, item_id int, at timestamptz);
CREATE TABLE ratings (user_id int, item_id int, stars int, at timestamptz);
CREATE TABLE carts (user_id int, item_id int, at timestamptz);
CREATE TABLE wishes (user_id int, item_id int);
CREATE TABLE comments (user_id int, item_id int, body text, at timestamptz);
CREATE TABLE views (user_id int, item_id int, at timestamptz);
CREATE TABLE returns (user_id int, item_id int, at timestamptz);
INSERT INTO purchases SELECT * FROM acts(60, 1, 0.15);
INSERT INTO ratings SELECT user_id, item_id, 1 + (draw(user_id, item_id, 7) * 4.99)::int % 5, at FROM acts(70, 1, 0.15);
INSERT INTO ratings VALUES (3, 3, 1, '2024-02-01'), (3, 3, 4, '2024-02-02');
INSERT INTO carts SELECT * FROM acts(80, 11, 0.05);
INSERT INTO wishes SELECT user_id, item_id FROM acts(60, 21, 0.05);
INSERT INTO comments SELECT user_id, item_id, 'nice', at FROM acts(60, 31, 0.05);
INSERT INTO views SELECT * FROM acts(90, 41, 0.3);
INSERT INTO returns SELECT user_id, item_id, at + interval '7 days' FROM purchases WHERE draw(user_id, item_id, 51) < 0.15;
-- who has never bought, only browsed; who has done nothing at all is user 1000
DELETE FROM purchases WHERE user_id IN (7, 8);

CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, item_id, at) WITH (similarity = cosine, popularity = 0);
CREATE INDEX ratings_recsys ON ratings USING recsys (user_id, item_id, stars, at) WITH (similarity = cosine, popularity = 0, weight_transform = none);
CREATE INDEX carts_recsys ON carts USING recsys (user_id, item_id, at) WITH (similarity = cosine, popularity = 0);
CREATE INDEX wishes_recsys ON wishes USING recsys (user_id, item_id) WITH (similarity = cosine, popularity = 0);
CREATE INDEX comments_recsys ON comments USING recsys (user_id, item_id, at) WITH (similarity = cosine, popularity = 0);
CREATE INDEX views_recsys ON views USING recsys (user_id, item_id, at) WITH (similarity = lift, popularity = 0);
CREATE INDEX returns_recsys ON returns USING recsys (user_id, item_id, at) WITH (similarity = cosine, popularity = 0);

CREATE TABLE graphs (graph text, item int, similar_item int, score float8);
INSERT INTO graphs SELECT g, item_id, similar_item_id, score
  FROM unnest('{purchases_recsys,ratings_recsys,carts_recsys,wishes_recsys,comments_recsys,views_recsys,returns_recsys}'::text[]) g, item_similarity(g);

-- What the reference is given: evidence by user and place of the signal.  decay is what time
-- has left of the signal.
CREATE TABLE evidence (user_id int, signal int, weight float8, graph text, item int, w float8);
CREATE TABLE seen (user_id int, item int);

CREATE VIEW reference AS
WITH sums AS (
  SELECT user_id, signal, e.weight, g.similar_item AS item, sum(e.w * g.score) AS score
  FROM evidence e JOIN graphs g ON g.graph = e.graph AND g.item = e.item
  GROUP BY 1, 2, 3, 4
), nearest AS (
  SELECT user_id, signal, max(g.score) AS score
  FROM evidence e JOIN graphs g ON g.graph = e.graph AND g.item = e.item GROUP BY 1, 2
), own AS (
  SELECT user_id, signal, e.weight, e.item, sum(e.w * coalesce(n.score, 1)) AS score
  FROM evidence e LEFT JOIN nearest n USING (user_id, signal) WHERE e.w * e.weight < 0
  GROUP BY 1, 2, 3, 4
), both_ AS (
  SELECT user_id, signal, weight, item, sum(score) AS score
  FROM (TABLE sums UNION ALL TABLE own) x GROUP BY 1, 2, 3, 4
), highest AS (
  SELECT user_id, signal,
    CASE WHEN max(weight) > 0 AND max(score) > 0 THEN max(score) ELSE max(abs(score)) END AS most
  FROM both_ GROUP BY 1, 2
), base AS (
  SELECT DISTINCT ON (user_id) user_id, most AS base FROM highest WHERE most > 0 ORDER BY user_id, signal
)
SELECT user_id, item, sum(weight * score * base / most) AS score
FROM both_ JOIN highest USING (user_id, signal) JOIN base USING (user_id)
WHERE most > 0
GROUP BY 1, 2;

-- What a recommender says against that: how many rows there are, and how many of them differ
-- in item, score or rank.
CREATE FUNCTION differences(recommender text, context jsonb DEFAULT NULL, OUT scored bigint, OUT different bigint) LANGUAGE sql AS
$$
  WITH expected AS (
    SELECT user_id, item, score, rank() OVER (PARTITION BY user_id ORDER BY score::float4 DESC, item) AS rank
    FROM reference r WHERE score > 1e-9 AND NOT EXISTS (SELECT FROM seen s WHERE s.user_id = r.user_id AND s.item = r.item)
  ), found AS (
    SELECT u AS user_id, r.* FROM generate_series(1, 100) u, recommend(u, 100, $1, context => $2) r WHERE source = 'history'
  )
  SELECT count(*), count(*) FILTER (WHERE e.item IS NULL OR f.item_id IS NULL OR abs(e.score - f.score) > 1e-5 * e.score
    OR (SELECT count(*) FROM found x WHERE x.user_id = f.user_id AND x.score > f.score * (1 + 1e-5)) > f.rank - 1)
  FROM expected e FULL JOIN found f ON e.user_id = f.user_id AND e.item = f.item_id
$$;

-- the explanations of a recommender add up to its scores; returns how many do not
-- a user's factors are solved for in single precision, and how exactly depends on the compiler
CREATE FUNCTION unexplained(recommender text, OUT scored bigint, OUT different bigint) LANGUAGE sql AS
$$
  SELECT count(*), count(*) FILTER (WHERE NOT abs(r.score - e.sum) <= CASE recommender WHEN 'als' THEN 5e-5 ELSE 1e-5 END * e.amount)
  FROM generate_series(1, 100, 7) u, recommend(u, 20, $1) r,
    LATERAL (SELECT sum(contribution), sum(abs(contribution)) AS amount FROM explain_recommendation(u, r.item_id, $1)) e
  WHERE source = 'history'
$$;

-- evidence of a table: the sum of each item's rows, with decay from the latest one on
CREATE FUNCTION evidence_of(events text, half_life interval)
RETURNS TABLE (user_id int, item int, w float8, latest timestamptz) LANGUAGE plpgsql AS
$$
BEGIN
  RETURN QUERY EXECUTE format(
    'WITH items AS (SELECT user_id, item_id, count(*)::float8 AS n, max(%2$s) AS at FROM %1$I GROUP BY 1, 2)
     SELECT user_id, item_id, n * coalesce(2 ^ (-extract(epoch FROM max(at) OVER (PARTITION BY user_id) - at)::float8 / extract(epoch FROM $1)::float8), 1),
       max(at) OVER (PARTITION BY user_id) FROM items',
    events, CASE WHEN events = 'wishes' THEN 'NULL::timestamptz' ELSE 'at' END) USING half_life;
END
$$;

-- the latest act of each user, of the signals that have times
CREATE TABLE latest (user_id int, at timestamptz);

CREATE PROCEDURE given(place int, events text, weight numeric, half_life interval DEFAULT NULL, graph text DEFAULT NULL) LANGUAGE sql AS
$$
  INSERT INTO evidence SELECT user_id, place, weight::float8 * CASE WHEN half_life IS NULL THEN 1 ELSE
      2 ^ (-extract(epoch FROM (SELECT max(at) FROM latest l WHERE l.user_id = e.user_id) - latest)::float8 / extract(epoch FROM half_life)::float8) END,
    coalesce(graph, events || '_recsys'), item, w
  FROM evidence_of(events, half_life) e
$$;

CREATE PROCEDURE begin_case(VARIADIC excluded text[]) LANGUAGE plpgsql AS
$$
DECLARE
  events text;
BEGIN
  TRUNCATE evidence, seen, latest;
  FOREACH events IN ARRAY excluded LOOP
    EXECUTE format('INSERT INTO seen SELECT user_id, item_id FROM %I', events);
  END LOOP;
END
$$;

--
-- One signal: the index itself
--
SELECT recsys.create_recommender('bought', signals => '[{"events": "purchases_recsys"}]');
CREATE INDEX blend_recsys ON purchases USING recsys (user_id, item_id, at) WITH (popularity = 5, popularity_half_life = '20 days', half_life = '9 days');
CREATE INDEX aged_recsys ON purchases USING recsys (user_id, item_id, at) WITH (similarity = rp3beta, item_max_age = '3 days');
CREATE INDEX als_recsys ON purchases USING recsys (user_id, item_id) WITH (similarity = als, rank = 8);
CREATE INDEX auto_recsys ON purchases USING recsys (user_id, item_id) WITH (similarity = auto);
CREATE INDEX popular_recsys ON purchases USING recsys (user_id, item_id) WITH (similarity = popular);
CREATE FUNCTION not_as_the_index(recommender text, index text, OUT listed bigint, OUT more bigint, OUT less bigint) LANGUAGE sql AS
$$
  WITH r AS (SELECT u, x.* FROM generate_series(1, 100) u, generate_series(1, 31, 10) k, recommend(u, k, recommender) x),
    i AS (SELECT u, x.* FROM generate_series(1, 100) u, generate_series(1, 31, 10) k, recommend(u, k, index) x)
  SELECT (SELECT count(*) FROM r), (SELECT count(*) FROM (TABLE r EXCEPT ALL TABLE i) x), (SELECT count(*) FROM (TABLE i EXCEPT ALL TABLE r) x)
$$;
SELECT recsys.create_recommender(replace(i, '_recsys', ''), signals => jsonb_build_array(jsonb_build_object('events', i)))
  FROM unnest('{blend_recsys,aged_recsys,als_recsys,auto_recsys,popular_recsys}'::text[]) i;
SELECT i, n.* FROM unnest('{bought,blend,aged,als,auto,popular}'::text[]) i,
  not_as_the_index(i, CASE i WHEN 'bought' THEN 'purchases_recsys' ELSE i || '_recsys' END) n;
-- with an explanation that adds up
SELECT i, x.* FROM unnest('{bought,blend,aged,als,auto}'::text[]) i, unexplained(i) x;
-- and everything else that a call says
SELECT count(*) FROM ((SELECT u, x.* FROM generate_series(1, 60) u, recommend(u, 40, 'blend', false, '1 day') x) EXCEPT
  (SELECT u, x.* FROM generate_series(1, 60) u, recommend(u, 40, 'blend_recsys', false, '1 day') x)) d;

--
-- Purchases, views that fade, returns that take back
--
SELECT recsys.create_recommender('shop', signals => '[{"events": "purchases_recsys"},
  {"events": "views_recsys", "weight": 0.2, "half_life": "7 days"}, {"events": "returns_recsys", "weight": -1}]');
CALL begin_case('purchases', 'returns');
INSERT INTO latest SELECT user_id, at FROM purchases UNION ALL SELECT user_id, at FROM views UNION ALL SELECT user_id, at FROM returns;
CALL given(1, 'purchases', 1);
CALL given(2, 'views', 0.2, '7 days');
CALL given(3, 'returns', -1, graph => 'purchases_recsys');
SELECT * FROM differences('shop');
SELECT * FROM unexplained('shop');

--
-- Cart, wishlist, comments, what was browsed the last days
--
SELECT recsys.create_recommender('interest', signals => '[{"events": "carts_recsys", "exclude": false},
  {"events": "wishes_recsys", "weight": 0.7}, {"events": "comments_recsys", "weight": 0.4, "exclude": true},
  {"events": "views_recsys", "weight": 0.3, "half_life": "2 days"}]');
CALL begin_case('comments');
INSERT INTO latest SELECT user_id, at FROM carts UNION ALL SELECT user_id, at FROM views UNION ALL SELECT user_id, at FROM comments;
CALL given(1, 'carts', 1);
CALL given(2, 'wishes', 0.7);
CALL given(3, 'comments', 0.4);
CALL given(4, 'views', 0.3, '2 days');
SELECT * FROM differences('interest');
SELECT * FROM unexplained('interest');

--
-- Ratings: an item's mean beside the user's, who counts as having given five threes more
--
SELECT recsys.create_recommender('rated', signals => '[{"events": "ratings_recsys", "neutral": 3, "exclude": false},
  {"events": "views_recsys", "weight": 0.1}]');
CREATE TEMP VIEW means AS SELECT user_id, item_id, avg(stars)::float8 AS stars, max(at) AS at FROM ratings GROUP BY 1, 2;
TRUNCATE evidence, seen;
INSERT INTO evidence SELECT user_id, 1, 1, 'ratings_recsys', item_id,
    stars - (5 * 3 + sum(stars) OVER (PARTITION BY user_id)) / (5 + count(*) OVER (PARTITION BY user_id)) FROM means;
CALL given(2, 'views', 0.1);
SELECT * FROM differences('rated');
SELECT * FROM unexplained('rated');

-- One rating beyond all scales says little of the rest, and leaves scores an order
CREATE TABLE wild_ratings AS SELECT user_id, item_id, CASE WHEN item_id % 7 = 0 THEN 'Infinity' WHEN item_id % 11 = 0 THEN -1e300 ELSE stars END::float8 AS stars FROM ratings;
CREATE INDEX wild_recsys ON wild_ratings USING recsys (user_id, item_id, stars);
SELECT recsys.create_recommender('wild', signals => '[{"events": "wild_recsys", "neutral": 3, "exclude": false}]');
SELECT count(*) > 0 AS some, count(*) FILTER (WHERE score IN ('Infinity', '-Infinity', 'NaN')) AS infinite
  FROM generate_series(1, 200) u, recommend(u, 20, 'wild') WHERE source = 'history';

-- Without evidence that is positive nothing comes from a signal: three returns and no purchase.
SELECT recsys.create_recommender('negative', signals => '[{"events": "purchases_recsys"}, {"events": "returns_recsys", "weight": -2}]');
INSERT INTO returns SELECT 2000, i, '2024-02-20' FROM generate_series(1, 3) i;
SELECT source, count(*) FROM recommend(2000, 100, 'negative') GROUP BY 1;
DELETE FROM returns WHERE user_id = 2000;

--
-- A negative signal beside an index with a prior: what nobody has returned comes first
--
SELECT recsys.create_recommender('blend_less', signals => '[{"events": "blend_recsys"}, {"events": "returns_recsys", "weight": -1, "exclude": false}]');
INSERT INTO returns SELECT 2001, item_id, '2024-02-20' FROM recommend(2001, 1, 'blend_recsys');
SELECT (SELECT array_agg(item_id) FROM recommend(2001, 3, 'blend_recsys')) = (SELECT array_agg(item_id) FROM recommend(2001, 3, 'blend')) AS same_alone,
  (SELECT min(rank) FROM recommend(2001, 100, 'blend_less') r JOIN returns USING (item_id) WHERE user_id = 2001) > 3 AS pushed_down;
SELECT part, signal, because_item_id = (SELECT item_id FROM returns WHERE user_id = 2001) AS itself, sign(contribution), similarity IS NOT NULL AS similarity
  FROM explain_recommendation(2001, (SELECT item_id FROM returns WHERE user_id = 2001), 'blend_less') ORDER BY contribution;
DELETE FROM returns WHERE user_id = 2001;

--
-- The context of a call: cart and what was viewed, by who has a history and by who has none
--
CALL begin_case('purchases');
CALL given(1, 'purchases', 1);
INSERT INTO evidence SELECT u, 1, 1, 'purchases_recsys', i, w FROM generate_series(1, 100) u, (VALUES (2, 1.0), (3, 1.0), (5, 0.5), (1, 0.5)) c(i, w);
INSERT INTO seen SELECT u, i FROM generate_series(1, 100) u, unnest('{2,3,9}'::int[]) i;
SELECT * FROM differences('bought', '{"cart": [2, "3", 2, null, 99999], "recently_viewed": [3, 5, 1, 5], "exclude": [9, 8888]}');
CREATE FUNCTION anonymous(context jsonb) RETURNS TABLE (item_id bigint, score real, source text, rank integer) LANGUAGE sql AS
$$ SELECT * FROM recommend(NULL::int, 5, 'bought', context => $1) $$;
-- user 1000 has no history, and is no other than nobody
SELECT r.item_id = a.item_id AND r.score = a.score AND r.source = a.source AS same
  FROM recommend(1000, 5, 'bought', context => '{"cart": [2, 3]}') r JOIN anonymous('{"cart": [2, 3]}') a USING (rank);
-- a cart is what recommend_for_items is given
SELECT count(*) FROM (SELECT * FROM anonymous('{"cart": [2, 3]}') EXCEPT SELECT * FROM recommend_for_items('{2,3}'::bigint[], 5, 'purchases_recsys')) x;
-- without anything in it
SELECT count(*) FROM (SELECT * FROM anonymous('{}') EXCEPT SELECT * FROM recommend(NULL::int, 5, 'purchases_recsys')) x;
SELECT count(*) FROM (SELECT * FROM anonymous('{"cart": [], "recently_viewed": null, "exclude": [], "filter": {}, "segment": null}') EXCEPT SELECT * FROM anonymous(NULL)) x;
-- the context is of now: it counts for more the older the history is
SELECT recsys.create_recommender('fading', signals => '[{"events": "purchases_recsys", "half_life": "30 days"}]');
SELECT count(*) AS listed, count(*) FILTER (WHERE details -> 'parts' -> 0 ->> 'part' = 'context') AS from_the_cart
  FROM recommend_with_reasons(1, 5, 'fading', '{"cart": [2, 3]}'::jsonb);
-- what it may not have
SELECT anonymous('[]');
SELECT anonymous('"cart"');
SELECT anonymous('{"crat": [1]}');
SELECT anonymous('{"something else": [1]}');
SELECT anonymous('{"cart": 1}');
SELECT anonymous('{"cart": {"1": 2}}');
SELECT anonymous('{"cart": [[1]]}');
SELECT anonymous('{"cart": [{"item": 1}]}');
SELECT anonymous('{"cart": [true]}');
SELECT anonymous('{"cart": [1.5]}');
SELECT anonymous('{"cart": ["one"]}');
SELECT anonymous('{"segment": ["a"]}');
SELECT anonymous('{"segment": "a"}');
SELECT anonymous('{"filter": [1]}');
SELECT anonymous('{"filter": {"max_price": [1]}}');
SELECT anonymous('{"filter": {"color": {"is": "red"}}}');

-- keys beyond 2^53 that differ in the last digit
CREATE TABLE large (user_id bigint, item_id bigint);
INSERT INTO large SELECT u, 9007199254740993 + i FROM generate_series(1, 20) u, generate_series(0, 9) i WHERE (u + i) % 3 > 0;
CREATE INDEX large_recsys ON large USING recsys (user_id, item_id) WITH (similarity = cosine, popularity = 0);
SELECT recsys.create_recommender('large', signals => '[{"events": "large_recsys"}]');
SELECT count(*) FROM (SELECT * FROM recommend(NULL::int, 20, 'large', context => '{"cart": [9007199254740993, 9007199254740996.0, "9007199254740999"]}')
  EXCEPT SELECT * FROM recommend_for_items('{9007199254740993,9007199254740996,9007199254740999}'::bigint[], 20, 'large_recsys')) x;
SELECT count(*) FROM recommend(NULL::int, 20, 'large', context => '{"exclude": [9007199254740993]}') WHERE item_id = 9007199254740993;

--
-- Graphs in relations: the index's own, as a table, a view and a materialized view
--
CREATE MATERIALIZED VIEW item_similarity AS SELECT * FROM item_similarity('purchases_recsys');
CREATE UNIQUE INDEX ON item_similarity (item_id, similar_item_id);
CREATE TABLE pairs (similar_item int, support int, score float8, item bigint);
INSERT INTO pairs SELECT similar_item_id, support, score, item_id FROM item_similarity;
INSERT INTO pairs VALUES (NULL, 1, 1, 1), (1, 1, 1, NULL), (1, 1, NULL, 2), (1, 1, 'NaN', 2), (2, 1, 'Infinity', 1), (4, 1, 1000, 4), (4, 1, 1, 777);
CREATE VIEW by_place AS SELECT item_id::smallint AS one, similar_item_id AS other, score::float8::numeric AS how_much, 'x' AS more FROM item_similarity;
SELECT recsys.create_recommender('graph_' || g, signals => jsonb_build_array(jsonb_build_object('events', 'purchases_recsys', 'graph', g)))
  FROM unnest('{item_similarity,pairs,by_place}'::text[]) g;
SELECT g, count(x) FROM unnest('{item_similarity,pairs,by_place}'::text[]) g
  LEFT JOIN LATERAL (SELECT x FROM (SELECT u, x.* FROM generate_series(1, 100) u, recommend(u, 31, 'graph_' || g) x
    EXCEPT SELECT u, x.* FROM generate_series(1, 100) u, recommend(u, 31, 'purchases_recsys') x) x) x ON true GROUP BY 1 ORDER BY 1;
SELECT g, x.* FROM unnest('{item_similarity,pairs,by_place}'::text[]) g, unexplained('graph_' || g) x;
SELECT count(*) FROM (SELECT u, i, x.because_item_id, x.contribution, x.weight, x.similarity FROM generate_series(1, 60, 9) u, generate_series(1, 24) i, explain_recommendation(u, i, 'graph_pairs') x WHERE part = 'history'
  EXCEPT SELECT u, i, x.because_item_id, x.contribution, x.weight, x.similarity FROM generate_series(1, 60, 9) u, generate_series(1, 24) i, explain_recommendation(u, i, 'purchases_recsys') x) x;
SELECT count(*) FROM (SELECT i, x.item_id, x.score, x.rank FROM generate_series(1, 24) i, similar_items(i, 5, 'graph_item_similarity') x
  EXCEPT SELECT i, x.item_id, x.score, x.rank FROM generate_series(1, 24) i, similar_items(i, 5, 'purchases_recsys') x) x;

-- beside other signals, and with items that no index knows
INSERT INTO pairs SELECT 500 + i, 1, 0.5 / i, i FROM generate_series(1, 24) i;
INSERT INTO graphs SELECT 'pairs', item, similar_item, score FROM pairs WHERE item IS NOT NULL AND similar_item IS NOT NULL AND score NOT IN ('NaN', 'Infinity') AND item <> similar_item;
SELECT recsys.create_recommender('model', signals => '[{"events": "purchases_recsys"},
  {"events": "views_recsys", "weight": 0.5, "graph": "pairs"}, {"events": "returns_recsys", "weight": -0.5, "graph": "views_recsys"}]');
CALL begin_case('purchases', 'returns');
CALL given(1, 'purchases', 1);
CALL given(2, 'views', 0.5, graph => 'pairs');
CALL given(3, 'returns', -0.5, graph => 'views_recsys');
SELECT * FROM differences('model');
SELECT * FROM unexplained('model');
SELECT count(*) > 0 AS new_items FROM generate_series(1, 60) u, recommend(u, 30, 'model') WHERE item_id > 500 AND source = 'history';

-- what is written counts in the next call, also when it is written in the same transaction
BEGIN;
INSERT INTO pairs SELECT 600, 1, 1000, i FROM generate_series(1, 24) i;
SELECT item_id FROM recommend(1, 1, 'graph_pairs');
ROLLBACK;
SELECT item_id <> 600 FROM recommend(1, 1, 'graph_pairs');
DELETE FROM purchases WHERE user_id = 1 AND item_id = (SELECT min(item_id) FROM purchases WHERE user_id = 1);
SELECT count(*) FROM (SELECT * FROM recommend(1, 30, 'graph_item_similarity') EXCEPT SELECT * FROM recommend(1, 30, 'purchases_recsys')) x;

-- no graphs
CREATE TABLE two (item int, score real);
CREATE TABLE words (item text, similar_item text, score real);
CREATE TABLE unscored (item int, similar_item int, score text);
CREATE SEQUENCE counter;
CREATE FUNCTION with_graph(graph text) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE
  item bigint;
BEGIN
  PERFORM recsys.drop_recommender('no_graph', true);
  PERFORM recsys.create_recommender('no_graph', signals => jsonb_build_array(jsonb_build_object('events', 'purchases_recsys', 'graph', graph)));
  SELECT item_id INTO item FROM recommend(1, 1, 'no_graph');
  RETURN item;
END
$$;
\set VERBOSITY terse
SELECT with_graph('purchases');
SELECT with_graph('two');
SELECT with_graph('words');
SELECT with_graph('unscored');
SELECT with_graph('counter');
SELECT with_graph('nowhere');
\set VERBOSITY default
-- what has no such pairs says nothing
CREATE TABLE empty (item int, similar_item int, score real);
SELECT with_graph('empty') = (SELECT item_id FROM popular_items(1, 'purchases_recsys')) AS popular;
-- the relation is another one by now
SELECT with_graph('pairs');
ALTER TABLE pairs RENAME TO old_pairs;
SELECT recommend(1, 1, 'no_graph');
CREATE TABLE pairs AS SELECT item_id AS item, 700 AS similar_item, 1 AS score FROM generate_series(1, 24) item_id;
SELECT item_id FROM recommend(1, 1, 'no_graph');
ALTER TABLE pairs ALTER similar_item TYPE text;
SELECT recommend(1, 1, 'no_graph');
ALTER TABLE pairs ALTER similar_item TYPE int USING similar_item::int, ALTER item TYPE bigint, ALTER score TYPE real;
ALTER TABLE pairs RENAME score TO how_much;
SELECT item_id FROM recommend(1, 1, 'no_graph');
ALTER TABLE pairs DROP how_much;
SELECT recommend(1, 1, 'no_graph');
DROP TABLE pairs;
ALTER TABLE old_pairs RENAME TO pairs;
SELECT item_id FROM recommend(1, 1, 'no_graph');

--
-- Keys of other types: the same users and items as text, uuid, char(n), an enum
--
CREATE TYPE code AS ENUM ('c1','c2','c3','c4','c5','c6','c7','c8','c9','c10','c11','c12','c13','c14','c15','c16','c17','c18','c19','c20','c21','c22','c23','c24');
CREATE TABLE others AS
  SELECT 'u' || user_id AS tu, 'c' || item_id AS ti, md5(user_id::text)::uuid AS uu, md5(item_id::text)::uuid AS ui,
    ('u' || user_id)::char(8) AS cu, ('c' || item_id)::char(8) AS ci, ('c' || item_id)::code AS ei, ('c' || item_id)::varchar(9) AS vi FROM purchases;
CREATE INDEX t_recsys ON others USING recsys (tu, ti) WITH (similarity = cosine, popularity = 0);
CREATE INDEX u_recsys ON others USING recsys (uu, ui) WITH (similarity = cosine, popularity = 0);
CREATE INDEX c_recsys ON others USING recsys (cu, ci) WITH (similarity = cosine, popularity = 0);
CREATE TABLE t_graph AS SELECT item_id, similar_item_id, score FROM item_similarity('t_recsys', NULL::text);
CREATE TABLE v_graph AS SELECT item_id::varchar, similar_item_id::varchar(9), score FROM t_graph;
CREATE TABLE c_graph AS SELECT item_id::char(8), similar_item_id::char(8), score FROM t_graph;
CREATE TABLE e_graph AS SELECT item_id::code, similar_item_id::code, score FROM t_graph;
CREATE TABLE n_graph AS SELECT item_id::name, similar_item_id::name, score FROM t_graph;
CREATE TABLE u_graph AS SELECT item_id, similar_item_id, score FROM item_similarity('u_recsys', NULL::uuid);
SELECT recsys.create_recommender('keys_' || g, signals => jsonb_build_array(jsonb_build_object('events', e, 'graph', g)))
  FROM (VALUES ('t_recsys', 't_graph'), ('t_recsys', 'v_graph'), ('t_recsys', 'c_graph'), ('t_recsys', 'e_graph'), ('t_recsys', 'n_graph'), ('u_recsys', 'u_graph')) x(e, g);
SELECT recsys.create_recommender('padded', signals => '[{"events": "c_recsys", "graph": "c_graph"}]');
SELECT g, count(x) FROM unnest('{t_graph,v_graph,c_graph,e_graph,n_graph}'::text[]) g
  LEFT JOIN LATERAL (SELECT x FROM (SELECT u, x.* FROM generate_series(1, 60, 7) u, recommend('u' || u, 31, 'keys_' || g, NULL::text) x
    EXCEPT SELECT u, x.* FROM generate_series(1, 60, 7) u, recommend('u' || u, 31, 't_recsys', NULL::text) x) x) x ON true GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM (SELECT u, x.* FROM generate_series(1, 60, 7) u, recommend(md5(u::text)::uuid, 31, 'keys_u_graph', NULL::uuid, context => jsonb_build_object('exclude', jsonb_build_array(md5('5')::uuid))) x
    EXCEPT SELECT u, x.* FROM generate_series(1, 60, 7) u, recommend(md5(u::text)::uuid, 31, 'u_recsys', NULL::uuid, context => jsonb_build_object('exclude', jsonb_build_array(md5('5')::uuid))) x) x;

SELECT count(*) FROM (SELECT u, x.* FROM generate_series(1, 60, 7) u, recommend('u' || u, 31, 'padded', NULL::text) x
    EXCEPT SELECT u, x.* FROM generate_series(1, 60, 7) u, recommend('u' || u, 31, 'c_recsys', NULL::text) x) x;

-- signals of different keys
SELECT recsys.create_recommender('mixed', signals => '[{"events": "purchases_recsys"}, {"events": "t_recsys"}]');
SELECT recsys.create_recommender('mixed', signals => '[{"events": "wishes_recsys"}, {"events": "carts_recsys", "exclude": true}]');
SELECT count(*) FROM recommend(1, 1, 'mixed');
ALTER TABLE carts ALTER user_id TYPE text;
SELECT recommend(1, 1, 'mixed');
ALTER TABLE carts ALTER user_id TYPE int USING user_id::int, ALTER item_id TYPE text;
SELECT recommend(1, 1, 'mixed');
ALTER TABLE wishes ALTER item_id TYPE text;
SELECT recommend(1, 1, 'mixed', NULL::text);
\c -
SET search_path = signals, public;
SELECT count(*) FROM recommend(1, 1, 'mixed', NULL::text);

--
-- The profile: a user's row, segments, prices
--
CREATE TABLE products (product_id int PRIMARY KEY, price numeric, category text);
INSERT INTO products SELECT i, CASE WHEN i < 5 THEN NULL ELSE 10 * i END, CASE WHEN i % 3 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 30) i;
CREATE TABLE customers (id bigint, country text, is_fraud boolean);
INSERT INTO customers SELECT u, CASE WHEN u % 2 = 0 THEN 'DE' END, CASE WHEN u % 5 > 0 THEN u % 5 = 1 END FROM generate_series(1, 50) u;
CREATE UNIQUE INDEX ON customers (id);
SELECT recsys.create_recommender('profiled', signals => '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
  profiles => 'customers', profile_key => 'id', segment => 'country', exclude_users => 'is_fraud');
-- who is excluded gets what is popular only; a missing row or a NULL says nothing
SELECT CASE WHEN u > 50 THEN 'no row' WHEN u % 5 = 0 THEN 'null' WHEN u % 5 = 1 THEN 'excluded' ELSE 'not excluded' END AS who,
    array_agg(DISTINCT source ORDER BY source) AS sources
  FROM generate_series(1, 60) u, recommend(u, 3, 'profiled') WHERE u NOT IN (7, 8) GROUP BY 1 ORDER BY 1;
-- nor does the cart make it personal
SELECT DISTINCT source FROM recommend(6, 3, 'profiled', context => '{"cart": [2]}');
-- what only the table of items knows may be in a cart, and is not recommended
SELECT count(*) FILTER (WHERE item_id = 29), count(*) FILTER (WHERE item_id = 30) FROM recommend(2, 100, 'profiled', context => '{"cart": [29], "exclude": ["29"]}');


-- The price level is that of the fifty latest rows, as they were paid, or else of the fifty latest items.
CREATE TABLE orders AS SELECT user_id, item_id, at, (5 + item_id * (1 + draw(user_id, item_id, 61)))::numeric(8,2) AS paid, 'sold' AS state FROM purchases;
INSERT INTO orders SELECT 5, 1 + i % 7, '2024-03-02'::timestamptz + make_interval(mins => i), 20 + i, CASE WHEN i % 9 > 0 THEN 'sold' ELSE 'open' END FROM generate_series(1, 70) i;
INSERT INTO orders VALUES (6, 4, '2024-03-03', -1, 'sold'), (6, 5, '2024-03-03', NULL, 'sold'), (6, 6, '2024-03-03', 0, 'sold'), (6, 7, '2024-03-03', 'NaN', 'sold');
CREATE INDEX orders_recsys ON orders USING recsys (user_id, item_id, at) WITH (similarity = cosine, popularity = 0) WHERE state = 'sold';
SELECT recsys.create_recommender(name, signals => jsonb_build_array(jsonb_build_object('events', 'orders_recsys') || signal),
    items => 'products', item_key => 'product_id', price => 'price', price_affinity => affinity)
  FROM (VALUES ('unpriced', '{}'::jsonb, 0), ('as_paid', '{"price": "paid"}', 0.8), ('as_listed', '{}', 0.8)) x(name, signal, affinity);
CREATE VIEW levels AS
WITH rows AS (
  SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY at DESC) AS n FROM orders WHERE state = 'sold'
), items AS (
  SELECT user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY max(at) DESC) AS n
  FROM orders WHERE state = 'sold' GROUP BY 1, 2
), prices AS (
  SELECT 'as_paid' AS name, user_id, paid::float8 AS price FROM rows WHERE n <= 50
  UNION ALL SELECT 'as_listed', user_id, price::float8 FROM items JOIN products ON product_id = item_id WHERE n <= 50
)
SELECT name, user_id, avg(ln(price)) AS level, greatest(coalesce(stddev_samp(ln(price)), 0.25), 0.25) AS spread
FROM prices WHERE price > 0 AND price <> 'NaN' GROUP BY 1, 2;
SELECT r.name, count(*), count(*) FILTER (WHERE NOT abs(p.score - u.score * CASE WHEN price > 0 AND level IS NOT NULL THEN 2 ^ (0.8 * (2 * exp(greatest(-power((ln(price::float8) - level) / spread, 2) / 2, -500)) - 1)) ELSE 1 END) <= 1e-5 * u.score) AS different
  FROM unnest('{as_paid,as_listed}'::text[]) r(name), generate_series(1, 60) us(u),
    LATERAL recommend(us.u, 100, 'unpriced') u JOIN products ON product_id = item_id
    LEFT JOIN LATERAL (SELECT item_id, score FROM recommend(us.u, 100, r.name)) p USING (item_id)
    LEFT JOIN LATERAL (SELECT level, spread FROM levels l WHERE l.name = r.name AND l.user_id = us.u) l ON true
  WHERE u.source = 'history' GROUP BY 1 ORDER BY 1;
SET client_min_messages = warning;
SELECT count(recsys.drop_recommender(name)) > 0 AS dropped FROM recsys.recommender WHERE definition ->> 'signals' LIKE '%signals.%';
DROP SCHEMA signals CASCADE;
