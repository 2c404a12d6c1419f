/*
 * Every key type on either side, at its limits.
 *
 * The same small history for all: users a and b share items x and y, c has y
 * and z, d has x alone.  Keys order by value or bytewise.
 */
CREATE TABLE history (u integer, i integer);
INSERT INTO history VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (3, 3), (4, 1);

-- integers of all widths, negative and extreme
CREATE TABLE int2_keys (user_id smallint, item_id smallint);
INSERT INTO int2_keys SELECT (ARRAY[-32768, -1, 0, 32767])[u], (ARRAY[-32768, -1, 32767])[i] FROM history;
CREATE INDEX int2_recsys ON int2_keys USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT * FROM recommend(32767::smallint, 3);
SELECT * FROM recommend(32767, 1, 'int2_recsys', NULL::smallint);
SELECT * FROM recommend(32767::bigint, 1);
SELECT * FROM recommend(99999999999, 1);
SELECT * FROM similar_items(-32768, 5);
SELECT * FROM similar_items(99999999999);
SELECT * FROM explain_recommendation(32767, -1);
SELECT recsys.check_index('int2_recsys');
DROP TABLE int2_keys;

CREATE TABLE int4_keys (user_id integer, item_id integer);
INSERT INTO int4_keys SELECT (ARRAY[-2147483648, -1, 0, 2147483647])[u], (ARRAY[-2147483648, -1, 2147483647])[i] FROM history;
CREATE INDEX int4_recsys ON int4_keys USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT * FROM recommend(2147483647, 3);
SELECT * FROM recommend(2147483647::bigint, 3, NULL, NULL::integer);
SELECT * FROM recommend(2147483647, 1, NULL, NULL::smallint);
SELECT * FROM item_similarity() ORDER BY item_id, rank;
SELECT recsys.check_index('int4_recsys');
DROP TABLE int4_keys;

CREATE TABLE int8_keys (user_id bigint, item_id bigint);
INSERT INTO int8_keys SELECT (ARRAY[-9223372036854775808, -1, 0, 9223372036854775807])[u],
							 (ARRAY[-9223372036854775808, 1, 9223372036854775807])[i] FROM history;
CREATE INDEX int8_recsys ON int8_keys USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT * FROM recommend(9223372036854775807, 3);
SELECT * FROM recommend(0::smallint, 3);
SELECT * FROM recommend(9223372036854775807, 3, 'int8_recsys', NULL::integer);
SELECT * FROM popular_items(3, 'int8_recsys', NULL::smallint);
SELECT * FROM item_similarity('int8_recsys', NULL::integer);
SELECT * FROM recommend_for_items(ARRAY[9223372036854775807, -9223372036854775808]);
SELECT recsys.check_index('int8_recsys');

-- the wrong kind of key
SELECT * FROM recommend('1'::text, 3);
SELECT * FROM recommend('00000000-0000-0000-0000-000000000000'::uuid, 3);
SELECT * FROM recommend(1.5, 3);
SELECT * FROM recommend(1, 3, NULL, NULL::text);
SELECT * FROM recommend(1, 3, NULL, NULL::numeric);
SELECT * FROM similar_items('1'::text);
SELECT * FROM similar_items('00000000-0000-0000-0000-000000000000'::uuid);
SELECT * FROM recommend_for_items(ARRAY['1']);
SELECT * FROM recommend_for_items(ARRAY[1, 2]::numeric[]);
SELECT * FROM explain_recommendation(1, 'x'::text);
SELECT * FROM explain_recommendation('1'::text, 1);
SELECT * FROM popular_items(1, NULL, NULL::uuid);
SELECT * FROM item_similarity('int8_recsys', NULL::text);
SELECT * FROM query_item_similarity('SELECT user_id, item_id::text FROM int8_keys');
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM int8_keys', NULL::uuid);
DROP TABLE int8_keys;

-- text: empty, multi-byte, ordered bytewise
CREATE TABLE text_keys (user_id text, item_id text);
INSERT INTO text_keys SELECT (ARRAY['', 'ann', 'Zoë', '日本'])[u], (ARRAY['', 'a', 'Ärger'])[i] FROM history;
CREATE INDEX text_recsys ON text_keys USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT * FROM recommend('日本'::text, 3, NULL, NULL::text);
SELECT * FROM recommend(''::text, 3, NULL, NULL::text);
SELECT * FROM recommend('ann'::varchar, 3, 'text_recsys', NULL::varchar);
SELECT * FROM recommend('nobody'::text, 3, 'text_recsys', NULL::text);
SELECT * FROM recommend('日本'::text, 3);
SELECT * FROM similar_items('Ärger'::text, 5);
SELECT * FROM similar_items(''::text, 5);
SELECT * FROM recommend_for_items(ARRAY['Ärger', 'never seen', NULL], 5);
SELECT * FROM explain_recommendation('日本'::text, 'a'::text);
SELECT * FROM popular_items(5, NULL, NULL::text);
SELECT * FROM item_similarity(NULL, NULL::text);
SELECT * FROM query_item_similarity('SELECT * FROM text_keys', item_type => NULL::text, similarity => 'lift', min_support => 1);
SELECT * FROM query_item_similarity('SELECT * FROM text_keys', NULL::text);
SELECT item_id = '' AS found FROM text_keys WHERE user_id = '日本';
SELECT recsys.check_index('text_recsys');

