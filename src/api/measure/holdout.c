/*
 * holdout.c
 *	  recsys.holdout(): what recsys.evaluate() holds out.
 */
#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/measure/measuring_arguments.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(recsys_holdout);

/* Arguments */
enum
{
	QUERY, TEST, HOLDOUT_SHARE, HOLDOUT_LAST, HOLDOUT_SINCE, EXCLUDE_SEEN, SEED, TASK
};

static Datum
key_as_text(RecsysKeyKind kind, const RecsysKey *key)
{
	if (kind == RECSYS_KEY_INT)
		return CStringGetTextDatum(psprintf(INT64_FORMAT, key->number));
	if (kind == RECSYS_KEY_UUID)
		return CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(uuid_out,
																	   RecsysKeyToDatum(UUIDOID, key))));
	return RecsysKeyToDatum(TEXTOID, key);
}

Datum
recsys_holdout(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysSplitOptions options;
	RecsysSplit *split;
	MemoryContext context;
	MemoryContext old;

	RecsysAnswerInit(&answer, fcinfo);
	RecsysArgSplit(fcinfo, RecsysArgQuery(fcinfo, QUERY, "query"), TEST, EXCLUDE_SEEN, SEED,
				   RecsysArgTask(fcinfo, TASK), &options);
	split = RecsysSplitCreate(&options);
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys holdout", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	for (uint32 user = 0; user < RecsysSplitUsers(split); user++)
	{
		Datum		values[2];
		bool		isnull[2] = {false, false};
		RecsysKey	key;

		CHECK_FOR_INTERRUPTS();
		RecsysDictionaryKey(split->users, user, &key);
		values[0] = key_as_text(split->user_kind, &key);
		for (uint64 x = split->test.offsets[user]; x < split->test.offsets[user + 1]; x++)
		{
			RecsysDictionaryKey(split->items, split->test.items[x], &key);
			values[1] = key_as_text(split->item_kind, &key);
			RecsysAnswerPut(&answer, values, isnull);
		}
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	RecsysSplitFree(split);
	return (Datum) 0;
}
