/*
 * item_rhythm.c
 *	  Schema recsys: item_rhythm(), which items are bought again, and after how long.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/answer.h"
#include "api/call/recommender.h"
#include "core/sequence/rhythm.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_item_rhythm);

static void
check_times(const RecsysRecommender *recommender)
{
	if (recommender->columns.time_column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" has no time column to tell a rhythm by",
						RelationGetRelationName(recommender->definition)),
				 errhint("Create an index with a time, as in CREATE INDEX ON purchases USING recsys (user_id, product_id, quantity, purchased_at).")));
}

/* No gap is longer than all times together; a damaged row may say so. */
#define MOST_SECONDS 9e12

/*
 * So many seconds as people say it: in minutes, hours or days.  What the index knows is no more
 * exact than some seconds an hour.
 */
static Datum
typical_interval(double seconds)
{
	double		unit = seconds < 2 * SECS_PER_DAY ? SECS_PER_MINUTE :
		seconds < 60 * SECS_PER_DAY ? SECS_PER_HOUR : SECS_PER_DAY;
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = (TimeOffset) (rint(Min(seconds, MOST_SECONDS) / unit) * unit) * USECS_PER_SEC;
	return DirectFunctionCall1(interval_justify_hours, IntervalPGetDatum(interval));
}

static void
put_item(RecsysAnswer *answer, RecsysGraphReader *reader, uint32 item, uint32 users,
		 const RecsysRhythm *rhythm)
{
	bool		has_gaps = rhythm->gaps > 0;
	Datum		values[7];
	bool		isnull[7] = {false, false, false, false, false, !has_gaps, !has_gaps};

	values[0] = RecsysAnswerItem(answer, reader, item);
	values[1] = Int64GetDatum((int64) users);
	values[2] = Int64GetDatum((int64) rhythm->repeaters);
	values[3] = Float8GetDatum((double) rhythm->repeaters / users);
	values[4] = Int64GetDatum((int64) rhythm->gaps);
	values[5] = has_gaps ? typical_interval(exp(RecsysRhythmMeanLog(rhythm))) : (Datum) 0;
	values[6] = has_gaps ? Float8GetDatum(RecsysRhythmSpread(rhythm)) : (Datum) 0;
	RecsysAnswerPut(answer, values, isnull);
}

Datum
recsys_item_rhythm(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	RecsysGraphReader reader;
	uint32		nitems;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys item rhythm",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;

	RecsysAnswerInit(&answer, fcinfo);
	RecsysOpenRecommenderIndex(PG_GETARG_OID(0), &recommender);
	RecsysAnswerCheckKind(&answer, recommender.columns.item_kind,
						  RelationGetRelationName(recommender.definition));
	check_times(&recommender);
	nitems = RecsysItemCount(recommender.index);
	RecsysGraphReaderInit(&reader, recommender.index);
	old = MemoryContextSwitchTo(context);
	for (uint32 item = 0; item < nitems; item++)
	{
		RecsysGraphRow row = RecsysGraphReadRow(&reader, item);
		RecsysRhythm rhythm;
		uint32		users;

		CHECK_FOR_INTERRUPTS();
		if (row == NULL)
			continue;
		users = row->users;
		rhythm = row->rhythm;
		RecsysGraphReleaseRow(&reader);
		if (users == 0)
			continue;
		put_item(&answer, &reader, item, users, &rhythm);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	RecsysGraphReaderDone(&reader);
	RecsysCloseRecommender(&recommender);
	return (Datum) 0;
}
