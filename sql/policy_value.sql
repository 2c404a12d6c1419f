/*
 * What a policy would have been worth
 */
CREATE FUNCTION recsys.off_policy_estimate(
	query text,
	estimators text[] DEFAULT NULL,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	clip double precision DEFAULT NULL,
	interval_method text DEFAULT 'bootstrap',
	by_position boolean DEFAULT false,
	per_request boolean DEFAULT false,
	min_effective double precision DEFAULT 30)
RETURNS TABLE (estimator text, "position" integer, value double precision, ci_low double precision, ci_high double precision,
	ci_method text, effective_rows double precision, rows bigint, requests bigint, units bigint, mean_weight double precision,
	largest_share double precision, clip_used double precision, bias_bound double precision, status text)
	AS 'MODULE_PATHNAME', 'recsys_off_policy_estimate' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 9;
COMMENT ON FUNCTION recsys.off_policy_estimate(text, text[], double precision, integer, bigint, double precision, text, boolean, boolean, double precision)
	IS 'what a policy would have been worth, from a query that returns what another one has shown: reward, propensity, target_probability and more, by their names';

/* lists of today, by the functions of this extension whatever the search path; with the rights of who calls */
CREATE FUNCTION recsys.off_policy_list(user_id text, k bigint, recommender text, exclude_seen boolean)
RETURNS TABLE (item_id text, rank integer)
	LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000 ROWS 10
BEGIN ATOMIC
	SELECT r.item_id, r.rank
	FROM recommend(user_id => $1, k => $2, recommender => $3, item_type => NULL::text, exclude_seen => $4, half_life => NULL::interval) r
	ORDER BY r.rank;
END;
COMMENT ON FUNCTION recsys.off_policy_list(text, bigint, text, boolean) IS 'what recommend answers to a user whose key is given as text; recsys.off_policy_value asks it';

CREATE FUNCTION recsys.off_policy_value(
	recommender text,
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	metric text DEFAULT 'ctr',
	k integer DEFAULT 10,
	estimators text[] DEFAULT NULL,
	max_requests integer DEFAULT 10000,
	logged_by text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	clip double precision DEFAULT NULL,
	interval_method text DEFAULT 'bootstrap',
	by_position boolean DEFAULT false,
	min_effective double precision DEFAULT 30)
RETURNS TABLE (estimator text, "position" integer, value double precision, ci_low double precision, ci_high double precision,
	ci_method text, effective_rows double precision, rows bigint, requests bigint, units bigint, mean_weight double precision,
	largest_share double precision, clip_used double precision, bias_bound double precision, status text)
	AS 'MODULE_PATHNAME', 'recsys_off_policy_value' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 9;
COMMENT ON FUNCTION recsys.off_policy_value(text, timestamptz, timestamptz, text, integer, text[], integer, text, boolean, double precision, integer, bigint, double precision, text, boolean, double precision)
	IS 'what a recommender would have been worth in the place of those that were logged: by its own lists where it was an arm of an experiment or a bandit, else place by place with its lists of today';
