/*
 * keyorder.c
 *	  Sorting items by their keys.
 */
#include "core/rows/keyorder.h"

static int
compare_items(const void *a, const void *b, void *order)
{
	return RecsysKeyOrderCompare(order, *(const uint32 *) a, *(const uint32 *) b);
}

void
RecsysKeyOrderSort(const RecsysKeyOrder *order, uint32 *items, int n)
{
	qsort_interruptible(items, n, sizeof(uint32), compare_items, (void *) order);
}
