/*
 * itemspacked.c
 *	  Build of an items index: packed content from the order of keys to that of clusters.
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "am/itembuild/itemsclusters.h"
#include "am/itembuild/itemssort.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/tuptable.h"

#define PACKED_COLUMNS 5

struct RecsysPackedRows
{
	RecsysKeyKind kind;
	Tuplesortstate *sort;
	TupleTableSlot *in;
	TupleTableSlot *out;
	char	   *keybuffer;
	char	   *packed;
};

RecsysPackedRows *
RecsysPackedRowsCreate(RecsysKeyKind kind, Size memory)
{
	RecsysPackedRows *rows = palloc0(sizeof(RecsysPackedRows));
	TupleDesc	desc = CreateTemplateTupleDesc(PACKED_COLUMNS);

	TupleDescInitEntry(desc, 1, "order", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, "position", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 3, "current", BOOLOID, -1, 0);
	TupleDescInitEntry(desc, 4, "key", RecsysKeyColumnType(kind), -1, 0);
	TupleDescInitEntry(desc, 5, "content", BYTEAOID, -1, 0);
	rows->kind = kind;
	rows->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	rows->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	rows->sort = RecsysBeginSort(desc, 2, memory, false);
	rows->keybuffer = palloc(RECSYS_KEY_BUFFER);
	rows->packed = palloc(VARHDRSZ + RECSYS_MAX_CONTENT);
	return rows;
}

void
RecsysPackedRowsPut(RecsysPackedRows *rows, const RecsysPackedRow *row)
{
	TupleTableSlot *slot = rows->in;

	SET_VARSIZE(rows->packed, VARHDRSZ + row->size);
	memcpy(VARDATA(rows->packed), row->packed, row->size);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, PACKED_COLUMNS);
	slot->tts_values[0] = Int64GetDatum((int64) row->cluster << 32 | row->item);
	slot->tts_values[1] = Int64GetDatum((int64) row->position);
	slot->tts_values[2] = BoolGetDatum(row->current);
	slot->tts_values[3] = RecsysKeyColumnValue(rows->kind, &row->key, rows->keybuffer);
	slot->tts_values[4] = PointerGetDatum(rows->packed);
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(rows->sort, slot);
}

void
RecsysPackedRowsSort(RecsysPackedRows *rows)
{
	tuplesort_performsort(rows->sort);
}

bool
RecsysPackedRowsNext(RecsysPackedRows *rows, RecsysPackedRow *row)
{
	TupleTableSlot *slot = rows->out;
	struct varlena *content;
	int64		order;

	if (!tuplesort_gettupleslot(rows->sort, true, false, slot, NULL))
		return false;
	slot_getallattrs(slot);
	order = DatumGetInt64(slot->tts_values[0]);
	content = (struct varlena *) DatumGetPointer(slot->tts_values[4]);
	row->cluster = (uint32) (order >> 32);
	row->item = (uint32) order;
	row->position = (uint64) DatumGetInt64(slot->tts_values[1]);
	row->current = DatumGetBool(slot->tts_values[2]);
	RecsysKeyOfColumn(rows->kind, slot->tts_values[3], rows->keybuffer, &row->key);
	row->packed = VARDATA_ANY(content);
	row->size = VARSIZE_ANY_EXHDR(content);
	return true;
}

void
RecsysPackedRowsFree(RecsysPackedRows *rows)
{
	ExecDropSingleTupleTableSlot(rows->in);
	ExecDropSingleTupleTableSlot(rows->out);
	tuplesort_end(rows->sort);
	pfree(rows->keybuffer);
	pfree(rows->packed);
	pfree(rows);
}
