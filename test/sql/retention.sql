-- Partitions by time that are kept: what can be, what is said of the rest
SET client_min_messages = warning;
CREATE SCHEMA retention;
SET search_path = retention, public;
SET TimeZone = 'UTC';
CREATE TABLE plain (at timestamptz);
CREATE TABLE by_list (kind text, at timestamptz) PARTITION BY LIST (kind);
CREATE TABLE by_two (at timestamptz, n integer) PARTITION BY RANGE (at, n);
CREATE TABLE by_number (n bigint) PARTITION BY RANGE (n);
CREATE TABLE by_expression (at timestamp) PARTITION BY RANGE (date_trunc('day', at));
CREATE TEMP TABLE fleeting (at timestamptz) PARTITION BY RANGE (at);
CREATE VIEW seen AS SELECT * FROM plain;
SELECT recsys.keep_partitions('plain');
SELECT recsys.keep_partitions('by_list');
SELECT recsys.keep_partitions('by_two');
SELECT recsys.keep_partitions('by_number');
SELECT recsys.keep_partitions('by_expression');
SELECT recsys.keep_partitions('fleeting');
SELECT recsys.keep_partitions('seen');
SELECT recsys.keep_partitions('nothing');
SELECT recsys.keep_partitions('retention.nothing');
SELECT recsys.keep_partitions('');
SELECT recsys.keep_partitions('recsys.request_log', keep => '1 day');
SELECT recsys.keep_partitions(NULL);

-- how long
CREATE TABLE events (user_id bigint, at timestamptz NOT NULL, CHECK (user_id > 0)) PARTITION BY RANGE (at);
SELECT recsys.keep_partitions('events', every => NULL);
SELECT recsys.keep_partitions('events', every => '1 month 1 day');
SELECT recsys.keep_partitions('events', every => '59 minutes');
SELECT recsys.keep_partitions('events', every => '0');
SELECT recsys.keep_partitions('events', every => '-1 day');
SELECT recsys.keep_partitions('events', every => '11 years');
SELECT recsys.keep_partitions('events', every => '2000000000 days');
SELECT recsys.keep_partitions('events', keep => '59 minutes');
SELECT recsys.keep_partitions('events', keep => '-1 day');
SELECT recsys.keep_partitions('events', keep => '110 years');
SELECT recsys.keep_partitions('events', ahead => NULL);
SELECT recsys.keep_partitions('events', ahead => '-1 day');
SELECT recsys.keep_partitions('events', every => '1 hour', ahead => '1 year');
SELECT count(*) FROM recsys.kept_partition;
CREATE TABLE days (on_day date) PARTITION BY RANGE (on_day);
SELECT recsys.keep_partitions('days', every => '12 hours');

-- what is made
SELECT action, count(*) FROM recsys.keep_partitions('events', keep => '30 days') GROUP BY 1;
SELECT action, count(*) FROM recsys.keep_partitions('retention.events', keep => '30 days') GROUP BY 1;
SELECT schema_name, table_name, owner = current_user AS mine, every, keep, ahead, partitions, starts = date_trunc('day', now(), 'UTC') AS from_today,
	covered_until = date_trunc('day', now(), 'UTC') + interval '8 days' AS a_week_ahead, has_default, expired, problem
FROM recsys.kept_partitions;
SELECT count(*), bool_and(ends - starts = '1 day'), bool_or(is_default) FROM recsys.table_partitions('events');
SELECT action, count(*) FROM recsys.keep_partitions('days', every => '1 month', ahead => '0') GROUP BY 1;
SELECT bool_and(starts = date_trunc('month', starts, 'UTC') AND ends = starts + interval '1 month'), min(starts) = date_trunc('month', now(), 'UTC') FROM recsys.table_partitions('days') WHERE NOT is_default;
SELECT count(*) FROM recsys.table_partitions('plain');
SELECT count(*) FROM recsys.table_partitions('by_list');
SELECT count(*) FROM recsys.table_partitions(0);
SELECT count(*) FROM recsys.table_partitions(NULL);
SELECT * FROM recsys.maintain_partitions();
SELECT * FROM recsys.maintain_partitions('events');
SELECT * FROM recsys.maintain_partitions('plain');

-- a call in a transaction that is taken back leaves nothing
BEGIN;
SELECT count(*) > 10 AS many FROM recsys.keep_partitions('events', every => '1 month', ahead => '1 year', keep => NULL);
ROLLBACK;
SELECT every, keep, partitions FROM recsys.kept_partitions WHERE table_name = 'events';

-- nothing is written where nothing can be
BEGIN READ ONLY;
SELECT recsys.keep_partitions('events');
ROLLBACK;
BEGIN READ ONLY;
SELECT recsys.maintain_partitions();
ROLLBACK;
BEGIN READ ONLY;
SELECT recsys.leave_partitions('events');
ROLLBACK;

-- a partition is dropped as a whole, what is in the default one row by row
CREATE TABLE events_before PARTITION OF events FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2020-02-01 00:00+00');
INSERT INTO events SELECT n, '2020-01-15 00:00+00'::timestamptz + n * interval '1 day' FROM generate_series(1, 30) n;
INSERT INTO events SELECT n, now() FROM generate_series(1, 5) n;
SELECT action, object, detail FROM recsys.keep_partitions('events', keep => '30 days');
SELECT expired FROM recsys.kept_partitions WHERE table_name = 'events';
SELECT action, object, detail FROM recsys.maintain_partitions('events') ORDER BY 1;
SELECT count(*) FROM events;

-- each partition takes locks until the end, so there are not too many in a call
CREATE TABLE hourly (at timestamptz) PARTITION BY RANGE (at);
SELECT count(*) FROM recsys.keep_partitions('hourly', every => '1 hour', ahead => '140 hours');
SELECT action, object, detail FROM recsys.maintain_partitions('hourly') WHERE action = 'postponed';
SELECT partitions, covered_until > now() + ahead AS covered FROM recsys.kept_partitions WHERE table_name = 'hourly';
SELECT count(*) FROM recsys.maintain_partitions('hourly');
SELECT recsys.leave_partitions('hourly');

-- left alone again, also when the table has gone
SELECT recsys.leave_partitions('days'), recsys.leave_partitions('days'), recsys.leave_partitions('plain'), recsys.leave_partitions('no.such');
DROP TABLE events;
SELECT table_name, partitions, has_default, problem FROM recsys.kept_partitions;
SELECT * FROM recsys.maintain_partitions();
SELECT recsys.leave_partitions('events');
SELECT * FROM recsys.kept_partition;
SELECT recsys.leave_partitions(NULL);
DROP SCHEMA retention CASCADE;
