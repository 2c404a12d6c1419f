/*
 * From 0.1.0 to 0.2.0.  What changed of a function's result has to be dropped and
 * created again; all else is replaced.  test/t/021_versions.pl sees to it that an
 * upgraded database and a new one are the same.
 */

-- complain if the script is sourced in psql rather than run by ALTER EXTENSION
\echo Use "ALTER EXTENSION recsys UPDATE" to load this file. \quit

-- tune: models that cannot be trained are rows with the reason
DROP FUNCTION recsys.tune(text, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean);
DROP FUNCTION recsys.tune(regclass, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean);

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
	training_ms double precision, evaluation_ms double precision, users bigint, model text, command text, problem text)
	AS 'MODULE_PATHNAME', 'recsys_tune' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 40;
COMMENT ON FUNCTION recsys.tune(text, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean)
	IS 'tries models and their options on held-out interactions, within a number of trials and a time; best first, each with the command that makes it an index; models that cannot be trained come last, value NULL, with the reason as problem';

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
	training_ms double precision, evaluation_ms double precision, users bigint, model text, command text, problem text)
	AS 'MODULE_PATHNAME', 'recsys_tune_index' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 40;
COMMENT ON FUNCTION recsys.tune(regclass, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean)
	IS 'the same for the interactions of a recsys index';
