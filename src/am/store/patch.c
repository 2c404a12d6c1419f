/*
 * patch.c
 *	  Changing a few known bytes of a page or two.
 *
 * GenericXLogFinish finds out what has changed by copying the page and
 * comparing all of it, which for an entry of ten bytes is most of the cost of
 * an insert.  Here the changed bytes are known, so the record is put together
 * from them: the same kind of record (RM_GENERIC_ID, for each block a delta, a
 * series of offset, length, bytes) that the server's generic redo replays.
 */
#include "postgres.h"

#include "access/rmgr.h"
#include "access/xloginsert.h"
#include "am/store/patch.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/off.h"

/* One page's part of a record */
typedef struct PagePatch
{
	Buffer		buffer;
	const RecsysPatch *patches;
	int			npatches;
	int			length;
	char		delta[RECSYS_MAX_PATCHES * 2 * sizeof(OffsetNumber) + RECSYS_MAX_PATCH_BYTES];
} PagePatch;

static void
form_delta(PagePatch *part, Buffer buffer, const RecsysPatch *patches, int npatches)
{
	Page		page = BufferGetPage(buffer);
	char	   *end = part->delta;

	Assert(npatches <= RECSYS_MAX_PATCHES);
	for (int i = 0; i < npatches; i++)
	{
		OffsetNumber offset = (OffsetNumber) (patches[i].dest - (char *) page);
		OffsetNumber length = patches[i].length;

		Assert(end + 2 * sizeof(OffsetNumber) + length <= part->delta + sizeof(part->delta));
		memcpy(end, &offset, sizeof(offset));
		end += sizeof(offset);
		memcpy(end, &length, sizeof(length));
		end += sizeof(length);
		memcpy(end, patches[i].data, length);
		end += length;
	}
	part->buffer = buffer;
	part->patches = patches;
	part->npatches = npatches;
	part->length = end - part->delta;
}

static void
apply_and_log(Relation index, const PagePatch *parts, int nparts)
{
	START_CRIT_SECTION();
	for (int p = 0; p < nparts; p++)
	{
		for (int i = 0; i < parts[p].npatches; i++)
			memcpy(parts[p].patches[i].dest, parts[p].patches[i].data, parts[p].patches[i].length);
		MarkBufferDirty(parts[p].buffer);
	}
	if (RelationNeedsWAL(index))
	{
		XLogRecPtr	lsn;

		XLogBeginInsert();
		for (int p = 0; p < nparts; p++)
		{
			XLogRegisterBuffer(p, parts[p].buffer, REGBUF_STANDARD);
			XLogRegisterBufData(p, (char *) parts[p].delta, parts[p].length);
		}
		lsn = XLogInsert(RM_GENERIC_ID, 0);
		for (int p = 0; p < nparts; p++)
			PageSetLSN(BufferGetPage(parts[p].buffer), lsn);
	}
	END_CRIT_SECTION();
}

void
RecsysPatchPage(Relation index, Buffer buffer, const RecsysPatch *patches, int npatches)
{
	PagePatch	part;

	form_delta(&part, buffer, patches, npatches);
	apply_and_log(index, &part, 1);
}

void
RecsysPatchPages(Relation index, Buffer first, const RecsysPatch *patches, int npatches,
				 Buffer second, const RecsysPatch *others, int nothers)
{
	PagePatch	parts[2];

	form_delta(&parts[0], first, patches, npatches);
	form_delta(&parts[1], second, others, nothers);
	apply_and_log(index, parts, 2);
}
