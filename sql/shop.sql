/*
 * Declared recommenders
 *
 * A row of recsys.recommender is what a shop has declared once, by names, so that a dump brings
 * it along.  It is written by the functions below alone; recsys.recommenders shows it.
 */
CREATE TABLE recsys.recommender (
	name text COLLATE "C" PRIMARY KEY,
	owner text NOT NULL,
	definition jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE recsys.recommender IS 'declared recommenders, as recsys.create_recommender has made them; recsys.recommenders shows them';
COMMENT ON COLUMN recsys.recommender.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.recommender.owner IS 'role that has declared it';
COMMENT ON COLUMN recsys.recommender.definition IS 'what is declared, under the names of the parameters; relations with their schemas, expressions that mean the same under every search path';
COMMENT ON COLUMN recsys.recommender.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.recommender.changed_at IS 'when it was changed last';
GRANT SELECT ON recsys.recommender TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('recsys.recommender', '');

-- bestsellers of parts of a shop, as of the last refresh: a dump has no need of them
CREATE TABLE recsys.popularity (
	recommender text COLLATE "C" NOT NULL REFERENCES recsys.recommender ON DELETE CASCADE,
	kind text COLLATE "C" NOT NULL,
	value text COLLATE "C" NOT NULL,
	items text[] NOT NULL,
	users bigint[] NOT NULL,
	refreshed_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (recommender, kind, value));
COMMENT ON TABLE recsys.popularity IS 'what is popular in each segment, category, price level and with each seller, as of the last recsys.refresh_recommender';
COMMENT ON COLUMN recsys.popularity.recommender IS 'declared recommender';
COMMENT ON COLUMN recsys.popularity.kind IS 'what the list is of: segment1 for the smallest segments, segment2, ..., persona, category, seller, price, or all; shop: figures of the shop itself';
COMMENT ON COLUMN recsys.popularity.value IS 'which segment, persona, category, seller or price level, 0 to 4';
COMMENT ON COLUMN recsys.popularity.items IS 'item keys, the most popular one first';
COMMENT ON COLUMN recsys.popularity.users IS 'how many users have each of them';
COMMENT ON COLUMN recsys.popularity.refreshed_at IS 'when the list was made';

CREATE FUNCTION recsys.create_recommender(
	name text,
	signals jsonb,
	items text DEFAULT NULL,
	item_key text DEFAULT NULL,
	item_filter text DEFAULT NULL,
	title text DEFAULT NULL,
	category text DEFAULT NULL,
	price text DEFAULT NULL,
	group_by text DEFAULT NULL,
	offer_order text DEFAULT NULL,
	repeatable text DEFAULT NULL,
	seller text DEFAULT NULL,
	sellers text DEFAULT NULL,
	seller_key text DEFAULT NULL,
	seller_quality jsonb DEFAULT NULL,
	max_per_seller integer DEFAULT NULL,
	profiles text DEFAULT NULL,
	profile_key text DEFAULT NULL,
	segment text DEFAULT NULL,
	larger_segments text[] DEFAULT NULL,
	exclude_users text DEFAULT NULL,
	consent text DEFAULT NULL,
	min_users integer DEFAULT NULL,
	caps jsonb DEFAULT NULL,
	diversity double precision DEFAULT NULL,
	category_mix double precision DEFAULT NULL,
	price_affinity double precision DEFAULT NULL,
	new_item_share double precision DEFAULT NULL,
	new_item_since text DEFAULT NULL,
	new_seller_share double precision DEFAULT NULL,
	new_seller_since text DEFAULT NULL,
	promotions jsonb DEFAULT NULL,
	complements text DEFAULT NULL,
	reason_formats jsonb DEFAULT NULL,
	seed bigint DEFAULT NULL,
	content text DEFAULT NULL,
	price_history jsonb DEFAULT NULL,
	fatigue double precision DEFAULT NULL,
	fatigue_window text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_create_recommender' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.create_recommender(text, jsonb, text, text, text, text, text, text, text, text, text, text, text, text, jsonb, integer, text, text, text, text[], text, text, integer, jsonb, double precision, double precision, double precision, double precision, text, double precision, text, jsonb, text, jsonb, bigint, text, jsonb, double precision, text)
	IS 'declares a recommender over the tables of a shop; its name is then one for recommend and the others';

CREATE FUNCTION recsys.drop_recommender(name text, if_exists boolean DEFAULT false)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_drop_recommender' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.drop_recommender(text, boolean) IS 'removes a declared recommender; indexes and tables stay';

CREATE FUNCTION recsys.alter_recommender(
	name text,
	signals jsonb DEFAULT NULL,
	items text DEFAULT NULL,
	item_key text DEFAULT NULL,
	item_filter text DEFAULT NULL,
	title text DEFAULT NULL,
	category text DEFAULT NULL,
	price text DEFAULT NULL,
	group_by text DEFAULT NULL,
	offer_order text DEFAULT NULL,
	repeatable text DEFAULT NULL,
	seller text DEFAULT NULL,
	sellers text DEFAULT NULL,
	seller_key text DEFAULT NULL,
	seller_quality jsonb DEFAULT NULL,
	max_per_seller integer DEFAULT NULL,
	profiles text DEFAULT NULL,
	profile_key text DEFAULT NULL,
	segment text DEFAULT NULL,
	larger_segments text[] DEFAULT NULL,
	exclude_users text DEFAULT NULL,
	consent text DEFAULT NULL,
	min_users integer DEFAULT NULL,
	caps jsonb DEFAULT NULL,
	diversity double precision DEFAULT NULL,
	category_mix double precision DEFAULT NULL,
	price_affinity double precision DEFAULT NULL,
	new_item_share double precision DEFAULT NULL,
	new_item_since text DEFAULT NULL,
	new_seller_share double precision DEFAULT NULL,
	new_seller_since text DEFAULT NULL,
	promotions jsonb DEFAULT NULL,
	complements text DEFAULT NULL,
	reason_formats jsonb DEFAULT NULL,
	seed bigint DEFAULT NULL,
	content text DEFAULT NULL,
	price_history jsonb DEFAULT NULL,
	fatigue double precision DEFAULT NULL,
	fatigue_window text DEFAULT NULL,
	reset text[] DEFAULT NULL,
	new_name text DEFAULT NULL,
	new_owner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_alter_recommender' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.alter_recommender(text, jsonb, text, text, text, text, text, text, text, text, text, text, text, text, jsonb, integer, text, text, text, text[], text, text, integer, jsonb, double precision, double precision, double precision, double precision, text, double precision, text, jsonb, text, jsonb, bigint, text, jsonb, double precision, text, text[], text, text)
	IS 'changes a declared recommender; what is NULL stays as it is, reset names the parameters to do without';

CREATE FUNCTION recsys.recommender_problem(name text)
RETURNS text
	AS 'MODULE_PATHNAME', 'recsys_recommender_problem' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.recommender_problem(text) IS 'why you cannot use a declared recommender as it is, or NULL: what is gone, has another type, or may not be read by you; nothing that is declared is run';

CREATE VIEW recsys.recommenders AS
SELECT r.name, r.owner,
	   r.definition -> 'signals' AS signals,
	   r.definition ->> 'items' AS items,
	   r.definition ->> 'item_key' AS item_key,
	   r.definition ->> 'item_filter' AS item_filter,
	   r.definition ->> 'title' AS title,
	   r.definition ->> 'category' AS category,
	   r.definition ->> 'price' AS price,
	   r.definition ->> 'group_by' AS group_by,
	   r.definition ->> 'offer_order' AS offer_order,
	   r.definition ->> 'repeatable' AS repeatable,
	   r.definition ->> 'seller' AS seller,
	   r.definition ->> 'sellers' AS sellers,
	   r.definition ->> 'seller_key' AS seller_key,
	   r.definition -> 'seller_quality' AS seller_quality,
	   (r.definition ->> 'max_per_seller')::integer AS max_per_seller,
	   r.definition ->> 'profiles' AS profiles,
	   r.definition ->> 'profile_key' AS profile_key,
	   r.definition ->> 'segment' AS segment,
	   CASE WHEN r.definition ? 'larger_segments'
			THEN ARRAY(SELECT jsonb_array_elements_text(r.definition -> 'larger_segments')) END AS larger_segments,
	   r.definition ->> 'exclude_users' AS exclude_users,
	   r.definition ->> 'consent' AS consent,
	   (r.definition ->> 'min_users')::integer AS min_users,
	   r.definition -> 'caps' AS caps,
	   (r.definition ->> 'diversity')::double precision AS diversity,
	   (r.definition ->> 'category_mix')::double precision AS category_mix,
	   (r.definition ->> 'price_affinity')::double precision AS price_affinity,
	   (r.definition ->> 'new_item_share')::double precision AS new_item_share,
	   r.definition ->> 'new_item_since' AS new_item_since,
	   (r.definition ->> 'new_seller_share')::double precision AS new_seller_share,
	   r.definition ->> 'new_seller_since' AS new_seller_since,
	   r.definition -> 'promotions' AS promotions,
	   r.definition ->> 'complements' AS complements,
	   r.definition -> 'reason_formats' AS reason_formats,
	   (r.definition ->> 'seed')::bigint AS seed,
	   r.created_at, r.changed_at,
	   (SELECT max(p.refreshed_at) FROM recsys.popularity p WHERE p.recommender = r.name) AS refreshed_at,
	   recsys.recommender_problem(r.name) AS problem,
	   r.definition ->> 'content' AS content,
	   r.definition -> 'price_history' AS price_history,
	   (r.definition ->> 'fatigue')::double precision AS fatigue,
	   r.definition ->> 'fatigue_window' AS fatigue_window
FROM recsys.recommender r;
COMMENT ON VIEW recsys.recommenders IS 'declared recommenders, one row each, with what is declared of them; NULL is what is not';
COMMENT ON COLUMN recsys.recommenders.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.recommenders.owner IS 'role that has declared it; those who have its rights may change it';
COMMENT ON COLUMN recsys.recommenders.signals IS 'what users do, the most telling first';
COMMENT ON COLUMN recsys.recommenders.items IS 'table or view with one row for each item';
COMMENT ON COLUMN recsys.recommenders.item_key IS 'its column that the signals have as item';
COMMENT ON COLUMN recsys.recommenders.item_filter IS 'which items may be shown';
COMMENT ON COLUMN recsys.recommenders.title IS 'what reasons call an item';
COMMENT ON COLUMN recsys.recommenders.category IS 'category of an item';
COMMENT ON COLUMN recsys.recommenders.price IS 'price of an item';
COMMENT ON COLUMN recsys.recommenders.group_by IS 'items that have this in common count as one';
COMMENT ON COLUMN recsys.recommenders.offer_order IS 'of a group, the item with the least of this is shown';
COMMENT ON COLUMN recsys.recommenders.repeatable IS 'which items may be recommended to those who have them';
COMMENT ON COLUMN recsys.recommenders.seller IS 'seller of an item';
COMMENT ON COLUMN recsys.recommenders.sellers IS 'table or view with one row for each seller';
COMMENT ON COLUMN recsys.recommenders.seller_key IS 'its column that seller is looked up in';
COMMENT ON COLUMN recsys.recommenders.seller_quality IS 'sum and number of a seller''s ratings';
COMMENT ON COLUMN recsys.recommenders.max_per_seller IS 'so many items of one seller are in a list at most';
COMMENT ON COLUMN recsys.recommenders.profiles IS 'table or view with one row for each user';
COMMENT ON COLUMN recsys.recommenders.profile_key IS 'its column that the signals have as user';
COMMENT ON COLUMN recsys.recommenders.segment IS 'segment of a user';
COMMENT ON COLUMN recsys.recommenders.larger_segments IS 'where that says nothing: larger and larger ones';
COMMENT ON COLUMN recsys.recommenders.exclude_users IS 'which users neither count nor get personal lists';
COMMENT ON COLUMN recsys.recommenders.consent IS 'which users may be written to';
COMMENT ON COLUMN recsys.recommenders.min_users IS 'what fewer users of a segment have is not said of it';
COMMENT ON COLUMN recsys.recommenders.caps IS 'how many items with one value of an expression are in a list at most';
COMMENT ON COLUMN recsys.recommenders.diversity IS 'how far items of a list are to be unlike each other, from 0 to 1';
COMMENT ON COLUMN recsys.recommenders.category_mix IS 'how far a list is to have the categories of the history, from 0 to 1';
COMMENT ON COLUMN recsys.recommenders.price_affinity IS 'how far the price level of the history counts, from 0 to 1';
COMMENT ON COLUMN recsys.recommenders.new_item_share IS 'share of a list that is kept for new items';
COMMENT ON COLUMN recsys.recommenders.new_item_since IS 'which items are new';
COMMENT ON COLUMN recsys.recommenders.new_seller_share IS 'share of a list that is kept for new sellers';
COMMENT ON COLUMN recsys.recommenders.new_seller_since IS 'which sellers are new';
COMMENT ON COLUMN recsys.recommenders.promotions IS 'table of promotions: item, boost, when it holds, and how much it may do';
COMMENT ON COLUMN recsys.recommenders.complements IS 'index that goes_with reads';
COMMENT ON COLUMN recsys.recommenders.reason_formats IS 'texts of reasons';
COMMENT ON COLUMN recsys.recommenders.seed IS 'of what is drawn at random';
COMMENT ON COLUMN recsys.recommenders.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.recommenders.changed_at IS 'when it was changed last';
COMMENT ON COLUMN recsys.recommenders.refreshed_at IS 'when its lists were made by recsys.refresh_recommender, NULL: never';
COMMENT ON COLUMN recsys.recommenders.problem IS 'why you cannot use it as it is, else NULL';
COMMENT ON COLUMN recsys.recommenders.content IS 'index over the items by which they are recommended for what they are';
COMMENT ON COLUMN recsys.recommenders.price_history IS 'what items cost since when, for on_sale_for';
COMMENT ON COLUMN recsys.recommenders.fatigue IS 'what part of its score an item loses each time it is shown in vain, from 0 to 1';
COMMENT ON COLUMN recsys.recommenders.fatigue_window IS 'how far back the log is read for that';
GRANT SELECT ON recsys.recommenders TO PUBLIC;

-- who restores a dump without being a superuser brings definitions back, too; but they are his then
CREATE FUNCTION recsys.recommender_owner()
RETURNS trigger
	AS 'MODULE_PATHNAME', 'recsys_recommender_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION recsys.recommender_owner() IS 'trigger of recsys.recommender: nobody gives a definition to a role that he has not the rights of';
CREATE TRIGGER recommender_owner BEFORE INSERT OR UPDATE ON recsys.recommender
	FOR EACH ROW EXECUTE FUNCTION recsys.recommender_owner();
GRANT INSERT ON recsys.recommender TO @extowner@;

CREATE FUNCTION recsys.create_functions(recommender text, schema text)
RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'recsys_create_functions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 7;
COMMENT ON FUNCTION recsys.create_functions(text, text) IS 'makes functions for a recommender with the exact types of its users and items, for drivers and gateways; returns their names, replaces only its own';

/*
 * Segments, life cycles, audiences, exposure
 */
-- what excluded users have put into item graphs; a dump has no need of it
CREATE TABLE recsys.excluded_pairs (
	recommender text COLLATE "C" NOT NULL REFERENCES recsys.recommender ON DELETE CASCADE,
	graph text COLLATE "C" NOT NULL,
	item text COLLATE "C" NOT NULL,
	item_share real NOT NULL,
	similar_items text[] NOT NULL,
	shares real[] NOT NULL,
	PRIMARY KEY (recommender, graph, item));
COMMENT ON TABLE recsys.excluded_pairs IS 'what users whom exclude_users holds for have put into the item graphs of a declared recommender, as of the last recsys.refresh_recommender';
COMMENT ON COLUMN recsys.excluded_pairs.recommender IS 'declared recommender';
COMMENT ON COLUMN recsys.excluded_pairs.graph IS 'recsys index with the item graph';
COMMENT ON COLUMN recsys.excluded_pairs.item IS 'item whose neighbors they have changed';
COMMENT ON COLUMN recsys.excluded_pairs.item_share IS 'share of its users that are not excluded';
COMMENT ON COLUMN recsys.excluded_pairs.similar_items IS 'those of its neighbors whose similarity would be another without them';
COMMENT ON COLUMN recsys.excluded_pairs.shares IS 'what each of these similarities is multiplied by';

CREATE FUNCTION recsys.refresh_recommender(name text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_refresh_recommender' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.refresh_recommender(text) IS 'brings the lists of a declared recommender up to date: what is popular in its segments, categories, price levels and with its sellers, without users that are excluded; returns how many lists there are';

CREATE FUNCTION recsys.persona(
	first_at timestamptz,
	latest_at timestamptz,
	acts bigint,
	typical_gap interval DEFAULT NULL,
	as_of timestamptz DEFAULT now())
RETURNS text
	AS 'MODULE_PATHNAME', 'recsys_persona' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION recsys.persona(timestamptz, timestamptz, bigint, interval, timestamptz) IS 'where a customer stands in the life cycle, by the first and the latest day of so many days with a purchase: new, active, at risk or lost';

CREATE FUNCTION recsys.customer_segments(
	recommender text DEFAULT NULL)
RETURNS TABLE (user_id text, segment text, persona text, recency_days integer, frequency bigint,
	monetary double precision, r integer, f integer, m integer, first_at timestamptz, latest_at timestamptz,
	excluded boolean)
	AS 'MODULE_PATHNAME', 'recsys_customer_segments' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 10000;
COMMENT ON FUNCTION recsys.customer_segments(text) IS 'the customers of a declared recommender by segment, life cycle, recency, frequency and money, with fifths for the last three, 5 the best';

CREATE FUNCTION recsys.seller_exposure(
	recommender text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	users integer DEFAULT 1000,
	k integer DEFAULT 10)
RETURNS TABLE (seller_id text, shown bigint, shown_share double precision, listed bigint,
	listed_share double precision, sold bigint, sold_share double precision, gini double precision)
	AS 'MODULE_PATHNAME', 'recsys_seller_exposure' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 100;
COMMENT ON FUNCTION recsys.seller_exposure(text, timestamptz, integer, integer) IS 'how often each seller stands on the lists that a sample of users would get now, against what it lists and what it has sold since then; gini is that of the places over all sellers';

CREATE FUNCTION recsys.audience(
	recommender text,
	item_id text DEFAULT NULL,
	k bigint DEFAULT 1000,
	segment text DEFAULT NULL,
	seller text DEFAULT NULL,
	category text DEFAULT NULL)
RETURNS TABLE (user_id text, score real, because_item_id text, reason text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_audience' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000;
COMMENT ON FUNCTION recsys.audience(text, text, bigint, text, text, text) IS 'the k users who most likely want an item, the newest of a seller or those of a category, and do not have it yet';

/*
 * Variants
 */
CREATE FUNCTION recsys.title_groups(query text)
RETURNS TABLE (item_id text, group_id text, label text)
	AS 'MODULE_PATHNAME', 'recsys_title_groups' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 1000;
COMMENT ON FUNCTION recsys.title_groups(text) IS 'which items of a query that returns item, title are variants of one product, by their titles: each with the smallest item of its group, and what the titles share';

CREATE FUNCTION recsys.tune_signals(
	recommender text,
	metric text DEFAULT 'ndcg',
	k integer DEFAULT 10,
	users integer DEFAULT 2000,
	seed bigint DEFAULT 0)
RETURNS TABLE (rank integer, value double precision, ci_low double precision, ci_high double precision,
	users bigint, what text, signals jsonb, command text, p_declared double precision, honest_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_tune_signals' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 5;
COMMENT ON FUNCTION recsys.tune_signals(text, text, integer, integer, bigint) IS 'weighs the signals of a declared recommender by what users had last, which is held out: the best weights, those declared, and those without each signal, best first, each with the command that takes it over';
