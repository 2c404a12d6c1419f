/*
 * auc.c
 *	  AUC: how far up the ranking of all items the held-out ones stand.
 *
 * auc			share of pairs of a held-out item and any other item of the ranking
 *				where the held-out one stands higher; equal score (or, without a
 *				score, equal numbers of users) counts half.  Held-out items outside
 *				the catalogue have no rank and are left out.  Rendle et al.: BPR,
 *				UAI 2009; ties as in Hanley, McNeil, Radiology 143 (1982).
 *
 * It costs no sort of the catalogue: scores of the few held-out items are sorted, and
 * each item that got a score looks up how many of them it beats.  All that got no score
 * are counted at once, by numbers of users, of which sums over the catalogue are prepared.
 */
#include "core/measure/evaluator.h"

#include <math.h>

/*
 * The value that orders the ranking: by score where there is one, and by users
 * below all of those.
 */
static uint64
standing(RecsysEvaluator *evaluator, uint32 item)
{
	float		score = RecsysScorerScore(evaluator->scorer, item);
	uint32		bits;

	if (!(score > 0.0f))
		return evaluator->evaluation->item_users[item];

	/* positive floats have the order of their bits */
	memcpy(&bits, &score, sizeof(bits));
	return (UINT64CONST(1) << 32) + bits;
}

static int
compare_values(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return (left > right) - (left < right);
}

/* Twice the number of the n ascending values above a value, and once those equal to it. */
static uint64
doubled_wins(const uint64 *values, uint64 n, uint64 value)
{
	uint64		low = 0;
	uint64		left = n;
	uint64		equal = 0;

	/* most items beat few held-out ones or many: look at the ends first */
	if (n == 0 || value > values[n - 1])
		return 0;
	if (value < values[0])
		return 2 * n;
	while (left > 0)
	{
		uint64		half = left / 2;

		if (values[low + half] < value)
		{
			low += half + 1;
			left -= half + 1;
		}
		else
			left = half;
	}
	while (low + equal < n && values[low + equal] == value)
		equal++;
	return 2 * (n - low - equal) + equal;
}

double
RecsysMeasureAuc(RecsysEvaluator *evaluator, const uint32 *test, uint64 ntest)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	RecsysScorer *scorer = evaluator->scorer;
	uint64	   *values;
	uint64		n = 0;
	uint64		doubled = 0;	/* twice the pairs won, a tie counting one */
	uint64		others = evaluation->ncatalogue;	/* unseen items that are not held out */
	const uint32 *touched;
	uint32		ntouched;

	if (ntest > evaluator->nvalues)
	{
		evaluator->nvalues = ntest + ntest / 2;
		evaluator->values = recsys_realloc_huge(evaluator->values,
												sizeof(uint64) * evaluator->nvalues);
	}
	values = evaluator->values;
	for (uint64 x = 0; x < ntest; x++)
	{
		if (test[x] >= evaluation->nitems || !RecsysEvaluationRanks(evaluation, test[x]) ||
			RecsysScorerIsExcluded(scorer, test[x]))
			continue;
		values[n] = standing(evaluator, test[x]);

		/* as if the whole catalogue had no score */
		if (values[n] <= PG_UINT32_MAX)
			doubled += 2 * (uint64) evaluator->fewer[test[x]] + evaluator->equal[test[x]];
		else
			doubled += 2 * (uint64) evaluation->ncatalogue;
		n++;
	}
	if (n == 0)
		return NAN;
	qsort(values, n, sizeof(uint64), compare_values);

	/* held-out items are no others */
	for (uint64 x = 0; x < ntest; x++)
	{
		if (test[x] >= evaluation->nitems || !RecsysEvaluationRanks(evaluation, test[x]) ||
			RecsysScorerIsExcluded(scorer, test[x]))
			continue;
		doubled -= doubled_wins(values, n, evaluation->item_users[test[x]]);
		others--;
	}

	/* those with a score, and those that are seen, have been counted as if they had none */
	ntouched = RecsysScorerTouched(scorer, &touched);
	for (uint32 x = 0; x < ntouched; x++)
	{
		uint32		item = touched[x];

		if (!RecsysEvaluationRanks(evaluation, item))
			continue;
		if (RecsysScorerIsExcluded(scorer, item))
		{
			doubled -= doubled_wins(values, n, evaluation->item_users[item]);
			others--;
		}
		else if (!contains(test, ntest, item))
			doubled = doubled - doubled_wins(values, n, evaluation->item_users[item]) +
				doubled_wins(values, n, standing(evaluator, item));
	}
	return others > 0 ? (double) doubled / 2.0 / ((double) n * (double) others) : NAN;
}
