/*
 * itemsspool.c
 *	  Build of an items index: the rows of the table, sorted by key.
 *
 * What a row weighs depends on all rows, and which row of a key counts on all of that key.  So
 * rows are set aside as they come, in an external sort, and read in order when all are there.
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "am/itembuild/itemssort.h"
#include "am/itembuild/itemsspool.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/tuptable.h"

#define SPOOL_COLUMNS 4

struct RecsysItemSpool
{
	RecsysKeyKind kind;
	Tuplesortstate *sort;
	TupleTableSlot *in;
	TupleTableSlot *out;
	uint64		rows;
	char	   *keybuffer;		/* for a key that goes in, then for the one that came out last */
	char	   *lastkey;		/* bytes of the key before */
	char	   *raw;			/* a varlena that goes in; aligned content that came out */
	Size		rawsize;

	/* while reading */
	bool		any;			/* has there been a row? */
	RecsysKey	last;
	uint32		item;
	bool		has_current;	/* the item at hand */
};

RecsysItemSpool *
RecsysItemSpoolCreate(RecsysKeyKind kind, Size memory)
{
	RecsysItemSpool *spool = palloc0(sizeof(RecsysItemSpool));
	TupleDesc	desc = CreateTemplateTupleDesc(SPOOL_COLUMNS);

	TupleDescInitEntry(desc, 1, "key", RecsysKeyColumnType(kind), -1, 0);
	TupleDescInitEntry(desc, 2, "position", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 3, "dead", BOOLOID, -1, 0);
	TupleDescInitEntry(desc, 4, "content", BYTEAOID, -1, 0);
	spool->kind = kind;
	spool->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	spool->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	spool->sort = RecsysBeginSort(desc, 2, memory, true);
	spool->keybuffer = palloc(RECSYS_KEY_BUFFER);
	spool->lastkey = palloc(RECSYS_KEY_BUFFER);
	spool->rawsize = 1024;
	spool->raw = palloc(spool->rawsize);
	return spool;
}

static void
need_room(RecsysItemSpool *spool, Size size)
{
	if (size <= spool->rawsize)
		return;
	spool->rawsize = Max(size, spool->rawsize * 2);
	pfree(spool->raw);
	spool->raw = palloc(spool->rawsize);
}

void
RecsysItemSpoolPut(RecsysItemSpool *spool, const RecsysKey *key, uint64 position, bool dead,
				   const char *raw, Size size)
{
	TupleTableSlot *slot = spool->in;

	need_room(spool, VARHDRSZ + size);
	SET_VARSIZE(spool->raw, VARHDRSZ + size);
	memcpy(VARDATA(spool->raw), raw, size);

	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, SPOOL_COLUMNS);
	slot->tts_values[0] = RecsysKeyColumnValue(spool->kind, key, spool->keybuffer);
	slot->tts_values[1] = Int64GetDatum((int64) position);
	slot->tts_values[2] = BoolGetDatum(dead);
	slot->tts_values[3] = PointerGetDatum(spool->raw);
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(spool->sort, slot);
	spool->rows++;
}

void
RecsysItemSpoolSort(RecsysItemSpool *spool)
{
	tuplesort_performsort(spool->sort);
}

void
RecsysItemSpoolRewind(RecsysItemSpool *spool)
{
	tuplesort_rescan(spool->sort);
	spool->any = false;
	spool->item = 0;
	spool->has_current = false;
}

bool
RecsysItemSpoolNext(RecsysItemSpool *spool, RecsysSpooledRow *row)
{
	TupleTableSlot *slot = spool->out;
	struct varlena *content;
	char	   *free_buffer = spool->lastkey;

	if (!tuplesort_gettupleslot(spool->sort, true, false, slot, NULL))
		return false;
	slot_getallattrs(slot);

	/* the key before stays where it is until the two have been compared */
	RecsysKeyOfColumn(spool->kind, slot->tts_values[0], free_buffer, &row->key);
	spool->lastkey = spool->keybuffer;
	spool->keybuffer = free_buffer;

	content = (struct varlena *) DatumGetPointer(slot->tts_values[3]);
	row->size = VARSIZE_ANY_EXHDR(content);
	need_room(spool, row->size);
	memcpy(spool->raw, VARDATA_ANY(content), row->size);
	row->raw = spool->raw;
	row->position = (uint64) DatumGetInt64(slot->tts_values[1]);
	row->dead = DatumGetBool(slot->tts_values[2]);

	row->first = !spool->any || RecsysKeyCompare(spool->kind, &spool->last, &row->key) != 0;
	if (row->first)
	{
		if (spool->any)
			spool->item++;
		spool->any = true;
		spool->has_current = false;
	}
	spool->last = row->key;
	row->item = spool->item;
	row->current = !row->dead && !spool->has_current;
	spool->has_current |= row->current;
	return true;
}

uint64
RecsysItemSpoolRows(const RecsysItemSpool *spool)
{
	return spool->rows;
}

void
RecsysItemSpoolFree(RecsysItemSpool *spool)
{
	ExecDropSingleTupleTableSlot(spool->in);
	ExecDropSingleTupleTableSlot(spool->out);
	tuplesort_end(spool->sort);
	pfree(spool->keybuffer);
	pfree(spool->lastkey);
	pfree(spool->raw);
	pfree(spool);
}
