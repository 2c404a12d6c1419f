/*
 * choicesample.c
 *	  Users' histories that a model is chosen on: all of them, or a sample that fits.
 *
 * Users are sampled by the hash of their key: those up to a threshold are in.  It sinks
 * by a quarter whenever more come than there is room for, so one pass suffices without
 * knowing how many there will be, and the same users are in whatever their order.
 */
#include "core/choice/choicesample.h"

#define FIRST_USERS 1024
#define FIRST_ENTRIES 16384

/* More interactions than this make a choice slower but hardly better. */
#define ENOUGH_ENTRIES UINT64CONST(1000000)

#define DAY INT64CONST(86400000000)

/* So many are kept whatever the memory. */
#define LEAST_ENTRIES UINT64CONST(20000)

/*
 * Bytes for an interaction: here, and in the two matrices and the arrays of
 * choicesplit.c
 */
#define ENTRY_MEMORY(weighted, timed) \
	(3 * sizeof(uint32) + ((weighted) ? 5 * sizeof(float) + sizeof(double) : 0) + \
	 ((timed) ? sizeof(int64) * 2 : 0) + 8)

RecsysChoiceSample *
RecsysChoiceSampleCreate(uint32 nitems, bool weighted, bool timed, Size memory_limit)
{
	RecsysChoiceSample *sample = palloc0(sizeof(RecsysChoiceSample));

	sample->nitems = nitems;
	sample->weighted = weighted;
	sample->timed = timed;
	sample->now = PG_INT64_MAX;
	sample->threshold = PG_UINT64_MAX;

	/* the other half is for counters and the rows of the models that are compared */
	sample->most = Max(Min(memory_limit / 2 / ENTRY_MEMORY(weighted, timed), ENOUGH_ENTRIES),
					   LEAST_ENTRIES);
	sample->max_users = FIRST_USERS;
	sample->max_entries = FIRST_ENTRIES;
	sample->hashes = palloc(sizeof(uint64) * FIRST_USERS);
	sample->offsets = palloc0(sizeof(uint64) * (FIRST_USERS + 1));
	sample->items = palloc(sizeof(uint32) * FIRST_ENTRIES);
	if (weighted)
		sample->weights = palloc(sizeof(double) * FIRST_ENTRIES);
	if (timed)
		sample->times = palloc(sizeof(int64) * FIRST_ENTRIES);
	return sample;
}

/* Leaves users up to the threshold. */
static void
drop_users(RecsysChoiceSample *sample)
{
	uint32		kept = 0;
	uint64		next = 0;

	for (uint32 user = 0; user < sample->nusers; user++)
	{
		uint64		first = sample->offsets[user];
		uint64		count = sample->offsets[user + 1] - first;

		if (user % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (sample->hashes[user] > sample->threshold)
			continue;
		memmove(sample->items + next, sample->items + first, sizeof(uint32) * count);
		if (sample->weighted)
			memmove(sample->weights + next, sample->weights + first, sizeof(double) * count);
		if (sample->timed)
			memmove(sample->times + next, sample->times + first, sizeof(int64) * count);
		sample->hashes[kept] = sample->hashes[user];
		next += count;
		sample->offsets[++kept] = next;
	}
	sample->nusers = kept;
}

/* Room for one more user with so many interactions */
static void
make_room(RecsysChoiceSample *sample, int count)
{
	uint64		needed = sample->offsets[sample->nusers] + count;

	if (sample->nusers == sample->max_users)
	{
		sample->max_users *= 2;
		sample->hashes = recsys_realloc_huge(sample->hashes, sizeof(uint64) * (Size) sample->max_users);
		sample->offsets = recsys_realloc_huge(sample->offsets,
											  sizeof(uint64) * ((Size) sample->max_users + 1));
	}
	if (needed <= sample->max_entries)
		return;
	sample->max_entries = Max(needed, sample->max_entries + sample->max_entries / 2);
	sample->items = recsys_realloc_huge(sample->items, sizeof(uint32) * sample->max_entries);
	if (sample->weighted)
		sample->weights = recsys_realloc_huge(sample->weights, sizeof(double) * sample->max_entries);
	if (sample->timed)
		sample->times = recsys_realloc_huge(sample->times, sizeof(int64) * sample->max_entries);
}

void
RecsysChoiceSampleAdd(RecsysChoiceSample *sample, uint64 hash, const RecsysHistoryItem *items,
					  int count)
{
	uint64		next;

	if (hash > sample->threshold || count == 0 || count > RECSYS_CHOICE_ITEMS)
		return;
	make_room(sample, count);
	next = sample->offsets[sample->nusers];
	for (int x = 0; x < count; x++, next++)
	{
		sample->items[next] = items[x].item;
		if (sample->weighted)
			sample->weights[next] = items[x].weight;
		if (sample->timed)
			sample->times[next] = Min(items[x].time, sample->now);
	}
	sample->hashes[sample->nusers++] = hash;
	sample->offsets[sample->nusers] = next;
	while (sample->offsets[sample->nusers] > sample->most && sample->threshold > 0)
	{
		sample->threshold -= sample->threshold / 4 + 1;
		drop_users(sample);
	}
}

/* Somebody will read them: in whole days where they have several. */
void
RecsysChoiceTrends(int64 span, int64 *trends)
{
	static const int parts[RECSYS_CHOICE_TRENDS] = {0, 4, 12};

	trends[0] = 0;
	for (int trend = 1; trend < RECSYS_CHOICE_TRENDS; trend++)
		trends[trend] = RecsysChoiceRound(span / parts[trend]);
}

int64
RecsysChoiceRound(int64 interval)
{
	return interval >= 2 * DAY ? (interval + DAY / 2) / DAY * DAY : interval;
}

void
RecsysChoiceSampleFree(RecsysChoiceSample *sample)
{
	pfree(sample->hashes);
	pfree(sample->offsets);
	pfree(sample->items);
	if (sample->weighted)
		pfree(sample->weights);
	if (sample->timed)
		pfree(sample->times);
	pfree(sample);
}
