/*
 * Olist's lines know their order, the order its customer, the customer who it is.
 * Three ways to an index over (customer, product): how long each takes to make, what it adds to
 * an insert, and when a line counts.  The last one stays.
 */
-- people, not the customer of one order each
CREATE TABLE buyers AS SELECT DISTINCT ON (customer_unique_id) customer_unique_id, customer_city, customer_state
FROM customers ORDER BY customer_unique_id, customer_id;
ALTER TABLE buyers ADD PRIMARY KEY (customer_unique_id);
CREATE TABLE ways (way text, making timestamptz DEFAULT clock_timestamp(), made timestamptz, taking timestamptz, taken timestamptz,
	at_once bigint, refreshed timestamptz, moved bigint);

-- a thousand lines that come in, each in a transaction of its own
CREATE TABLE coming AS SELECT row_number() OVER (ORDER BY order_id, order_item_id) AS n, i.* FROM later_items i ORDER BY order_id, order_item_id LIMIT 1000;
ALTER TABLE coming ADD PRIMARY KEY (n);
CREATE PROCEDURE take_orders(way text) LANGUAGE plpgsql AS $$
BEGIN
	UPDATE ways w SET made = coalesce(made, clock_timestamp()) WHERE w.way = take_orders.way;
	COMMIT;
	UPDATE ways w SET taking = clock_timestamp() WHERE w.way = take_orders.way;
	COMMIT;
	FOR line IN 1..1000 LOOP
		INSERT INTO order_items (order_id, order_item_id, product_id, seller_id, shipping_limit_date, price, freight_value)
		SELECT order_id, order_item_id, product_id, seller_id, shipping_limit_date, price, freight_value FROM coming WHERE n = line;
		COMMIT;
	END LOOP;
	UPDATE ways w SET taken = clock_timestamp() WHERE w.way = take_orders.way;
END $$;
CREATE PROCEDURE give_back() LANGUAGE sql AS
	'DELETE FROM order_items i USING coming c WHERE (i.order_id, i.order_item_id) = (c.order_id, c.order_item_id)';
-- who a line of theirs belongs to
CREATE VIEW coming_customers AS
SELECT n, order_id, product_id, customer_unique_id AS customer FROM coming JOIN orders USING (order_id) JOIN customers USING (customer_id);
-- the first order changes hands, and goes back
CREATE TABLE hands AS SELECT order_id, customer_id AS old, (SELECT max(customer_id) FROM customers) AS new
FROM orders WHERE order_id = (SELECT order_id FROM coming WHERE n = 1);
CREATE PROCEDURE move_order(there boolean) LANGUAGE sql AS
	'UPDATE orders o SET customer_id = CASE WHEN there THEN new ELSE old END FROM hands h WHERE h.order_id = o.order_id';
SET enable_seqscan = off;	-- the index is asked, not the table

-- no index of ours, to compare with
INSERT INTO ways VALUES ('none');
CALL take_orders('none');
CALL give_back();
VACUUM order_items;

/*
 * An index expression: a function that looks the customer up.  To call it immutable is a
 * promise: an order does not change hands, and is there before its lines.
 */
