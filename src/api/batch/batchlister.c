/*
 * batchlister.c
 *	  The lists of an index for many users, one after the other, from the rows of each.
 *
 * It does what api/scoring/serving and listing do for one user, by a packed graph: rows are folded,
 * weights decay, what the user has is left out, items that are too old are not offered, and popular
 * items fill what is left.  Lists are the same item by item and score by score.
 *
 * Where there is no packed graph, because it does not fit into memory or scores come from factors,
 * each list is made by api/scoring/listing from the pages of the index.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "api/batch/batchlister.h"
#include "api/scoring/listing.h"
#include "core/scoring/batchscorer.h"
#include "utils/memutils.h"

struct RecsysBatchLister
{
	RecsysRecommender *recommender;
	const RecsysBatchGraph *graph;
	RecsysBatchScorer *scorer;
	RecsysBatchTerms terms;
	uint32		nitems;
	RecsysItemOrder *items;
	RecsysKeyOrder order;
	RecsysFolding folding;
	MemoryContext context;
	MemoryContext list_context; /* of one list that is made from pages */

	/* popular items, read when they are first needed: those of the page, then all */
	uint32	   *popular;
	uint32		npopular;
	bool		has_all;

	/* of the user at hand */
	int			size;			/* room for rows */
	RecsysInteraction *copy;
	RecsysHistoryItem *history;
	uint32	   *evidence;
	double	   *weights;
	uint32	   *seen;
	RecsysScored *list;
	uint32		list_size;
};

RecsysBatchLister *
RecsysBatchListerCreate(RecsysRecommender *recommender, const RecsysBatchGraph *graph,
						const RecsysBatchTerms *terms)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys batch lister",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysBatchLister *lister = palloc0(sizeof(RecsysBatchLister));

	lister->context = context;
	lister->recommender = recommender;
	lister->graph = graph;
	lister->terms = *terms;
	lister->nitems = graph != NULL ? graph->nitems : RecsysItemCount(recommender->index);
	lister->items = RecsysItemOrderCreate(recommender->index, lister->nitems);
	lister->order = RecsysItemOrderForCore(lister->items);
	RecsysMetaFolding(&RecsysGetCache(recommender->index)->meta, &lister->order, &lister->folding);
	if (graph != NULL)
		lister->scorer = RecsysBatchScorerCreate(graph);
	else
		lister->list_context = AllocSetContextCreate(context, "recsys batch list",
													 ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(old);
	return lister;
}

void
RecsysBatchListerFree(RecsysBatchLister *lister)
{
	RecsysItemOrderFree(lister->items);
	MemoryContextDelete(lister->context);
}

/* Room for the rows of a user, and for the list */
static void
make_room(RecsysBatchLister *lister, int n)
{
	uint32		most = (uint32) Min((uint64) lister->terms.k, (uint64) lister->nitems);

	if (lister->list == NULL || lister->list_size < most)
	{
		lister->list_size = most;
		lister->list = MemoryContextAllocHuge(lister->context,
											  sizeof(RecsysScored) * ((Size) most + 1));
	}
	if (n <= lister->size)
		return;
	if (lister->size > 0)
	{
		pfree(lister->copy);
		pfree(lister->history);
		pfree(lister->evidence);
		pfree(lister->weights);
		pfree(lister->seen);
	}
	lister->size = 0;
	n = Max(n, 256) + n / 2;
	lister->copy = MemoryContextAllocHuge(lister->context, sizeof(RecsysInteraction) * (Size) n);
	lister->history = MemoryContextAllocHuge(lister->context, sizeof(RecsysHistoryItem) * (Size) n);
	lister->evidence = MemoryContextAllocHuge(lister->context, sizeof(uint32) * (Size) n);
	lister->weights = MemoryContextAllocHuge(lister->context, sizeof(double) * (Size) n);
	lister->seen = MemoryContextAllocHuge(lister->context, sizeof(uint32) * (Size) n);
	lister->size = n;
}

/* Evidence and its weights, as RecsysReadProfile has them; returns how much there is. */
static int
weigh(RecsysBatchLister *lister, RecsysInteraction *rows, int n)
{
	const RecsysHistoryItem *history = lister->history;
	int64		latest = RECSYS_NO_TIME;
	int			count = RecsysHistoryFold(rows, n, &lister->folding, lister->history, NULL);

	for (int i = 0; i < count; i++)
		latest = Max(latest, Min(history[i].time, lister->terms.now));
	for (int i = 0; i < count; i++)
	{
		lister->evidence[i] = history[i].item;
		lister->weights[i] = history[i].weight *
			RecsysDecay(history[i].time, latest, lister->terms.half_life);
	}
	return count;
}

