/*
 * chunkpage.c
 *	  Pages of chunks: reading them, and adding records.
 *
 * The pages are a list from meta.chunks to meta.chunk_tail; all but the last are full.  A page's
 * opaque low is the number of its first record.  A record is added in one step with the meta
 * page, whose nchunks is what readers go by.  One that is changed where it stands, because it has
 * been swept or is used again, raises chunk_changes in the same step: sessions remember what they
 * have read (knownchunks.h).
 *
 * Locks: page of chunks, then meta page.  Nobody waits for the former with the latter, but who
 * makes the first page, which nobody else can reach.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "am/parts/chunkpage.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/meta.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

StaticAssertDecl(sizeof(RecsysChunk) == 32, "records of chunks have no padding");

/* What the meta page says of chunks */
typedef struct ChunkList
{
	BlockNumber first;
	BlockNumber tail;
	uint32		n;
	uint32		changes;
} ChunkList;

static void
read_list(Relation whole, ChunkList *list)
{
	Buffer		buffer = RecsysReadPage(whole, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE, RECSYS_PAGE_META);
	const RecsysMetaData *meta = RecsysPageGetMeta(BufferGetPage(buffer));

	list->first = meta->chunks;
	list->tail = meta->chunk_tail;
	list->n = meta->nchunks;
	list->changes = meta->chunk_changes;
	UnlockReleaseBuffer(buffer);
	if (list->n > RECSYS_MAX_CHUNKS)
		RecsysCorrupted(whole, "index \"%s\" has a corrupted meta page", RecsysIndexName(whole));
}

uint32
RecsysChunkCount(Relation whole, uint32 *changes)
{
	ChunkList	list;

	read_list(whole, &list);
	if (changes != NULL)
		*changes = list.changes;
	return list.n;
}

/* A page of chunks must have the number that it has in the list, and as many records as fit. */
static void
check_page(Relation whole, Buffer buffer, uint32 pagenumber)
{
	Page		page = BufferGetPage(buffer);

	if (RecsysPageGetOpaque(page)->low != pagenumber * RECSYS_PAGE_CHUNK_RECORDS ||
		RecsysPageChunkCount(page) > RECSYS_PAGE_CHUNK_RECORDS)
		RecsysCorrupted(whole, "index \"%s\" contains a corrupted page of chunks at block %u",
						RecsysIndexName(whole), BufferGetBlockNumber(buffer));
}

void
RecsysReadChunks(Relation whole, uint32 first, uint32 n, RecsysChunk *chunks,
				 BlockNumber *page, uint32 *pagenumber)
{
	uint32		done = 0;

	if (n == 0)
		return;
	if (!BlockNumberIsValid(*page))
	{
		ChunkList	list;

		read_list(whole, &list);
		*page = list.first;
		*pagenumber = 0;
	}
	for (;;)
	{
		Buffer		buffer;
		uint32		start;
		uint32		count;

		CHECK_FOR_INTERRUPTS();
		buffer = RecsysReadPage(whole, *page, BUFFER_LOCK_SHARE, RECSYS_PAGE_CHUNKS);
		check_page(whole, buffer, *pagenumber);
		start = RecsysPageGetOpaque(BufferGetPage(buffer))->low;
		count = RecsysPageChunkCount(BufferGetPage(buffer));
		if (first + done >= start && first + done - start < count)
		{
			uint32		offset = first + done - start;
			uint32		taken = Min(n - done, count - offset);

			memcpy(chunks + done, RecsysPageChunks(BufferGetPage(buffer)) + offset,
				   sizeof(RecsysChunk) * taken);
			done += taken;
		}
		if (done < n)
		{
			/* there are more records, so this page is full and leads to another */
			if (count < RECSYS_PAGE_CHUNK_RECORDS || first + done < start + count)
				RecsysCorrupted(whole, "index \"%s\" contains a corrupted page of chunks at block %u",
								RecsysIndexName(whole), *page);
			*page = RecsysPageGetOpaque(BufferGetPage(buffer))->next;
			(*pagenumber)++;
		}
		UnlockReleaseBuffer(buffer);
		if (done == n)
			return;
	}
}

