/*
 * retirement.c
 *	  How much new items may cost.
 */
#include "core/policy/retirement.h"

#include <math.h>

#include "core/policy/policydraws.h"
#include "core/policy/rewardlaw.h"

/*
 * The mixture's ratio at the mean p is 1 by the density of Beta(s + 1, n - s + 1) at p: means are
 * in doubt where that density is at least delta.  It is log-concave, so this is an interval around
 * s / n, and its ends are found by bisection.
 */
static double
find_bound(const RecsysArmCounts *arm, double delta, double outer)
{
	double		n = Max(arm->trials, 0);
	double		sum = Min(Max(arm->sum, 0), n);
	double		inside = n > 0 ? sum / n : 0.5;
	double		outside = outer;
	RecsysLaw	law;

	if (n <= 0)
		return outer;
	RecsysLawBeta(&law, sum + 1, n - sum + 1);
	for (int round = 0; round < 100 && fabs(outside - inside) > 1e-13 * outside; round++)
	{
		double		between = 0.5 * (inside + outside);
		RecsysLawPoint point = {.odds_x = between,.odds_rest = 1 - between};
		double		density = RecsysLawLogDensity(&law, &point) - log(between) - log1p(-between);

		if (density >= log(delta))
			inside = between;
		else
			outside = between;
	}
	return outside;
}

double
RecsysLowerBound(const RecsysArmCounts *arm, double delta)
{
	return find_bound(arm, delta, 0);
}

double
RecsysUpperBound(const RecsysArmCounts *arm, double delta)
{
	return find_bound(arm, delta, 1);
}

/* Half of delta is the base's, half is shared by the candidates. */
static double
needed_mean(const RecsysRetirement *rule, const RecsysArmCounts *base)
{
	return (1 - rule->tolerance) * RecsysLowerBound(base, 0.5 * rule->delta);
}

static double
candidate_bound(const RecsysRetirement *rule, const RecsysArmCounts *candidate)
{
	return RecsysUpperBound(candidate, 0.5 * rule->delta / Max(rule->candidates, 1));
}

bool
RecsysIsRetired(const RecsysRetirement *rule, const RecsysArmCounts *base,
				const RecsysArmCounts *candidate)
{
	return candidate_bound(rule, candidate) < needed_mean(rule, base);
}

double
RecsysTrialsToRetire(const RecsysRetirement *rule, const RecsysArmCounts *base, double mean)
{
	double		needed = needed_mean(rule, base);
	double		few = 0;
	double		many = 1;

	if (mean >= needed)
		return INFINITY;
	while (many < 1e15)
	{
		RecsysArmCounts arm = {.trials = many,.sum = many * mean};

		if (candidate_bound(rule, &arm) < needed)
			break;
		few = many;
		many *= 2;
	}
	while (many - few > 1)
	{
		double		between = floor(0.5 * (few + many));
		RecsysArmCounts arm = {.trials = between,.sum = between * mean};

		if (candidate_bound(rule, &arm) < needed)
			many = between;
		else
			few = between;
	}
	return many;
}

int
RecsysExploredPlaces(int k, double share, RecsysRandom *random)
{
	double		exact = k * Min(Max(share, 0), 1);
	int			whole = (int) exact;

	return whole + (RecsysDrawUnit(random) < exact - whole);
}
