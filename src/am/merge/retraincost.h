/*
 * retraincost.h
 *	  When a merge trains anew: what that costs, and what it would cost to do without.
 */
#ifndef RECSYS_RETRAINCOST_H
#define RECSYS_RETRAINCOST_H

#include "am/merge/mergestate.h"

/* Called once, from _PG_init. */
extern void RecsysInitRetrain(void);

/* Would a merge do better to train anew than to recompute what is pending and queued? */
extern bool RecsysMergeShouldRetrain(RecsysMergeState *merge);

#endif							/* RECSYS_RETRAINCOST_H */
