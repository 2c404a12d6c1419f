/*
 * batchteam.h
 *	  The lists of an index for all of its users, by this process and parallel workers.
 */
#ifndef RECSYS_BATCHTEAM_H
#define RECSYS_BATCHTEAM_H

#include "postgres.h"

#include "api/batch/batchlister.h"
#include "utils/snapshot.h"

/* Takes a user's list, which is not empty; the key is as it is stored. */
typedef void (*RecsysBatchSink) (void *arg, const char *key, uint32 keylen,
								 const RecsysScored *list, int count);

/*
 * Users are read by pieces of the range of their hashes; these are to be read now.  The snapshot is
 * the active one.
 */
typedef struct RecsysBatchPieces
{
	RecsysRecommender *recommender;
	const RecsysBatchGraph *graph;	/* NULL: lists are made from pages */
	RecsysBatchTerms terms;
	Snapshot	snapshot;
	uint32		npieces;		/* of the whole range */
	uint32		first;
	uint32		end;
	int			nworkers;		/* parallel workers that may help */
} RecsysBatchPieces;

/* Into how many pieces the users of an index are cut */
extern uint32 RecsysBatchCountPieces(Relation index);

/* Hashes of a piece, both included */
extern void RecsysBatchPieceRange(uint32 piece, uint32 npieces, uint32 *low, uint32 *high);

/* Puts the list of each user who has a visible row with an item, in no order. */
extern void RecsysBatchList(const RecsysBatchPieces *pieces, RecsysBatchSink sink, void *arg);

#endif							/* RECSYS_BATCHTEAM_H */
