-- An index over an item graph that stands in a table, a row an item: lists by a history that one index
-- has and neighbors that another has.
SET client_min_messages = warning;
CREATE SCHEMA gi;
SET search_path = gi, public;

-- interactions whose numbers of users and pairs differ much
CREATE TABLE sales (user_id integer, product_id bigint, quantity real, sold_at timestamptz);
INSERT INTO sales
SELECT u, p, 1 + (u * p) % 4, timestamptz '2026-01-01' + ((u * 7 + p * 13) % 200) * interval '1 day'
FROM generate_series(1, 120) AS u, generate_series(1, 60) AS p
WHERE (u * 31 + p * 17) % 97 < 1500 / (p + 12) AND (u + p) % 3 <> 0;

-- the graph of an index as a table
CREATE FUNCTION export(index text, target text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I AS
		SELECT i.item_id, i.users::integer, s.similar_ids, s.scores, s.supports
		FROM popular_items(NULL, %L) AS i
		LEFT JOIN (SELECT item_id, array_agg(similar_item_id ORDER BY rank) AS similar_ids,
						  array_agg(score ORDER BY rank) AS scores,
						  array_agg(support::integer ORDER BY rank) AS supports
				   FROM item_similarity(%L) GROUP BY item_id) AS s USING (item_id)
		ORDER BY i.item_id %% 7, i.item_id', target, index, index);
	EXECUTE format('CREATE INDEX %I ON %I USING recsys_graph (item_id, users, similar_ids, scores, supports)',
				   target || '_graph', target);
END $$;

-- recommend_from answers as recommend does, to the last bit, whatever the model and the index's columns
CREATE FUNCTION differences(index text, graph text) RETURNS TABLE (answers bigint, differ bigint)
LANGUAGE sql AS $$
	WITH asked AS (
		SELECT u, e, h FROM generate_series(0, 121) AS u, unnest(ARRAY[true, false]) AS e,
			   unnest(ARRAY[NULL, interval '0', interval '30 days']) AS h
		WHERE h IS NULL OR index LIKE '%timed%'),
	one AS (SELECT u, e, h, r.* FROM asked, recommend(u, 15, index, e, h) AS r),
	other AS (SELECT u, e, h, r.* FROM asked, recsys.recommend_from(u, 15, index::regclass, graph::regclass, e, h) AS r)
	SELECT (SELECT count(*) FROM one),
		   (SELECT count(*) FROM (TABLE one EXCEPT ALL TABLE other) AS a) +
		   (SELECT count(*) FROM (TABLE other EXCEPT ALL TABLE one) AS b)
$$;

CREATE TABLE outcome (name text, answers bigint, differ bigint);
DO $$
DECLARE
	model text;
	columns text;
	name text;
BEGIN
	FOREACH model IN ARRAY ARRAY['cosine', 'lift', 'rp3beta', 'jaccard'] LOOP
		FOREACH columns IN ARRAY ARRAY['user_id, product_id', 'user_id, product_id, quantity', 'user_id, product_id, quantity, sold_at'] LOOP
			name := model || CASE WHEN columns LIKE '%sold_at' THEN '_timed' WHEN columns LIKE '%quantity' THEN '_weighted' ELSE '' END;
			EXECUTE format('CREATE INDEX %I ON sales USING recsys (%s) WITH (similarity = %s, neighbors = 12, max_history = 18%s)',
						   name, columns, model, CASE WHEN columns LIKE '%sold_at' THEN ', half_life = 90' ELSE '' END);
			PERFORM export('gi.' || name, 'g_' || name);
			INSERT INTO outcome SELECT name, d.* FROM differences('gi.' || name, 'gi.g_' || name) AS d;
		END LOOP;
	END LOOP;
END $$;
SELECT * FROM outcome ORDER BY name;
SELECT c.relname, recsys.check_index(c.oid) IS NOT NULL AS checked
FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam
WHERE a.amname = 'recsys_graph' ORDER BY c.relname COLLATE "C";

-- neighbors and popular items, too
SELECT count(*) AS rows, count(*) FILTER (WHERE a IS NULL OR b IS NULL) AS differ
FROM (SELECT p, s AS a FROM generate_series(0, 61) AS p, similar_items(p, 100, 'lift') AS s) AS x
FULL JOIN (SELECT p, s AS b FROM generate_series(0, 61) AS p, recsys.similar_from(p, 100, 'g_lift') AS s) AS y
	ON x.p = y.p AND x.a::text = y.b::text;
SELECT count(*) AS rows, count(*) FILTER (WHERE a IS NULL OR b IS NULL) AS differ
FROM item_similarity('cosine') AS a FULL JOIN item_similarity('g_cosine_graph') AS b ON a::text = b::text;
SELECT count(*) AS rows, count(*) FILTER (WHERE a IS NULL OR b IS NULL) AS differ
FROM popular_items(NULL, 'cosine') AS a FULL JOIN recsys.popular_from(NULL, 'g_cosine') AS b ON a::text = b::text;
SELECT count(*) AS rows, count(*) FILTER (WHERE a IS NULL OR b IS NULL) AS differ
FROM recommend_for_items(ARRAY[1, 5, 9, 9, 77, NULL]::bigint[], 40, 'rp3beta') AS a
FULL JOIN recommend_for_items(ARRAY[1, 5, 9, 9, 77, NULL]::bigint[], 40, 'g_rp3beta_graph') AS b ON a::text = b::text;

-- items that have come since the index of the history was built, and such as the graph does not know
INSERT INTO sales VALUES (1, 0, 1, '2026-08-01'), (1, 200, 1, '2026-08-02'), (200, 200, 1, '2026-08-02');
SELECT count(*) AS answers, count(*) FILTER (WHERE item_id IN (SELECT product_id FROM sales WHERE user_id = 1)) AS seen
FROM recsys.recommend_from(1, 100, 'cosine', 'g_cosine');
SELECT * FROM recsys.recommend_from(200, 2, 'cosine', 'g_cosine');
SELECT * FROM recsys.recommend_from(NULL::integer, 2, 'cosine', 'g_cosine');
SELECT count(*) FROM recsys.recommend_from(1, 0, 'cosine', 'g_cosine');
PREPARE several AS SELECT item_id, source FROM recsys.recommend_from($1, $2, 'cosine', 'g_cosine_graph');
EXECUTE several (7, 1);
SET plan_cache_mode = force_generic_plan;
EXECUTE several (7, 1);
RESET plan_cache_mode;
DEALLOCATE several;

-- statistics; maintenance finds nothing to do
SELECT index_name, index_kind, similarity, items, neighbors, pending, staleness, drifts, problem
FROM recsys.index_stats WHERE index_name = 'g_lift_graph';
SELECT similarity, users, items, interactions FROM recsys.index_info('g_lift_graph');
SELECT * FROM recsys.merge('g_lift_graph');
SELECT amvalidate(oid) FROM pg_opclass WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'recsys_graph');
EXPLAIN (COSTS OFF) SELECT * FROM g_lift WHERE item_id = 7;

