/*
 * itemskept.c
 *	  Contents of rows that no merge has taken yet, kept from call to call.
 *
 * While many rows are pending, every look at neighbors compares all of them.  A row's content
 * never changes, and the writer tells it from a later row in the same place.  So a
 * session reads each from its page once.  What is kept is given up when there is too much of
 * it, or when another index is asked, unless a reader still points into it.
 */
#include "postgres.h"

#include "am/sight/itemsreader.h"
#include "common/hashfn.h"
#include "compat.h"
#include "utils/memutils.h"

typedef struct KeptRow
{
	uint64		xid;
	BlockNumber block;
	ItemPointerData tid;
	uint16		unused[3];		/* zero */
} KeptRow;

typedef struct KeptContent
{
	KeptRow		row;
	char		status;			/* simplehash's */
	const char *packed;
} KeptContent;

StaticAssertDecl(sizeof(KeptRow) == offsetof(KeptRow, unused) + 3 * sizeof(uint16),
				 "rows are hashed as bytes");

#define SH_PREFIX kept
#define SH_ELEMENT_TYPE KeptContent
#define SH_KEY_TYPE KeptRow
#define SH_KEY row
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) &(key), sizeof(KeptRow))
#define SH_EQUAL(tb, a, b) (memcmp(&(a), &(b), sizeof(KeptRow)) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Bytes of content that a session keeps */
#define MOST_KEPT ((Size) 16 * 1024 * 1024)

static MemoryContext kept_context = NULL;
static kept_hash *kept = NULL;
static Size kept_bytes = 0;
static Oid	kept_index = InvalidOid;
static Oid	kept_file = InvalidOid;
static int	kept_readers = 0;

static void
reader_is_done(void *arg)
{
	kept_readers--;
}

/* May the reader use what is kept?  It then stays until the reader is freed. */
static bool
begin_keeping(RecsysItemsReader *reader)
{
	bool		same = kept != NULL && kept_index == RelationGetRelid(reader->index) &&
		kept_file == RECSYS_FILE_NUMBER(reader->index);

	if (!same || kept_bytes > MOST_KEPT)
	{
		if (kept_readers > 0)
			return false;
		if (kept_context == NULL)
			kept_context = AllocSetContextCreate(TopMemoryContext, "recsys pending content",
												 ALLOCSET_DEFAULT_SIZES);
		kept = NULL;
		MemoryContextReset(kept_context);
		kept_bytes = 0;
		kept = kept_create(kept_context, 256, NULL);
		kept_index = RelationGetRelid(reader->index);
		kept_file = RECSYS_FILE_NUMBER(reader->index);
	}
	reader->keeps = true;
	reader->done.func = reader_is_done;
	reader->done.arg = NULL;
	MemoryContextRegisterResetCallback(reader->context, &reader->done);
	kept_readers++;
	return true;
}

static const char *
read_row(RecsysItemsReader *reader, MemoryContext context, const RecsysLateRow *row, Size *size)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ItemPointerData tid = row->tid;
	RecsysContentTuple tuple = RecsysContentRead(reader->index, row->block, &tid, size);

	MemoryContextSwitchTo(old);
	return tuple != NULL && tuple->item == row->item ? tuple->packed : NULL;
}

static const char *
read_kept(RecsysItemsReader *reader, const RecsysLateRow *row)
{
	KeptRow		key;
	KeptContent *content;
	const char *packed;
	Size		size;
	bool		found;

	memset(&key, 0, sizeof(key));
	key.xid = row->xid;
	key.block = row->block;
	key.tid = row->tid;
	content = kept_lookup(kept, key);
	if (content != NULL)
		return content->packed;
	packed = read_row(reader, kept_context, row, &size);
	if (packed != NULL)
	{
		content = kept_insert(kept, key, &found);
		content->packed = packed;
		kept_bytes += RECSYS_CONTENT_HEADER + size + sizeof(KeptContent);
	}
	return packed;
}

const char *
RecsysLateContent(RecsysItemsReader *reader, int place)
{
	RecsysLateRow *row = &reader->late[place];
	Size		size;

	if (row->read || !BlockNumberIsValid(row->block))
		return row->packed;
	if (row->xid != 0 && (reader->keeps || begin_keeping(reader)) && kept_bytes <= MOST_KEPT)
		row->packed = read_kept(reader, row);
	else
		row->packed = read_row(reader, reader->context, row, &size);
	row->read = true;
	return row->packed;
}
