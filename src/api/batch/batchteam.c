/*
 * batchteam.c
 *	  The lists of an index for all of its users, by this process and parallel workers.
 *
 * Users stand in the order of their hashes.  Leader and workers claim pieces of the range of
 * hashes, all under the same snapshot, which workers get with the leader's transaction: its own
 * rows that are not committed yet are visible to them, too.  The packed graph is copied into shared
 * memory once.  Workers send lists packed, together with the number of pieces done, so that nobody
 * waits for a worker that started too late to get a piece.
 *
 * Parallel mode lasts from the launch to the end of this call, and nothing is written meanwhile:
 * a function in a SELECT may do that.  Without shared memory or workers the leader does it all.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/parallel.h"
#include "access/table.h"
#include "am/read/userreader.h"
#include "api/batch/batchteam.h"
#include "fault.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "source/team/segment.h"
#include "source/team/workers.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"

/* Pages of the index to a piece, about, and the most pieces */
#define PIECE_PAGES 32
#define MAX_PIECES 4096

/* No more can be fed by one leader. */
#define MAX_WORKERS 32

#define QUEUE_SIZE ((Size) 1024 * 1024)

/* A worker sends what it has when it is so much. */
#define MESSAGE_SIZE (32 * 1024)

typedef struct SharedLists
{
	Oid			heap;
	Oid			index;
	dsm_handle	graph;			/* DSM_HANDLE_INVALID: there is none */
	RecsysBatchTerms terms;
	uint32		npieces;
	uint32		end;
	pg_atomic_uint32 next;		/* piece that nobody has claimed */
} SharedLists;

/* How a message begins; lists follow */
typedef struct MessageHeader
{
	uint32		npieces;		/* that end with this message */
	uint32		nlists;
} MessageHeader;

/* How a list begins; the key, padded to four bytes, and the items follow */
typedef struct ListHeader
{
	uint32		keylen;
	uint32		count;
} ListHeader;

/* A process that makes lists */
typedef struct Member
{
	RecsysUserReader *reader;
	RecsysBatchLister *lister;
	uint32		high;			/* of the piece at hand */
	RecsysBatchSink sink;
	void	   *arg;
} Member;

/* What a worker has not sent yet */
typedef struct Outbox
{
	RecsysWorker *worker;
	MessageHeader header;
	StringInfoData body;
} Outbox;

PGDLLEXPORT void recsys_batch_worker_main(dsm_segment *segment, shm_toc *toc);

uint32
RecsysBatchCountPieces(Relation index)
{
	return Min(Max(RelationGetNumberOfBlocks(index) / PIECE_PAGES, 1), MAX_PIECES);
}

void
RecsysBatchPieceRange(uint32 piece, uint32 npieces, uint32 *low, uint32 *high)
{
	const uint64 whole = (uint64) PG_UINT32_MAX + 1;

	*low = (uint32) (whole * piece / npieces);
	*high = (uint32) (whole * (piece + 1) / npieces - 1);
}

static void
list_user(void *arg, RecsysUserView *user)
{
	Member	   *member = arg;
	const RecsysScored *list;
	int			count;

	CHECK_FOR_INTERRUPTS();
	/* a bucket that begins in one piece may end in another */
	if (user->hash > member->high || user->ninteractions == 0)
		return;
	count = RecsysBatchListerList(member->lister, user->interactions, user->ninteractions, &list);
	if (count > 0)
		member->sink(member->arg, user->key, user->keylen, list, count);
}

static void
list_piece(Member *member, uint32 piece, uint32 npieces)
{
	uint32		low;
	uint64		next;

	RecsysBatchPieceRange(piece, npieces, &low, &member->high);
	for (next = low; next <= member->high;)
		next = RecsysUserReaderReadBucket(member->reader, (uint32) next, list_user, member);
}

