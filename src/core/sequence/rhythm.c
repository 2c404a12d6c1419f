/*
 * rhythm.c
 *	  When an item is bought again: what all of its users tell of that.
 *
 * Most pairs of user and item have one row, and tell nothing.  So folding a user's rows, which
 * brings together those of an item anyway, hands over the items that have several
 * (RecsysFolding.repeated), before it is known which of them max_history leaves out; what was
 * found is kept until the caller asks for the items that count.
 */
#include "core/sequence/rhythm.h"

/* In loops over long lists a look at whether to go on comes after so many steps. */
#define LOOK_EVERY 65536

/* So many times are sorted by insertion. */
#define FEW_TIMES 32

typedef struct PairRhythm
{
	uint32		item;
	RecsysRhythm rhythm;
} PairRhythm;

struct RecsysUserRhythms
{
	const uint32 *wanted;
	uint32		nwanted;

	/* of the user at hand: items with gaps, ascending */
	PairRhythm *pairs;
	int			npairs;
	int			maxpairs;
	int			next;			/* to look at */

	int64	   *times;			/* of the item at hand */
	int			maxtimes;
};

static void
sort_times(int64 *times, int n)
{
	if (n > FEW_TIMES)
	{
		qsort_interruptible(times, n, sizeof(int64), RecsysCompareTimes, NULL);
		return;
	}
	for (int x = 1; x < n; x++)
	{
		int64		time = times[x];
		int			y = x;

		for (; y > 0 && times[y - 1] > time; y--)
			times[y] = times[y - 1];
		times[y] = time;
	}
}

void
RecsysRhythmAdd(RecsysRhythm *rhythm, int64 *times, int n)
{
	uint32		gaps = 0;

	sort_times(times, n);
	for (int x = 1; x < n; x++)
	{
		double		seconds;
		int64		units;

		if (x % LOOK_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (!RecsysIsNextOccasion(times[x - 1], times[x]))
			continue;
		seconds = (double) ((uint64) times[x] - (uint64) times[x - 1]) / 1000000.0;
		units = (int64) rint(log(seconds) * RECSYS_RHYTHM_UNIT);
		rhythm->logs += units;
		rhythm->squares += (uint64) (units * units);
		gaps++;
	}
	rhythm->gaps += gaps;
	rhythm->repeaters += gaps > 0;
}

void
RecsysRhythmAddAll(RecsysRhythm *rhythm, const RecsysRhythm *more)
{
	rhythm->repeaters += more->repeaters;
	rhythm->gaps += more->gaps;
	rhythm->logs += more->logs;
	rhythm->squares += more->squares;
}

void
RecsysRhythmTakeAll(RecsysRhythm *rhythm, const RecsysRhythm *less)
{
	rhythm->repeaters -= less->repeaters;
	rhythm->gaps -= less->gaps;
	rhythm->logs -= less->logs;
	rhythm->squares -= less->squares;
}

double
RecsysRhythmMeanLog(const RecsysRhythm *rhythm)
{
	return (double) rhythm->logs / RECSYS_RHYTHM_UNIT / rhythm->gaps;
}

double
RecsysRhythmSpread(const RecsysRhythm *rhythm)
{
	double		mean = RecsysRhythmMeanLog(rhythm);
	double		square = (double) rhythm->squares / ((double) RECSYS_RHYTHM_UNIT * RECSYS_RHYTHM_UNIT) /
		rhythm->gaps;

	return sqrt(Max(square - mean * mean, 0.0));
}

RecsysUserRhythms *
RecsysUserRhythmsCreate(void)
{
	RecsysUserRhythms *rhythms = palloc0(sizeof(RecsysUserRhythms));

	rhythms->maxpairs = 64;
	rhythms->pairs = palloc(sizeof(PairRhythm) * rhythms->maxpairs);
	rhythms->maxtimes = 256;
	rhythms->times = palloc(sizeof(int64) * rhythms->maxtimes);
	return rhythms;
}

void
RecsysUserRhythmsFree(RecsysUserRhythms *rhythms)
{
	pfree(rhythms->pairs);
	pfree(rhythms->times);
	pfree(rhythms);
}

/* RecsysRepeatedItem: n rows of an item that counts */
static void
look_at_item(void *arg, const RecsysInteraction *rows, const uint64 *places, int n)
{
	RecsysUserRhythms *rhythms = arg;
	uint32		item = rows[(uint32) places[0]].item;
	RecsysRhythm rhythm = {0};
	int			ntimes = 0;

	if (rhythms->wanted != NULL && (item >= rhythms->nwanted || rhythms->wanted[item] == 0))
		return;
	if (n > rhythms->maxtimes)
	{
		rhythms->maxtimes = Max(n, rhythms->maxtimes * 2);
		rhythms->times = recsys_realloc_huge(rhythms->times, sizeof(int64) * (Size) rhythms->maxtimes);
	}
	for (int x = 0; x < n; x++)
	{
		const RecsysInteraction *row = &rows[(uint32) places[x]];

		if (RecsysIsOnOccasion(row))
			rhythms->times[ntimes++] = row->time;
	}
	RecsysRhythmAdd(&rhythm, rhythms->times, ntimes);
	if (rhythm.gaps == 0)
		return;

	if (rhythms->npairs == rhythms->maxpairs)
	{
		rhythms->maxpairs *= 2;
		rhythms->pairs = recsys_realloc_huge(rhythms->pairs,
											 sizeof(PairRhythm) * (Size) rhythms->maxpairs);
	}
	rhythms->pairs[rhythms->npairs].item = item;
	rhythms->pairs[rhythms->npairs++].rhythm = rhythm;
}

void
RecsysUserRhythmsStart(RecsysUserRhythms *rhythms, RecsysFolding *folding, const uint32 *wanted,
					   uint32 nwanted)
{
	rhythms->wanted = wanted;
	rhythms->nwanted = nwanted;
	rhythms->npairs = rhythms->next = 0;
	folding->repeated = look_at_item;
	folding->arg = rhythms;
}

const RecsysRhythm *
RecsysUserRhythmsOf(RecsysUserRhythms *rhythms, uint32 item)
{
	while (rhythms->next < rhythms->npairs && rhythms->pairs[rhythms->next].item < item)
		rhythms->next++;
	if (rhythms->next == rhythms->npairs || rhythms->pairs[rhythms->next].item != item)
		return NULL;
	return &rhythms->pairs[rhythms->next].rhythm;
}
