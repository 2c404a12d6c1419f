/*
 * audiencepairs.c
 *	  How similar all items are to some: the item graph read backwards.
 *
 * A row of the graph has the neighbors of an item, and who wants the neighbor is asked for
 * by it.  So all rows are read once, and what they say of the targets is kept, by the numbers
 * that the events' index has for the items: with these a user's rows come.
 */
#include "postgres.h"

#include "am/entry/indexes.h"
#include "am/graph/graph.h"
#include "am/graph/prior_page.h"
#include "am/store/enlarge.h"
#include "api/candidates/excludedpairs.h"
#include "api/candidates/tablegraph.h"
#include "api/operate/audiencepairs.h"
#include "api/profile/catalogue.h"
#include "api/scoring/serving.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct Pair
{
	uint32		item;
	uint32		place;
	float		score;
} Pair;

typedef struct PairList
{
	MemoryContext context;
	Pair	   *pairs;
	uint64		count;
	uint64		size;
} PairList;

static void
add_pair(PairList *list, uint32 item, uint32 place, float score)
{
	if (list->count == list->size)
	{
		list->size = Max(1024, list->size * 2);
		list->pairs = RecsysEnlarge(list->context, list->pairs, sizeof(Pair) * list->size);
	}
	list->pairs[list->count].item = item;
	list->pairs[list->count].place = place;
	list->pairs[list->count++].score = score;
}

/* The graph of an index, by its own numbers: place of a target, or RECSYS_NONE */
static uint32 *
places_of_targets(RecsysRecommender *graph, const RecsysTargets *targets, uint32 nitems)
{
	uint32	   *places = palloc_extended(sizeof(uint32) * (Size) Max(nitems, 1), MCXT_ALLOC_HUGE);

	memset(places, 0xFF, sizeof(uint32) * (Size) nitems);
	for (int t = 0; t < targets->count; t++)
	{
		uint32		number;

		if (RecsysFindItem(graph, &targets->targets[t].key, &number) && number < nitems)
			places[number] = t;
	}
	return places;
}

static void
read_index(const RecsysDefinition *definition, RecsysRecommender *events, RecsysRecommender *graph,
		   const RecsysTargets *targets, PairList *list)
{
	uint32		nitems = RecsysItemCount(graph->index);
	uint32	   *places = places_of_targets(graph, targets, nitems);
	RecsysExcludedPairs *excluded = RecsysGetExcludedPairs(definition, graph->index);
	RecsysGraphReader reader;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "recsys audience row",
													  ALLOCSET_SMALL_SIZES);

	RecsysGraphReaderInit(&reader, graph->index);
	for (uint32 item = 0; item < nitems; item++)
	{
		RecsysGraphRow row;
		uint64		first = list->count;
		uint32		number;
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		RecsysExcludedPrepare(excluded, &item, 1);
		row = RecsysGraphReadRow(&reader, item);
		if (row == NULL)
			continue;
		for (int n = 0; n < row->nneighbors; n++)
			if (row->peers[n] < nitems && places[row->peers[n]] != RECSYS_NONE)
				add_pair(list, item, places[row->peers[n]],
						 (float) (RecsysRowScores(row)[n] *
								  RecsysExcludedShare(excluded, item, row->peers[n])));
		RecsysGraphReleaseRow(&reader);
		if (list->count == first)
			continue;
		old = MemoryContextSwitchTo(row_context);
		number = RecsysNumberIn(events, graph, &reader, item);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
		if (number == RECSYS_NONE)
			list->count = first;
		for (uint64 x = first; x < list->count; x++)
			list->pairs[x].item = number;
	}
	RecsysGraphReaderDone(&reader);
	MemoryContextDelete(row_context);
	pfree(places);
}

/* What speaks for the targets whoever the user is */
static void
read_prior(const RecsysDefinition *definition, RecsysRecommender *events,
		   const RecsysTargets *targets, double *scores)
{
	RecsysExcludedPairs *excluded = RecsysGetExcludedPairs(definition, events->index);
	RecsysPrior *prior = palloc(sizeof(RecsysPrior));

	if (RecsysReadPrior(events->index, prior))
		for (int t = 0; t < targets->count; t++)
		{
			uint32		number;

			if (!RecsysFindItem(events, &targets->targets[t].key, &number))
				continue;
			RecsysExcludedPrepare(excluded, &number, 1);
			for (int x = 0; x < prior->count; x++)
				if (prior->items[x] == number)
					scores[t] = prior->scores[x] * RecsysExcludedItemShare(excluded, number);
		}
	pfree(prior);
}

static int
compare_pairs(const void *a, const void *b)
{
	const Pair *left = a;
	const Pair *right = b;

	CHECK_FOR_INTERRUPTS();
	if (left->item != right->item)
		return left->item < right->item ? -1 : 1;
	return (left->place > right->place) - (left->place < right->place);
}

static void
lay_out(PairList *list, uint32 nitems, RecsysAudiencePairs *pairs)
{
	uint64		n = 0;

	pairs->offsets = palloc_extended(sizeof(uint64) * ((Size) nitems + 1), MCXT_ALLOC_HUGE);
	pairs->places = palloc_extended(sizeof(uint32) * (Size) Max(list->count, 1), MCXT_ALLOC_HUGE);
	pairs->scores = palloc_extended(sizeof(float) * (Size) Max(list->count, 1), MCXT_ALLOC_HUGE);
	qsort(list->pairs, list->count, sizeof(Pair), compare_pairs);
	for (uint32 item = 0; item < nitems; item++)
	{
		pairs->offsets[item] = n;
		for (; n < list->count && list->pairs[n].item == item; n++)
		{
			pairs->places[n] = list->pairs[n].place;
			pairs->scores[n] = list->pairs[n].score;
		}
	}
	pairs->offsets[nitems] = n;
}

