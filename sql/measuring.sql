/*
 * Measuring quality: see README, "Measuring quality", for every metric's formula
 * and source.
 */
CREATE FUNCTION recsys.evaluate(
	query text,
	model text DEFAULT '',
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	k integer[] DEFAULT '{10,20}',
	metrics text[] DEFAULT NULL,
	segments text DEFAULT NULL,
	categories text DEFAULT NULL,
	sellers text DEFAULT NULL,
	new_items text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	verbose boolean DEFAULT false,
	task text DEFAULT NULL)
RETURNS TABLE (metric text, k integer, segment text, value double precision, ci_low double precision, ci_high double precision, users bigint,
	popular_value double precision, p_popular double precision)
	AS 'MODULE_PATHNAME', 'recsys_evaluate' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.evaluate(text, text, text, double precision, integer, timestamptz, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean, text)
	IS 'quality of a model that is trained on one part of a query''s interactions and asked for the others: accuracy, coverage, diversity, novelty, with bootstrap intervals, beside the same of a list of bestsellers';

CREATE FUNCTION recsys.evaluate_recommender(
	recommender text,
	test text,
	k integer[] DEFAULT '{10,20}',
	metrics text[] DEFAULT NULL,
	segments text DEFAULT NULL,
	categories text DEFAULT NULL,
	sellers text DEFAULT NULL,
	new_items text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	verbose boolean DEFAULT false)
RETURNS TABLE (metric text, k integer, segment text, value double precision, ci_low double precision, ci_high double precision, users bigint,
	popular_value double precision, p_popular double precision)
	AS 'MODULE_PATHNAME', 'recsys_evaluate_recommender' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.evaluate_recommender(text, text, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean)
	IS 'quality of what an index recommends, measured on interactions that it does not know yet, beside the same of a list of bestsellers';

CREATE FUNCTION recsys.compare(
	query text,
	model_a text,
	model_b text,
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	k integer[] DEFAULT '{10,20}',
	metrics text[] DEFAULT NULL,
	segments text DEFAULT NULL,
	categories text DEFAULT NULL,
	sellers text DEFAULT NULL,
	new_items text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	verbose boolean DEFAULT false,
	task text DEFAULT NULL)
RETURNS TABLE (metric text, k integer, segment text, value_a double precision, value_b double precision,
	difference double precision, ci_low double precision, ci_high double precision,
	p_bootstrap double precision, p_wilcoxon double precision, p_t double precision, users bigint,
	popular_value double precision, p_popular_a double precision, p_popular_b double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.compare(text, text, text, text, double precision, integer, timestamptz, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean, text)
	IS 'two models on the same held-out interactions, user by user: differences (b - a) with bootstrap intervals and the p-values of paired tests, beside a list of bestsellers';

CREATE FUNCTION recsys.tune(
	query text,
	metric text DEFAULT 'ndcg',
	k integer DEFAULT 10,
	trials integer DEFAULT 40,
	time_limit interval DEFAULT '10 minutes',
	models text[] DEFAULT NULL,
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	verbose boolean DEFAULT false)
RETURNS TABLE (rank integer, value double precision, ci_low double precision, ci_high double precision,
	training_ms double precision, evaluation_ms double precision, users bigint, model text, command text, problem text,
	p_popular double precision, honest_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_tune' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 40;
COMMENT ON FUNCTION recsys.tune(text, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean)
	IS 'tries models and their options on held-out interactions, within a number of trials and a time; those measured in full, best first, each with the command that makes it an index, bestsellers among them; models that cannot be trained come last, value NULL, with the reason as problem';

CREATE FUNCTION recsys.tune(
	index regclass,
	metric text DEFAULT 'ndcg',
	k integer DEFAULT 10,
	trials integer DEFAULT 40,
	time_limit interval DEFAULT '10 minutes',
	models text[] DEFAULT NULL,
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	verbose boolean DEFAULT false)
RETURNS TABLE (rank integer, value double precision, ci_low double precision, ci_high double precision,
	training_ms double precision, evaluation_ms double precision, users bigint, model text, command text, problem text,
	p_popular double precision, honest_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_tune_index' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 40;
COMMENT ON FUNCTION recsys.tune(regclass, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean)
	IS 'the same for the interactions of a recsys index';

CREATE FUNCTION recsys.holdout(
	query text,
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	seed bigint DEFAULT 0,
	task text DEFAULT NULL)
RETURNS TABLE (user_id text, item_id text)
	AS 'MODULE_PATHNAME', 'recsys_holdout' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000;
COMMENT ON FUNCTION recsys.holdout(text, text, double precision, integer, timestamptz, boolean, bigint, text)
	IS 'the pairs of user and item that recsys.evaluate, compare and tune hold out with the same arguments, keys as text';
