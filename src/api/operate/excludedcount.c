/*
 * excludedcount.c
 *	  Counts what excluded users have put into the item graphs of a recommender.
 *
 * Excluded users are few: each is looked up in the index, and what it has is folded as in a
 * build.  With that the users of each item and each pair of the graph are counted without
 * them, and the similarity of these counts is compared with that of all users.  For models
 * without weights, which are functions of these counts, that is exact; with weights it is as if
 * all of them were the same, and for learned models a pair counts as much as the share of its
 * users that are left.  Changes of less than a hundredth are not written down: those of a
 * popular item that has a few bots among its thousands of users.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "am/entry/indexes.h"
#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/read/visible.h"
#include "api/call/recommender.h"
#include "api/declare/customersquery.h"
#include "api/operate/excludedcount.h"
#include "api/operate/queryanswer.h"
#include "catalog/pg_type.h"
#include "core/pairs/modeloptions.h"
#include "core/rows/dictionary.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "source/input/keytext.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Of an item and a user, both as numbers */
typedef struct Holding
{
	uint32		item;
	uint32		user;
} Holding;

typedef struct Holdings
{
	Holding    *all;			/* by item, then user, once sorted */
	Size		count;
	Size		size;
	Size		most;			/* that memory allows for */
} Holdings;

static void
start_users(void *arg, TupleDesc desc)
{
}

typedef struct UserReader
{
	RecsysDictionary *users;
	MemoryContext context;		/* they live in */
} UserReader;

static void
add_user(void *arg, HeapTuple tuple, TupleDesc desc)
{
	UserReader *reader = arg;
	Datum		value;
	bool		isnull;
	RecsysKey	key;

	value = heap_getattr(tuple, 1, desc, &isnull);
	if (isnull)
		return;
	RecsysKeyFromDatum(TupleDescAttr(desc, 0)->atttypid, value, &key);
	if (key.len <= RECSYS_MAX_KEY_LEN)
	{
		MemoryContext old = MemoryContextSwitchTo(reader->context);

		(void) RecsysDictionaryIntern(reader->users, &key);
		MemoryContextSwitchTo(old);
	}
}

