-- The log of requests and of what follows them: keys of all kinds, what is written once, what is
-- refused, and to whom.
CREATE TABLE log_bought AS
SELECT n / 4 AS user_id, ((n * 7 + n / 4) % 23)::bigint AS product_id, '2024-01-01 00:00+00'::timestamptz + n * interval '1 hour' AS bought_at
FROM generate_series(1, 400) n;
CREATE INDEX log_recsys ON log_bought USING recsys (user_id, product_id, bought_at);
CREATE TABLE log_texts AS SELECT 'u' || user_id AS user_id, 'p''' || product_id AS product_id FROM log_bought;
CREATE INDEX log_texts_recsys ON log_texts USING recsys (user_id, product_id);
CREATE TABLE log_uuids AS SELECT lpad(to_hex(user_id), 32, 'A')::uuid AS user_id, lpad(to_hex(product_id), 32, 'B')::uuid AS product_id FROM log_bought;
CREATE INDEX log_uuids_recsys ON log_uuids USING recsys (user_id, product_id);
SELECT recsys.create_recommender('log_home', signals => '[{"events": "log_recsys"}]');

-- A list that is logged is the list that is not, and what was shown is what is logged.
SELECT l.*, count(*) OVER () FROM
	(SELECT item_id, score, source, rank FROM recommend(5, 4, 'log_recsys', log => true)
	 EXCEPT SELECT item_id, score, source, rank FROM recommend(5, 4, 'log_recsys')) l;
SELECT item_id, rank, request_id IS NULL AS unlogged, experiment, variant, propensity
FROM recommend(5, 2, 'log_recsys', log => false);
SELECT item_id, pg_typeof(item_id) FROM recommend('u5'::text, 2, 'log_texts_recsys', NULL::text, log => true, session_id => 's');
SELECT item_id, pg_typeof(item_id) FROM recommend(lpad(to_hex(5), 32, 'A')::uuid, 2, 'log_uuids_recsys', NULL::uuid, log => true);
SELECT item_id, pg_typeof(item_id) FROM recommend(5, 2, 'log_recsys', NULL::text, log => true, exclude_seen => false);
SELECT count(*) FROM recommend(5, 3, 'log_home', log => true);
-- a key that was sent as text is logged as the column's type writes it
PREPARE untyped AS SELECT count(*), count(DISTINCT request_id) FROM recommend($1, $2, $3, log => $4);
EXECUTE untyped ('007', '3', 'log_recsys', 'true');
DEALLOCATE untyped;
SELECT count(*) FROM recommend(NULL::bigint, 3, 'log_recsys', log => true, session_id => 'visitor');
SELECT count(*) FROM recommend(5, 0, 'log_recsys', log => true);
SELECT count(*) FROM recommend('AAAAAAAA-aaaa-aaaa-aaaa-aaaaaaaaaaa5'::text, 2, 'log_uuids_recsys', NULL::text, log => true);
SELECT user_id, session_id, recommender, experiment, variant, policy, latency_ms > 0 AS timed, item_ids, cardinality(scores), sources, propensities
FROM recsys.request_log ORDER BY recommender, user_id, session_id, item_ids, time, request_id;
SELECT bool_and(abs(extract(epoch FROM now() - time)) < 60) AS lately FROM recsys.request_log;

-- wrong item types say what to call
SELECT * FROM recommend('u5'::text, 2, 'log_texts_recsys', log => true);
SELECT * FROM recommend(5, 2, 'log_recsys', NULL::uuid, log => true);
SELECT * FROM recommend(5, 2, 'no_such', log => true);
SELECT * FROM recommend('x'::text, 2, 'log_recsys', log => true);
-- a boolean in the fourth place is exclude_seen as ever
SELECT count(*) FROM recommend(5, 2, 'log_recsys', false);
DELETE FROM recsys.request_log;

