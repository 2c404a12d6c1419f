/*
 * itemspostings.c
 *	  Build of an items index: where the content of each row is, by the hashes of keys.
 *
 * Sorting is fastest when the first column decides and is a bigint, so hash and item are packed
 * into one, the top bit flipped: signed order is then unsigned order.
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "am/itembuild/itemspostings.h"
#include "am/itembuild/itemssort.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"

#define POSTING_COLUMNS 4
#define SIGN_BIT (UINT64CONST(1) << 63)

struct RecsysItemPostings
{
	RecsysKeyKind kind;
	Tuplesortstate *sort;
	TupleTableSlot *in;
	TupleTableSlot *out;
	char	   *keybuffer;
};

RecsysItemPostings *
RecsysItemPostingsCreate(RecsysKeyKind kind, Size memory)
{
	RecsysItemPostings *postings = palloc0(sizeof(RecsysItemPostings));
	TupleDesc	desc = CreateTemplateTupleDesc(POSTING_COLUMNS);

	TupleDescInitEntry(desc, 1, "order", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, "position", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 3, "block", INT4OID, -1, 0);
	TupleDescInitEntry(desc, 4, "key", RecsysKeyColumnType(kind), -1, 0);
	postings->kind = kind;
	postings->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	postings->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	postings->sort = RecsysBeginSort(desc, 2, memory, false);
	postings->keybuffer = palloc(RECSYS_KEY_BUFFER);
	return postings;
}

void
RecsysItemPostingsPut(RecsysItemPostings *postings, const RecsysItemPosting *posting)
{
	TupleTableSlot *slot = postings->in;
	uint64		order = (uint64) posting->hash << 32 | posting->item;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, POSTING_COLUMNS);
	slot->tts_values[0] = Int64GetDatum((int64) (order ^ SIGN_BIT));
	slot->tts_values[1] = Int64GetDatum((int64) posting->position);
	slot->tts_values[2] = Int32GetDatum((int32) posting->block);
	slot->tts_values[3] = RecsysKeyColumnValue(postings->kind, &posting->key, postings->keybuffer);
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(postings->sort, slot);
}

void
RecsysItemPostingsSort(RecsysItemPostings *postings)
{
	tuplesort_performsort(postings->sort);
}

bool
RecsysItemPostingsNext(RecsysItemPostings *postings, RecsysItemPosting *posting)
{
	TupleTableSlot *slot = postings->out;
	uint64		order;

	if (!tuplesort_gettupleslot(postings->sort, true, false, slot, NULL))
		return false;
	slot_getallattrs(slot);
	order = (uint64) DatumGetInt64(slot->tts_values[0]) ^ SIGN_BIT;
	posting->hash = (uint32) (order >> 32);
	posting->item = (uint32) order;
	posting->position = (uint64) DatumGetInt64(slot->tts_values[1]);
	posting->block = (BlockNumber) DatumGetInt32(slot->tts_values[2]);
	RecsysKeyOfColumn(postings->kind, slot->tts_values[3], postings->keybuffer, &posting->key);
	return true;
}

void
RecsysItemPostingsFree(RecsysItemPostings *postings)
{
	ExecDropSingleTupleTableSlot(postings->in);
	ExecDropSingleTupleTableSlot(postings->out);
	tuplesort_end(postings->sort);
	pfree(postings->keybuffer);
	pfree(postings);
}
