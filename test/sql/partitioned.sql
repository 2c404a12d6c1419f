/*
 * A recommender over a partitioned table: every function that takes an index, compared with one over the
 * same rows in a plain table; names, messages, rights.
 */
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE SCHEMA parts_test;
SET search_path = parts_test, public;
CREATE TABLE plain (user_id bigint, product_id bigint, quantity int, bought_at timestamptz, price numeric);
INSERT INTO plain
SELECT 1 + (i * i * 7 + i * 13) % 241, 1 + ((i * i * 31 + i * 17) % 997) % 59, 1 + i % 3,
	timestamptz '2023-01-01 00:00:00+00' + (i * 37 % 365) * interval '1 day' + (i % 86000) * interval '1 second', 5 + ((i * i) % 400) / 10.0
FROM generate_series(1::bigint, 3500) i;
CREATE INDEX plain_recsys ON plain USING recsys (user_id, product_id, quantity, bought_at);
CREATE INDEX plain_baskets ON plain USING recsys ((user_id * 1000 + extract(month FROM bought_at AT TIME ZONE 'UTC')::int), product_id);

-- another order of columns in one partition, and a dropped one; sub-partitions
CREATE TABLE parted (user_id bigint, product_id bigint, quantity int, bought_at timestamptz, price numeric) PARTITION BY RANGE (bought_at);
CREATE TABLE parted_q1 PARTITION OF parted FOR VALUES FROM ('2023-01-01') TO ('2023-04-01');
CREATE TABLE parted_q2 (price numeric, gone text, bought_at timestamptz, product_id bigint, user_id bigint, quantity int);
ALTER TABLE parted_q2 DROP COLUMN gone;
ALTER TABLE parted ATTACH PARTITION parted_q2 FOR VALUES FROM ('2023-04-01') TO ('2023-07-01');
CREATE TABLE parted_h2 PARTITION OF parted FOR VALUES FROM ('2023-07-01') TO ('2024-01-01') PARTITION BY HASH (user_id);
CREATE TABLE parted_h2_0 PARTITION OF parted_h2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_h2_1 PARTITION OF parted_h2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT * FROM plain;
CREATE INDEX parted_recsys ON parted USING recsys (user_id, product_id, quantity, bought_at);
CREATE INDEX parted_baskets ON parted USING recsys ((user_id * 1000 + extract(month FROM bought_at AT TIME ZONE 'UTC')::int), product_id);

/*
 * Runs a query over both recommenders, which have the place of "x_recsys" and "x_baskets"; rows in
 * the order in which they come
 */
