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

/* Into how many pieces the users of each signal are cut, palloc'd; *nsignals gets how many there are. */
extern uint32 *RecsysBatchShopPieces(RecsysShop *shop, int *nsignals);

/*
 * Puts the lists of the users of one piece of those of a signal.  Each user is in one piece of one
 * signal.
 */
extern void RecsysBatchShopList(RecsysShop *shop, int signal, uint32 piece, uint32 npieces, int k,
								Snapshot snapshot, RecsysBatchShopSink sink, void *arg);

#endif							/* RECSYS_BATCHSHOP_H */
