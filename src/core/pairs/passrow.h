/*
 * passrow.h
 *	  The counters of one row, over a stream of histories.
 *
 * Plan, Place, then for each chunk of histories: List…, Count; in the end Offer.
 */
#ifndef RECSYS_PASSROW_H
#define RECSYS_PASSROW_H

#include "core/pairs/rowselect.h"
#include "core/pairs/succession.h"

typedef struct RecsysPassRow
{
	uint32		item;
	uint32		nitems;
	int			width;			/* bytes of a dense counter; 0 for an item without a row */
	uint32		nslots;			/* of a table; 0 when dense */
	uint32		room;			/* for users */
	bool		weighted;

	/* in the memory that is given to it, which is all zero at first */
	char	   *counts;			/* dense; NULL for an item without a row */
	uint32	   *slots;			/* hashed: pairs of item + 1 and count */
	double	   *dots;			/* dense or hashed; NULL when unweighted */
	uint32	   *users;			/* rows of the chunk that have the item; NULL without a row */
	float	   *weights;		/* its weights there; NULL when unweighted */
	uint32		nusers;
} RecsysPassRow;

/*
 * Choose the layout of an item's row, for chunks of so many histories at most.  Returns the
 * bytes of its counters and its list, a multiple of 8; 0 for an item with too few users.
 */
extern Size RecsysPassRowPlan(RecsysPassRow *row, const RecsysItemTotals *totals, uint32 item,
								uint32 min_support, bool weighted, uint32 chunk_rows);

/* Where it is; aligned to 8 bytes. */
extern void RecsysPassRowPlace(RecsysPassRow *row, char *place);

/* An entry of a user's, who has the item */
static inline void
RecsysPassRowList(RecsysPassRow *row, const RecsysMatrix *chunk, uint32 user, uint64 entry)
{
	if (row->users == NULL)
		return;
	if (row->weighted)
		row->weights[row->nusers] = chunk->weights[entry];
	row->users[row->nusers++] = user;
}

/* Add the histories of the users first .. last - 1 of the list. */
extern void RecsysPassRowCount(RecsysPassRow *row, const RecsysMatrix *chunk, uint32 first,
								 uint32 last, RecsysSuccession *succession);

/* All that has been counted */
extern void RecsysPassRowOffer(const RecsysPassRow *row, RecsysRowSelector *selector,
								 uint32 min_support);

#endif							/* RECSYS_PASSROW_H */
