/*
 * A shop whose every text wants to break out of a page, of a role without rights; nothing is logged.
 */
CREATE EXTENSION recsys;
CREATE ROLE report_owner LOGIN;
CREATE SCHEMA "shop; --" AUTHORIZATION report_owner;
SET SESSION AUTHORIZATION report_owner;
SET search_path = "shop; --", public;

-- the same in keys, titles, categories and names of sellers
CREATE TABLE nasty (n integer, text text);
INSERT INTO nasty VALUES
	(0, '<script>hacked("script")</script>'), (1, '"><img src=x onerror=hacked("img")>'), (2, '</script><script>hacked("end")</script>'),
	(3, '{{constructor.constructor("hacked(1)")()}}'), (4, E'it''s "quoted" \\ back\\slash'), (5, E'line\u2028separator\u2029and\nnew\ttab'),
	(6, '<!-- --> ]]> &amp; &lt;'), (7, '__proto__'), (8, 'constructor'), (9, '🦊 Füchse 狐 الثعلب'), (10, 'javascript:hacked("link")'), (11, '#product=1&x=%zz'),
	(12, 'hasOwnProperty'), (13, repeat('long ', 2000)), (14, 'unbroken' || repeat('x', 400)), (15, ' '), (16, '$& $1 $$'), (17, '<svg onload=hacked("svg")>');
CREATE TABLE things (thing text PRIMARY KEY, title text, category text, seller text, price numeric, picture bytea);
INSERT INTO things SELECT left(text, 200) || CASE WHEN n < 18 THEN '' ELSE n::text END, text, text, text, 10 + n, convert_to(text, 'UTF8') FROM nasty;
INSERT INTO things SELECT 'plain ' || g, NULL, NULL, NULL, NULL, NULL FROM generate_series(1, 20) g;
CREATE TABLE "sell""ers" (seller text PRIMARY KEY, name text);
INSERT INTO "sell""ers" SELECT text, text FROM nasty;
CREATE TABLE visitors (visitor text PRIMARY KEY, land text);
CREATE TABLE buys (visitor text, thing text, at timestamptz);
INSERT INTO visitors SELECT left(text, 100) || ' ' || g, text FROM nasty, generate_series(1, 5) g;
INSERT INTO buys SELECT v.visitor, t.thing, now() - interval '1 hour' * (1 + abs(hashtext(v.visitor || t.thing)) % 2000)
FROM visitors v, things t WHERE abs(hashtext(v.visitor || t.thing)) % 4 = 0;
-- a title that wants to be asked for by a superuser
CREATE FUNCTION spy(title text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN CASE WHEN current_setting('is_superuser') = 'on' THEN 'caught a superuser' ELSE title END;
END $$;
CREATE INDEX "buys <b>recsys</b>" ON buys USING recsys (visitor, thing, (1::real), at) WITH (similarity = cosine, min_support = 1);
SELECT recsys.create_recommender('nasty',
	signals => '[{"events": "\"buys <b>recsys</b>\"", "name": "<script>hacked(\"signal\")</script>", "price": "10"}]',
	items => 'things', item_key => 'thing', title => 'spy(title)', category => 'category', seller => 'seller', price => 'price',
	sellers => '"sell""ers"', seller_key => 'seller',
	profiles => 'visitors', profile_key => 'visitor', segment => 'land', reason_formats => '{"history": "<img src=x onerror=hacked(\"reason\")> {item}"}');
SELECT recsys.refresh_recommender('nasty');
RESET SESSION AUTHORIZATION;
-- streams with such names, and with what was said of them
INSERT INTO recsys.stream (name, owner, definition, state, version, message, message_at)
SELECT left(text, 60), 'report_owner', jsonb_build_object('topic', text, 'target', text, 'brokers', text), (ARRAY['running', 'paused', 'failed'])[1 + n % 3], n, text, now() FROM "shop; --".nasty WHERE n <> 13;
INSERT INTO recsys.stream_partition (stream, topic, partition, next_offset, high_watermark, last_timestamp, messages, rows, rejected, consumer, seen_at, message, message_at)
SELECT name, definition->>'topic', 0, 1000, 1234, 0, 1000, 999, 1, message, now() + interval '1 day', message, now() FROM recsys.stream;