RecsysChunk *
RecsysReadAllChunks(Relation whole, uint32 *n)
{
	BlockNumber page = InvalidBlockNumber;
	uint32		pagenumber = 0;
	RecsysChunk *chunks;

	*n = RecsysChunkCount(whole, NULL);
	chunks = palloc_extended(sizeof(RecsysChunk) * (Size) Max(*n, 1), MCXT_ALLOC_HUGE);
	RecsysReadChunks(whole, 0, *n, chunks, &page, &pagenumber);
	return chunks;
}

/* Writes a record, with the meta page in the same step. */
static void
write_record(RecsysChunk *record, const RecsysChunk *chunk, RecsysMetaData *meta)
{
	*record = *chunk;
	if (chunk->flags & RECSYS_CHUNK_FIRST)
		record->beginning = ++meta->last_beginning;
}

/* The same, behind those of a page */
static void
put_record(Page page, const RecsysChunk *chunk, RecsysMetaData *meta)
{
	write_record(&RecsysPageChunks(page)[RecsysPageChunkCount(page)], chunk, meta);
	((PageHeader) page)->pd_lower += sizeof(RecsysChunk);
}

static void
start_page(Page page, uint32 first)
{
	RecsysPageInit(page, RECSYS_PAGE_CHUNKS, RECSYS_USERS);
	RecsysPageGetOpaque(page)->low = first;
}

/*
 * The first record of all.  False: somebody else has been faster.
 */
static bool
add_first(Relation whole, const RecsysChunk *chunk)
{
	Buffer		metabuffer = RecsysReadPage(whole, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
											RECSYS_PAGE_META);
	Buffer		buffer;
	GenericXLogState *state;
	RecsysMetaData *meta;
	Page		page;

	if (BlockNumberIsValid(RecsysPageGetMeta(BufferGetPage(metabuffer))->chunks))
	{
		UnlockReleaseBuffer(metabuffer);
		return false;
	}
	buffer = RecsysNewPage(whole, true);
	state = GenericXLogStart(whole);
	page = GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);
	meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
	start_page(page, 0);
	put_record(page, chunk, meta);
	meta->chunks = meta->chunk_tail = BufferGetBlockNumber(buffer);
	meta->nchunks = 1;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(metabuffer);
	UnlockReleaseBuffer(buffer);
	return true;
}

/*
 * A record behind the n that there are.  False: somebody else has been faster.
 */
static bool
add_behind(Relation whole, const RecsysChunk *chunk, const ChunkList *list)
{
	Buffer		tail = RecsysReadPage(whole, list->tail, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CHUNKS);
	Buffer		fresh = InvalidBuffer;
	Buffer		metabuffer;
	GenericXLogState *state;
	RecsysMetaData *meta;
	Page		page = BufferGetPage(tail);
	uint32		count = RecsysPageChunkCount(page);

	if (RecsysPageGetOpaque(page)->low + count != list->n ||
		BlockNumberIsValid(RecsysPageGetOpaque(page)->next))
	{
		bool		damaged = RecsysPageGetOpaque(page)->low + count < list->n ||
			count > RECSYS_PAGE_CHUNK_RECORDS;

		UnlockReleaseBuffer(tail);
		if (damaged)
			RecsysCorrupted(whole, "index \"%s\" contains a corrupted page of chunks at block %u",
							RecsysIndexName(whole), list->tail);
		return false;
	}
	if (count == RECSYS_PAGE_CHUNK_RECORDS)
		fresh = RecsysNewPage(whole, true);
	metabuffer = RecsysReadPage(whole, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_META);
	state = GenericXLogStart(whole);
	page = GenericXLogRegisterBuffer(state, tail, 0);
	if (BufferIsValid(fresh))
	{
		RecsysPageGetOpaque(page)->next = BufferGetBlockNumber(fresh);
		page = GenericXLogRegisterBuffer(state, fresh, GENERIC_XLOG_FULL_IMAGE);
		start_page(page, list->n);
	}
	meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
	put_record(page, chunk, meta);
	meta->nchunks = list->n + 1;
	if (BufferIsValid(fresh))
		meta->chunk_tail = BufferGetBlockNumber(fresh);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(metabuffer);
	if (BufferIsValid(fresh))
		UnlockReleaseBuffer(fresh);
	UnlockReleaseBuffer(tail);
	return true;
}

