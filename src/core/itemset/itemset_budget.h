/*
 * itemset_budget.h
 *	  Memory for the preparation of item sets, within a limit.
 */
#ifndef RECSYS_ITEMSET_BUDGET_H
#define RECSYS_ITEMSET_BUDGET_H

#include "core/base/largepages.h"

typedef struct Budget
{
	Size		limit;
	Size		taken;
} Budget;

/* NULL if what is left of the limit does not suffice. */
static inline void *
budget_take(Budget *budget, Size size)
{
	void	   *memory;

	if (size > budget->limit - budget->taken)
		return NULL;
	budget->taken += size;
	memory = recsys_alloc_huge(Max(size, 1));
	RecsysMapPages(memory, size);
	return memory;
}

/* The same, all zeros. */
static inline void *
budget_take_zero(Budget *budget, Size size)
{
	void	   *memory = budget_take(budget, size);

	if (memory != NULL)
		memset(memory, 0, size);
	return memory;
}

/* Memory of that size is not needed any more; NULL is none. */
static inline void
budget_return(Budget *budget, void *memory, Size size)
{
	if (memory == NULL)
		return;
	pfree(memory);
	budget->taken -= size;
}

#endif							/* RECSYS_ITEMSET_BUDGET_H */