-- nothing changes the graph but a build
INSERT INTO g_lift VALUES (1000, 1, NULL, NULL, NULL);
UPDATE g_lift SET users = 5 WHERE item_id = 7;
INSERT INTO g_lift VALUES (NULL, 1, NULL, NULL, NULL);
DELETE FROM g_lift WHERE item_id IN (7, 8);
VACUUM g_lift;
SELECT recsys.check_index('g_lift_graph');
SELECT count(*) FROM recsys.similar_from(7, 5, 'g_lift');
REINDEX INDEX CONCURRENTLY g_lift_graph;
SELECT recsys.check_index('g_lift_graph');
SELECT users FROM recsys.popular_from(NULL, 'g_lift') WHERE item_id = 7;
ALTER INDEX g_lift_graph SET (neighbors = 5);
CREATE INDEX CONCURRENTLY second ON g_lift USING recsys_graph (item_id, users, similar_ids, scores);
SELECT * FROM recsys.popular_from(1, 'g_lift');
SELECT count(*) FROM recsys.popular_from(NULL, 'second');
SELECT support FROM recsys.similar_from(9, 1, 'second');
DROP INDEX second;
TRUNCATE g_lift;
SELECT count(*) FROM recsys.recommend_from(7, 5, 'lift', 'g_lift');
SELECT recsys.check_index('g_lift_graph');

