/*
 * basketscan.c
 *	  The baskets of a whole index, read by this process and parallel workers.
 *
 * Users stand in the order of their hashes.  The hash range is cut into pieces, which
 * leader and workers claim one by one.  All of them read under the same snapshot,
 * which workers get with the leader's transaction: its own rows that are not committed
 * yet are visible to them, too.  Workers fold baskets and send them packed, together
 * with the number of pieces done.  So nobody waits for a worker that started too late
 * to get a piece.
 *
 * The order of baskets in the store depends on timing.  The results of mining do not.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/parallel.h"
#include "access/table.h"
#include "am/graph/itemorder.h"
#include "am/read/basketscan.h"
#include "am/read/visible.h"
#include "miscadmin.h"
#include "optimizer/paths.h"
#include "source/team/workers.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Workers help from an index of so many times min_parallel_index_scan_size on. */
#define MIN_SIZE 128

/* Pages of the index to a piece, about, and the most pieces */
#define PIECE_PAGES 32
#define MAX_PIECES 4096

/* No more can be fed by one leader. */
#define MAX_WORKERS 32

#define QUEUE_SIZE ((Size) 1024 * 1024)

typedef struct SharedBaskets
{
	RecsysMiningShared mining;
	Oid			heap;
	Oid			index;
	RecsysBasketOptions options;
	uint32		npieces;
	pg_atomic_uint32 claimed;	/* pieces that somebody has taken */
} SharedBaskets;

/* How a message begins; packed baskets follow */
typedef struct MessageHeader
{
	uint32		npieces;		/* that end with this message */
	uint32		nbaskets;
	uint32		longest;
	uint32		nwords;
} MessageHeader;

PGDLLEXPORT void recsys_basket_worker_main(dsm_segment *segment, shm_toc *toc);

static void
add_user(void *arg, RecsysInteraction *interactions, int count)
{
	RecsysBasketStoreAdd(arg, interactions, count);
}

static bool
claim(SharedBaskets *shared, uint32 *piece)
{
	if (pg_atomic_read_u32(&shared->claimed) >= shared->npieces)
		return false;
	*piece = pg_atomic_fetch_add_u32(&shared->claimed, 1);
	return *piece < shared->npieces;
}

static void
scan_piece(RecsysVisibleScan *scan, uint32 piece, uint32 npieces, RecsysBasketStore *store)
{
	const uint64 whole = (uint64) PG_UINT32_MAX + 1;

	RecsysVisibleScanRange(scan, (uint32) (whole * piece / npieces),
						   (uint32) (whole * (piece + 1) / npieces - 1), add_user, store);
}

/* Take what the workers have sent; returns whether there was anything. */
static bool
receive(RecsysMiningTeam *team, RecsysBasketStore *store, uint32 *ndone)
{
	bool		found = false;

	for (int worker = 0; worker < team->nlaunched; worker++)
	{
		const void *message;
		Size		size;

		while (RecsysWorkersReceive(team->workers, worker, &message, &size))
		{
			const MessageHeader *header = message;
			RecsysPackedBaskets packed = {0};

			if (size != sizeof(MessageHeader) + sizeof(uint32) * (Size) header->nwords)
				elog(ERROR, "invalid message of %zu bytes from a recsys parallel worker", size);
			packed.nbaskets = header->nbaskets;
			packed.longest = header->longest;
			packed.nwords = header->nwords;
			packed.words = (const uint32 *) (header + 1);
			RecsysBasketStoreAddPacked(store, &packed);
			*ndone += header->npieces;
			found = true;
			CHECK_FOR_INTERRUPTS();
		}
	}
	return found;
}

static void
launch(Relation heap, Relation index, const RecsysBasketOptions *options, uint32 npieces,
	   int nworkers, RecsysMiningTeam *team, SharedBaskets **shared)
{
	team->workers = RecsysWorkersCreate("recsys_basket_worker_main", nworkers, QUEUE_SIZE,
										sizeof(SharedBaskets), (void **) shared);
	RecsysMiningSharedInit(&(*shared)->mining);
	(*shared)->heap = RelationGetRelid(heap);
	(*shared)->index = RelationGetRelid(index);
	(*shared)->options = *options;
	(*shared)->npieces = npieces;
	pg_atomic_init_u32(&(*shared)->claimed, 0);
	team->shared = &(*shared)->mining;
	team->nlaunched = RecsysWorkersLaunch(team->workers);
}

