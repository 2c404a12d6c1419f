/*
 * userlists.h
 *	  The users of each item, in blocks of users, which several processes make together.
 *
 * What the transposed matrix has, without weights, in half the space: a user is a number of 16
 * bits within its block.  Each block is made by one process, from the ranks of its users'
 * entries, which are in the place that the lists get.
 */
#ifndef RECSYS_USERLISTS_H
#define RECSYS_USERLISTS_H

#include "core/pairs/headmatrix.h"

typedef struct RecsysUserLists
{
	/* the shape */
	uint32		nitems;
	uint32		nusers;
	uint32		nblocks;
	uint32		block_users;	/* of each block but the last */
	uint64		nentries;
	uint64		most_entries;	/* of a block */
	uint32		most_users;		/* of an item */

	/* the content */
	uint64	   *histories;		/* nusers + 1, as offsets of the matrix */
	uint32	   *offsets;		/* block after block, nitems + 1 each: where lists begin in it */
	char	   *entries;		/* block after block: first ranks, then lists */
} RecsysUserLists;

/* What a process needs to make lists, for any of the blocks; see RecsysUserListsMake */
typedef struct RecsysListMaker RecsysListMaker;

extern void RecsysUserListsShape(RecsysUserLists *lists, const RecsysMatrix *matrix,
								 const RecsysItemTotals *totals);

/* Bytes that lists of a shape take; and the content's places in such a piece of memory. */
extern Size RecsysUserListsSize(const RecsysUserLists *lists);
extern void RecsysUserListsPlace(RecsysUserLists *lists, void *memory);

/*
 * Turn the entries of a block's users into ranks.  Blocks come one after the other, from block 0
 * on, after RecsysHeadBegin; the matrix is the one of the shape.
 */
extern void RecsysUserListsStage(RecsysUserLists *lists, RecsysHeadMatrix *split,
								 const RecsysMatrix *matrix, uint32 block);

/*
 * Fill the split histories of a block's users, and make its lists, once it has been staged.  In
 * any order, by anybody who has a maker in his own memory.
 */
extern RecsysListMaker *RecsysListMakerCreate(const RecsysUserLists *lists);
extern void RecsysUserListsMake(RecsysUserLists *lists, RecsysHeadMatrix *split,
								RecsysListMaker *maker, uint32 block);
extern void RecsysListMakerFree(RecsysListMaker *maker);

/* Bytes that a maker takes at most */
extern Size RecsysListMakerMemory(const RecsysUserLists *lists);

/* The users of an item, ascending; returns how many.  There is room for most_users. */
extern uint32 RecsysUserListsGet(const RecsysUserLists *lists, uint32 item, uint32 *users);

#endif							/* RECSYS_USERLISTS_H */
