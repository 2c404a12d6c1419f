/*
 * check.h
 *	  Verifying the on-disk invariants of a recsys index.
 */
#ifndef RECSYS_CHECK_H
#define RECSYS_CHECK_H

#include "postgres.h"

#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/page.h"
#include "utils/rel.h"

/* What the files that check say of an index, with what is wrong as a detail. */
#define RecsysCheckFailed(index, ...) \
	RecsysCorruptedDetail((index), \
						  psprintf("index \"%s\" is corrupted", RecsysIndexName(index)), \
						  __VA_ARGS__)

#define RecsysCountsDisagree(index, ...) \
	RecsysCorruptedDetail((index), \
						  psprintf("the item graph of index \"%s\" does not count the rows of its table", \
								   RecsysIndexName(index)), \
						  __VA_ARGS__)

/* Errors out with ERRCODE_INDEX_CORRUPTED at the first violation. */
extern void RecsysCheckIndex(Relation heap, Relation index);

/*
 * The part of that which all kinds of indexes have in common: trees, lists, the graph's rows
 * each for itself, and that every block is in use once or free.  Hooks get the entries of all
 * owners, nothing locked, and before that may reach pages that only their kind of index has
 * (NULL: none).
 */
typedef struct RecsysPagesCheck RecsysPagesCheck;

typedef struct RecsysCheckHooks
{
	void		(*entry) (void *arg, RecsysSide side, const RecsysOwnerData *owner,
						  const RecsysEntry *entry);
	void		(*pages) (void *arg, RecsysPagesCheck *check);
} RecsysCheckHooks;

extern void RecsysCheckPages(Relation index, const RecsysCheckHooks *hooks, void *arg);

/* A block is in use; errors out if it has been reached before. */
extern void RecsysCheckReach(RecsysPagesCheck *check, BlockNumber block);

/*
 * check_rows.c: every row that a new snapshot sees stands exactly once in each
 * direction, under its own keys; no TID stands twice in one direction.  whole (check_parts.h):
 * the rows are those of partitions; else NULL.
 */
typedef struct RecsysRowCheck RecsysRowCheck;
typedef struct RecsysWholeCheck RecsysWholeCheck;

extern RecsysRowCheck *RecsysRowCheckCreate(Relation heap, Relation index,
											RecsysWholeCheck *whole);
extern void RecsysRowCheckUserEntry(RecsysRowCheck *check, uint32 owner_hash, uint32 item,
									uint64 position);
extern void RecsysRowCheckItemEntry(RecsysRowCheck *check, uint32 owner_item, bool no_user,
									uint32 user_hash, uint64 position);
extern void RecsysRowCheckFinish(RecsysRowCheck *check);

/*
 * check_counts.c: the item graph counts every row that is visible, but for what may
 * lag behind.
 */
extern void RecsysCheckCounts(Relation heap, Relation index);

/*
 * check_prior.c: the prior's page is that of the rows.
 */
extern void RecsysCheckPrior(Relation index);

#endif							/* RECSYS_CHECK_H */