INSERT INTO ways VALUES ('index expression');
CREATE FUNCTION customer_of(order_id text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT SET search_path = pg_catalog AS
	'SELECT c.customer_unique_id FROM public.orders o JOIN public.customers c USING (customer_id) WHERE o.order_id = $1';
CREATE INDEX way_recsys ON order_items USING recsys (customer_of(order_id), product_id);
CALL take_orders('index expression');
UPDATE ways SET at_once = (SELECT count(*) FROM coming_customers c
	WHERE EXISTS (SELECT FROM order_items i WHERE customer_of(i.order_id) = c.customer AND i.product_id = c.product_id))
WHERE way = 'index expression';
CALL move_order(true);
UPDATE ways SET moved = (SELECT count(*) FROM order_items i JOIN coming_customers c ON customer_of(i.order_id) = c.customer WHERE c.n = 1)
WHERE way = 'index expression';
CALL move_order(false);
DROP INDEX way_recsys;
CALL give_back();
VACUUM order_items;

/*
 * A materialized view, or a table that a job fills.  REFRESH … CONCURRENTLY writes the
 * differences alone, so the index takes in what is new and is not built again.
 */
INSERT INTO ways VALUES ('materialized view');
CREATE MATERIALIZED VIEW bought AS
SELECT i.order_id, i.order_item_id, c.customer_unique_id AS customer_id, i.product_id, o.order_purchase_timestamp AS ordered_at
FROM order_items i JOIN orders o USING (order_id) JOIN customers c USING (customer_id);
CREATE UNIQUE INDEX ON bought (order_id, order_item_id);
CREATE INDEX way_recsys ON bought USING recsys (customer_id, product_id, (1), ordered_at);
CALL take_orders('materialized view');
UPDATE ways SET at_once = (SELECT count(*) FROM coming_customers c
	WHERE EXISTS (SELECT FROM bought b WHERE b.customer_id = c.customer AND b.product_id = c.product_id))
WHERE way = 'materialized view';
UPDATE ways SET taken = taken + (clock_timestamp() - taken), taking = taking + (clock_timestamp() - taken) WHERE way = 'materialized view';
REFRESH MATERIALIZED VIEW CONCURRENTLY bought;
UPDATE ways SET refreshed = clock_timestamp() WHERE way = 'materialized view';
CALL move_order(true);
REFRESH MATERIALIZED VIEW CONCURRENTLY bought;
UPDATE ways SET moved = (SELECT count(*) FROM bought b JOIN coming_customers c ON b.customer_id = c.customer WHERE c.n = 1)
WHERE way = 'materialized view';
CALL move_order(false);
DROP MATERIALIZED VIEW bought;
CALL give_back();
VACUUM order_items;

/*
 * A column of the line, kept by triggers: by the line's when it comes in, by the order's if it
 * changes hands.
 */
INSERT INTO ways VALUES ('column and triggers');
ALTER TABLE order_items ADD customer_id text, ADD ordered_at timestamp;
UPDATE order_items i SET customer_id = c.customer_unique_id, ordered_at = o.order_purchase_timestamp
FROM orders o JOIN customers c USING (customer_id) WHERE o.order_id = i.order_id;
CREATE FUNCTION line_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	SELECT c.customer_unique_id, o.order_purchase_timestamp INTO NEW.customer_id, NEW.ordered_at
	FROM orders o JOIN customers c USING (customer_id) WHERE o.order_id = NEW.order_id;
	RETURN NEW;
END $$;
CREATE TRIGGER line_customer BEFORE INSERT OR UPDATE OF order_id ON order_items FOR EACH ROW EXECUTE FUNCTION line_customer();
CREATE FUNCTION order_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE order_items i SET customer_id = c.customer_unique_id, ordered_at = NEW.order_purchase_timestamp
	FROM customers c WHERE i.order_id = NEW.order_id AND c.customer_id = NEW.customer_id;
	RETURN NULL;
END $$;
CREATE TRIGGER order_customer AFTER UPDATE OF customer_id, order_purchase_timestamp ON orders FOR EACH ROW EXECUTE FUNCTION order_customer();
CREATE INDEX way_recsys ON order_items USING recsys (customer_id, product_id, (1), ordered_at);
CALL take_orders('column and triggers');
UPDATE ways SET at_once = (SELECT count(*) FROM coming_customers c
	WHERE EXISTS (SELECT FROM order_items i WHERE i.customer_id = c.customer AND i.product_id = c.product_id))
WHERE way = 'column and triggers';
CALL move_order(true);
UPDATE ways SET moved = (SELECT count(*) FROM order_items i JOIN coming_customers c ON i.customer_id = c.customer WHERE c.n = 1)
WHERE way = 'column and triggers';
CALL move_order(false);
DROP INDEX way_recsys;
CALL give_back();

SELECT way, round(1000 * extract(epoch FROM made - making)) AS "made in, ms", round(extract(epoch FROM taken - taking), 2) AS "an insert, ms",
	   CASE way WHEN 'none' THEN '' ELSE at_once || ' of 1000' END AS "lines that count at once",
	   round(1000 * extract(epoch FROM refreshed - taken)) AS "refreshed in, ms",
	   CASE WHEN moved > 0 THEN 'follows' WHEN moved = 0 THEN 'is not noticed' END AS "an order that changes hands"
FROM ways ORDER BY making;

-- the lines held out get the columns as they are inserted; the update has left half of the table empty
VACUUM FULL ANALYZE order_items;
RESET enable_seqscan;
DROP TABLE hands, ways CASCADE;
