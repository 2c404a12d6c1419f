-- Streams: what recsys.create_stream declares, and what recsys-stream does, played by hand
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE ROLE regress_stream_owner;
CREATE ROLE regress_stream_other;
CREATE SCHEMA streams;
GRANT USAGE, CREATE ON SCHEMA streams TO regress_stream_owner;
RESET client_min_messages;
SET search_path = streams, public;

CREATE TABLE views (user_id bigint NOT NULL, product_id bigint NOT NULL, viewed_at timestamptz, event text);
CREATE INDEX views_recsys ON views USING recsys (user_id, product_id, viewed_at);
ALTER TABLE views OWNER TO regress_stream_owner;
SET ROLE regress_stream_owner;

SELECT recsys.create_stream('clicks', brokers => 'kafka1:9092,kafka2:9092', topic => 'shop.clicks', target => 'views',
	columns => '{"user_id": "user.id", "product_id": "item", "viewed_at": {"path": "ts", "unit": "ms"}, "event": "type"}',
	format => 'json', filter => 'type IN (''view'', ''cart'')', errors => 'recsys.stream_errors', start => 'earliest',
	config => '{"security.protocol": "ssl", "fetch.wait.max.ms": 100, "socket.keepalive.enable": true}');
SELECT stream, state, topic, target, partitions, next_offset, lag, rows_per_second, messages, rows, errors, last_message, consumers,
	owner, brokers, definition->'filter' AS filter FROM recsys.streams;
SELECT stream, version > 0 AS has_version, state FROM recsys.stream_list();

-- what the program is told; of names that differ between databases only that they are there
SELECT section, number, name, CASE WHEN name IN ('version', 'group') THEN (value > '')::text ELSE value END AS value
FROM recsys.stream_settings('clicks');

-- the same group for the same database, another one for each stream, or what is declared
SELECT consumer_group ~ '^recsys\.clicks\.[0-9a-f]{16}$' AS own, consumer_group = recsys.stream_group('clicks', '{}') AS same,
	recsys.stream_group('clicks', '{"config": {"group.id": "recsys.shop"}}') AS declared FROM recsys.streams;

/*
 * Declarations that are wrong
 */
\set VERBOSITY terse
SELECT recsys.create_stream('clicks', 'k:9092', 't', 'views', '{"user_id": "u"}');
SELECT recsys.create_stream('Clicks', 'k:9092', 't', 'views', '{"user_id": "u"}');
SELECT recsys.create_stream(NULL, 'k:9092', 't', 'views', '{"user_id": "u"}');
SELECT recsys.create_stream('x', NULL, 't', 'views', '{"user_id": "u"}');
SELECT recsys.create_stream('x', ' , ', 't', 'views', '{"user_id": "u"}');
SELECT recsys.create_stream('x', 'k:9092;drop', 't', 'views', '{"user_id": "u"}');
SELECT recsys.create_stream('x', 'k:9092', NULL, 'views', '{"user_id": "u"}');
SELECT recsys.create_stream('x', 'k:9092', '^shop', 'views', '{"user_id": "u"}');
SELECT recsys.create_stream('x', 'k:9092', '..', 'views', '{"user_id": "u"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'nowhere', '{"user_id": "u"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views_recsys', '{"user_id": "u"}');
SELECT recsys.create_stream('x', 'k:9092', 't', NULL, '{"user_id": "u"}');
\set VERBOSITY default
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', NULL);
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '[]');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": null}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": ["u"]}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user": "u"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "user..id"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "items[*].u", "product_id": "things[*].i"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": {"path": "u", "unit": "s"}}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"viewed_at": {"path": "t", "unit": "hours"}}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"viewed_at": {"paht": "t"}}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"viewed_at": {"unit": "s"}}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', format => 'xml');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', options => '{"delimiter": ";"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "1"}', format => 'csv', options => '{"delimeter": ";"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "1"}', format => 'csv', options => '{"delimiter": ";;"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "1"}', format => 'csv', options => '{"quote": "ü"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', format => 'avro', options => '{"registry": "file:///etc/passwd"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', format => 'avro', options => '{"registry": "https://user:secret@registry/"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', format => 'avro', options => '{"registry": "http:///schemas"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', format => 'avro');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', format => 'text');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', fields => '{"user_id": "v"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', fields => '{"v": {"path": "v", "type": "nothing"}}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', start => 'sometime');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', consent => 'a..b');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', consent => 'users[*].consent');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', max_rows => 0);
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', jobs => 65);
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', max_delay => '-1 s');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', max_delay => '2 min');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', max_errors => -1);
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', max_pending => 0);

