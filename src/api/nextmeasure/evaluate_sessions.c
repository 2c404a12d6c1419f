/*
 * evaluate_sessions.c
 *	  recsys.evaluate_sessions(): how well the next item of a session is foretold.
 *
 * Of each session of the test query each item but the first is to be foretold from those
 * before it, as is usual for sessions (Ludewig et al. 2021).  Items that the index does not
 * know are left out first.  Lists are those of the serving functions, without the popular items
 * that fill them up; what of the index changes meanwhile is not seen where the snapshot does not
 * see it.
 */
#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/measure/measuring_arguments.h"
#include "api/scoring/listing.h"
#include "api/session/sessionserving.h"
#include "core/measure/metrics.h"
#include "miscadmin.h"
#include "source/input/query.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_evaluate_sessions);

/* Arguments */
enum
{
	RECOMMENDER, TEST, K, METHOD, REPEATS
};

/* By what the next item is foretold */
typedef enum Method
{
	BY_SESSION,					/* recommend_for_session */
	BY_ITEMS,					/* recommend_for_items, of all items so far */
	BY_LAST_ITEM				/* the same of the last one */
} Method;

static const char *const method_names[] = {"session", "items", "last_item"};

static const RecsysMetric metrics[] = {RECSYS_METRIC_HIT_RATE, RECSYS_METRIC_MRR, RECSYS_METRIC_NDCG};

typedef struct Evaluating
{
	RecsysRecommender recommender;
	Method		method;
	bool		repeats;		/* items may come again */
	int			nks;
	int			ks[RECSYS_EVALUATION_MAX_KS];
	uint32	   *numbers;		/* of the query's items in the index, RECSYS_NONE: it has none */
	RecsysKey  *keys;			/* of the same items */
	uint64		positions;
	double		sums[lengthof(metrics)][RECSYS_EVALUATION_MAX_KS];
	MemoryContext context;		/* for one position */
} Evaluating;

static Method
read_method(FunctionCallInfo fcinfo)
{
	const char *name = RecsysArgText(fcinfo, METHOD);

	if (name == NULL)
		return BY_SESSION;
	for (int i = 0; i < (int) lengthof(method_names); i++)
		if (strcmp(name, method_names[i]) == 0)
			return (Method) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("method \"%s\" is not known", name),
			 errhint("Methods are session, items and last_item.")));
}

/* The best items after n of them, in numbers of the index; returns how many there are. */
static int
best_after(Evaluating *evaluating, const RecsysKey *keys, const RecsysInteraction *given, int n,
		   RecsysScored **best)
{
	RecsysRecommender *recommender = &evaluating->recommender;
	int			k = evaluating->ks[evaluating->nks - 1];
	RecsysListing listing;
	RecsysSession session;
	RecsysProfile profile;
	int			first = evaluating->method == BY_LAST_ITEM ? n - 1 : 0;
	int			count;

	if (evaluating->method == BY_SESSION)
		RecsysReadSession(recommender, keys, n, &session);
	else
		RecsysItemsProfile(recommender, keys + first, n - first, &profile);
	RecsysListingBegin(&listing, recommender);
	RecsysListingSeen(&listing, given, n, !evaluating->repeats);
	if (evaluating->method == BY_SESSION)
	{
		for (int i = 0; i < listing.nexcluded; i++)
			RecsysScorerExclude(listing.scorer, given[i].item);
		RecsysScoreSession(&session, listing.scorer);
		count = RecsysListingBestScored(&listing, k, best);
	}
	else
		count = RecsysListingBest(&listing, &profile, k, best);
	RecsysListingEnd(&listing);
	return count;
}

static void
add_figures(Evaluating *evaluating, const bool *hits, int length)
{
	evaluating->positions++;
	for (int i = 0; i < evaluating->nks; i++)
	{
		int			k = evaluating->ks[i];

		evaluating->sums[0][i] += RecsysHitRate(hits, length, k);
		evaluating->sums[1][i] += RecsysReciprocalRank(hits, length, k);
		evaluating->sums[2][i] += RecsysNdcg(hits, length, k, 1);
	}
}

static bool
is_among(const RecsysInteraction *rows, int n, uint32 item)
{
	for (int i = 0; i < n; i++)
		if (rows[i].item == item)
			return true;
	return false;
}

/* The items of a session one after the other, in numbers of the index; keys are parallel. */
static void
measure_session(Evaluating *evaluating, const RecsysInteraction *rows, const RecsysKey *keys, int n)
{
	for (int next = 1; next < n; next++)
	{
		MemoryContext old;
		RecsysScored *best;
		bool	   *hits;
		int			count;

		CHECK_FOR_INTERRUPTS();
		if (!evaluating->repeats && is_among(rows, next, rows[next].item))
			continue;
		old = MemoryContextSwitchTo(evaluating->context);
		count = best_after(evaluating, keys, rows, next, &best);
		hits = palloc(sizeof(bool) * Max(count, 1));
		for (int x = 0; x < count; x++)
			hits[x] = best[x].item == rows[next].item;
		add_figures(evaluating, hits, count);
		MemoryContextSwitchTo(old);
		MemoryContextReset(evaluating->context);
	}
}

