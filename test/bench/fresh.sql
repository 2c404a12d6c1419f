-- How long until an insert shows in similar_items.  Two kinds of probe, both with two
-- users that nobody has seen: they take an item and a new one, which is to become its
-- neighbor; or both items of a pair that the graph has already, whose support is to grow.
CREATE TABLE probes (kind text NOT NULL, seconds double precision NOT NULL);
CREATE SEQUENCE new_keys START 1000000000;
CREATE PROCEDURE probe(item bigint) LANGUAGE plpgsql AS $$
DECLARE
	users bigint[] := ARRAY[nextval('new_keys'), nextval('new_keys')];
	kind text := 'new item';
	other bigint := nextval('new_keys');
	known bigint := 0;
	began timestamptz;
	shown bigint;
BEGIN
	IF random() < 0.5 THEN
		SELECT 'known pair', item_id, support INTO kind, other, known
		FROM similar_items(probe.item, 5, 'pairs_recsys') ORDER BY random() LIMIT 1;
		IF other IS NULL THEN
			RETURN;
		END IF;
	END IF;
	INSERT INTO pairs SELECT u, i FROM unnest(users) u, unnest(ARRAY[probe.item, other]) i;
	COMMIT;
	began := clock_timestamp();
	LOOP
		SELECT max(support) INTO shown
		FROM similar_items(CASE kind WHEN 'new item' THEN other ELSE probe.item END, 500, 'pairs_recsys')
		WHERE item_id = CASE kind WHEN 'new item' THEN probe.item ELSE other END;
		EXIT WHEN shown >= known + 2;
		-- a neighbor that others have displaced meanwhile proves nothing
		EXIT WHEN shown IS NULL AND kind = 'known pair';
		COMMIT;
		PERFORM pg_sleep(0.05);
	END LOOP;
	IF shown IS NOT NULL THEN
		INSERT INTO probes VALUES (kind, extract(epoch FROM clock_timestamp() - began));
	END IF;
	COMMIT;
END $$;
