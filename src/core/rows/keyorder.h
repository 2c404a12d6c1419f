/*
 * keyorder.h
 *	  The order of items' keys, which breaks ties.
 */
#ifndef RECSYS_KEYORDER_H
#define RECSYS_KEYORDER_H

#include "core/base/platform.h"

/*
 * Items below nsorted have their numbers in key order; about others the
 * callback is asked, which returns less than, equal to or greater than zero as
 * the key of a sorts before or after that of b.  Without a callback all numbers
 * are in key order.
 */
typedef struct RecsysKeyOrder
{
	uint32		nsorted;
	int			(*compare_keys) (void *arg, uint32 a, uint32 b);
	void	   *arg;
} RecsysKeyOrder;

/* Less than zero when a comes first. */
static inline int
RecsysKeyOrderCompare(const RecsysKeyOrder *order, uint32 a, uint32 b)
{
	if (a == b)
		return 0;
	if (order->compare_keys == NULL || (a < order->nsorted && b < order->nsorted))
		return a < b ? -1 : 1;
	return order->compare_keys(order->arg, a, b);
}

/* Sorts items by their keys. */
extern void RecsysKeyOrderSort(const RecsysKeyOrder *order, uint32 *items, int n);

#endif							/* RECSYS_KEYORDER_H */
