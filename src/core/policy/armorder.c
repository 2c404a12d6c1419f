/*
 * armorder.c
 *	  Arms in the order of their scores, with a chance for each of the others.
 */
#include "core/policy/armorder.h"

#include <math.h>

#include "core/policy/policydraws.h"

typedef struct Placed
{
	double		score;
	uint64		lot;			/* orders those of equal scores */
	int			arm;
} Placed;

static int
compare_placed(const void *a, const void *b)
{
	const Placed *left = a;
	const Placed *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	if (left->lot != right->lot)
		return left->lot < right->lot ? -1 : 1;
	return (left->arm > right->arm) - (left->arm < right->arm);
}

static Placed *
in_order(const double *scores, int n, RecsysRandom *random)
{
	Placed	   *placed = palloc(sizeof(Placed) * n);

	for (int i = 0; i < n; i++)
	{
		placed[i].score = isnan(scores[i]) ? -INFINITY : scores[i];
		placed[i].lot = random == NULL ? 0 : RecsysRandomNext(random);
		placed[i].arm = i;
	}
	qsort(placed, n, sizeof(Placed), compare_placed);
	return placed;
}

/*
 * The chances of an arm that has so many better ones, at each place.  All that matters of who was
 * chosen before is how many of the better ones are left.  left: room for places + 1.
 */
static void
place_arm(int better, int n, double epsilon, int places, double *left, double *shares)
{
	/* left[x]: probability that x of the better ones are gone, and the arm is not */
	left[0] = 1;
	for (int place = 0; place < places; place++)
	{
		double		rest = n - place;

		shares[place] = 0;
		left[place + 1] = 0;
		for (int gone = Min(place, better); gone >= 0; gone--)
		{
			int			ahead = better - gone;
			double		now = left[gone];
			double		itself = (ahead == 0 ? 1 - epsilon : 0) + epsilon / rest;
			double		one_ahead = (ahead == 0 ? 0 : 1 - epsilon) + epsilon * ahead / rest;

			shares[place] += now * itself;
			if (one_ahead > 0)
				left[gone + 1] += now * one_ahead;
			left[gone] = now * epsilon * (rest - 1 - ahead) / rest;
		}
	}
}

void
RecsysOrderShares(const double *scores, int n, double epsilon, int places, double *shares)
{
	Placed	   *placed = in_order(scores, n, NULL);
	double	   *left = palloc(sizeof(double) * (places + 2));
	double	   *one = palloc(sizeof(double) * places);
	double	   *mean = palloc(sizeof(double) * places);

	for (int first = 0, last; first < n; first = last)
	{
		memset(mean, 0, sizeof(double) * places);
		for (last = first; last < n && placed[last].score == placed[first].score; last++)
		{
			place_arm(last, n, epsilon, places, left, one);
			for (int place = 0; place < places; place++)
				mean[place] += one[place];
		}
		for (int x = first; x < last; x++)
			for (int place = 0; place < places; place++)
				shares[(Size) placed[x].arm * places + place] = mean[place] / (last - first);
	}
	pfree(placed);
	pfree(left);
	pfree(one);
	pfree(mean);
}

/* The first place alone needs no order: any arm, or any of the best. */
static int
draw_first(const double *scores, int n, double epsilon, RecsysRandom *random)
{
	int			best = 0;
	int			equal = 1;

	if (epsilon > 0 && RecsysDrawUnit(random) < epsilon)
		return (int) RecsysRandomBelow(random, n);
	for (int i = 1; i < n; i++)
	{
		if (scores[i] > scores[best])
		{
			best = i;
			equal = 1;
		}
		else if (scores[i] == scores[best] && RecsysRandomBelow(random, ++equal) == 0)
			best = i;
	}
	return best;
}

void
RecsysDrawOrder(const double *scores, int n, double epsilon, int places, RecsysRandom *random,
				int *chosen)
{
	Placed	   *placed;

	if (places == 1)
	{
		chosen[0] = draw_first(scores, n, epsilon, random);
		return;
	}
	placed = in_order(scores, n, random);
	for (int place = 0; place < places; place++)
	{
		int			rest = n - place;
		int			pick = 0;

		if (RecsysDrawUnit(random) < epsilon)
			pick = (int) RecsysRandomBelow(random, rest);
		chosen[place] = placed[pick].arm;
		memmove(placed + pick, placed + pick + 1, sizeof(Placed) * (rest - 1 - pick));
	}
	pfree(placed);
}
