/*
 * splitsample.c
 *	  A part of a split: some of its users, to try models on before all are asked.
 *
 * Rows stand in the order of the users' hashes, which is by chance as far as the data are
 * concerned, so every fourth row is a random sample, and the same one for the same seed.
 * Who is asked must be known, so the users with held-out items are sampled by their rows.
 */
#include "postgres.h"

#include "core/base/platform.h"
#include "miscadmin.h"
#include "source/input/splitsample.h"

bool
RecsysSampleHas(const RecsysSplit *split, uint32 user, uint32 thinning)
{
	uint32		row = split->test_rows[user];

	/* new users have no row */
	if (row == RECSYS_NONE)
		row = user;
	return row % RECSYS_SAMPLE_ROWS == 0 && row / RECSYS_SAMPLE_ROWS % thinning == 0;
}

/* The sample's rows, one behind the other */
static void
copy_rows(const RecsysSplit *split, RecsysSplit *sample)
{
	uint64		entries = 0;

	sample->nrows = sample->maxrows = (split->nrows + RECSYS_SAMPLE_ROWS - 1) / RECSYS_SAMPLE_ROWS;
	sample->offsets = recsys_alloc_huge(sizeof(uint64) * ((Size) sample->nrows + 1));
	sample->offsets[0] = 0;
	for (uint32 row = 0; row < split->nrows; row += RECSYS_SAMPLE_ROWS)
	{
		entries += split->offsets[row + 1] - split->offsets[row];
		sample->offsets[row / RECSYS_SAMPLE_ROWS + 1] = entries;
	}
	sample->maxentries = Max(entries, 1);
	sample->columns = recsys_alloc_huge(sizeof(uint32) * sample->maxentries);
	sample->weights = recsys_alloc_huge(sizeof(*sample->weights) * sample->maxentries);
	if (split->times != NULL)
		sample->times = recsys_alloc_huge(sizeof(int64) * sample->maxentries);
	for (uint32 row = 0; row < sample->nrows; row++)
	{
		uint64		from = split->offsets[(uint64) row * RECSYS_SAMPLE_ROWS];
		uint64		to = sample->offsets[row];
		Size		count = sample->offsets[row + 1] - to;

		CHECK_FOR_INTERRUPTS();
		memcpy(sample->columns + to, split->columns + from, sizeof(uint32) * count);
		memcpy(sample->weights + to, split->weights + from, sizeof(*sample->weights) * count);
		if (split->times != NULL)
			memcpy(sample->times + to, split->times + from, sizeof(int64) * count);
	}
}

static uint32
sample_row(const RecsysSplit *split, uint32 user, bool whole)
{
	uint32		row = split->test_rows[user];

	return row == RECSYS_NONE || whole ? row : row / RECSYS_SAMPLE_ROWS;
}

static void
copy_users(const RecsysSplit *split, uint32 thinning, bool whole, RecsysSplit *sample)
{
	uint32		nusers = RecsysSplitUsers(split);
	uint32		count = 0;
	uint64		entries = 0;

	for (uint32 user = 0; user < nusers; user++)
	{
		if (!RecsysSampleHas(split, user, thinning))
			continue;
		count++;
		entries += split->test.offsets[user + 1] - split->test.offsets[user];
	}
	sample->users = RecsysDictionaryCreate(split->user_kind, split->hash_seed);
	sample->maxtest = Max(count, 1);
	sample->maxtestentries = Max(entries, 1);
	sample->test_rows = recsys_alloc_huge(sizeof(uint32) * (Size) sample->maxtest);
	sample->test.offsets = recsys_alloc_huge(sizeof(uint64) * ((Size) sample->maxtest + 1));
	sample->test.items = recsys_alloc_huge(sizeof(uint32) * sample->maxtestentries);
	sample->test.offsets[0] = 0;
	count = 0;
	for (uint32 user = 0; user < nusers; user++)
	{
		uint64		from = split->test.offsets[user];
		Size		n = split->test.offsets[user + 1] - from;
		RecsysKey	key;

		if (!RecsysSampleHas(split, user, thinning))
			continue;
		CHECK_FOR_INTERRUPTS();
		RecsysDictionaryKey(split->users, user, &key);
		(void) RecsysDictionaryIntern(sample->users, &key);
		memcpy(sample->test.items + sample->test.offsets[count], split->test.items + from,
			   sizeof(uint32) * n);
		sample->test_rows[count] = sample_row(split, user, whole);
		sample->test.offsets[count + 1] = sample->test.offsets[count] + n;
		count++;
	}
}

RecsysSplit *
RecsysSplitSample(const RecsysSplit *split, uint32 thinning, bool whole)
{
	MemoryContext old = MemoryContextSwitchTo(split->context);
	RecsysSplit *sample = palloc(sizeof(RecsysSplit));

	*sample = *split;
	if (!whole)
		copy_rows(split, sample);
	copy_users(split, thinning, whole, sample);
	MemoryContextSwitchTo(old);
	return sample;
}
