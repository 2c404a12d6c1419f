/*
 * contentmeta.c
 *	  The part of an items index's meta page that other indexes do not have.
 */
#include "postgres.h"

#include <math.h>

#include "am/content/contentpage.h"
#include "am/content/termpage.h"
#include "am/store/corrupted.h"

StaticAssertDecl(MAXALIGN(sizeof(RecsysMetaData)) + sizeof(RecsysContentMeta) <= RECSYS_PAGE_ROOM,
				 "what an items index adds fits the meta page");
StaticAssertDecl(sizeof(RecsysAttribute) == 28 && offsetof(RecsysContentMeta, model) == 48,
				 "fields of the meta page stay where they are: see RECSYS_FORMAT_VERSION");

static bool
block_is_sane(BlockNumber block, BlockNumber nblocks)
{
	return block == InvalidBlockNumber || (block > RECSYS_ROOT_BLOCK(RECSYS_ITEMS) && block < nblocks);
}

static bool
number_is_sane(float number, float least)
{
	return isfinite(number) && number >= least;
}

static bool
attribute_is_sane(const RecsysAttribute *attribute)
{
	uint8		linear;

	/* any other byte than 0 and 1 is no bool */
	memcpy(&linear, &attribute->linear, 1);
	if (linear > 1 || !number_is_sane(attribute->weight, 0))
		return false;
	switch (attribute->kind)
	{
		case RECSYS_ATTRIBUTE_LABEL:
		case RECSYS_ATTRIBUTE_LABELS:
			return true;
		case RECSYS_ATTRIBUTE_TEXT:
			return number_is_sane(attribute->k1, 0) && number_is_sane(attribute->b, 0) &&
				attribute->b <= 1 && number_is_sane(attribute->mean_length, 0);
		case RECSYS_ATTRIBUTE_NUMBER:
			return number_is_sane(attribute->scale, 0) && attribute->scale > 0;
		case RECSYS_ATTRIBUTE_VECTOR:
			return attribute->dimensions <= RECSYS_MAX_CONTENT / sizeof(int16);
		default:
			return false;
	}
}

bool
RecsysContentMetaIsSane(const RecsysContentMeta *meta, BlockNumber nblocks)
{
	BlockNumber pages = RECSYS_TERM_PAGES(meta->nterms);

	if (!block_is_sane(meta->content_head, nblocks) ||
		!block_is_sane(meta->content_tail, nblocks) ||
		!block_is_sane(meta->content_free, nblocks) ||
		(meta->content_head == InvalidBlockNumber) != (meta->content_tail == InvalidBlockNumber))
		return false;
	if (!block_is_sane(meta->terms, nblocks) ||
		(meta->nterms > 0 && (meta->terms == InvalidBlockNumber || pages > nblocks - meta->terms)))
		return false;
	if (meta->approximate > 1 || meta->model.count < 1 ||
		meta->model.count > RECSYS_MAX_ATTRIBUTES)
		return false;
	for (int attribute = 0; attribute < meta->model.count; attribute++)
		if (!attribute_is_sane(&meta->model.attributes[attribute]))
			return false;
	return true;
}

void
RecsysReadContentMeta(Relation index, RecsysContentMeta *meta)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_META);

	RecsysMetaCheck(index, BufferGetPage(buffer));
	memcpy(meta, RecsysPageGetContentMeta(BufferGetPage(buffer)), sizeof(*meta));
	UnlockReleaseBuffer(buffer);
	if (!RecsysContentMetaIsSane(meta, RelationGetNumberOfBlocks(index)))
		RecsysCorrupted(index, "index \"%s\" has a corrupted meta page",
						RelationGetRelationName(index));
}
