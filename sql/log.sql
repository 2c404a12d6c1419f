/*
 * The log: what was shown to whom, and what came of it
 *
 * One row a request, its impressions in arrays.  Both tables are partitioned by the day of the
 * request, which is in its id; recsys.maintain makes partitions and drops old ones, and the default
 * partition takes what no other one is there for.
 *
 * Partitions are not part of the extension, so that a dump brings them along.  Each has its own
 * primary key and indexes: with those of a partitioned table a restore would make them twice, as
 * the table is there, with all its indexes, as soon as the extension is.  All of it is owned by the owner
 * of the extension, who need not be a superuser to dump, restore and maintain it.
 */
GRANT CREATE ON SCHEMA recsys TO @extowner@;

CREATE TABLE recsys.request_log (
	request_id uuid NOT NULL,
	time timestamptz NOT NULL,
	user_id text,
	session_id text,
	recommender text NOT NULL,
	experiment text,
	variant text,
	bandit text,
	arm text,
	policy text,
	segment text,
	latency_ms real,
	item_ids text[] NOT NULL,
	scores real[],
	sources text[],
	propensities double precision[],
	arms text[],
	features double precision[]
) PARTITION BY RANGE (time);
ALTER TABLE recsys.request_log OWNER TO @extowner@;
COMMENT ON TABLE recsys.request_log IS 'requests and what was shown, one row each; written by recommend(..., log => true), recsys.log_request and recsys.log_impressions';
COMMENT ON COLUMN recsys.request_log.request_id IS 'UUID of version 7; its time is in it';
COMMENT ON COLUMN recsys.request_log.time IS 'when it was made: the time in request_id, in milliseconds';
COMMENT ON COLUMN recsys.request_log.user_id IS 'key of the user as text, or its pseudonym; NULL: not known';
COMMENT ON COLUMN recsys.request_log.session_id IS 'session, or its pseudonym; NULL: none was given';
COMMENT ON COLUMN recsys.request_log.recommender IS 'what has made the list: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.request_log.experiment IS 'experiment that the request is part of; NULL: none';
COMMENT ON COLUMN recsys.request_log.variant IS 'its variant';
COMMENT ON COLUMN recsys.request_log.bandit IS 'bandit that has chosen; NULL: none';
COMMENT ON COLUMN recsys.request_log.arm IS 'the arm that it has chosen';
COMMENT ON COLUMN recsys.request_log.policy IS 'how it was decided: hash, interleaving, or the policy of the bandit; NULL: nothing was';
COMMENT ON COLUMN recsys.request_log.segment IS 'segment of the user, as the experiment has it';
COMMENT ON COLUMN recsys.request_log.latency_ms IS 'milliseconds to make the list; NULL: not measured';
COMMENT ON COLUMN recsys.request_log.item_ids IS 'keys of the items shown, as text, in the order of their positions';
COMMENT ON COLUMN recsys.request_log.scores IS 'their scores; NULL: not known';
COMMENT ON COLUMN recsys.request_log.sources IS 'where each is from; NULL: not known';
COMMENT ON COLUMN recsys.request_log.propensities IS 'how likely each was shown at its position; NULL: nothing was left to chance';
COMMENT ON COLUMN recsys.request_log.arms IS 'whose each position is, where a list has several arms; NULL: it has one';
COMMENT ON COLUMN recsys.request_log.features IS 'what a policy with features has seen of the context';

CREATE TABLE recsys.request_log_default PARTITION OF recsys.request_log (
	PRIMARY KEY (request_id, time)) DEFAULT;
CREATE INDEX request_log_default_user_id ON recsys.request_log_default (user_id, time);
ALTER TABLE recsys.request_log_default OWNER TO @extowner@;
COMMENT ON TABLE recsys.request_log_default IS 'requests of days that have no partition yet; other partitions have its indexes, too';
SELECT pg_catalog.pg_extension_config_dump('recsys.request_log_default', '');

