/*
 * decisionparts.c
 *	  By what an experiment is decided: metrics, purchases, and how they are compared.
 */
#include "postgres.h"

#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/nearest.h"
#include "api/experiment/decisionparts.h"
#include "api/keep/metricnames.h"
#include "api/log/logsettings.h"
#include "api/log/purchases.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Far more than purchases are looked back for */
#define MOST_INTERVAL (10.0 * DAYS_PER_YEAR * USECS_PER_DAY)

/* What is known of purchases: the experiment's own, or those of the log */
typedef struct Bought
{
	bool		is_known;
	bool		has_amount;
	bool		is_own;
} Bought;

/* The names of metrics, each once and known; NIL: nothing is said */
static List *
metric_names(const RecsysMaking *making, const char *key)
{
	List	   *names = NIL;
	JsonbValue	value;
	JsonbContainer *array;

	if (!RecsysMakingGet(making, key, &value))
		return NIL;
	array = RecsysJsonArray(&value, key);
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		char	   *name = RecsysJsonValueText(getIthJsonbValueFromContainer(array, i), key);
		ListCell   *cell;

		(void) RecsysFindMetric(name);
		foreach(cell, names)
			if (strcmp(lfirst(cell), name) == 0)
				break;
		if (cell == NULL)
			names = lappend(names, name);
	}
	if (names == NIL && strcmp(key, "metrics") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an experiment needs a metric")));
	return names;
}

static void
put_names(RecsysMaking *making, const char *key, List *names)
{
	ListCell   *cell;

	if (names == NIL)
		return;
	RecsysJsonPutKey(&making->state, key);
	pushJsonbValue(&making->state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, names)
		RecsysJsonPutElement(&making->state, lfirst(cell));
	pushJsonbValue(&making->state, WJB_END_ARRAY, NULL);
}

/* The first of the metrics that needs purchases, or their amounts */
static const char *
first_that_needs(List *names, bool amount)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		const RecsysMetricName *metric = RecsysFindMetric(lfirst(cell));

		if (amount ? metric->needs_amount : metric->needs_purchases)
			return metric->name;
	}
	return NULL;
}

static void
note_bought(JsonbContainer *purchases, Bought *bought)
{
	JsonbValue	amount;

	bought->is_known = true;
	bought->has_amount = RecsysJsonGet(purchases, "amount", &amount);
}

static void
put_purchases(RecsysMaking *making, bool needs_amount, Bought *bought)
{
	RecsysLogSettings settings;
	JsonbValue	value;

	memset(bought, 0, sizeof(*bought));
	if (RecsysMakingGet(making, "purchases", &value))
	{
		bought->is_own = true;
		if (RecsysMakingIsGiven(making, "purchases"))
		{
			Jsonb	   *kept = RecsysNormalPurchases(RecsysJsonValueText(&value, "purchases"), needs_amount);

			value.type = jbvBinary;
			value.val.binary.data = &kept->root;
			value.val.binary.len = VARSIZE(kept) - VARHDRSZ;
		}
		RecsysMakingKeep(making, "purchases", &value);
		note_bought(RecsysJsonObject(&value, "purchases"), bought);
		return;
	}
	RecsysReadLogSettings(&settings);
	if (settings.purchases != NULL)
		note_bought(&settings.purchases->root, bought);
}

static void
check_needs(List *names, const Bought *bought)
{
	const char *name = first_that_needs(names, false);

	if (name != NULL && !bought->is_known)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric \"%s\" needs to know what was bought", name),
				 errhint("Name the table in which it is, as in purchases => 'sales', or set it for all experiments: SELECT recsys.configure_log(purchases => 'sales');")));
	name = first_that_needs(names, true);
	if (name != NULL && !bought->has_amount)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric \"%s\" needs to know what purchases have cost", name),
				 errhint("Say it by an expression: purchases => '{\"table\": \"sales\", \"amount\": \"price * quantity\"}'.")));
}