-- text and uuid keys, other types of columns, and an item that others have and that has no row
CREATE TABLE words (user_id text, word varchar(20));
INSERT INTO words SELECT 'u' || u, 'w' || w FROM generate_series(1, 30) AS u, generate_series(1, 12) AS w WHERE (u * 5 + w * 3) % 7 < 3;
CREATE INDEX words_recsys ON words USING recsys (user_id, word) WITH (similarity = cosine, min_support = 1);
CREATE TABLE g_words (word varchar(20), users bigint, similar_ids text[], scores double precision[], supports bigint[]);
INSERT INTO g_words VALUES
	('w1', 9, '{w2,w3,new}', '{0.25,0.5,0.75}', '{3,4,5}'),
	('w2', NULL, NULL, NULL, NULL),
	('w3', 20, '{w9,w1,w10}', '{0.5,0.5,0.5}', NULL),
	(NULL, 4, '{w1}', '{1}', '{1}'),
	('w4', 20, '{}', '{}', '{}');
CREATE INDEX g_words_graph ON g_words USING recsys_graph (word, users, similar_ids, scores, supports);
SELECT recsys.check_index('g_words_graph');
SELECT * FROM recsys.similar_from('w1', 5, 'g_words');
SELECT * FROM recsys.similar_from('w3'::text, 5, 'g_words');
SELECT * FROM recsys.similar_from('new', 5, 'g_words');
SELECT * FROM recsys.popular_from(5, 'g_words', NULL::text);
SELECT word FROM words WHERE user_id = 'u3' ORDER BY word COLLATE "C";
SELECT * FROM recsys.recommend_from('u3', 9, 'words_recsys', 'g_words', NULL::text);
SELECT * FROM recsys.recommend_from('u3'::text, 9, 'words_recsys', 'g_words', NULL::text, exclude_seen => false);
SELECT * FROM recsys.recommend_from('u3', 9, 'words_recsys', 'g_words');
SELECT * FROM recsys.recommend_from('u3', 9, 'words_recsys', 'g_cosine', NULL::text);

CREATE TABLE things (user_id uuid, thing uuid);
INSERT INTO things SELECT md5('u' || u)::uuid, md5('t' || t)::uuid FROM generate_series(1, 40) AS u, generate_series(1, 20) AS t WHERE (u * 11 + t * 3) % 13 < 5;
CREATE INDEX things_recsys ON things USING recsys (user_id, thing) WITH (similarity = rp3beta, min_support = 1);
CREATE TABLE g_things AS
SELECT item_id, users, similar_ids, scores, supports FROM popular_items(NULL, 'things_recsys', NULL::uuid) AS i
LEFT JOIN (SELECT item_id, array_agg(similar_item_id) AS similar_ids, array_agg(score) AS scores, array_agg(support) AS supports
		   FROM item_similarity('things_recsys', NULL::uuid) GROUP BY item_id) AS s USING (item_id);
CREATE INDEX g_things_graph ON g_things USING recsys_graph (item_id, users, similar_ids, scores, supports);
SELECT recsys.check_index('g_things_graph');
SELECT count(*) AS rows, count(*) FILTER (WHERE a IS NULL OR b IS NULL) AS differ
FROM (SELECT u, r AS a FROM generate_series(1, 41) AS u, recommend(md5('u' || u)::uuid, 10, 'things_recsys', NULL::uuid) AS r) AS x
FULL JOIN (SELECT u, r AS b FROM generate_series(1, 41) AS u, recsys.recommend_from(md5('u' || u)::uuid, 10, 'things_recsys', 'g_things', NULL::uuid) AS r) AS y
	ON x.u = y.u AND x.a::text = y.b::text;