/* May nobody know of the chunk any more as what it was? */
static bool
is_free(const RecsysChunk *record)
{
	return (record->flags & RECSYS_CHUNK_SWEPT) != 0 &&
		GlobalVisCheckRemovableFullXid(NULL, FullTransactionIdFromU64(record->xid));
}

/* The place of a free record on a page, or -1 */
static int
find_free(Page page)
{
	int			count = Min(RecsysPageChunkCount(page), RECSYS_PAGE_CHUNK_RECORDS);

	for (int i = 0; i < count; i++)
		if (is_free(&RecsysPageChunks(page)[i]))
			return i;
	return -1;
}

/* Uses a record of the page again, which is locked; *number gets its number.  False: none is free. */
static bool
use_on_page(Relation whole, Buffer buffer, const RecsysChunk *chunk, uint32 *number)
{
	int			place = find_free(BufferGetPage(buffer));
	Buffer		metabuffer;
	GenericXLogState *state;
	RecsysMetaData *meta;
	Page		page;

	if (place < 0)
		return false;

	/* a standby's queries may still take it for what it was */
	if (XLogStandbyInfoActive() && RelationNeedsWAL(whole))
		RECSYS_LOG_PAGE_REUSE(whole, BufferGetBlockNumber(buffer),
							  FullTransactionIdFromU64(RecsysPageChunks(BufferGetPage(buffer))[place].xid));
	metabuffer = RecsysReadPage(whole, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_META);
	state = GenericXLogStart(whole);
	page = GenericXLogRegisterBuffer(state, buffer, 0);
	meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
	write_record(&RecsysPageChunks(page)[place], chunk, meta);
	meta->chunk_changes++;
	*number = RecsysPageGetOpaque(page)->low + place;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(metabuffer);
	return true;
}

/* Uses a free record again, if there is one. */
static bool
use_again(Relation whole, const RecsysChunk *chunk, const ChunkList *list, uint32 *number)
{
	BlockNumber block = list->first;
	uint32		pages = (list->n + RECSYS_PAGE_CHUNK_RECORDS - 1) / RECSYS_PAGE_CHUNK_RECORDS;
	bool		used = false;

	for (uint32 pagenumber = 0; pagenumber < pages && !used; pagenumber++)
	{
		Buffer		buffer = RecsysReadPage(whole, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_CHUNKS);
		bool		any;

		check_page(whole, buffer, pagenumber);
		any = find_free(BufferGetPage(buffer)) >= 0;
		block = RecsysPageGetOpaque(BufferGetPage(buffer))->next;
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		if (any)
		{
			LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
			used = use_on_page(whole, buffer, chunk, number);
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		}
		ReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	return used;
}

bool
RecsysAddChunk(Relation whole, const RecsysChunk *chunk, uint32 known, uint32 changes, uint32 *number)
{
	RecsysChunk record = *chunk;
	ChunkList	list = {InvalidBlockNumber, InvalidBlockNumber, PG_UINT32_MAX, 0};

	/* VACUUM, which may have workers, has none that anybody would have to wait for */
	record.xid = IsInParallelMode() || (MyProc->statusFlags & PROC_IN_VACUUM) != 0 ? 0 :
		U64FromFullTransactionId(GetTopFullTransactionId());
	do
	{
		uint32		before = list.n;

		CHECK_FOR_INTERRUPTS();
		read_list(whole, &list);

		/* who has been faster has changed it in the same step as the page */
		if (list.n == before)
			RecsysCorrupted(whole, "index \"%s\" contains a corrupted page of chunks at block %u",
							RecsysIndexName(whole), list.tail);
		if (known != PG_UINT32_MAX && (list.n != known || list.changes != changes))
			return false;
		if (use_again(whole, &record, &list, number))
			return true;
		if (list.n >= RECSYS_MAX_CHUNKS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("there is no number left for blocks of the partition \"%s\"",
							get_rel_name(record.storage.heap)),
					 errdetail("Partitions that are gone have numbers until a merge has removed their entries."),
					 errhint("REINDEX INDEX %s;", RecsysQualifiedIndexName(whole))));
		*number = list.n;
	} while (BlockNumberIsValid(list.first) ? !add_behind(whole, &record, &list) :
			 !add_first(whole, &record));
	return true;
}

