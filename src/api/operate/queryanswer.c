/*
 * queryanswer.c
 *	  Functions whose answer is that of a query over a shop's tables.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/declare/missing.h"
#include "api/declare/queryrights.h"
#include "api/operate/queryanswer.h"
#include "funcapi.h"
#include "nodes/pg_list.h"
#include "source/input/query.h"
#include "utils/plancache.h"

RecsysShop *
RecsysNeedShop(const char *name)
{
	RecsysShop *shop = RecsysFindShop(name);

	if (shop == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 name == NULL ? errmsg("there is no declared recommender that you may use") :
				 errmsg("there is no declared recommender \"%s\"", name),
				 errhint("SELECT name FROM recsys.recommenders;")));
	return shop;
}

/* The context with the part in the place of the query, where that is, or behind it */
static char *
context_of(const char *context, const char *query, const char *part)
{
	char	   *statement = psprintf("SQL statement \"%s\"", query != NULL ? query : "");
	const char *found = context != NULL && query != NULL ? strstr(context, statement) : NULL;

	if (found != NULL)
		return psprintf("%.*s%s%s", (int) (found - context), context, part, found + strlen(statement));
	return context != NULL ? psprintf("%s\n%s", context, part) : pstrdup(part);
}

void
RecsysRethrowOfShop(RecsysShop *shop, const char *query, MemoryContext context)
{
	const char *name = shop->definition->name;
	ErrorData  *error;
	const char *part;
	char	   *text;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	part = RecsysPartAtPosition(shop->declared, error->internalquery, error->internalpos, &text);
	error->context = context_of(error->context, query,
								part != NULL ? psprintf("\"%s\" of recommender \"%s\"", part, name) :
								psprintf("recommender \"%s\"", name));
	if (part != NULL && RecsysIsMissing(error->sqlerrcode))
		error->hint = RecsysHintWithout(shop, part, list_make1(text));
	error->internalquery = NULL;
	error->internalpos = 0;
	error->cursorpos = 0;
	ReThrowError(error);
	pg_unreachable();
}

SPIPlanPtr
RecsysPrepareShopQuery(const char *query)
{
	SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);
	ListCell   *source;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	foreach(source, SPI_plan_get_plan_sources(plan))
	{
		ListCell   *cell;

		foreach(cell, ((CachedPlanSource *) lfirst(source))->query_list)
			RecsysCheckVolatility(lfirst_node(Query, cell));
	}
	return plan;
}

void
RecsysRunShopQuery(RecsysShop *shop, const char *query, RecsysQueryStart start, RecsysQueryRow row,
				   void *arg)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		(void) RecsysPrepareShopQuery(query);
		if (SPI_finish() != SPI_OK_FINISH)
			elog(ERROR, "SPI_finish failed");
		MemoryContextSwitchTo(context);
		RecsysRunDefinedQuery(query, start, row, arg);
	}
	PG_CATCH();
	{
		RecsysRethrowOfShop(shop, query, context);
	}
	PG_END_TRY();
}

typedef struct QueryAnswer
{
	ReturnSetInfo *result;
	Datum	   *values;
	bool	   *nulls;
} QueryAnswer;

static void
start_answer(void *arg, TupleDesc desc)
{
	QueryAnswer *answer = arg;
	TupleDesc	expected = answer->result->setDesc;

	if (desc->natts != expected->natts)
		elog(ERROR, "query has %d columns instead of %d", desc->natts, expected->natts);
	for (int i = 0; i < desc->natts; i++)
		if (TupleDescAttr(desc, i)->atttypid != TupleDescAttr(expected, i)->atttypid)
			elog(ERROR, "column %d of the query is of another type", i + 1);
	answer->values = palloc(sizeof(Datum) * desc->natts);
	answer->nulls = palloc(sizeof(bool) * desc->natts);
}

static void
put_row(void *arg, HeapTuple tuple, TupleDesc desc)
{
	QueryAnswer *answer = arg;

	heap_deform_tuple(tuple, desc, answer->values, answer->nulls);
	tuplestore_putvalues(answer->result->setResult, answer->result->setDesc, answer->values,
						 answer->nulls);
}

void
RecsysAnswerByQuery(FunctionCallInfo fcinfo, RecsysShop *shop, const char *query)
{
	QueryAnswer answer = {0};

	InitMaterializedSRF(fcinfo, 0);
	answer.result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecsysRunShopQuery(shop, query, start_answer, put_row, &answer);
}
