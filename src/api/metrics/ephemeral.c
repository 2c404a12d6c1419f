/*
 * ephemeral.c
 *	  Rows of a query as a relation for the queries behind it.
 */
#include "postgres.h"

#include "api/call/guard.h"
#include "api/metrics/ephemeral.h"
#include "catalog/pg_type.h"
#include "executor/tstoreReceiver.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

Tuplestorestate *
RecsysBeginRows(void)
{
	return tuplestore_begin_heap(true, false, work_mem);
}

static ParamListInfo
make_params(SPIPlanPtr plan, Datum *values, const char *nulls)
{
	int			count = SPI_getargcount(plan);
	ParamListInfo params;

	if (count == 0)
		return NULL;
	params = makeParamList(count);
	for (int i = 0; i < count; i++)
		params->params[i] = (ParamExternData)
	{
		.value = values[i],.isnull = nulls != NULL && nulls[i] == 'n',
		.pflags = PARAM_FLAG_CONST,.ptype = SPI_getargtypeid(plan, i)
	};
	return params;
}

void
RecsysAddRows(Tuplestorestate *rows, SPIPlanPtr plan, Datum *values, const char *nulls,
			  Snapshot snapshot)
{
	SPIExecuteOptions options = {0};
	int			result;

	options.params = make_params(plan, values, nulls);
	options.read_only = true;
	options.dest = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(options.dest, rows, CurrentMemoryContext, true, NULL, NULL);
	PushActiveSnapshot(snapshot);
	result = SPI_execute_plan_extended(plan, &options);
	PopActiveSnapshot();
	if (result < 0)
		elog(ERROR, "SPI_execute_plan_extended failed: %s", SPI_result_code_string(result));
	options.dest->rDestroy(options.dest);
}

static void
move_rows(Tuplestorestate *from, Tuplestorestate *to, TupleDesc descriptor)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple);

	while (tuplestore_gettupleslot(from, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		tuplestore_puttupleslot(to, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
}

typedef struct Reading
{
	RecsysRowsSource source;
	void	   *arg;
	Tuplestorestate *rows;
} Reading;

static void
read_rows(void *arg)
{
	Reading    *reading = arg;

	reading->source(reading->arg, reading->rows);
}

/* Temporary files belong to whom the rows have been begun for, so that is done before. */
ErrorData *
RecsysTryRows(RecsysRowsSource source, void *arg, Tuplestorestate *rows, TupleDesc descriptor)
{
	Reading		reading = {.source = source, .arg = arg, .rows = RecsysBeginRows()};
	ErrorData  *error = RecsysGuardCatch(read_rows, &reading, RecsysIsOfStep);

	if (error == NULL)
		move_rows(reading.rows, rows, descriptor);
	tuplestore_end(reading.rows);
	return error;
}

TupleDesc
RecsysPlanDescriptor(SPIPlanPtr plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));

	return CreateTupleDescCopy(source->resultDesc);
}
