-- Functions in the indexes of partitions run as the owner of each partition, whoever asks, and
-- what they set does not reach the next owner's.
CREATE SCHEMA parts_rights;
CREATE ROLE regress_recsys_first;
CREATE ROLE regress_recsys_second;
GRANT USAGE, CREATE ON SCHEMA parts_rights TO regress_recsys_first, regress_recsys_second;
SET search_path = parts_rights, public;
CREATE TABLE sales (user_id int, item_id int, region int) PARTITION BY LIST (region);
CREATE TABLE sales_1 PARTITION OF sales FOR VALUES IN (1);
CREATE TABLE sales_2 PARTITION OF sales FOR VALUES IN (2);
INSERT INTO sales SELECT u, i, 1 + u % 2 FROM generate_series(1, 6) u, generate_series(1, 4) i WHERE (u + i) % 3 > 0;
-- says once a table, and a change of a setting, who runs it and what the setting is
CREATE FUNCTION parts_rights.heard(u int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN
	IF u <= 2 THEN
		IF current_setting('work_mem') <> '77MB' THEN
			RAISE NOTICE '% by %', u, current_user;
		END IF;
		PERFORM set_config('work_mem', '77MB', false);
	END IF;
	RETURN u;
END$$;
ALTER TABLE sales_1 OWNER TO regress_recsys_first;
ALTER TABLE sales_2 OWNER TO regress_recsys_second;
CREATE INDEX sales_recsys ON sales USING recsys (parts_rights.heard(user_id), item_id);
SELECT recsys.check_index('sales_recsys');
REINDEX INDEX sales_recsys;
-- a partition that brings its index is entered by the next merge
ALTER TABLE sales DETACH PARTITION sales_2;
REINDEX TABLE sales_2;
ALTER TABLE sales ATTACH PARTITION sales_2 FOR VALUES IN (2);
SELECT merged > 0 AS merged FROM recsys.merge('sales_recsys', exact => true);
SELECT current_setting('work_mem') <> '77MB' AS unchanged;
DROP TABLE sales;
RESET search_path;
DROP SCHEMA parts_rights CASCADE;
DROP ROLE regress_recsys_first, regress_recsys_second;
