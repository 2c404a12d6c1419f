/*
 * check_experiment.c
 *	  recsys.sample_ratio_test(), recsys.adjust_p_values(), recsys.normal_mixture_bound(): what
 *	  experiments elsewhere need beside the comparison of two arms.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/arguments.h"
#include "api/experiment/testarguments.h"
#include "catalog/pg_type.h"
#include "core/decide/confseq.h"
#include "core/decide/multiplicity.h"
#include "core/decide/sampleratio.h"
#include "fmgr.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(recsys_sample_ratio_test);
PG_FUNCTION_INFO_V1(recsys_adjust_p_values);
PG_FUNCTION_INFO_V1(recsys_normal_mixture_bound);

/* Elements of an array of one dimension as numbers, NaN for NULL */
static double *
read_numbers(ArrayType *array, Oid type, const char *name, int *n)
{
	Datum	   *elements;
	bool	   *isnull;
	double	   *numbers;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of one dimension", name)));
	deconstruct_array(array, type, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &isnull, n);
	numbers = palloc(sizeof(double) * Max(*n, 1));
	for (int x = 0; x < *n; x++)
	{
		if (isnull[x])
			numbers[x] = NAN;
		else
			numbers[x] = type == INT8OID ? (double) DatumGetInt64(elements[x]) : DatumGetFloat8(elements[x]);
	}
	return numbers;
}

/* Errors out unless all of them are numbers that are not negative. */
static void
check_counts(const double *numbers, int n, const char *name)
{
	for (int x = 0; x < n; x++)
		if (!(numbers[x] >= 0 && isfinite(numbers[x])))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must not be negative, NULL, or infinite", name)));
}

Datum
recsys_sample_ratio_test(PG_FUNCTION_ARGS)
{
	double	   *counts;
	double	   *shares;
	int			n;
	int			nshares;
	double		figures[3];
	int			arms = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	counts = read_numbers(PG_GETARG_ARRAYTYPE_P(0), INT8OID, "counts", &n);
	check_counts(counts, n, "counts");
	if (PG_ARGISNULL(1))
	{
		shares = palloc(sizeof(double) * Max(n, 1));
		nshares = n;
		for (int x = 0; x < n; x++)
			shares[x] = 1;
	}
	else
		shares = read_numbers(PG_GETARG_ARRAYTYPE_P(1), FLOAT8OID, "shares", &nshares);
	check_counts(shares, nshares, "shares");
	if (n != nshares)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there must be as many shares as counts"),
				 errdetail("There are %d counts and %d shares.", n, nshares)));
	for (int x = 0; x < n; x++)
		arms += shares[x] > 0;
	figures[0] = RecsysSampleRatio(counts, shares, n, &figures[2]);
	figures[1] = isnan(figures[0]) ? NAN : arms - 1;
	PG_RETURN_DATUM(RecsysFigureRow(fcinfo, figures, lengthof(figures)));
}

Datum
recsys_adjust_p_values(PG_FUNCTION_ARGS)
{
	char	   *correction = RecsysArgQuery(fcinfo, 1, "correction");
	ArrayType  *array;
	double	   *p_values;
	Datum	   *elements;
	bool	   *isnull;
	int			n;
	int			dims[1];
	int			lbs[1] = {1};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	array = PG_GETARG_ARRAYTYPE_P(0);
	p_values = read_numbers(array, FLOAT8OID, "p_values", &n);
	for (int x = 0; x < n; x++)
		if (p_values[x] < 0 || p_values[x] > 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("p-values must be between 0 and 1")));
	if (strcmp(correction, "holm") == 0)
		RecsysHolm(p_values, n);
	else if (strcmp(correction, "benjamini_hochberg") == 0)
		RecsysBenjaminiHochberg(p_values, n);
	else if (strcmp(correction, "none") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown correction \"%s\"", correction),
				 errhint("Corrections are holm, benjamini_hochberg, and none.")));
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(FLOAT8OID));
	elements = palloc(sizeof(Datum) * n);
	isnull = palloc(sizeof(bool) * n);
	for (int x = 0; x < n; x++)
	{
		isnull[x] = isnan(p_values[x]);
		elements[x] = Float8GetDatum(p_values[x]);
	}
	dims[0] = n;
	PG_RETURN_ARRAYTYPE_P(construct_md_array(elements, isnull, 1, dims, lbs, FLOAT8OID, sizeof(float8),
											 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum
recsys_normal_mixture_bound(PG_FUNCTION_ARGS)
{
	double		v = RecsysArgDouble(fcinfo, 0, "v", 0, 1e300);
	double		v_opt = RecsysArgDouble(fcinfo, 1, "v_opt", 1e-300, 1e300);
	double		alpha = RecsysArgDouble(fcinfo, 2, "alpha", 1e-9, 0.49);
	RecsysSides sides = RecsysArgFlag(fcinfo, 3, "one_sided") ? RECSYS_ONE_SIDE : RECSYS_TWO_SIDES;

	PG_RETURN_FLOAT8(RecsysMixtureBound(v, RecsysMixtureRho(v_opt, alpha, sides), alpha, sides));
}
