/*
 * rowhints.c
 *	  Where a session has found the rows of an index's item graph.
 *
 * To read a row takes a look into the row map and two looks into the table of shared buffers,
 * which cost more than the row itself.  A hint spares all three.  It is never taken at its word:
 * the buffer must still hold that block of that relation, and the page that row of that item.
 * So a hint may be as old as it likes: the index may have been rebuilt or dropped since, or the
 * hints' memory be in use for another index.
 *
 * Memory is bounded: so many hints of a few indexes.  In larger catalogues items share them.
 */
#include "am/graph/rowhints.h"

#include "storage/bufmgr.h"
#include "utils/memutils.h"

/* Indexes that a session remembers rows of */
#define REMEMBERED_INDEXES 4

static RecsysRowHints remembered[REMEMBERED_INDEXES];
static uint64 clock_hand = 0;

RecsysRowHints *
RecsysRowHintsOf(Relation index)
{
	Oid			oid = RelationGetRelid(index);
	RecsysRowHints *found = &remembered[0];

	/* local buffers are cheap to find */
	if (RelationUsesLocalBuffers(index))
		return NULL;
	for (int x = 0; x < REMEMBERED_INDEXES; x++)
	{
		if (remembered[x].index == oid)
		{
			found = &remembered[x];
			break;
		}
		if (remembered[x].used < found->used)
			found = &remembered[x];
	}
	if (found->index != oid)
	{
		if (found->hints != NULL)
			pfree(found->hints);
		memset(found, 0, sizeof(*found));
		found->index = oid;
	}
	found->used = ++clock_hand;
	return found;
}

RecsysRowHint *
RecsysRowHintMake(RecsysRowHints *hints, uint32 item, uint32 nitems)
{
	uint32		place = item % RECSYS_ROW_HINTS;

	if (hints == NULL)
		return NULL;
	if (place >= hints->n)
	{
		uint32		n = Min(Max(Max(place + 1, nitems), hints->n + hints->n / 8), RECSYS_ROW_HINTS);
		Size		had = sizeof(RecsysRowHint) * (Size) hints->n;
		Size		size = sizeof(RecsysRowHint) * (Size) n;

		hints->hints = hints->hints == NULL ? MemoryContextAlloc(TopMemoryContext, size) :
			repalloc(hints->hints, size);
		memset((char *) hints->hints + had, 0, size - had);
		hints->n = n;
	}
	return &hints->hints[place];
}
