/*
 * bandit_functions.c
 *	  SQL functions that look at bandits: what they have learned, choose, and what is wrong with them.
 */
#include "postgres.h"

#include <math.h>

#include "api/bandit/normalbandit.h"
#include "api/call/arguments.h"
#include "api/call/guard.h"
#include "api/declare/declaredrows.h"
#include "api/declare/names.h"
#include "api/keep/keeper.h"
#include "api/route/banditchoice.h"
#include "api/route/banditfold.h"
#include "api/route/banditslots.h"
#include "api/route/banditview.h"
#include "catalog/pg_type.h"
#include "core/policy/retirement.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "source/input/runas.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_bandit_problem);
PG_FUNCTION_INFO_V1(recsys_bandit_choice);
PG_FUNCTION_INFO_V1(recsys_bandit_arm_rows);
PG_FUNCTION_INFO_V1(recsys_fold_bandits);

/* Share of intervals that do not have the mean */
#define ALPHA 0.05

/* Two-sided quantile of the normal distribution for that */
#define NORMAL_QUANTILE 1.959963984540054

static RecsysBandit *
need_bandit(const char *name)
{
	RecsysBandit *bandit = RecsysFindBandit(name);

	if (bandit == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("bandit \"%s\" does not exist", name)));
	return bandit;
}

typedef struct Look
{
	const char *name;
	Jsonb	   *definition;
} Look;

static void
look_again(void *arg)
{
	Look	   *look = arg;
	int			nestlevel = RecsysBeginPlainNames();
	JsonbParseState *state = NULL;
	Jsonb	   *nothing;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	nothing = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	(void) RecsysNormaliseBandit(look->name, nothing, look->definition);
	RecsysEndPlainNames(nestlevel);
}

/* What is kept of a bandit, as JSON */
static Jsonb *
definition_of(const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	RecsysRights before;
	Jsonb	   *definition = NULL;
	bool		isnull;

	RecsysBeginAsKeeper(&before);
	if (RecsysKeeperQuery("SELECT definition FROM recsys.bandit WHERE name OPERATOR(pg_catalog.=) $1",
						  1, types, values, NULL, true) > 0)
	{
		MemoryContext spi = MemoryContextSwitchTo(context);

		definition = DatumGetJsonbPCopy(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
													  &isnull));
		MemoryContextSwitchTo(spi);
	}
	RecsysEndAsKeeper(&before);
	return definition;
}

Datum
recsys_bandit_problem(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	char	   *owner = pstrdup(need_bandit(name)->owner);
	Look		look = {.name = name,.definition = definition_of(name)};
	char	   *problem = RecsysGuard(look_again, &look);

	if (problem == NULL && !OidIsValid(get_role_oid(owner, true)))
		problem = psprintf("owner: role \"%s\" does not exist", owner);
	if (problem == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem));
}

/* A key of whatever type as text, NULL for NULL */
static char *
argument_as_text(FunctionCallInfo fcinfo, int argument)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argument);
	Oid			output;
	bool		varlena;

	if (PG_ARGISNULL(argument))
		return NULL;
	if (!OidIsValid(type))
		elog(ERROR, "type of argument %d is not known", argument);
	getTypeOutputInfo(type, &output, &varlena);
	return OidOutputFunctionCall(output, PG_GETARG_DATUM(argument));
}

static Datum
array_of(const double *numbers, int n)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		values[i] = Float8GetDatum(numbers[i]);
	return PointerGetDatum(construct_array(values, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

Datum
recsys_bandit_choice(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	RecsysBandit *bandit = need_bandit(name);
	RecsysRoute route = {.propensity = 1};
	Datum		values[4];
	bool		isnull[4] = {false, false, false, false};
	ReturnSetInfo *result;

	if (bandit->nplaces > 0)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("bandit \"%s\" chooses no arm", name),
				 errdetail("It fills places of the lists of recommender \"%s\".", bandit->recommender),
				 errhint("SELECT * FROM recommend(NULL, 10, %s);", quote_literal_cstr(name))));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	(void) RecsysChooseArm(name, argument_as_text(fcinfo, 1), RecsysArgText(fcinfo, 2),
						   PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3), &route);
	values[0] = CStringGetTextDatum(route.arm);
	values[1] = Float8GetDatum(route.propensity);
	values[2] = CStringGetTextDatum(route.policy);
	isnull[3] = route.nfeatures == 0;
	values[3] = isnull[3] ? (Datum) 0 : array_of(route.features, route.nfeatures);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	return (Datum) 0;
}

/* The interval of the mean: by the bounds that hold at all times, or about normal for any rewards */
static bool
interval_of(const RecsysBandit *bandit, const RecsysArmCounts *counts, double *low, double *high)
{
	double		mean;
	double		variance;
	double		width;

	if (RecsysBanditIsCapped(bandit))
	{
		*low = RecsysLowerBound(counts, ALPHA / 2);
		*high = RecsysUpperBound(counts, ALPHA / 2);
		return true;
	}
	if (counts->trials < 2)
		return false;
	mean = counts->sum / counts->trials;
	variance = Max(0, counts->squares / counts->trials - mean * mean) * counts->trials /
		(counts->trials - 1);
	width = NORMAL_QUANTILE * sqrt(variance / counts->trials);
	*low = mean - width;
	*high = mean + width;
	return true;
}

