/*
 * popularrank.h
 *	  A shop's items by their users, as what a list is chosen from.
 */
#ifndef RECSYS_POPULARRANK_H
#define RECSYS_POPULARRANK_H

#include "postgres.h"

#include "am/graph/graph.h"
#include "api/profile/shopprofile.h"
#include "core/scoring/scorer.h"

typedef struct RecsysPopularity RecsysPopularity;

typedef struct RecsysRanking
{
	const RecsysShopProfile *profile;
	Relation	index;			/* of the first signal */
	RecsysGraphReader reader;
	RecsysItemMap *map;

	RecsysScored *ranked;		/* slots with their users, as far as they have been asked for */
	int			count;

	const uint32 *popular;		/* what the popular page has; NULL: all are ranked */
	int			npopular;
	int			nlisted;		/* so many are from a list that leaves out excluded users */
} RecsysRanking;

/* index stays open until the end of the ranking.  In the current memory context. */
extern void RecsysRankingBegin(RecsysRanking *ranking, const RecsysShopProfile *profile, Relation index);
extern void RecsysRankingEnd(RecsysRanking *ranking);

/* A RecsysCandidateSource over it */
extern int	RecsysRankingNext(void *arg, int n, const RecsysScored **best);

#endif							/* RECSYS_POPULARRANK_H */
