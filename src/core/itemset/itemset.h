/*
 * itemset.h
 *	  Frequent item sets: which items are often in one basket together.
 *
 * Mining has two steps.  Prepare reads the baskets twice, keeps what can be part of
 * a frequent item set and lays it out as one flat block of memory without pointers.
 * A miner works on that block.  The search is divided into tasks, which depend on
 * nothing but the block: any number of miners, in one process or in several that
 * share the block, can take tasks in any order, and together they report each item
 * set exactly once.
 *
 *	  RecsysItemsets *sets = RecsysItemsetsPrepare(&baskets, &options, NULL, NULL);
 *	  RecsysItemsetMiner *miner = RecsysItemsetMinerCreate(sets, work_mem, report, arg);
 *
 *	  for (uint32 task = 0; task < sets->ntasks && outcome == RECSYS_ITEMSETS_DONE; task++)
 *		  outcome = RecsysItemsetMine(miner, task);
 *
 * An item set's support is the number of baskets that contain all of it.  The empty
 * set is never reported.
 */
#ifndef RECSYS_ITEMSET_H
#define RECSYS_ITEMSET_H

#include "core/base/platform.h"
#include "core/rows/exactsum.h"

typedef enum RecsysItemsetKind
{
	RECSYS_ITEMSETS_ALL,		/* every frequent item set */
	RECSYS_ITEMSETS_CLOSED,		/* no superset has the same support */
	RECSYS_ITEMSETS_MAXIMAL		/* no superset is frequent */
} RecsysItemsetKind;

/*
 * Excluded items and baskets that are too large are taken out of the data before
 * anything is counted; closed and maximal mean sets of what is left.  The other
 * filters (lengths, all_of, any_of) choose among its closed or maximal sets.
 * Baskets that were taken out, became empty or have one item count in nbaskets.
 */
typedef struct RecsysItemsetOptions
{
	RecsysItemsetKind kind;
	uint32		min_support;	/* baskets, at least 1 */
	uint32		min_length;		/* items of a set, at least 1 */
	uint32		max_length;		/* 0: no limit */
	uint32		max_basket;		/* leave out baskets with more items; 0: no limit */
	const uint32 *excluded;		/* items as if they did not exist */
	uint32		nexcluded;
	const uint32 *all_of;		/* a set must contain each of these ... */
	uint32		nall_of;
	const uint32 *any_of;		/* ... and, unless there are none, one of these */
	uint32		nany_of;
	Size		memory_limit;	/* for Prepare's result and what it needs meanwhile */
} RecsysItemsetOptions;

/* Baskets in any order, read twice from the start. */
typedef struct RecsysBaskets
{
	uint32		nitems;			/* items are 0 .. nitems - 1 */
	void		(*rewind) (void *arg);

	/*
	 * The next basket's items, distinct and in any order, and its weight (NULL
	 * when there are no weights); false at the end.
	 */
	bool		(*next) (void *arg, const uint32 **items, uint32 *count, RecsysDecimal *weight);
	bool		weighted;		/* does next fill in the weight? */
	void	   *arg;
} RecsysBaskets;

/*
 * The prepared data, ready to be copied to anywhere that is aligned to 8 bytes.  Item
 * numbers in here are ranks; the fields that follow are all that a caller needs.
 */
typedef struct RecsysItemsets
{
	Size		size;			/* bytes of the whole block */
	uint32		ntasks;
	uint32		nbaskets;		/* N: all baskets of the source */
	uint32		nleft_out;		/* of these, baskets above max_basket */
	uint32		nfrequent;		/* frequent items */
	uint32		min_support;
	RecsysItemsetKind kind;
} RecsysItemsets;

typedef enum RecsysItemsetOutcome
{
	RECSYS_ITEMSETS_DONE,
	RECSYS_ITEMSETS_STOPPED,	/* the reporter said so */
	RECSYS_ITEMSETS_NO_MEMORY	/* the limit does not suffice */
} RecsysItemsetOutcome;

/*
 * Where the block shall be, given its size; called once.  With NULL for it the block
 * is in the current memory context and the caller frees it by pfree.
 */
typedef void *(*RecsysItemsetsPlace) (void *arg, Size size);

/* NULL if memory_limit does not suffice. */
extern RecsysItemsets *RecsysItemsetsPrepare(RecsysBaskets *baskets,
											 const RecsysItemsetOptions *options,
											 RecsysItemsetsPlace place, void *arg);

/* Baskets that contain the item, 0 if it is not frequent; after all filters of baskets. */
extern uint32 RecsysItemsetsSupport(const RecsysItemsets *sets, uint32 item);

/* From now on miners report numbers[item] in the place of an item. */
extern void RecsysItemsetsRenumber(RecsysItemsets *sets, const uint32 *numbers);

/* An item set, as the reporter sees it; valid during the call. */
typedef struct RecsysItemset
{
	const uint32 *items;		/* in no particular order */
	uint32		length;
	uint32		support;
	double		weight;			/* of the baskets with the set; 0 when there are no weights */
} RecsysItemset;

/* False ends the mining with RECSYS_ITEMSETS_STOPPED. */
typedef bool (*RecsysItemsetReporter) (void *arg, const RecsysItemset *set);

typedef struct RecsysItemsetMiner RecsysItemsetMiner;

/* memory_limit is the miner's own, in bytes. */
extern RecsysItemsetMiner *RecsysItemsetMinerCreate(const RecsysItemsets *sets, Size memory_limit,
													RecsysItemsetReporter report, void *arg);
extern void RecsysItemsetMinerFree(RecsysItemsetMiner *miner);

/*
 * One task, 0 .. ntasks - 1.  When kind is ALL and one miner does all tasks in this
 * order, every subset (that passes the filters) is reported before its supersets.
 * Later tasks tend to be the longer ones, so several miners had better start from the end.
 * After another outcome than DONE the miner can only be freed.
 */
extern RecsysItemsetOutcome RecsysItemsetMine(RecsysItemsetMiner *miner, uint32 task);

/*
 * The lowest min_support with which no more than max_sets are reported (with maximal
 * sets: closed ones, which are at least as many), to be told to a user who got too many.
 * It takes about as long as mining with that support.  0 if the memory does not suffice.
 * remaining, unless NULL, gets how many are reported with it, which may be none.
 */
extern uint32 RecsysItemsetsSuggest(const RecsysItemsets *sets, uint64 max_sets, Size memory_limit,
									uint64 *remaining);

#endif							/* RECSYS_ITEMSET_H */
