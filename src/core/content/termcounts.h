/*
 * termcounts.h
 *	  In how many values each term occurs.
 */
#ifndef RECSYS_TERMCOUNTS_H
#define RECSYS_TERMCOUNTS_H

#include "core/content/contentmodel.h"

typedef struct RecsysTermCount
{
	uint64		hash;
	uint32		count;
} RecsysTermCount;

typedef struct RecsysTermCounts RecsysTermCounts;

/*
 * Of the labels of sets and the words of texts (single labels weigh nothing).  Within memory bytes:
 * when there are too many terms the rarest are forgotten, which then count as those that have
 * not been seen.
 */
extern RecsysTermCounts *RecsysTermCountsCreate(const RecsysContentModel *model, Size memory);
extern void RecsysTermCountsAdd(RecsysTermCounts *counts, const RecsysRawContent *raw);

/*
 * Sets documents and mean_length in the model; returns the terms in order of their hash, and
 * frees the counts.  Terms that occur once are left out: they weigh what unseen ones weigh.
 */
extern RecsysTermCount *RecsysTermCountsFinish(RecsysTermCounts *counts,
											   RecsysContentModel *model, uint32 *n);

/* The count of a term, 0 if it is not known */
typedef uint32 (*RecsysTermLookup) (void *arg, uint64 hash);

#endif							/* RECSYS_TERMCOUNTS_H */
