-- An experiment's log for experiments_log.sh: requests of ten items each, clicks and purchases.
--
-- Variables: requests, users, clicks, purchases, days.  Users and items are drawn with the square of a
-- random number, so that some are much more frequent.  Purchases are of items that were shown, of
-- others, and of users who are in no experiment.  All from a seed.
SET jit = off;
SELECT setseed(0.42) \g /dev/null

INSERT INTO recsys.experiment (name, owner, definition, started_at, stopped_at)
SELECT 'bench', current_user, jsonb_build_object('variants',
	'[{"name": "control", "recommender": "a", "share": 0.5}, {"name": "new", "recommender": "b", "share": 0.5}]'::jsonb,
	'ranges', '[{"high": 0.5, "variant": "control"}, {"high": 1, "variant": "new"}]'::jsonb,
	'metrics', '["ctr", "conversion", "revenue", "user_revenue", "latency_ms"]'::jsonb, 'primary_metric', 'ctr',
	'segment', 'profiles.country',
	'purchases', '{"table": "public.purchases", "user": "user_id", "item": "item_id", "time": "bought_at", "amount": "events.amount"}'::jsonb,
	'attribution_window', '7 days', 'attribution', 'last', 'alpha', 0.05, 'method', 'sequential', 'correction', 'holm',
	'winsorise', 1, 'expected_users', 100000),
	'2026-03-01 00:00+00', '2026-03-01 00:00+00'::timestamptz + make_interval(days => :days);

-- partitions by day, as maintenance makes them
SELECT format('CREATE TABLE recsys.request_log_%s PARTITION OF recsys.request_log FOR VALUES FROM (%L) TO (%L);
	ALTER TABLE recsys.request_log_%1$s ADD PRIMARY KEY (request_id, time);
	CREATE INDEX ON recsys.request_log_%1$s (user_id, time);
	CREATE TABLE recsys.event_log_%1$s PARTITION OF recsys.event_log FOR VALUES FROM (%2$L) TO (%3$L);
	ALTER TABLE recsys.event_log_%1$s ADD PRIMARY KEY (request_id, kind, item_id, event_key, request_time);',
	to_char(day, 'YYYYMMDD'), day, day + interval '1 day')
FROM generate_series('2026-03-01 00:00+00'::timestamptz, '2026-03-01 00:00+00'::timestamptz + make_interval(days => :days - 1), '1 day') AS day \gexec

INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, policy, segment, latency_ms,
	item_ids, scores, sources, propensities)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008' || lpad(n::text, 15, '0'))::uuid, at, u::text,
	CASE WHEN u % 2 = 0 THEN 'a' ELSE 'b' END, 'bench', CASE WHEN u % 2 = 0 THEN 'control' ELSE 'new' END, 'hash',
	(ARRAY['de', 'fr', 'it', 'es', 'pl'])[1 + u % 5], 1 + 9 * random(),
	ARRAY(SELECT (10000 * random() * random())::int::text FROM generate_series(1, 10) WHERE n > 0),
	ARRAY[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]::real[], array_fill('graph'::text, ARRAY[10]), array_fill(0.5::float8, ARRAY[10])
FROM (SELECT n, date_trunc('milliseconds', '2026-03-01 00:00+00'::timestamptz + (n - 1) * make_interval(days => :days) / :requests) AS at,
	(:users * random() * sqrt(random()))::int AS u FROM generate_series(1, :requests) AS n) AS r;

INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
SELECT request_id, time, CASE WHEN random() < 0.85 THEN 'click' ELSE 'cart' END, item_ids[1 + floor(10 * random() * random())::int],
	time + interval '2 days' * power(random(), 8)
FROM recsys.request_log TABLESAMPLE SYSTEM (100) WHERE random() < :clicks * 1.0 / :requests
ON CONFLICT DO NOTHING;

CREATE TABLE purchases (user_id bigint, item_id bigint, bought_at timestamptz, amount numeric(10, 2));
INSERT INTO purchases
SELECT CASE WHEN random() < 0.9 THEN user_id::bigint ELSE -n END, CASE WHEN random() < 0.6 THEN item_ids[1 + floor(10 * random())::int]::bigint ELSE n END,
	time + interval '9 days' * random() * random(), exp(3 + 1.2 * (random() + random() + random() - 1.5))
FROM (SELECT *, row_number() OVER () AS n FROM recsys.request_log WHERE random() < :purchases * 1.0 / :requests) AS r;
CREATE INDEX ON purchases (bought_at);
VACUUM ANALYZE recsys.request_log;
VACUUM ANALYZE recsys.event_log;
VACUUM ANALYZE purchases;
