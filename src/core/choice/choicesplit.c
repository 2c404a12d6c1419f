/*
 * choicesplit.c
 *	  A sample's interactions, divided into what models learn from and what they are to foretell.
 *
 * Three ways, the first that there is enough data for:
 *
 * - ahead: all that happened after a time is held out, as tomorrow is when a list is
 *	 made.  This is the only way that shows what trends are worth.
 * - the latest items of each user who is asked for: where users come and go, few of them
 *	 are there before and after any one time.
 * - items drawn by a hash, where there are no times.
 */
#include "core/choice/choicesplit.h"

#include "core/base/random.h"
#include "core/choice/timespan.h"

/* Users that are asked for: at most so many, with so many items altogether. */
#define MOST_TESTED 3000
#define MOST_ASKED UINT64CONST(90000)

/*
 * Long histories have more in common, so that each row of a model costs more, and each user
 * says more: then fewer items suffice.  But so many users are asked in any case.
 */
#define LONG_HISTORY 50
#define MOST_ASKED_OF_LONG UINT64CONST(40000)
#define LEAST_TESTED 500

/* One in so many interactions is held out ahead, of a user's own items one in so many. */
#define AHEAD_PART 10
#define OWN_PART 5

/* Users that have something before and after: at least so many, and one in so many. */
#define LEAST_AHEAD 200
#define AHEAD_SHARE 10

/* Times that quantiles are taken of */
#define MOST_TIMES 65536

/* An entry of the user at hand that may be held out */
typedef struct Own
{
	int64		time;
	uint64		drawn;			/* among those of one time */
	uint32		place;
} Own;

typedef struct Splitting
{
	const RecsysChoiceSample *sample;
	RecsysChoiceSplit *split;
	uint32	   *order;			/* users by hash */
	int64		cut;			/* ahead: the last time to learn from */
	bool	   *held;			/* of the user at hand */
	Own		   *own;			/* likewise: what decides */
	uint64		ntested;		/* entries of test_items */
	uint64		most_asked;
	uint32		skipped;		/* of those who could be asked, so many still are not */
} Splitting;

static int
compare_users(const void *a, const void *b, void *arg)
{
	const RecsysChoiceSample *sample = arg;
	uint64		left = sample->hashes[*(const uint32 *) a];
	uint64		right = sample->hashes[*(const uint32 *) b];

	return (left > right) - (left < right);
}

/* Sets the cut; false where there are no times. */
static bool
look_at_times(Splitting *splitting)
{
	const RecsysChoiceSample *sample = splitting->sample;
	uint64		entries = sample->offsets[sample->nusers];
	uint64		step = entries / MOST_TIMES + 1;
	int64	   *times;
	uint32		count = 0;

	if (!sample->timed)
		return false;
	times = palloc(sizeof(int64) * (MOST_TIMES + 1));
	for (uint32 x = 0; x < sample->nusers; x++)
	{
		uint32		user = splitting->order[x];

		/* in the order of hashes: the same ones whatever the order of arrival */
		for (uint64 e = sample->offsets[user]; e < sample->offsets[user + 1]; e++)
			if (RecsysRandomAt(sample->hashes[user], sample->items[e]) % step == 0 &&
				sample->times[e] != RECSYS_NO_TIME && count < MOST_TIMES)
				times[count++] = sample->times[e];
	}
	if (count > 0)
	{
		qsort_interruptible(times, count, sizeof(int64), RecsysCompareTimes, NULL);
		splitting->cut = times[count - 1 - count / AHEAD_PART];
	}
	pfree(times);
	return count > 0;
}

/* Are there enough users with something before and after the cut? */
static bool
can_look_ahead(const Splitting *splitting)
{
	const RecsysChoiceSample *sample = splitting->sample;
	uint32		both = 0;
	uint32		several = 0;

	for (uint32 user = 0; user < sample->nusers; user++)
	{
		bool		before = false;
		bool		after = false;

		for (uint64 e = sample->offsets[user]; e < sample->offsets[user + 1]; e++)
		{
			before |= sample->times[e] <= splitting->cut;
			after |= sample->times[e] > splitting->cut;
		}
		both += before && after;
		several += sample->offsets[user + 1] - sample->offsets[user] > 1;
	}
	return both >= LEAST_AHEAD && both >= several / AHEAD_SHARE;
}

