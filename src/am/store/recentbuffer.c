/*
 * recentbuffer.c
 *	  Which buffer had a block lately: pages pinned without a look into the buffer table.
 *
 * Who reads one row each of many pages spends most of the time on finding the buffers: a hash of
 * the block, a lock of the buffer table, and a chain of places in memory that are not in any cache,
 * each known only when the one before has been read.  So the session keeps in an array which buffer
 * a block was in when it was last pinned.  The server looks whether it still is
 * (ReadRecentBuffer).  And as the buffer is known beforehand, all that will be read of many pages
 * can be asked for at once.
 *
 * An entry of the array stands for a block of any relation whose place it is; what is there is a
 * guess that costs little when it is wrong.  There are as many entries as the server has buffers,
 * up to 512 kB of them in a session.  They are allocated at the first use.
 */
#include "postgres.h"

#include "am/store/recentbuffer.h"
#include "compat.h"
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/spccache.h"

#define MAX_ENTRIES (1 << 16)

/*
 * Pinning a buffer that is known does not count as a use of it when a buffer to be given up is
 * looked for.  So one pin in so many goes by the buffer table, and pages that are
 * read all the time stay.
 */
#define USE_EVERY 32

typedef struct RecentBuffer
{
	BlockNumber block;
	Buffer		buffer;			/* InvalidBuffer: nothing is known */
} RecentBuffer;

static RecentBuffer *recent = NULL;
static uint32 nrecent = 0;		/* a power of two */
static uint32 npins = 0;

/* The entry of a block; NULL without memory for any, and for buffers that the session has alone. */
static RecentBuffer *
entry_of(Relation relation, BlockNumber block)
{
	if (unlikely(recent == NULL))
	{
		uint32		size = 1024;

		while (size < MAX_ENTRIES && size < (uint32) NBuffers)
			size *= 2;
		recent = MemoryContextAllocExtended(TopMemoryContext, sizeof(RecentBuffer) * size,
											MCXT_ALLOC_ZERO | MCXT_ALLOC_NO_OOM);
		if (recent == NULL)
			return NULL;
		nrecent = size;
	}
	if (RelationUsesLocalBuffers(relation))
		return NULL;

	/* neighbors in a file are neighbors here; files begin at different places */
	return &recent[(block + (uint32) RECSYS_FILE_NUMBER(relation) * 0x9E3779B1u) & (nrecent - 1)];
}

Buffer
RecsysPinRecent(Relation relation, BlockNumber block)
{
	RecentBuffer *entry = entry_of(relation, block);
	Buffer		buffer;

	if (entry != NULL && entry->block == block && BufferIsValid(entry->buffer) &&
		++npins % USE_EVERY != 0 &&
		RECSYS_READ_RECENT_BUFFER(relation, block, entry->buffer))
	{
		pgstat_count_buffer_read(relation);
		pgstat_count_buffer_hit(relation);
		return entry->buffer;
	}
	buffer = ReadBuffer(relation, block);
	if (entry != NULL)
	{
		entry->block = block;
		entry->buffer = buffer;
	}
	return buffer;
}

/* What is known of the block, or else what the buffer table says; the disk may be asked for it. */
static Buffer
look_up(Relation relation, BlockNumber block, RecentBuffer *entry)
{
	if (get_tablespace_io_concurrency(relation->rd_rel->reltablespace) <= 0)
		return InvalidBuffer;
	entry->block = block;
	entry->buffer = PrefetchBuffer(relation, MAIN_FORKNUM, block).recent_buffer;
	return entry->buffer;
}

void
RecsysExpectBlocks(Relation relation, const BlockNumber *blocks, int n, Buffer *buffers)
{
	for (int i = 0; i < n; i++)
	{
		RecentBuffer *entry = entry_of(relation, blocks[i]);

		buffers[i] = entry == NULL ? InvalidBuffer :
			entry->block == blocks[i] && BufferIsValid(entry->buffer) ? entry->buffer :
			look_up(relation, blocks[i], entry);
	}

	/* one after the other, as each may wait for where the page is in memory, and does not alone */
	for (int i = 0; i < n; i++)
		if (BufferIsValid(buffers[i]))
		{
			__builtin_prefetch(BufferGetPage(buffers[i]));
			__builtin_prefetch(GetBufferDescriptor(buffers[i] - 1), 1);
		}
}
