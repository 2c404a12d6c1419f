/*
 * Nothing but an index, with uuid keys; and a log of which no purchases are known.
 */
CREATE EXTENSION recsys;
CREATE TABLE plays (listener uuid, song uuid);
INSERT INTO plays SELECT md5('listener ' || l)::uuid, md5('song ' || s)::uuid
FROM generate_series(1, 60) l, generate_series(1, 40) s WHERE abs(hashint4(l * 1000 + s)) % 5 = 0;
CREATE INDEX plays_recsys ON plays USING recsys (listener, song) WITH (similarity = cosine, min_support = 1);
SELECT count(recsys.log_impressions('plays_recsys', ARRAY[md5('song ' || n % 40)::uuid, md5('song ' || n % 7)::uuid], md5('listener ' || n % 60)::uuid,
	request_time => now() - n * interval '1 hour')) FROM generate_series(1, 300) n;

-- purchases are known of the lists of one experiment only: listeners 1 to 10 were shown a song of which
-- half of them bought a copy
CREATE TABLE copies (listener uuid, song uuid, bought_at timestamptz, price numeric);
INSERT INTO copies SELECT md5('listener ' || l)::uuid, md5('song ' || s)::uuid, now() - interval '30 days', 10
FROM generate_series(1, 60) l, generate_series(1, 40) s WHERE abs(hashint4(l * 77 + s)) % 7 = 0;
CREATE INDEX copies_recsys ON copies USING recsys (listener, song, (1::real), bought_at) WITH (similarity = cosine, min_support = 1);
SELECT recsys.create_experiment('trial', variants => '{"control": "plays_recsys", "copies": "copies_recsys"}', purchases => 'copies_recsys');
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, policy, item_ids)
SELECT md5('request ' || n)::uuid, date_trunc('day', now(), 'UTC') - interval '12 hours', md5('listener ' || n)::uuid::text, 'public.plays_recsys', 'trial', 'control', 'hash',
	   ARRAY[md5('song 1')::uuid::text, md5('song 2')::uuid::text] FROM generate_series(1, 10) n;
INSERT INTO copies SELECT md5('listener ' || n)::uuid, md5('song 1')::uuid, date_trunc('day', now(), 'UTC') - interval '11 hours', 10 FROM generate_series(1, 5) n;
-- and one that shows both lists as one: all click on the first of what the second one has brought
SELECT recsys.create_experiment('both', variants => '{"control": "plays_recsys", "copies": "copies_recsys"}', interleave => true);
SELECT count(*) FROM generate_series(11, 60) n, recommend(md5('listener ' || n)::uuid, 6, 'both', item_type => NULL::uuid, log => true) l;
SELECT count(recsys.log_click(request_id, item_ids[array_position(arms, 'copies')])) FROM recsys.request_log WHERE experiment = 'both';
SELECT recsys.refresh_metrics();