-- an empty graph, an unlogged and a temporary one, a partial index
CREATE UNLOGGED TABLE g_none (item_id integer, users integer, similar_ids integer[], scores real[]);
CREATE INDEX g_none_graph ON g_none USING recsys_graph (item_id, users, similar_ids, scores);
SELECT recsys.check_index('g_none_graph');
SELECT count(*) FROM recsys.recommend_from(7, 5, 'cosine', 'g_none');
SELECT count(*) FROM recsys.popular_from(5, 'g_none');
CREATE TEMP TABLE g_temp AS SELECT * FROM g_cosine;
INSERT INTO g_temp SELECT * FROM g_temp LIMIT 1;
CREATE INDEX g_temp_graph ON g_temp USING recsys_graph (item_id, users, similar_ids, scores, supports);
CREATE INDEX g_temp_graph ON g_temp USING recsys_graph (item_id, users, similar_ids, scores, supports) WHERE item_id > 30;
SELECT count(*) > 0 AS some, min(item_id) FROM recsys.popular_from(NULL, 'g_temp') WHERE users > 0;
DROP TABLE g_temp;

-- partitions have graphs of their own; a materialized view is refreshed as a whole; expressions
CREATE TABLE g_parts (item_id bigint, users integer, similar_ids bigint[], scores real[], supports integer[]) PARTITION BY HASH (item_id);
CREATE TABLE g_parts_0 PARTITION OF g_parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE g_parts_1 PARTITION OF g_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO g_parts SELECT * FROM g_cosine;
CREATE INDEX g_parts_graph ON g_parts USING recsys_graph (item_id, users, similar_ids, scores, supports);
SELECT * FROM recsys.recommend_from(7, 5, 'cosine', 'g_parts_graph');
SELECT count(*) FROM recsys.recommend_from(7, 5, 'cosine', 'g_parts_1');
CREATE MATERIALIZED VIEW g_view AS SELECT * FROM g_cosine WHERE item_id > 20;
CREATE UNIQUE INDEX ON g_view (item_id);
CREATE INDEX g_view_graph ON g_view USING recsys_graph ((item_id::integer), (users + 1), (similar_ids[1:3]), (scores[1:3])) WHERE users > 1;
REFRESH MATERIALIZED VIEW g_view;
SELECT recsys.check_index('g_view_graph');
SELECT count(*), max(rank) FROM recsys.similar_from(30, 10, 'g_view');
DROP TABLE g_parts;
DROP MATERIALIZED VIEW g_view;
CREATE UNIQUE INDEX ON g_cosine USING recsys_graph (item_id, users, similar_ids, scores);

