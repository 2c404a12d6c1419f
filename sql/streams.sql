/*
 * Streams: events from Kafka into tables of the shop, each once
 *
 * A row of recsys.stream is what somebody has declared, by names, so that a dump brings it along.  The
 * program recsys-stream reads it by recsys.stream_settings and brings the events in: rows, rejected
 * messages and the next offset of each partition are written in one transaction.  Rows and offsets belong
 * together, so offsets are dumped, too.
 *
 * The tables are not those of the extension's owner: the program runs as the role that a row names.
 */
CREATE TABLE recsys.stream (
	name text COLLATE "C" PRIMARY KEY,
	owner text NOT NULL,
	definition jsonb NOT NULL,
	state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'failed')),
	version bigint NOT NULL,
	message text,
	message_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE recsys.stream IS 'streams, as recsys.create_stream has made them; recsys.streams shows them';
COMMENT ON COLUMN recsys.stream.name IS 'name of the stream';
COMMENT ON COLUMN recsys.stream.owner IS 'role that has declared it, and that rows are written as';
COMMENT ON COLUMN recsys.stream.definition IS 'what is declared, under the names of the parameters; tables with their schemas';
COMMENT ON COLUMN recsys.stream.state IS 'running, paused or failed';
COMMENT ON COLUMN recsys.stream.version IS 'another number with each change of the declaration';
COMMENT ON COLUMN recsys.stream.message IS 'what was said of the stream as a whole last';
COMMENT ON COLUMN recsys.stream.message_at IS 'when that was';
COMMENT ON COLUMN recsys.stream.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.stream.changed_at IS 'when it was changed last';
SELECT pg_catalog.pg_extension_config_dump('recsys.stream', '');
CREATE TRIGGER stream_owner BEFORE INSERT OR UPDATE ON recsys.stream
	FOR EACH ROW EXECUTE FUNCTION recsys.recommender_owner();
GRANT SELECT, INSERT ON recsys.stream TO @extowner@;

-- written several times a second: half of each page is room for the next versions of its rows
CREATE TABLE recsys.stream_partition (
	stream text COLLATE "C" NOT NULL REFERENCES recsys.stream ON DELETE CASCADE,
	topic text COLLATE "C" NOT NULL,
	partition integer NOT NULL CHECK (partition >= 0),
	epoch bigint NOT NULL DEFAULT 0,
	consumer text,
	next_offset bigint CHECK (next_offset >= 0),
	seek text,
	last_offset bigint,
	last_timestamp bigint,
	last_checksum bigint,
	high_watermark bigint,
	messages bigint NOT NULL DEFAULT 0,
	rows bigint NOT NULL DEFAULT 0,
	rejected bigint NOT NULL DEFAULT 0,
	rejected_since timestamptz,
	rejected_lately bigint NOT NULL DEFAULT 0,
	rate double precision NOT NULL DEFAULT 0,
	rate_at timestamptz,
	throttle integer NOT NULL DEFAULT 0,
	state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'lost')),
	registered boolean NOT NULL DEFAULT true,
	message text,
	message_at timestamptz,
	claimed_at timestamptz,
	seen_at timestamptz,
	changed_at timestamptz,
	PRIMARY KEY (stream, topic, partition),
	CHECK ((next_offset IS NULL) <> (seek IS NULL)))
WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE recsys.stream_partition IS 'how far streams have come; recsys.stream_partitions shows it';
COMMENT ON COLUMN recsys.stream_partition.stream IS 'name of the stream';
COMMENT ON COLUMN recsys.stream_partition.topic IS 'topic';
COMMENT ON COLUMN recsys.stream_partition.partition IS 'partition of the topic';
COMMENT ON COLUMN recsys.stream_partition.epoch IS 'another, higher number with each claim: only who has made the last one writes';
COMMENT ON COLUMN recsys.stream_partition.consumer IS 'who has claimed it; NULL: nobody';
COMMENT ON COLUMN recsys.stream_partition.next_offset IS 'offset of the next message; NULL: the broker is yet to be asked for it';
COMMENT ON COLUMN recsys.stream_partition.seek IS 'where to begin: earliest, latest, or milliseconds since 1970; NULL: at next_offset';
COMMENT ON COLUMN recsys.stream_partition.last_offset IS 'offset of the last message, by which the log is known again';
COMMENT ON COLUMN recsys.stream_partition.last_timestamp IS 'its timestamp, milliseconds since 1970';
COMMENT ON COLUMN recsys.stream_partition.last_checksum IS 'a hash of its key and payload';
COMMENT ON COLUMN recsys.stream_partition.high_watermark IS 'end of the log as it was seen last';
COMMENT ON COLUMN recsys.stream_partition.messages IS 'messages so far';
COMMENT ON COLUMN recsys.stream_partition.rows IS 'rows written so far';
COMMENT ON COLUMN recsys.stream_partition.rejected IS 'messages rejected so far';
COMMENT ON COLUMN recsys.stream_partition.rejected_since IS 'when the hour began that rejected_lately is of';
COMMENT ON COLUMN recsys.stream_partition.rejected_lately IS 'messages rejected in that hour, or since the stream was resumed in it';
COMMENT ON COLUMN recsys.stream_partition.rate IS 'rows a second, decaying within half a minute, as of rate_at';
COMMENT ON COLUMN recsys.stream_partition.rate_at IS 'when the rate was that';
COMMENT ON COLUMN recsys.stream_partition.throttle IS 'milliseconds that the consumer was last told to wait, as the target''s indexes have too much to merge';
COMMENT ON COLUMN recsys.stream_partition.state IS 'active, or lost: the log is not the one that was read before';
COMMENT ON COLUMN recsys.stream_partition.registered IS 'whether recsys-stream has seen it; false: recsys.seek_stream has said where it is to begin before that';
COMMENT ON COLUMN recsys.stream_partition.message IS 'what was said of it last';
COMMENT ON COLUMN recsys.stream_partition.message_at IS 'when that was';
COMMENT ON COLUMN recsys.stream_partition.claimed_at IS 'when it was claimed last';
COMMENT ON COLUMN recsys.stream_partition.seen_at IS 'when its consumer gave a sign of life last';
COMMENT ON COLUMN recsys.stream_partition.changed_at IS 'when it moved last';
SELECT pg_catalog.pg_extension_config_dump('recsys.stream_partition', '');
GRANT SELECT, INSERT ON recsys.stream_partition TO @extowner@;

