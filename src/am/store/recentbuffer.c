/*
 * recentbuffer.c
 *	  Which buffer had a block lately: pages pinned without a look into the buffer table.
 *
 * All pages of indexes are pinned here (RecsysPinBlock), and those of tables whose rows are
 * looked up.  Who reads one row each of many pages spends most of the time on finding the
 * buffers: a hash of the block, a lock of the buffer table, and a chain of places in memory that
 * are not in any cache, each known only when the one before has been read.  So the session keeps
 * in an array which buffer a block was in when it was last pinned.  The server looks whether it
 * still is (ReadRecentBuffer).  And as the buffer is known beforehand, all that will be read of
 * many pages can be asked for at once.
 *
 * An entry of the array stands for a block of any relation whose place it is; what is there is a
 * guess that costs little when it is wrong.  The array begins small and grows when blocks drive
 * each other out of their places, up to as many entries as the server has buffers, and 1 MB.
 */
#include "postgres.h"

#include "am/store/blockarray.h"
#include "am/store/recentbuffer.h"
#include "compat.h"
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "storage/bufmgr.h"
#include "utils/spccache.h"

#define MAX_ENTRIES (1 << 17)

/*
 * Pinning a buffer that is known does not count as a use of it when a buffer to be given up is
 * looked for.  So one pin in so many goes by the buffer table, and pages that are
 * read all the time stay.  Which ones is a matter of chance, as calls pin their pages
 * in turn.
 */
#define USE_EVERY 128

typedef struct RecentBuffer
{
	BlockNumber block;
	Buffer		buffer;			/* InvalidBuffer: nothing is known */
} RecentBuffer;

static RecsysBlockArray recent;
static uint32 chance = 0;

/* The entry of a block; NULL without memory for any, and for buffers that the session has alone. */
static RecentBuffer *
entry_of(Relation relation, BlockNumber block)
{
	if (!RecsysBlockArrayReady(&recent, sizeof(RecentBuffer)) || RelationUsesLocalBuffers(relation))
		return NULL;
	return RecsysBlockArrayEntry(&recent, sizeof(RecentBuffer), relation, block);
}

/* Entries are not where they were afterwards. */
static void
remember(RecentBuffer *entry, BlockNumber block, Buffer buffer)
{
	bool		conflict = BufferIsValid(entry->buffer) && entry->block != block;

	entry->block = block;
	entry->buffer = buffer;
	if (conflict)
		RecsysBlockArrayConflict(&recent, sizeof(RecentBuffer), MAX_ENTRIES);
}

/* Is this pin to go by the buffer table? */
static inline bool
is_to_count(void)
{
	/* Numerical Recipes' generator, whose upper bits are good enough for this */
	chance = chance * 1664525u + 1013904223u;
	return chance < PG_UINT32_MAX / USE_EVERY;
}

Buffer
RecsysPinRecent(Relation relation, BlockNumber block)
{
	RecentBuffer *entry = entry_of(relation, block);
	Buffer		buffer;

	if (entry != NULL && entry->block == block && BufferIsValid(entry->buffer) &&
		!is_to_count() &&
		RECSYS_READ_RECENT_BUFFER(relation, block, entry->buffer))
	{
		pgstat_count_buffer_read(relation);
		pgstat_count_buffer_hit(relation);
		return entry->buffer;
	}
	buffer = ReadBuffer(relation, block);
	if (entry != NULL)
		remember(entry, block, buffer);
	return buffer;
}

void
RecsysAskForRecent(Relation relation, BlockNumber block)
{
	RecentBuffer *entry = entry_of(relation, block);

	if (entry != NULL)
		__builtin_prefetch(entry);
}

/* What is known of the block, or else what the buffer table says; the disk may be asked for it. */
static Buffer
find_buffer(Relation relation, BlockNumber block)
{
	RecentBuffer *entry = entry_of(relation, block);
	Buffer		buffer;

	if (entry == NULL)
		return InvalidBuffer;
	if (entry->block == block && BufferIsValid(entry->buffer))
		return entry->buffer;
	if (get_tablespace_io_concurrency(relation->rd_rel->reltablespace) <= 0)
		return InvalidBuffer;
	buffer = PrefetchBuffer(relation, MAIN_FORKNUM, block).recent_buffer;
	if (BufferIsValid(buffer))
		remember(entry, block, buffer);
	return buffer;
}

void
RecsysExpectBlocks(Relation relation, const BlockNumber *blocks, int n, Buffer *buffers)
{
	for (int i = 0; i < n; i++)
		buffers[i] = find_buffer(relation, blocks[i]);

	/* one after the other, as each may wait for where the page is in memory, and does not alone */
	for (int i = 0; i < n; i++)
		if (BufferIsValid(buffers[i]))
		{
			__builtin_prefetch(BufferGetPage(buffers[i]));
			__builtin_prefetch(GetBufferDescriptor(buffers[i] - 1), 1);
		}
}
