/*
 * spill.c
 *	  Interactions on disk: two external sorts, by user and by item.
 *
 * Both are the server's own tuplesort.  Its first sort column is compared
 * inline when it is a bigint, so the order is packed into bigints: the user's
 * 64-bit hash with its top bit flipped (signed order is then unsigned order),
 * and the item's rank.  The user key itself is the second column, which separates
 * users whose hashes collide; rows of an item come by time and position.
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "source/input/spill.h"
#include "utils/guc.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#define USER_COLUMNS 6
#define POSTING_COLUMNS 4
#define MAX_SORT_KEYS 3

/* tuplesort refuses to work with less */
#define MIN_SORT_KILOBYTES 64

struct RecsysSpill
{
	RecsysKeyKind user_kind;
	int			kilobytes;		/* for each sort */
	Tuplesortstate *users;
	TupleTableSlot *userslot;
	TupleTableSlot *userout;
	char	   *keycopy;		/* VARHDRSZ + longest key */
	Tuplesortstate *postings;
	TupleTableSlot *postingslot;
	TupleTableSlot *postingout;
};

static Tuplesortstate *
begin_sort(TupleDesc desc, int nkeys, int kilobytes)
{
	AttrNumber	columns[MAX_SORT_KEYS] = {1, 2, 3};
	Oid			operators[MAX_SORT_KEYS];
	Oid			collations[MAX_SORT_KEYS] = {InvalidOid, InvalidOid, InvalidOid};
	bool		nullsfirst[MAX_SORT_KEYS] = {false, false, false};

	for (int i = 0; i < nkeys; i++)
		operators[i] = lookup_type_cache(TupleDescAttr(desc, i)->atttypid,
										 TYPECACHE_LT_OPR)->lt_opr;

	return tuplesort_begin_heap(desc, nkeys, columns, operators, collations, nullsfirst,
								kilobytes, NULL, TUPLESORT_NONE);
}

RecsysSpill *
RecsysSpillCreate(RecsysKeyKind user_kind, Size memory_limit)
{
	RecsysSpill *spill = palloc0(sizeof(RecsysSpill));
	TupleDesc	desc = CreateTemplateTupleDesc(USER_COLUMNS);

	spill->user_kind = user_kind;
	spill->kilobytes = (int) Min(Max(memory_limit / 2048, MIN_SORT_KILOBYTES), MAX_KILOBYTES);
	spill->keycopy = palloc(VARHDRSZ + RECSYS_MAX_KEY_LEN);

	TupleDescInitEntry(desc, 1, "hash", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, "user", user_kind == RECSYS_KEY_INT ? INT8OID : BYTEAOID, -1, 0);
	TupleDescInitEntry(desc, 3, "position", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 4, "time", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 5, "item", INT4OID, -1, 0);
	TupleDescInitEntry(desc, 6, "weight", FLOAT8OID, -1, 0);
	spill->userslot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	spill->userout = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	spill->users = begin_sort(desc, 2, spill->kilobytes);
	return spill;
}

void
RecsysSpillPut(RecsysSpill *spill, const RecsysSpillRow *row)
{
	TupleTableSlot *slot = spill->userslot;
	uint64		hash = row->has_user ? row->hash : PG_UINT64_MAX;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, USER_COLUMNS);
	slot->tts_values[0] = Int64GetDatum((int64) (hash ^ (UINT64CONST(1) << 63)));
	if (!row->has_user)
		slot->tts_isnull[1] = true;
	else if (spill->user_kind == RECSYS_KEY_INT)
		slot->tts_values[1] = Int64GetDatum(row->user.number);
	else
	{
		SET_VARSIZE(spill->keycopy, VARHDRSZ + row->user.len);
		memcpy(VARDATA(spill->keycopy), row->user.data, row->user.len);
		slot->tts_values[1] = PointerGetDatum(spill->keycopy);
	}
	slot->tts_values[2] = Int64GetDatum((int64) row->position);
	slot->tts_values[3] = Int64GetDatum(row->time);
	slot->tts_values[4] = Int32GetDatum((int32) row->item);
	slot->tts_values[5] = Float8GetDatum(row->weight);
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(spill->users, slot);
}

