/*
 * contentlate.h
 *	  Likenesses to the items of a user: those that the graph of an items index has, and those of
 *	  rows that no merge has taken yet.
 */
#ifndef RECSYS_CONTENTLATE_H
#define RECSYS_CONTENTLATE_H

#include "postgres.h"

#include "am/items/itemsread.h"
#include "api/candidates/scorepiece.h"

typedef struct RecsysLateLikes RecsysLateLikes;

/*
 * Compares what is not merged with the piece's items, whose graph is the reader's index and which
 * have their numbers.  NULL if all is merged.  In the current memory context.
 */
extern RecsysLateLikes *RecsysFindLateLikes(RecsysItemsReader *reader,
											const RecsysScorePiece *piece,
											RecsysCatalogue *catalogue);

/*
 * Adds weight times likeness, by slots: for that piece, or one with the same items and other
 * weights.
 */
extern void RecsysAddLikes(const RecsysLateLikes *late, RecsysScorePiece *piece,
						   RecsysCatalogue *catalogue, RecsysLease *likes);

/* What is added for one slot, item by item; parts has room for two for each item. */
extern int	RecsysExplainLikes(const RecsysLateLikes *late, RecsysScorePiece *piece,
							   RecsysCatalogue *catalogue, uint32 slot, RecsysPart *parts);

#endif							/* RECSYS_CONTENTLATE_H */
