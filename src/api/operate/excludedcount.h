/*
 * excludedcount.h
 *	  Counts what excluded users have put into the item graphs of a recommender.
 */
#ifndef RECSYS_EXCLUDEDCOUNT_H
#define RECSYS_EXCLUDEDCOUNT_H

#include "postgres.h"

#include "api/declare/shop.h"

/* One row of recsys.excluded_pairs */
typedef struct RecsysExcludedItem
{
	const char *graph;
	const char *item;
	float		item_share;		/* of its users that are not excluded */
	int			npairs;			/* neighbors whose similarity would be another, ... */
	char	  **similar;
	float	   *shares;			/* ... and by what */
} RecsysExcludedItem;

typedef void (*RecsysExcludedReport) (void *arg, const RecsysExcludedItem *item);

/*
 * Counts in all graphs of the recommender's signals that are indexes, with the rights of the
 * current user, who must be able to read them and the profiles.  Memory for an item is the
 * current context's until report returns.
 */
extern void RecsysCountExcluded(RecsysShop *shop, RecsysExcludedReport report, void *arg);

#endif							/* RECSYS_EXCLUDEDCOUNT_H */