CREATE FUNCTION answers(query text, which text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT coalesce(jsonb_agg(r), ''[]'') FROM (%s) r', regexp_replace(query, '\mx_(recsys|baskets|shop|factors|late)', which || '_\1', 'g')) INTO result;
	RETURN regexp_replace(result, '\m(plain|parted)(_recsys|_baskets|_shop)?\M', 'x\2', 'g');
EXCEPTION WHEN OTHERS THEN
	RETURN to_jsonb(SQLERRM);
END;
$$;
CREATE FUNCTION same(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	one text := answers(query, 'plain');
	other text := answers(query, 'parted');
BEGIN
	RETURN CASE WHEN one LIKE '"%' OR other LIKE '"%' THEN format('%s / %s', left(one, 300), left(other, 300))
				WHEN one = '[]' AND other = '[]' THEN 'nothing' WHEN one = other THEN 'same'
				ELSE format('%s rows and %s: %s / %s', jsonb_array_length(one::jsonb), jsonb_array_length(other::jsonb), left(one, 300), left(other, 300)) END;
END;
$$;

/*
 * The same answers
 */
CREATE TABLE calls (number int GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO calls (query) VALUES
	('SELECT u, r.* FROM generate_series(1, 120) u, recommend(u, 10, ''x_recsys'') r'),
	('SELECT u, r.* FROM generate_series(1, 50) u, recommend(u, 10, ''x_recsys'', exclude_seen => false, half_life => ''30 days'') r'),
	('SELECT r.* FROM recommend(NULL::bigint, 10, ''x_recsys'') r'),
	('SELECT r.* FROM recommend_for_items(ARRAY[1, 2, 3], 10, ''x_recsys'') r'),
	('SELECT i, r.* FROM generate_series(1, 60) i, similar_items(i, 10, ''x_recsys'') r'),
	('SELECT r.* FROM popular_items(100, ''x_recsys'') r'),
	('SELECT r.* FROM popular_items(20, ''x_recsys'', since => ''2023-11-01'') r'),
	('SELECT r.rank, r.item_id, r.users, round(r.score::numeric, 9) FROM popular_items(20, ''x_recsys'', half_life => ''10 days'') r'),
	('SELECT r.* FROM explain_recommendation(7, 11, ''x_recsys'') r'),
	('SELECT r.* FROM frequently_bought_together(5, 10, ''x_baskets'') r'),
	('SELECT r.* FROM item_similarity(''x_recsys'') r ORDER BY item_id, rank'),
	('SELECT r.* FROM association_rules(''x_baskets'', min_support => 0.001, min_confidence => 0.01) r'),
	('SELECT r.* FROM association_rules_to_sets(''x_baskets'', min_support => 0.001, min_confidence => 0.01, max_length => 3) r'),
	('SELECT r.* FROM frequent_itemsets(''x_baskets'', min_support => 0.001) r'),
	('SELECT r.* FROM recsys.item_rhythm(''x_recsys'') r'),
	('SELECT i.similarity, i.users, i.items, i.interactions, i.pairs, i.capped_users FROM recsys.index_info(''x_recsys'') i'),
	('SELECT u, r.* FROM generate_series(1, 20) u, buy_again(u, 5, ''x_recsys'', at => ''2024-01-01'') r'),
	('SELECT u, r.* FROM generate_series(1, 20) u, next_basket(u, 5, ''x_recsys'', at => ''2024-01-01'') r'),
	('SELECT r.* FROM recommend_for_session(ARRAY[3, 9], 10, ''x_recsys'') r'),
	('SELECT r.* FROM cross_similarity(''x_recsys'', ''x_recsys'') r ORDER BY 1, 2, 3'),
	('SELECT r.* FROM cross_similarity(''x_recsys'', ''plain_recsys'') r ORDER BY 1, 2, 3'),
	('SELECT r.* FROM recommend_all(''x_recsys'', 5) r ORDER BY user_id, rank'),
	('SELECT u, r.* FROM generate_series(1, 20) u, recently_viewed(u, 5, ''x_recsys'') r'),
	('SELECT r.* FROM recsys.evaluate_recommender(''x_recsys'', ''SELECT user_id, 1 + (product_id + 3) % 59 FROM plain WHERE user_id < 60'', k => ''{10}'') r'),
	('SELECT r.* FROM recsys.evaluate_sessions(''x_recsys'', ''SELECT user_id, product_id, bought_at FROM plain WHERE user_id < 40'') r'),
	('SELECT r.rank, r.model, r.value FROM recsys.tune(''x_recsys'', trials => 3, models => ''{similarity = cosine,similarity = lift}'', resamples => 0, time_limit => ''1 hour'') r'),
	('SELECT r.users, r.items, r.interactions, r.neighbors, r.pending, r.inexact_items, r.model, r.problem FROM recsys.index_stats r WHERE index_name = ''x_recsys'''),
	('SELECT r.user_bytes > 0, r.graph_bytes > 0 FROM recsys.index_sections(''x_recsys'') r'),
	('SELECT r.kind FROM recsys.page_info(''x_recsys'', 0) r'),
	('SELECT recsys.check_index(''x_recsys''), recsys.check_index(''x_baskets'')'),
	('SELECT r.* FROM recsys.merge(''x_recsys'', exact => true) r'),
	('SELECT r.is_index FROM recsys.recommender_relations(''x_recsys'') r'),
	('SELECT r.item_id, r.users FROM popular_items(5, ''parts_test.x_recsys'', NULL::bigint) r');
SELECT number, same(query), left(regexp_replace(query, '^SELECT .*? FROM (?:generate_series\([0-9, ]+\) [iu], )?', ''), 90) AS call
FROM calls ORDER BY number;

-- rows that come and go and move, seen at once and merged
CREATE PROCEDURE change() LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY '{plain,parted}'::text[] LOOP
		EXECUTE format('INSERT INTO %I SELECT 300 + i %% 7, 1 + i %% 59, 2, timestamptz ''2023-01-15+00'' + i * interval ''3 days'', 9 FROM generate_series(1, 100) i', name);
		EXECUTE format('DELETE FROM %I WHERE user_id %% 17 = 3', name);
		EXECUTE format('UPDATE %I SET bought_at = bought_at + interval ''5 months'' WHERE user_id %% 19 = 4 AND bought_at < ''2023-07-01''', name);
		EXECUTE format('UPDATE %I SET quantity = quantity + 1 WHERE user_id %% 23 = 5', name);
	END LOOP;
END;
$$;
CALL change();
SELECT same('SELECT u, r.* FROM generate_series(1, 310) u, recommend(u, 10, ''x_recsys'') r') AS fresh;
SELECT count(merged) FROM unnest('{plain,parted}'::text[]) n, unnest('{recsys,baskets}'::text[]) w, recsys.merge((n || '_' || w)::regclass, exact => true) m;
VACUUM plain, parted;
SELECT count(merged) FROM unnest('{plain,parted}'::text[]) n, unnest('{recsys,baskets}'::text[]) w, recsys.merge((n || '_' || w)::regclass, exact => true) m;
DELETE FROM calls WHERE query ~ 'recsys.tune';
SELECT * FROM (SELECT number, same(query) FROM calls OFFSET 0) c WHERE same NOT IN ('same', 'nothing') ORDER BY number;
CREATE INDEX plain_factors ON plain USING recsys (user_id, product_id) WITH (similarity = als, rank = 4);
CREATE INDEX parted_factors ON parted USING recsys (user_id, product_id) WITH (similarity = als, rank = 4);
SELECT same('SELECT r.* FROM recsys.item_factors(''x_factors'') r') AS factors, same('SELECT r.* FROM recommend(7, 5, ''x_factors'') r') AS served;
DROP INDEX plain_factors, parted_factors;

-- what is of now
CREATE TABLE lately (user_id bigint, product_id bigint, at timestamptz);
CREATE TABLE lately_parted (LIKE lately) PARTITION BY HASH (user_id);
CREATE TABLE lately_0 PARTITION OF lately_parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE lately_1 PARTITION OF lately_parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO lately SELECT i % 50, CASE WHEN i < 400 THEN i % 9 ELSE i % 4 END, now() - (500 - i) * interval '6 hours' FROM generate_series(1, 499) i;
INSERT INTO lately_parted SELECT * FROM lately;
CREATE INDEX plain_late ON lately USING recsys (user_id, product_id, at);
CREATE INDEX parted_late ON lately_parted USING recsys (user_id, product_id, at);
SELECT same('SELECT r.item_id, r.rank FROM trending_items(10, ''x_late'', window_size => ''10 days'') r') AS trending,
	same('SELECT r.* FROM recently_viewed(7, 5, ''x_late'') r') AS viewed;
DROP TABLE lately, lately_parted;

/*
 * A declared recommender
 */
CREATE TABLE products (product_id bigint PRIMARY KEY, title text, category text, price numeric, stock int);
INSERT INTO products SELECT i, 'product ' || i, 'c' || i % 5, 5 + i % 40, i % 9 FROM generate_series(1, 59) i;
CREATE TABLE customers (user_id bigint PRIMARY KEY, country text);
INSERT INTO customers SELECT i, CASE WHEN i % 3 = 0 THEN 'fr' ELSE 'de' END FROM generate_series(1, 310) i;
SELECT recsys.create_recommender(n || '_shop', format('[{"events": "%s_recsys", "price": "price"}]', n)::jsonb, items => 'products', item_key => 'product_id',
	item_filter => 'stock > 0', title => 'title', category => 'category', price => 'price', price_affinity => 0.5, profiles => 'customers', profile_key => 'user_id',
	segment => 'country', exclude_users => 'user_id = 9')
FROM unnest('{plain,parted}'::text[]) n;
SELECT r.name, r.problem FROM recsys.recommenders r WHERE r.name IN ('plain_shop', 'parted_shop') ORDER BY 1;
SELECT recsys.refresh_recommender('plain_shop') IS NULL, recsys.refresh_recommender('parted_shop') IS NULL;
INSERT INTO calls (query) VALUES
	('SELECT u, r.* FROM generate_series(1, 60) u, recommend(u, 10, ''x_shop'') r'),
	('SELECT u, r.* FROM generate_series(1, 60) u, recommend_with_reasons(u, 5, ''x_shop'') r'),
	('SELECT r.* FROM similar_items(4, 10, ''x_shop'') r'),
	('SELECT r.* FROM goes_with(4, 10, ''x_shop'') r'),
	('SELECT r.* FROM popular_items(20, ''x_shop'') r'),
	('SELECT r.* FROM popular_items(20, ''x_shop'', segment => ''fr'') r'),
	('SELECT u, r.* FROM generate_series(1, 20) u, buy_again(u, 5, ''x_shop'', at => ''2024-01-01'') r'),
	('SELECT u, r.* FROM generate_series(1, 20) u, next_basket(u, 5, ''x_shop'', at => ''2024-01-01'') r'),
	('SELECT r.* FROM recommend_all(''x_shop'', 5) r ORDER BY user_id, rank'),
	('SELECT r.* FROM recsys.audience(''x_shop'', item_id => ''7'', k => 50) r'),
	('SELECT r.* FROM recsys.customer_segments(''x_shop'') r ORDER BY r::text'),
	('SELECT r.* FROM recsys.popular_lists(''x_shop'') r ORDER BY r::text');
SELECT number, same(query), left(regexp_replace(query, '^SELECT .*? FROM (?:generate_series\([0-9, ]+\) [iu], )?', ''), 90) AS call
FROM calls WHERE query ~ 'shop' ORDER BY number;

-- views, requests, purchases of experiments, bandits
CREATE SCHEMA parts_views;
SET client_min_messages = error;
SELECT name, action FROM recsys.create_views('parted_recsys', 'parts_views') ORDER BY 1;
SET client_min_messages = warning;
CALL recsys.refresh('parted_recsys');
SELECT count(*) > 0 AS filled FROM parts_views.item_similarity;
SELECT count(*) > 0 AS dropped FROM recsys.drop_views('parted_recsys', 'parts_views');
SELECT count(*) FROM recommend_request(7, 5, 'parted_recsys');
SELECT count(*) FROM recommend(7, 5, 'parted_recsys', log => 'on');
SELECT recommender, count(*) FROM recsys.request_log WHERE recommender LIKE 'parts\_test.%' GROUP BY 1;
SELECT recsys.create_experiment('parts_trial', '{"control": {"recommender": "plain_recsys", "share": 0.5}, "new": {"recommender": "parted_recsys", "share": 0.5}}',
	metrics => '{conversion}', primary_metric => 'conversion', purchases => 'parted', start => false);
SELECT definition -> 'purchases' AS purchases FROM recsys.experiment WHERE name = 'parts_trial';
SELECT recsys.drop_experiment('parts_trial');
SELECT recsys.create_bandit('parts_bandit', '{plain_recsys,parted_recsys}');
SELECT definition -> 'arms' AS arms FROM recsys.bandit WHERE name = 'parts_bandit';
SELECT recsys.drop_bandit('parts_bandit');

/*
 * One row in every list, by the name that it was given
 */
SELECT schema_name, table_name, index_name, problem FROM recsys.index_stats WHERE schema_name IN ('parts_test', 'pg_toast') ORDER BY 3;
SELECT * FROM recsys.recommender_relations('parted_recsys');
SELECT job, command FROM recsys.schedule('parted_recsys', merge => NULL, maintain => NULL, vacuum => '0 0 * * *') ORDER BY 1;
SELECT index_name FROM recsys.merge_pending('parted_recsys');
INSERT INTO parted SELECT 500, p, 1, '2023-02-02' FROM generate_series(1, 5) p;
SELECT index_name, merged FROM recsys.merge_pending('parted_recsys');
SELECT index_name, command FROM recsys.rebuilds_due('parted_recsys', max_staleness => 0);
SELECT table_name FROM recsys.vacuum_state WHERE schema_name = 'parts_test' ORDER BY 1;
SELECT count(*) FROM recsys.maintenance_advice WHERE object LIKE '%pg\_toast%' OR command LIKE '%pg\_toast%';
SELECT recsys.drop_recommender(n || '_shop') FROM unnest('{plain,parted}'::text[]) n;
DROP INDEX plain_recsys, plain_baskets, parted_baskets;
SELECT count(*) > 0 AS named FROM recommend(7, 5) r;
SELECT count(*) > 0 AS evaluated FROM recsys.evaluate_recommender(NULL, 'SELECT user_id, 1 + (product_id + 3) % 59 FROM plain WHERE user_id < 60');

/*
 * Parts are not recommenders
 */
CREATE FUNCTION told(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'it works';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN regexp_replace(format(E'%s\n%s\n%s', message, detail, hint), 'recsys_[0-9]+', 'recsys_NNN', 'g');
END;
$$;
SELECT indexrelid::regclass::text AS part FROM pg_index WHERE indrelid = 'parted_q1'::regclass LIMIT 1 \gset
SELECT indexrelid::regclass::text AS middle FROM pg_index WHERE indrelid = 'parted_h2'::regclass LIMIT 1 \gset
SELECT format('pg_toast.recsys_%s_index', 'parted_recsys'::regclass::oid) AS whole \gset
SELECT told(format('SELECT * FROM recommend(1, 1, %L)', :'part'));
SELECT told(format('SELECT * FROM recommend(1, 1, %L)', :'middle'));
SELECT told(format('SELECT * FROM recommend(1, 1, %L)', :'whole'));
SELECT string_agg(split_part(call, '(', 1), ', ') AS functions, told
FROM (SELECT call, told('SELECT * FROM ' || replace(call, 'part_recsys', :'part')) FROM (VALUES
	('similar_items(1, 1, ''part_recsys'')'), ('popular_items(1, ''part_recsys'')'), ('item_similarity(''part_recsys'')'), ('recommend_all(''part_recsys'')'),
	('association_rules(''part_recsys'')'), ('recsys.index_info(''part_recsys'')'), ('recsys.merge(''part_recsys'')'), ('recsys.check_index(''part_recsys'')'),
	('recsys.forget_user(''part_recsys'', 1)'), ('recsys.page_summary(''part_recsys'')'), ('recsys.page_info(''part_recsys'', 0)'), ('recsys.tune(''part_recsys'')'),
	('recsys.item_rhythm(''part_recsys'')'), ('recsys.rebuilds_due(''part_recsys'')'), ('recsys.schedule(''part_recsys'')'),
	('recsys.create_recommender(''p'', ''[{"events": "part_recsys"}]'')'), ('recsys.create_bandit(''p'', ''{part_recsys}'')'),
	('recommend_for_session(ARRAY[1], 1, ''part_recsys'')'), ('next_basket(1, 1, ''part_recsys'')'), ('cross_similarity(''part_recsys'', ''parted_recsys'')')) v (call)) c
GROUP BY told ORDER BY 2;
SELECT told('SELECT recsys.forget_user(''parted_q1'', 1)');
SELECT told('SELECT recsys.forget_user(''parted_h2'', 1)');
SELECT recsys.forget_user('parted', 7) > 0 AS forgotten, count(*) FROM recommend(7, 5, 'parted_recsys') WHERE source = 'history';
SELECT recsys.forget_user('parted_recsys', 21) > 0 AS forgotten;
SELECT recsys.check_index('parted_recsys');

/*
 * Detached, truncated, attached
 */
ALTER TABLE parted DETACH PARTITION parted_q1;
SELECT told(format('SELECT * FROM recommend(1, 1, %L)', :'part'));
SELECT index_name, problem FROM recsys.index_stats WHERE schema_name = 'parts_test' ORDER BY 1;
SELECT count(*) > 0 AS others FROM recommend(1, 5);
SELECT index_name, reason, command FROM recsys.rebuilds_due() WHERE schema_name = 'parts_test' ORDER BY 1;
SELECT index_name FROM recsys.merge_pending() ORDER BY 1;
SELECT recsys.check_index('parted_recsys');
REINDEX INDEX :part;
SELECT count(*) > 0 AS own FROM recommend(1, 5, :'part');
SELECT told('SELECT * FROM recommend(1, 1)');
TRUNCATE parted_h2_0;
-- a new index would know those who have been forgotten
DELETE FROM parted WHERE user_id IN (7, 21);
VACUUM parted;
SELECT count(*) FROM recsys.merge('parted_recsys', exact => true);
SELECT recsys.check_index('parted_recsys');
CREATE TABLE again AS SELECT * FROM parted;
CREATE INDEX again_recsys ON again USING recsys (user_id, product_id, quantity, bought_at);
SELECT count(*) FROM ((SELECT * FROM item_similarity('again_recsys') EXCEPT SELECT * FROM item_similarity('parted_recsys'))
	UNION ALL (SELECT * FROM item_similarity('parted_recsys') EXCEPT SELECT * FROM item_similarity('again_recsys'))) d;
ALTER TABLE parted ATTACH PARTITION parted_q1 FOR VALUES FROM ('2023-01-01') TO ('2023-04-01');
SELECT count(*) FROM recsys.merge('parted_recsys', exact => true);
SELECT recsys.check_index('parted_recsys');
SELECT index_name, problem FROM recsys.index_stats WHERE schema_name = 'parts_test' ORDER BY 1;

/*
 * Indexes that are attached one by one, as a restored dump does; a partition that has none, or cannot have one
 */
DROP INDEX parted_recsys;
SELECT count(*) FROM pg_class WHERE relname ~ '^recsys_[0-9]+' AND relnamespace = 'pg_toast'::regnamespace;
CREATE INDEX parted_recsys ON ONLY parted USING recsys (user_id, product_id, quantity, bought_at);
SELECT told('SELECT * FROM recommend(1, 1, ''parted_recsys'')');
SELECT told('SELECT recsys.merge(''parted_recsys'')');
SELECT problem FROM recsys.index_stats WHERE index_name = 'parted_recsys';
CREATE INDEX q1_recsys ON parted_q1 USING recsys (user_id, product_id, quantity, bought_at);
CREATE INDEX q2_recsys ON parted_q2 USING recsys (user_id, product_id, quantity, bought_at);
CREATE INDEX h2_recsys ON parted_h2 USING recsys (user_id, product_id, quantity, bought_at);
ALTER INDEX parted_recsys ATTACH PARTITION q1_recsys;
ALTER INDEX parted_recsys ATTACH PARTITION q2_recsys;
ALTER INDEX parted_recsys ATTACH PARTITION h2_recsys;
SELECT told('SELECT * FROM recommend(1, 1, ''parted_recsys'')');
SELECT problem FROM recsys.index_stats WHERE index_name = 'parted_recsys';
SELECT count(*) FROM recsys.merge('parted_recsys');
DROP TABLE again;
CREATE TABLE again AS SELECT * FROM parted;
CREATE INDEX again_recsys ON again USING recsys (user_id, product_id, quantity, bought_at);
SELECT count(*) FROM ((SELECT * FROM item_similarity('again_recsys') EXCEPT SELECT * FROM item_similarity('parted_recsys'))
	UNION ALL (SELECT * FROM item_similarity('parted_recsys') EXCEPT SELECT * FROM item_similarity('again_recsys'))) d;
SELECT recsys.check_index('parted_recsys');

-- no partitions yet
CREATE TABLE empty (user_id text, item_id uuid) PARTITION BY LIST (user_id);
CREATE INDEX empty_recsys ON empty USING recsys (user_id, item_id);
SELECT told('SELECT * FROM recommend(''u''::text, 1, ''empty_recsys'', NULL::uuid)');
SELECT count(*) FROM recsys.merge('empty_recsys');
SELECT count(*) FROM recommend('u'::text, 1, 'empty_recsys', NULL::uuid);
CREATE TABLE empty_u PARTITION OF empty DEFAULT;
INSERT INTO empty SELECT 'u' || i, ('00000000-0000-0000-0000-00000000000' || j)::uuid FROM generate_series(1, 9) i, generate_series(1, 3 + i % 3) j;
SELECT merged FROM recsys.merge('empty_recsys');
SELECT * FROM recommend('u3'::text, 1, 'empty_recsys', NULL::uuid);
SELECT recsys.check_index('empty_recsys');
DROP TABLE empty;

/*
 * Rights: those of the table at the top
 */
CREATE ROLE regress_parts_reader;
CREATE ROLE regress_parts_owner;
GRANT USAGE ON SCHEMA parts_test TO regress_parts_reader, regress_parts_owner;
GRANT EXECUTE ON FUNCTION told(text) TO regress_parts_reader, regress_parts_owner;
GRANT SELECT ON parted_q1, parted_q2, parted_h2, parted_h2_0, parted_h2_1 TO regress_parts_reader;
SET ROLE regress_parts_reader;
SELECT told('SELECT * FROM recommend(1, 1, ''parted_recsys'')');
SELECT count(*) FROM recsys.index_stats WHERE index_name = 'parted_recsys';
RESET ROLE;
REVOKE SELECT ON parted_q1, parted_q2, parted_h2, parted_h2_0, parted_h2_1 FROM regress_parts_reader;
GRANT SELECT (user_id, product_id, quantity, bought_at) ON parted TO regress_parts_reader;
SET ROLE regress_parts_reader;
SELECT count(*) > 0 AS answers FROM recommend(1, 5, 'parted_recsys');
SELECT index_name, problem FROM recsys.index_stats WHERE index_name = 'parted_recsys';
SELECT told('SELECT recsys.merge(''parted_recsys'')');
SELECT told('SELECT recsys.check_index(''parted_recsys'')');
SELECT told('SELECT recsys.forget_user(''parted_recsys'', 1)');
SELECT told('SELECT recsys.forget_user(''parted'', 1)');
SELECT told('SELECT recsys.page_summary(''parted_recsys'')');
SELECT told(format('SELECT * FROM recommend(1, 1, %L)', 'pg_toast.recsys_' || 'parted_recsys'::regclass::oid || '_index'));
SELECT told(format('DROP INDEX pg_toast.recsys_%s_index', 'parted_recsys'::regclass::oid));
RESET ROLE;
-- policies of the table at the top
ALTER TABLE parted ENABLE ROW LEVEL SECURITY;
SET ROLE regress_parts_reader;
SELECT told('SELECT * FROM recommend(1, 1, ''parted_recsys'')');
RESET ROLE;
ALTER TABLE parted DISABLE ROW LEVEL SECURITY;
-- those of a partition hide nothing from who asks the table
ALTER TABLE parted_q1 ENABLE ROW LEVEL SECURITY;
SET ROLE regress_parts_reader;
SELECT count(*) > 0 AS answers FROM recommend(1, 5, 'parted_recsys');
RESET ROLE;
ALTER TABLE parted_q1 DISABLE ROW LEVEL SECURITY;
-- who owns the table at the top maintains it, whoever owns the partitions
ALTER TABLE parted OWNER TO regress_parts_owner;
ALTER TABLE parted_q1 OWNER TO regress_parts_reader;
SET ROLE regress_parts_owner;
INSERT INTO parted SELECT 600, p, 1, '2023-02-02' FROM generate_series(1, 5) p;
SELECT merged FROM recsys.merge('parted_recsys');
SELECT recsys.check_index('parted_recsys');
SELECT recsys.forget_user('parted', 600);
SELECT sum(pages) > 0 AS pages FROM recsys.page_summary('parted_recsys');
RESET ROLE;
-- who owns a partition alone does not
SET ROLE regress_parts_reader;
SELECT told('SELECT recsys.merge(''parted_recsys'')');
SELECT told('SELECT recsys.forget_user(''parted_q1'', 1)');
RESET ROLE;

SET client_min_messages = error;
DELETE FROM recsys.request_log WHERE recommender LIKE 'parts\_test.%';
DROP SCHEMA parts_views CASCADE;
DROP SCHEMA parts_test CASCADE;
DROP ROLE regress_parts_reader, regress_parts_owner;
SELECT count(*) FROM pg_class WHERE relname ~ '^recsys_[0-9]+' AND relnamespace = 'pg_toast'::regnamespace;
