--
-- recommend_all(): the lists of all users, which are those of recommend() row by row.
--
SET client_min_messages = warning;
CREATE SCHEMA everybody;
SET search_path = everybody, public;
RESET client_min_messages;

-- Deterministic: what users do depends on numbers alone.
CREATE FUNCTION draw(a int, b int, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || substr(md5(a || '-' || b || '-' || salt), 1, 7))::bit(28)::int)::float8 / (1 << 28) $$;

-- user_id, item_id, quantity, at: some rows without a user, without an item, with a negative quantity
CREATE TABLE acts AS
  SELECT u AS user_id, (power(draw(u, i, 1), 3) * 150)::int AS item_id,
    (draw(u, i, 2) * 12 - 2)::numeric(6, 2) AS quantity,
    timestamptz '2026-01-01 00:00+00' - make_interval(mins => (draw(u, i, 3) * 500000)::int) AS at
  FROM generate_series(1, 300) u, generate_series(1, 25) i WHERE i <= 1 + u % 25;
UPDATE acts SET item_id = NULL WHERE user_id IN (7, 8) AND quantity > 1;
UPDATE acts SET item_id = NULL WHERE user_id = 9;
UPDATE acts SET user_id = NULL WHERE user_id = 10;
-- all that this one has cancels out
UPDATE acts SET quantity = -1 WHERE user_id = 11;

-- How many rows there are, of how many users, and how many are only here or only there
CREATE FUNCTION compared(name text, k bigint, OUT lists bigint, OUT users bigint, OUT missing bigint, OUT surplus bigint)
LANGUAGE sql AS
$$
  WITH lists AS MATERIALIZED (SELECT * FROM recommend_all(name, k, NULL::text, NULL::text)),
    single AS MATERIALIZED (
      SELECT u.user_id, r.item_id, r.rank, r.score FROM (SELECT DISTINCT user_id FROM lists) u, recommend(u.user_id, k, name, NULL::text) r)
  SELECT count(*), count(DISTINCT user_id), (SELECT count(*) FROM (SELECT * FROM single EXCEPT ALL SELECT * FROM lists) s),
    (SELECT count(*) FROM (SELECT * FROM lists EXCEPT ALL SELECT * FROM single) l)
  FROM lists
$$;

-- Models and options: weights that decay, priors, items that are no longer offered, few of many items
CREATE TABLE models (options text, columns text);
INSERT INTO models VALUES
  ('similarity = cosine', 'user_id, item_id'),
  ('similarity = cosine, popularity = 0', 'user_id, item_id'),
  ('similarity = lift, neighbors = 3', 'user_id, item_id'),
  ('similarity = rp3beta, half_life = ''60 days''', 'user_id, item_id, quantity, at'),
  ('similarity = jaccard, half_life = ''30 days'', item_max_age = ''20 days''', 'user_id, item_id, at'),
  ('similarity = cosine, popularity = 3, popularity_half_life = ''30 days'', item_max_age = ''1 day''', 'user_id, item_id, at'),
  ('similarity = cosine, max_history = 4', 'user_id, item_id, at'),
  ('similarity = ease', 'user_id, item_id'),
  ('similarity = als, rank = 8', 'user_id, item_id');
CREATE FUNCTION compare_models() RETURNS TABLE (options text, k bigint, lists bigint, users bigint, missing bigint, surplus bigint)
LANGUAGE plpgsql AS
$$
DECLARE model record;
BEGIN
  FOR model IN SELECT * FROM models ORDER BY models.options LOOP
    EXECUTE format('CREATE INDEX acts_model ON acts USING recsys (%s) WITH (%s)', model.columns, model.options);
    FOREACH k IN ARRAY '{1,10,120,NULL}'::bigint[] LOOP
      options := model.options;
      SELECT * INTO lists, users, missing, surplus FROM compared('acts_model', k);
      RETURN NEXT;
    END LOOP;
    DROP INDEX acts_model;
  END LOOP;
END
$$;
SET client_min_messages = warning;
SELECT * FROM compare_models() WHERE missing > 0 OR surplus > 0 OR users <> 298 OR lists = 0;
RESET client_min_messages;

