-- What stream.sh watches with.  position: how far the stream is, whoever reads it.
CREATE TABLE trace (at timestamptz NOT NULL, position bigint NOT NULL);

-- Notes every change of the stream's position until it is where it is to be.
CREATE PROCEDURE follow(wanted bigint) LANGUAGE plpgsql AS $$
DECLARE
	last bigint := 0;
	now bigint;
BEGIN
	LOOP
		SELECT coalesce(sum(next_offset), 0) INTO now FROM recsys.stream_partition;
		IF now > last THEN
			INSERT INTO trace VALUES (clock_timestamp(), now);
			last := now;
		END IF;
		COMMIT;
		EXIT WHEN now >= wanted;
		PERFORM pg_sleep(0.02);
	END LOOP;
END $$;

-- Waits until nothing is pending.
CREATE PROCEDURE await_merge() LANGUAGE plpgsql AS $$
BEGIN
	WHILE (SELECT pending > 0 FROM recsys.index_stats WHERE index_name = 'views_recsys') LOOP
		COMMIT;
		PERFORM pg_sleep(0.1);
	END LOOP;
END $$;

-- The rows that are there before, and those that come, twice: for COPY, and as events
CREATE TABLE base (user_id bigint NOT NULL, product_id bigint NOT NULL, viewed_at timestamptz NOT NULL, event text NOT NULL);

-- Without merging, inserts do not merge either: the limit is out of reach.
CREATE PROCEDURE new_views(indexed boolean, merging boolean DEFAULT true) LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS views;
	CREATE TABLE views (LIKE base);
	IF indexed THEN
		INSERT INTO views SELECT * FROM base;
		CREATE INDEX views_recsys ON views USING recsys (user_id, product_id, viewed_at) WITH (similarity = cosine);
		IF NOT merging THEN
			ALTER INDEX views_recsys SET (pending_limit = 2000000);
		END IF;
	END IF;
END $$;

CREATE PROCEDURE new_stream(brokers text, topic text, jobs integer, merging boolean DEFAULT true) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM recsys.drop_stream(s.stream) FROM recsys.streams s;
	TRUNCATE trace;
	PERFORM recsys.create_stream('views', brokers => brokers, topic => topic, target => 'views', jobs => jobs,
		merge_interval => CASE WHEN merging THEN '5 s' ELSE '0' END::interval, max_pending => 100000000,
		columns => '{"user_id": "user.id", "product_id": "item", "viewed_at": "ts", "event": "type"}');
END $$;
