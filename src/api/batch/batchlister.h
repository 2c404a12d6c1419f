/*
 * batchlister.h
 *	  The lists of an index for many users, one after the other, from the rows of each.
 */
#ifndef RECSYS_BATCHLISTER_H
#define RECSYS_BATCHLISTER_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "core/scoring/batchgraph.h"
#include "core/scoring/scorer.h"
#include "core/rows/history.h"

typedef struct RecsysBatchLister RecsysBatchLister;

/* How lists are made */
typedef struct RecsysBatchTerms
{
	int			k;
	int64		half_life;		/* microseconds; 0: no decay */
	int64		now;			/* what is later counts as of then */
} RecsysBatchTerms;

/* graph is NULL if lists are made from pages. */
extern RecsysBatchLister *RecsysBatchListerCreate(RecsysRecommender *recommender,
												  const RecsysBatchGraph *graph,
												  const RecsysBatchTerms *terms);
extern void RecsysBatchListerFree(RecsysBatchLister *lister);

/*
 * The list of a user of whom the n rows, which may be reordered, are visible: items by number, best
 * first; those that are there as popular ones alone have a score of 0.  Returns how many; valid
 * until the next call.
 */
extern int	RecsysBatchListerList(RecsysBatchLister *lister, RecsysInteraction *rows, int n,
								  const RecsysScored **list);

#endif							/* RECSYS_BATCHLISTER_H */