-- Clicks count once
SELECT request_id AS request, item_id AS item FROM recommend(5, 1, 'log_recsys', log => true) \gset
SELECT recsys.log_click(:'request', :item), recsys.log_click(:'request', :item), recsys.log_click(:'request', :'item');
SELECT recsys.log_add_to_cart(:'request', :item), recsys.log_add_to_cart(:'request', :item);
SELECT recsys.log_event(:'request', 'like', :item), recsys.log_event(:'request', 'like', :item, 3), recsys.log_event(:'request', 'like', :item, 3, 'again');
SELECT recsys.log_event(:'request', 'return', :item, value => -1.5, event_key => 'order 7', at => now());
SELECT kind, item_id = :'item' AS item, event_key, value, request_time = (SELECT time FROM recsys.request_log WHERE request_id = :'request') AS same_time
FROM recsys.event_log WHERE request_id = :'request' ORDER BY kind, event_key;
-- in one statement with the list
SELECT recsys.log_click(request_id, item_id) FROM recommend(6, 2, 'log_recsys', log => true);
PREPARE click AS SELECT recsys.log_click($1, $2);
EXECUTE click (:'request', :'item');
DEALLOCATE click;
-- an event may be here before its request
SELECT recsys.new_request_id() AS early \gset
SELECT recsys.log_click(:'early', 1), recsys.log_click(:'early', 1);
SELECT recsys.log_impressions('log_recsys', '{1,2}'::bigint[], 5, request_id => :'early') = :'early' AS same;
SELECT recsys.log_click(:'early', 2);
SELECT recsys.log_click(:'early', 3);
-- refused
SELECT recsys.log_click(:'request', 999999);
SELECT recsys.log_click(:'request', NULL::bigint);
SELECT recsys.log_click(NULL, 1);
SELECT recsys.log_click('00000000-0000-4000-8000-000000000000', 1);
SELECT recsys.log_click('01000000-0000-7000-8000-000000000000', 1);
SELECT recsys.log_click('ff000000-0000-7000-8000-000000000000', 1);
SELECT recsys.log_event(:'request', '', :item);
SELECT recsys.log_event(:'request', NULL, :item);
SELECT recsys.log_event(:'request', 'like', :item, 'Infinity');
SELECT recsys.log_event(:'request', 'like', :item, 'NaN', 'nan');
SELECT recsys.log_event(:'request', repeat('x', 300), :item);
SELECT recsys.log_event(:'request', 'like', :item, 1, repeat('x', 300));
SELECT recsys.log_event(:'request', 'like', :item, at => now() + interval '1 day');
SELECT recsys.log_event(:'request', 'like', :item, at => now() - interval '1 day');

-- Lists made elsewhere
SELECT recsys.log_impressions('log_recsys', '{1,2,3}'::bigint[], 42, session_id => 's1', scores => '{3,2,1}', sources => '{a,b,c}', propensities => '{1,0.5,0.25}', policy => 'mine') AS impressions \gset
SELECT recsys.log_impressions('log_texts_recsys', '{a,"b c"}'::text[], 'u1'::text) IS NOT NULL AS texts,
	   recsys.log_impressions('log_uuids_recsys', ARRAY['AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA']::uuid[], 'AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA'::uuid) IS NOT NULL AS uuids,
	   recsys.log_impressions('log_home', '{5,6}', '7') IS NOT NULL AS untyped,
	   recsys.log_impressions('editors', '{5,6}'::bigint[]) IS NOT NULL AS elsewhere,
	   recsys.log_impressions('editors', '{}'::text[], request_time => '2020-02-29 12:34:56.789012+00') IS NOT NULL AS long_ago;