/* A row of an arm; probability NaN: it depends on the context */
static void
put_arm(ReturnSetInfo *result, const RecsysBandit *bandit, const char *name, int place,
		double probability, bool current)
{
	static const RecsysArmCounts none = {0, 0, 0};
	const RecsysBanditArm *arm = RecsysFindBanditArm(RecsysBanditNow(bandit), name, place, false);
	RecsysArmCounts counts = arm != NULL ? arm->counts : none;
	Datum		values[10];
	bool		isnull[10] = {false};
	double		low = 0;
	double		high = 0;

	isnull[0] = name[0] == '\0';
	values[0] = isnull[0] ? (Datum) 0 : CStringGetTextDatum(name);
	isnull[1] = place == 0;
	values[1] = Int32GetDatum(place);
	values[2] = Float8GetDatum(counts.trials);
	values[3] = Float8GetDatum(counts.sum);
	isnull[4] = !(counts.trials > 0);
	values[4] = Float8GetDatum(isnull[4] ? 0 : counts.sum / counts.trials);
	isnull[5] = isnull[6] = !interval_of(bandit, &counts, &low, &high);
	values[5] = Float8GetDatum(low);
	values[6] = Float8GetDatum(high);
	isnull[7] = isnan(probability);
	values[7] = Float8GetDatum(probability);
	isnull[8] = arm == NULL || arm->retired_at == 0;
	values[8] = TimestampTzGetDatum(isnull[8] ? 0 : arm->retired_at);
	values[9] = BoolGetDatum(current);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

typedef struct ArmName
{
	const char *name;
	int			place;
} ArmName;

/* All that something is known of, as the state may be read again meanwhile */
static int
known_arms(const RecsysBandit *bandit, ArmName **names)
{
	RecsysBanditState *state = RecsysBanditNow(bandit);
	HASH_SEQ_STATUS scan;
	void	   *entry;
	int			n = 0;

	*names = palloc(sizeof(ArmName) * Max(hash_get_num_entries(state->arms), 1));
	hash_seq_init(&scan, state->arms);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		const RecsysBanditArm *arm = RecsysBanditArmOfEntry(entry);

		(*names)[n].name = pstrdup(arm->name);
		(*names)[n++].place = arm->place;
	}
	return n;
}

/* Those that have been put are marked by a place of -1. */
static void
mark_put(ArmName *names, int n, const char *name, int place)
{
	for (int i = 0; i < n; i++)
		if (names[i].place == place && strcmp(names[i].name, name) == 0)
			names[i].place = -1;
}

static void
put_list_arms(ReturnSetInfo *result, const RecsysBandit *bandit, ArmName *known, int n)
{
	double	   *shares = palloc(sizeof(double) * bandit->narms);
	bool		linear = RecsysPolicyIsLinear(bandit->options.kind);

	if (!linear)
		RecsysBanditShares(bandit, NULL, shares);
	for (int i = 0; i < bandit->narms; i++)
	{
		put_arm(result, bandit, bandit->arms[i], 0, linear ? NAN : shares[i], true);
		mark_put(known, n, bandit->arms[i], 0);
	}
}

/* As for somebody who may be shown all of them, and whose list has none of them yet */
static void
put_place_arms(ReturnSetInfo *result, const RecsysBandit *bandit, int number, const char **items,
			   int nitems, ArmName *known, int n)
{
	const char **candidates;
	int			place = bandit->places[number];
	int			count = RecsysBanditOfPlace(bandit, number, items, nitems, &candidates);
	double	   *shares = palloc(sizeof(double) * (count + 1));

	RecsysBanditPlaceShares(bandit, place, candidates, count, shares);
	put_arm(result, bandit, RECSYS_BASE_ARM, place, shares[0], true);
	mark_put(known, n, RECSYS_BASE_ARM, place);
	for (int i = 0; i < count; i++)
	{
		put_arm(result, bandit, candidates[i], place, shares[i + 1], true);
		mark_put(known, n, candidates[i], place);
	}
}

/* What looks for candidates, and what it finds */
typedef struct Search
{
	const RecsysBandit *bandit;
	MemoryContext context;
	const char **items;
	int			count;
} Search;

static void
search_candidates(void *arg)
{
	Search	   *search = arg;
	MemoryContext old = MemoryContextSwitchTo(search->context);
	RecsysRights before;

	RecsysBeginAs(get_role_oid(search->bandit->owner, false), &before);
	search->count = RecsysBanditCandidates(search->bandit, &search->items);
	RecsysEndAs(&before);
	MemoryContextSwitchTo(old);
}

/*
 * With the rights of the bandit's owner: who looks at all bandits there are, as a superuser may, must
 * not run what others have declared.  One whose candidates cannot be read has none.
 */
static int
read_candidates(const RecsysBandit *bandit, const char ***items)
{
	Search		search = {.bandit = bandit,.context = CurrentMemoryContext};

	if (RecsysGuard(search_candidates, &search) != NULL)
		return 0;
	*items = search.items;
	return search.count;
}

Datum
recsys_bandit_arm_rows(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	RecsysBandit *bandit = need_bandit(name);
	ReturnSetInfo *result;
	const char **items = NULL;
	ArmName    *known;
	int			nitems = 0;
	int			n;

	if (!RecsysMaySeeBandit(bandit->owner))
		RecsysNeedBanditOwner(bandit);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	if (bandit->nplaces > 0)
		nitems = read_candidates(bandit, &items);
	RecsysForgetBanditView(bandit);
	n = known_arms(bandit, &known);
	if (bandit->nplaces == 0)
		put_list_arms(result, bandit, known, n);
	for (int i = 0; i < bandit->nplaces; i++)
		put_place_arms(result, bandit, i, items, nitems, known, n);
	for (int i = 0; i < n; i++)
		if (known[i].place >= 0)
			put_arm(result, bandit, known[i].name, known[i].place, 0, false);
	return (Datum) 0;
}

Datum
recsys_fold_bandits(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("recsys.fold_bandits()");
	PreventCommandIfParallelMode("recsys.fold_bandits()");
	if (!RecsysIsKeeper() && !superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of the extension to fold all bandits")));
	PG_RETURN_INT32(RecsysFoldBandits());
}
