/*
 * graphrow.c
 *	  Rows of the item graph, into and out of the form that is stored.
 */
#include "postgres.h"

#include "am/store/graphrow.h"

/* Behind the serving part */
typedef struct StoredFloor
{
	uint32		users;
	float		floor_score;
	uint32		floor_item;
} StoredFloor;

/* Behind that, unless the row is plain */
typedef struct StoredTotals
{
	double		norm2;
	double		mass;
	int64		latest;
	RecsysRecency recent;
	RecsysRhythm rhythm;
} StoredTotals;

StaticAssertDecl(offsetof(RecsysGraphRowData, peers) == 88,
				 "the header of a graph row has no padding");
StaticAssertDecl(RECSYS_STORED_HEADER == 12 && sizeof(StoredFloor) == 12 &&
				 sizeof(StoredTotals) == RECSYS_STORED_TOTALS &&
				 RECSYS_STORED_LEAST == RECSYS_STORED_HEADER + sizeof(StoredFloor),
				 "a stored row has no padding, and takes no more than one in memory");
StaticAssertDecl(RECSYS_ROW_SIZE(RECSYS_MAX_STORED, RECSYS_MAX_KEY_LEN) + sizeof(ItemIdData) <=
				 RECSYS_PAGE_ROOM,
				 "a row with most neighbors and the longest key fits a page");

/* A row's totals if it is plain */
static void
plain_totals(uint32 users, StoredTotals *totals)
{
	memset(totals, 0, sizeof(*totals));
	totals->norm2 = users;
	totals->mass = users;
	totals->latest = RECSYS_NO_TIME;
}

static inline RecsysPackForm
pack_form(uint8 form)
{
	return form & RECSYS_PACK_FORM_BITS;
}

/* Where what is known of the item alone begins */
static inline const char *
floor_of(const RecsysStoredRowData *row)
{
	return row->serving + RecsysPackServingSize(pack_form(row->form), row->nneighbors);
}

static inline const char *
rest_of(const RecsysStoredRowData *row)
{
	return floor_of(row) + sizeof(StoredFloor) + RecsysStoredTotalsSize(row->form);
}

const char *
RecsysStoredRowKey(const RecsysStoredRowData *row)
{
	return rest_of(row) +
		RecsysPackRestSize(pack_form(row->form), row->nneighbors, row->nstored);
}

int64
RecsysStoredRowLatest(const RecsysStoredRowData *stored)
{
	StoredTotals totals;

	if ((stored->form & RECSYS_STORED_PLAIN) != 0)
		return RECSYS_NO_TIME;
	memcpy(&totals, floor_of(stored) + sizeof(StoredFloor), sizeof(totals));
	return totals.latest;
}

/* All but the neighbors and the key */
static void
load_header(const RecsysStoredRowData *stored, RecsysGraphRow row)
{
	StoredFloor floor;
	StoredTotals totals;

	memcpy(&floor, floor_of(stored), sizeof(floor));
	if ((stored->form & RECSYS_STORED_PLAIN) != 0)
		plain_totals(floor.users, &totals);
	else
		memcpy(&totals, floor_of(stored) + sizeof(StoredFloor), sizeof(totals));
	row->item = stored->item;
	row->users = floor.users;
	row->keylen = stored->keylen;
	row->flags = stored->flags;
	row->floor_score = floor.floor_score;
	row->floor_item = floor.floor_item;
	row->norm2 = totals.norm2;
	row->mass = totals.mass;
	row->latest = totals.latest;
	row->recent = totals.recent;
	row->rhythm = totals.rhythm;
}

void
RecsysLoadRow(const RecsysStoredRowData *stored, RecsysGraphRow row)
{
	load_header(stored, row);
	row->nneighbors = stored->nneighbors;
	row->nstored = stored->nstored;
	RecsysUnpackRow(pack_form(stored->form), stored->serving, rest_of(stored), stored->nneighbors,
					stored->nstored, row->peers, RecsysRowScores(row), RecsysRowSupports(row));
	memcpy(RecsysRowKey(row), RecsysStoredRowKey(stored), stored->keylen);
}

void
RecsysLoadRowAlone(const RecsysStoredRowData *stored, RecsysGraphRow row)
{
	load_header(stored, row);
	row->nneighbors = 0;
	row->nstored = 0;
	memcpy(RecsysRowKey(row), RecsysStoredRowKey(stored), stored->keylen);
}

Size
RecsysStoreRow(const RecsysGraphRowData *row, RecsysStoredRow stored)
{
	StoredFloor floor = {row->users, row->floor_score, row->floor_item};
	StoredTotals totals = {row->norm2, row->mass, row->latest, row->recent, row->rhythm};
	StoredTotals plain;
	RecsysPackForm form = RecsysPackFormOf(row->peers, RecsysRowSupports(row), row->nstored);

	plain_totals(row->users, &plain);
	stored->item = row->item;
	stored->nneighbors = row->nneighbors;
	stored->nstored = row->nstored;
	stored->keylen = row->keylen;
	stored->flags = (uint8) row->flags;
	stored->form = form | (memcmp(&plain, &totals, sizeof(totals)) == 0 ? RECSYS_STORED_PLAIN : 0);
	memcpy(unconstify(char *, floor_of(stored)), &floor, sizeof(floor));
	memcpy(unconstify(char *, floor_of(stored)) + sizeof(floor), &totals, RecsysStoredTotalsSize(stored->form));
	RecsysPackRow(form, row->peers, RecsysRowScores(row), RecsysRowSupports(row), row->nneighbors,
				  row->nstored, stored->serving, unconstify(char *, rest_of(stored)));
	memcpy(unconstify(char *, RecsysStoredRowKey(stored)), RecsysRowKey(row), row->keylen);
	return RecsysStoredRowSize(stored->form, row->nneighbors, row->nstored, row->keylen);
}
