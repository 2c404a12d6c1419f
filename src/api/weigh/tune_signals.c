/*
 * tune_signals.c
 *	  recsys.tune_signals(): which weights of its signals serve a declared recommender's users best.
 *
 * Each answer is a set of weights with what it is worth on the users asked, and the command that takes
 * it over: the best ones that were found, those that are declared, the best ones without each of
 * the signals, and the first signal alone.  So it says what a signal is good for, too.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/declare/shop.h"
#include "api/operate/queryanswer.h"
#include "api/weigh/weighedsignals.h"
#include "api/weigh/weightsearch.h"
#include "catalog/pg_type.h"
#include "core/measure/resample.h"
#include "core/measure/significance.h"
#include "fmgr.h"
#include "source/input/runas.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(recsys_tune_signals);

#define COLUMNS 10

/* Arguments */
enum
{
	RECOMMENDER, METRIC, K, USERS, SEED
};

#define MOST_USERS 10000000
#define CONFIDENCE 0.95
#define RESAMPLES 1000

/* A set of weights that is reported */
typedef struct Weighing
{
	const char *what;
	double	   *weights;
	double	   *figures;
	double		honest;			/* NaN: not chosen by the users */
	RecsysMean	mean;
} Weighing;

typedef struct Tuning
{
	RecsysShop *shop;
	RecsysSignalSample sample;
	RecsysWeightSearch search;
	uint64		seed;
	Weighing   *rows;
	int			count;
} Tuning;

static RecsysMetric
read_metric(FunctionCallInfo fcinfo)
{
	char	   *name = RecsysArgQuery(fcinfo, METRIC, "metric");
	RecsysMetric metric;

	if (!RecsysMetricParse(name, &metric) || !RecsysWeightsHaveMetric(metric))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("signals cannot be weighed by metric \"%s\"", name),
				 errhint("Metrics of which more is better are recall, recall_capped, precision, hit_rate, ndcg, mrr, map.")));
	return metric;
}

static double *
declared_weights(const RecsysDefinition *definition)
{
	double	   *weights = palloc(sizeof(double) * definition->nsignals);

	for (int s = 0; s < definition->nsignals; s++)
		weights[s] = fabs(definition->signals[s].weight);
	return weights;
}

static bool
is_there(const Tuning *tuning, const double *weights)
{
	for (int x = 0; x < tuning->count; x++)
		if (memcmp(tuning->rows[x].weights, weights, sizeof(double) * tuning->sample.nsignals) == 0)
			return true;
	return false;
}

/* Another row, unless there is one of the same weights. */
static void
add(Tuning *tuning, const char *what, const double *weights, double honest)
{
	Weighing   *row = &tuning->rows[tuning->count];
	Size		size = sizeof(double) * tuning->sample.nsignals;
	RecsysSample sample = {.ncolumns = 1,.nrows = tuning->sample.nusers};
	RecsysResampling resampling = {RESAMPLES, CONFIDENCE, tuning->seed, 0};

	if (is_there(tuning, weights))
		return;
	row->what = what;
	row->weights = palloc(size);
	memcpy(row->weights, weights, size);
	row->figures = RecsysWeightFigures(&tuning->search, weights);
	row->honest = honest;
	sample.table = row->figures;
	RecsysBootstrap(&sample, &resampling, &row->mean);
	tuning->count++;
}

/* The best weights, and what they are worth to users who have not chosen them */
static void
add_learned(Tuning *tuning, const double *declared)
{
	int			n = tuning->sample.nsignals;
	double	   *weights = palloc(sizeof(double) * n);
	double	   *figures;

	memcpy(weights, declared, sizeof(double) * n);
	RecsysSearchWeights(&tuning->search, weights);
	figures = RecsysCrossfitFigures(tuning->search.crossfit);
	add(tuning, "learned", weights, RecsysMeanFigure(figures, tuning->sample.nusers));
	for (int s = 1; s < n; s++)
	{
		double		weight = weights[s];

		weights[s] = 0;
		add(tuning, psprintf("without %s", tuning->shop->definition->signals[s].label), weights, NAN);
		weights[s] = weight;
	}
	memset(weights + 1, 0, sizeof(double) * (n - 1));
	add(tuning, "the first signal alone", weights, NAN);
}

static int
compare_rows(const void *a, const void *b)
{
	const Weighing *left = a;
	const Weighing *right = b;

	if (left->mean.mean != right->mean.mean)
		return left->mean.mean > right->mean.mean ? -1 : 1;
	return strcmp(left->what, right->what);
}

