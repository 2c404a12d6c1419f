/*
 * itemorder.h
 *	  The orders of items: by key, for breaking ties, and by number.
 */
#ifndef RECSYS_ITEMORDER_H
#define RECSYS_ITEMORDER_H

#include "am/graph/graph.h"
#include "core/pairs/neighbors.h"

typedef struct RecsysItemOrder RecsysItemOrder;

/* For item numbers below nitems; lives in the current memory context.  Reads keys when it has to. */
extern RecsysItemOrder *RecsysItemOrderCreate(Relation index, uint32 nitems);
extern void RecsysItemOrderFree(RecsysItemOrder *order);

/* Less than, equal to or greater than zero as the key of a sorts before or after that of b. */
extern int	RecsysItemOrderCompare(void *order, uint32 a, uint32 b);

/* All items in the order of their keys, in palloc'd memory; NULL: that of their numbers is theirs. */
extern uint32 *RecsysItemsByKey(RecsysItemOrder *order);

/* The same for what the core does. */
extern RecsysKeyOrder RecsysItemOrderForCore(RecsysItemOrder *order);

/* For qsort and bsearch: item numbers, ascending. */
extern int	RecsysCompareItemNumbers(const void *a, const void *b);

#endif							/* RECSYS_ITEMORDER_H */
