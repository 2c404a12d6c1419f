/*
 * itemsinsert.c
 *	  INSERT and non-HOT UPDATE on a table with an items index: content, entry, event.
 *
 * A new item is entered first, then the row's content, then the entry of the item, which leads
 * to the content, and then an event tells merges that the item has changed.  Each is an
 * atomic step.  If the server stops between two of them, the inserting transaction has not
 * committed, and VACUUM removes what is left behind of the dead row.
 *
 * From the entry on readers find the content: a new item is compared with others on the spot
 * until a merge has taken it.
 *
 * An UPDATE that has changed no indexed column needs a tuple of its own, because its row has
 * another TID.  The merge sees that the content is the same, and that is all it does.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/xact.h"
#include "am/content/contentpage.h"
#include "am/content/itemcolumns.h"
#include "am/graph/graph.h"
#include "am/items/itemshandler.h"
#include "am/items/itemsmerge.h"
#include "am/lists/append.h"
#include "am/lists/pending.h"
#include "am/write/slice.h"
#include "am/write/wake.h"
#include "fault.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"

/* What of a statement's rows is the same for all */
typedef struct InsertState
{
	RecsysItemColumns *columns;
	RecsysContentMeta meta;
} InsertState;

/* The columns are read once a statement; what meta has may change under it. */
static InsertState *
get_state(Relation index, struct IndexInfo *info)
{
	InsertState *state = info->ii_AmCache;

	if (state == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(info->ii_Context);

		state = palloc0(sizeof(InsertState));
		state->columns = RecsysGetItemColumns(index);
		info->ii_AmCache = state;
		MemoryContextSwitchTo(old);
	}
	RecsysReadContentMeta(index, &state->meta);
	return state;
}

static bool
has_new_dimensions(const RecsysContentModel *model, const RecsysRawContent *raw)
{
	for (int i = 0; i < model->count; i++)
		if (model->attributes[i].kind == RECSYS_ATTRIBUTE_VECTOR &&
			model->attributes[i].dimensions == 0 && raw->values[i].known)
			return true;
	return false;
}

/*
 * The first vector of an attribute sets the dimensions of all.  Somebody else may have set them
 * in the meantime, so the row is checked against what the page has in the end.
 */
static void
set_dimensions(Relation index, InsertState *state, const RecsysRawContent *raw)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
										RECSYS_PAGE_META);
	GenericXLogState *xlog = GenericXLogStart(index);
	RecsysContentMeta *meta = RecsysPageGetContentMeta(GenericXLogRegisterBuffer(xlog, buffer, 0));

	RecsysLearnDimensions(&meta->model, raw);
	state->meta.model = meta->model;
	GenericXLogFinish(xlog);
	UnlockReleaseBuffer(buffer);
}

/* The row's content, packed; *size gets its length. */
static char *
pack_content(Relation index, InsertState *state, const RecsysKey *key, RecsysRawContent *raw,
			 Size *size)
{
	RecsysTermReader terms = {index, state->meta.terms, state->meta.nterms};
	Oid			type;
	RecsysKeyKind kind = RecsysItemColumnsKey(state->columns, &type);
	char	   *packed;

	RecsysCheckContent(index, &state->meta.model, raw);
	if (has_new_dimensions(&state->meta.model, raw))
	{
		set_dimensions(index, state, raw);
		RecsysCheckContent(index, &state->meta.model, raw);
	}
	packed = palloc(RecsysContentPackedSize(&state->meta.model, raw));
	*size = RecsysContentPack(&state->meta.model, raw, (uint32) RecsysKeyHash(kind, key, 0),
							  RecsysReadTermCount, &terms, packed);
	return packed;
}

/* Returns true if that has made the pending lists too long. */
static bool
insert_row(Relation index, const RecsysKey *key, const char *packed, Size size, ItemPointer tid)
{
	uint32		item = RecsysInternItem(index, key);
	RecsysEntry entry = {0};
	RecsysEvent event = {0};
	RecsysAppended appended;

	entry.peer = RecsysContentAppend(index, item, tid, packed, size);
	entry.tid = *tid;
	RECSYS_FAULT("insert-content");
	(void) RecsysAppendEntry(index, RECSYS_ITEMS, key, &entry, &appended);
	RECSYS_FAULT("insert-entry");

	/* a transaction id in the validation phase of CREATE INDEX CONCURRENTLY, too: see insert.c */
	event.user_hash = entry.peer;
	event.item = item;
	event.xid = U64FromFullTransactionId(GetTopFullTransactionId());
	event.tid = *tid;
	return RecsysPendingAppend(index, &event, 1);
}

bool
recsys_items_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap,
					IndexUniqueCheck unique, bool unchanged, struct IndexInfo *info)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys items insert",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	InsertState *state = get_state(index, info);
	RecsysRawContent *raw = palloc0(sizeof(RecsysRawContent));
	RecsysKey	key;

	if (RecsysFormContent(index, state->columns, values, isnull, &key, raw))
	{
		Size		size;
		char	   *packed = pack_content(index, state, &key, raw, &size);

		if (!insert_row(index, &key, packed, size, tid))
			RecsysNotePending();
		else if (!RecsysWakeMergeWorker())
			RecsysMergeSlice(heap, index, RecsysMergeItems);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return false;
}