static void
check_items(const RecsysBatchLister *lister, const RecsysInteraction *rows, int n)
{
	uint32		highest = 0;

	for (int i = 0; i < n; i++)
		highest = Max(highest, rows[i].item);
	if (n > 0 && highest >= lister->nitems)
		RecsysNoItem(lister->recommender->index, highest);
}

/* The items of the popular page, with all others behind them if wanted. */
static void
read_popular(RecsysBatchLister *lister, bool all)
{
	MemoryContext old = MemoryContextSwitchTo(lister->context);

	if (lister->popular == NULL)
	{
		int			npopular;

		lister->popular = RecsysReadPopular(lister->recommender->index, &npopular);
		lister->npopular = (uint32) npopular;
		/* the page lists some thousand items; one that is not full lists all of them */
		lister->has_all = npopular < RECSYS_POPULAR_ITEMS;
	}
	if (all && !lister->has_all)
	{
		uint32		nall;
		RecsysPopularity *popular = RecsysReadAllPopular(lister->recommender->index, &nall);
		uint32	   *items = MemoryContextAllocHuge(lister->context,
												   sizeof(uint32) * ((Size) lister->npopular + nall));

		memcpy(items, lister->popular, sizeof(uint32) * (Size) lister->npopular);
		for (uint32 i = 0; i < nall; i++)
			items[lister->npopular + i] = popular[i].item;
		pfree(popular);
		pfree(lister->popular);
		lister->popular = items;
		lister->npopular += nall;
		lister->has_all = true;
	}
	MemoryContextSwitchTo(old);
}

static int
list_by_graph(RecsysBatchLister *lister, RecsysInteraction *rows, int n)
{
	int			k = lister->terms.k;
	int			nevidence;
	int			count;

	for (int i = 0; i < n; i++)
		lister->seen[i] = rows[i].item;
	nevidence = weigh(lister, rows, n);
	count = RecsysBatchScorerList(lister->scorer, lister->evidence, lister->weights, nevidence,
								  lister->seen, n, k, lister->list);
	for (int all = 0; all < 2 && count < (int) lister->list_size; all++)
	{
		read_popular(lister, all == 1);
		count = RecsysBatchScorerFill(lister->scorer, lister->seen, n, lister->list, count,
									  (int) lister->list_size, lister->popular, lister->npopular);
	}
	return count;
}

/* As RecsysListingFill does it */
static int
fill_listing(RecsysBatchLister *lister, RecsysListing *listing, int count)
{
	uint32		next = 0;

	for (int all = 0; all < 2 && count < (int) lister->list_size; all++)
	{
		read_popular(lister, all == 1);
		for (; next < lister->npopular && count < (int) lister->list_size; next++)
		{
			uint32		item = lister->popular[next];

			if (RecsysScorerIsExcluded(listing->scorer, item) ||
				RecsysScorerIsCandidate(listing->scorer, item) ||
				!RecsysListingOffersItem(listing, item))
				continue;
			RecsysScorerExclude(listing->scorer, item);
			lister->list[count].item = item;
			lister->list[count++].score = 0;
		}
	}
	return count;
}

static int
list_from_pages(RecsysBatchLister *lister, RecsysInteraction *rows, int n)
{
	MemoryContext old = MemoryContextSwitchTo(lister->list_context);
	RecsysProfile profile = {0};
	RecsysListing listing;
	RecsysScored *best;
	int			count;

	memcpy(lister->copy, rows, sizeof(RecsysInteraction) * (Size) n);
	profile.seen = rows;
	profile.nseen = n;
	profile.nevidence = weigh(lister, lister->copy, n);
	profile.items = lister->evidence;
	profile.weights = lister->weights;
	RecsysListingBegin(&listing, lister->recommender);
	RecsysListingSeen(&listing, profile.seen, n, true);
	count = RecsysListingBest(&listing, &profile, lister->terms.k, &best);
	count = Min(count, (int) lister->list_size);
	memcpy(lister->list, best, sizeof(RecsysScored) * (Size) count);
	count = fill_listing(lister, &listing, count);
	RecsysListingEnd(&listing);
	MemoryContextSwitchTo(old);
	MemoryContextReset(lister->list_context);
	return count;
}

int
RecsysBatchListerList(RecsysBatchLister *lister, RecsysInteraction *rows, int n,
					  const RecsysScored **list)
{
	make_room(lister, n);
	check_items(lister, rows, n);
	*list = lister->list;
	return lister->graph != NULL ? list_by_graph(lister, rows, n) : list_from_pages(lister, rows, n);
}