-- rows that are no rows of an item graph
CREATE FUNCTION refused(VARIADIC rows text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	DROP TABLE IF EXISTS g_bad;
	CREATE TABLE g_bad (item_id bigint, users bigint, similar_ids bigint[], scores real[], supports bigint[]);
	EXECUTE 'INSERT INTO g_bad VALUES ' || array_to_string(rows, ', ');
	CREATE INDEX ON g_bad USING recsys_graph (item_id, users, similar_ids, scores, supports);
	RETURN 'taken';
EXCEPTION WHEN data_exception OR unique_violation THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN sqlerrm || ' ' || detail;
END $$;
SELECT refused('(1, 5, ''{2}'', ''{1}'', ''{1}'')', '(2, 5, NULL, NULL, NULL)');
SELECT refused('(1, 5, ''{2}'', ''{1}'', ''{1}'')', '(1, 5, NULL, NULL, NULL)');
SELECT refused('(1, 5, ''{2,3}'', ''{1}'', ''{1}'')');
SELECT refused('(1, 5, ''{2,3}'', ''{1,1}'', ''{1}'')');
SELECT refused('(1, 5, ''{2,NULL}'', ''{1,1}'', ''{1,1}'')');
SELECT refused('(1, 5, ''{2,3}'', ''{1,NULL}'', ''{1,1}'')');
SELECT refused('(1, 5, ''{2,3}'', ''{1,0}'', ''{1,1}'')');
SELECT refused('(1, 5, ''{2,3}'', ''{NaN,1}'', ''{1,1}'')');
SELECT refused('(1, 5, ''{2,3}'', ''{Infinity,1}'', ''{1,1}'')');
SELECT refused('(1, 5, ''{2,3}'', ''{1,1}'', ''{1,-1}'')');
SELECT refused('(1, -5, NULL, NULL, NULL)');
SELECT refused('(1, 5, ''{2,1}'', ''{1,1}'', ''{1,1}'')');
SELECT refused('(1, 5, ''{2,3,2}'', ''{1,1,1}'', ''{1,1,1}'')');
SELECT refused('(1, 5, ''{{2,3}}'', ''{1,1}'', ''{1,1}'')');
SELECT refused('(1, 5, (SELECT array_agg(i) FROM generate_series(2, 502) AS i), (SELECT array_agg(1) FROM generate_series(2, 502)), NULL)');
SELECT refused('(1, 5, (SELECT array_agg(i) FROM generate_series(2, 501) AS i), (SELECT array_agg(1) FROM generate_series(2, 501)), NULL)');

-- columns that make no item graph
CREATE INDEX ON g_cosine USING recsys_graph (item_id, users);
CREATE INDEX ON g_cosine USING recsys_graph (item_id, users, scores, similar_ids);
CREATE INDEX ON g_cosine USING recsys_graph (scores, users, similar_ids, scores);
CREATE INDEX ON g_cosine USING recsys_graph (item_id, users, supports, supports);
CREATE INDEX ON g_words USING recsys_graph (users, users, similar_ids, scores);
CREATE INDEX ON g_cosine USING recsys_graph (item_id, users, similar_ids, scores) WITH (neighbors = 10);

-- other functions, and other indexes
SELECT * FROM recommend(7, 5, 'g_cosine_graph');
SELECT * FROM popular_items(5, 'g_cosine_graph');
SELECT * FROM goes_with(7, 5, 'g_cosine_graph');
SELECT * FROM explain_recommendation(7, 5::bigint, 'g_cosine_graph');
SELECT recsys.create_recommender('gi_shop', signals => '[{"events": "g_cosine_graph"}]');
SELECT * FROM recsys.forget_user('g_cosine_graph', 7);
SELECT * FROM association_rules('g_cosine_graph');
SELECT * FROM recsys.recommend_from(7, 5, 'cosine', 'cosine');
SELECT * FROM recsys.recommend_from(7, 5, 'cosine', 'sales');
SELECT * FROM recsys.recommend_from(7, 5, 'g_cosine_graph', 'g_cosine');
SELECT * FROM recsys.recommend_from(7, 5, 'cosine', NULL);
SELECT * FROM recsys.recommend_from(7, 5, NULL, 'g_cosine');
SELECT * FROM recsys.recommend_from(7, -5, 'cosine', 'g_cosine');
SELECT * FROM recsys.recommend_from(7, 5, 'cosine', 'g_cosine', half_life => interval '1 day');

-- what is read must be allowed: both tables
CREATE ROLE gi_reader;
GRANT USAGE ON SCHEMA gi TO gi_reader;
GRANT SELECT ON sales TO gi_reader;
SET ROLE gi_reader;
SELECT count(*) FROM recsys.recommend_from(7, 5, 'cosine', 'g_cosine');
SELECT count(*) FROM recsys.recommend_from(7, 5, 'cosine', 'g_cosine_graph');
RESET ROLE;
GRANT SELECT ON g_cosine TO gi_reader;
REVOKE SELECT ON sales FROM gi_reader;
SET ROLE gi_reader;
SELECT count(*) FROM recsys.recommend_from(7, 5, 'cosine', 'g_cosine');
SELECT count(*) FROM recsys.popular_from(5, 'g_cosine');
RESET ROLE;

-- a graph is no recommender that NULL could mean
CREATE TABLE others (user_id integer, product_id integer);
SELECT count(*) > 1 AS several FROM recsys.index_stats WHERE index_kind = 'graph';
DROP TABLE sales, words, things;
SELECT * FROM recommend(7, 5);
CREATE INDEX others_recsys ON others USING recsys (user_id, product_id) WITH (similarity = cosine);
SELECT count(*) FROM recommend(7, 5);

DROP SCHEMA gi CASCADE;
DROP ROLE gi_reader;
