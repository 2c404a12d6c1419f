/*
 * itemset_lists.h
 *	  The search for item sets where baskets are lists of items.
 */
#ifndef RECSYS_ITEMSET_LISTS_H
#define RECSYS_ITEMSET_LISTS_H

#include "core/itemset/itemset_search.h"

/*
 * All sets of the current one, whose last item is the one of that number in the lists,
 * and of lower numbers.  support and weight are those of the current set.
 */
extern bool RecsysItemsetMineList(RecsysItemsetMiner *miner, const Lists *lists, uint32 number,
								  uint32 support, ItemsetWeight weight);

#endif							/* RECSYS_ITEMSET_LISTS_H */
