/*
 * itemscontent.c
 *	  Build of an items index: content pages, from the rows in the spool.
 *
 * Content is written in the order of keys, or, when there are too many items to compare all with
 * all, in that of clusters (itemsclusters).
 */
#include "postgres.h"

#include "am/content/termpage.h"
#include "am/itembuild/itemsbuildstate.h"
#include "am/lists/directory.h"
#include "am/store/progress.h"
#include "fault.h"
#include "miscadmin.h"
#include "utils/memutils.h"

static uint32
look_up_term(void *arg, uint64 hash)
{
	RecsysItemsBuild *state = arg;

	return RecsysFindTermCount(state->terms, state->nterms, hash);
}

static void
put_key(BufFile *file, RecsysKeyKind kind, uint32 item, const RecsysKey *key)
{
	char		bytes[RECSYS_MAX_KEY_LEN];
	RecsysKeyHeader	header = {.item = item,.length = key->len};

	RecsysKeyStore(kind, key, bytes);
	BufFileWrite(file, &header, sizeof(header));
	BufFileWrite(file, bytes, key->len);
}

/* A current tuple has been written to a page. */
static void
count_current(RecsysItemsBuild *state, BlockNumber block, Size size)
{
	BlockNumber page = block - state->content.content_head;

	while (state->npages <= page)
	{
		if (state->npages == state->maxbefore)
		{
			state->maxbefore = Max(state->maxbefore * 2, 1024);
			state->before = state->before == NULL ? palloc(sizeof(uint32) * state->maxbefore) :
				repalloc_huge(state->before, sizeof(uint32) * (Size) state->maxbefore);
		}
		state->before[state->npages++] = state->ncurrent;
	}
	state->ncurrent++;
	state->packed += size;
}

/* Packs the row's content; returns its size. */
static Size
pack_row(RecsysItemsBuild *state, const RecsysSpooledRow *row, char *packed)
{
	const RecsysContentModel *model = &state->content.model;
	RecsysRawContent raw;
	uint32		lot = (uint32) RecsysKeyHash(state->kind, &row->key, 0);

	RecsysRawContentLoad(model, row->raw, &raw);
	return RecsysContentPack(model, &raw, lot, look_up_term, state, packed);
}

static void
write_row(RecsysItemsBuild *state, const RecsysPackedRow *row)
{
	RecsysItemPosting posting;
	ItemPointerData tid;

	RecsysPositionToTid(row->position, &tid);
	posting.block = RecsysContentWriterAdd(state->writer, row->item, &tid, row->current, 0,
										   row->packed, row->size);
	if (row->current)
	{
		count_current(state, posting.block, row->size);
		put_key(state->keys, state->kind, row->item, &row->key);
	}
	posting.key = row->key;
	posting.hash = RECSYS_TREE_HASH(RecsysKeyHash(state->kind, &row->key, state->meta.seed));
	posting.item = row->item;
	posting.position = row->position;
	RecsysItemPostingsPut(state->postings, &posting);
	RECSYS_FAULT("items-build-content");
}

/* Goes through all rows in order of their keys, packed, and notes the items without content. */
static void
pack_rows(RecsysItemsBuild *state, void (*take) (RecsysItemsBuild *state, const RecsysPackedRow *row, void *arg),
		  void *arg)
{
	PGAlignedBlock packed;
	RecsysSpooledRow row;
	char		bytes[RECSYS_MAX_KEY_LEN];
	RecsysKey	last = {0};
	bool		has_current = true;
	uint64		done = 0;

	RecsysBuildPhaseStart(&state->phase, RECSYS_PHASE_CONTENT,
						  (int64) RecsysItemSpoolRows(state->spool));
	RecsysItemSpoolRewind(state->spool);
	while (RecsysItemSpoolNext(state->spool, &row))
	{
		RecsysPackedRow result = {.item = row.item,.position = row.position,.current = row.current,
			.key = row.key,.packed = packed.data
		};

		if (row.first)
		{
			if (!has_current)
				put_key(state->bare, state->kind, row.item - 1, &last);
			has_current = false;
			RecsysKeyStore(state->kind, &row.key, bytes);
			RecsysKeyLoad(state->kind, bytes, row.key.len, &last);
		}
		has_current |= row.current;
		result.size = pack_row(state, &row, packed.data);
		take(state, &result, arg);
		RecsysBuildDone(++done);
	}
	if (!has_current)
		put_key(state->bare, state->kind, state->nitems - 1, &last);
	RecsysItemSpoolFree(state->spool);
}

static void
begin_content(RecsysItemsBuild *state)
{
	state->postings = RecsysItemPostingsCreate(state->kind, POSTINGS_SHARE(state->memory));
	state->writer = RecsysContentWriterCreate(state->index, state->fork);
	state->content.content_head = RelationGetNumberOfBlocks(state->index);
}

/* Few enough to compare all with all: content in the order of keys */

