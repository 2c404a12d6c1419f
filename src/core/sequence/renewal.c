/*
 * renewal.c
 *	  Whether, and when, a user buys an item again.
 *
 * With p the probability that a user who has just bought the item buys it again at all, and F
 * the distribution function of the gap if so, a user who has not for the time a is one who
 * goes on with probability p (1 - F(a)) / (p (1 - F(a)) + 1 - p) (a cure model, Boag 1949).
 * That the item comes between a and b has probability
 *
 *		p (F(b) - F(a)) / (p (1 - F(a)) + 1 - p),
 *
 * where a is the user's last basket, which did not have it or was the one that had it, and b
 * the next one.  Who has not been to the shop since a says nothing of the item by that.
 * Where the user has had the item at nobody knows when, it is taken to have been in the last basket.
 */
#include "core/sequence/renewal.h"

#include <math.h>

/* What the shop as a whole, and the item, count beside what is nearer: in gaps, or users */
#define PRIOR_GAPS 10.0
#define PRIOR_USERS 20.0
#define ITEM_GAPS 3.0
#define ITEM_OCCASIONS 2.0

/* Where nothing at all is known: every other one, after a month, give or take a factor of three */
#define ANY_SHARE 0.5
#define ANY_MEAN 14.77
#define ANY_DEVIATION 1.1
#define LEAST_DEVIATION 0.25

/* The deviation of logarithms of gaps is at most this. */
#define MOST_DEVIATION 4.0

#define MICROSECONDS 1000000.0

/* The distribution of gaps: logarithms of seconds are normal */
typedef struct GapLaw
{
	double		mean;
	double		deviation;
} GapLaw;

/* How many of the gaps are at most that many seconds */
static double
gap_share(const GapLaw *law, double seconds)
{
	if (!(seconds > 0.0))
		return 0.0;
	return 0.5 * erfc((law->mean - log(seconds)) / (law->deviation * M_SQRT2));
}

/* From one time to another in seconds, never below 0 */
static double
seconds_between(int64 from, int64 to)
{
	if (from == RECSYS_NO_TIME || to == RECSYS_NO_TIME || to <= from)
		return 0.0;
	return ((double) to - (double) from) / MICROSECONDS;
}

/* What the rhythm's gaps, with the prior's, tell of the gaps of users. */
static GapLaw
law_of_item(const RecsysRhythm *rhythm, const RecsysRenewalPrior *prior)
{
	GapLaw		law = {ANY_MEAN, ANY_DEVIATION};
	const RecsysRhythm *known[] = {prior == NULL ? NULL : &prior->rhythm, rhythm};

	for (int x = 0; x < 2; x++)
	{
		double		gaps,
					mean,
					square;

		if (known[x] == NULL || known[x]->gaps == 0)
			continue;
		gaps = known[x]->gaps;
		mean = RecsysRhythmMeanLog(known[x]);
		square = mean * mean + RecsysRhythmSpread(known[x]) * RecsysRhythmSpread(known[x]);

		/* the law so far is that of PRIOR_GAPS gaps */
		square = (gaps * square + PRIOR_GAPS * (law.mean * law.mean + law.deviation * law.deviation)) /
			(gaps + PRIOR_GAPS);
		law.mean = (gaps * mean + PRIOR_GAPS * law.mean) / (gaps + PRIOR_GAPS);
		law.deviation = sqrt(Max(square - law.mean * law.mean, LEAST_DEVIATION * LEAST_DEVIATION));
		law.deviation = Min(law.deviation, MOST_DEVIATION);
	}
	return law;
}

/* Of occasions, those that another one follows, by all users */
static double
share_of_item(uint64 users, const RecsysRhythm *rhythm, const RecsysRenewalPrior *prior)
{
	double		share = ANY_SHARE;

	if (prior != NULL)
		share = (0.5 + prior->rhythm.gaps) / (1.0 + prior->users + prior->rhythm.gaps);
	if (rhythm != NULL)
		share = (PRIOR_USERS * share + rhythm->gaps) /
			(PRIOR_USERS + (double) users + rhythm->gaps);
	return share;
}

/* The user's own gaps: how many, and the sum of their logarithms */
static int
own_gaps(const RecsysBasketHistory *history, const RecsysBasketItem *item, double *logs)
{
	const RecsysOccasion *occasions = history->occasions + item->first;
	int			gaps = 0;

	*logs = 0.0;
	for (uint32 x = 1; x < item->count; x++)
	{
		double		seconds = seconds_between(occasions[x - 1].time, occasions[x].time);

		if (seconds <= 0.0)
			continue;
		*logs += log(seconds);
		gaps++;
	}
	return gaps;
}

/* When the user's next basket is to be expected, in seconds after the last one */
static double
seconds_to_next(const RecsysBasketHistory *history, const GapLaw *law)
{
	int64		last = history->times[history->nbaskets - 1];
	uint32		first = 0;
	uint32		gaps;

	while (first < history->nbaskets && history->times[first] == RECSYS_NO_TIME)
		first++;
	gaps = first < history->nbaskets ? history->nbaskets - 1 - first : 0;
	if (gaps == 0)
		return exp(law->mean);
	return seconds_between(history->times[first], last) / gaps;
}

/* A time that many seconds after another */
static int64
time_after(int64 time, double seconds)
{
	double		after = (double) time + seconds * MICROSECONDS;

	if (after >= (double) PG_INT64_MAX)
		return PG_INT64_MAX;
	return time + (int64) (seconds * MICROSECONDS);
}

void
RecsysRenewalEstimate(const RecsysBasketHistory *history, uint32 place, uint64 users,
					  const RecsysRhythm *rhythm, const RecsysRenewalPrior *prior, int64 now,
					  RecsysRenewal *renewal)
{
	const RecsysBasketItem *item = &history->items[place];
	int64		last = history->occasions[item->first + item->count - 1].time;
	int64		last_basket = history->times[history->nbaskets - 1];
	GapLaw		law = law_of_item(rhythm, prior);
	bool		timed = last != RECSYS_NO_TIME;
	double		share = timed || (prior != NULL && prior->rhythm.gaps > 0) ?
		share_of_item(users, rhythm, prior) : ANY_SHARE;
	double		logs;
	int			gaps = own_gaps(history, item, &logs);
	double		from,
				to,
				left;

	renewal->share = share;
	share = (ITEM_OCCASIONS * share + item->count - 1) / (ITEM_OCCASIONS + item->count - 1);
	law.mean = (ITEM_GAPS * law.mean + logs) / (ITEM_GAPS + gaps);
	if (last_basket == RECSYS_NO_TIME)
	{
		renewal->goes_on = renewal->score = share;
		renewal->due_at = RECSYS_NO_TIME;
		return;
	}

	/* an item without a time counts at best as the user's last basket does */
	from = seconds_between(last, last_basket);
	to = Max(from + seconds_to_next(history, &law), seconds_between(timed ? last : last_basket, now));
	left = share * (1.0 - gap_share(&law, from)) + 1.0 - share;
	renewal->score = left > 0.0 ?
		share * (gap_share(&law, to) - gap_share(&law, from)) / left : 0.0;
	renewal->score = Min(Max(renewal->score, 0.0), 1.0);
	renewal->goes_on = left > 0.0 ? share * (1.0 - gap_share(&law, from)) / left : 0.0;
	renewal->due_at = timed ? time_after(last, exp(law.mean)) : RECSYS_NO_TIME;
}
