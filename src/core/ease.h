/*
 * ease.h
 *	  EASE: the linear model of items by items, in closed form.
 */
#ifndef RECSYS_EASE_H
#define RECSYS_EASE_H

#include "core/cooccurrence.h"

/*
 * Reports all rows.  users is user-major, items its transpose; lambda > 0.  Where memory_limit
 * bytes do not do for the exact solution only the most popular items predict each other;
 * returns how many did, all items when it is exact.  See ease.c.
 */
extern uint32 RecsysEase(const RecsysMatrix *users, const RecsysMatrix *items,
						 const RecsysItemTotals *totals, const RecsysModelOptions *options,
						 double lambda, Size memory_limit,
						 RecsysRowReporter report, void *arg);

/* The least that memory_limit may be. */
extern Size RecsysEaseLeastMemory(uint32 nusers, uint32 nitems, bool weighted);

/* Bytes that the exact solution takes beside the arguments. */
extern Size RecsysEaseMemory(uint32 nusers, uint32 nitems, bool weighted);

#endif							/* RECSYS_EASE_H */
