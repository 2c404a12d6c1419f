/*
 * termcounts.c
 *	  In how many values each term occurs, within memory.
 *
 * A hash table that doubles until memory is used up.  Then the rarest terms are forgotten
 * until half of it is free, as in lossy counting (Manku and Motwani 2002): a frequent term
 * comes up again and again, and is undercounted by what it had when it was forgotten.
 */
#include "core/content/termcounts.h"

#define FIRST_SLOTS 1024

struct RecsysTermCounts
{
	int			nattributes;
	uint8		kinds[RECSYS_MAX_ATTRIBUTES];
	uint64		documents[RECSYS_MAX_ATTRIBUTES];
	double		lengths[RECSYS_MAX_ATTRIBUTES];

	Size		memory;
	Size		nslots;			/* a power of two */
	Size		used;
	RecsysTermCount *slots;		/* count 0: free */
};

RecsysTermCounts *
RecsysTermCountsCreate(const RecsysContentModel *model, Size memory)
{
	RecsysTermCounts *counts = palloc0(sizeof(RecsysTermCounts));

	counts->nattributes = model->count;
	for (int a = 0; a < model->count; a++)
		counts->kinds[a] = model->attributes[a].kind;
	counts->memory = memory;
	counts->nslots = FIRST_SLOTS;
	counts->slots = palloc0(sizeof(RecsysTermCount) * FIRST_SLOTS);
	return counts;
}

/* Where the hash is, or a free slot */
static RecsysTermCount *
find_slot(const RecsysTermCounts *counts, uint64 hash)
{
	Size		slot = (Size) hash & (counts->nslots - 1);

	while (counts->slots[slot].count != 0 && counts->slots[slot].hash != hash)
		slot = (slot + 1) & (counts->nslots - 1);
	return &counts->slots[slot];
}

/* Moves all terms that occur more often than that to a table of so many slots. */
static void
rebuild(RecsysTermCounts *counts, Size nslots, uint32 floor)
{
	RecsysTermCount *old = counts->slots;
	Size		nold = counts->nslots;

	counts->slots = recsys_alloc_huge_zero(sizeof(RecsysTermCount) * nslots);
	counts->nslots = nslots;
	counts->used = 0;
	for (Size x = 0; x < nold; x++)
	{
		if ((x & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (old[x].count > floor)
		{
			*find_slot(counts, old[x].hash) = old[x];
			counts->used++;
		}
	}
	pfree(old);
}

/* The least count such that at most a half of the terms occur more often */
static uint32
median_count(const RecsysTermCounts *counts)
{
	enum
	{
		most = 1024
	};
	Size		histogram[most] = {0};
	Size		passed = 0;
	uint32		count = 0;

	for (Size x = 0; x < counts->nslots; x++)
		histogram[Min(counts->slots[x].count, most - 1)]++;
	while (count < most - 1 && passed < (counts->used + 1) / 2)
		passed += histogram[++count];
	return count;
}

/*
 * Room for one more.  While it is rebuilt there are two tables: doubling takes three times the
 * memory of the one there is.
 */
static void
make_room(RecsysTermCounts *counts)
{
	if (counts->used < counts->nslots / 4 * 3)
		return;
	if (3 * sizeof(RecsysTermCount) * counts->nslots <= counts->memory)
		rebuild(counts, 2 * counts->nslots, 0);
	else
		rebuild(counts, counts->nslots, median_count(counts));
}

void
RecsysTermCountsAdd(RecsysTermCounts *counts, const RecsysRawContent *raw)
{
	for (int a = 0; a < counts->nattributes; a++)
	{
		const RecsysRawValue *value = &raw->values[a];

		if ((counts->kinds[a] != RECSYS_ATTRIBUTE_LABELS && counts->kinds[a] != RECSYS_ATTRIBUTE_TEXT) ||
			!value->known || value->nterms == 0)
			continue;
		counts->documents[a]++;
		for (int x = 0; x < value->nterms; x++)
		{
			RecsysTermCount *slot;

			make_room(counts);
			slot = find_slot(counts, value->terms[x].hash);
			if (slot->count == 0)
			{
				slot->hash = value->terms[x].hash;
				counts->used++;
			}
			if (slot->count < PG_UINT32_MAX)
				slot->count++;
			counts->lengths[a] += value->terms[x].count;
		}
	}
}

static int
compare_hashes(const void *a, const void *b, void *arg)
{
	uint64		left = ((const RecsysTermCount *) a)->hash;
	uint64		right = ((const RecsysTermCount *) b)->hash;

	return (left > right) - (left < right);
}

RecsysTermCount *
RecsysTermCountsFinish(RecsysTermCounts *counts, RecsysContentModel *model, uint32 *n)
{
	RecsysTermCount *terms = counts->slots;
	Size		kept = 0;

	for (int a = 0; a < counts->nattributes; a++)
	{
		model->attributes[a].documents = (uint32) Min(counts->documents[a], PG_UINT32_MAX);
		model->attributes[a].mean_length = counts->documents[a] == 0 ? 0 :
			(float) (counts->lengths[a] / counts->documents[a]);
	}
	for (Size x = 0; x < counts->nslots && kept < PG_UINT32_MAX; x++)
		if (terms[x].count > 1)
			terms[kept++] = terms[x];
	qsort_interruptible(terms, kept, sizeof(RecsysTermCount), compare_hashes, NULL);
	*n = (uint32) kept;
	pfree(counts);
	return terms;
}
