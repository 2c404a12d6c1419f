/*
 * Times: columns without time zone are read in the session's zone where they meet a
 * timestamptz, as the server reads them; and nothing that lies in the future makes
 * the rest fade.
 */
CREATE TABLE visits (user_id int, item_id int, at timestamp, day date, at_tz timestamptz);
-- around both changes of the clocks in New York, every ten minutes: some times are there twice, some never
SET TimeZone = 'UTC';
INSERT INTO visits SELECT n, n % 50, t, t::date, t
FROM (SELECT row_number() OVER () AS n, t FROM (
	SELECT generate_series(timestamp '2024-03-09 18:00', '2024-03-11 12:00', '10 minutes') UNION ALL
	SELECT generate_series(timestamp '2024-11-02 18:00', '2024-11-04 12:00', '10 minutes')) s (t)) x;
CREATE INDEX visits_at ON visits USING recsys (user_id, item_id, at);
CREATE INDEX visits_day ON visits USING recsys (user_id, item_id, day);
CREATE INDEX visits_tz ON visits USING recsys (user_id, item_id, at_tz);

-- every difference is a row
CREATE FUNCTION check_since(OUT compared bigint, OUT differences bigint) LANGUAGE sql AS $$
	WITH bounds (since) AS (
		SELECT generate_series(timestamptz '2024-03-09 20:05Z', '2024-03-11 10:00Z', '25 minutes') UNION ALL
		SELECT generate_series(timestamptz '2024-11-02 20:00Z', '2024-11-04 10:00Z', '25 minutes') UNION ALL
		VALUES (timestamptz '-infinity'), ('infinity'), ('0044-03-15 BC'), ('290000-01-01')),
	counts AS (
		SELECT (SELECT count(*) FROM visits WHERE at >= since) AS a1, (SELECT coalesce(sum(users), 0) FROM popular_items(NULL, 'visits_at', since => since)) AS a2,
			   (SELECT count(*) FROM visits WHERE day >= since) AS d1, (SELECT coalesce(sum(users), 0) FROM popular_items(NULL, 'visits_day', since => since)) AS d2,
			   (SELECT count(*) FROM visits WHERE at_tz >= since) AS t1, (SELECT coalesce(sum(users), 0) FROM popular_items(NULL, 'visits_tz', since => since)) AS t2
		FROM bounds)
	SELECT count(*), count(*) FILTER (WHERE (a1, d1, t1) <> (a2, d2, t2)) FROM counts;
$$;
SELECT zone, c.*
FROM unnest('{UTC,America/New_York,Asia/Kolkata,Pacific/Kiritimati,Pacific/Pago_Pago}'::text[]) zone, set_config('TimeZone', zone, false), check_since() c;
-- rows written in another zone are the same rows
SET TimeZone = 'Asia/Tokyo';
REINDEX INDEX visits_at;
SET TimeZone = 'America/New_York';
SELECT * FROM check_since();
SELECT sum(users) FROM popular_items(NULL, 'visits_at', since => '2024-11-03 12:00');
SELECT count(*) FROM visits WHERE at >= '2024-11-03 12:00'::timestamptz;

-- holdout_since
CREATE FUNCTION held_out(columns text, since timestamptz) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM recsys.holdout(format('SELECT user_id, item_id, %s FROM visits', columns), holdout_since => since);
$$;
SELECT zone, count(*) FILTER (WHERE held_out('at', since) = (SELECT count(*) FROM visits WHERE at >= since)
	AND held_out('day', since) = (SELECT count(*) FROM visits WHERE day >= since)) AS right_ones
FROM unnest('{UTC,America/New_York,Asia/Kolkata}'::text[]) zone, set_config('TimeZone', zone, false),
	unnest('{2024-11-03 04:00Z,2024-11-03 05:00Z,2024-11-03 06:00Z,2024-11-03 12:00Z,2024-03-10 06:40Z,2024-03-10 07:20Z}'::timestamptz[]) since
GROUP BY zone ORDER BY zone;
RESET TimeZone;
DROP TABLE visits;

/*
 * The future
 */
