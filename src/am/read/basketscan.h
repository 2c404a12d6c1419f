/*
 * basketscan.h
 *	  The baskets of a whole index, read by this process and parallel workers.
 */
#ifndef RECSYS_BASKETSCAN_H
#define RECSYS_BASKETSCAN_H

#include "postgres.h"

#include "source/basket/basketstore.h"
#include "source/basket/parallel_mining.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/* As for RecsysBasketStoreCreate */
typedef struct RecsysBasketOptions
{
	uint32		nitems;
	int			max_basket;
	bool		weighted;
} RecsysBasketOptions;

/*
 * Adds what the snapshot, which must be the active one, sees to a store with these
 * options.  If it pays, up to nworkers parallel workers help; they stay as the team
 * to mine with.
 */
extern void RecsysScanBaskets(Relation heap, Relation index, Snapshot snapshot,
							  const RecsysBasketOptions *options, RecsysBasketStore *store,
							  int nworkers, RecsysMiningTeam *team);

#endif							/* RECSYS_BASKETSCAN_H */