-- who is listed: all who have a row with an item, whether it counts or not
CREATE INDEX acts_recsys ON acts USING recsys (user_id, item_id, quantity, at) WITH (similarity = cosine, half_life = '90 days');
SELECT u FROM generate_series(1, 12) u WHERE u NOT IN (SELECT user_id FROM recommend_all('acts_recsys'));
SELECT count(*), max(score) FROM recommend_all('acts_recsys', 5) WHERE user_id = 11;
-- each user's rows are together and in the order of their ranks
SELECT count(*) FROM (SELECT user_id, rank, lag(user_id) OVER w AS before, lag(rank) OVER w AS rank_before FROM (SELECT *, row_number() OVER () AS n FROM recommend_all('acts_recsys', 7)) s WINDOW w AS (ORDER BY n)) s
WHERE CASE WHEN rank = 1 THEN user_id = before ELSE user_id <> before OR rank <> rank_before + 1 END;

-- Items that came after the build stand between others by their keys; then merged
BEGIN;
INSERT INTO acts SELECT u, -5 + i, 1, timestamptz '2026-01-02 00:00+00' FROM generate_series(1, 40) u, generate_series(1, 4) i;
INSERT INTO acts SELECT 1000 + u, 1000 - i, 1, timestamptz '2026-01-03 00:00+00' FROM generate_series(1, 5) u, generate_series(1, u) i;
DELETE FROM acts WHERE user_id = 20;
SELECT * FROM compared('acts_recsys', 10);
COMMIT;
SELECT recsys.merge('acts_recsys') IS NOT NULL AS merged;
SELECT * FROM compared('acts_recsys', 10);
SELECT * FROM compared('acts_recsys', NULL);

-- In a SELECT list: the same rows, one by one; who asks may stop, and write
SELECT count(*) FROM (SELECT (recommend_all('acts_recsys')).*) s;
SELECT count(*) FROM (SELECT (a).* FROM (SELECT recommend_all('acts_recsys') AS a OFFSET 0) s EXCEPT SELECT * FROM recommend_all('acts_recsys')) s;
SELECT count(*) FROM (SELECT recommend_all('acts_recsys', 3) LIMIT 8) s;
CREATE TABLE kept (user_id bigint, item_id bigint, rank integer, score real);
INSERT INTO kept SELECT (a).* FROM (SELECT recommend_all('acts_recsys', 3) AS a OFFSET 0) s;
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT (a).* FROM (SELECT recommend_all('acts_recsys', 3) AS a OFFSET 0) s LOOP
    INSERT INTO kept SELECT one.*;
  END LOOP;
END
$$;
SELECT count(*), count(DISTINCT (user_id, rank)) FROM kept;
-- a cursor sees what there was when it was opened
CREATE FUNCTION count_beside_inserts() RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE several CURSOR FOR SELECT recommend_all('acts_recsys', 1); moved bigint; n bigint := 5;
BEGIN
  OPEN several;
  MOVE FORWARD 5 IN several;
  BEGIN
    INSERT INTO acts SELECT 5000 + u, 3, 1, timestamptz '2026-01-02 00:00+00' FROM generate_series(1, 500) u;
    MOVE FORWARD 20 IN several;
    RAISE division_by_zero;
  EXCEPTION WHEN division_by_zero THEN
    MOVE FORWARD ALL IN several;
    GET DIAGNOSTICS moved = ROW_COUNT;
    n := n + 20 + moved;
  END;
  CLOSE several;
  RETURN n;