/* How likely it is that the weights are no better than those that are declared */
static double
p_value(const Tuning *tuning, const Weighing *row, const double *declared)
{
	int			n = tuning->sample.nusers;
	double	   *differences = palloc_extended(sizeof(double) * (Size) Max(n, 1), MCXT_ALLOC_HUGE);
	double		p;

	for (int x = 0; x < n; x++)
		differences[x] = row->figures[x] - declared[x];
	p = RecsysPairedT(differences, n);
	pfree(differences);
	return p;
}

static void
put_number(double value, Datum *datum, bool *isnull)
{
	*isnull = isnan(value);
	*datum = Float8GetDatum(value);
}

static void
put_rows(const Tuning *tuning, RecsysAnswer *answer)
{
	const char *name = tuning->shop->definition->name;
	const double *declared = NULL;

	for (int x = 0; x < tuning->count; x++)
		if (strcmp(tuning->rows[x].what, "declared") == 0)
			declared = tuning->rows[x].figures;
	for (int x = 0; x < tuning->count; x++)
	{
		const Weighing *row = &tuning->rows[x];
		Jsonb	   *signals = RecsysSignalsWithWeights(tuning->shop, row->weights);
		Datum		values[COLUMNS];
		bool		isnull[COLUMNS] = {false};

		values[0] = Int32GetDatum(x + 1);
		put_number(row->mean.mean, &values[1], &isnull[1]);
		put_number(row->mean.low, &values[2], &isnull[2]);
		put_number(row->mean.high, &values[3], &isnull[3]);
		values[4] = Int64GetDatum(tuning->sample.nusers);
		values[5] = CStringGetTextDatum(row->what);
		values[6] = JsonbPGetDatum(signals);
		isnull[7] = row->figures == declared;
		values[7] = isnull[7] ? (Datum) 0 :
			CStringGetTextDatum(psprintf("SELECT recsys.alter_recommender(%s, signals => %s);",
										 quote_literal_cstr(name),
										 quote_literal_cstr(JsonbToCString(NULL, &signals->root, VARSIZE(signals)))));
		put_number(row->figures == declared ? NAN : p_value(tuning, row, declared), &values[8], &isnull[8]);
		put_number(row->honest, &values[9], &isnull[9]);
		RecsysAnswerPut(answer, values, isnull);
	}
}

static void
check_sample(const Tuning *tuning)
{
	const RecsysDefinition *definition = tuning->shop->definition;

	if (tuning->sample.nusers == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" has no users to weigh its signals by", definition->name),
				 errdetail("A user needs an item of the first signal, which is held out, and something else before it.")));
	if (tuning->sample.is_cut)
		ereport(WARNING,
				(errmsg("there was no room for more than %d users", tuning->sample.nusers),
				 errhint("Raise maintenance_work_mem.")));
}

static void
need_signals(const RecsysDefinition *definition)
{
	if (definition->nsignals < 2)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" has a single signal", definition->name),
				 errhint("Declare others beside it by recsys.alter_recommender, views that predict purchases for one.")));
}

/* With the owner's rights, as all that is declared is run by a refresh. */
static void
tune(Tuning *tuning, int users, Oid owner)
{
	RecsysRights before;
	double	   *declared;

	RecsysBeginAs(owner, &before);
	RecsysReadSignalSample(tuning->shop, users, tuning->search.k, tuning->seed, &tuning->sample);
	RecsysEndAs(&before);
	check_sample(tuning);
	declared = declared_weights(tuning->shop->definition);
	tuning->search.sample = &tuning->sample;
	tuning->search.crossfit = RecsysCrossfitCreate(tuning->sample.nusers, NULL);
	tuning->rows = palloc0(sizeof(Weighing) * (tuning->sample.nsignals + 3));
	add(tuning, "declared", declared, NAN);
	add_learned(tuning, declared);
	qsort(tuning->rows, tuning->count, sizeof(Weighing), compare_rows);
}

Datum
recsys_tune_signals(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	Tuning		tuning = {0};
	const char *name = RecsysArgText(fcinfo, RECOMMENDER);
	Oid			owner;
	int			users;

	RecsysAnswerInit(&answer, fcinfo);
	tuning.search.metric = read_metric(fcinfo);
	tuning.search.k = RecsysArgInteger(fcinfo, K, "k", 1, 1000);
	users = RecsysArgInteger(fcinfo, USERS, "users", 1, MOST_USERS);
	tuning.seed = PG_ARGISNULL(SEED) ? 0 : (uint64) PG_GETARG_INT64(SEED);
	tuning.shop = RecsysNeedShop(name);
	owner = RecsysNeedShopOwner(tuning.shop->definition);
	need_signals(tuning.shop->definition);
	RecsysUseShop(tuning.shop);
	tune(&tuning, users, owner);
	put_rows(&tuning, &answer);
	RecsysReleaseShop(tuning.shop);
	return (Datum) 0;
}
