-- What is content's name now is another index, or none; and whose code runs when values are read.
SET client_min_messages = warning;
CREATE SCHEMA replaced;
SET search_path = replaced, public;
CREATE TABLE products (id bigint PRIMARY KEY, category text, price numeric, seller int);
INSERT INTO products SELECT p, 'c' || p % 5, 1 + p % 9, p % 3 FROM generate_series(1, 60) p;
CREATE TABLE others (LIKE products INCLUDING ALL);
INSERT INTO others SELECT * FROM products;
CREATE TABLE buys (u bigint, i bigint);
INSERT INTO buys SELECT u, 1 + (u * 7 + k * k) % 50 FROM generate_series(1, 80) u, generate_series(1, 4) k;
CREATE INDEX buys_recsys ON buys USING recsys (u, i) WITH (min_support = 1);
CREATE INDEX products_recsys ON products USING recsys_items (id, category text_label_ops, price);
SELECT recsys.create_recommender('replaced', '[{"events": "buys_recsys"}]', items => 'products', item_key => 'id', seller => 'seller', price => 'price', content => 'products_recsys');
CREATE FUNCTION all_say() RETURNS TABLE (asked text, answer text) LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
	FOREACH asked IN ARRAY ARRAY['recommend(1, 3, ''replaced'')', 'similar_items(1, 3, ''replaced'')', 'recsys.refresh_recommender(''replaced'')',
		'recsys.duplicate_items(''replaced'', identifying => ''{price}'')', 'recsys.suspicious_items(''replaced'')'] LOOP
		BEGIN
			EXECUTE 'SELECT count(*) FROM ' || asked INTO answer;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
			answer := SQLERRM || ' ' || hint;
		END;
		RETURN NEXT;
	END LOOP;
	asked := 'problem';
	SELECT problem INTO answer FROM recsys.recommenders WHERE name = 'replaced';
	RETURN NEXT;
END $$;
SELECT count(*) FROM recommend(1, 3, 'replaced');
DROP INDEX products_recsys;
SELECT * FROM all_say();
CREATE INDEX products_recsys ON others USING recsys_items (id, category text_label_ops, price);
SELECT * FROM all_say();
DROP INDEX products_recsys;
CREATE INDEX products_recsys ON products USING recsys_items ((id + 1), category text_label_ops, price);
SELECT * FROM all_say();
DROP INDEX products_recsys;
CREATE INDEX products_recsys ON products USING recsys_items (id, category text_label_ops, price);
SELECT count(*) FROM recommend(1, 3, 'replaced');
SELECT recsys.drop_recommender('replaced');

-- the constraint of a domain and a cast run as the table's owner, whoever asks
CREATE ROLE replaced_owner;
GRANT ALL ON SCHEMA replaced TO replaced_owner;
SET ROLE replaced_owner;
CREATE FUNCTION tells(value text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
	IF current_user <> 'replaced_owner' THEN RAISE 'constraint runs as %', current_user; END IF;
	RETURN true;
END $$;
CREATE DOMAIN title AS text CHECK (replaced.tells(value));
CREATE TYPE spot AS (x real, y real);
CREATE FUNCTION as_vector(spot) RETURNS real[] LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
	IF current_user <> 'replaced_owner' THEN RAISE 'cast runs as %', current_user; END IF;
	RETURN ARRAY[$1.x, $1.y];
END $$;
CREATE CAST (spot AS real[]) WITH FUNCTION as_vector(spot);
CREATE TABLE owned (id bigint, name title, place spot);
INSERT INTO owned VALUES (1, 'oak lamp', '(1,2)'), (2, 'red shoe', '(2,1)');
CREATE INDEX owned_recsys ON owned USING recsys_items (id, name, place any_ops);
RESET ROLE;
SELECT * FROM items_like('{"name": "lamp", "place": "(1,2)"}', 1, 'owned_recsys');
SELECT * FROM items_like('{"place": "(1,2"}', 1, 'owned_recsys');
SELECT current_user = session_user AS own_again;

DROP SCHEMA replaced CASCADE;
DROP ROLE replaced_owner;
