/*
 * sessionserving.h
 *	  A session's items to scores of what comes next, from an index.
 */
#ifndef RECSYS_SESSIONSERVING_H
#define RECSYS_SESSIONSERVING_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "core/scoring/scorer.h"
#include "core/sequence/sessionknn.h"

typedef struct RecsysSession
{
	RecsysRecommender *recommender;
	uint32	   *items;			/* numbers of those that the index knows, in order */
	int			nitems;
	RecsysSessionQuery query;
	uint32	   *neighbors;		/* hashes of the sessions that may vote, best first */
	int			nneighbors;
} RecsysSession;

/* From n keys, the last one last; in the current memory context. */
extern void RecsysReadSession(RecsysRecommender *recommender, const RecsysKey *keys, int n,
							  RecsysSession *session);

/* Adds the scores of what comes next to a scorer. */
extern void RecsysScoreSession(const RecsysSession *session, RecsysScorer *scorer);

#endif							/* RECSYS_SESSIONSERVING_H */
