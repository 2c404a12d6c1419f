SELECT 9007199254740993::bigint, '"é'' <€> 😀'::text, 0.1::float8, 0.25::real, 7, true, NULL::text, 12.50::numeric,
	'2024-02-29 12:34:56.789+00'::timestamptz, '2024-02-29'::date, interval '1 month 2 days 03:04:05.6', interval '-00:00:01',
	'01a2255a-d2a1-7388-911a-7692c9c6824e'::uuid, '{"a": [1, null, "é"]}'::jsonb, '\x00ff'::bytea, 'purchases_recsys'::regclass, true::recsys.switch,
	'{1,NULL,3}'::bigint[], '{1,2}'::integer[], '{"a,b",NULL,"\"q\"",""}'::text[], '{0.5,NULL}'::real[], '{0.1,NaN}'::float8[],
	ARRAY['01a2255a-d2a1-7388-911a-7692c9c6824e']::uuid[], 'NaN'::float8, '-Infinity'::float8, '-infinity'::timestamptz IS NULL