SELECT user_id, session_id, recommender, policy, item_ids, scores, sources, propensities, CASE WHEN time < '2021-01-01' THEN time AT TIME ZONE 'UTC' END AS time
FROM recsys.request_log WHERE latency_ms IS NULL ORDER BY recommender, item_ids, user_id;
SELECT recsys.log_impressions(NULL, '{1}'::bigint[]);
SELECT recsys.log_impressions('log_recsys', NULL::bigint[]);
SELECT recsys.log_impressions('log_recsys', '{1,NULL}'::bigint[]);
SELECT recsys.log_impressions('log_recsys', '{1,2}'::bigint[], scores => '{1}');
SELECT recsys.log_impressions('log_recsys', '{1,2}'::bigint[], propensities => '{1,0}');
SELECT recsys.log_impressions('log_recsys', '{{1,2},{3,4}}'::bigint[]);
SELECT recsys.log_impressions('log_recsys', '{1,2}'::bigint[], 1.5);
SELECT recsys.log_impressions('log_recsys', '{1,2}'::bigint[], repeat('x', 1001));
SELECT recsys.log_impressions('log_recsys', ARRAY[repeat('x', 1001)]);
SELECT recsys.log_impressions(repeat('x', 256), '{1}'::bigint[]);
SELECT recsys.log_impressions('log_recsys', array_fill(1, ARRAY[10001])::bigint[]);
SELECT recsys.log_impressions('log_recsys', '{1}'::bigint[], request_id => recsys.new_request_id(), request_time => now());
SELECT recsys.log_impressions('log_recsys', '{1}'::bigint[], request_time => now() + interval '1 day');
SELECT recsys.log_impressions('log_recsys', '{1}'::bigint[], request_time => '1969-01-01');
SELECT recsys.log_impressions('log_recsys', '{1}'::bigint[], request_time => 'infinity');
SELECT recsys.log_impressions('log_recsys', '{1}'::bigint[], request_time => '-infinity');

-- A request as a document
SELECT recommend_request(5, 3, 'log_recsys', 'a session') AS document \gset
SELECT recsys.log_request(:'document'), recsys.log_request(:'document');
SELECT jsonb_object_agg(key, value) FILTER (WHERE key NOT IN ('request_id', 'latency_ms', 'scores')) AS document FROM jsonb_each(:'document');
SELECT r.user_id, r.session_id, r.item_ids, r.scores::float8[]::text = (SELECT array_agg(s::text::float4::float8 ORDER BY n)::text FROM jsonb_array_elements(:'document'::jsonb -> 'scores') WITH ORDINALITY a (s, n)) AS scores
FROM recsys.request_log r WHERE request_id = (:'document'::jsonb ->> 'request_id')::uuid;
SELECT recommend_request('u5'::text, 2, 'log_texts_recsys') -> 'item_ids';
SELECT recsys.log_request(jsonb_build_object('request_id', recsys.new_request_id(), 'recommender', 'log_home', 'user_id', 42, 'item_ids', '[1, "2"]'::jsonb, 'arms', '["a", null]'::jsonb, 'features', '[1, 0.5]'::jsonb, 'propensities', '[0.5, 1]'::jsonb));
SELECT user_id, item_ids, arms, features FROM recsys.request_log WHERE arms IS NOT NULL;
SELECT recsys.log_request('[]');
SELECT recsys.log_request('{}');
SELECT recsys.log_request('{"request_id": "x"}');
SELECT recsys.log_request('{"requestid": "x"}');
SELECT recsys.log_request(:'document'::jsonb - 'item_ids');
SELECT recsys.log_request(:'document'::jsonb - 'recommender');
SELECT recsys.log_request(:'document'::jsonb || '{"item_ids": [null, 1, 2]}');
SELECT recsys.log_request(:'document'::jsonb || '{"item_ids": [[1], 1, 2]}');
SELECT recsys.log_request(:'document'::jsonb || '{"scores": [1]}');
SELECT recsys.log_request(:'document'::jsonb || '{"propensities": [1, 1, 2]}');
SELECT recsys.log_request(:'document'::jsonb || '{"latency_ms": "fast"}');
SELECT recsys.log_request(NULL);