static void
begin_member(Member *member, RecsysRecommender *recommender, const RecsysBatchGraph *graph,
			 const RecsysBatchTerms *terms, Snapshot snapshot)
{
	member->reader = RecsysUserReaderCreate(recommender->heap, recommender->index, snapshot);
	member->lister = RecsysBatchListerCreate(recommender, graph, terms);
}

static void
end_member(Member *member)
{
	RecsysBatchListerFree(member->lister);
	RecsysUserReaderFree(member->reader);
}

static bool
claim(SharedLists *shared, uint32 *piece)
{
	if (pg_atomic_read_u32(&shared->next) >= shared->end)
		return false;
	*piece = pg_atomic_fetch_add_u32(&shared->next, 1);
	return *piece < shared->end;
}

/*
 * Leader
 */
static void
damaged_message(Size size)
{
	elog(ERROR, "invalid message of %zu bytes from a recsys parallel worker", size);
}

static void
take_message(const char *message, Size size, RecsysBatchSink sink, void *arg)
{
	const MessageHeader *header = (const MessageHeader *) message;
	const char *end = message + size;

	if (size < sizeof(MessageHeader))
		damaged_message(size);
	message += sizeof(MessageHeader);
	for (uint32 i = 0; i < header->nlists; i++)
	{
		const ListHeader *list = (const ListHeader *) message;
		const char *key = message + sizeof(ListHeader);
		const char *items = key + INTALIGN((Size) list->keylen);

		message = items + sizeof(RecsysScored) * (Size) list->count;
		if (message > end)
			damaged_message(size);
		sink(arg, key, list->keylen, (const RecsysScored *) items, (int) list->count);
	}
}

/* Take what the workers have sent; returns whether there was anything. */
static bool
receive(RecsysWorkers *workers, int nlaunched, RecsysBatchSink sink, void *arg, uint32 *ndone)
{
	bool		found = false;

	for (int worker = 0; worker < nlaunched; worker++)
	{
		const void *message;
		Size		size;

		while (RecsysWorkersReceive(workers, worker, &message, &size))
		{
			take_message(message, size, sink, arg);
			*ndone += ((const MessageHeader *) message)->npieces;
			found = true;
			CHECK_FOR_INTERRUPTS();
		}
	}
	return found;
}

static void
list_alone(const RecsysBatchPieces *pieces, RecsysBatchSink sink, void *arg)
{
	Member		member = {.sink = sink, .arg = arg};

	begin_member(&member, pieces->recommender, pieces->graph, &pieces->terms, pieces->snapshot);
	for (uint32 piece = pieces->first; piece < pieces->end; piece++)
		list_piece(&member, piece, pieces->npieces);
	end_member(&member);
}

static void
list_as_leader(const RecsysBatchPieces *pieces, dsm_segment *segment, RecsysBatchSink sink, void *arg)
{
	RecsysWorkers *workers;
	SharedLists *shared;
	Member		member = {.sink = sink, .arg = arg};
	int			nlaunched;
	uint32		piece;
	uint32		nown = 0;
	uint32		ndone = 0;

	workers = RecsysWorkersCreate("recsys_batch_worker_main", Min(pieces->nworkers, MAX_WORKERS),
								  QUEUE_SIZE, sizeof(SharedLists), (void **) &shared);
	shared->heap = RelationGetRelid(pieces->recommender->heap);
	shared->index = RelationGetRelid(pieces->recommender->index);
	shared->graph = segment != NULL ? dsm_segment_handle(segment) : DSM_HANDLE_INVALID;
	shared->terms = pieces->terms;
	shared->npieces = pieces->npieces;
	shared->end = pieces->end;
	pg_atomic_init_u32(&shared->next, pieces->first);
	nlaunched = RecsysWorkersLaunch(workers);

	begin_member(&member, pieces->recommender,
				 segment != NULL ? dsm_segment_address(segment) : NULL, &pieces->terms,
				 pieces->snapshot);
	while (claim(shared, &piece))
	{
		list_piece(&member, piece, pieces->npieces);
		nown++;
		(void) receive(workers, nlaunched, sink, arg, &ndone);
	}
	end_member(&member);
	while (nown + ndone < pieces->end - pieces->first)
	{
		if (!receive(workers, nlaunched, sink, arg, &ndone))
			RecsysWorkersWait(workers);
	}
	RecsysWorkersFinish(workers);
	ereport(DEBUG1,
			(errmsg_internal("recsys: lists of users in %u pieces, %u of them by %d workers",
							 pieces->end - pieces->first, ndone, nlaunched)));
}

