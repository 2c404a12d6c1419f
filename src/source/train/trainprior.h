/*
 * trainprior.h
 *	  From a model's totals to the prior (core/pairs/prior.h).
 */
#ifndef RECSYS_TRAINPRIOR_H
#define RECSYS_TRAINPRIOR_H

#include "postgres.h"

#include "core/pairs/prior.h"
#include "source/train/historystore.h"

/* The items that have users, palloc'd, and what there is of all; the model is finished. */
extern RecsysPriorItem *RecsysModelPriorItems(const RecsysModel *model, RecsysPriorTotals *totals,
											  uint32 *count);

/* The latest time of any item, RECSYS_NO_TIME for none. */
extern int64 RecsysTotalsLatest(const RecsysItemTotals *totals);

#endif							/* RECSYS_TRAINPRIOR_H */
