/*
 * plan.c
 *	  Queries made of a definition, prepared once and run with the caller's rights.
 *
 * A plan is a generic one: planning anew for each call would take longer than most of them
 * run.  The server plans it again when a relation, a function or a policy that it depends on has
 * changed, and for each role where row-level security makes a difference.
 */
#include "postgres.h"

#include "api/declare/lookupplan.h"
#include "api/declare/missing.h"
#include "api/declare/plan.h"
#include "api/declare/queryrights.h"
#include "api/here/localplan.h"
#include "api/here/nodeevents.h"
#include "jit/jit.h"
#include "nodes/plannodes.h"
#include "optimizer/cost.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/*
 * Where the query is analyzed, an error has a place in it, which tells the very part that it
 * is about.
 */
static const char *
failing_part(RecsysPlan *plan, int position, char **text)
{
	return RecsysPartAtPosition(plan->shop->declared, plan->query, position, text);
}

static void
add_context(void *arg)
{
	RecsysPlan *plan = arg;
	char	   *text;
	const char *part = failing_part(plan, getinternalerrposition(), &text);

	/* in a function that has counted on the caller's search path */
	if (part == NULL &&
		(geterrcode() == ERRCODE_UNDEFINED_TABLE || geterrcode() == ERRCODE_UNDEFINED_FUNCTION))
		errhint("Functions in a definition find names without a schema in pg_catalog only. "
				"Write the schemas, or give the function a search_path of its own.");
	errcontext("\"%s\" of recommender \"%s\"", part != NULL ? part : plan->part,
			   plan->shop->definition->name);
}

/* Adds the call that does without what is gone to the error that is under way. */
pg_noreturn static void
rethrow(RecsysPlan *plan, MemoryContext context)
{
	ErrorData  *error;
	const char *part;
	char	   *text;

	if (!RecsysIsMissing(geterrcode()))
		PG_RE_THROW();
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	part = failing_part(plan, error->internalpos, &text);
	if (part == NULL)
		PG_RE_THROW();
	FlushErrorState();
	text = RecsysHintWithout(plan->shop, part, list_make1(text));
	if (error->hint != NULL && strstr(error->hint, "_recommender(") == NULL)
		text = psprintf("%s %s", error->hint, text);
	error->hint = text;
	ReThrowError(error);
}

static void
begin_context(RecsysPlan *plan, ErrorContextCallback *callback)
{
	callback->callback = add_context;
	callback->arg = plan;
	callback->previous = error_context_stack;
	error_context_stack = callback;
}

/* How often functions have changed; the server does not plan again for that. */
static uint64 function_changes = 0;

static void
note_function(Datum arg, int cache, uint32 hash)
{
	function_changes++;
}

/* Functions may have been replaced by volatile ones since the definition was made. */
static void
check_volatility(RecsysPlan *plan, CachedPlanSource *source)
{
	static bool registered = false;
	ListCell   *cell;

	if (!registered)
	{
		CacheRegisterSyscacheCallback(PROCOID, note_function, (Datum) 0);
		registered = true;
	}
	foreach(cell, source->query_list)
		RecsysCheckVolatility(lfirst_node(Query, cell));
	plan->functions = function_changes;
}

/* The one statement of a plan */
static CachedPlanSource *
source_of(RecsysPlan *plan)
{
	return linitial(SPI_plan_get_plan_sources(plan->plan));
}

static PlannedStmt *
statement_of(CachedPlan *cached)
{
	return linitial_node(PlannedStmt, cached->stmt_list);
}

/* Another plan, which has no sequential scan where there is a way around it */
static CachedPlan *
plan_by_index(RecsysPlan *plan)
{
	bool		before = enable_seqscan;
	CachedPlan *cached = NULL;

	source_of(plan)->gplan->is_valid = false;
	enable_seqscan = false;
	PG_TRY();
	{
		cached = SPI_plan_get_cached_plan(plan->plan);
	}
	PG_FINALLY();
	{
		enable_seqscan = before;
	}
	PG_END_TRY();
	return cached;
}

static CachedPlan *
get_plan(RecsysPlan *plan)
{
	MemoryContext context = CurrentMemoryContext;
	CachedPlan *volatile cached = NULL;

	plan->query = source_of(plan)->query_string;
	PG_TRY();
	{
		cached = SPI_plan_get_cached_plan(plan->plan);
	}
	PG_CATCH();
	{
		rethrow(plan, context);
	}
	PG_END_TRY();
	plan->query = NULL;
	return cached;
}

/* Plans it again if that is needed, and looks at it again if it was. */
static void
revalidate(RecsysPlan *plan, double *rows)
{
	CachedPlan *cached = get_plan(plan);

	if (cached == NULL)
		elog(ERROR, "plan of \"%s\" has other than one statement", plan->part);
	if (source_of(plan)->generation != plan->generation)
	{
		check_volatility(plan, source_of(plan));
		if (plan->by_first && RecsysScansForFirst(statement_of(cached)))
		{
			ReleaseCachedPlan(cached, CurrentResourceOwner);
			cached = plan_by_index(plan);
		}

		/* compiling takes longer than any of them may run, whatever they seem to cost */
		statement_of(cached)->jitFlags = PGJIT_NONE;
		plan->generation = source_of(plan)->generation;
	}
	else if (plan->functions != function_changes)
		check_volatility(plan, source_of(plan));
	if (rows != NULL)
		*rows = statement_of(cached)->planTree->plan_rows;
	ReleaseCachedPlan(cached, CurrentResourceOwner);
}

