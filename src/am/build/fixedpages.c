/*
 * fixedpages.c
 *	  Pages with fixed places, and what the meta page of a new index says before anything is
 *	  known.
 */
#include "postgres.h"

#include "am/build/fixedpages.h"
#include "utils/timestamp.h"

void
RecsysReserveFixedPages(Relation index, ForkNumber fork)
{
	PGAlignedBlock image;

	RecsysPageInit((Page) image.data, RECSYS_PAGE_META, RECSYS_USERS);
	for (BlockNumber block = 0; block <= RECSYS_ROOT_BLOCK(RECSYS_ITEMS); block++)
	{
		BlockNumber got = RecsysAppendPage(index, fork, (Page) image.data);

		if (got != block)
			elog(ERROR, "unexpected block %u of a new recsys index", got);
	}
}

void
RecsysMetaInit(RecsysMetaData *meta)
{
	memset(meta, 0, sizeof(*meta));
	meta->magic = RECSYS_MAGIC;
	meta->version = RECSYS_FORMAT_VERSION;
	if (!pg_strong_random(&meta->seed, sizeof(meta->seed)))
		meta->seed = (uint64) GetCurrentTimestamp();
	meta->built_at = GetCurrentTimestamp();
	meta->tells_future = 1;
	for (int list = 0; list < RECSYS_LISTS; list++)
		meta->pending_head[list] = meta->pending_tail[list] = InvalidBlockNumber;
	meta->popular = InvalidBlockNumber;
	meta->prior = InvalidBlockNumber;
	meta->graph_tail = InvalidBlockNumber;
	meta->factors = meta->gram = meta->sketches = InvalidBlockNumber;
	meta->chunks = meta->chunk_tail = InvalidBlockNumber;
	for (int i = 0; i < RECSYS_MAP_ROOTS; i++)
		meta->map_roots[i] = InvalidBlockNumber;
}
