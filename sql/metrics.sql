/*
 * Metrics of the business
 *
 * Days of the log, in UTC, are computed once into tables and again as long as orders may still be
 * attributed to their requests: src/api/metrics/refreshing.c.  The views add what is divided, and
 * show what you may see.  Columns of views are only ever appended, and mean what they mean for good.
 */

CREATE TABLE recsys.metrics_day (
	day date PRIMARY KEY,
	refreshed_at timestamptz NOT NULL,
	is_final boolean NOT NULL);
ALTER TABLE recsys.metrics_day OWNER TO @extowner@;
COMMENT ON TABLE recsys.metrics_day IS 'days of the log that the tables daily_... and hourly_... have';
COMMENT ON COLUMN recsys.metrics_day.day IS 'day in UTC';
COMMENT ON COLUMN recsys.metrics_day.refreshed_at IS 'as of when it has been computed';
COMMENT ON COLUMN recsys.metrics_day.is_final IS 'the attribution window of all of its requests had passed: it is not computed again';
SELECT pg_catalog.pg_extension_config_dump('recsys.metrics_day', '');

CREATE TABLE recsys.daily_request (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	segment text,
	requests bigint NOT NULL,
	impressions bigint NOT NULL,
	users bigint NOT NULL,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	orders numeric,
	revenue numeric,
	clicked_requests bigint NOT NULL,
	ordered_requests bigint,
	ordered_users bigint);