static void
take_in_order(RecsysItemsBuild *state, const RecsysPackedRow *row, void *arg)
{
	write_row(state, row);
}

static void
write_in_order(RecsysItemsBuild *state)
{
	begin_content(state);
	pack_rows(state, take_in_order, NULL);
	pfree(state->terms);
	RecsysContentWriterFinish(state->writer, &state->content);
	state->plan = RecsysItemPlanAll(state->ncurrent);
}

/* Content by clusters of items that are alike */

/* Content whose cluster is looked for together */
#define CLUSTER_BATCH 64

typedef struct Clustering
{
	RecsysContentClusters *clusters;
	RecsysPackedRows *rows;
	uint32	   *members;		/* current content of each cluster */
	int			n;				/* of the batch */
	RecsysPackedRow batch[CLUSTER_BATCH];
	char		keys[CLUSTER_BATCH][RECSYS_MAX_KEY_LEN];
	char	   *packed[CLUSTER_BATCH];
} Clustering;

static void
assign_batch(Clustering *clustering)
{
	int			of[CLUSTER_BATCH];

	RecsysClustersOf(clustering->clusters, (const char *const *) clustering->packed, clustering->n, of);
	for (int i = 0; i < clustering->n; i++)
	{
		RecsysPackedRow *row = &clustering->batch[i];

		row->cluster = (uint32) of[i];
		if (row->current)
			clustering->members[of[i]]++;
		RecsysPackedRowsPut(clustering->rows, row);
	}
	clustering->n = 0;
}

static void
take_to_cluster(RecsysItemsBuild *state, const RecsysPackedRow *row, void *arg)
{
	Clustering *clustering = arg;
	int			place = clustering->n++;
	RecsysPackedRow *copy = &clustering->batch[place];

	*copy = *row;
	RecsysKeyStore(state->kind, &row->key, clustering->keys[place]);
	RecsysKeyLoad(state->kind, clustering->keys[place], row->key.len, &copy->key);
	copy->packed = memcpy(clustering->packed[place], row->packed, row->size);
	if (clustering->n == CLUSTER_BATCH)
		assign_batch(clustering);
}

/* Clusters of a sample: every so many-th item */
static RecsysContentClusters *
train_clusters(RecsysItemsBuild *state)
{
	int			nclusters;
	uint32		wanted;
	const char **sample;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys items sample",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysContentClusters *clusters;
	RecsysSpooledRow row;
	uint32		n = 0;

	RecsysItemSample(state->nitems, PACKED_SHARE(state->memory), &nclusters, &wanted);
	sample = palloc(sizeof(char *) * wanted);
	RecsysItemSpoolRewind(state->spool);
	while (RecsysItemSpoolNext(state->spool, &row))
	{
		PGAlignedBlock packed;
		Size		size;

		CHECK_FOR_INTERRUPTS();
		if (!row.current || n == wanted || row.item < (uint64) n * state->nitems / wanted)
			continue;
		size = pack_row(state, &row, packed.data);
		sample[n++] = memcpy(MemoryContextAlloc(context, size), packed.data, size);
	}
	clusters = RecsysClustersTrain(&state->content.model, sample, (int) n, nclusters, 0);
	MemoryContextDelete(context);
	pfree(sample);
	return clusters;
}

static void
write_by_cluster(RecsysItemsBuild *state)
{
	Clustering *clustering = palloc0(sizeof(Clustering));
	RecsysPackedRow row;

	for (int i = 0; i < CLUSTER_BATCH; i++)
		clustering->packed[i] = palloc(RECSYS_MAX_CONTENT);
	RecsysBuildPhaseStart(&state->phase, RECSYS_PHASE_CLUSTERS, 0);
	clustering->clusters = train_clusters(state);
	clustering->rows = RecsysPackedRowsCreate(state->kind, PACKED_SHARE(state->memory));
	clustering->members = palloc0(sizeof(uint32) * RecsysClustersCount(clustering->clusters));
	pack_rows(state, take_to_cluster, clustering);
	if (clustering->n > 0)
		assign_batch(clustering);
	pfree(state->terms);

	begin_content(state);
	RecsysPackedRowsSort(clustering->rows);
	while (RecsysPackedRowsNext(clustering->rows, &row))
		write_row(state, &row);
	RecsysPackedRowsFree(clustering->rows);
	RecsysContentWriterFinish(state->writer, &state->content);
	state->plan = RecsysItemPlanNear(clustering->clusters, clustering->members, state->ncurrent);
	RecsysClustersFree(clustering->clusters);
	state->content.approximate = 1;
}

void
RecsysWriteItemContent(RecsysItemsBuild *state)
{
	state->keys = BufFileCreateTemp(false);
	state->bare = BufFileCreateTemp(false);
	if (state->nitems <= state->exact_items)
		write_in_order(state);
	else
		write_by_cluster(state);
}