CREATE FUNCTION shop(name text, type text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (user_id int, item_id int, quantity int, at %s)', name, type);
	EXECUTE format('INSERT INTO %I SELECT u, i, 1, timestamp ''2024-01-01'' + (u + i) * interval ''1 day'' FROM generate_series(1, 20) u, generate_series(1, 6) i', name);
	EXECUTE format('INSERT INTO %I VALUES (1, 9, 1, ''9999-12-31''), (2, 9, 1, ''infinity''), (3, 9, 1, NULL)', name);
	EXECUTE format('CREATE INDEX %I ON %I USING recsys (user_id, item_id, quantity, at) WITH (half_life = ''100 years'', training_half_life = ''100 years'', min_support = 1)', name || '_recsys', name);
END $$;
SELECT shop('far', 'timestamptz');
SELECT shop('far_wall', 'timestamp');
SELECT shop('far_day', 'date');
SELECT index_name, future_interactions FROM recsys.index_stats ORDER BY index_name;
-- the hint runs
SELECT count(*) FROM public.far WHERE at > now();
-- other interactions keep what they weigh by their age; the one in the future weighs 1
SELECT name, bool_and(score BETWEEN 2 ^ (-extract(epoch FROM now() - timestamp '2024-01-01') / 86400 / 1000) * 0.9 * users AND users) AS weighs
FROM unnest('{far,far_wall,far_day}'::text[]) name, popular_items(NULL, name || '_recsys', half_life => '1000 days')
WHERE item_id < 9 GROUP BY name ORDER BY name;
SELECT name, round(score::numeric, 6) AS score FROM unnest('{far,far_wall,far_day}'::text[]) name, popular_items(NULL, name || '_recsys', half_life => '1000 days')
WHERE item_id = 9 ORDER BY name;
SELECT name, because_item_id, weight > 0.5 AS weighs, weight <= 1 AS no_more
FROM unnest('{far,far_wall,far_day}'::text[]) name, explain_recommendation(1, 3, name || '_recsys') WHERE because_item_id IN (2, 9) ORDER BY name, because_item_id;
-- training: what is older counts less, but it counts
SELECT name, count(*) > 20 AS pairs, bool_and(score > 0.1) AS score
FROM unnest('{far,far_wall,far_day}'::text[]) name, item_similarity(name || '_recsys') s WHERE item_id < 9 AND similar_item_id < 9 GROUP BY name ORDER BY name;
-- queries and evaluations
SELECT count(*) > 20 AS pairs, bool_and(a.score - b.score BETWEEN -1e-5 AND 1e-5) AS same
FROM query_item_similarity('SELECT * FROM far WHERE item_id < 9', options => 'training_half_life = ''3 days''', min_support => 1) a
JOIN query_item_similarity('SELECT user_id, item_id, quantity, at + (date_trunc(''day'', now()) - ''2024-02-01'') FROM far', options => 'training_half_life = ''3 days''', min_support => 1) b
	USING (item_id, similar_item_id);
SELECT value > 0 AS something FROM recsys.evaluate('SELECT * FROM far', 'half_life = ''100 days'', min_support = 1', holdout_last => 2, metrics => '{ndcg}', k => '{5}');
-- one
DELETE FROM far WHERE at = 'infinity' OR at IS NULL;
INSERT INTO far VALUES (1, 1, 1, now() + interval '1 hour'), (NULL, 1, 1, '9999-12-31'), (1, NULL, 1, '9999-12-31');
DELETE FROM far WHERE at > '9000-01-01' AND user_id = 1;
REINDEX INDEX far_recsys;
-- none any more
DELETE FROM far WHERE at > now();
REINDEX INDEX far_recsys;
SELECT index_name, future_interactions FROM recsys.index_stats WHERE index_name = 'far_recsys';
-- a time that is an expression
CREATE INDEX far_expression ON far_day USING recsys (user_id, item_id, (at + 1));
-- an index without times has none in the future
CREATE INDEX far_timeless ON far_day USING recsys (user_id, item_id);
SELECT future_interactions FROM recsys.index_stats WHERE index_name = 'far_timeless';
DROP TABLE far, far_wall, far_day;
DROP FUNCTION shop, held_out, check_since;