ALTER TABLE recsys.daily_request OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_request IS 'rows of recsys.metrics_daily';
COMMENT ON COLUMN recsys.daily_request.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_request.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_request.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_request.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_request.segment IS 'segment of the user, as the experiment has it';
COMMENT ON COLUMN recsys.daily_request.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.daily_request.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.daily_request.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.daily_request.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.daily_request.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.daily_request.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.daily_request.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.daily_request.clicked_requests IS 'requests with a click';
COMMENT ON COLUMN recsys.daily_request.ordered_requests IS 'requests that an order is attributed to';
COMMENT ON COLUMN recsys.daily_request.ordered_users IS 'users that an order is attributed to';
CREATE INDEX ON recsys.daily_request (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_request', '');
-- no key: a publication of all tables would not let rows be deleted
ALTER TABLE recsys.daily_request REPLICA IDENTITY FULL;

CREATE TABLE recsys.daily_position (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	position integer NOT NULL,
	impressions bigint NOT NULL,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	orders numeric,
	revenue numeric);
ALTER TABLE recsys.daily_position OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_position IS 'rows of recsys.metrics_positions_daily';
COMMENT ON COLUMN recsys.daily_position.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_position.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_position.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_position.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_position.position IS 'place in the list, from 1';
COMMENT ON COLUMN recsys.daily_position.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.daily_position.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.daily_position.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.daily_position.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.daily_position.revenue IS 'their amounts; NULL: these are not declared';
CREATE INDEX ON recsys.daily_position (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_position', '');
ALTER TABLE recsys.daily_position REPLICA IDENTITY FULL;

CREATE TABLE recsys.daily_item (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	item_id text NOT NULL,
	impressions bigint NOT NULL,
	exposure double precision NOT NULL,
	expected_clicks double precision NOT NULL,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	orders numeric,
	revenue numeric,
	category text,
	seller text,
	is_new boolean,
	is_new_seller boolean,
	user_share double precision,
	popularity double precision);
ALTER TABLE recsys.daily_item OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_item IS 'rows of recsys.metrics_items_daily';
COMMENT ON COLUMN recsys.daily_item.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_item.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_item.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_item.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_item.item_id IS 'key of the item';
COMMENT ON COLUMN recsys.daily_item.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.daily_item.exposure IS 'impressions, each as far as its place is looked at: 1 / log2(1 + position)';
COMMENT ON COLUMN recsys.daily_item.expected_clicks IS 'clicks that any item would have got at these places: the day''s click rates of the places, added up';
COMMENT ON COLUMN recsys.daily_item.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.daily_item.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.daily_item.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.daily_item.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.daily_item.category IS 'category of the item, as the recommender declares it; NULL: not declared, or not known';
COMMENT ON COLUMN recsys.daily_item.seller IS 'likewise its seller';
COMMENT ON COLUMN recsys.daily_item.is_new IS 'likewise, by new_item_since';
COMMENT ON COLUMN recsys.daily_item.is_new_seller IS 'likewise of its seller, by new_seller_since';
COMMENT ON COLUMN recsys.daily_item.user_share IS 'share of the users of the first signal that have the item, of nobody as of one; NULL: not known';
COMMENT ON COLUMN recsys.daily_item.popularity IS 'share of the other items that fewer users have: 1 is the most popular one, 0 the least';
CREATE INDEX ON recsys.daily_item (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_item', '');
ALTER TABLE recsys.daily_item REPLICA IDENTITY FULL;

CREATE TABLE recsys.daily_catalogue (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	requests bigint NOT NULL,
	impressions bigint NOT NULL,
	users bigint NOT NULL,
	items_shown bigint NOT NULL,
	catalogue_items bigint,
	gini double precision,
	herfindahl double precision,
	categories_per_list double precision,
	novelty double precision,
	popularity_shown double precision,
	popularity_clicked double precision,
	popularity_ordered double precision,
	new_items_shown double precision,
	new_items_clicked double precision,
	new_items_ordered double precision,
	new_sellers_shown double precision,
	new_sellers_clicked double precision,
	new_sellers_ordered double precision,
	sellers_shown bigint,
	catalogue_sellers bigint,
	seller_gini double precision,
	repeated_impressions bigint NOT NULL);
ALTER TABLE recsys.daily_catalogue OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_catalogue IS 'rows of recsys.metrics_catalogue_daily';
COMMENT ON COLUMN recsys.daily_catalogue.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_catalogue.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_catalogue.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_catalogue.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_catalogue.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.daily_catalogue.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.daily_catalogue.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.daily_catalogue.items_shown IS 'different items shown';
COMMENT ON COLUMN recsys.daily_catalogue.catalogue_items IS 'items that may be shown, and those that were; NULL: not known';
COMMENT ON COLUMN recsys.daily_catalogue.gini IS 'how unequally impressions are spread over them, 0 to 1; over the items shown where the catalogue is not known';
COMMENT ON COLUMN recsys.daily_catalogue.herfindahl IS 'sum of the squares of the items'' shares of impressions';
COMMENT ON COLUMN recsys.daily_catalogue.categories_per_list IS 'mean number of different categories of a list, of lists with any';
COMMENT ON COLUMN recsys.daily_catalogue.novelty IS 'mean over impressions of -log2(share of users that have the item)';
COMMENT ON COLUMN recsys.daily_catalogue.popularity_shown IS 'mean popularity of what was shown';
COMMENT ON COLUMN recsys.daily_catalogue.popularity_clicked IS 'mean popularity of what was clicked';
COMMENT ON COLUMN recsys.daily_catalogue.popularity_ordered IS 'mean popularity of what was bought';
COMMENT ON COLUMN recsys.daily_catalogue.new_items_shown IS 'share of new items in what was shown';
COMMENT ON COLUMN recsys.daily_catalogue.new_items_clicked IS 'share of new items in what was clicked';
COMMENT ON COLUMN recsys.daily_catalogue.new_items_ordered IS 'share of new items in what was bought';
COMMENT ON COLUMN recsys.daily_catalogue.new_sellers_shown IS 'share of new sellers'' items in what was shown';
COMMENT ON COLUMN recsys.daily_catalogue.new_sellers_clicked IS 'share of new sellers'' items in what was clicked';
COMMENT ON COLUMN recsys.daily_catalogue.new_sellers_ordered IS 'share of new sellers'' items in what was bought';
COMMENT ON COLUMN recsys.daily_catalogue.sellers_shown IS 'different sellers shown; NULL: no seller is known';
COMMENT ON COLUMN recsys.daily_catalogue.catalogue_sellers IS 'sellers of items that may be shown, and of those that were';
COMMENT ON COLUMN recsys.daily_catalogue.seller_gini IS 'how unequally exposure is spread over them, 0 to 1';
COMMENT ON COLUMN recsys.daily_catalogue.repeated_impressions IS 'impressions of an item that the same user was shown before that day, and did not take all day';
CREATE INDEX ON recsys.daily_catalogue (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_catalogue', '');
ALTER TABLE recsys.daily_catalogue REPLICA IDENTITY FULL;

CREATE TABLE recsys.daily_seller (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	seller text NOT NULL,
	is_new boolean,
	items_shown bigint NOT NULL,
	impressions bigint NOT NULL,
	exposure double precision NOT NULL,
	exposure_share double precision,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	orders numeric,
	revenue numeric);
ALTER TABLE recsys.daily_seller OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_seller IS 'rows of recsys.metrics_sellers_daily';
COMMENT ON COLUMN recsys.daily_seller.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_seller.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_seller.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_seller.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_seller.seller IS 'seller, as the recommender declares it';
COMMENT ON COLUMN recsys.daily_seller.is_new IS 'whether it is new, by new_seller_since; NULL: not declared';
COMMENT ON COLUMN recsys.daily_seller.items_shown IS 'different items of it shown';
COMMENT ON COLUMN recsys.daily_seller.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.daily_seller.exposure IS 'impressions, each as far as its place is looked at: 1 / log2(1 + position)';
COMMENT ON COLUMN recsys.daily_seller.exposure_share IS 'share of that in the exposure of all sellers';
COMMENT ON COLUMN recsys.daily_seller.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.daily_seller.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.daily_seller.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.daily_seller.revenue IS 'their amounts; NULL: these are not declared';
CREATE INDEX ON recsys.daily_seller (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_seller', '');
ALTER TABLE recsys.daily_seller REPLICA IDENTITY FULL;

CREATE TABLE recsys.daily_latency (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	requests bigint NOT NULL,
	mean_ms double precision,
	p50_ms double precision,
	p95_ms double precision,
	p99_ms double precision,
	max_ms double precision);
ALTER TABLE recsys.daily_latency OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_latency IS 'rows of recsys.metrics_latency_daily';
COMMENT ON COLUMN recsys.daily_latency.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_latency.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_latency.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_latency.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_latency.requests IS 'requests whose latency is known';
COMMENT ON COLUMN recsys.daily_latency.mean_ms IS 'mean milliseconds to make a list';
COMMENT ON COLUMN recsys.daily_latency.p50_ms IS 'median, exact';
COMMENT ON COLUMN recsys.daily_latency.p95_ms IS 'so many milliseconds or fewer in 95 of 100 requests, exact';
COMMENT ON COLUMN recsys.daily_latency.p99_ms IS 'likewise in 99 of 100';
COMMENT ON COLUMN recsys.daily_latency.max_ms IS 'the most';
CREATE INDEX ON recsys.daily_latency (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_latency', '');
ALTER TABLE recsys.daily_latency REPLICA IDENTITY FULL;

CREATE TABLE recsys.hourly_request (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	requests bigint NOT NULL,
	impressions bigint NOT NULL,
	users bigint NOT NULL,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	orders numeric,
	revenue numeric);
ALTER TABLE recsys.hourly_request OWNER TO @extowner@;
COMMENT ON TABLE recsys.hourly_request IS 'rows of recsys.metrics_hourly';
COMMENT ON COLUMN recsys.hourly_request.time IS 'the hour of the requests: its beginning';
COMMENT ON COLUMN recsys.hourly_request.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.hourly_request.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.hourly_request.variant IS 'its variant';
COMMENT ON COLUMN recsys.hourly_request.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.hourly_request.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.hourly_request.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.hourly_request.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.hourly_request.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.hourly_request.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.hourly_request.revenue IS 'their amounts; NULL: these are not declared';
CREATE INDEX ON recsys.hourly_request (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.hourly_request', '');
ALTER TABLE recsys.hourly_request REPLICA IDENTITY FULL;

CREATE FUNCTION recsys.refresh_metrics(since date DEFAULT NULL)
RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_refresh_metrics' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.refresh_metrics(date) IS 'brings the metrics up to date: today, days to whose requests orders may still be attributed, and all from since on; returns how many days were computed, NULL if another session is at it; for the owner of the extension';

CREATE FUNCTION recsys.chance_of_so_few(clicks bigint, expected double precision)
RETURNS double precision
	AS 'MODULE_PATHNAME', 'recsys_chance_of_so_few' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION recsys.chance_of_so_few(bigint, double precision) IS 'how likely so few clicks, or fewer, are by chance where so many are expected: the lower tail of the Poisson distribution';

/*
 * What the current user may see: the metrics of what belongs to roles that it has the rights of
 */
CREATE VIEW recsys.metrics_access AS
SELECT pg_has_role(current_user, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = 'recsys.request_log'::regclass), 'USAGE')
	   OR pg_has_role(current_user, 'pg_read_all_data', 'USAGE') AS sees_all,
	   ARRAY(SELECT r.name COLLATE "default" FROM recsys.recommender AS r
			 WHERE pg_has_role(current_user, to_regrole(quote_ident(r.owner))::oid, 'USAGE')
			 UNION ALL
			 SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
			 FROM pg_class AS c JOIN pg_am AS i ON i.oid = c.relam JOIN pg_namespace AS n ON n.oid = c.relnamespace
			 WHERE c.relkind IN ('i', 'I') AND i.amname IN ('recsys', 'recsys_items') AND n.nspname <> 'pg_toast'
			   AND pg_has_role(current_user, c.relowner, 'USAGE')) AS recommenders,
	   ARRAY(SELECT e.name COLLATE "default" FROM recsys.experiment AS e
			 WHERE pg_has_role(current_user, to_regrole(quote_ident(e.owner))::oid, 'USAGE')) AS experiments;
COMMENT ON VIEW recsys.metrics_access IS 'whose metrics the views of metrics show you, one row';
COMMENT ON COLUMN recsys.metrics_access.sees_all IS 'all of them: you have the rights of the owner of the extension, or of pg_read_all_data';
COMMENT ON COLUMN recsys.metrics_access.recommenders IS 'recommenders and indexes whose owner''s rights you have';
COMMENT ON COLUMN recsys.metrics_access.experiments IS 'experiments whose owner''s rights you have';
GRANT SELECT ON recsys.metrics_access TO PUBLIC;

/*
 * The views
 */
CREATE VIEW recsys.metrics_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.segment,
	   m.requests,
	   m.impressions,
	   m.users,
	   m.clicks,
	   m.carts,
	   m.orders,
	   m.revenue,
	   m.clicked_requests,
	   m.ordered_requests,
	   m.ordered_users,
	   m.clicks::double precision / nullif(m.impressions, 0)::double precision AS ctr,
	   m.clicked_requests::double precision / nullif(m.requests, 0)::double precision AS click_rate,
	   m.carts::double precision / nullif(m.impressions, 0)::double precision AS add_to_cart_rate,
	   m.ordered_users::double precision / nullif(m.users, 0)::double precision AS conversion,
	   m.ordered_requests::double precision / nullif(m.requests, 0)::double precision AS request_conversion,
	   m.revenue::double precision / nullif(m.requests, 0)::double precision AS revenue_per_request,
	   (SELECT d.refreshed_at FROM recsys.metrics_day AS d WHERE d.day = (m.time AT TIME ZONE 'UTC')::date) AS refreshed_at,
	   (SELECT d.is_final FROM recsys.metrics_day AS d WHERE d.day = (m.time AT TIME ZONE 'UTC')::date) AS is_final
FROM recsys.daily_request AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_daily IS 'requests, clicks, orders and revenue by day of the request, recommender, experiment, variant and segment';
COMMENT ON COLUMN recsys.metrics_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_daily.segment IS 'segment of the user, as the experiment has it';
COMMENT ON COLUMN recsys.metrics_daily.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.metrics_daily.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_daily.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.metrics_daily.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.metrics_daily.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.metrics_daily.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.metrics_daily.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.metrics_daily.clicked_requests IS 'requests with a click';
COMMENT ON COLUMN recsys.metrics_daily.ordered_requests IS 'requests that an order is attributed to';
COMMENT ON COLUMN recsys.metrics_daily.ordered_users IS 'users that an order is attributed to';
COMMENT ON COLUMN recsys.metrics_daily.ctr IS 'clicks / impressions';
COMMENT ON COLUMN recsys.metrics_daily.click_rate IS 'share of requests with a click';
COMMENT ON COLUMN recsys.metrics_daily.add_to_cart_rate IS 'carts / impressions';
COMMENT ON COLUMN recsys.metrics_daily.conversion IS 'share of users that an order is attributed to';
COMMENT ON COLUMN recsys.metrics_daily.request_conversion IS 'share of requests that an order is attributed to';
COMMENT ON COLUMN recsys.metrics_daily.revenue_per_request IS 'revenue / requests';
COMMENT ON COLUMN recsys.metrics_daily.refreshed_at IS 'as of when the day has been computed';
COMMENT ON COLUMN recsys.metrics_daily.is_final IS 'no more orders can be attributed to its requests';
GRANT SELECT ON recsys.metrics_daily TO PUBLIC;

CREATE VIEW recsys.metrics_positions_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.position,
	   m.impressions,
	   m.clicks,
	   m.carts,
	   m.orders,
	   m.revenue,
	   m.clicks::double precision / nullif(m.impressions, 0)::double precision AS ctr,
	   m.carts::double precision / nullif(m.impressions, 0)::double precision AS add_to_cart_rate
FROM recsys.daily_position AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_positions_daily IS 'impressions, clicks and orders by day of the request and place in the list';
COMMENT ON COLUMN recsys.metrics_positions_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_positions_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_positions_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_positions_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_positions_daily.position IS 'place in the list, from 1';
COMMENT ON COLUMN recsys.metrics_positions_daily.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_positions_daily.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.metrics_positions_daily.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.metrics_positions_daily.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.metrics_positions_daily.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.metrics_positions_daily.ctr IS 'clicks / impressions';
COMMENT ON COLUMN recsys.metrics_positions_daily.add_to_cart_rate IS 'carts / impressions';
GRANT SELECT ON recsys.metrics_positions_daily TO PUBLIC;

CREATE VIEW recsys.metrics_items_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.item_id,
	   m.impressions,
	   m.exposure,
	   m.expected_clicks,
	   m.clicks,
	   m.carts,
	   m.orders,
	   m.revenue,
	   m.category,
	   m.seller,
	   m.is_new,
	   m.is_new_seller,
	   m.user_share,
	   m.popularity,
	   m.clicks::double precision / nullif(m.impressions, 0)::double precision AS ctr
FROM recsys.daily_item AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_items_daily IS 'impressions, clicks and orders by day of the request and item, with what was known of the item that day';
COMMENT ON COLUMN recsys.metrics_items_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_items_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_items_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_items_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_items_daily.item_id IS 'key of the item';
COMMENT ON COLUMN recsys.metrics_items_daily.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_items_daily.exposure IS 'impressions, each as far as its place is looked at: 1 / log2(1 + position)';
COMMENT ON COLUMN recsys.metrics_items_daily.expected_clicks IS 'clicks that any item would have got at these places: the day''s click rates of the places, added up';
COMMENT ON COLUMN recsys.metrics_items_daily.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.metrics_items_daily.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.metrics_items_daily.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.metrics_items_daily.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.metrics_items_daily.category IS 'category of the item, as the recommender declares it; NULL: not declared, or not known';
COMMENT ON COLUMN recsys.metrics_items_daily.seller IS 'likewise its seller';
COMMENT ON COLUMN recsys.metrics_items_daily.is_new IS 'likewise, by new_item_since';
COMMENT ON COLUMN recsys.metrics_items_daily.is_new_seller IS 'likewise of its seller, by new_seller_since';
COMMENT ON COLUMN recsys.metrics_items_daily.user_share IS 'share of the users of the first signal that have the item, of nobody as of one; NULL: not known';
COMMENT ON COLUMN recsys.metrics_items_daily.popularity IS 'share of the other items that fewer users have: 1 is the most popular one, 0 the least';
COMMENT ON COLUMN recsys.metrics_items_daily.ctr IS 'clicks / impressions';
GRANT SELECT ON recsys.metrics_items_daily TO PUBLIC;

CREATE VIEW recsys.metrics_catalogue_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.requests,
	   m.impressions,
	   m.users,
	   m.items_shown,
	   m.catalogue_items,
	   m.gini,
	   m.herfindahl,
	   m.categories_per_list,
	   m.novelty,
	   m.popularity_shown,
	   m.popularity_clicked,
	   m.popularity_ordered,
	   m.new_items_shown,
	   m.new_items_clicked,
	   m.new_items_ordered,
	   m.new_sellers_shown,
	   m.new_sellers_clicked,
	   m.new_sellers_ordered,
	   m.sellers_shown,
	   m.catalogue_sellers,
	   m.seller_gini,
	   m.repeated_impressions,
	   m.items_shown::double precision / nullif(m.catalogue_items, 0)::double precision AS coverage,
	   1 - m.herfindahl AS diversity,
	   m.popularity_shown - m.popularity_ordered AS popularity_bias,
	   m.repeated_impressions::double precision / nullif(m.impressions, 0)::double precision AS fatigue
FROM recsys.daily_catalogue AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_catalogue_daily IS 'over how much of the catalogue, and over which items and sellers, the lists of a day were spread';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.items_shown IS 'different items shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.catalogue_items IS 'items that may be shown, and those that were; NULL: not known';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.gini IS 'how unequally impressions are spread over them, 0 to 1; over the items shown where the catalogue is not known';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.herfindahl IS 'sum of the squares of the items'' shares of impressions';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.categories_per_list IS 'mean number of different categories of a list, of lists with any';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.novelty IS 'mean over impressions of -log2(share of users that have the item)';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.popularity_shown IS 'mean popularity of what was shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.popularity_clicked IS 'mean popularity of what was clicked';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.popularity_ordered IS 'mean popularity of what was bought';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_items_shown IS 'share of new items in what was shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_items_clicked IS 'share of new items in what was clicked';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_items_ordered IS 'share of new items in what was bought';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_sellers_shown IS 'share of new sellers'' items in what was shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_sellers_clicked IS 'share of new sellers'' items in what was clicked';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_sellers_ordered IS 'share of new sellers'' items in what was bought';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.sellers_shown IS 'different sellers shown; NULL: no seller is known';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.catalogue_sellers IS 'sellers of items that may be shown, and of those that were';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.seller_gini IS 'how unequally exposure is spread over them, 0 to 1';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.repeated_impressions IS 'impressions of an item that the same user was shown before that day, and did not take all day';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.coverage IS 'items shown / items of the catalogue';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.diversity IS '1 - Herfindahl: how likely two impressions are of different items';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.popularity_bias IS 'how much more popular what is shown is than what is bought';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.fatigue IS 'share of impressions that repeat in vain what the same user was shown before that day';
GRANT SELECT ON recsys.metrics_catalogue_daily TO PUBLIC;

CREATE VIEW recsys.metrics_sellers_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.seller,
	   m.is_new,
	   m.items_shown,
	   m.impressions,
	   m.exposure,
	   m.exposure_share,
	   m.clicks,
	   m.carts,
	   m.orders,
	   m.revenue,
	   m.clicks::double precision / nullif(m.impressions, 0)::double precision AS ctr
FROM recsys.daily_seller AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_sellers_daily IS 'exposure, clicks and orders by day of the request and seller';
COMMENT ON COLUMN recsys.metrics_sellers_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_sellers_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_sellers_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_sellers_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_sellers_daily.seller IS 'seller, as the recommender declares it';
COMMENT ON COLUMN recsys.metrics_sellers_daily.is_new IS 'whether it is new, by new_seller_since; NULL: not declared';
COMMENT ON COLUMN recsys.metrics_sellers_daily.items_shown IS 'different items of it shown';
COMMENT ON COLUMN recsys.metrics_sellers_daily.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_sellers_daily.exposure IS 'impressions, each as far as its place is looked at: 1 / log2(1 + position)';
COMMENT ON COLUMN recsys.metrics_sellers_daily.exposure_share IS 'share of that in the exposure of all sellers';
COMMENT ON COLUMN recsys.metrics_sellers_daily.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.metrics_sellers_daily.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.metrics_sellers_daily.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.metrics_sellers_daily.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.metrics_sellers_daily.ctr IS 'clicks / impressions';
GRANT SELECT ON recsys.metrics_sellers_daily TO PUBLIC;

CREATE VIEW recsys.metrics_latency_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.requests,
	   m.mean_ms,
	   m.p50_ms,
	   m.p95_ms,
	   m.p99_ms,
	   m.max_ms
FROM recsys.daily_latency AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_latency_daily IS 'how long lists took to make, by day of the request';
COMMENT ON COLUMN recsys.metrics_latency_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_latency_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_latency_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_latency_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_latency_daily.requests IS 'requests whose latency is known';
COMMENT ON COLUMN recsys.metrics_latency_daily.mean_ms IS 'mean milliseconds to make a list';
COMMENT ON COLUMN recsys.metrics_latency_daily.p50_ms IS 'median, exact';
COMMENT ON COLUMN recsys.metrics_latency_daily.p95_ms IS 'so many milliseconds or fewer in 95 of 100 requests, exact';
COMMENT ON COLUMN recsys.metrics_latency_daily.p99_ms IS 'likewise in 99 of 100';
COMMENT ON COLUMN recsys.metrics_latency_daily.max_ms IS 'the most';
GRANT SELECT ON recsys.metrics_latency_daily TO PUBLIC;

CREATE VIEW recsys.metrics_hourly WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.requests,
	   m.impressions,
	   m.users,
	   m.clicks,
	   m.carts,
	   m.orders,
	   m.revenue,
	   m.clicks::double precision / nullif(m.impressions, 0)::double precision AS ctr,
	   m.carts::double precision / nullif(m.impressions, 0)::double precision AS add_to_cart_rate,
	   m.revenue::double precision / nullif(m.requests, 0)::double precision AS revenue_per_request
FROM recsys.hourly_request AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_hourly IS 'requests, clicks, orders and revenue by hour of the request';
COMMENT ON COLUMN recsys.metrics_hourly.time IS 'the hour of the requests: its beginning';
COMMENT ON COLUMN recsys.metrics_hourly.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_hourly.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_hourly.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_hourly.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.metrics_hourly.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_hourly.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.metrics_hourly.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.metrics_hourly.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.metrics_hourly.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.metrics_hourly.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.metrics_hourly.ctr IS 'clicks / impressions';
COMMENT ON COLUMN recsys.metrics_hourly.add_to_cart_rate IS 'carts / impressions';
COMMENT ON COLUMN recsys.metrics_hourly.revenue_per_request IS 'revenue / requests';
GRANT SELECT ON recsys.metrics_hourly TO PUBLIC;

CREATE VIEW recsys.item_fatigue WITH (security_barrier) AS
SELECT f.recommender, f.item_id, f.impressions, f.clicks, f.expected_clicks,
	   recsys.chance_of_so_few(f.clicks, f.expected_clicks) AS chance,
	   f.carts, f.orders, f.first_day, f.last_day
FROM (SELECT m.recommender, m.item_id, sum(m.impressions)::bigint AS impressions, sum(m.clicks)::bigint AS clicks,
			 sum(m.expected_clicks) AS expected_clicks, sum(m.carts)::bigint AS carts, sum(m.orders) AS orders,
			 min(m.time) AS first_day, max(m.time) AS last_day
	  FROM recsys.daily_item AS m, recsys.metrics_access AS a
	  WHERE m.time >= now() - interval '28 days'
		AND (a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments))
	  GROUP BY m.recommender, m.item_id) AS f
WHERE f.clicks < f.expected_clicks;
COMMENT ON VIEW recsys.item_fatigue IS 'items that were shown in the last 28 days and clicked less often than other items at their places';
COMMENT ON COLUMN recsys.item_fatigue.recommender IS 'what has made the lists';
COMMENT ON COLUMN recsys.item_fatigue.item_id IS 'key of the item';
COMMENT ON COLUMN recsys.item_fatigue.impressions IS 'how often it was shown';
COMMENT ON COLUMN recsys.item_fatigue.clicks IS 'clicks on it';
COMMENT ON COLUMN recsys.item_fatigue.expected_clicks IS 'clicks that any item would have got at these places';
COMMENT ON COLUMN recsys.item_fatigue.chance IS 'how likely so few are by chance: below .001 the item is shown in vain';
COMMENT ON COLUMN recsys.item_fatigue.carts IS 'how often it was put into the cart';
COMMENT ON COLUMN recsys.item_fatigue.orders IS 'purchases attributed to requests that have shown it';
COMMENT ON COLUMN recsys.item_fatigue.first_day IS 'first day that it was shown';
COMMENT ON COLUMN recsys.item_fatigue.last_day IS 'last day that it was shown';
GRANT SELECT ON recsys.item_fatigue TO PUBLIC;
