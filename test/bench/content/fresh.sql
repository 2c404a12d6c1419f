/*
 * How long until a product that comes in is where it should be.  Four hundred niches of five products
 * each, which one person has bought all of; a probe lists a sixth product of a niche, and asks
 * for its neighbors, for those of an old one, and for that person's list until it is there.
 */
CREATE TABLE niches AS
SELECT k, array_agg((sin(k * 131.7 + d * d * 0.37 + d) * 100)::real ORDER BY d) AS embedding
FROM generate_series(1, 400) k, generate_series(1, 128) d GROUP BY k;
CREATE FUNCTION niche_product(k integer, item bigint) RETURNS products LANGUAGE sql STABLE AS $$
	SELECT item, 'niche ' || k, 'maker ' || k, ARRAY['n' || k, 'o' || k], format('niche%s thing%s word%s', k, k, item % 100), 10 + k / 10.0, embedding
	FROM niches n WHERE n.k = niche_product.k $$;
INSERT INTO products SELECT p.* FROM generate_series(1, 400) k, generate_series(1, 5) j, niche_product(k, 500000000 + k * 10 + j) p;
INSERT INTO purchases SELECT 500000000 + k, 500000000 + k * 10 + j FROM generate_series(1, 400) k, generate_series(1, 5) j;

CREATE TABLE probes (neighbors boolean, neighbor boolean, first_seconds float8, seconds float8);
CREATE SEQUENCE probe_n;
CREATE PROCEDURE probe() LANGUAGE plpgsql AS $$
DECLARE
	n bigint := nextval('probe_n');
	k integer := n % 400 + 1;
	item bigint := 600000000 + n;
	old bigint := 500000000 + k * 10 + 1 + n % 5;
	began timestamptz;
	found boolean[];
	first_seconds float8;
	shown boolean := false;
BEGIN
	INSERT INTO products SELECT * FROM niche_product(k, item);
	COMMIT;
	began := clock_timestamp();
	found[1] := EXISTS (SELECT FROM similar_items(item, 10, 'products_recsys') WHERE item_id / 10 = old / 10);
	found[2] := EXISTS (SELECT FROM similar_items(old, 10, 'products_recsys') WHERE item_id = item);
	COMMIT;
	first_seconds := extract(epoch FROM clock_timestamp() - began);
	-- as long as nobody could wait
	WHILE clock_timestamp() < began + interval '20 s' LOOP
		SELECT count(*) > 0 INTO shown FROM recommend(500000000 + k, 10, 'home') WHERE item_id = item;
		EXIT WHEN shown;
		COMMIT;
		PERFORM pg_sleep(0.05);
	END LOOP;
	INSERT INTO probes VALUES (found[1], found[2], first_seconds, extract(epoch FROM clock_timestamp() - began));
	COMMIT;
END $$;