static SPIPlanPtr
prepare(RecsysPlan *plan, const char *query)
{
	MemoryContext context = CurrentMemoryContext;
	SPIPlanPtr volatile made = NULL;

	plan->query = query;
	PG_TRY();
	{
		made = SPI_prepare_cursor(query, plan->nargs, plan->types, CURSOR_OPT_GENERIC_PLAN);
	}
	PG_CATCH();
	{
		rethrow(plan, context);
	}
	PG_END_TRY();
	plan->query = NULL;
	if (made == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	return made;
}

/* Makes the plan that of the tables that are to be read; an error leaves it what it was. */
static void
choose_plan(RecsysPlan *plan, const Datum *values, const char *nulls)
{
	const Datum *first = values == NULL || plan->nargs == 0 || (nulls != NULL && nulls[0] == 'n') ? NULL : values;
	RecsysPlan	other;
	RecsysOnePlan one = {plan->plan, plan->generation, plan->functions};
	const char *text;

	if (plan->local == NULL)
		return;
	text = RecsysChooseLocalPlan(plan->local, plan->nargs > 0 ? plan->types[0] : InvalidOid, first, &one);
	if (text != NULL)
	{
		other = *plan;
		other.plan = prepare(&other, text);
		check_volatility(&other, source_of(&other));
		SPI_keepplan(other.plan);
		RecsysKeepLocalPlan(plan->local, &(RecsysOnePlan) {other.plan, 0, other.functions}, &one);
	}
	plan->plan = one.plan;
	plan->generation = one.generation;
	plan->functions = one.functions;
}

static RecsysPlan *
prepare_plan(RecsysShop *shop, const char *part, const char *query, int nargs, Oid *types, bool by_user)
{
	/* kept once there is nothing left that may fail: a broken part is asked for again and again */
	RecsysPlan	made = {.part = part,.shop = shop,.nargs = nargs,.types = types};
	RecsysPlan *plan;
	MemoryContext old;
	ErrorContextCallback callback;

	begin_context(&made, &callback);
	if (RecsysIsDivided(shop->definition->signals[0].events))
		made.local = RecsysMakeLocalPlan(part, query, by_user);
	if (made.local != NULL)
		choose_plan(&made, NULL, NULL);
	else
	{
		made.plan = prepare(&made, query);
		check_volatility(&made, source_of(&made));
	}
	error_context_stack = callback.previous;

	old = MemoryContextSwitchTo(shop->context);
	plan = palloc(sizeof(RecsysPlan));
	*plan = made;
	plan->part = pstrdup(part);
	plan->types = palloc(sizeof(Oid) * Max(nargs, 1));
	if (nargs > 0)
		memcpy(plan->types, types, sizeof(Oid) * nargs);
	shop->plans = lappend(shop->plans, plan);
	if (plan->local != NULL)
		MemoryContextSetParent(RecsysLocalPlanContext(plan->local), shop->context);
	else
		SPI_keepplan(plan->plan);
	MemoryContextSwitchTo(old);
	return plan;
}

RecsysPlan *
RecsysPlanPrepare(RecsysShop *shop, const char *part, const char *query, int nargs, Oid *types)
{
	return prepare_plan(shop, part, query, nargs, types, false);
}

RecsysPlan *
RecsysPlanPrepareByUser(RecsysShop *shop, const char *part, const char *query, int nargs, Oid *types)
{
	return prepare_plan(shop, part, query, nargs, types, true);
}

/* Its plans alone: the shop's memory goes by itself. */
void
RecsysPlanDiscard(RecsysPlan *plan)
{
	if (plan->local != NULL)
		RecsysFreeLocalPlan(plan->local);
	else
		SPI_freeplan(plan->plan);
}

void
RecsysPlanFree(RecsysShop *shop, RecsysPlan *plan)
{
	shop->plans = list_delete_ptr(shop->plans, plan);
	RecsysPlanDiscard(plan);
	pfree(plan->types);
	pfree(unconstify(char *, plan->part));
	pfree(plan);
}

bool
RecsysPlanIsSettled(RecsysPlan *plan)
{
	return source_of(plan)->is_valid;
}

void
RecsysPlanRun(RecsysPlan *plan, Datum *values, const char *nulls, long limit)
{
	ErrorContextCallback callback;
	int			result;

	begin_context(plan, &callback);
	choose_plan(plan, values, nulls);
	revalidate(plan, NULL);
	result = SPI_execute_plan(plan->plan, values, nulls, true, limit);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	error_context_stack = callback.previous;
}

void
RecsysPlanSend(RecsysPlan *plan, Datum *values, const char *nulls, DestReceiver *dest)
{
	ErrorContextCallback callback;
	SPIExecuteOptions options = {.read_only = true, .dest = dest};
	int			result;

	options.params = makeParamList(plan->nargs);
	for (int i = 0; i < plan->nargs; i++)
	{
		options.params->params[i].value = values[i];
		options.params->params[i].isnull = nulls != NULL && nulls[i] == 'n';
		options.params->params[i].pflags = PARAM_FLAG_CONST;
		options.params->params[i].ptype = plan->types[i];
	}

	begin_context(plan, &callback);
	choose_plan(plan, values, nulls);
	revalidate(plan, NULL);
	result = SPI_execute_plan_extended(plan->plan, &options);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan_extended failed: %s", SPI_result_code_string(result));
	error_context_stack = callback.previous;
}

double
RecsysPlanRows(RecsysPlan *plan)
{
	ErrorContextCallback callback;
	double		rows;

	begin_context(plan, &callback);
	choose_plan(plan, NULL, NULL);
	revalidate(plan, &rows);
	error_context_stack = callback.previous;
	return rows;
}
