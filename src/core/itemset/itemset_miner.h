/*
 * itemset_miner.h
 *	  What only the other parts of item set mining may tell a miner; see itemset.h for the rest.
 */
#ifndef RECSYS_ITEMSET_MINER_H
#define RECSYS_ITEMSET_MINER_H

#include "core/itemset/itemset.h"

/* Mine another kind, or from now on only what has a higher support. */
extern void RecsysItemsetMinerChange(RecsysItemsetMiner *miner, RecsysItemsetKind kind,
									 uint32 min_support);

#endif							/* RECSYS_ITEMSET_MINER_H */