static int
compare_own(const void *a, const void *b, void *arg)
{
	const Own  *left = a;
	const Own  *right = b;

	(void) arg;
	if (left->time != right->time)
		return left->time > right->time ? -1 : 1;
	if (left->drawn != right->drawn)
		return left->drawn > right->drawn ? -1 : 1;
	return (left->place > right->place) - (left->place < right->place);
}

/* What of a user's own items is held out: a fifth, the latest or those drawn, not all. */
static void
hold_own(Splitting *splitting, uint32 user)
{
	const RecsysChoiceSample *sample = splitting->sample;
	uint64		first = sample->offsets[user];
	uint32		count = (uint32) (sample->offsets[user + 1] - first);
	uint32		wanted = Max(count / OWN_PART, 1);

	for (uint32 x = 0; x < count; x++)
	{
		splitting->own[x].time = sample->timed ? sample->times[first + x] : 0;
		splitting->own[x].drawn = RecsysRandomAt(sample->hashes[user], sample->items[first + x]);
		splitting->own[x].place = x;
		splitting->held[x] = false;
	}
	qsort_interruptible(splitting->own, count, sizeof(Own), compare_own, NULL);
	for (uint32 n = 0; n < wanted; n++)
		splitting->held[splitting->own[n].place] = true;
}

static bool
is_skipped(Splitting *splitting)
{
	if (splitting->skipped == 0)
		return false;
	splitting->skipped--;
	return true;
}

/* Marks what is held out of a user; false: nothing, or the user is not asked for. */
static bool
hold_out(Splitting *splitting, uint32 user)
{
	const RecsysChoiceSample *sample = splitting->sample;
	RecsysChoiceSplit *split = splitting->split;
	uint64		first = sample->offsets[user];
	uint32		count = (uint32) (sample->offsets[user + 1] - first);
	bool		wanted = split->ntest < MOST_TESTED &&
		(split->ntest < LEAST_TESTED ||
		 split->nasked + splitting->ntested + count <= splitting->most_asked);
	uint32		held = 0;

	if (split->ahead)
	{
		for (uint32 x = 0; x < count; x++)
		{
			splitting->held[x] = sample->times[first + x] > splitting->cut;
			held += splitting->held[x];
		}
		return wanted && held > 0 && held < count && !is_skipped(splitting);
	}
	memset(splitting->held, false, count);
	if (!wanted || count < 2 || is_skipped(splitting))
		return false;
	hold_own(splitting, user);
	return true;
}

/* A user's part to learn from, and, if the user is asked for, what is to be foretold. */
static void
divide_user(Splitting *splitting, uint32 user)
{
	const RecsysChoiceSample *sample = splitting->sample;
	RecsysChoiceSplit *split = splitting->split;
	bool		tested = hold_out(splitting, user);
	uint64		first = sample->offsets[user];
	uint32		count = (uint32) (sample->offsets[user + 1] - first);
	uint64		next = split->interactions;

	for (uint32 x = 0; x < count; x++)
	{
		uint32		item = sample->items[first + x];

		if (splitting->held[x])
		{
			if (tested)
				split->test_items[splitting->ntested++] = item;
			continue;
		}
		split->users.columns[next] = item;
		if (sample->weighted)
			split->weights[next] = sample->weights[first + x];
		if (sample->timed)
		{
			int64		time = sample->times[first + x];

			split->times[next] = time;
			split->latest = Max(split->latest, time);
			split->last[item] = Max(split->last[item], time);
		}
		split->nknown += split->item_users[item]++ == 0;
		next++;
	}
	if (tested)
	{
		split->nasked += next - split->interactions;
		split->test_users[split->ntest++] = split->users.nrows;
		split->test_offsets[split->ntest] = splitting->ntested;
	}

	/* who has nothing left is no user */
	if (next > split->interactions)
		split->users.offsets[++split->users.nrows] = next;
	split->interactions = next;
}

/* How much each item has been bought of late, for some ideas of what late means. */
static void
sum_trends(Splitting *splitting)
{
	RecsysChoiceSplit *split = splitting->split;

	for (int trend = 1; split->ahead && trend < RECSYS_CHOICE_TRENDS; trend++)
	{
		int64		half_life = splitting->sample->trends[trend];

		if (half_life <= 0)
			continue;
		split->trends[trend] = half_life;
		split->recent[trend] = recsys_alloc_huge_zero(sizeof(RecsysRecency) * Max((Size) split->nitems, 1));
		for (uint64 e = 0; e < split->interactions; e++)
		{
			if (e % 65536 == 0)
				CHECK_FOR_INTERRUPTS();
			RecsysRecencyAdd(&split->recent[trend][split->users.columns[e]], split->times[e], half_life);
		}
		for (uint32 item = 0; item < split->nitems; item++)
			RecsysRecencyTotalAdd(&split->all_recent[trend], &split->recent[trend][item]);
	}
}

