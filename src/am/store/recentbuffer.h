/*
 * recentbuffer.h
 *	  Which buffer had a block lately: pages pinned without a look into the buffer table.
 */
#ifndef RECSYS_RECENTBUFFER_H
#define RECSYS_RECENTBUFFER_H

#include "postgres.h"

#include "storage/block.h"
#include "storage/buf.h"
#include "utils/rel.h"

/* Pins a block that exists, as ReadBuffer does. */
extern Buffer RecsysPinRecent(Relation relation, BlockNumber block);

/* Asks for the memory of what is known of a block, before it is expected. */
extern void RecsysAskForRecent(Relation relation, BlockNumber block);

/*
 * Says that blocks will be pinned soon, some dozen at most.  If a buffer has one, that is put into
 * buffers, which is not pinned, and its header and that of the page are on their way into the
 * processor's cache; else the block may be on its way from the disk.
 */
extern void RecsysExpectBlocks(Relation relation, const BlockNumber *blocks, int n, Buffer *buffers);

#endif							/* RECSYS_RECENTBUFFER_H */