void
RecsysSpillSort(RecsysSpill *spill)
{
	tuplesort_performsort(spill->users);
}

bool
RecsysSpillGet(RecsysSpill *spill, RecsysSpillRow *row)
{
	TupleTableSlot *slot = spill->userout;

	if (!tuplesort_gettupleslot(spill->users, true, false, slot, NULL))
		return false;
	slot_getallattrs(slot);

	row->has_user = !slot->tts_isnull[1];
	row->hash = (uint64) DatumGetInt64(slot->tts_values[0]) ^ (UINT64CONST(1) << 63);
	if (row->has_user && spill->user_kind == RECSYS_KEY_INT)
	{
		row->user.number = DatumGetInt64(slot->tts_values[1]);
		row->user.data = NULL;
		row->user.len = sizeof(int64);
	}
	else if (row->has_user)
	{
		struct varlena *bytes = (struct varlena *) DatumGetPointer(slot->tts_values[1]);

		/* copied, so that the key survives the next fetch; never compressed here */
		row->user.number = 0;
		row->user.len = VARSIZE_ANY_EXHDR(bytes);
		memcpy(spill->keycopy, VARDATA_ANY(bytes), row->user.len);
		row->user.data = spill->keycopy;
	}
	row->position = (uint64) DatumGetInt64(slot->tts_values[2]);
	row->time = DatumGetInt64(slot->tts_values[3]);
	row->item = (uint32) DatumGetInt32(slot->tts_values[4]);
	row->weight = DatumGetFloat8(slot->tts_values[5]);
	return true;
}

void
RecsysSpillPutPosting(RecsysSpill *spill, uint32 rank, uint32 user_hash, uint64 position,
					  int64 time)
{
	TupleTableSlot *slot;

	if (spill->postings == NULL)
	{
		TupleDesc	desc = CreateTemplateTupleDesc(POSTING_COLUMNS);

		TupleDescInitEntry(desc, 1, "rank", INT8OID, -1, 0);
		TupleDescInitEntry(desc, 2, "time", INT8OID, -1, 0);
		TupleDescInitEntry(desc, 3, "position", INT8OID, -1, 0);
		TupleDescInitEntry(desc, 4, "hash", INT4OID, -1, 0);
		spill->postingslot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
		spill->postingout = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
		spill->postings = begin_sort(desc, MAX_SORT_KEYS, spill->kilobytes);
	}
	slot = spill->postingslot;
	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, POSTING_COLUMNS);
	slot->tts_values[0] = Int64GetDatum((int64) rank);
	slot->tts_values[1] = Int64GetDatum(time);
	slot->tts_values[2] = Int64GetDatum((int64) position);
	slot->tts_values[3] = Int32GetDatum((int32) user_hash);
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(spill->postings, slot);
}

static void
end_user_sort(RecsysSpill *spill)
{
	if (spill->users == NULL)
		return;
	ExecDropSingleTupleTableSlot(spill->userslot);
	ExecDropSingleTupleTableSlot(spill->userout);
	tuplesort_end(spill->users);
	spill->users = NULL;
}

void
RecsysSpillSortPostings(RecsysSpill *spill)
{
	end_user_sort(spill);
	if (spill->postings != NULL)
		tuplesort_performsort(spill->postings);
}

bool
RecsysSpillGetPosting(RecsysSpill *spill, uint32 *rank, uint32 *user_hash, uint64 *position)
{
	TupleTableSlot *slot = spill->postingout;

	if (spill->postings == NULL ||
		!tuplesort_gettupleslot(spill->postings, true, false, slot, NULL))
		return false;
	slot_getallattrs(slot);
	*rank = (uint32) DatumGetInt64(slot->tts_values[0]);
	*position = (uint64) DatumGetInt64(slot->tts_values[2]);
	*user_hash = (uint32) DatumGetInt32(slot->tts_values[3]);
	return true;
}

void
RecsysSpillFree(RecsysSpill *spill)
{
	end_user_sort(spill);
	if (spill->postings != NULL)
	{
		ExecDropSingleTupleTableSlot(spill->postingslot);
		ExecDropSingleTupleTableSlot(spill->postingout);
		tuplesort_end(spill->postings);
	}
	pfree(spill->keycopy);
	pfree(spill);
}
