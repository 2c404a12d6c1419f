/*
 * rowselect.h
 *	  Top-k neighbors of one item from its co-occurrence counts.
 *
 * One selector serves row after row.  The kernels that count hand over what
 * they counted in blocks; counts may come in any item order, each item once.
 */
#ifndef RECSYS_ROWSELECT_H
#define RECSYS_ROWSELECT_H

#include "core/pairs/cooccurrence.h"

/* Most counts that are handed over at once. */
#define RECSYS_SELECT_BLOCK 128

typedef struct RecsysRowSelector RecsysRowSelector;

/* options and totals must outlive the selector. */
extern RecsysRowSelector *RecsysRowSelectorCreate(const RecsysItemTotals *totals,
												  const RecsysModelOptions *options);

/*
 * Items are numbers of another order from now on, which that of the totals is, too.  Item x
 * is names[x] where it is reported, and where equal scores are put in order.
 */
extern void RecsysRowSelectorSetNames(RecsysRowSelector *selector, const uint32 *names);

extern void RecsysRowSelectorFree(RecsysRowSelector *selector);

/* Bytes that a selector takes; neighbors is that of the options. */
extern Size RecsysRowSelectorMemory(uint32 nitems, int neighbors, bool weighted);

/* Does the measure look at the dot products, or at the counts only? */
extern bool RecsysRowSelectorUsesDots(const RecsysRowSelector *selector);

extern void RecsysRowSelectorStart(RecsysRowSelector *selector, uint32 item);

/*
 * Offer n <= RECSYS_SELECT_BLOCK counts.  They belong to items[0 .. n-1], or
 * to the items first, first + 1, … when items is NULL.  dots is needed only
 * when the selector uses dots.  Counts of zero and the row's own item pass by.
 */
extern void RecsysRowSelectorOffer(RecsysRowSelector *selector, const uint32 *items,
								   uint32 first, const uint32 *counts,
								   const double *dots, int n);

/* From now on neighbors are reported in no order, which is faster when they are many. */
extern void RecsysRowSelectorAnyOrder(RecsysRowSelector *selector);

/* From now on pairs whose log-likelihood ratio is below the floor do not count. */
extern void RecsysRowSelectorSetFloor(RecsysRowSelector *selector, double min_likelihood);

/* Report the row's neighbors, best first. */
extern void RecsysRowSelectorFinish(RecsysRowSelector *selector,
									RecsysRowReporter report, void *arg);

#endif							/* RECSYS_ROWSELECT_H */
