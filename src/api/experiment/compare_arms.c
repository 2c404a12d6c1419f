/*
 * compare_arms.c
 *	  recsys.compare_means() and its kin: two arms of an experiment from their counts and sums.
 *
 * For experiments whose data are elsewhere, or in tables that nothing here knows.  The functions
 * read no table; the statistics are core/decide/armtest.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/arguments.h"
#include "api/experiment/armsums.h"
#include "api/experiment/testarguments.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(recsys_compare_means);
PG_FUNCTION_INFO_V1(recsys_compare_proportions);
PG_FUNCTION_INFO_V1(recsys_compare_ratios);
PG_FUNCTION_INFO_V1(recsys_compare_arms);

/* An arm's arguments from that one on: units, sum, and sum of squares of the values */
static void
read_mean(FunctionCallInfo fcinfo, int first, RecsysArmSums *sums)
{
	memset(sums, 0, sizeof(RecsysArmSums));
	sums->units = (double) PG_GETARG_INT64(first);
	sums->sum[0] = RecsysArgFinite(fcinfo, first + 1, "a sum");
	sums->product[0][0] = RecsysArgFinite(fcinfo, first + 2, "a sum of squares");
}

Datum
recsys_compare_means(PG_FUNCTION_ARGS)
{
	RecsysArmTestOptions options = {.kind = RECSYS_METRIC_MEAN};
	RecsysArmSums control;
	RecsysArmSums treatment;

	RecsysArgTestOptions(fcinfo, 6, &options);
	if (RecsysArgsNull(fcinfo, 0, 6))
		PG_RETURN_NULL();
	read_mean(fcinfo, 0, &control);
	read_mean(fcinfo, 3, &treatment);
	PG_RETURN_DATUM(RecsysArmTestRow(fcinfo, &control, &treatment, &options));
}

static void
read_proportion(FunctionCallInfo fcinfo, int first, const char *arm, RecsysArmSums *sums)
{
	int64		units = PG_GETARG_INT64(first);
	int64		successes = PG_GETARG_INT64(first + 1);

	if (successes < 0 || successes > units)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the successes of the %s must be between 0 and its units", arm)));
	memset(sums, 0, sizeof(RecsysArmSums));
	sums->units = (double) units;
	sums->sum[0] = sums->product[0][0] = (double) successes;
}

Datum
recsys_compare_proportions(PG_FUNCTION_ARGS)
{
	RecsysArmTestOptions options = {.kind = RECSYS_METRIC_PROPORTION};
	RecsysArmSums control;
	RecsysArmSums treatment;

	RecsysArgTestOptions(fcinfo, 4, &options);
	if (RecsysArgsNull(fcinfo, 0, 4))
		PG_RETURN_NULL();
	read_proportion(fcinfo, 0, "control", &control);
	read_proportion(fcinfo, 2, "treatment", &treatment);
	PG_RETURN_DATUM(RecsysArmTestRow(fcinfo, &control, &treatment, &options));
}

/* Units; sum and sum of squares of the values, of the denominators; sum of their products */
static void
read_ratio(FunctionCallInfo fcinfo, int first, RecsysArmSums *sums)
{
	read_mean(fcinfo, first, sums);
	sums->sum[1] = RecsysArgFinite(fcinfo, first + 3, "a sum of denominators");
	sums->product[1][1] = RecsysArgFinite(fcinfo, first + 4, "a sum of squares of denominators");
	sums->product[0][1] = sums->product[1][0] = RecsysArgFinite(fcinfo, first + 5, "a sum of products");
}

Datum
recsys_compare_ratios(PG_FUNCTION_ARGS)
{
	RecsysArmTestOptions options = {.kind = RECSYS_METRIC_RATIO};
	RecsysArmSums control;
	RecsysArmSums treatment;

	RecsysArgTestOptions(fcinfo, 12, &options);
	if (RecsysArgsNull(fcinfo, 0, 12))
		PG_RETURN_NULL();
	read_ratio(fcinfo, 0, &control);
	read_ratio(fcinfo, 6, &treatment);
	PG_RETURN_DATUM(RecsysArmTestRow(fcinfo, &control, &treatment, &options));
}

/*
 * Two results of recsys.arm_sums.  No result is an arm without units: the aggregate has been over
 * no rows, which a filter can bring about.
 */
Datum
recsys_compare_arms(PG_FUNCTION_ARGS)
{
	RecsysArmTestOptions options = {.kind = RecsysArgMetricKind(fcinfo, 2)};
	RecsysArmSums control;
	RecsysArmSums treatment;

	options.adjusted = RecsysArgFlag(fcinfo, 3, "adjusted");
	RecsysArgTestOptions(fcinfo, 4, &options);
	RecsysArgArmSums(fcinfo, 0, "control_sums", &control);
	RecsysArgArmSums(fcinfo, 1, "treatment_sums", &treatment);
	PG_RETURN_DATUM(RecsysArmTestRow(fcinfo, &control, &treatment, &options));
}
