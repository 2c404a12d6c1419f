/*
 * baskethistory.h
 *	  One user's rows as baskets in time: which items on which occasions.
 *
 * A basket is all rows of a user that follow one another within RECSYS_OCCASION_GAP; in an
 * index without times every row is a basket of its own, in no particular order.  Rows whose
 * weight is not positive (returns) are in no basket; an item whose sum of weights is not
 * positive is not in the history at all.
 */
#ifndef RECSYS_BASKETHISTORY_H
#define RECSYS_BASKETHISTORY_H

#include "core/rows/history.h"
#include "core/sequence/rhythm.h"

/* An item in a basket; several rows of it in one basket are one occasion. */
typedef struct RecsysOccasion
{
	uint32		basket;			/* 0: the first */
	int64		time;			/* of its latest row in the basket, or RECSYS_NO_TIME */
	double		weight;			/* sum of its positive rows in the basket */
} RecsysOccasion;

typedef struct RecsysBasketItem
{
	uint32		item;
	uint32		first;			/* place of its first occasion */
	uint32		count;			/* of its occasions, which stand in a row, ascending by time */
	double		weight;			/* sum of all rows */
} RecsysBasketItem;

typedef struct RecsysBasketHistory
{
	uint32		nbaskets;
	int64	   *times;			/* of each basket: its latest row; ascending */
	uint32		nitems;
	RecsysBasketItem *items;	/* ascending by item */
	uint32		noccasions;
	RecsysOccasion *occasions;
} RecsysBasketHistory;

/*
 * From n raw rows of a user, which are reordered; of more than folding->max_history items the
 * most recent are kept, as RecsysHistoryFold does.  Rows later than `until` are left out
 * (PG_INT64_MAX: none).  In the current memory context.
 */
extern void RecsysBasketHistoryMake(RecsysInteraction *rows, int n, const RecsysFolding *folding,
									int64 until, RecsysBasketHistory *history);

/* Place of an item in the history, -1 if it is not there. */
extern int	RecsysFindBasketItem(const RecsysBasketHistory *history, uint32 item);

extern void RecsysBasketHistoryFree(RecsysBasketHistory *history);

#endif							/* RECSYS_BASKETHISTORY_H */