END
$$;
SELECT count_beside_inserts() = count(*) AS as_opened FROM recommend_all('acts_recsys', 1);
-- rows that do not fit in work_mem, one after the other
BEGIN;
SET LOCAL work_mem = '64kB';
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT count(*) FROM (SELECT (a).* FROM (SELECT recommend_all('acts_recsys') AS a OFFSET 0) s EXCEPT ALL SELECT * FROM recommend_all('acts_recsys')) d;
SELECT count(*) FROM (SELECT (a).* FROM (SELECT recommend_all('acts_recsys', NULL) AS a OFFSET 0) s EXCEPT ALL SELECT * FROM recommend_all('acts_recsys', NULL)) d;
COMMIT;
-- an index that the caller has rebuilt has its users in another order
BEGIN;
DECLARE rebuilt CURSOR FOR SELECT recommend_all('acts_recsys', 1);
MOVE FORWARD 1 IN rebuilt;
REINDEX INDEX acts_recsys;
MOVE FORWARD ALL IN rebuilt;
ROLLBACK;
SELECT count((a).rank), count((b).rank) FROM (SELECT recommend_all('acts_recsys', 1) AS a, recommend_all('acts_recsys', 2) AS b) s;
SELECT count(*) FROM (SELECT (a).rank FROM (SELECT recommend_all('acts_recsys', 2) AS a OFFSET 0) s, (SELECT count(*) FROM pg_class) c) s;
-- in FROM
TRUNCATE kept;
INSERT INTO kept SELECT * FROM recommend_all('acts_recsys', 3);
SELECT count(*) FROM kept;
SELECT count(*) FROM generate_series(1, 3) k, recommend_all('acts_recsys', k);
SELECT count(*) FROM recommend_all('acts_recsys', 2) WITH ORDINALITY;
SELECT count(*) FROM ROWS FROM (recommend_all('acts_recsys', 2), generate_series(1, 3));

-- Parallel workers, and what they see of the own transaction
BEGIN;
SET LOCAL min_parallel_index_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
INSERT INTO acts SELECT 3000 + u, 3, 1, timestamptz '2026-01-02 00:00+00' FROM generate_series(1, 50) u;
SELECT * FROM compared('acts_recsys', 10);
ROLLBACK;

-- Where there is no room for the packed graph, lists are made from pages
CREATE TABLE wide AS SELECT u AS user_id, (draw(u, i, 4) * 4000)::int AS item_id FROM generate_series(1, 700) u, generate_series(1, 20) i;
CREATE INDEX wide_recsys ON wide USING recsys (user_id, item_id) WITH (similarity = cosine, popularity = 0);
SELECT * FROM compared('wide_recsys', 5);
BEGIN;
SET LOCAL maintenance_work_mem = '1MB';
SELECT * FROM compared('wide_recsys', 5);
SET LOCAL min_parallel_index_scan_size = 0;
SELECT * FROM compared('wide_recsys', 5);
COMMIT;

-- Keys of other types
CREATE TABLE worded AS SELECT ('user ' || user_id)::text AS user_id, md5(item_id::text)::uuid AS item_id FROM acts WHERE user_id < 60;
CREATE INDEX worded_recsys ON worded USING recsys (user_id, item_id);
INSERT INTO worded SELECT 'user ' || u, md5('late' || u % 3)::uuid FROM generate_series(1, 30) u;
SELECT * FROM compared('worded_recsys', 10);
SELECT pg_typeof(user_id), pg_typeof(item_id), pg_typeof(rank), pg_typeof(score) FROM recommend_all('worded_recsys', 1, NULL::text, NULL::uuid) LIMIT 1;
SELECT pg_typeof(user_id), pg_typeof(item_id) FROM recommend_all('worded_recsys', 1, NULL, NULL) LIMIT 1;
SELECT pg_typeof(user_id), pg_typeof(item_id) FROM recommend_all('acts_recsys', 1, NULL::int, NULL::varchar) LIMIT 1;
SELECT count(*) FROM recommend_all('worded_recsys', 2, item_type => NULL::uuid, user_type => NULL::text);
SELECT * FROM recommend_all('worded_recsys');
SELECT * FROM recommend_all('worded_recsys', 3, NULL::text, NULL::bigint);
SELECT * FROM recommend_all('worded_recsys', 3, NULL::date, NULL::bigint);

