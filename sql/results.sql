/*
 * What experiments say
 *
 * From raw rows of the log, or from sums that are kept day by day.  The tables are written by the
 * functions below alone; a dump brings them along, because the log they are made of expires.
 */
-- no foreign keys: triggers of these tables would run when a superuser's table is written
CREATE TABLE recsys.experiment_state (
	experiment text COLLATE "C" PRIMARY KEY,
	closed_until timestamptz NOT NULL,
	refreshed_until timestamptz,
	stale_since timestamptz,
	signature text NOT NULL,
	failure text);
ALTER TABLE recsys.experiment_state OWNER TO @extowner@;
COMMENT ON TABLE recsys.experiment_state IS 'up to when the sums of each experiment are kept';
COMMENT ON COLUMN recsys.experiment_state.experiment IS 'name of the experiment';
COMMENT ON COLUMN recsys.experiment_state.closed_until IS 'what happened before is in recsys.experiment_unit';
COMMENT ON COLUMN recsys.experiment_state.refreshed_until IS 'what happened before is in the sums of the last day';
COMMENT ON COLUMN recsys.experiment_state.stale_since IS 'since when sums are no longer those of the log, as after recsys.forget_user; NULL: they are';
COMMENT ON COLUMN recsys.experiment_state.signature IS 'what the sums depend on; they are made anew when it changes';
COMMENT ON COLUMN recsys.experiment_state.failure IS 'why the last refresh has failed; NULL: it has not';
SELECT pg_catalog.pg_extension_config_dump('recsys.experiment_state', '');

CREATE TABLE recsys.experiment_unit (
	experiment text COLLATE "C" NOT NULL,
	unit text NOT NULL,
	first_time timestamptz NOT NULL,
	variant text COLLATE "C" NOT NULL,
	mixed boolean NOT NULL,
	segment text COLLATE "C",
	requests bigint NOT NULL,
	impressions bigint NOT NULL,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	clicked_requests bigint NOT NULL,
	latency bigint NOT NULL,
	timed_requests bigint NOT NULL,
	orders numeric NOT NULL,
	revenue numeric NOT NULL,
	all_orders bigint NOT NULL,
	all_revenue numeric NOT NULL,
	pre_requests bigint NOT NULL,
	pre_impressions bigint NOT NULL,
	pre_clicks bigint NOT NULL,
	pre_carts bigint NOT NULL,
	pre_clicked_requests bigint NOT NULL,
	pre_orders bigint NOT NULL,
	pre_revenue numeric NOT NULL,
	PRIMARY KEY (experiment, unit))
	WITH (fillfactor = 80);
ALTER TABLE recsys.experiment_unit OWNER TO @extowner@;
COMMENT ON TABLE recsys.experiment_unit IS 'what each unit of an experiment has done until the last closed day';
COMMENT ON COLUMN recsys.experiment_unit.experiment IS 'name of the experiment';
COMMENT ON COLUMN recsys.experiment_unit.unit IS 'user or session, as the log has it';
COMMENT ON COLUMN recsys.experiment_unit.first_time IS 'time of its first request';
COMMENT ON COLUMN recsys.experiment_unit.variant IS 'the variant that it has got';
COMMENT ON COLUMN recsys.experiment_unit.mixed IS 'it has got others, too, and counts for none';
COMMENT ON COLUMN recsys.experiment_unit.segment IS 'segment of its first request';
COMMENT ON COLUMN recsys.experiment_unit.requests IS 'requests';
COMMENT ON COLUMN recsys.experiment_unit.impressions IS 'items in their lists';
COMMENT ON COLUMN recsys.experiment_unit.clicks IS 'clicks on them';
COMMENT ON COLUMN recsys.experiment_unit.carts IS 'add-to-carts of them';
COMMENT ON COLUMN recsys.experiment_unit.clicked_requests IS 'requests with a click';
COMMENT ON COLUMN recsys.experiment_unit.latency IS 'microseconds that requests have taken';
COMMENT ON COLUMN recsys.experiment_unit.timed_requests IS 'requests of which that is known';
COMMENT ON COLUMN recsys.experiment_unit.orders IS 'purchases attributed to requests';
COMMENT ON COLUMN recsys.experiment_unit.revenue IS 'their amounts';
COMMENT ON COLUMN recsys.experiment_unit.all_orders IS 'purchases since the first request';
COMMENT ON COLUMN recsys.experiment_unit.all_revenue IS 'their amounts';
COMMENT ON COLUMN recsys.experiment_unit.pre_requests IS 'requests in the time before the first one';
COMMENT ON COLUMN recsys.experiment_unit.pre_impressions IS 'items in their lists';
COMMENT ON COLUMN recsys.experiment_unit.pre_clicks IS 'clicks on them, before the first request';
COMMENT ON COLUMN recsys.experiment_unit.pre_carts IS 'add-to-carts of them, before the first request';
COMMENT ON COLUMN recsys.experiment_unit.pre_clicked_requests IS 'requests of that time with a click';
COMMENT ON COLUMN recsys.experiment_unit.pre_orders IS 'purchases of that time';
COMMENT ON COLUMN recsys.experiment_unit.pre_revenue IS 'their amounts';
SELECT pg_catalog.pg_extension_config_dump('recsys.experiment_unit', '');

