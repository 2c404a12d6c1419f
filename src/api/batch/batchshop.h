/*
 * batchshop.h
 *	  The lists of a declared recommender for all users whom its signals know.
 */
#ifndef RECSYS_BATCHSHOP_H
#define RECSYS_BATCHSHOP_H

#include "postgres.h"

#include "api/declare/shop.h"
#include "core/rows/key.h"
#include "utils/snapshot.h"

/* Takes one row of a user's list. */
typedef void (*RecsysBatchShopSink) (void *arg, const RecsysKey *user, const RecsysKey *item,
									 float score, int rank);

/*
 * A signal: into how many pieces its users are cut, and the file of its index, which has their
 * order
 */
typedef struct RecsysBatchSignal
{
	uint32		npieces;
	Oid			file;
} RecsysBatchSignal;

/* All signals, palloc'd; *nsignals gets how many there are. */
extern RecsysBatchSignal *RecsysBatchShopSignals(RecsysShop *shop, int *nsignals);

/*
 * Puts the lists of the users of one piece of those of a signal.  Each user is in one piece of one
 * signal.
 */
extern void RecsysBatchShopList(RecsysShop *shop, int signal, uint32 piece, uint32 npieces, int k,
								Snapshot snapshot, RecsysBatchShopSink sink, void *arg);

#endif							/* RECSYS_BATCHSHOP_H */
