/*
 * itemstext.c
 *	  A text attribute of items, as it is written: read from the table.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "am/entry/asowner.h"
#include "am/sight/itemsreader.h"
#include "am/sight/itemstext.h"
#include "catalog/index.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "tsearch/ts_type.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"

struct RecsysItemsText
{
	Relation	heap;
	Snapshot	snapshot;
	bool		is_tsvector;
	AttrNumber	column;			/* of the table; 0: an expression */
	ExprState  *expression;
	EState	   *estate;
	TupleTableSlot *slot;
	struct IndexFetchTableData *fetch;
};

static Expr *
expression_of(IndexInfo *info, int column)
{
	int			place = 0;

	for (int x = 0; x < column; x++)
		place += info->ii_IndexAttrNumbers[x] == 0;
	return (Expr *) list_nth(info->ii_Expressions, place);
}

RecsysItemsText *
RecsysItemsTextCreate(Relation heap, Relation index, int attribute, Snapshot snapshot)
{
	RecsysItemsText *texts = palloc0(sizeof(RecsysItemsText));
	IndexInfo  *info = BuildIndexInfo(index);
	int			column = attribute + 1; /* the key stands before the attributes */

	texts->heap = heap;
	texts->snapshot = snapshot;
	texts->is_tsvector = getBaseType(TupleDescAttr(RelationGetDescr(index), column)->atttypid) == TSVECTOROID;
	texts->column = info->ii_IndexAttrNumbers[column];
	texts->slot = table_slot_create(heap, NULL);
	texts->fetch = table_index_fetch_begin(heap);
	if (texts->column == 0)
	{
		texts->estate = CreateExecutorState();
		texts->expression = ExecPrepareExpr(expression_of(info, column), texts->estate);
		GetPerTupleExprContext(texts->estate)->ecxt_scantuple = texts->slot;
	}
	return texts;
}

void
RecsysItemsTextFree(RecsysItemsText *texts)
{
	table_index_fetch_end(texts->fetch);
	ExecDropSingleTupleTableSlot(texts->slot);
	if (texts->estate != NULL)
		FreeExecutorState(texts->estate);
	pfree(texts);
}

/* The row of the item that the snapshot sees goes into the slot. */
static bool
fetch_row(RecsysItemsText *texts, RecsysItemsReader *reader, uint32 item)
{
	RecsysSight *sight = RecsysSightOf(reader, item);
	ItemPointerData tid = sight->tid;
	bool		again = false;
	bool		dead = false;

	return sight->state != RECSYS_SIGHT_NONE &&
		table_index_fetch_tuple(texts->fetch, &tid, texts->snapshot, texts->slot, &again, &dead);
}

static Datum
evaluate(RecsysItemsText *texts, bool *isnull)
{
	RecsysAsOwner before;
	Datum		value;

	RecsysBeginAsOwner(texts->heap, &before);
	value = ExecEvalExprSwitchContext(texts->expression, GetPerTupleExprContext(texts->estate),
									  isnull);
	RecsysEndAsOwner(&before);
	return value;
}

/* Words of a tsvector are those of its text without places. */
static char *
as_text(const RecsysItemsText *texts, Datum value)
{
	if (!texts->is_tsvector)
		return TextDatumGetCString(value);
	return DatumGetCString(DirectFunctionCall1(tsvectorout,
											   DirectFunctionCall1(tsvector_strip, value)));
}

char *
RecsysItemsTextOf(RecsysItemsText *texts, RecsysItemsReader *reader, uint32 item)
{
	char	   *lower = NULL;

	if (fetch_row(texts, reader, item))
	{
		bool		isnull;
		Datum		value = texts->column != 0 ? slot_getattr(texts->slot, texts->column, &isnull) :
			evaluate(texts, &isnull);

		if (!isnull)
		{
			char	   *text = as_text(texts, value);

			lower = str_tolower(text, strlen(text), DEFAULT_COLLATION_OID);
			pfree(text);
		}
		if (texts->estate != NULL)
			ResetPerTupleExprContext(texts->estate);
	}
	ExecClearTuple(texts->slot);
	table_index_fetch_reset(texts->fetch);
	return lower;
}