CREATE TABLE recsys.experiment_day (
	experiment text COLLATE "C" NOT NULL,
	day date NOT NULL,
	until timestamptz NOT NULL,
	closed boolean NOT NULL,
	mixed bigint NOT NULL,
	lacks_segments boolean NOT NULL,
	PRIMARY KEY (experiment, day));
ALTER TABLE recsys.experiment_day OWNER TO @extowner@;
COMMENT ON TABLE recsys.experiment_day IS 'the days whose sums are in recsys.experiment_sums; days are those of UTC';
COMMENT ON COLUMN recsys.experiment_day.experiment IS 'name of the experiment';
COMMENT ON COLUMN recsys.experiment_day.day IS 'the day';
COMMENT ON COLUMN recsys.experiment_day.until IS 'what happened before is in the sums';
COMMENT ON COLUMN recsys.experiment_day.closed IS 'the sums are final';
COMMENT ON COLUMN recsys.experiment_day.mixed IS 'units in several variants, which are left out';
COMMENT ON COLUMN recsys.experiment_day.lacks_segments IS 'there are too many segments to be summed';
SELECT pg_catalog.pg_extension_config_dump('recsys.experiment_day', '');

CREATE TABLE recsys.experiment_sums (
	experiment text COLLATE "C" NOT NULL,
	day date NOT NULL,
	segment text COLLATE "C" NOT NULL,
	variant text COLLATE "C" NOT NULL,
	metric text COLLATE "C" NOT NULL,
	units bigint NOT NULL,
	fresh bigint NOT NULL,
	sums double precision[] NOT NULL,
	PRIMARY KEY (experiment, day, segment, variant, metric));
ALTER TABLE recsys.experiment_sums OWNER TO @extowner@;
COMMENT ON TABLE recsys.experiment_sums IS 'sums over the units of an experiment from its start to the end of a day';
COMMENT ON COLUMN recsys.experiment_sums.experiment IS 'name of the experiment';
COMMENT ON COLUMN recsys.experiment_sums.day IS 'the day, of UTC';
COMMENT ON COLUMN recsys.experiment_sums.segment IS 'the segment; empty: all units';
COMMENT ON COLUMN recsys.experiment_sums.variant IS 'the variant';
COMMENT ON COLUMN recsys.experiment_sums.metric IS 'the metric';
COMMENT ON COLUMN recsys.experiment_sums.units IS 'units of the variant';
COMMENT ON COLUMN recsys.experiment_sums.fresh IS 'those that have come since shares were changed last';
COMMENT ON COLUMN recsys.experiment_sums.sums IS 'of value, denominator, and both from before: four sums, then those of their ten products';
SELECT pg_catalog.pg_extension_config_dump('recsys.experiment_sums', '');