-- Nothing is logged where nothing can be written
BEGIN READ ONLY;
SAVEPOINT s;
SELECT * FROM recommend(5, 3, 'log_recsys', log => true);
ROLLBACK TO s;
SELECT recsys.log_click(:'request', :item);
ROLLBACK TO s;
SELECT recsys.log_request(:'document');
ROLLBACK TO s;
SELECT recsys.maintain();
ROLLBACK TO s;
SELECT jsonb_array_length(recommend_request(5, 3, 'log_recsys') -> 'item_ids');
COMMIT;
-- and what is rolled back is not logged
BEGIN;
SELECT count(*) FROM recommend(77, 3, 'log_recsys', log => true);
ROLLBACK;
SELECT count(*) FROM recsys.request_log WHERE user_id = '77';

-- Names that lead elsewhere: the list is that of where they lead
SELECT recsys.create_experiment('log_ab', variants => '{"control": {"recommender": "log_home", "share": 0.5}, "other": {"recommender": "log_recsys", "share": 0.5}}', metrics => '{ctr}', primary_metric => 'ctr');
SELECT recsys.create_bandit('log_arms', arms => '{log_home, log_recsys}', policy => 'thompson');
SELECT recsys.create_experiment('log_mixed', variants => '{"control": {"recommender": "log_home"}, "other": {"recommender": "log_recsys"}}', metrics => '{ctr}', primary_metric => 'ctr', interleave => true);
SELECT count(*) AS users, count(DISTINCT variant) AS variants, bool_and(propensity = 0.5) AS even, count(DISTINCT request_id) AS requests
FROM generate_series(1, 30) u, recommend(u, 1, 'log_ab', log => true);
-- the recommender of the row has made the list, and a key that is written in another way is the same
SELECT count(*) AS wrong FROM recsys.request_log r WHERE experiment = 'log_ab' AND
	item_ids <> ARRAY(SELECT item_id::text FROM recommend(r.user_id::bigint, 1, r.recommender) ORDER BY rank);
SELECT count(*) AS wrong FROM recsys.request_log r, recommend('0' || r.user_id, 1, 'log_ab', log => true) a WHERE r.experiment = 'log_ab' AND a.variant <> r.variant;
SELECT count(*) AS wrong FROM recsys.request_log r WHERE experiment = 'log_ab' AND (policy <> 'hash' OR propensities <> '{0.5}' OR recommender <> CASE variant WHEN 'other' THEN 'public.log_recsys' ELSE 'log_home' END);
SELECT (recommend_request(5, 2, 'log_ab') ->> 'variant') = (SELECT DISTINCT variant FROM recsys.request_log WHERE experiment = 'log_ab' AND user_id = '5') AS same;
SELECT count(*) FROM recommend(5, 3, 'log_arms', log => true);
SELECT count(*), bool_and(reason IS NOT NULL) FROM recommend_with_reasons(5, 3, 'log_arms');
SELECT bandit, arm = recommender AS arm, policy, propensities FROM recsys.request_log WHERE bandit IS NOT NULL;
SELECT count(*), count(DISTINCT item_id), count(propensity) FROM recommend(5, 6, 'log_mixed', log => true);
SELECT count(*) FROM recommend(5, 6, 'log_mixed');
SELECT variant, policy, cardinality(arms) FROM recsys.request_log WHERE experiment = 'log_mixed';
SELECT * FROM recommend(5, 2, 'log_mixed', NULL::uuid, log => true);
SELECT * FROM recommend(1.5, 2, 'log_ab');
SELECT * FROM recommend(1.5, 2, 'no_such');

