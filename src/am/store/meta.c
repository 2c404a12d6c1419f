/*
 * meta.c
 *	  Reading the meta page and caching it for the relation.
 */
#include "postgres.h"

#include <math.h>

#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/meta.h"
#include "am/store/options.h"
#include "core/pairs/modeloptions.h"
#include "utils/memutils.h"

void
RecsysMetaFolding(const RecsysMetaData *meta, const RecsysKeyOrder *order, RecsysFolding *folding)
{
	folding->max_history = meta->max_history;
	folding->transform = meta->options.weight_transform;
	folding->order = order;
	folding->repeated = NULL;
	folding->arg = NULL;
}

int64
RecsysServingHalfLife(Relation index)
{
	/* a partitioned index has no pages */
	return RecsysHalfLifeIsSet(index) || index->rd_rel->relkind == RELKIND_PARTITIONED_INDEX ?
		RecsysGetHalfLife(index) : RecsysGetCache(index)->meta.half_life;
}

double
RecsysStaleness(const RecsysMetaData *meta, uint64 pending)
{
	double		changes = (double) meta->changes + (double) pending;
	double		rows = (double) meta->built_rows;

	/* a build that has not noted its rows: those that count are the next best */
	if (meta->built_rows == 0)
		rows = Max((double) meta->interactions - (double) meta->changes, 0);
	return changes > 0 ? changes / (changes + rows) : 0;
}

int
RecsysEntryStride(RecsysSide side, bool weighted, bool timed)
{
	int			stride = sizeof(uint32) + sizeof(ItemPointerData);

	if (side == RECSYS_USERS)
	{
		if (weighted)
			stride += sizeof(double);
		if (timed)
			stride += sizeof(int64);
	}
	return stride;
}

/* Are the pages of n vectors, so many a page, in the file, the meta page none of them? */
static bool
vectors_exist(BlockNumber start, uint64 n, uint32 per_page, BlockNumber nblocks)
{
	uint64		pages = (n + per_page - 1) / per_page;

	return start != RECSYS_META_BLOCK && start + pages <= nblocks;
}

/* Are what a meta page says of factors, and the pages it names, within bounds? */
static bool
factors_are_sane(const RecsysMetaData *meta, BlockNumber nblocks)
{
	int			rank = meta->factor_rank;
	uint32		per_page;
	RecsysSketchLayout layout;

	if (rank == 0)
		return meta->factor_items == 0;
	if (rank < 0 || rank > RECSYS_MAX_RANK)
		return false;
	per_page = RECSYS_PAGE_VECTORS(RECSYS_FACTOR_SIZE(rank));
	RecsysSketchLayoutInit(&layout, rank, RECSYS_SKETCH_BYTES);
	return meta->factor_items <= meta->nitems &&
		vectors_exist(meta->factors, meta->factor_items, per_page, nblocks) &&
		vectors_exist(meta->gram, 1, per_page, nblocks) &&
		vectors_exist(meta->sketches, meta->factor_items, layout.room, nblocks) &&
		vectors_exist(meta->sketches + RecsysSketchBlocks(&layout, meta->factor_items),
					  meta->factor_items, layout.room, nblocks) &&
		meta->factor_unobserved >= 0 && isfinite(meta->factor_unobserved) &&
		meta->factor_lambda > 0 && isfinite(meta->factor_lambda) &&
		isfinite(meta->factor_exponent);
}

/* What memory is allocated by and arrays are indexed with */
static bool
numbers_are_sane(Relation index, RecsysMetaData *meta)
{
	return meta->similarity >= RECSYS_COSINE && meta->similarity <= RECSYS_LAST_SIMILARITY &&
		meta->neighbors >= 1 && meta->neighbors <= RECSYS_MAX_NEIGHBORS &&
		meta->max_history >= 1 && meta->max_history <= RECSYS_MAX_HISTORY_LIMIT &&
		meta->map_leaves <= RECSYS_MAP_ROOTS * RECSYS_MAP_ROOT_LEAVES &&
		meta->map_leaves < RelationGetNumberOfBlocks(index) &&
		meta->nitems <= meta->map_leaves * RECSYS_MAP_LEAF_ROWS &&
		meta->nsorted <= meta->nitems &&
		factors_are_sane(meta, RelationGetNumberOfBlocks(index));
}

