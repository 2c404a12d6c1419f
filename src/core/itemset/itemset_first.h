/*
 * itemset_first.h
 *	  The first item sets of one support, in the order of their items.
 */
#ifndef RECSYS_ITEMSET_FIRST_H
#define RECSYS_ITEMSET_FIRST_H

#include "core/itemset/itemset.h"

/*
 * Of the sets with just that support, with kind ALL and without any_of, the first ones in the
 * alphabet of their items as reported, in that order and their items ascending, most at most.
 */
extern RecsysItemsetOutcome RecsysItemsetsFirst(const RecsysItemsets *sets, uint32 support,
												uint64 most, Size memory_limit,
												RecsysItemsetReporter report, void *arg);

#endif							/* RECSYS_ITEMSET_FIRST_H */