-- Rights
CREATE ROLE regress_log_app;
CREATE ROLE regress_log_stranger;
GRANT SELECT ON log_bought TO regress_log_app;
SET ROLE regress_log_app;
SELECT count(*) FROM recommend(8, 3, 'log_recsys', log => true);
SELECT recsys.log_request(recommend_request(8, 3, 'log_recsys'));
SELECT recsys.log_impressions('log_recsys', '{1}'::bigint[]) IS NOT NULL;
SELECT count(*) FROM recommend(8, 3, 'log_ab', log => true);
SELECT recsys.log_request(recommend_request(8, 3, 'log_arms')), recsys.log_request(recommend_request(8, 3, 'log_mixed'));
-- but not into what leads elsewhere
SELECT recsys.log_request(recommend_request(8, 3, 'log_recsys') || '{"bandit": "no_such", "arm": "log_home"}');
SELECT recsys.log_request(recommend_request(8, 3, 'log_recsys') || '{"experiment": "no_such", "variant": "control"}');
SELECT recsys.log_request(recommend_request(8, 3, 'log_ab') || '{"variant": "no_such"}');
SELECT recsys.log_request(recommend_request(8, 3, 'log_ab') || '{"variant": null}');
SELECT recsys.log_request(recommend_request(8, 3, 'log_ab') || '{"bandit": "log_arms"}');
SELECT recsys.log_request(recommend_request(8, 3, 'log_recsys') || jsonb_build_object('features', array_fill(1, '{1001}')));
SELECT recsys.log_impressions('log_texts_recsys', '{1}'::text[]);
SELECT recsys.log_impressions('editors', '{1}'::text[]);
SELECT recsys.log_impressions('log_recsys', '{1}'::bigint[], request_time => '2020-01-01');
SELECT recsys.configure_log(pseudonymous => true);
SELECT recsys.maintain();
SELECT FROM recsys.request_log;
SELECT FROM recsys.event_log;
SELECT FROM recsys.log_key;
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time) VALUES (recsys.new_request_id(), now(), 'click', '1', now());
SET ROLE regress_log_stranger;
SELECT * FROM recommend(8, 3, 'log_recsys', log => true);
SELECT * FROM recommend(8, 3, 'log_ab', log => true);
SELECT * FROM recommend(8, 3, 'log_arms');
SELECT recsys.log_impressions('log_recsys', '{1}'::bigint[]);
SELECT recsys.log_impressions('log_home', '{1}'::bigint[]);
-- who knows an id was shown the list
SELECT recsys.log_event(:'request', 'seen', :item);
RESET ROLE;
GRANT INSERT ON recsys.request_log TO regress_log_stranger;
SET ROLE regress_log_stranger;
SELECT recsys.log_impressions('editors', '{1}'::text[], request_time => '2020-01-01') IS NOT NULL;
RESET ROLE;
REVOKE INSERT ON recsys.request_log FROM regress_log_stranger;
DROP ROLE regress_log_stranger;
REVOKE SELECT ON log_bought FROM regress_log_app;
DROP ROLE regress_log_app;

-- A partition with more to it than maintain gives it is written by a query
ALTER TABLE recsys.request_log ADD CONSTRAINT few CHECK (user_id <> '90' OR cardinality(item_ids) < 4);
SELECT count(*) FROM recommend(90, 3, 'log_recsys', log => true);
\set VERBOSITY sqlstate
SELECT count(*) FROM recommend(90, 4, 'log_recsys', log => true);
\set VERBOSITY default
ALTER TABLE recsys.request_log DROP CONSTRAINT few;
SELECT count(*) FROM recsys.request_log WHERE user_id = '90';

-- Who may insert may write nonsense, which harms nobody
SELECT recsys.new_request_id() AS nonsense \gset
INSERT INTO recsys.request_log (request_id, time, recommender, bandit, item_ids, scores, sources, propensities, arms, features)
SELECT :'nonsense', date_trunc('milliseconds', time), 'x', 'log_arms', '{NULL,1}', '{NULL,1,2}', '{a}', '{NULL,NULL}', '{{a,b},{c,d}}', '{NULL}'
FROM (SELECT to_timestamp(('x' || substr(replace(:'nonsense', '-', ''), 1, 12))::bit(48)::bigint / 1000.0) AS time) t;
SELECT recsys.log_click(:'nonsense', 1);
SELECT recsys.log_click(:'nonsense', 2);

