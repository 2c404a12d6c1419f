/*
 * itemlists.h
 *	  Lists that an index has of items, whoever asks: the neighbors of one, the popular ones.
 */
#ifndef RECSYS_ITEMLISTS_H
#define RECSYS_ITEMLISTS_H

#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/recommender.h"

/*
 * A private copy of a row, so that no page stays locked while other rows are read; NULL: no such
 * item
 */
extern RecsysGraphRow RecsysCopyGraphRow(RecsysGraphReader *reader, uint32 item, PGAlignedBlock *copy);

/*
 * Rows of (item, score, support, rank): the neighbors that the item graph has, of an index that is
 * not over items
 */
extern void RecsysPutNeighbors(RecsysRecommender *recommender, RecsysAnswer *answer,
							   const RecsysKey *key, int k);

/* A row of (item, users, score, rank); those of the k items with the most users, as of all time */
extern void RecsysPutPopularItem(RecsysAnswer *answer, RecsysGraphReader *reader, uint32 item,
								 uint32 users, double score, int rank);
extern void RecsysPutPopular(RecsysRecommender *recommender, RecsysAnswer *answer,
							 RecsysGraphReader *reader, int k);

#endif							/* RECSYS_ITEMLISTS_H */
