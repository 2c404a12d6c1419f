/*
 * meta.c
 *	  Reading the meta page and caching it for the relation.
 */
#include "postgres.h"

#include "am/meta.h"
#include "utils/memutils.h"

int
RecsysEntryStride(RecsysSide side, bool weighted, bool timed)
{
	int			stride = sizeof(uint32) + sizeof(ItemPointerData);

	if (side == RECSYS_USERS)
	{
		if (weighted)
			stride += sizeof(float);
		if (timed)
			stride += sizeof(int64);
	}
	return stride;
}

void
RecsysMetaCheck(Relation index, Page page)
{
	RecsysMetaData *meta = RecsysPageGetMeta(page);

	if (meta->magic != RECSYS_MAGIC)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" is not a recsys index", RelationGetRelationName(index)),
				 errhint("Please REINDEX it.")));
	if (meta->version != RECSYS_FORMAT_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("recsys index \"%s\" has format version %u, this server's recsys library reads version %u",
						RelationGetRelationName(index), meta->version, RECSYS_FORMAT_VERSION),
				 errhint("Please REINDEX it.")));
}

static void
read_map_root(Relation index, BlockNumber root, BlockNumber *leaves, uint32 nleaves)
{
	Buffer		buffer = RecsysReadPage(index, root, BUFFER_LOCK_SHARE, RECSYS_PAGE_MAP_ROOT);

	memcpy(leaves, PageGetContents(BufferGetPage(buffer)), nleaves * sizeof(BlockNumber));
	UnlockReleaseBuffer(buffer);
}

RecsysCache *
RecsysRefreshCache(Relation index)
{
	RecsysMetaData meta;
	RecsysCache *cache;
	Buffer		buffer;

	buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE, RECSYS_PAGE_META);
	RecsysMetaCheck(index, BufferGetPage(buffer));
	memcpy(&meta, RecsysPageGetMeta(BufferGetPage(buffer)), sizeof(meta));
	UnlockReleaseBuffer(buffer);

	cache = MemoryContextAllocHuge(index->rd_indexcxt,
								   offsetof(RecsysCache, leaves) +
								   sizeof(BlockNumber) * Max(meta.map_leaves, 1));
	cache->meta = meta;
	cache->nleaves = meta.map_leaves;
	RecsysGetColumns(index, &cache->columns);
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
