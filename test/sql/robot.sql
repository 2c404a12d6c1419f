-- One more row of a user with very many does not touch all of the user's items: a
-- build and every merge mark which of them count.
CREATE TABLE clicks (user_id bigint, item_id bigint, at timestamptz);
INSERT INTO clicks SELECT 1, i, '2026-01-01'::timestamptz + i * interval '1 second' FROM generate_series(1, 3000) i;
INSERT INTO clicks SELECT 2 + i % 200, 1 + (i * 37) % 3000, '2026-01-01'::timestamptz + i * interval '1 minute'
	FROM generate_series(1, 8000) i;
-- a user who is just about to have too many
INSERT INTO clicks SELECT 900, i, '2026-01-01'::timestamptz + i * interval '1 second' FROM generate_series(1, 100) i;
CREATE INDEX clicks_recsys ON clicks USING recsys (user_id, item_id, at) WITH (similarity = cosine, max_history = 100);

CREATE FUNCTION differences() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE result bigint;
BEGIN
	CREATE INDEX clicks_fresh ON clicks USING recsys (user_id, item_id, at) WITH (similarity = cosine, max_history = 100);
	SELECT count(*) INTO result FROM (
		(SELECT item_id, similar_item_id, score, support FROM item_similarity('clicks_recsys')
		 EXCEPT SELECT item_id, similar_item_id, score, support FROM item_similarity('clicks_fresh'))
		UNION ALL
		(SELECT item_id, similar_item_id, score, support FROM item_similarity('clicks_fresh')
		 EXCEPT SELECT item_id, similar_item_id, score, support FROM item_similarity('clicks_recsys'))) d;
	DROP INDEX clicks_fresh;
	RETURN result;
END $$;

INSERT INTO clicks VALUES (1, 5, '2026-02-01');
SELECT merged, recomputed <= 2 AS few, inexact FROM recsys.merge('clicks_recsys');
INSERT INTO clicks VALUES (900, 5000, '2026-02-01');
SELECT merged, recomputed <= 2 AS few, inexact FROM recsys.merge('clicks_recsys');
SELECT differences();
SELECT recsys.check_index('clicks_recsys');

-- users who have grown to it, one merge after the other
INSERT INTO clicks SELECT 901, i, '2026-01-01'::timestamptz + i * interval '1 second' FROM generate_series(1, 99) i;
SELECT merged FROM recsys.merge('clicks_recsys', exact => true);
INSERT INTO clicks VALUES (901, 100, '2026-02-01');
SELECT merged, recomputed <= 2 AS few FROM recsys.merge('clicks_recsys', exact => true);
INSERT INTO clicks VALUES (901, 101, '2026-02-02');
SELECT merged, recomputed <= 2 AS few FROM recsys.merge('clicks_recsys', exact => true);
-- and rows that go let others in
DELETE FROM clicks WHERE user_id = 1 AND item_id IN (2998, 3000) OR user_id = 901 AND item_id = 101;
VACUUM (INDEX_CLEANUP on) clicks;
SELECT recsys.merge('clicks_recsys', exact => true) IS NOT NULL AS merged;
SELECT differences();
-- the same when the build has sorted on disk
SET maintenance_work_mem = '1MB';
REINDEX INDEX clicks_recsys;
RESET maintenance_work_mem;
INSERT INTO clicks VALUES (1, 6, '2026-02-03');
SELECT merged, recomputed <= 2 AS few FROM recsys.merge('clicks_recsys');
SELECT differences();
SELECT recsys.check_index('clicks_recsys');

DROP FUNCTION differences();
DROP TABLE clicks;