CREATE TABLE recsys.stream_error (
	stream text COLLATE "C" NOT NULL REFERENCES recsys.stream ON DELETE CASCADE,
	topic text NOT NULL,
	partition integer NOT NULL,
	message_offset bigint NOT NULL,
	message_timestamp timestamptz,
	key text,
	payload text,
	reason text,
	sqlstate text,
	rejected_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX stream_error_rejected_at ON recsys.stream_error (stream, rejected_at);
COMMENT ON TABLE recsys.stream_error IS 'messages that became no rows; recsys.stream_errors shows them';
COMMENT ON COLUMN recsys.stream_error.stream IS 'name of the stream';
COMMENT ON COLUMN recsys.stream_error.topic IS 'topic of the message';
COMMENT ON COLUMN recsys.stream_error.partition IS 'its partition';
COMMENT ON COLUMN recsys.stream_error.message_offset IS 'its offset';
COMMENT ON COLUMN recsys.stream_error.message_timestamp IS 'its timestamp';
COMMENT ON COLUMN recsys.stream_error.key IS 'its key; what is no text is written as \x and hexadecimal digits';
COMMENT ON COLUMN recsys.stream_error.payload IS 'what it says, in the same way; at most a million bytes';
COMMENT ON COLUMN recsys.stream_error.reason IS 'why it became no row';
COMMENT ON COLUMN recsys.stream_error.sqlstate IS 'the error''s code; NULL: it was not the server that rejected it';
COMMENT ON COLUMN recsys.stream_error.rejected_at IS 'when it was rejected';
SELECT pg_catalog.pg_extension_config_dump('recsys.stream_error', '');
GRANT SELECT, INSERT ON recsys.stream_error TO @extowner@;
-- no key: a publication of all tables would not let rows be deleted
ALTER TABLE recsys.stream_error REPLICA IDENTITY FULL;

/*
 * Declaring
 */
CREATE FUNCTION recsys.create_stream(
	stream text,
	brokers text,
	topic text,
	target text,
	columns jsonb,
	format text DEFAULT 'json',
	filter text DEFAULT NULL,
	errors text DEFAULT NULL,
	start text DEFAULT 'earliest',
	config jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL,
	fields jsonb DEFAULT NULL,
	key text[] DEFAULT NULL,
	conflict text DEFAULT 'error',
	tombstones text DEFAULT 'skip',
	pseudonyms text[] DEFAULT NULL,
	consent text DEFAULT NULL,
	max_rows integer DEFAULT 10000,
	max_delay interval DEFAULT '250 ms',
	max_errors integer DEFAULT 1000,
	max_pending bigint DEFAULT 1000000,
	jobs integer DEFAULT 2,
	merge_interval interval DEFAULT '5 s')
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_create_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.create_stream(text, text, text, text, jsonb, text, text, text, text, jsonb, jsonb, jsonb, text[], text, text, text[], text, integer, interval, integer, bigint, integer, interval)
	IS 'declares which messages of a Kafka topic become rows of a table; the program recsys-stream brings them in, each once';

CREATE FUNCTION recsys.alter_stream(
	stream text,
	brokers text DEFAULT NULL,
	topic text DEFAULT NULL,
	target text DEFAULT NULL,
	columns jsonb DEFAULT NULL,
	format text DEFAULT NULL,
	filter text DEFAULT NULL,
	errors text DEFAULT NULL,
	start text DEFAULT NULL,
	config jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL,
	fields jsonb DEFAULT NULL,
	key text[] DEFAULT NULL,
	conflict text DEFAULT NULL,
	tombstones text DEFAULT NULL,
	pseudonyms text[] DEFAULT NULL,
	consent text DEFAULT NULL,
	max_rows integer DEFAULT NULL,
	max_delay interval DEFAULT NULL,
	max_errors integer DEFAULT NULL,
	max_pending bigint DEFAULT NULL,
	jobs integer DEFAULT NULL,
	merge_interval interval DEFAULT NULL,
	reset text[] DEFAULT NULL,
	new_owner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_alter_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.alter_stream(text, text, text, text, jsonb, text, text, text, text, jsonb, jsonb, jsonb, text[], text, text, text[], text, integer, interval, integer, bigint, integer, interval, text[], text)
	IS 'changes a stream, which goes on where it is; what is NULL stays as it is, reset names the parameters to have their defaults again';

CREATE FUNCTION recsys.drop_stream(stream text, if_exists boolean DEFAULT false)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_drop_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.drop_stream(text, boolean) IS 'removes a stream, its offsets and its rejected messages; the rows that it has brought stay';

CREATE FUNCTION recsys.pause_stream(stream text)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_pause_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.pause_stream(text) IS 'stops a stream until recsys.resume_stream: once this is committed nothing more is written';

CREATE FUNCTION recsys.resume_stream(stream text)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_resume_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.resume_stream(text) IS 'lets a stream that was paused, or has failed, go on where it is; its rejected messages are counted anew';

CREATE FUNCTION recsys.seek_stream(stream text, partition integer DEFAULT NULL, at timestamptz DEFAULT NULL, next_offset bigint DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_seek_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.seek_stream(text, integer, timestamptz, bigint)
	IS 'has a stream go on elsewhere: at the first message of a time or later, -infinity for the earliest and infinity for the end, or of one partition at an offset; a partition that was lost goes on, too';

CREATE FUNCTION recsys.purge_stream_errors(stream text, before timestamptz DEFAULT now())
RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_purge_stream_errors' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.purge_stream_errors(text, timestamptz) IS 'deletes messages of recsys.stream_errors that a stream has rejected before a time; returns how many there were';

/*
 * What recsys-stream calls
 */
CREATE FUNCTION recsys.stream_list(OUT stream text, OUT version bigint, OUT state text)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_stream_list' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.stream_list() IS 'used by recsys-stream: the streams of roles whose rights you have';

CREATE FUNCTION recsys.stream_settings(stream text, OUT section text, OUT number integer, OUT name text, OUT value text)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_stream_settings' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 50;
COMMENT ON FUNCTION recsys.stream_settings(text) IS 'used by recsys-stream: a stream''s declaration, and the statements that bring its rows in';

CREATE FUNCTION recsys.stream_register(stream text, partitions integer[], version bigint DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_stream_register' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_register(text, integer[], bigint) IS 'used by recsys-stream: the partitions that a topic has; the first ones begin where the stream is declared to start, those that come later with their first message';

CREATE FUNCTION recsys.stream_claim(stream text, partitions integer[], consumer text, version bigint DEFAULT NULL,
	OUT partition integer, OUT epoch bigint, OUT next_offset bigint, OUT seek text,
	OUT last_offset bigint, OUT last_timestamp bigint, OUT last_checksum bigint, OUT state text)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_stream_claim' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.stream_claim(text, integer[], text, bigint) IS 'used by recsys-stream: takes partitions over, so that whoever had them before writes no more, and says where they stand';

CREATE FUNCTION recsys.stream_resolve(stream text, partition integer, epoch bigint, next_offset bigint)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_stream_resolve' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_resolve(text, integer, bigint, bigint) IS 'used by recsys-stream: the offset that the broker has named for where a claimed partition is to begin';

CREATE FUNCTION recsys.stream_advance(stream text, partitions integer[], epochs bigint[], expected bigint[], next_offsets bigint[],
	last_offsets bigint[], last_timestamps bigint[], last_checksums bigint[], high_watermarks bigint[],
	messages bigint[], rejected bigint[], rows bigint,
	OUT state text, OUT version bigint, OUT throttle integer)
RETURNS record
	AS 'MODULE_PATHNAME', 'recsys_stream_advance' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_advance(text, integer[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint)
	IS 'used by recsys-stream: moves claimed partitions on, in the transaction that writes their rows; an error if one of them is not where it is expected, or was claimed by another';

CREATE FUNCTION recsys.stream_reject(stream text, partitions integer[], offsets bigint[], timestamps bigint[],
	keys bytea[], payloads bytea[], reasons text[], states text[])
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_stream_reject' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_reject(text, integer[], bigint[], bigint[], bytea[], bytea[], text[], text[]) IS 'used by recsys-stream: writes messages that became no rows to where the stream says';

CREATE FUNCTION recsys.stream_heartbeat(stream text, consumer text, partitions integer[], epochs bigint[], high_watermarks bigint[], message text DEFAULT NULL,
	OUT state text, OUT version bigint, OUT throttle integer)
RETURNS record
	AS 'MODULE_PATHNAME', 'recsys_stream_heartbeat' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_heartbeat(text, text, integer[], bigint[], bigint[], text) IS 'used by recsys-stream: a sign of life, with the ends of the logs, and what there is to say';

CREATE FUNCTION recsys.stream_stop(stream text, partition integer, epoch bigint, state text, message text)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_stream_stop' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_stop(text, integer, bigint, text, text) IS 'used by recsys-stream: a claimed partition is lost or released, or the stream as a whole has failed, and why';

/*
 * Watching
 */
CREATE FUNCTION recsys.stream_group(stream text, definition jsonb) RETURNS text
	AS 'MODULE_PATHNAME', 'recsys_stream_group' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION recsys.stream_group(text, jsonb) IS 'the Kafka group of a stream as it is declared: what config says as group.id, or a name that no other database has';

CREATE VIEW recsys.stream_partitions WITH (security_barrier) AS
SELECT p.stream COLLATE "default" AS stream, p.topic COLLATE "default" AS topic, p.partition,
	   p.state, p.consumer, p.next_offset, p.seek, p.high_watermark,
	   CASE WHEN p.high_watermark >= p.next_offset THEN p.high_watermark - p.next_offset
			WHEN p.high_watermark < p.next_offset THEN 0 END AS lag,
	   p.messages, p.rows, p.rejected,
	   CASE WHEN p.rate_at IS NULL THEN 0 ELSE
			p.rate * exp(-least(greatest(extract(epoch FROM clock_timestamp() - p.rate_at) / 30, 0), 500)::double precision) END AS rows_per_second,
	   CASE WHEN p.seen_at > clock_timestamp() - interval '15 seconds' THEN p.throttle ELSE 0 END AS throttle,
	   to_timestamp(p.last_timestamp / 1000.0) AS last_message_time,
	   p.message, p.message_at, p.claimed_at, p.seen_at, p.changed_at, p.epoch
FROM recsys.stream_partition p
JOIN recsys.stream s ON s.name = p.stream
LEFT JOIN pg_catalog.pg_roles o ON o.rolname = s.owner
WHERE pg_catalog.pg_has_role(o.oid, 'USAGE') OR pg_catalog.has_table_privilege('recsys.stream', 'SELECT');
COMMENT ON VIEW recsys.stream_partitions IS 'how far streams of those whose rights you have have come, or all if you may read recsys.stream; a row for each partition, also of topics that a stream had before';
COMMENT ON COLUMN recsys.stream_partitions.stream IS 'name of the stream';
COMMENT ON COLUMN recsys.stream_partitions.topic IS 'topic';
COMMENT ON COLUMN recsys.stream_partitions.partition IS 'partition of the topic';
COMMENT ON COLUMN recsys.stream_partitions.state IS 'active, or lost: the log is not the one that was read before, and recsys.seek_stream says where to go on';
COMMENT ON COLUMN recsys.stream_partitions.consumer IS 'process that has claimed it, NULL: none';
COMMENT ON COLUMN recsys.stream_partitions.next_offset IS 'offset of the next message; NULL: it begins where seek says';
COMMENT ON COLUMN recsys.stream_partitions.seek IS 'where to begin: earliest, latest, or milliseconds since 1970; NULL: at next_offset';
COMMENT ON COLUMN recsys.stream_partitions.high_watermark IS 'end of the log as it was seen last';
COMMENT ON COLUMN recsys.stream_partitions.lag IS 'offsets from there to the end; NULL: not known';
COMMENT ON COLUMN recsys.stream_partitions.messages IS 'messages so far';
COMMENT ON COLUMN recsys.stream_partitions.rows IS 'rows written so far';
COMMENT ON COLUMN recsys.stream_partitions.rejected IS 'messages rejected so far';
COMMENT ON COLUMN recsys.stream_partitions.rows_per_second IS 'rows a second over about the last half minute';
COMMENT ON COLUMN recsys.stream_partitions.throttle IS 'milliseconds that its consumer waits between batches, as indexes of the target have too much to merge';
COMMENT ON COLUMN recsys.stream_partitions.last_message_time IS 'timestamp of the last message';
COMMENT ON COLUMN recsys.stream_partitions.message IS 'what was said of it last';
COMMENT ON COLUMN recsys.stream_partitions.message_at IS 'when that was';
COMMENT ON COLUMN recsys.stream_partitions.claimed_at IS 'when it was claimed last';
COMMENT ON COLUMN recsys.stream_partitions.seen_at IS 'when its consumer gave a sign of life last';
COMMENT ON COLUMN recsys.stream_partitions.changed_at IS 'when it moved last';
COMMENT ON COLUMN recsys.stream_partitions.epoch IS 'another, higher number with each claim';
GRANT SELECT ON recsys.stream_partitions TO PUBLIC;

CREATE VIEW recsys.streams WITH (security_barrier) AS
SELECT s.name COLLATE "default" AS stream,
	   CASE WHEN s.state <> 'running' THEN s.state
			WHEN p.lost > 0 THEN 'lost'
			WHEN p.seen_at > clock_timestamp() - interval '15 seconds' THEN 'running'
			ELSE 'waiting' END AS state,
	   s.definition->>'topic' AS topic, s.definition->>'target' AS target,
	   p.partitions, p.next_offset, p.lag, p.rows_per_second, p.messages, p.rows, p.errors,
	   CASE WHEN p.message_at > s.message_at OR s.message_at IS NULL THEN p.message ELSE s.message END AS last_message,
	   greatest(p.message_at, s.message_at) AS last_message_at,
	   p.last_message_time, p.throttle, p.consumers, p.seen_at,
	   s.owner, s.definition->>'brokers' AS brokers, recsys.stream_group(s.name, s.definition) AS consumer_group,
	   s.definition - 'search_path' AS definition, s.created_at, s.changed_at
FROM recsys.stream s
LEFT JOIN pg_catalog.pg_roles o ON o.rolname = s.owner
CROSS JOIN LATERAL (
	SELECT count(*) AS partitions, count(*) FILTER (WHERE q.state = 'lost') AS lost, sum(q.next_offset)::bigint AS next_offset,
		   sum(q.lag)::bigint AS lag, coalesce(sum(q.rows_per_second), 0) AS rows_per_second,
		   coalesce(sum(q.messages), 0)::bigint AS messages, coalesce(sum(q.rows), 0)::bigint AS rows,
		   coalesce(sum(q.rejected), 0)::bigint AS errors,
		   (array_agg(q.message ORDER BY q.message_at DESC, q.partition) FILTER (WHERE q.message_at IS NOT NULL))[1] AS message,
		   max(q.message_at) AS message_at, max(q.last_message_time) AS last_message_time, coalesce(max(q.throttle), 0) AS throttle,
		   count(DISTINCT q.consumer) FILTER (WHERE q.seen_at > clock_timestamp() - interval '15 seconds') AS consumers,
		   max(q.seen_at) FILTER (WHERE q.consumer IS NOT NULL) AS seen_at
	FROM recsys.stream_partitions q
	WHERE q.stream = s.name AND q.topic = s.definition->>'topic') p
WHERE pg_catalog.pg_has_role(o.oid, 'USAGE') OR pg_catalog.has_table_privilege('recsys.stream', 'SELECT');
COMMENT ON VIEW recsys.streams IS 'streams of those whose rights you have, or all if you may read recsys.stream, one row each, with how far they have come';
COMMENT ON COLUMN recsys.streams.stream IS 'name of the stream';
COMMENT ON COLUMN recsys.streams.state IS 'running; waiting: no recsys-stream is at it; paused; failed: it was stopped by an error; lost: the log of some partition is not the one that was read before';
COMMENT ON COLUMN recsys.streams.topic IS 'topic that is read';
COMMENT ON COLUMN recsys.streams.target IS 'table that rows are written to';
COMMENT ON COLUMN recsys.streams.partitions IS 'partitions that have been seen';
COMMENT ON COLUMN recsys.streams.next_offset IS 'offsets of their next messages, added up';
COMMENT ON COLUMN recsys.streams.lag IS 'offsets that are still to be read, as far as known; NULL: not known at all';
COMMENT ON COLUMN recsys.streams.rows_per_second IS 'rows a second over about the last half minute';
COMMENT ON COLUMN recsys.streams.messages IS 'messages so far';
COMMENT ON COLUMN recsys.streams.rows IS 'rows written so far';
COMMENT ON COLUMN recsys.streams.errors IS 'messages rejected so far';
COMMENT ON COLUMN recsys.streams.last_message IS 'what recsys-stream had to say last, an error most often; it stays when that is over';
COMMENT ON COLUMN recsys.streams.last_message_at IS 'when that was';
COMMENT ON COLUMN recsys.streams.last_message_time IS 'timestamp of the latest message of the topic that was read';
COMMENT ON COLUMN recsys.streams.throttle IS 'milliseconds that consumers wait between batches, as indexes of the target have too much to merge';
COMMENT ON COLUMN recsys.streams.consumers IS 'processes that are at it';
COMMENT ON COLUMN recsys.streams.seen_at IS 'when one of them gave a sign of life last';
COMMENT ON COLUMN recsys.streams.owner IS 'role that has declared it, and that rows are written as';
COMMENT ON COLUMN recsys.streams.brokers IS 'where the topic is';
COMMENT ON COLUMN recsys.streams.consumer_group IS 'Kafka group that consumers join; offsets do not come from it';
COMMENT ON COLUMN recsys.streams.definition IS 'all that is declared, under the names of the parameters';
COMMENT ON COLUMN recsys.streams.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.streams.changed_at IS 'when its declaration was changed last';
GRANT SELECT ON recsys.streams TO PUBLIC;

CREATE VIEW recsys.stream_errors WITH (security_barrier) AS
SELECT e.stream COLLATE "default" AS stream, e.topic, e.partition, e.message_offset, e.message_timestamp, e.key, e.payload, e.reason,
	   e.sqlstate, e.rejected_at
FROM recsys.stream_error e
JOIN recsys.stream s ON s.name = e.stream
LEFT JOIN pg_catalog.pg_roles o ON o.rolname = s.owner
WHERE pg_catalog.pg_has_role(o.oid, 'USAGE') OR pg_catalog.has_table_privilege('recsys.stream_error', 'SELECT');
COMMENT ON VIEW recsys.stream_errors IS 'messages that streams of those whose rights you have have rejected, or all if you may read recsys.stream_error; those that go to a table of your own are there alone';
COMMENT ON COLUMN recsys.stream_errors.stream IS 'name of the stream';
COMMENT ON COLUMN recsys.stream_errors.topic IS 'topic of the message';
COMMENT ON COLUMN recsys.stream_errors.partition IS 'its partition';
COMMENT ON COLUMN recsys.stream_errors.message_offset IS 'its offset';
COMMENT ON COLUMN recsys.stream_errors.message_timestamp IS 'its timestamp';
COMMENT ON COLUMN recsys.stream_errors.key IS 'its key; what is no text is written as \x and hexadecimal digits; NULL of streams with pseudonyms';
COMMENT ON COLUMN recsys.stream_errors.payload IS 'what it says, in the same way; at most a million bytes';
COMMENT ON COLUMN recsys.stream_errors.reason IS 'why it became no row';
COMMENT ON COLUMN recsys.stream_errors.sqlstate IS 'the error''s code; NULL: it was not the server that rejected it';
COMMENT ON COLUMN recsys.stream_errors.rejected_at IS 'when it was rejected';
GRANT SELECT ON recsys.stream_errors TO PUBLIC;