/* All that is known by default */
static List *
default_metrics(const Bought *bought)
{
	List	   *names = list_make1("ctr");

	if (bought->is_known)
		names = lappend(names, "conversion");
	if (bought->has_amount)
		names = lappend(names, "revenue");
	return names;
}

static void
put_primary(RecsysMaking *making, List *metrics)
{
	JsonbValue	value;
	const char **names = palloc(sizeof(char *) * list_length(metrics));
	char	   *primary = NULL;
	ListCell   *cell;

	if (RecsysMakingGet(making, "primary_metric", &value))
		primary = RecsysJsonValueText(&value, "primary_metric");
	foreach(cell, metrics)
	{
		names[foreach_current_index(cell)] = lfirst(cell);
		if (primary != NULL && strcmp(primary, lfirst(cell)) == 0)
			break;
	}

	/* one that was kept goes with the metrics that it was one of */
	if (cell == NULL && primary != NULL && RecsysMakingIsGiven(making, "primary_metric"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("primary_metric must be one of the metrics, not \"%s\"", primary),
				 errdetail("Metrics are %s.", RecsysListWords(names, list_length(metrics)))));
	RecsysJsonPutText(&making->state, "primary_metric", cell != NULL ? primary : linitial(metrics));
}

static void
put_metrics(RecsysMaking *making)
{
	List	   *metrics = metric_names(making, "metrics");
	List	   *guardrails = metric_names(making, "guardrails");
	List	   *all = list_concat_copy(metrics, guardrails);
	Bought		bought;

	put_purchases(making, first_that_needs(all, true) != NULL, &bought);
	check_needs(all, &bought);
	if (metrics == NIL)
		metrics = default_metrics(&bought);
	put_names(making, "metrics", metrics);
	put_primary(making, metrics);
	put_names(making, "guardrails", guardrails);
}

/* An interval as text that every session reads as the same one */
static void
put_interval(RecsysMaking *making, const char *key, const char *otherwise)
{
	JsonbValue	value;
	const char *text = otherwise;
	Interval   *interval;
	double		microseconds;
	int			nestlevel;

	if (RecsysMakingGet(making, key, &value))
		text = RecsysJsonValueText(&value, key);
	if (text == NULL)
		return;
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	microseconds = RecsysIntervalMicroseconds(interval);
	if (!(microseconds > 0 && microseconds <= MOST_INTERVAL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a positive interval of at most 10 years", key)));
	nestlevel = RecsysBeginPlainNames();
	RecsysJsonPutText(&making->state, key,
					  DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval))));
	RecsysEndPlainNames(nestlevel);
}

static void
put_expected_users(RecsysMaking *making)
{
	JsonbValue	value;
	int64		users = 5000;

	if (RecsysMakingGet(making, "expected_users", &value))
		users = RecsysJsonValueInteger(&value, "expected_users");
	if (users < 1 || users > PG_INT64_MAX / 1000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expected_users must be positive")));
	RecsysJsonPutInteger(&making->state, "expected_users", users);
}

void
RecsysPutDecision(RecsysMaking *making)
{
	static const char *const attributions[] = {"last", "first", "position"};
	static const char *const methods[] = {"sequential", "fixed"};
	static const char *const corrections[] = {"holm", "benjamini_hochberg", "none"};
	char	   *word;

	put_metrics(making);
	put_interval(making, "attribution_window", "7 days");
	put_interval(making, "pre_period", NULL);
	put_expected_users(making);
	(void) RecsysMakingNumber(making, "alpha", 1e-9, 0.5, 0.05);
	(void) RecsysMakingNumber(making, "winsorise", 0.5, 1, 1);
	word = RecsysMakingWord(making, "attribution", attributions, lengthof(attributions));
	word = RecsysMakingWord(making, "method", methods, lengthof(methods));
	word = RecsysMakingWord(making, "correction", corrections, lengthof(corrections));
	(void) word;
}