static RecsysDictionary *
excluded_users(RecsysShop *shop, RecsysKeyKind kind)
{
	UserReader	reader = {RecsysDictionaryCreate(kind, 0), CurrentMemoryContext};
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT u FROM (");
	RecsysAppendCustomers(&query, shop->definition, kind);
	appendStringInfoString(&query, ") AS c WHERE excluded");
	RecsysRunShopQuery(shop, query.data, start_users, add_user, &reader);
	return reader.users;
}

/* False when there is no memory for more. */
static bool
add_holding(Holdings *holdings, uint32 item, uint32 user)
{
	if (holdings->count == holdings->most)
		return false;
	if (holdings->count == holdings->size)
	{
		holdings->size = Min(Max(1024, holdings->size * 2), holdings->most);
		holdings->all = holdings->all == NULL ?
			palloc_extended(sizeof(Holding) * holdings->size, MCXT_ALLOC_HUGE) :
			repalloc_huge(holdings->all, sizeof(Holding) * holdings->size);
	}
	holdings->all[holdings->count].item = item;
	holdings->all[holdings->count++].user = user;
	return true;
}

/* What one of them has, as the graph counts it */
static bool
add_user_holdings(RecsysRecommender *graph, const RecsysKey *key, uint32 user,
				  const RecsysFolding *folding, Holdings *holdings, MemoryContext user_context)
{
	MemoryContext old = MemoryContextSwitchTo(user_context);
	RecsysInteraction *rows;
	int			nrows = RecsysReadVisible(graph->heap, graph->index, key, GetActiveSnapshot(),
										  &rows);
	RecsysHistoryItem *history = palloc_extended(sizeof(RecsysHistoryItem) * (Size) Max(nrows, 1),
												 MCXT_ALLOC_HUGE);
	int			count = RecsysHistoryFold(rows, nrows, folding, history, NULL);
	bool		fits = true;

	MemoryContextSwitchTo(old);
	for (int i = 0; i < count && fits; i++)
		fits = add_holding(holdings, history[i].item, user);
	MemoryContextReset(user_context);
	return fits;
}

static int
compare_holdings(const void *a, const void *b)
{
	const Holding *left = a;
	const Holding *right = b;

	CHECK_FOR_INTERRUPTS();
	if (left->item != right->item)
		return left->item < right->item ? -1 : 1;
	return (left->user > right->user) - (left->user < right->user);
}

static void
read_holdings(RecsysRecommender *graph, const RecsysDictionary *users, const char *recommender,
			  Holdings *holdings)
{
	MemoryContext user_context = AllocSetContextCreate(CurrentMemoryContext, "recsys excluded user",
													   ALLOCSET_DEFAULT_SIZES);
	RecsysItemOrder *items = RecsysItemOrderCreate(graph->index, RecsysItemCount(graph->index));
	RecsysKeyOrder order = RecsysItemOrderForCore(items);
	RecsysFolding folding;
	bool		fits = true;

	memset(holdings, 0, sizeof(*holdings));
	holdings->most = (Size) maintenance_work_mem * 1024 / sizeof(Holding);
	RecsysMetaFolding(&RecsysGetCache(graph->index)->meta, &order, &folding);
	for (uint32 user = 0; user < RecsysDictionaryCount(users) && fits; user++)
	{
		RecsysKey	key;

		CHECK_FOR_INTERRUPTS();
		RecsysDictionaryKey(users, user, &key);
		fits = add_user_holdings(graph, &key, user, &folding, holdings, user_context);
	}
	if (!fits)
		ereport(WARNING,
				(errmsg("some excluded users still count in recommender \"%s\"", recommender),
				 errdetail("What all of them have does not fit into maintenance_work_mem."),
				 errhint("Increase maintenance_work_mem, or build the index without them, by a WHERE condition.")));
	if (holdings->count > 0)
		qsort(holdings->all, holdings->count, sizeof(Holding), compare_holdings);
	RecsysItemOrderFree(items);
	MemoryContextDelete(user_context);
}

/* Where the holdings of each item begin: offsets[item] to offsets[item + 1] */
static Size *
lay_out(const Holdings *holdings, uint32 nitems)
{
	Size	   *offsets = palloc_extended(sizeof(Size) * ((Size) nitems + 1), MCXT_ALLOC_HUGE);
	Size		next = 0;

	for (uint32 item = 0; item < nitems; item++)
	{
		offsets[item] = next;
		while (next < holdings->count && holdings->all[next].item == item)
			next++;
	}
	offsets[nitems] = next;
	return offsets;
}

/* A change that matters */
#define LEAST_CHANGE 0.01

/* Counting without the excluded users in one graph */
typedef struct Counting
{
	RecsysRecommender *graph;
	const char *name;
	RecsysModelOptions options;
	double		all_users;		/* N that the scores are computed with, ... */
	double		excluded_users; /* ... and those of them that are excluded */
	uint32		nitems;
	uint32	   *users;			/* of each item */
	const Holdings *holdings;
	Size	   *offsets;
	uint8	   *marks;			/* excluded users who have the item at hand */
	RecsysGraphReader reader;
} Counting;

static uint32
excluded_of(const Counting *counting, uint32 item)
{
	return (uint32) Min(counting->offsets[item + 1] - counting->offsets[item],
						counting->users[item]);
}

static void
mark_users(Counting *counting, uint32 item, uint8 mark)
{
	for (Size y = counting->offsets[item]; y < counting->offsets[item + 1]; y++)
		counting->marks[counting->holdings->all[y].user] = mark;
}

/* The score of a pair by counts alone */
static double
score_of(const Counting *counting, double both, double n_i, double n_j, double n_users)
{
	RecsysPairTotals totals = {n_i, n_j, n_users, n_i, n_j, n_i};

	return RecsysSimilarityScore(&counting->options, both, both, &totals);
}

/* What the similarity of the item at hand and another is to be multiplied by */
static float
share_of_pair(const Counting *counting, uint32 item, uint32 similar, uint32 support)
{
	uint32		both = 0;
	double		left;
	double		before;
	double		after;

	for (Size y = counting->offsets[similar]; y < counting->offsets[similar + 1]; y++)
		both += counting->marks[counting->holdings->all[y].user];
	left = (double) support - Min(both, support);
	if (left < Max(counting->options.min_support, 1))
		return 0;
	if (!RecsysModelIsCounted(&counting->options))
		return (float) (left / support);
	before = score_of(counting, support, counting->users[item], counting->users[similar],
					  counting->all_users);
	after = score_of(counting, left, Max(counting->users[item] - excluded_of(counting, item), left),
					 Max(counting->users[similar] - excluded_of(counting, similar), left),
					 counting->all_users - counting->excluded_users);
	if (!(before > 0) || !isfinite(before) || !isfinite(after))
		return (float) (left / support);
	return (float) Max(after / before, 0);
}

/* The neighbors of an item whose similarity changes */
static int
find_changes(Counting *counting, uint32 item, uint32 *similar, float *shares)
{
	uint32		supports[RECSYS_MAX_STORED];
	RecsysGraphRow row = RecsysGraphReadRow(&counting->reader, item);
	int			npeers = 0;
	int			n = 0;

	if (row == NULL)
		return 0;
	for (int x = 0; x < row->nneighbors; x++)
	{
		if (row->peers[x] >= counting->nitems ||
			(excluded_of(counting, item) == 0 && excluded_of(counting, row->peers[x]) == 0))
			continue;
		similar[npeers] = row->peers[x];
		supports[npeers++] = RecsysRowSupports(row)[x];
	}
	RecsysGraphReleaseRow(&counting->reader);

	for (int x = 0; x < npeers; x++)
	{
		float		share;

		CHECK_FOR_INTERRUPTS();
		share = share_of_pair(counting, item, similar[x], supports[x]);
		if (fabs(share - 1) < LEAST_CHANGE)
			continue;
		similar[n] = similar[x];
		shares[n++] = share;
	}
	return n;
}

static char *
key_as_text(RecsysGraphReader *reader, RecsysKeyKind kind, uint32 item)
{
	RecsysKey	key;

	RecsysGraphNeedKey(reader, item, &key);
	return TextDatumGetCString(RecsysKeyToValue(TEXTOID, kind, &key));
}

/* The numbers of users of all items, and the places of their holdings */
static void
begin_counting(Counting *counting, const RecsysDictionary *users)
{
	uint8	   *has = palloc_extended(Max(RecsysDictionaryCount(users), 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	counting->nitems = RecsysItemCount(counting->graph->index);
	counting->all_users = RecsysGetCache(counting->graph->index)->meta.score_users;
	RecsysGraphOptions(&RecsysGetCache(counting->graph->index)->meta, &counting->options);
	counting->offsets = lay_out(counting->holdings, counting->nitems);
	counting->marks = palloc_extended(Max(RecsysDictionaryCount(users), 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (Size y = 0; y < counting->holdings->count; y++)
		has[counting->holdings->all[y].user] = 1;
	for (uint32 user = 0; user < RecsysDictionaryCount(users); user++)
		counting->excluded_users += has[user];
	pfree(has);

	RecsysGraphReaderInit(&counting->reader, counting->graph->index);
	counting->users = palloc_extended(sizeof(uint32) * (Size) Max(counting->nitems, 1),
									  MCXT_ALLOC_HUGE);
	for (uint32 item = 0; item < counting->nitems; item++)
	{
		RecsysGraphRow row;

		CHECK_FOR_INTERRUPTS();
		row = RecsysGraphNeedRow(&counting->reader, item);
		counting->users[item] = row->users;
		RecsysGraphReleaseRow(&counting->reader);
	}
}

static void
report_item(Counting *counting, uint32 item, RecsysExcludedReport report, void *arg)
{
	RecsysKeyKind kind = counting->graph->columns.item_kind;
	uint32		similar[RECSYS_MAX_STORED];
	float		shares[RECSYS_MAX_STORED];
	RecsysExcludedItem out = {.graph = counting->name, .item_share = 1, .shares = shares};

	mark_users(counting, item, 1);
	out.npairs = find_changes(counting, item, similar, shares);
	mark_users(counting, item, 0);
	if (counting->users[item] > 0)
		out.item_share = 1 - (float) excluded_of(counting, item) / counting->users[item];
	if (out.npairs == 0 && out.item_share > 1 - LEAST_CHANGE)
		return;
	out.item = key_as_text(&counting->reader, kind, item);
	out.similar = palloc(sizeof(char *) * Max(out.npairs, 1));
	for (int x = 0; x < out.npairs; x++)
		out.similar[x] = key_as_text(&counting->reader, kind, similar[x]);
	report(arg, &out);
}

static void
report_items(RecsysRecommender *graph, const char *name, const RecsysDictionary *users,
			 const Holdings *holdings, RecsysExcludedReport report, void *arg)
{
	Counting	counting = {.graph = graph, .name = name, .holdings = holdings};
	MemoryContext item_context = AllocSetContextCreate(CurrentMemoryContext, "recsys excluded item",
													   ALLOCSET_DEFAULT_SIZES);

	begin_counting(&counting, users);
	for (uint32 item = 0; item < counting.nitems; item++)
	{
		MemoryContext old = MemoryContextSwitchTo(item_context);

		CHECK_FOR_INTERRUPTS();
		report_item(&counting, item, report, arg);
		MemoryContextSwitchTo(old);
		MemoryContextReset(item_context);
	}
	RecsysGraphReaderDone(&counting.reader);
	MemoryContextDelete(item_context);
	pfree(counting.offsets);
	pfree(counting.marks);
	pfree(counting.users);
}

static void
count_in_graph(RecsysShop *shop, const char *name, RecsysExcludedReport report, void *arg)
{
	RecsysRecommender graph;
	RecsysDictionary *users;
	Holdings	holdings;

	RecsysOpenRecommender(name, &graph);
	users = excluded_users(shop, graph.columns.user_kind);
	read_holdings(&graph, users, shop->definition->name, &holdings);
	if (holdings.count > 0)
		report_items(&graph, name, users, &holdings, report, arg);
	if (holdings.all != NULL)
		pfree(holdings.all);
	RecsysDictionaryFree(users);
	RecsysCloseRecommender(&graph);
}

void
RecsysCountExcluded(RecsysShop *shop, RecsysExcludedReport report, void *arg)
{
	const RecsysDefinition *definition = shop->definition;
	List	   *done = NIL;

	if (definition->exclude_users == NULL)
		return;
	for (int s = 0; s < definition->nsignals; s++)
	{
		const RecsysSignal *signal = &definition->signals[s];
		const char *name = signal->graph != NULL ? signal->graph : signal->events;
		Oid			oid = RecsysNamedRecommender(name);

		/* relations are the shop's own, whoever counts there */
		if (!RecsysIsIndex(oid) || list_member_oid(done, oid))
			continue;
		done = lappend_oid(done, oid);
		count_in_graph(shop, name, report, arg);
	}
}