-- What cannot be done
SELECT * FROM recommend_all('acts_recsys', -1);
SELECT * FROM recommend_all('acts_recsys', 0);
SELECT recommend_all('acts_recsys', 0);
SELECT * FROM recommend_all();
SELECT * FROM recommend_all('nowhere');
SELECT * FROM recommend_all('acts');
CREATE TABLE things (item_id bigint, category text);
CREATE INDEX things_recsys ON things USING recsys_items (item_id, category);
SELECT * FROM recommend_all('things_recsys');

-- Nobody, and nothing but rows without an item
CREATE TABLE none (user_id bigint, item_id bigint);
CREATE INDEX none_recsys ON none USING recsys (user_id, item_id);
SELECT * FROM recommend_all('none_recsys');
SELECT recommend_all('none_recsys');
INSERT INTO none VALUES (1, NULL), (NULL, 1), (2, 2);
SELECT * FROM recommend_all('none_recsys');
INSERT INTO none VALUES (3, 3), (3, 2);
SELECT recsys.merge('none_recsys') IS NOT NULL AS merged;
SELECT user_id, item_id, rank, score > 0 AS scored FROM recommend_all('none_recsys') ORDER BY 1, 3;

-- Rights: as for recommend()
CREATE ROLE everybody_reader;
GRANT USAGE ON SCHEMA everybody TO everybody_reader;
SET ROLE everybody_reader;
SELECT count(*) FROM recommend_all('acts_recsys');
RESET ROLE;
GRANT SELECT (user_id, item_id, quantity, at) ON acts TO everybody_reader;
SET ROLE everybody_reader;
SELECT count(*) FROM recommend_all('acts_recsys', 1);
RESET ROLE;
ALTER TABLE acts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON acts USING (user_id = 3);
SET ROLE everybody_reader;
SELECT count(*) FROM recommend_all('acts_recsys', 1);
RESET ROLE;
ALTER TABLE acts DISABLE ROW LEVEL SECURITY;

-- A declared recommender: each user of its signals, by all of its rules
CREATE TABLE looks AS SELECT u + 290 AS user_id, (power(draw(u, i, 5), 2) * 150)::int AS item_id, timestamptz '2026-01-01 00:00+00' AS at
  FROM generate_series(1, 30) u, generate_series(1, 6) i;
CREATE INDEX looks_recsys ON looks USING recsys (user_id, item_id, at);
CREATE TABLE goods AS SELECT i AS item_id, 'c' || i % 7 AS category, i % 4 > 0 AS on_sale FROM generate_series(0, 150) i;
ALTER TABLE goods ADD PRIMARY KEY (item_id);
SELECT recsys.create_recommender('everybody_shop',
  signals => '[{"events": "acts_recsys"}, {"events": "looks_recsys", "weight": 0.5}]',
  items => 'goods', item_key => 'item_id', item_filter => 'on_sale', category => 'category');
SELECT * FROM compared('everybody_shop', 5);
SELECT count(DISTINCT user_id) FROM (SELECT user_id FROM acts WHERE item_id IS NOT NULL UNION SELECT user_id FROM looks) s;
SELECT count(*) FROM (SELECT user_id, count(*) AS n, count(DISTINCT rank) AS ranks FROM recommend_all('everybody_shop', 5) GROUP BY user_id) s WHERE n <> ranks;
SELECT count(*) FROM recommend_all('everybody_shop', 5) a JOIN goods USING (item_id) WHERE NOT on_sale;
SELECT count(*) FROM (SELECT (a).user_id FROM (SELECT recommend_all('everybody_shop', 2) AS a OFFSET 0) s) s;
SELECT count(*) FROM (SELECT recommend_all('everybody_shop', 2) LIMIT 3) s;
BEGIN;
DECLARE rebuilt CURSOR FOR SELECT recommend_all('everybody_shop', 1);
MOVE FORWARD 1 IN rebuilt;
REINDEX INDEX looks_recsys;
MOVE FORWARD ALL IN rebuilt;
ROLLBACK;
SELECT recsys.drop_recommender('everybody_shop');

DROP OWNED BY everybody_reader;
DROP ROLE everybody_reader;
SET client_min_messages = warning;
DROP SCHEMA everybody CASCADE;
