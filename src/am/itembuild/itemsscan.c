/*
 * itemsscan.c
 *	  Build of an items index: the scan of the table, with parallel workers.
 *
 * Expressions, of which some take their time (recsys.image_descriptor), and the forming of
 * content are divided among all; the leader has the spool.
 */
#include "postgres.h"

#include "am/build/teamscan.h"
#include "am/itembuild/itemsscan.h"
#include "am/store/page.h"
#include "utils/memutils.h"

/* A row as a worker sends it; key and content follow. */
typedef struct RowHeader
{
	uint64		position;
	uint32		size;			/* of the content */
	uint16		keylen;
	bool		dead;
} RowHeader;

/* Forms rows, in the leader and in a worker */
typedef struct RowSource
{
	RecsysItemColumns *columns;
	RecsysKeyKind kind;
	RecsysContentModel model;
	MemoryContext context;		/* for one row */
	RecsysItemSpool *spool;		/* leader */
} RowSource;

PGDLLEXPORT void recsys_items_scan_worker_main(dsm_segment *segment, shm_toc *toc);

static void
init_source(RowSource *source, RecsysItemColumns *columns, RecsysItemSpool *spool)
{
	Oid			type;

	source->columns = columns;
	source->kind = RecsysItemColumnsKey(columns, &type);
	RecsysDeclaredModel(columns, &source->model);
	source->context = AllocSetContextCreate(CurrentMemoryContext, "recsys items build row",
											ALLOCSET_DEFAULT_SIZES);
	source->spool = spool;
}

/* The row's content as bytes, in the current memory context; NULL if it is not indexed. */
static char *
form_row(RowSource *source, Relation index, Datum *values, bool *isnull, RecsysKey *key,
		 Size *size)
{
	RecsysRawContent raw;
	char	   *bytes;

	if (!RecsysFormContent(index, source->columns, values, isnull, key, &raw))
		return NULL;
	RecsysLearnDimensions(&source->model, &raw);
	RecsysCheckContent(index, &source->model, &raw);
	*size = RecsysRawContentSize(&source->model, &raw);
	bytes = palloc(*size);
	RecsysRawContentStore(&source->model, &raw, bytes);
	return bytes;
}

static void
worker_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	RecsysScanSender *sender = arg;
	RowSource  *source = sender->state;
	MemoryContext old = MemoryContextSwitchTo(source->context);
	RecsysKey	key;
	Size		size;
	char	   *bytes = form_row(source, index, values, isnull, &key, &size);

	MemoryContextSwitchTo(old);
	if (bytes != NULL)
	{
		RowHeader	header = {.position = RecsysTidPosition(tid),.dead = !alive};
		char		keybytes[RECSYS_MAX_KEY_LEN];

		header.size = (uint32) size;
		header.keylen = (uint16) key.len;
		RecsysKeyStore(source->kind, &key, keybytes);
		appendBinaryStringInfo(&sender->batch, (const char *) &header, sizeof(header));
		appendBinaryStringInfo(&sender->batch, keybytes, key.len);
		appendBinaryStringInfo(&sender->batch, bytes, (int) size);
		RecsysScanSend(sender);
	}
	MemoryContextReset(source->context);
}

static void *
begin_worker(Relation index)
{
	RowSource  *source = palloc0(sizeof(RowSource));

	init_source(source, RecsysGetItemColumns(index), NULL);
	return source;
}

void
recsys_items_scan_worker_main(dsm_segment *segment, shm_toc *toc)
{
	RecsysScanWorker(segment, toc, begin_worker, worker_row);
}

static const char *
take_row(void *arg, const char *place)
{
	RowSource  *source = arg;
	RowHeader	header;
	RecsysKey	key;

	memcpy(&header, place, sizeof(header));
	place += sizeof(header);
	RecsysKeyLoad(source->kind, place, header.keylen, &key);
	place += header.keylen;
	RecsysItemSpoolPut(source->spool, &key, header.position, header.dead, place, header.size);
	return place + header.size;
}

static void
leader_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	RowSource  *source = arg;
	MemoryContext old = MemoryContextSwitchTo(source->context);
	RecsysKey	key;
	Size		size;
	char	   *bytes = form_row(source, index, values, isnull, &key, &size);

	MemoryContextSwitchTo(old);
	if (bytes != NULL)
		RecsysItemSpoolPut(source->spool, &key, RecsysTidPosition(tid), !alive, bytes, size);
	MemoryContextReset(source->context);
}

double
RecsysItemsScan(Relation heap, Relation index, struct IndexInfo *info, RecsysItemColumns *columns,
				int nworkers, RecsysItemSpool *spool)
{
	RowSource	source;
	double		heap_tuples;

	init_source(&source, columns, spool);
	heap_tuples = RecsysTeamScan(heap, index, info, nworkers, "recsys_items_scan_worker_main",
								 leader_row, take_row, &source);
	MemoryContextDelete(source.context);
	return heap_tuples;
}
