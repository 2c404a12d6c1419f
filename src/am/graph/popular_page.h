/*
 * popular_page.h
 *	  The popular page: the items with the most users.
 */
#ifndef RECSYS_POPULAR_PAGE_H
#define RECSYS_POPULAR_PAGE_H

#include "am/store/page.h"

/* An item by popularity; sorts most users first, then by key */
typedef struct RecsysPopularity
{
	uint32		item;
	uint32		users;
} RecsysPopularity;

/* Items of the popular page, most users first, palloc'd; *count gets how many. */
extern uint32 *RecsysReadPopular(Relation index, int *count);

/* All items with users, most users first, palloc'd: reads the whole item graph. */
extern RecsysPopularity *RecsysReadAllPopular(Relation index, uint32 *count);

/* Build: writes the page. */
extern BlockNumber RecsysWritePopular(Relation index, ForkNumber fork,
									  const uint32 *users, uint32 nitems);

/*
 * Brings the page up to date after the numbers of users of the given items have
 * changed.  Only the merging process may call this.
 */
extern void RecsysUpdatePopular(Relation index, const uint32 *items, uint32 nitems);

#endif							/* RECSYS_POPULAR_PAGE_H */
