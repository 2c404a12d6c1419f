/*
 * Statistics of experiments, from counts and sums: for those that run elsewhere, and for planning
 * those that run here.  No function reads a table; what cannot be said is NULL.
 */
CREATE FUNCTION recsys.compare_means(
	control_units bigint,
	control_sum double precision,
	control_sum_squares double precision,
	treatment_units bigint,
	treatment_sum double precision,
	treatment_sum_squares double precision,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	expected_units double precision DEFAULT 5000,
	OUT control double precision, OUT treatment double precision, OUT difference double precision,
	OUT ci_low double precision, OUT ci_high double precision, OUT standard_error double precision, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare_means' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.compare_means(bigint, double precision, double precision, bigint, double precision, double precision, boolean, text, double precision, double precision)
	IS 'means of two arms from their units, sums, and sums of squares: the lift of the treatment over the control or, with relative => false, the difference, by which to decide, with an interval and a p-value; sequential ones hold however often you look, fixed ones for one look';

CREATE FUNCTION recsys.compare_proportions(
	control_units bigint,
	control_successes bigint,
	treatment_units bigint,
	treatment_successes bigint,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	expected_units double precision DEFAULT 5000,
	OUT control double precision, OUT treatment double precision, OUT difference double precision,
	OUT ci_low double precision, OUT ci_high double precision, OUT standard_error double precision, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare_proportions' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.compare_proportions(bigint, bigint, bigint, bigint, boolean, text, double precision, double precision)
	IS 'proportions of two arms from their units and how many of them succeeded: the lift of the treatment over the control or, with relative => false, the difference, by which to decide, with an interval and a p-value; sequential ones hold however often you look, fixed ones for one look';

CREATE FUNCTION recsys.compare_ratios(
	control_units bigint,
	control_sum double precision,
	control_sum_squares double precision,
	control_denominator_sum double precision,
	control_denominator_sum_squares double precision,
	control_product_sum double precision,
	treatment_units bigint,
	treatment_sum double precision,
	treatment_sum_squares double precision,
	treatment_denominator_sum double precision,
	treatment_denominator_sum_squares double precision,
	treatment_product_sum double precision,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	expected_units double precision DEFAULT 5000,
	OUT control double precision, OUT treatment double precision, OUT difference double precision,
	OUT ci_low double precision, OUT ci_high double precision, OUT standard_error double precision, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare_ratios' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.compare_ratios(bigint, double precision, double precision, double precision, double precision, double precision, bigint, double precision, double precision, double precision, double precision, double precision, boolean, text, double precision, double precision)
	IS 'ratios of two arms (clicks by impressions) whose units have a value and a denominator each, by the delta method: the lift of the treatment over the control or, with relative => false, the difference, by which to decide, with an interval and a p-value; sequential ones hold however often you look, fixed ones for one look';

CREATE FUNCTION recsys.compare_arms(
	control_sums double precision[],
	treatment_sums double precision[],
	kind text DEFAULT 'mean',
	adjusted boolean DEFAULT false,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	expected_units double precision DEFAULT 5000,
	OUT control double precision, OUT treatment double precision, OUT difference double precision,
	OUT ci_low double precision, OUT ci_high double precision, OUT standard_error double precision, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare_arms' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.compare_arms(double precision[], double precision[], text, boolean, boolean, text, double precision, double precision)
	IS 'two results of recsys.arm_sums as means, proportions, or ratios, adjusted by the values from before the experiment if you wish (CUPED): the lift of the treatment over the control or, with relative => false, the difference, by which to decide, with an interval and a p-value; sequential ones hold however often you look, fixed ones for one look';

CREATE FUNCTION recsys.arm_sums_combine(double precision[], double precision[])
RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'recsys_arm_sums_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION recsys.arm_sums_combine(double precision[], double precision[])
	IS 'two results of recsys.arm_sums over different units, such as those of two days'' newcomers, as one';

CREATE FUNCTION recsys.arm_sums_add(double precision[], double precision)
RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'recsys_arm_sums_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION recsys.arm_sums_add(double precision[], double precision)
	IS 'transition of the aggregate recsys.arm_sums';
CREATE AGGREGATE recsys.arm_sums(value double precision) (
	SFUNC = recsys.arm_sums_add,
	STYPE = double precision[],
	INITCOND = '{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}',
	COMBINEFUNC = recsys.arm_sums_combine,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE recsys.arm_sums(double precision)
	IS 'units, sums, and sums of products of an arm, from a row a unit, for recsys.compare_arms: of a mean or proportion';

CREATE FUNCTION recsys.arm_sums_add(double precision[], double precision, double precision)
RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'recsys_arm_sums_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION recsys.arm_sums_add(double precision[], double precision, double precision)
	IS 'transition of the aggregate recsys.arm_sums';
CREATE AGGREGATE recsys.arm_sums(value double precision, denominator double precision) (
	SFUNC = recsys.arm_sums_add,
	STYPE = double precision[],
	INITCOND = '{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}',
	COMBINEFUNC = recsys.arm_sums_combine,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE recsys.arm_sums(double precision, double precision)
	IS 'units, sums, and sums of products of an arm, from a row a unit, for recsys.compare_arms: of a ratio';

CREATE FUNCTION recsys.arm_sums_add(double precision[], double precision, double precision, double precision, double precision)
RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'recsys_arm_sums_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION recsys.arm_sums_add(double precision[], double precision, double precision, double precision, double precision)
	IS 'transition of the aggregate recsys.arm_sums';
CREATE AGGREGATE recsys.arm_sums(value double precision, denominator double precision, value_before double precision, denominator_before double precision) (
	SFUNC = recsys.arm_sums_add,
	STYPE = double precision[],
	INITCOND = '{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}',
	COMBINEFUNC = recsys.arm_sums_combine,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE recsys.arm_sums(double precision, double precision, double precision, double precision)
	IS 'units, sums, and sums of products of an arm, from a row a unit, for recsys.compare_arms: of a mean, proportion, or ratio that is adjusted by the time before the experiment; denominators are NULL of what has none';

CREATE FUNCTION recsys.sample_ratio_test(
	counts bigint[],
	shares double precision[] DEFAULT NULL,
	OUT chi_square double precision, OUT degrees integer, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_sample_ratio_test' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.sample_ratio_test(bigint[], double precision[])
	IS 'whether arms have as many units as their shares say (NULL: equal shares), by Pearson''s chi-square; below 0.001 something is wrong with the assignment or the log, and no other figure can be trusted';

CREATE FUNCTION recsys.adjust_p_values(
	p_values double precision[],
	correction text DEFAULT 'holm')
RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'recsys_adjust_p_values' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.adjust_p_values(double precision[], text)
	IS 'p-values of many comparisons, adjusted so that you may look at all of them: holm bounds the chance of any false alarm, benjamini_hochberg the share of false alarms among the alarms; NULL stays and does not count';

CREATE FUNCTION recsys.normal_mixture_bound(
	v double precision,
	v_opt double precision,
	alpha double precision DEFAULT 0.05,
	one_sided boolean DEFAULT false)
RETURNS double precision
	AS 'MODULE_PATHNAME', 'recsys_normal_mixture_bound' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.normal_mixture_bound(double precision, double precision, double precision, boolean)
	IS 'how far a sum of variance v may be from its expectation, at all times together, with probability 1 - alpha; tightest near v_opt (Howard et al. 2021)';

CREATE FUNCTION recsys.sample_size(
	baseline double precision,
	effect double precision,
	kind text DEFAULT 'proportion',
	deviation double precision DEFAULT NULL,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	treatment_share double precision DEFAULT 0.5,
	expected_units double precision DEFAULT NULL,
	power double precision DEFAULT 0.8,
	units_per_day double precision DEFAULT NULL,
	OUT control_units bigint, OUT treatment_units bigint, OUT units bigint, OUT days bigint)
	AS 'MODULE_PATHNAME', 'recsys_sample_size' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION recsys.sample_size(double precision, double precision, text, double precision, boolean, text, double precision, double precision, double precision, double precision, double precision)
	IS 'units that it takes to find an effect (a lift, unless relative is false) over the control''s baseline with that power, and days if units_per_day come; NULL if no number will do';

CREATE FUNCTION recsys.detectable_effect(
	baseline double precision,
	units bigint,
	kind text DEFAULT 'proportion',
	deviation double precision DEFAULT NULL,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	treatment_share double precision DEFAULT 0.5,
	expected_units double precision DEFAULT NULL,
	power double precision DEFAULT 0.8)
RETURNS double precision
	AS 'MODULE_PATHNAME', 'recsys_detectable_effect' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION recsys.detectable_effect(double precision, bigint, text, double precision, boolean, text, double precision, double precision, double precision, double precision)
	IS 'the least effect above 0 (a lift, unless relative is false) that units of both arms together find with that power; NULL if they find none';

CREATE FUNCTION recsys.test_power(
	baseline double precision,
	effect double precision,
	units bigint,
	kind text DEFAULT 'proportion',
	deviation double precision DEFAULT NULL,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	treatment_share double precision DEFAULT 0.5,
	expected_units double precision DEFAULT NULL)
RETURNS double precision
	AS 'MODULE_PATHNAME', 'recsys_test_power' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION recsys.test_power(double precision, double precision, bigint, text, double precision, boolean, text, double precision, double precision, double precision)
	IS 'chance that units of both arms together find an effect (a lift, unless relative is false) over the control''s baseline';