-- what is taken where there is no value must be one
\set VERBOSITY terse
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": {"path": "u", "default": "nobody"}}');
\set VERBOSITY default

-- keys
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', conflict => 'update');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', conflict => 'replace');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', conflict => 'update', key => '{user_id}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', key => '{event}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', key => '{user_id, user_id}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', tombstones => 'delete');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', tombstones => 'delete', key => '{user_id}');

-- what is a secret, of the program's machine, or would break what a stream promises
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"sasl.password": "secret"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"ssl.ca.location": "/etc/passwd"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"sasl.kerberos.kinit.cmd": "reboot"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"plugin.library.paths": "x.so"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"isolation.level": "read_uncommitted"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"bootstrap.servers": "other:9092"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"security.protocl": "ssl"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"something.new": "1"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"client.id": {}}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"group.id": 1}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"group.id": "payments"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '{"group.id": "recsys.xy"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', config => '[]');

-- filters are one expression
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', filter => 'nothing = 1');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', filter => 'user_id');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', filter => 'user_id > 1) OR (true');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', filter => 'true; DROP TABLE views');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', filter => 'count(*) > 1');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', filter => 'true FROM views');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', filter => 'user_id = ''u''');
-- two paths end in the same word: it says neither
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "user.id", "product_id": "item.id"}', filter => 'id = 1');

-- tables that a crash empties, or that are not in the transaction
CREATE UNLOGGED TABLE fleeting (user_id bigint);
CREATE TEMPORARY TABLE passing (user_id bigint);
CREATE TABLE parts (user_id bigint) PARTITION BY RANGE (user_id);
CREATE UNLOGGED TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (2);
SELECT recsys.create_stream('x', 'k:9092', 't', 'fleeting', '{"user_id": "u"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'passing', '{"user_id": "u"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'parts', '{"user_id": "u"}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', errors => 'fleeting');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u"}', errors => 'views');
CREATE VIEW looked AS SELECT user_id FROM views;
SELECT recsys.create_stream('x', 'k:9092', 't', 'looked', '{"user_id": "u"}');
DROP VIEW looked;
DROP TABLE fleeting, passing, parts;

-- pseudonyms
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u", "viewed_at": "t"}', pseudonyms => '{viewed_at}');
SELECT recsys.create_stream('x', 'k:9092', 't', 'views', '{"user_id": "u", "event": "e"}', pseudonyms => '{user_id, event}');
SELECT name, value FROM recsys.stream_settings('x') WHERE name IN ('pseudonym', 'keep_payload') ORDER BY number, name;
SELECT recsys.alter_stream('x', reset => '{pseudonyms}', consent => 'user.tracking');
SELECT name, value FROM recsys.stream_settings('x') WHERE name IN ('pseudonym', 'keep_payload', 'consent') ORDER BY number, name;

-- columns of csv by number
SELECT recsys.alter_stream('x', format => 'csv', columns => '{"user_id": 1, "event": {"path": "3"}}', options => '{"delimiter": "\\t", "header": ["user", "time", "type"]}',
	reset => '{consent}');
SELECT section, name, value FROM recsys.stream_settings('x') WHERE section = 'option' OR name = 'source' ORDER BY section, number;
SELECT recsys.alter_stream('x', columns => '{"user_id": "u", "event": "e"}', reset => '{format, options}', consent => 'user.tracking');

/*
 * Changing
 */
SELECT recsys.alter_stream('x', reset => '{topic}');
SELECT recsys.alter_stream('x', reset => '{nothing}');
SELECT recsys.alter_stream('x', format => 'csv', reset => '{format}');
SELECT recsys.alter_stream('nothing', format => 'csv');
SELECT recsys.alter_stream('x', max_errors => 7, max_rows => 5, start => '2026-01-01 00:00:00.0001+00', filter => 'user_id > 0');
SELECT definition - 'brokers' AS definition FROM recsys.streams WHERE stream = 'x';
SELECT recsys.alter_stream('x', reset => '{max_errors, filter, consent, start}');
SELECT definition - 'brokers' AS definition FROM recsys.streams WHERE stream = 'x';
SELECT recsys.alter_stream('x', new_owner => 'regress_stream_other');
SELECT recsys.drop_stream('x');
SELECT recsys.drop_stream('x');
SELECT recsys.drop_stream('x', if_exists => true);

/*
 * Others
 */
RESET ROLE;
GRANT USAGE ON SCHEMA streams TO regress_stream_other;
-- who may read everything, or the table, watches all streams
CREATE ROLE regress_stream_monitor IN ROLE pg_read_all_data;
SET ROLE regress_stream_monitor;
SELECT stream, state FROM recsys.streams;
SELECT count(*) FROM recsys.stream_partitions;
SELECT count(*) FROM recsys.stream_errors;
SELECT * FROM recsys.stream_settings('clicks');
RESET ROLE;
DROP ROLE regress_stream_monitor;
SET ROLE regress_stream_other;
SELECT count(*) FROM recsys.streams;
SELECT count(*) FROM recsys.stream_partitions;
SELECT count(*) FROM recsys.stream_list();
SELECT count(*) FROM recsys.stream;
SELECT * FROM recsys.stream_settings('clicks');
SELECT * FROM recsys.stream_claim('clicks', '{0}', 'other');
SELECT recsys.pause_stream('clicks');
SELECT recsys.seek_stream('clicks', at => now());
SELECT recsys.alter_stream('clicks', new_owner => 'regress_stream_other');
SELECT recsys.drop_stream('clicks');
\set VERBOSITY terse
-- nobody declares what he may not write
SELECT recsys.create_stream('theirs', 'k:9092', 't', 'views', '{"user_id": "u"}');
\set VERBOSITY default
SET ROLE regress_stream_owner;

/*
 * The protocol
 */
SELECT recsys.seek_stream('clicks', at => now());
-- the partitions that there are begin where the stream starts, those that come later with their first message
SELECT recsys.alter_stream('clicks', start => 'latest');
SELECT recsys.stream_register('clicks', '{1, 0}');
SELECT recsys.stream_register('clicks', '{0, 1, 2}');
SELECT partition, epoch > 0 AS claimed, next_offset, seek, last_offset, state FROM recsys.stream_claim('clicks', '{2, 0, 1}', 'one');
SELECT state, partitions, consumers FROM recsys.streams;
SELECT partition, state, consumer, next_offset, seek FROM recsys.stream_partitions ORDER BY partition;
SELECT * FROM recsys.stream_claim('clicks', '{0, 0}', 'one');
SELECT * FROM recsys.stream_claim('clicks', '{-1}', 'one');
SELECT * FROM recsys.stream_claim('clicks', '{NULL}', 'one');
SELECT * FROM recsys.stream_claim('clicks', NULL, 'one');
SELECT * FROM recsys.stream_claim('clicks', '{0}', NULL);
SELECT count(*) FROM recsys.stream_claim('clicks', '{}', 'one');

-- a declaration that is not that of the program any more
SELECT version AS old_version FROM recsys.stream_list() \gset
SELECT recsys.alter_stream('clicks', max_rows => 100);
SELECT version > :old_version AS newer, version AS version FROM recsys.stream_list() \gset
SELECT * FROM recsys.stream_claim('clicks', '{0}', 'one', :old_version);

SELECT epoch AS epoch0 FROM recsys.stream_claim('clicks', '{0}', 'one', :version) \gset
SELECT epoch AS epoch1 FROM recsys.stream_claim('clicks', '{1}', 'one', :version) \gset
SELECT epoch AS epoch2 FROM recsys.stream_claim('clicks', '{2}', 'two', :version) \gset
-- not resolved yet
SELECT a.* FROM recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{0}', '{5}', NULL, NULL, NULL, NULL, '{5}', '{0}', 5) a;
SELECT recsys.stream_resolve('clicks', 0, :epoch0, 100), recsys.stream_resolve('clicks', 1, :epoch1, 200);
SELECT recsys.stream_resolve('clicks', 0, :epoch0, 100);

-- a batch: the stage, rows of three messages and two that the filter stops, then the offsets
SELECT value AS stage FROM recsys.stream_settings('clicks') WHERE section = 'statement' AND name = 'stage' \gset
SELECT value AS copy FROM recsys.stream_settings('clicks') WHERE section = 'statement' AND name = 'copy' \gset
SELECT value AS apply FROM recsys.stream_settings('clicks') WHERE section = 'statement' AND number = 3 \gset
:stage;
BEGIN;
COPY pg_temp.recsys_stage_4 FROM STDIN;
1	r	view	1	2026-01-01T00:00:00Z	10
2	r	cart	1	2026-01-01T00:00:01Z	11
3	r	scroll	no	number	12
4	r	\N	2	2026-01-01T00:00:02Z	10
5	r	view	2	\N	12
\.
:apply;
SELECT a.state, a.version = :version AS same, a.throttle
FROM recsys.stream_advance('clicks', '{1, 0}', ARRAY[:epoch1, :epoch0], '{200, 100}', '{203, 102}', '{202, 101}', '{1767225600000, 1767225601000}',
	'{7, 8}', '{210, 102}', '{3, 2}', '{0, 0}', 3) a;
COMMIT;
SELECT * FROM views ORDER BY user_id, product_id;
SELECT partition, consumer, next_offset, lag, messages, rows, rejected, rows_per_second > 0 AS runs, last_message_time
FROM recsys.stream_partitions ORDER BY partition;
SELECT state, partitions, next_offset, lag, messages, rows, errors, consumers, last_message_time FROM recsys.streams;
SELECT partition, next_offset, last_offset, last_timestamp, last_checksum FROM recsys.stream_claim('clicks', '{0}', 'one', :version);

-- the same once more, by whom it was, and by who has it now from where it was
SELECT recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{102}', '{103}', NULL, NULL, NULL, NULL, '{1}', '{0}', 1);
SELECT epoch AS epoch0 FROM recsys.stream_claim('clicks', '{0}', 'two', :version) \gset
SELECT recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{100}', '{103}', NULL, NULL, NULL, NULL, '{1}', '{0}', 1);
-- all or nothing
SELECT recsys.stream_advance('clicks', '{0, 1}', ARRAY[:epoch0, 1], '{102, 203}', '{104, 204}', NULL, NULL, NULL, NULL, '{1, 1}', '{0, 0}', 2);
-- backwards, and arrays that do not fit
SELECT recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{102}', '{101}', NULL, NULL, NULL, NULL, '{1}', '{0}', 1);
SELECT recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{102, 103}', '{101}', NULL, NULL, NULL, NULL, '{1}', '{0}', 1);
SELECT recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{102}', '{NULL}', NULL, NULL, NULL, NULL, '{1}', '{0}', 1);
SELECT next_offset FROM recsys.stream_partitions WHERE partition = 0;
-- nothing but control records: the last message stays what it was
SELECT a.state FROM recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{102}', '{104}', NULL, NULL, NULL, '{104}', '{0}', '{0}', 0) a;
SELECT next_offset, last_offset, last_checksum FROM recsys.stream_partition WHERE stream = 'clicks' AND partition = 0;
RESET ROLE;
SELECT next_offset, last_offset, last_checksum FROM recsys.stream_partition WHERE stream = 'clicks' AND partition = 0;
SET ROLE regress_stream_owner;

-- signs of life
SELECT a.state, a.throttle FROM recsys.stream_heartbeat('clicks', 'two', '{0}', ARRAY[:epoch0], '{110}') a;
SELECT a.state FROM recsys.stream_heartbeat('clicks', 'two', '{}', '{}', '{}', 'broker kafka1:9092 cannot be reached') a;
SELECT a.state FROM recsys.stream_heartbeat('clicks', 'one', '{0}', '{1}', NULL) a;
SELECT lag, consumers, last_message, last_message_at IS NOT NULL AS at FROM recsys.streams;

-- rejected messages
SELECT recsys.stream_reject('clicks', '{0, 0}', '{104, 105}', '{1767225600000, -1}', ARRAY['k'::bytea, NULL], ARRAY['{"user": "ü'::bytea, '\x00ff'],
	'{it ends too early, no UTF-8}', '{NULL, 22021}');
SELECT stream, topic, partition, message_offset, message_timestamp, key, payload, reason, sqlstate FROM recsys.stream_errors ORDER BY message_offset;
SELECT recsys.alter_stream('clicks', max_errors => 2);
SELECT epoch AS epoch0 FROM recsys.stream_claim('clicks', '{0}', 'one') \gset
SELECT a.state FROM recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{104}', '{106}', '{105}', NULL, '{9}', NULL, '{2}', '{2}', 0) a;
SELECT state, errors FROM recsys.streams;
SELECT a.state FROM recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{106}', '{107}', '{106}', NULL, '{9}', NULL, '{1}', '{1}', 0) a;
SELECT state, errors, last_message FROM recsys.streams;
SELECT state FROM recsys.stream_claim('clicks', '{0}', 'one');
SELECT recsys.resume_stream('clicks');
SELECT recsys.resume_stream('clicks');
SELECT epoch AS epoch0 FROM recsys.stream_claim('clicks', '{0}', 'one') \gset
SELECT a.state FROM recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{107}', '{108}', '{107}', NULL, '{9}', NULL, '{1}', '{1}', 0) a;
SELECT state, errors FROM recsys.streams;
SELECT recsys.purge_stream_errors('clicks', '-infinity'), recsys.purge_stream_errors('clicks');
SELECT recsys.purge_stream_errors('clicks', NULL);

-- to a table of one's own, with some of the columns
CREATE TABLE bad (message_offset bigint, payload bytea, key text, reason text, id bigint GENERATED ALWAYS AS IDENTITY);
SELECT recsys.alter_stream('clicks', errors => 'bad', max_errors => 1000);
SELECT recsys.stream_reject('clicks', '{0}', '{108}', NULL, ARRAY['k'::bytea], ARRAY['\x00ff'::bytea], '{no UTF-8}', NULL);
SELECT * FROM bad;
SELECT count(*) FROM recsys.stream_errors;
-- of pseudonymous users nothing is kept
SELECT recsys.alter_stream('clicks', pseudonyms => '{user_id}');
SELECT recsys.stream_reject('clicks', '{0}', '{109}', NULL, ARRAY['k'::bytea], ARRAY['\x00ff'::bytea], '{no UTF-8}', NULL);
SELECT * FROM bad ORDER BY id DESC LIMIT 1;
SELECT recsys.alter_stream('clicks', reset => '{pseudonyms, errors}');
DROP TABLE bad;

-- too much to merge: the consumer waits
SELECT recsys.alter_stream('clicks', max_pending => 1);
SELECT epoch AS epoch0 FROM recsys.stream_claim('clicks', '{0}', 'one') \gset
SELECT a.throttle FROM recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{108}', '{109}', '{108}', NULL, '{9}', NULL, '{1}', '{0}', 1) a;
SELECT throttle FROM recsys.streams;
SELECT count(*) FROM recsys.merge('views_recsys');
SELECT pg_sleep(1.01);
SELECT a.throttle FROM recsys.stream_heartbeat('clicks', 'one', '{0}', ARRAY[:epoch0], NULL) a;
SELECT throttle FROM recsys.streams;

-- paused: what is under way is not written any more
SELECT recsys.pause_stream('clicks');
SELECT recsys.pause_stream('clicks');
SELECT state FROM recsys.streams;
SELECT recsys.stream_advance('clicks', '{0}', ARRAY[:epoch0], '{109}', '{110}', '{109}', NULL, '{9}', NULL, '{1}', '{0}', 1);
SELECT partition, state FROM recsys.stream_claim('clicks', '{0}', 'one');
SELECT recsys.resume_stream('clicks');

-- lost, released, failed
SELECT epoch AS epoch0 FROM recsys.stream_claim('clicks', '{0}', 'one') \gset
SELECT epoch AS epoch2 FROM recsys.stream_claim('clicks', '{2}', 'one') \gset
SELECT recsys.stream_stop('clicks', 0, :epoch0, 'lost', 'the log begins at offset 500');
SELECT recsys.stream_stop('clicks', 0, 1, 'lost', 'the log begins at offset 500');
SELECT recsys.stream_stop('clicks', 0, :epoch0, 'gone', 'the log begins at offset 500');
SELECT state, last_message FROM recsys.streams;
SELECT partition, state, message FROM recsys.stream_partitions ORDER BY partition;
SELECT state FROM recsys.stream_claim('clicks', '{0}', 'one');
SELECT recsys.stream_stop('clicks', 2, :epoch2, 'released', NULL);
SELECT partition, consumer FROM recsys.stream_partitions ORDER BY partition;
SELECT recsys.seek_stream('clicks');
SELECT recsys.seek_stream('clicks', next_offset => 5);
SELECT recsys.seek_stream('clicks', partition => 0, next_offset => -5);
SELECT recsys.seek_stream('clicks', partition => 0, at => now(), next_offset => 5);
SELECT recsys.seek_stream('clicks', partition => 0, next_offset => 500), recsys.seek_stream('clicks', partition => 3, at => timestamptz '2026-01-01 00:00:00.0001+00');
SELECT partition, state, next_offset, seek, message FROM recsys.stream_partitions ORDER BY partition;
SELECT partition, next_offset, seek, last_offset, state FROM recsys.stream_claim('clicks', '{0, 3}', 'one');
SELECT recsys.seek_stream('clicks', at => '-infinity');
SELECT partition, next_offset, seek FROM recsys.stream_partitions ORDER BY partition;
SELECT recsys.stream_stop('clicks', NULL, NULL, 'failed', 'permission denied for table views');
SELECT state, last_message FROM recsys.streams;
SELECT recsys.stream_stop('clicks', NULL, 1, 'failed', 'an old one says');
SELECT recsys.resume_stream('clicks');

-- a target that would be emptied by a crash, made so when it was one already
SELECT epoch AS epoch1 FROM recsys.stream_claim('clicks', '{1}', 'one') \gset
SELECT recsys.stream_resolve('clicks', 1, :epoch1, 0);
ALTER TABLE views SET UNLOGGED;
SELECT recsys.stream_advance('clicks', '{1}', ARRAY[:epoch1], '{0}', '{1}', NULL, NULL, NULL, NULL, '{1}', '{0}', 1);
SELECT recsys.stream_claim('clicks', '{1}', 'one');
SELECT recsys.stream_settings('clicks');
ALTER TABLE views SET LOGGED;
CREATE TABLE parts (user_id bigint) PARTITION BY RANGE (user_id);
SELECT recsys.create_stream('parts', 'k:9092', 't', 'parts', '{"user_id": "u"}');
SELECT epoch AS epoch1 FROM recsys.stream_claim('parts', '{0}', 'one') \gset
SELECT recsys.stream_resolve('parts', 0, :epoch1, 0);
CREATE UNLOGGED TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (2);
SELECT recsys.stream_advance('parts', '{0}', ARRAY[:epoch1], '{0}', '{1}', NULL, NULL, NULL, NULL, '{1}', '{0}', 1);
SELECT recsys.drop_stream('parts');
DROP TABLE parts;

-- another topic begins anew, and the first one is still known
SELECT recsys.alter_stream('clicks', topic => 'shop.events');
SELECT partitions FROM recsys.streams;
SELECT recsys.stream_register('clicks', '{0}');
SELECT topic, partition, seek FROM recsys.stream_partitions ORDER BY topic, partition;
SELECT recsys.alter_stream('clicks', topic => 'shop.clicks');
SELECT partitions FROM recsys.streams;

-- a partition that was sent somewhere before the topic was seen is not the topic
SELECT recsys.alter_stream('clicks', topic => 'shop.late', start => 'latest');
SELECT recsys.seek_stream('clicks', partition => 1, next_offset => 7);
SELECT recsys.pause_stream('clicks'), recsys.resume_stream('clicks');
SELECT recsys.stream_register('clicks', '{0, 1, 2}');
SELECT recsys.stream_register('clicks', '{0, 1, 2, 3}');
SELECT partition, next_offset, seek FROM recsys.stream_partitions WHERE topic = 'shop.late' ORDER BY partition;
SELECT recsys.alter_stream('clicks', topic => 'shop.clicks');

/*
 * Natural keys, tombstones, types
 */
CREATE TABLE carts (id text COLLATE "C" PRIMARY KEY, item bigint, title varchar(3), tags text[], extra jsonb, at timestamp);
SELECT recsys.create_stream('carts', 'k:9092', 'carts', 'carts',
	'{"id": "$key", "item": "item", "title": "title", "tags": "tags", "extra": "extra", "at": "at"}',
	key => '{id}', conflict => 'update', tombstones => 'delete', start => '2026-01-01');
SELECT name, value FROM recsys.stream_settings('carts') WHERE section IN ('statement') ORDER BY number;
SELECT number, string_agg(name || '=' || value, ' ' ORDER BY name) AS field FROM recsys.stream_settings('carts')
WHERE section = 'field' GROUP BY number ORDER BY number;
SELECT value AS stage FROM recsys.stream_settings('carts') WHERE name = 'stage' \gset
SELECT value AS delete FROM recsys.stream_settings('carts') WHERE section = 'statement' AND number = 3 \gset
SELECT value AS apply FROM recsys.stream_settings('carts') WHERE section = 'statement' AND number = 4 \gset
:stage;
INSERT INTO carts VALUES ('a', 1, 'old'), ('b', 2, 'old'), ('c', 3, 'old');
BEGIN;
-- a: changed twice; b: deleted; c: deleted, and there again; d: new and deleted at once; e: new
COPY pg_temp.recsys_ordered_stage_6 (n, op, v1, v2, v3, v4, v5, v6) FROM STDIN;
1	r	2026-01-01T12:00:00+02:00	a	10	["x", "y"]	{"k": 1.50}	1
2	r	\N	a	11	\N	\N	2
3	d	\N	b	\N	\N	\N	\N
4	r	\N	c	12	\N	\N	3
5	d	\N	c	\N	\N	\N	\N
6	r	\N	c	13	\N	\N	4
7	r	\N	d	14	\N	\N	\N
8	d	\N	d	\N	\N	\N	\N
9	r	2026-01-01T12:00:00+02:00	e	15	["x", null, "y,z"]	{"k": 1.50}	5
\.
:delete;
:apply;
SELECT * FROM carts ORDER BY id;
COMMIT;
-- again: nothing is written
BEGIN;
COPY pg_temp.recsys_ordered_stage_6 (n, op, v1, v2, v3, v4, v5, v6) FROM STDIN;
9	r	2026-01-01T12:00:00+02:00	e	15	["x", null, "y,z"]	{"k": 1.50}	5
\.
:apply;
ROLLBACK;
-- a value that is too long is an error, and not cut
\set VERBOSITY terse
BEGIN;
COPY pg_temp.recsys_ordered_stage_6 (n, op, v1, v2, v3, v4, v5, v6) FROM STDIN;
1	r	\N	f	10	\N	\N	long
\.
:apply;
ROLLBACK;
\set VERBOSITY default
-- what came first stays
SELECT recsys.alter_stream('carts', conflict => 'ignore', filter => 'item > 10 -- a comment');
SELECT value AS apply FROM recsys.stream_settings('carts') WHERE section = 'statement' AND number = 4 \gset
BEGIN;
COPY pg_temp.recsys_ordered_stage_6 (n, op, v1, v2, v3, v4, v5, v6) FROM STDIN;
1	r	\N	a	99	\N	\N	\N
2	r	\N	g	16	\N	\N	1st
3	r	\N	g	17	\N	\N	2nd
4	r	\N	h	10	\N	\N	\N
\.
:apply;
SELECT id, item, title FROM carts WHERE id IN ('a', 'g', 'h') ORDER BY id;
ROLLBACK;
-- fields are for the filter alone, and have types
SELECT recsys.alter_stream('carts', fields => '{"price": {"path": "item.price", "type": "numeric", "default": "0"}}', filter => 'price > 1.5',
	reset => '{tombstones, conflict, key}');
SELECT value FROM recsys.stream_settings('carts') WHERE section = 'statement' AND number = 3;
-- ... which are those of where the stream was declared, not of where the program looks
CREATE DOMAIN price AS numeric;
SELECT recsys.alter_stream('carts', fields => '{"price": {"path": "item.price", "type": "price"}}', filter => 'price > 1.5');
SET search_path = pg_catalog, pg_temp;
SELECT count(*) AS statements FROM recsys.stream_settings('carts') WHERE section = 'statement';
SET search_path = streams, public;
-- the table has gone
ALTER TABLE carts RENAME TO baskets;
SELECT * FROM recsys.stream_settings('carts');
SELECT recsys.drop_stream('carts');
DROP TABLE baskets;

/*
 * Owners
 */
SET search_path = public;
RESET ROLE;
SELECT recsys.alter_stream('clicks', new_owner => 'regress_stream_other');
ALTER TABLE streams.views OWNER TO regress_stream_other;
SELECT recsys.alter_stream('clicks', new_owner => 'regress_stream_other');
SELECT owner FROM recsys.streams;
SET ROLE regress_stream_other;
SELECT recsys.pause_stream('clicks');
RESET ROLE;
SELECT recsys.drop_stream('clicks');
SELECT count(*) FROM recsys.stream_partition;
DISCARD TEMP;
SET client_min_messages = warning;
DROP SCHEMA streams CASCADE;
DROP ROLE regress_stream_owner, regress_stream_other;
