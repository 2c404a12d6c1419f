/*
 * contentchange.h
 *	  Changing content pages: what merges and VACUUM do to them.
 *
 * Each function is one atomic step.
 */
#ifndef RECSYS_CONTENTCHANGE_H
#define RECSYS_CONTENTCHANGE_H

#include "access/genam.h"
#include "am/content/contentpage.h"

/*
 * For who has a page locked, or a private copy of it: the tuple at an offset, looked at as far
 * as its frame goes; how many there are; the offset of the one with the TID that is not dead
 * or, if tid is NULL, of the current one of the item, or InvalidOffsetNumber.
 */
extern RecsysContentTuple RecsysContentTupleAt(Relation index, Buffer buffer, Page page,
											   OffsetNumber off, Size *size);
extern OffsetNumber RecsysContentMaxOffset(Relation index, Buffer buffer, Page page);
extern OffsetNumber RecsysContentFind(Relation index, Buffer buffer, Page page, ItemPointer tid,
									  uint32 item);

/* The current tuple of an item on a page, as a palloc'd copy; NULL if the page has none. */
extern RecsysContentTuple RecsysContentReadCurrentOf(Relation index, BlockNumber block,
													 uint32 item, Size *size);

/*
 * Makes the tuple with the TID on page "to" the current one of the item, with a floor, and the
 * one on page "from" an ordinary one again; if that is dead it goes.  Either block may be
 * InvalidBlockNumber, and "from" need not have a current tuple of the item any more.
 */
extern void RecsysContentMove(Relation index, uint32 item, BlockNumber from, BlockNumber to,
							  ItemPointer tid, float floor);

/* Sets floors of current tuples of a page; items that have none there are passed over. */
typedef struct RecsysContentFloor
{
	uint32		item;
	float		floor;
} RecsysContentFloor;

extern void RecsysContentWriteFloors(Relation index, BlockNumber block,
								   const RecsysContentFloor *floors, int n);

/*
 * VACUUM: deletes the tuples of dead rows from an exclusively locked page, or marks them dead
 * if they are current, and lists the page if it has room for new ones.
 */
extern void RecsysContentPrune(Relation index, Buffer buffer, IndexBulkDeleteCallback callback,
							   void *callback_state);

/* Lists a page, exclusively locked, that has room and is not on the list. */
extern void RecsysContentListRoom(Relation index, Buffer buffer);

/* The number of tuples, as a scan has counted them. */
extern void RecsysContentSetCount(Relation index, uint64 contents);

#endif							/* RECSYS_CONTENTCHANGE_H */
