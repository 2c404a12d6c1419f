/*
 * shown.c
 *	  What a user has been shown lately and has never taken, as the log says.
 *
 * The latest requests are found by the index on user and time, each of their events by its
 * primary key: a call reads at most so many rows, however long the log is.  Of a log that is one
 * of all nodes they are fetched from all shards.
 */
#include "postgres.h"

#include "api/keep/keeper.h"
#include "api/log/pseudonym.h"
#include "api/log/shown.h"
#include "api/log/wholelog.h"
#include "catalog/pg_type.h"
#include "core/arrange/fatigue.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * $1 user, $2 since when, $3 recommender, $4 items, $5 index.  Places are numbers of rows: what
 * they weigh is for the kernel.  A list has an item once.
 */
static const char shown_query[] =
"WITH latest AS MATERIALIZED ("
" SELECT request_id, time, recommender, item_ids FROM recsys.request_log"
" WHERE user_id = $1 AND time >= $2 ORDER BY time DESC LIMIT " CppAsString2(RECSYS_SHOWN_REQUESTS) "),"
" ours AS MATERIALIZED ("
" SELECT l.request_id, l.time, l.item_ids FROM latest AS l"
" WHERE l.recommender = $3 OR l.recommender = $5"
" OR EXISTS (SELECT FROM recsys.recommender AS d WHERE d.name = l.recommender"
" AND d.definition ->> 'items' = $4)),"
" taken AS MATERIALIZED ("
" SELECT e.item_id FROM ours AS l JOIN recsys.event_log AS e"
" ON e.request_id = l.request_id AND e.request_time = l.time"
" WHERE e.kind IN ('click', 'cart', 'purchase'))"
" SELECT i.item_id, i.place::int4 FROM ours AS l"
" CROSS JOIN LATERAL unnest(l.item_ids) WITH ORDINALITY AS i (item_id, place)"
" WHERE i.item_id IS NOT NULL AND NOT EXISTS (SELECT FROM taken AS t WHERE t.item_id = i.item_id)"
" ORDER BY i.item_id, i.place";

static Datum
text_or_null(const char *value, char *null)
{
	*null = value == NULL ? 'n' : ' ';
	return value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
}

/* Rows of one item come one after the other. */
static int
add_up(MemoryContext context, RecsysShownItem **shown)
{
	MemoryContext before = MemoryContextSwitchTo(context);
	RecsysShownItem *items = MemoryContextAllocHuge(context, sizeof(RecsysShownItem) *
													(Size) Max(SPI_processed, 1));
	TupleDesc	desc = SPI_tuptable->tupdesc;
	int			count = 0;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		char	   *item = SPI_getvalue(tuple, desc, 1);
		bool		isnull;
		int			place = DatumGetInt32(SPI_getbinval(tuple, desc, 2, &isnull));

		if (count > 0 && strcmp(items[count - 1].item, item) == 0)
			pfree(item);
		else
			items[count++] = (RecsysShownItem) {item, 0};
		items[count - 1].impressions += RecsysImpressionWeight(place);
	}
	MemoryContextSwitchTo(before);
	*shown = items;
	return count;
}

/* Runs the query, of rows that are here or have been fetched; the rows of its answer stay. */
static void
run(int nargs, Oid *types, Datum *values, const char *nulls)
{
	static SPIPlanPtr plan = NULL;
	RecsysLogExtent extent = {.from = DatumGetTimestampTz(values[1]),.until = DT_NOEND,
	.user = TextDatumGetCString(values[0]),.most = RECSYS_SHOWN_REQUESTS};

	if (!RecsysLogIsShared())
	{
		(void) RecsysKeeperRun(RecsysKeeperPlan(&plan, shown_query, nargs, types), values, nulls, true);
		return;
	}
	RecsysBeginWholeLog(&extent);
	(void) RecsysKeeperQuery(RecsysHere(shown_query), nargs, types, values, nulls, true);
	RecsysEndWholeLog();
}

int
RecsysShownLately(const char *user, const char *window, const char *recommender,
				  const char *items, const char *index, RecsysShownItem **shown)
{
	Oid			types[] = {TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID};
	MemoryContext context = CurrentMemoryContext;
	Datum		span = DirectFunctionCall3(interval_in, CStringGetDatum(window),
										   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	RecsysRights before;
	Datum		values[5];
	char		nulls[6] = "     ";
	int			count;

	values[0] = CStringGetTextDatum(RecsysLogKey(user));
	values[1] = DirectFunctionCall2(timestamptz_mi_interval,
									TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), span);
	values[2] = CStringGetTextDatum(recommender);
	values[3] = text_or_null(items, &nulls[3]);
	values[4] = text_or_null(index, &nulls[4]);
	RecsysBeginAsKeeper(&before);
	run(lengthof(types), types, values, nulls);
	count = add_up(context, shown);
	RecsysEndAsKeeper(&before);
	return count;
}
