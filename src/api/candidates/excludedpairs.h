/*
 * excludedpairs.h
 *	  What excluded users have put into an item graph, to be taken out of its scores.
 *
 * An index knows all users, whoever they are.  recsys.refresh_recommender finds out by how
 * much each similarity of its graph would be another without the excluded ones, and where
 * scores are made it is multiplied by that.  Pairs that would not be there count nothing.
 */
#ifndef RECSYS_EXCLUDEDPAIRS_H
#define RECSYS_EXCLUDEDPAIRS_H

#include "postgres.h"

#include "api/declare/definition.h"
#include "utils/rel.h"

typedef struct RecsysExcludedPairs RecsysExcludedPairs;

/*
 * Of the index's graph, as the active snapshot sees it; NULL, at the cost of nothing or of a look
 * into a small table, when there is nothing to take out.  Good until the end of the transaction.
 */
extern RecsysExcludedPairs *RecsysGetExcludedPairs(const RecsysDefinition *definition,
												   Relation index);

/*
 * Reads what there is of the rows of some items, before these are visited.  No page may be locked.
 * pairs may be NULL, here and below: then there is nothing to take out.
 */
extern void RecsysExcludedPrepare(RecsysExcludedPairs *pairs, const uint32 *items, int n);

/*
 * The n scores of an item's row that has been prepared: those given, or without the excluded ones,
 * in room for n.  Reads nothing.
 */
extern const float *RecsysExcludedScores(const RecsysExcludedPairs *pairs, uint32 item,
										 const uint32 *peers, const float *scores, int n,
										 float *room);

/* What the similarity of a pair is multiplied by; likewise. */
extern double RecsysExcludedShare(const RecsysExcludedPairs *pairs, uint32 item, uint32 similar);

/* The share of an item's users that are not excluded, for what its popularity speaks; likewise. */
extern double RecsysExcludedItemShare(const RecsysExcludedPairs *pairs, uint32 item);

#endif							/* RECSYS_EXCLUDEDPAIRS_H */