CREATE FUNCTION recsys.experiment_results(
	name text,
	source text DEFAULT 'auto',
	at timestamptz DEFAULT NULL)
RETURNS TABLE (metric text, segment text, variant text, control text, users bigint, control_users bigint, value double precision, control_value double precision, lift double precision, lift_low double precision, lift_high double precision, difference double precision, ci_low double precision, ci_high double precision, p_value double precision, p_adjusted double precision, verdict text, sample_ratio_p double precision, is_primary boolean, is_guardrail boolean, method text, computed_from text, as_of timestamptz)
	AS 'MODULE_PATHNAME', 'recsys_experiment_results' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 20;
COMMENT ON FUNCTION recsys.experiment_results(text, text, timestamptz) IS 'what an experiment says: each metric of each variant beside that of the control, for all units and by segment';

CREATE FUNCTION recsys.experiment_history(name text)
RETURNS TABLE ("time" timestamptz, metric text, segment text, variant text, control text, users bigint, control_users bigint, value double precision, control_value double precision, lift double precision, lift_low double precision, lift_high double precision, difference double precision, ci_low double precision, ci_high double precision, p_value double precision, p_adjusted double precision, verdict text, sample_ratio_p double precision, is_primary boolean, is_guardrail boolean, method text)
	AS 'MODULE_PATHNAME', 'recsys_experiment_history' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 200;
COMMENT ON FUNCTION recsys.experiment_history(text) IS 'what an experiment said at the end of each day, from the sums that are kept';

CREATE FUNCTION recsys.refresh_experiment(name text, since timestamptz DEFAULT NULL)
RETURNS integer
	AS 'MODULE_PATHNAME', 'recsys_refresh_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 100000;
COMMENT ON FUNCTION recsys.refresh_experiment(text, timestamptz) IS 'brings the daily sums of an experiment up to date, those from a time on anew if it is given; returns how many days it has summed';

CREATE FUNCTION recsys.experiment_power(
	name text,
	effect double precision DEFAULT 0.05,
	power double precision DEFAULT 0.8,
	source text DEFAULT 'auto')
RETURNS TABLE (metric text, variant text, users bigint, users_a_day double precision, baseline double precision, deviation double precision, effect_asked double precision, power_now double precision, users_needed double precision, days_left double precision, detectable_effect double precision, is_primary boolean)
	AS 'MODULE_PATHNAME', 'recsys_experiment_power' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 10;
COMMENT ON FUNCTION recsys.experiment_power(text, double precision, double precision, text) IS 'how long an experiment has to go on to find an effect, given as a part of the control''s value, with that probability';

CREATE FUNCTION recsys.find_experiment_alerts()
RETURNS TABLE (experiment text, alert text, severity text, since timestamptz, detail text)
	AS 'MODULE_PATHNAME', 'recsys_experiment_alerts' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 10;
COMMENT ON FUNCTION recsys.find_experiment_alerts() IS 'what recsys.experiment_alerts shows';

CREATE VIEW recsys.experiment_alerts AS
	SELECT experiment, alert, severity, since, detail FROM recsys.find_experiment_alerts();
COMMENT ON VIEW recsys.experiment_alerts IS 'what is wrong with the experiments that you own; no row: nothing';
COMMENT ON COLUMN recsys.experiment_alerts.experiment IS 'name of the experiment; NULL: the log as a whole';
COMMENT ON COLUMN recsys.experiment_alerts.alert IS 'sample ratio mismatch, guardrail worse, units in two variants, logging gap, events without request, latency missing, past its size, too many segments, no results, refresh failed, not refreshed';
COMMENT ON COLUMN recsys.experiment_alerts.severity IS 'error: do not trust it, or stop it; warning: look at it; info';
COMMENT ON COLUMN recsys.experiment_alerts.since IS 'since when; NULL: not known';
COMMENT ON COLUMN recsys.experiment_alerts.detail IS 'the figures';
GRANT SELECT ON recsys.experiment_alerts TO PUBLIC;