CREATE TABLE recsys.event_log (
	request_id uuid NOT NULL,
	request_time timestamptz NOT NULL,
	kind text NOT NULL,
	item_id text NOT NULL,
	event_key text NOT NULL DEFAULT '',
	time timestamptz NOT NULL,
	value double precision
) PARTITION BY RANGE (request_time);
ALTER TABLE recsys.event_log OWNER TO @extowner@;
COMMENT ON TABLE recsys.event_log IS 'what users have done with what was shown; written by recsys.log_click, recsys.log_add_to_cart and recsys.log_event';
COMMENT ON COLUMN recsys.event_log.request_id IS 'the request that has shown the item';
COMMENT ON COLUMN recsys.event_log.request_time IS 'its time';
COMMENT ON COLUMN recsys.event_log.kind IS 'click, cart, or a name of your own';
COMMENT ON COLUMN recsys.event_log.item_id IS 'key of the item as text';
COMMENT ON COLUMN recsys.event_log.event_key IS 'tells events of one kind on one item apart; empty: there is one';
COMMENT ON COLUMN recsys.event_log.time IS 'when it happened';
COMMENT ON COLUMN recsys.event_log.value IS 'what it is worth; NULL: not given';

CREATE TABLE recsys.event_log_default PARTITION OF recsys.event_log (
	PRIMARY KEY (request_id, kind, item_id, event_key, request_time)) DEFAULT;
ALTER TABLE recsys.event_log_default OWNER TO @extowner@;
COMMENT ON TABLE recsys.event_log_default IS 'events of requests of days that have no partition yet; other partitions have its indexes, too';
SELECT pg_catalog.pg_extension_config_dump('recsys.event_log_default', '');

-- at most one row each; without one the defaults hold, and no key has been needed yet
CREATE TABLE recsys.log_setting (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	retention interval,
	pseudonymous boolean NOT NULL DEFAULT false,
	purchases jsonb,
	purchases_role text,
	attribution_window interval NOT NULL DEFAULT '7 days',
	attribution text NOT NULL DEFAULT 'last' CHECK (attribution IN ('first', 'last', 'position')));
ALTER TABLE recsys.log_setting OWNER TO @extowner@;
COMMENT ON TABLE recsys.log_setting IS 'settings of the log, as recsys.configure_log has made them; no row: the defaults';
COMMENT ON COLUMN recsys.log_setting.one IS 'true: there is one row at most';
COMMENT ON COLUMN recsys.log_setting.retention IS 'how long requests are kept; NULL: for ever';
COMMENT ON COLUMN recsys.log_setting.pseudonymous IS 'users and sessions are logged as keyed hashes';
COMMENT ON COLUMN recsys.log_setting.purchases IS 'where purchases are read, with names that mean the same for everyone; NULL: nowhere';
COMMENT ON COLUMN recsys.log_setting.purchases_role IS 'role with whose rights they are read: the one that has set them';
COMMENT ON COLUMN recsys.log_setting.attribution_window IS 'time after a request in which a purchase is of it';
COMMENT ON COLUMN recsys.log_setting.attribution IS 'which request a purchase is of if there are several: first, last, or position: shared by their positions';
SELECT pg_catalog.pg_extension_config_dump('recsys.log_setting', '');

CREATE TABLE recsys.log_key (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	key bytea NOT NULL);
ALTER TABLE recsys.log_key OWNER TO @extowner@;
COMMENT ON TABLE recsys.log_key IS 'the key of pseudonyms; who has it can find out whose they are';
COMMENT ON COLUMN recsys.log_key.one IS 'true: there is one row at most';
COMMENT ON COLUMN recsys.log_key.key IS '32 random bytes; a dump brings them along, or users would have other pseudonyms afterwards';
SELECT pg_catalog.pg_extension_config_dump('recsys.log_key', '');

CREATE TABLE recsys.maintenance (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	time timestamptz NOT NULL);
ALTER TABLE recsys.maintenance OWNER TO @extowner@;
COMMENT ON TABLE recsys.maintenance IS 'when recsys.maintain has run last; until then, when the background worker came first';
COMMENT ON COLUMN recsys.maintenance.one IS 'true: there is one row at most';
COMMENT ON COLUMN recsys.maintenance.time IS 'when it began';

/*
 * Settings and upkeep
 */
