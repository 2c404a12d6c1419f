-- What the owner of an index over items has made runs with his rights, whoever looks for items
CREATE ROLE regress_items_owner;
GRANT CREATE ON SCHEMA public TO regress_items_owner;
SET ROLE regress_items_owner;
CREATE FUNCTION items_rights_check(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_user <> 'regress_items_owner' THEN RAISE 'check runs as somebody else'; END IF;
	RETURN true;
END $$;
CREATE DOMAIN items_rights_brand AS text CHECK (items_rights_check(value));
CREATE TYPE items_rights_point AS (x integer, y integer);
CREATE FUNCTION items_rights_cast(items_rights_point) RETURNS real[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_user <> 'regress_items_owner' THEN RAISE 'cast runs as somebody else'; END IF;
	RETURN ARRAY[$1.x, $1.y]::real[];
END $$;
CREATE CAST (items_rights_point AS real[]) WITH FUNCTION items_rights_cast(items_rights_point);
CREATE TABLE items_rights (id bigint, brand items_rights_brand, place items_rights_point);
INSERT INTO items_rights SELECT i, 'brand number ' || i % 2, ROW(i, 3)::items_rights_point FROM generate_series(1, 6) AS i;
CREATE INDEX items_rights_recsys ON items_rights USING recsys_items (id, brand, place);
RESET ROLE;
SELECT recsys.check_index('items_rights_recsys');
REINDEX INDEX items_rights_recsys;
SELECT count(*) FROM items_like('{"brand": "brand number 1"}', 3, 'items_rights_recsys');
SELECT count(*) FROM items_like('{"place": "(1,2)"}', 3, 'items_rights_recsys');
SELECT current_user = session_user AS myself_again;
DROP TABLE items_rights;
DROP CAST (items_rights_point AS real[]);
DROP FUNCTION items_rights_cast;
DROP TYPE items_rights_point;
DROP DOMAIN items_rights_brand;
DROP FUNCTION items_rights_check;
REVOKE CREATE ON SCHEMA public FROM regress_items_owner;
DROP ROLE regress_items_owner;