-- 1024 bytes at most
INSERT INTO text_keys SELECT repeat('u', 1024), item_id FROM (VALUES (repeat('i', 1024)), (repeat('é', 512)), ('')) v(item_id);
INSERT INTO text_keys VALUES (repeat('u', 1025), 'a');
INSERT INTO text_keys VALUES ('a', repeat('é', 512) || '.');
SELECT recsys.check_index('text_recsys');
SELECT length(user_id) AS length, octet_length(item_id) AS bytes FROM text_keys WHERE user_id = repeat('u', 1024) ORDER BY 2;
REINDEX INDEX text_recsys;
SELECT recsys.check_index('text_recsys');
SELECT left(item_id, 1) AS first, octet_length(item_id) AS bytes, score, support FROM similar_items(repeat('i', 1024));
SELECT left(item_id, 1) AS first, octet_length(item_id) AS bytes, source FROM recommend(repeat('u', 1024), 2, NULL, NULL::text);
-- a key longer than 1024 bytes matches nothing and is no error
SELECT * FROM similar_items(repeat('i', 1025));
SELECT count(*) FROM text_keys WHERE user_id = repeat('u', 5000);
SELECT * FROM query_item_similarity($$SELECT user_id, item_id || repeat('x', 1024) FROM text_keys$$, item_type => NULL::text);
DROP INDEX text_recsys;
INSERT INTO text_keys VALUES (repeat('u', 2000), 'a');
CREATE INDEX text_recsys ON text_keys USING recsys (user_id, item_id);
CREATE INDEX text_recsys ON text_keys USING recsys ((md5(user_id)::uuid), item_id) WITH (min_support = 1);
SELECT * FROM recommend(md5('日本')::uuid, 1, NULL, NULL::text);
-- long values that are compressed or stored out of line
INSERT INTO text_keys SELECT 'toast', repeat(chr(64 + g), 1000) FROM generate_series(1, 5) g;
SELECT count(*) FROM recommend(md5('toast')::uuid, NULL, NULL, NULL::text);
SELECT recsys.check_index('text_recsys');
DROP TABLE text_keys;

-- varchar with a collation that is not C, and users of another type than items
CREATE TABLE varchar_keys (user_id integer, item_id varchar(20) COLLATE "POSIX");
INSERT INTO varchar_keys SELECT u, (ARRAY['b', 'B', 'ab'])[i] FROM history;
CREATE INDEX varchar_recsys ON varchar_keys USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT * FROM popular_items(5, NULL, NULL::varchar);
SELECT * FROM recommend(4, 5, NULL, NULL::text);
SELECT * FROM similar_items('B'::varchar);
SELECT user_id FROM varchar_keys WHERE item_id = 'B' ORDER BY 1;
DROP TABLE varchar_keys;

-- uuid
CREATE TABLE uuid_keys (user_id uuid, item_id uuid);
INSERT INTO uuid_keys SELECT md5(u::text)::uuid, (ARRAY['ffffffff-ffff-ffff-ffff-ffffffffffff', '00000000-0000-0000-0000-000000000000',
														'80000000-0000-0000-0000-000000000000']::uuid[])[i] FROM history;
CREATE INDEX uuid_recsys ON uuid_keys USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT * FROM recommend(md5('4')::uuid, 3, NULL, NULL::uuid);
SELECT * FROM similar_items('00000000-0000-0000-0000-000000000000'::uuid);
SELECT * FROM recommend_for_items(ARRAY['ffffffff-ffff-ffff-ffff-ffffffffffff']::uuid[], 1);
SELECT * FROM explain_recommendation(md5('4')::uuid, '00000000-0000-0000-0000-000000000000'::uuid);
SELECT * FROM popular_items(5, NULL, NULL::uuid);
SELECT * FROM item_similarity('uuid_recsys', NULL::uuid);
SELECT * FROM recommend(md5('4')::uuid, 3);
SELECT recsys.check_index('uuid_recsys');
DROP TABLE uuid_keys;

-- domains
CREATE DOMAIN customer AS bigint CHECK (VALUE > 0);
CREATE DOMAIN article AS text;
CREATE TABLE domain_keys (user_id customer, item_id article);
INSERT INTO domain_keys SELECT u, (ARRAY['x', 'y', 'z'])[i] FROM history;
CREATE INDEX domain_recsys ON domain_keys USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT * FROM recommend(4::customer, 3, NULL, NULL::article);
SELECT * FROM recommend(4, 3, NULL, NULL::text);
SELECT * FROM similar_items('y'::article);
SELECT user_id, item_id FROM domain_keys WHERE user_id = 3::customer ORDER BY 2;
SELECT recsys.check_index('domain_recsys');
DROP TABLE domain_keys;
DROP DOMAIN customer, article;
DROP TABLE history;