-- Pseudonyms: the same key, the same pseudonym; plain in what is returned
SELECT * FROM recsys.log_setting;
SELECT recsys.configure_log(pseudonymous => true, retention => '90 days');
SELECT pseudonymous, retention, purchases, attribution_window, attribution FROM recsys.log_setting;
SELECT recsys.configure_log(attribution => 'first', attribution_window => '3 days', retention => '0');
SELECT pseudonymous, retention, purchases, attribution_window, attribution FROM recsys.log_setting;
SELECT count(*) FROM recommend(31, 3, 'log_recsys', log => true, session_id => 'hush');
SELECT recsys.log_impressions('log_recsys', '{1}'::bigint[], 31, 'hush') IS NOT NULL, recommend_request(31, 1, 'log_recsys') ->> 'user_id' AS plain;
SELECT count(*), count(DISTINCT user_id), bool_and(user_id ~ '^[0-9a-f]{32}$'), bool_and(session_id ~ '^[0-9a-f]{32}$') FROM recsys.request_log WHERE user_id <> '31' AND length(user_id) = 32;
-- HMAC-SHA256 as in RFC 2104
CREATE FUNCTION log_hmac(key bytea, message text) RETURNS text LANGUAGE sql AS $$
	SELECT substr(encode(sha256(outer_pad || sha256(inner_pad || convert_to(message, 'UTF8'))), 'hex'), 1, 32)
	FROM (SELECT decode(string_agg(lpad(to_hex(get_byte(k, i) # 54), 2, '0'), '' ORDER BY i), 'hex') AS inner_pad,
				 decode(string_agg(lpad(to_hex(get_byte(k, i) # 92), 2, '0'), '' ORDER BY i), 'hex') AS outer_pad
		  FROM (SELECT key || decode(repeat('00', 64 - length(key)), 'hex') AS k) p, generate_series(0, 63) i) pads $$;
SELECT count(*) FROM recsys.request_log, recsys.log_key WHERE user_id = log_hmac(key, '31') AND session_id = log_hmac(key, 'hush');
DROP FUNCTION log_hmac;
SELECT recsys.configure_log(retention => '1 minute');
SELECT recsys.configure_log(retention => '7000 years');
SELECT recsys.configure_log(attribution_window => '0');
SELECT recsys.configure_log(attribution_window => '7000 years');
SELECT recsys.configure_log(attribution => 'none');
SELECT recsys.configure_log(pseudonymous => false);
SELECT count(*) FROM recommend(31, 3, 'log_recsys', log => true);
SELECT count(*) FROM recsys.request_log WHERE user_id = '31';

-- A user is forgotten in the log, under both names, where the recommender knows that user by the table
SELECT count(*) FROM recommend(31, 3, 'log_home', log => true);
SELECT recsys.log_click(request_id, item_id) FROM recommend(31, 1, 'log_recsys', log => true);
SELECT recsys.log_impressions('editors', '{1}'::text[], 31) IS NOT NULL;
SELECT count(*) > 0 AS before FROM recsys.event_log JOIN recsys.request_log USING (request_id) WHERE user_id = '31';
DELETE FROM log_bought WHERE user_id = 31;
SELECT recsys.forget_user('log_bought', 31) > 0 AS forgotten;
SELECT recommender, user_id FROM recsys.request_log WHERE user_id = '31' OR length(user_id) = 32;
SELECT count(*) AS clicks FROM recsys.event_log e WHERE item_id <> '1' AND NOT EXISTS (SELECT FROM recsys.request_log r WHERE r.request_id = e.request_id);

-- every column says what it is
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'recsys'::regnamespace AND c.relname IN ('request_log', 'event_log', 'log_setting', 'log_key', 'maintenance')
	AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL;

-- rows of every table can be found by a subscriber: those that are changed would be refused otherwise
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'recsys'::regnamespace AND c.relkind = 'r' AND c.relreplident <> 'f'
	AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary);

DELETE FROM recsys.request_log;
DELETE FROM recsys.event_log;
DELETE FROM recsys.log_setting;
DELETE FROM recsys.log_key;
SELECT recsys.drop_experiment('log_ab'), recsys.drop_experiment('log_mixed'), recsys.drop_bandit('log_arms');
SELECT recsys.drop_recommender('log_home');
DROP TABLE log_bought, log_texts, log_uuids;