/* All rows of the session at hand whose items the index knows, in order */
static void
next_session(Evaluating *evaluating, RecsysCollector *collector)
{
	RecsysInteraction *rows = NULL;
	RecsysKey  *keys;
	RecsysUserRow row;
	int			n = 0;
	int			room = 0;

	while (RecsysCollectorNextOfUser(collector, &row))
	{
		if (row.interaction.item == RECSYS_NONE ||
			evaluating->numbers[row.interaction.item] == RECSYS_NONE)
			continue;
		if (n == room)
		{
			room = Max(64, room * 2);
			rows = rows == NULL ? palloc(sizeof(RecsysInteraction) * room) :
				repalloc_huge(rows, sizeof(RecsysInteraction) * (Size) room);
		}
		rows[n++] = row.interaction;
	}
	if (n < 2)
		return;
	qsort_interruptible(rows, n, sizeof(RecsysInteraction), RecsysCompareMoments, NULL);
	keys = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysKey) * (Size) n);
	for (int i = 0; i < n; i++)
	{
		keys[i] = evaluating->keys[rows[i].item];
		rows[i].item = evaluating->numbers[rows[i].item];
	}
	measure_session(evaluating, rows, keys, n);
}

static RecsysCollector *
read_test(Evaluating *evaluating, const char *test)
{
	RecsysRecommender *recommender = &evaluating->recommender;
	RecsysCollectorOptions shape;
	RecsysCollector *collector = RecsysCollectSeeded(test, InvalidOid, (Size) maintenance_work_mem * 1024,
													 0, &shape);
	uint32		nitems = RecsysCollectorItems(collector);

	if (shape.item_kind != recommender->columns.item_kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the test query's items are of another type than those of recommender \"%s\"",
						RelationGetRelationName(recommender->definition)),
				 errhint("Cast the item to the type of the indexed column.")));
	evaluating->numbers = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) Max(nitems, 1));
	evaluating->keys = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysKey) * (Size) Max(nitems, 1));
	for (uint32 item = 0; item < nitems; item++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysCollectorItemKey(collector, item, &evaluating->keys[item]);
		if (!RecsysFindItem(recommender, &evaluating->keys[item], &evaluating->numbers[item]))
			evaluating->numbers[item] = RECSYS_NONE;
	}
	return collector;
}

static void
put_figures(Evaluating *evaluating, RecsysAnswer *answer)
{
	for (int metric = 0; metric < (int) lengthof(metrics); metric++)
		for (int i = 0; i < evaluating->nks; i++)
		{
			Datum		values[4];
			bool		isnull[4] = {false, false, false, false};

			values[0] = CStringGetTextDatum(RecsysMetricName(metrics[metric]));
			values[1] = Int32GetDatum(evaluating->ks[i]);
			values[2] = Float8GetDatum(evaluating->sums[metric][i] / evaluating->positions);
			values[3] = Int64GetDatum((int64) evaluating->positions);
			RecsysAnswerPut(answer, values, isnull);
		}
}

Datum
recsys_evaluate_sessions(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	Evaluating	evaluating = {0};
	RecsysCollector *collector;
	MemoryContext sessions;
	MemoryContext old;
	const char *test = RecsysArgQuery(fcinfo, TEST, "test");
	RecsysKey	user;
	uint32		hash;

	RecsysAnswerInit(&answer, fcinfo);
	evaluating.nks = RecsysArgCutoffs(fcinfo, K, evaluating.ks);
	evaluating.method = read_method(fcinfo);
	evaluating.repeats = RecsysArgFlag(fcinfo, REPEATS, "repeats");
	evaluating.context = AllocSetContextCreate(CurrentMemoryContext, "recsys position",
											   ALLOCSET_DEFAULT_SIZES);
	sessions = AllocSetContextCreate(CurrentMemoryContext, "recsys test session",
									 ALLOCSET_DEFAULT_SIZES);
	RecsysOpenRecommender(RecsysArgText(fcinfo, RECOMMENDER), &evaluating.recommender);
	collector = read_test(&evaluating, test);
	old = MemoryContextSwitchTo(sessions);
	while (RecsysCollectorNextUser(collector, &user, &hash))
	{
		next_session(&evaluating, collector);
		MemoryContextReset(sessions);
	}
	MemoryContextSwitchTo(old);
	RecsysCollectorFree(collector);
	RecsysCloseRecommender(&evaluating.recommender);
	if (evaluating.positions == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is nothing to evaluate on"),
				 errdetail("No session of the test query has two items, one after the other, that the index knows."),
				 errhint("The test query must return session, item and time.")));
	put_figures(&evaluating, &answer);
	MemoryContextDelete(sessions);
	MemoryContextDelete(evaluating.context);
	return (Datum) 0;
}