/* A graph that is a relation: its pairs go by slots. */
typedef struct TableSearch
{
	PairList   *list;
	const uint32 *numbers;		/* of the slots that are asked for */
	uint32	   *places;			/* of targets, by slot */
	uint32		nplaces;
} TableSearch;

static void
take_table_pair(void *arg, int place, uint32 similar, float score, int64 support)
{
	TableSearch *search = arg;

	if (similar < search->nplaces && search->places[similar] != RECSYS_NONE)
		add_pair(search->list, search->numbers[place], search->places[similar], score);
}

typedef struct SlotNumber
{
	uint32		slot;
	uint32		number;
} SlotNumber;

static int
compare_slots(const void *a, const void *b)
{
	uint32		left = ((const SlotNumber *) a)->slot;
	uint32		right = ((const SlotNumber *) b)->slot;

	CHECK_FOR_INTERRUPTS();
	return (left > right) - (left < right);
}

static void
read_table(RecsysShop *shop, RecsysRecommender *events, Oid relation, const RecsysTargets *targets,
		   uint32 nitems, PairList *list)
{
	RecsysCatalogue *catalogue = RecsysGetCatalogue(shop, events->columns.item_kind);
	RecsysItemMap *map = RecsysCatalogueMap(catalogue, events->index);
	SlotNumber *all = palloc_extended(sizeof(SlotNumber) * (Size) Max(nitems, 1), MCXT_ALLOC_HUGE);
	uint32	   *slots = palloc_extended(sizeof(uint32) * (Size) Max(nitems, 1), MCXT_ALLOC_HUGE);
	uint32	   *numbers = palloc_extended(sizeof(uint32) * (Size) Max(nitems, 1), MCXT_ALLOC_HUGE);
	RecsysGraphReader reader;
	TableSearch search = {.list = list, .numbers = numbers};

	RecsysGraphReaderInit(&reader, events->index);
	for (uint32 item = 0; item < nitems; item++)
	{
		CHECK_FOR_INTERRUPTS();
		all[item].slot = RecsysMapSlot(map, &reader, item);
		all[item].number = item;
	}
	RecsysGraphReaderDone(&reader);
	qsort(all, nitems, sizeof(SlotNumber), compare_slots);
	for (uint32 x = 0; x < nitems; x++)
	{
		slots[x] = all[x].slot;
		numbers[x] = all[x].number;
	}
	for (int t = 0; t < targets->count; t++)
		(void) RecsysCatalogueSlot(catalogue, &targets->targets[t].key);
	search.nplaces = RecsysCatalogueCount(catalogue);
	search.places = palloc_extended(sizeof(uint32) * (Size) Max(search.nplaces, 1),
									MCXT_ALLOC_HUGE);
	memset(search.places, 0xFF, sizeof(uint32) * (Size) search.nplaces);
	for (int t = 0; t < targets->count; t++)
		search.places[RecsysCatalogueSlot(catalogue, &targets->targets[t].key)] = t;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	RecsysVisitTableGraph(RecsysGetTableGraph(shop, shop->definition->signals[0].graph, relation,
											  RecsysCatalogueKind(catalogue)),
						  NULL, catalogue, slots, (int) nitems, RECSYS_NONE, take_table_pair, &search);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

static void
read_graph(RecsysShop *shop, RecsysRecommender *events, RecsysRecommender *graph,
		   const RecsysTargets *targets, PairList *list, RecsysAudiencePairs *pairs)
{
	pairs->factors = RecsysReadAudienceFactors(events, graph, targets, pairs->nitems);
	if (pairs->factors == NULL)
		read_index(shop->definition, events, graph, targets, list);
}

void
RecsysReadAudiencePairs(RecsysShop *shop, RecsysRecommender *events, const RecsysTargets *targets,
						RecsysAudiencePairs *pairs)
{
	const RecsysSignal *signal = &shop->definition->signals[0];
	PairList	list = {.context = CurrentMemoryContext};
	Oid			relation = signal->graph != NULL ? RecsysNamedRecommender(signal->graph) :
		InvalidOid;

	pairs->prior = palloc0(sizeof(double) * Max(targets->count, 1));
	if (signal->graph == NULL)
	{
		read_graph(shop, events, events, targets, &list, pairs);

		/* as for a list: ratings are no popularity, and factors know theirs */
		if (!signal->is_centered && pairs->factors == NULL)
			read_prior(shop->definition, events, targets, pairs->prior);
	}
	else if (RecsysIsIndex(relation))
	{
		RecsysRecommender graph;

		RecsysOpenRecommender(signal->graph, &graph);
		read_graph(shop, events, &graph, targets, &list, pairs);
		RecsysCloseRecommender(&graph);
	}
	else
		read_table(shop, events, relation, targets, pairs->nitems, &list);
	lay_out(&list, pairs->nitems, pairs);
	if (list.pairs != NULL)
		pfree(list.pairs);
}