static void
allocate(Splitting *splitting, uint64 longest)
{
	const RecsysChoiceSample *sample = splitting->sample;
	RecsysChoiceSplit *split = splitting->split;
	Size		entries = Max(sample->offsets[sample->nusers], 1);
	Size		nitems = Max(sample->nitems, 1);

	split->nitems = sample->nitems;
	split->users.ncolumns = sample->nitems;
	split->users.offsets = recsys_alloc_huge_zero(sizeof(uint64) * ((Size) sample->nusers + 1));
	split->users.columns = recsys_alloc_huge(sizeof(uint32) * entries);
	if (sample->weighted)
		split->weights = recsys_alloc_huge(sizeof(double) * entries);
	if (sample->timed)
	{
		split->times = recsys_alloc_huge(sizeof(int64) * entries);
		split->last = recsys_alloc_huge(sizeof(int64) * nitems);
		for (Size item = 0; item < nitems; item++)
			split->last[item] = RECSYS_NO_TIME;
	}
	split->latest = RECSYS_NO_TIME;
	split->item_users = recsys_alloc_huge_zero(sizeof(uint32) * nitems);
	split->test_users = palloc(sizeof(uint32) * MOST_TESTED);
	split->test_offsets = palloc0(sizeof(uint64) * (MOST_TESTED + 1));
	split->test_items = palloc(sizeof(uint32) * (MOST_ASKED + LEAST_TESTED * RECSYS_CHOICE_ITEMS));
	splitting->most_asked = sample->offsets[sample->nusers] / Max(sample->nusers, 1) > LONG_HISTORY ?
		MOST_ASKED_OF_LONG : MOST_ASKED;
	splitting->held = recsys_alloc_huge(sizeof(bool) * Max(longest, 1));
	splitting->own = recsys_alloc_huge(sizeof(Own) * Max(longest, 1));
}

RecsysChoiceSplit *
RecsysChoiceSplitCreate(RecsysChoiceSample *sample, uint32 skipped)
{
	RecsysChoiceSplit *split = palloc0(sizeof(RecsysChoiceSplit));
	Splitting	splitting = {.sample = sample, .split = split, .skipped = skipped};
	RecsysMatrix *transpose;
	uint64		longest = 0;

	for (uint32 user = 0; user < sample->nusers; user++)
		longest = Max(longest, sample->offsets[user + 1] - sample->offsets[user]);
	allocate(&splitting, longest);
	splitting.order = recsys_alloc_huge(sizeof(uint32) * Max((Size) sample->nusers, 1));
	for (uint32 user = 0; user < sample->nusers; user++)
		splitting.order[user] = user;
	qsort_interruptible(splitting.order, sample->nusers, sizeof(uint32), compare_users, sample);

	split->ahead = look_at_times(&splitting) && can_look_ahead(&splitting);
	for (uint32 x = 0; x < sample->nusers; x++)
	{
		if (x % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		divide_user(&splitting, splitting.order[x]);
	}
	sum_trends(&splitting);
	transpose = RecsysMatrixTranspose(&split->users);
	split->items = *transpose;
	pfree(transpose);
	pfree(splitting.order);
	pfree(splitting.held);
	pfree(splitting.own);
	return split;
}

void
RecsysChoiceSplitFree(RecsysChoiceSplit *split)
{
	pfree(split->users.offsets);
	pfree(split->users.columns);
	pfree(split->items.offsets);
	pfree(split->items.columns);
	if (split->weights != NULL)
		pfree(split->weights);
	if (split->times != NULL)
	{
		pfree(split->times);
		pfree(split->last);
	}
	for (int trend = 0; trend < RECSYS_CHOICE_TRENDS; trend++)
		if (split->recent[trend] != NULL)
			pfree(split->recent[trend]);
	pfree(split->item_users);
	pfree(split->test_users);
	pfree(split->test_offsets);
	pfree(split->test_items);
	pfree(split);
}