/* What must be as the index's definition says */
static bool
kinds_are_sane(const RecsysMetaData *meta, const RecsysColumns *columns)
{
	uint8		weighted;
	uint8		timed;
	uint8		learned;

	/* any other byte than 0 and 1 is no bool */
	memcpy(&weighted, &meta->weighted, 1);
	memcpy(&timed, &meta->timed, 1);
	memcpy(&learned, &meta->learned, 1);
	if (learned > 1 || learned < RecsysSimilarityIsLearned(meta->similarity))
		return false;
	return meta->user_kind == columns->user_kind && meta->item_kind == columns->item_kind &&
		weighted == (columns->weight_column > 0) && timed == (columns->time_column > 0);
}

static void
bad_meta(Relation index)
{
	RecsysCorrupted(index, "index \"%s\" has a corrupted meta page",
					RecsysIndexName(index));
}

void
RecsysMetaCheck(Relation index, Page page)
{
	RecsysMetaData *meta = RecsysPageGetMeta(page);

	if (meta->magic != RECSYS_MAGIC)
		RecsysCorrupted(index, "index \"%s\" is not a recsys index",
						RecsysIndexName(index));
	if (meta->version != RECSYS_FORMAT_VERSION)
		RecsysCorrupted(index,
						"recsys index \"%s\" has format version %u, this server's recsys library reads version %u",
						RecsysIndexName(index), meta->version, RECSYS_FORMAT_VERSION);
	if (!numbers_are_sane(index, meta))
		bad_meta(index);
}

static void
read_map_root(Relation index, BlockNumber root, BlockNumber *leaves, uint32 nleaves)
{
	Buffer		buffer = RecsysReadPage(index, root, BUFFER_LOCK_SHARE, RECSYS_PAGE_MAP_ROOT);

	memcpy(leaves, PageGetContents(BufferGetPage(buffer)), nleaves * sizeof(BlockNumber));
	UnlockReleaseBuffer(buffer);
}

void
RecsysReadRhythm(Relation index, uint64 *pairs, RecsysRhythm *rhythm)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE, RECSYS_PAGE_META);
	const RecsysMetaData *meta = RecsysPageGetMeta(BufferGetPage(buffer));

	RecsysMetaCheck(index, BufferGetPage(buffer));
	*pairs = meta->interactions;
	*rhythm = meta->rhythm;
	UnlockReleaseBuffer(buffer);
}

RecsysCache *
RecsysRefreshCache(Relation index)
{
	RecsysMetaData meta;
	RecsysColumns columns;
	RecsysCache *cache;
	Buffer		buffer;

	buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE, RECSYS_PAGE_META);
	RecsysMetaCheck(index, BufferGetPage(buffer));
	memcpy(&meta, RecsysPageGetMeta(BufferGetPage(buffer)), sizeof(meta));
	UnlockReleaseBuffer(buffer);

	RecsysGetColumns(index, &columns);
	if (!kinds_are_sane(&meta, &columns))
		bad_meta(index);

	cache = MemoryContextAllocHuge(index->rd_indexcxt,
								   offsetof(RecsysCache, leaves) +
								   sizeof(BlockNumber) * Max(meta.map_leaves, 1));
	cache->meta = meta;
	cache->nleaves = meta.map_leaves;
	cache->columns = columns;
	cache->stride[RECSYS_USERS] = RecsysEntryStride(RECSYS_USERS, meta.weighted, meta.timed);
	cache->stride[RECSYS_ITEMS] = RecsysEntryStride(RECSYS_ITEMS, meta.weighted, meta.timed);

	for (uint32 first = 0; first < meta.map_leaves; first += RECSYS_MAP_ROOT_LEAVES)
		read_map_root(index, meta.map_roots[first / RECSYS_MAP_ROOT_LEAVES],
					  cache->leaves + first,
					  Min(meta.map_leaves - first, RECSYS_MAP_ROOT_LEAVES));

	if (index->rd_amcache != NULL)
		pfree(index->rd_amcache);
	index->rd_amcache = cache;
	return cache;
}

RecsysCache *
RecsysGetCache(Relation index)
{
	if (index->rd_amcache != NULL)
		return (RecsysCache *) index->rd_amcache;
	return RecsysRefreshCache(index);
}

void
RecsysGraphOptions(const RecsysMetaData *meta, RecsysModelOptions *options)
{
	*options = meta->options;

	/* these have been looked at: see RecsysMetaCheck */
	options->similarity = (RecsysSimilarity) meta->similarity;
	options->neighbors = meta->neighbors;
	options->min_support = meta->min_support;
	options->max_history = meta->max_history;
	options->shrinkage = meta->shrinkage;
	options->alpha = meta->alpha;
}