CREATE FUNCTION recsys.configure_log(
	retention interval DEFAULT NULL,
	pseudonymous boolean DEFAULT NULL,
	purchases text DEFAULT NULL,
	attribution_window interval DEFAULT NULL,
	attribution text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_configure_log' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.configure_log(interval, boolean, text, interval, text) IS 'changes settings of the log, those that are not NULL; interval ''0'' and an empty text take back retention and purchases; for the owner of the extension';

CREATE FUNCTION recsys.maintain()
RETURNS TABLE (action text, object text, detail text)
	AS 'MODULE_PATHNAME', 'recsys_maintain' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 100000 ROWS 20;
COMMENT ON FUNCTION recsys.maintain() IS 'makes partitions of the log, drops expired ones, brings experiments, bandits and metrics up to date; returns what it has done; for the owner of the extension';

-- no query of Citus within the views of others, where the log is one of all nodes
CREATE FUNCTION recsys.log_is_used() RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_is_used' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION recsys.log_is_used() IS 'whether there are requests in the log';

/*
 * Logging by function
 */
CREATE DOMAIN recsys.switch AS boolean;
COMMENT ON DOMAIN recsys.switch IS 'a boolean that is given by name, as in log => true';

CREATE FUNCTION recsys.new_request_id()
RETURNS uuid
	AS 'MODULE_PATHNAME', 'recsys_new_request_id' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION recsys.new_request_id() IS 'an id for a request that you log yourself: a UUID of version 7, which has the time in it';

CREATE FUNCTION recsys.log_request(request jsonb)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_request' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_request(jsonb) IS 'logs what recommend_request has returned; false if it is logged already';

CREATE FUNCTION recsys.log_impressions(
	recommender text,
	item_ids text[],
	user_id anycompatible DEFAULT NULL::text,
	session_id text DEFAULT NULL,
	request_id uuid DEFAULT NULL,
	scores real[] DEFAULT NULL,
	sources text[] DEFAULT NULL,
	propensities double precision[] DEFAULT NULL,
	policy text DEFAULT NULL,
	request_time timestamptz DEFAULT NULL)
RETURNS uuid
	AS 'MODULE_PATHNAME', 'recsys_log_impressions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_impressions(text, text[], anycompatible, text, uuid, real[], text[], double precision[], text, timestamptz) IS 'logs a list that was made elsewhere, or shown in another way; returns the id of the request';

CREATE FUNCTION recsys.log_impressions(
	recommender text,
	item_ids bigint[],
	user_id anycompatible DEFAULT NULL::text,
	session_id text DEFAULT NULL,
	request_id uuid DEFAULT NULL,
	scores real[] DEFAULT NULL,
	sources text[] DEFAULT NULL,
	propensities double precision[] DEFAULT NULL,
	policy text DEFAULT NULL,
	request_time timestamptz DEFAULT NULL)
RETURNS uuid
	AS 'MODULE_PATHNAME', 'recsys_log_impressions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_impressions(text, bigint[], anycompatible, text, uuid, real[], text[], double precision[], text, timestamptz) IS 'the same of items with bigint keys';

CREATE FUNCTION recsys.log_impressions(
	recommender text,
	item_ids uuid[],
	user_id anycompatible DEFAULT NULL::text,
	session_id text DEFAULT NULL,
	request_id uuid DEFAULT NULL,
	scores real[] DEFAULT NULL,
	sources text[] DEFAULT NULL,
	propensities double precision[] DEFAULT NULL,
	policy text DEFAULT NULL,
	request_time timestamptz DEFAULT NULL)
RETURNS uuid
	AS 'MODULE_PATHNAME', 'recsys_log_impressions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_impressions(text, uuid[], anycompatible, text, uuid, real[], text[], double precision[], text, timestamptz) IS 'the same of items with uuid keys';

-- what comes without a type: an array as it is written
CREATE FUNCTION recsys.log_impressions(
	recommender text,
	item_ids text,
	user_id anycompatible DEFAULT NULL::text,
	session_id text DEFAULT NULL,
	request_id uuid DEFAULT NULL,
	scores real[] DEFAULT NULL,
	sources text[] DEFAULT NULL,
	propensities double precision[] DEFAULT NULL,
	policy text DEFAULT NULL,
	request_time timestamptz DEFAULT NULL)
RETURNS uuid
	AS 'MODULE_PATHNAME', 'recsys_log_impressions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_impressions(text, text, anycompatible, text, uuid, real[], text[], double precision[], text, timestamptz) IS 'the same of the items of an array that is written as text, as in ''{1,2}''';

CREATE FUNCTION recsys.log_click(request_id uuid, item_id text)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_click' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_click(uuid, text) IS 'an item of a request was clicked; false if that is logged already';

CREATE FUNCTION recsys.log_click(request_id uuid, item_id bigint)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_click' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_click(uuid, bigint) IS 'an item of a request was clicked; false if that is logged already';

CREATE FUNCTION recsys.log_click(request_id uuid, item_id uuid)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_click' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_click(uuid, uuid) IS 'an item of a request was clicked; false if that is logged already';

CREATE FUNCTION recsys.log_add_to_cart(request_id uuid, item_id text)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_add_to_cart' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_add_to_cart(uuid, text) IS 'an item of a request was put into the cart; false if that is logged already';

CREATE FUNCTION recsys.log_add_to_cart(request_id uuid, item_id bigint)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_add_to_cart' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_add_to_cart(uuid, bigint) IS 'an item of a request was put into the cart; false if that is logged already';

CREATE FUNCTION recsys.log_add_to_cart(request_id uuid, item_id uuid)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_add_to_cart' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_add_to_cart(uuid, uuid) IS 'an item of a request was put into the cart; false if that is logged already';

CREATE FUNCTION recsys.log_event(
	request_id uuid,
	kind text,
	item_id text,
	value double precision DEFAULT NULL,
	event_key text DEFAULT NULL,
	at timestamptz DEFAULT NULL)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_event' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_event(uuid, text, text, double precision, text, timestamptz) IS 'something has happened to an item of a request; false if it is logged already: one event of a kind, an item and an event_key counts';

CREATE FUNCTION recsys.log_event(
	request_id uuid,
	kind text,
	item_id bigint,
	value double precision DEFAULT NULL,
	event_key text DEFAULT NULL,
	at timestamptz DEFAULT NULL)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_event' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_event(uuid, text, bigint, double precision, text, timestamptz) IS 'the same of an item with a bigint key';

CREATE FUNCTION recsys.log_event(
	request_id uuid,
	kind text,
	item_id uuid,
	value double precision DEFAULT NULL,
	event_key text DEFAULT NULL,
	at timestamptz DEFAULT NULL)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_event' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_event(uuid, text, uuid, double precision, text, timestamptz) IS 'the same of an item with a uuid key';

/*
 * Lists that are logged.  log is of a type of its own, so that a boolean in the fourth place still
 * is exclude_seen.  What follows it stands in such an order that calls whose arguments all have no
 * type still lead where they did: categories of types agree, place by place, with the variants that
 * do not log.
 */
CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	log recsys.switch,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL,
	session_id text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer, request_id uuid, experiment text, variant text, propensity double precision)
	AS 'MODULE_PATHNAME', 'recsys_recommend_logged' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, recsys.switch, boolean, interval, jsonb, text) IS 'the k best items for a user, by a recommender, an experiment or a bandit, and the request logged; bigint item keys';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	log recsys.switch,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL,
	session_id text DEFAULT NULL,
	exclude_seen boolean DEFAULT true)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer, request_id uuid, experiment text, variant text, propensity double precision)
	AS 'MODULE_PATHNAME', 'recsys_recommend_logged_typed' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, anyelement, recsys.switch, interval, jsonb, text, boolean) IS 'the same; item keys of the type of the fourth argument';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	log recsys.switch,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL,
	session_id text DEFAULT NULL,
	exclude_seen boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text, rank integer, request_id uuid, experiment text, variant text, propensity double precision)
	AS 'MODULE_PATHNAME', 'recsys_recommend_logged_typed' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, text, recsys.switch, interval, jsonb, text, boolean) IS 'the same; item keys of every type, as text';

CREATE FUNCTION recommend_request(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	session_id text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS jsonb
	AS 'MODULE_PATHNAME', 'recsys_recommend_request' LANGUAGE C STABLE PARALLEL RESTRICTED COST 2000;
COMMENT ON FUNCTION recommend_request(anycompatible, bigint, text, text, boolean, interval, jsonb) IS 'the same as one document, for a standby: recsys.log_request logs it on the primary';
