/*
 * mining.h
 *	  Frequent item sets mined by this process and, when it takes long, by
 *	  parallel workers as well.
 */
#ifndef RECSYS_MINING_H
#define RECSYS_MINING_H

#include "postgres.h"

#include "core/itemset.h"

/*
 * Reports every item set of the prepared data exactly once, in no particular
 * order, to the reporter, which runs in this process.  Up to nworkers workers
 * join in when the mining has gone on for a while; memory_limit, in bytes, is for
 * all miners together.
 */
extern RecsysItemsetOutcome RecsysMineItemsets(const RecsysItemsets *sets, Size memory_limit,
											   int nworkers, RecsysItemsetReporter report,
											   void *arg);

#endif							/* RECSYS_MINING_H */
