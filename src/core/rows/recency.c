/*
 * recency.c
 *	  How many have an item lately: each counts half as much after every half-life.
 *
 * Users are met in another order with every build.  What a time adds is rounded to 32
 * digits, which leaves 21 to the sum: it is the same in any order, unless the times are
 * further apart than that (core/base/product.h does so with products).
 */
#include "core/rows/recency.h"

#include <math.h>

#include "core/rows/history.h"

#define ADDED_DIGITS 32

/* Powers of two beyond this are infinite, or nothing. */
#define FARTHEST 4096

int64
RecsysRecencyPeriod(int64 time, int64 half_life)
{
	int64		period = time / half_life;

	return time % half_life < 0 ? period - 1 : period;
}

/* a - b, as far as it matters; of a damaged page they may be anything */
static int
periods_between(int64 a, int64 b)
{
	if (a >= b)
		return (int) Min((uint64) a - (uint64) b, FARTHEST);
	return -(int) Min((uint64) b - (uint64) a, FARTHEST);
}

/* sum * 2^(from - to) */
static double
scaled(double sum, int64 from, int64 to)
{
	return ldexp(sum, periods_between(from, to));
}

/* Takes a later reference, if it is one. */
static void
advance(RecsysRecency *recency, int64 at)
{
	if (recency->sum == 0)
		recency->at = at;
	else if (at > recency->at)
	{
		recency->sum = scaled(recency->sum, recency->at, at);
		recency->at = at;
	}
}

void
RecsysRecencyAdd(RecsysRecency *recency, int64 time, int64 half_life)
{
	int64		period;
	double		part;

	if (time == RECSYS_NO_TIME)
		return;
	period = RecsysRecencyPeriod(time, half_life);

	/* from 1 up to 2 */
	part = exp2((double) (time - period * half_life) / (double) half_life);
	part = ldexp(rint(ldexp(part, ADDED_DIGITS - 1)), 1 - ADDED_DIGITS);
	advance(recency, period);
	recency->sum += scaled(part, period, recency->at);
}

void
RecsysRecencyAddAll(RecsysRecency *recency, const RecsysRecency *more)
{
	if (more->sum == 0)
		return;
	advance(recency, more->at);
	recency->sum += scaled(more->sum, more->at, recency->at);
}

double
RecsysRecencyAt(const RecsysRecency *recency, int64 at)
{
	return recency->sum == 0 ? 0 : scaled(recency->sum, recency->at, at);
}

/* Takes a later reference, if it is one. */
static void
advance_total(RecsysRecencyTotal *total, int64 at)
{
	int			periods = periods_between(at, total->at);

	if (total->whole == 0 && total->parts == 0)
		total->at = at;
	if (at <= total->at)
		return;
	total->at = at;
	if (periods >= 128)
		total->whole = total->parts = 0;
	else if (periods >= 64)
	{
		total->parts = total->whole >> (periods - 64);
		total->whole = 0;
	}
	else
	{
		total->parts = total->parts >> periods | total->whole << (64 - periods);
		total->whole >>= periods;
	}
}

/* What an item adds to the total by its reference; only what is ever so small is cut off. */
static void
split_sum(const RecsysRecency *recency, int64 at, uint64 *whole, uint64 *parts)
{
	double		sum = Max(Min(RecsysRecencyAt(recency, at), 9e18), 0.0);

	*whole = (uint64) sum;
	*parts = (uint64) ldexp(sum - floor(sum), 64);
}

void
RecsysRecencyTotalAdd(RecsysRecencyTotal *total, const RecsysRecency *recency)
{
	uint64		whole;
	uint64		parts;

	if (recency->sum == 0)
		return;
	advance_total(total, recency->at);
	split_sum(recency, total->at, &whole, &parts);
	total->parts += parts;
	total->whole += whole + (total->parts < parts);
}

void
RecsysRecencyTotalTake(RecsysRecencyTotal *total, const RecsysRecency *recency)
{
	uint64		whole;
	uint64		parts;

	if (recency->sum == 0)
		return;

	/* what it has been part of had this reference, or a later one */
	advance_total(total, recency->at);
	split_sum(recency, total->at, &whole, &parts);
	if (whole > total->whole || (whole == total->whole && parts > total->parts))
	{
		/* cut off more often than the item was */
		total->whole = total->parts = 0;
		return;
	}
	total->whole -= whole + (parts > total->parts);
	total->parts -= parts;
}

double
RecsysRecencyTotalGet(const RecsysRecencyTotal *total)
{
	return (double) total->whole + ldexp((double) total->parts, -64);
}