void
RecsysCompleteChunk(Relation whole, uint32 number)
{
	BlockNumber block = InvalidBlockNumber;
	uint32		pagenumber = 0;
	RecsysChunk before;
	Buffer		buffer;
	GenericXLogState *state;
	RecsysChunk *record;

	/* finds the page, on which records stay where they are */
	RecsysReadChunks(whole, number, 1, &before, &block, &pagenumber);
	buffer = RecsysReadPage(whole, block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CHUNKS);
	state = GenericXLogStart(whole);
	record = RecsysPageChunks(GenericXLogRegisterBuffer(state, buffer, 0)) +
		number % RECSYS_PAGE_CHUNK_RECORDS;
	record->flags &= ~RECSYS_CHUNK_PARTIAL;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
}

/* The records of one page that have been swept, with the meta page; stamped, see is_free. */
static void
note_on_page(Relation whole, BlockNumber block, const bool *swept, uint32 n)
{
	Buffer		buffer = RecsysReadPage(whole, block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CHUNKS);
	Buffer		metabuffer = RecsysReadPage(whole, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
											RECSYS_PAGE_META);
	GenericXLogState *state = GenericXLogStart(whole);
	RecsysChunk *records = RecsysPageChunks(GenericXLogRegisterBuffer(state, buffer, 0));
	FullTransactionId now = ReadNextFullTransactionId();

	RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0))->chunk_changes++;
	for (uint32 i = 0; i < n; i++)
	{
		if (!swept[i])
			continue;
		records[i].flags |= RECSYS_CHUNK_SWEPT;
		records[i].xid = U64FromFullTransactionId(now);
	}
	GenericXLogFinish(state);
	UnlockReleaseBuffer(metabuffer);
	UnlockReleaseBuffer(buffer);
}

void
RecsysNoteSwept(Relation whole, const bool *swept, uint32 n)
{
	BlockNumber block = InvalidBlockNumber;
	uint32		pagenumber = 0;

	for (uint32 first = 0; first < n; first += RECSYS_PAGE_CHUNK_RECORDS)
	{
		uint32		count = Min(n - first, RECSYS_PAGE_CHUNK_RECORDS);
		RecsysChunk before;

		if (memchr(swept + first, true, count) == NULL)
			continue;
		RecsysReadChunks(whole, first, 1, &before, &block, &pagenumber);
		note_on_page(whole, block, swept + first, count);
	}
}

void
RecsysWriteChunks(Relation whole, ForkNumber fork, const RecsysChunk *chunks, uint32 n,
				  RecsysMetaData *meta)
{
	BlockNumber block = InvalidBlockNumber;
	uint32		last = n > 0 ? (n - 1) / RECSYS_PAGE_CHUNK_RECORDS : 0;

	/* from the last page to the first, as each leads to the next one */
	meta->chunks = meta->chunk_tail = InvalidBlockNumber;
	meta->nchunks = n;
	for (uint32 pages = n > 0 ? last + 1 : 0; pages > 0; pages--)
	{
		uint32		first = (pages - 1) * RECSYS_PAGE_CHUNK_RECORDS;
		PGAlignedBlock image;

		start_page((Page) image.data, first);
		RecsysPageGetOpaque((Page) image.data)->next = block;
		for (uint32 i = first; i < n && i < first + RECSYS_PAGE_CHUNK_RECORDS; i++)
		{
			RecsysPageChunks((Page) image.data)[i - first] = chunks[i];
			meta->last_beginning = Max(meta->last_beginning, chunks[i].beginning);
			((PageHeader) image.data)->pd_lower += sizeof(RecsysChunk);
		}
		block = RecsysAppendPage(whole, fork, (Page) image.data);
		if (pages - 1 == last)
			meta->chunk_tail = block;
	}
	meta->chunks = block;
}
