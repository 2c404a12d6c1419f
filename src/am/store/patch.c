/*
 * patch.c
 *	  Changing a few known bytes of one page.
 *
 * GenericXLogFinish finds out what has changed by copying the page and
 * comparing all of it, which for an entry of ten bytes is most of the cost of
 * an insert.  Here the changed bytes are known, so the record is put together
 * from them: the same kind of record (RM_GENERIC_ID, one block, its delta a
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

void
RecsysPatchPage(Relation index, Buffer buffer, const RecsysPatch *patches, int npatches)
{
	Page		page = BufferGetPage(buffer);
	char		delta[RECSYS_MAX_PATCHES * 2 * sizeof(OffsetNumber) + RECSYS_MAX_PATCH_BYTES];
	char	   *end = delta;

	Assert(npatches <= RECSYS_MAX_PATCHES);
	for (int i = 0; i < npatches; i++)
	{
		OffsetNumber offset = (OffsetNumber) (patches[i].dest - (char *) page);
		OffsetNumber length = patches[i].length;

		Assert(end + 2 * sizeof(OffsetNumber) + length <= delta + sizeof(delta));
		memcpy(end, &offset, sizeof(offset));
		end += sizeof(offset);
		memcpy(end, &length, sizeof(length));
		end += sizeof(length);
		memcpy(end, patches[i].data, length);
		end += length;
	}

	START_CRIT_SECTION();
	for (int i = 0; i < npatches; i++)
		memcpy(patches[i].dest, patches[i].data, patches[i].length);
	MarkBufferDirty(buffer);
	if (RelationNeedsWAL(index))
	{
		XLogRecPtr	lsn;

		XLogBeginInsert();
		XLogRegisterBuffer(0, buffer, REGBUF_STANDARD);
		XLogRegisterBufData(0, delta, end - delta);
		lsn = XLogInsert(RM_GENERIC_ID, 0);
		PageSetLSN(page, lsn);
	}
	END_CRIT_SECTION();
}
