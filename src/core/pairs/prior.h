/*
 * prior.h
 *	  What speaks for an item before anything is known of the user: its popularity.
 *
 * Think of one more item that everybody has.  The prior is its row of the item graph, and
 * every user's list gets it with weight 1: who has much else hears little of it.
 */
#ifndef RECSYS_PRIOR_H
#define RECSYS_PRIOR_H

#include "core/pairs/neighbors.h"
#include "core/rows/recency.h"

/* Items of a prior, at most: what a page has room for, see am/graph/prior_page.h */
#define RECSYS_PRIOR_ITEMS 1000

/* Of all items */
typedef struct RecsysPriorTotals
{
	double		users;			/* N: users with a counting interaction */
	double		items;			/* I: items with one */
	double		interactions;	/* M: folded interactions that count */
	RecsysRecencyTotal recent;	/* sum of q; with popularity_half_life */
} RecsysPriorTotals;

/* What is to be known of an item: n_j and, with popularity_half_life, q_j */
typedef struct RecsysPriorItem
{
	uint32		item;
	uint32		users;
	RecsysRecency recent;
} RecsysPriorItem;

/* Is there one?  options are resolved. */
extern bool RecsysModelHasPrior(const RecsysModelOptions *options);

/* An item's score; 0: the item is not part of the prior. */
extern float RecsysPriorScore(const RecsysModelOptions *options, const RecsysPriorTotals *totals,
							  uint32 users, const RecsysRecency *recent);

/*
 * The best of the items, which are distinct, by score, then key: at most most of them, as
 * a list, palloc'd, with places in items in the place of supports.  A floor tells that there
 * may be others.  order is NULL if numbers are in the order of
 * keys.  Returns the list's length.
 */
extern int	RecsysPriorSelect(const RecsysModelOptions *options, const RecsysPriorTotals *totals,
							  const RecsysPriorItem *items, uint32 nitems, int most,
							  const RecsysKeyOrder *order, RecsysNeighborList *list);

#endif							/* RECSYS_PRIOR_H */