void
RecsysScanBaskets(Relation heap, Relation index, Snapshot snapshot,
				  const RecsysBasketOptions *options, RecsysBasketStore *store,
				  int nworkers, RecsysMiningTeam *team)
{
	RecsysVisibleScan *scan;
	SharedBaskets *shared;
	BlockNumber pages = RelationGetNumberOfBlocks(index);
	uint32		npieces = Min(Max(pages / PIECE_PAGES, 4 * (MAX_WORKERS + 1)), MAX_PIECES);
	uint32		piece;
	uint32		nown = 0;
	uint32		ndone = 0;

	memset(team, 0, sizeof(*team));
	nworkers = Min(nworkers, MAX_WORKERS);
	if (nworkers == 0 || IsParallelWorker() || !IsUnderPostmaster ||
		RelationUsesLocalBuffers(heap) || snapshot != GetActiveSnapshot() ||
		pages < (uint64) MIN_SIZE * min_parallel_index_scan_size)
	{
		RecsysScanVisible(heap, index, snapshot, add_user, store);
		return;
	}

	launch(heap, index, options, npieces, nworkers, team, &shared);
	scan = RecsysVisibleScanCreate(heap, index, snapshot);
	while (claim(shared, &piece))
	{
		scan_piece(scan, piece, npieces, store);
		nown++;
		(void) receive(team, store, &ndone);
	}
	RecsysVisibleScanFree(scan);
	while (nown + ndone < npieces)
	{
		if (!receive(team, store, &ndone))
			RecsysWorkersWait(team->workers);
	}
	ereport(DEBUG1,
			(errmsg_internal("recsys: baskets read in %u pieces, %u of them by %d workers",
							 npieces, ndone, team->nlaunched)));
}

/*
 * Worker
 */
static void
send_packed(void *arg, const RecsysPackedBaskets *packed)
{
	MessageHeader header;

	header.npieces = packed->last;
	header.nbaskets = packed->nbaskets;
	header.longest = packed->longest;
	header.nwords = packed->nwords;
	RecsysWorkerSend(arg, &header, sizeof(header), packed->words,
					 sizeof(uint32) * (Size) packed->nwords, true);
}

static void
scan_as_worker(RecsysWorker *worker, SharedBaskets *shared)
{
	const RecsysBasketOptions *options = &shared->options;
	Relation	heap = table_open(shared->heap, AccessShareLock);
	Relation	index = index_open(shared->index, AccessShareLock);
	RecsysVisibleScan *scan = RecsysVisibleScanCreate(heap, index, GetActiveSnapshot());
	RecsysItemOrder *items = RecsysItemOrderCreate(index, options->nitems);
	RecsysKeyOrder order = RecsysItemOrderForCore(items);
	RecsysBasketStore *store = RecsysBasketStoreCreate(options->nitems, options->max_basket, &order,
													   options->weighted, MaxAllocHugeSize);
	uint32		piece;

	while (!worker->abandoned && claim(shared, &piece))
	{
		scan_piece(scan, piece, shared->npieces, store);
		RecsysBasketStoreHandOver(store, send_packed, worker);
	}
	RecsysBasketStoreFree(store);
	RecsysItemOrderFree(items);
	RecsysVisibleScanFree(scan);
	index_close(index, AccessShareLock);
	table_close(heap, AccessShareLock);
}

void
recsys_basket_worker_main(dsm_segment *segment, shm_toc *toc)
{
	RecsysWorker worker;
	SharedBaskets *shared = RecsysWorkerBegin(&worker, segment, toc);

	if (pg_atomic_read_u32(&shared->claimed) < shared->npieces)
		scan_as_worker(&worker, shared);
	RecsysMiningTakePart(&worker, &shared->mining);
	RecsysWorkerEnd(&worker);
}