void
RecsysBatchList(const RecsysBatchPieces *pieces, RecsysBatchSink sink, void *arg)
{
	dsm_segment *segment = NULL;

	if (pieces->nworkers == 0 || pieces->end - pieces->first < 2 || IsParallelWorker() ||
		!IsUnderPostmaster || RelationUsesLocalBuffers(pieces->recommender->heap))
	{
		list_alone(pieces, sink, arg);
		return;
	}
	if (pieces->graph != NULL)
	{
		segment = RecsysSegmentCreate(pieces->graph->size);
		if (segment == NULL)
		{
			list_alone(pieces, sink, arg);
			return;
		}
		memcpy(dsm_segment_address(segment), pieces->graph, pieces->graph->size);
	}
	list_as_leader(pieces, segment, sink, arg);
	if (segment != NULL)
		dsm_detach(segment);
}

/*
 * Worker
 */
static void
send_lists(Outbox *outbox)
{
	RecsysWorkerSend(outbox->worker, &outbox->header, sizeof(MessageHeader), outbox->body.data,
					 outbox->body.len, true);
	memset(&outbox->header, 0, sizeof(MessageHeader));
	resetStringInfo(&outbox->body);
	RECSYS_FAULT("batch-sent");
}

static void
send_list(void *arg, const char *key, uint32 keylen, const RecsysScored *list, int count)
{
	Outbox	   *outbox = arg;
	ListHeader	header = {keylen, (uint32) count};
	static const char padding[sizeof(int32)] = {0};

	appendBinaryStringInfo(&outbox->body, (char *) &header, sizeof(header));
	appendBinaryStringInfo(&outbox->body, key, keylen);
	appendBinaryStringInfo(&outbox->body, padding, INTALIGN(keylen) - keylen);
	appendBinaryStringInfo(&outbox->body, (char *) list, sizeof(RecsysScored) * count);
	outbox->header.nlists++;
	if (outbox->body.len >= MESSAGE_SIZE)
		send_lists(outbox);
}

static void
list_as_worker(RecsysWorker *worker, SharedLists *shared)
{
	Relation	heap = table_open(shared->heap, AccessShareLock);
	Relation	index = index_open(shared->index, AccessShareLock);
	RecsysRecommender recommender = {heap, index, RecsysGetCache(index)->columns, index};
	dsm_segment *segment = shared->graph != DSM_HANDLE_INVALID ? RecsysSegmentAttach(shared->graph) : NULL;
	Outbox		outbox = {.worker = worker};
	Member		member = {.sink = send_list, .arg = &outbox};
	uint32		piece;

	initStringInfo(&outbox.body);
	begin_member(&member, &recommender, segment != NULL ? dsm_segment_address(segment) : NULL,
				 &shared->terms, GetActiveSnapshot());
	while (!worker->abandoned && claim(shared, &piece))
	{
		list_piece(&member, piece, shared->npieces);
		outbox.header.npieces++;
	}
	end_member(&member);
	if (outbox.header.npieces > 0)
		send_lists(&outbox);
	if (segment != NULL)
		dsm_detach(segment);
	index_close(index, AccessShareLock);
	table_close(heap, AccessShareLock);
}

void
recsys_batch_worker_main(dsm_segment *segment, shm_toc *toc)
{
	RecsysWorker worker;
	SharedLists *shared = RecsysWorkerBegin(&worker, segment, toc);

	if (pg_atomic_read_u32(&shared->next) < shared->end)
		list_as_worker(&worker, shared);
	RecsysWorkerEnd(&worker);
}
