/*
 * test_similarity.c
 *	  Tests of core/pairs/similarity against the formulas as textbooks print them.
 */
#include "core/pairs/similarity.h"
#include "generate.h"
#include "tap.h"

#include <math.h>

static double
cell(double k, double expected)
{
	return k > 0.0 ? k * log(k / expected) : 0.0;
}

static double
textbook_score(RecsysSimilarity similarity, double c, double dot, const RecsysPairTotals *t)
{
	double		a = t->n_i;
	double		b = t->n_j;
	double		n = t->n_users;

	switch (similarity)
	{
		case RECSYS_COSINE:
			return dot / (sqrt(t->norm2_i) * sqrt(t->norm2_j));
		case RECSYS_JACCARD:
			return c / (a + b - c);
		case RECSYS_DICE:
			return 2 * c / (a + b);
		case RECSYS_CONFIDENCE:
			return c / a;
		case RECSYS_LIFT:
			return (c / n) / ((a / n) * (b / n));
		case RECSYS_PMI:
			return log((c / n) / ((a / n) * (b / n)));
		case RECSYS_LOG_LIKELIHOOD:
			if (c * n <= a * b)
				return 0.0;
			return 2 * (cell(c, a * b / n) + cell(a - c, a * (n - b) / n) +
						cell(b - c, (n - a) * b / n) +
						cell(n - a - b + c, (n - a) * (n - b) / n));
		default:				/* rp3beta: see test_formulas */
			return dot;
	}
	return NAN;
}

static bool
close_to(double a, double b, double absolute)
{
	return fabs(a - b) <= 1e-9 * fabs(b) + absolute;
}

static void
test_formulas(RecsysSimilarity similarity)
{
	Random		random;
	int			wrong = 0;

	random_seed(&random, similarity);
	for (int round = 0; round < 100000; round++)
	{
		RecsysModelOptions options = {.similarity = similarity, .neighbors = 10, .min_support = 1};
		uint64		n = 1 + random_bits(&random) % (round % 2 ? 50 : 1000000);
		uint64		a = 1 + random_bits(&random) % n;
		uint64		b = 1 + random_bits(&random) % n;
		uint64		least = a + b > n ? a + b - n : 0;
		uint64		c = least + random_bits(&random) % (Min(a, b) - least + 1);
		double		dot = c * (0.5 + random_unit(&random));
		RecsysPairTotals totals;
		double		score;
		double		damping;
		double		expected;

		if (c == 0)
			continue;
		totals.n_i = a;
		totals.n_j = b;
		totals.n_users = n;
		totals.norm2_i = a * 2.0;
		totals.norm2_j = b * 3.0;
		totals.mass_i = a * 1.5;
		if (round % 3 == 0)
			options.alpha = random_unit(&random);
		if (round % 5 == 0)
			options.shrinkage = 100.0 * random_unit(&random);
		options.beta = 0.7;
		damping = pow(b, -options.alpha);
		if (similarity == RECSYS_RP3BETA)
			damping = pow(totals.mass_i, -options.alpha) * pow(b, -options.beta);
		score = RecsysSimilarityScore(&options, c, dot, &totals);
		expected = textbook_score(similarity, c, dot, &totals);

		/* the textbook formula of G2 loses digits, the more the larger n */
		if (!close_to(score, expected * damping * c / (c + options.shrinkage),
					  similarity == RECSYS_LOG_LIKELIHOOD ? 1e-13 * n * 40 : 1e-12))
			wrong++;
	}
	ok(wrong == 0, "%s is its formula (%d differ)", RecsysSimilarityName(similarity), wrong);
}

void
test_similarity(void)
{
	RecsysSimilarity parsed;
	RecsysModelOptions options = {.similarity = RECSYS_LOG_LIKELIHOOD, .neighbors = 10, .min_support = 1};
	RecsysPairTotals totals = {1e6, 1e6, 1e9, 1e6, 1e6, 1e6};
	double		score;

	for (RecsysSimilarity similarity = RECSYS_COSINE; similarity <= RECSYS_RP3BETA;
		 similarity++)
	{
		ok(RecsysSimilarityParse(RecsysSimilarityName(similarity), &parsed) &&
		   parsed == similarity, "%s is parsed", RecsysSimilarityName(similarity));
		test_formulas(similarity);
	}
	ok(RecsysSimilarityParse("Log_Likelihood", &parsed) && parsed == RECSYS_LOG_LIKELIHOOD,
	   "names are case-insensitive");
	ok(!RecsysSimilarityParse("", &parsed) && !RecsysSimilarityParse("cosin", &parsed) &&
	   !RecsysSimilarityParse("cosines", &parsed), "other names are refused");

	/* one user above expectation: G2 = 1 / E11 + ..., far below what logarithms resolve */
	score = RecsysSimilarityScore(&options, 1001.0, 1001.0, &totals);
	ok(fabs(score / (1.0 / 1000.0 + 2.0 / 999000.0) - 1.0) < 1e-3,
	   "log_likelihood close to independence keeps its digits (%.6g)", score);
	ok(RecsysSimilarityScore(&options, 1000.0, 1000.0, &totals) == 0.0 &&
	   RecsysSimilarityScore(&options, 10.0, 10.0, &totals) == 0.0,
	   "log_likelihood is 0 without positive association");
}
