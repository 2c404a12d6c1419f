/*
 * test_metrics.c
 *	  Tests of core/measure/metrics, core/measure/resample and core/measure/significance against values
 *	  that were computed by hand or that have been published.
 */
#include "core/measure/metrics.h"
#include "core/base/random.h"
#include "core/measure/resample.h"
#include "core/measure/significance.h"
#include "tap.h"

static bool
near(double value, double expected, double tolerance)
{
	return fabs(value - expected) <= tolerance;
}

static void
test_lists(void)
{
	/* three relevant items, found at ranks 1 and 3 of five */
	const bool	hits[] = {true, false, true, false, false};
	const bool	none[] = {false, false, false};

	ok(near(RecsysRecall(hits, 5, 5, 3), 2.0 / 3, 1e-15) &&
	   near(RecsysRecall(hits, 5, 2, 3), 1.0 / 3, 1e-15), "recall: hits by all relevant items");
	ok(near(RecsysRecallCapped(hits, 5, 2, 3), 1.0 / 2, 1e-15) &&
	   near(RecsysRecallCapped(hits, 5, 5, 3), 2.0 / 3, 1e-15),
	   "recall_capped: hits by what k places can hold");
	ok(near(RecsysPrecision(hits, 5, 5), 0.4, 1e-15) &&
	   near(RecsysPrecision(hits, 3, 5), 0.4, 1e-15), "precision: hits by k, also for a short list");
	ok(RecsysHitRate(hits, 5, 1) == 1.0 && RecsysHitRate(none, 3, 3) == 0.0, "hit rate");

	/* gains 1 and 1/2 of 1 + 1/log2(3) + 1/2 = 2.1309298 */
	ok(near(RecsysNdcg(hits, 5, 5, 3), 1.5 / 2.1309297535714573, 1e-12), "NDCG with fewer relevant items than k");
	ok(near(RecsysNdcg(hits, 5, 2, 3), 1.0 / 1.6309297535714573, 1e-12), "NDCG with the ideal cut at k");
	ok(near(RecsysNdcg(hits, 3, 20, 3), 1.5 / 2.1309297535714573, 1e-12), "NDCG of a short list");
	ok(RecsysReciprocalRank(hits, 5, 5) == 1.0 &&
	   near(RecsysReciprocalRank(hits + 1, 4, 4), 0.5, 1e-15) &&
	   RecsysReciprocalRank(hits + 1, 4, 1) == 0.0, "reciprocal rank of the first hit among k");
	ok(near(RecsysAveragePrecision(hits, 5, 5, 3), (1 + 2.0 / 3) / 3, 1e-15) &&
	   near(RecsysAveragePrecision(hits, 5, 2, 3), 1.0 / 2, 1e-15), "average precision");
	ok(RecsysSelfInformation(25, 100) == 2.0 && RecsysSelfInformation(7, 7) == 0.0,
	   "self-information: a quarter of the users is two bits");
}

static void
test_gini(void)
{
	uint64		equal[] = {2, 2, 2, 2};
	uint64		one[] = {0, 4, 0, 0};
	uint64		two[] = {3, 1};
	uint64		zero[] = {0, 0};

	ok(RecsysGini(equal, 4) == 0.0, "Gini: 0 when all have the same");
	ok(near(RecsysGini(one, 4), 0.75, 1e-15), "Gini: (n - 1) / n when one has everything");
	/* mean difference of 1 and 3 is 1 (over all four pairs), half of that by the mean of 2 */
	ok(near(RecsysGini(two, 2), 0.25, 1e-15), "Gini: half the relative mean difference");
	ok(isnan(RecsysGini(zero, 2)), "Gini: undefined when nobody has anything");
}

static void
test_names(void)
{
	bool		right = true;
	RecsysMetric metric;

	for (int x = 0; x < RECSYS_METRICS; x++)
		right &= RecsysMetricParse(RecsysMetricName(x), &metric) && (int) metric == x;
	ok(right && !RecsysMetricParse("accuracy", &metric) && !RecsysMetricParse("", &metric),
	   "names of metrics and back");
}

/*
 * Darwin's maize, crossed minus self-fertilized, in eighths of an inch: Fisher: The
 * design of experiments (1935), section 17, who finds t = 2.148 with 14 degrees
 * of freedom.  p-values by R's t.test and wilcox.test.
 */
static void
test_significance(void)
{
	const double maize[] = {49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};
	const double few[] = {1, 2, 3};
	const double ties[] = {1, 1, -1, 0, 1};
	const double same[] = {0.25, 0.25, 0.25};
	const double zeros[] = {0, 0, 0};
	double	   *many = palloc(sizeof(double) * 101);

	ok(near(RecsysPairedT(maize, 15), 0.0497, 5e-5), "paired t of Fisher's maize (%.6f)", RecsysPairedT(maize, 15));
	ok(near(RecsysWilcoxon(maize, 15), 0.041259765625, 1e-12), "signed ranks of Fisher's maize (%.12f)",
	   RecsysWilcoxon(maize, 15));

	/* with two degrees of freedom p = 1 - t / sqrt(t^2 + 2), here t^2 = 12 */
	ok(near(RecsysPairedT(few, 3), 1 - sqrt(12.0 / 14), 1e-12), "paired t with two degrees of freedom");
	/* all of one sign: 2 of the 2^3 assignments */
	ok(near(RecsysWilcoxon(few, 3), 0.25, 1e-15), "signed ranks that are all positive");
	/* four alike, three of them positive: 5 of 16 assignments on either side */
	ok(near(RecsysWilcoxon(ties, 5), 10.0 / 16, 1e-15), "signed ranks with ties and a zero");
	ok(RecsysPairedT(same, 3) == 0.0 && RecsysPairedT(zeros, 3) == 1.0 && isnan(RecsysPairedT(few, 1)) &&
	   RecsysWilcoxon(zeros, 3) == 1.0 && RecsysWilcoxon(few, 0) == 1.0, "differences that are all alike");

	/* 101 differences take the normal approximation, which must agree with 100 counted out */
	for (int x = 0; x < 101; x++)
		many[x] = (x % 3 == 0 ? -1.0 : 1.0) * (1 + (x * 37) % 101);
	ok(near(RecsysWilcoxon(many, 101), RecsysWilcoxon(many, 100), 0.02),
	   "counted out and approximated (%.4f, %.4f)", RecsysWilcoxon(many, 100), RecsysWilcoxon(many, 101));
	pfree(many);
}

static bool
same_means(const RecsysMean *a, const RecsysMean *b, int n)
{
	for (int x = 0; x < n; x++)
		if (a[x].mean != b[x].mean || a[x].low != b[x].low || a[x].high != b[x].high ||
			a[x].rows != b[x].rows || a[x].p_value != b[x].p_value)
			return false;
	return true;
}

static void
bootstrap(RecsysSample sample, RecsysResampling resampling, RecsysMean *means)
{
	RecsysBootstrap(&sample, &resampling, means);
}

static void
test_bootstrap(void)
{
	enum
	{
		rows = 400
	};
	double	   *table = palloc(sizeof(double) * rows * 3);
	uint32	   *even = palloc(sizeof(uint32) * rows / 2);
	double	   *half = palloc(sizeof(double) * rows / 2 * 3);
	RecsysMean	means[3];
	RecsysMean	again[3];
	RecsysMean	some[3];

	/* half ones; a constant; defined in every fourth row only */
	for (int x = 0; x < rows; x++)
	{
		table[x * 3] = x % 2;
		table[x * 3 + 1] = 0.1;
		table[x * 3 + 2] = x % 4 == 0 ? x : NAN;
	}
	for (int x = 0; x < rows / 2; x++)
	{
		even[x] = 2 * x;
		memcpy(half + x * 3, table + x * 6, sizeof(double) * 3);
	}

	bootstrap((RecsysSample) {table, 3, NULL, rows},
			  (RecsysResampling) {2000, 0.95, 7, 0}, means);
	ok(means[0].mean == 0.5 && near(means[1].mean, 0.1, 1e-15) && near(means[2].mean, 198, 1e-9) &&
	   means[0].rows == rows && means[2].rows == rows / 4, "means, where they are defined");

	/* the standard error of a share of one half is 1 / (2 sqrt(400)) = 0.025 */
	ok(near(means[0].low, 0.5 - 1.96 * 0.025, 0.006) && near(means[0].high, 0.5 + 1.96 * 0.025, 0.006),
	   "interval of a share (%.4f to %.4f)", means[0].low, means[0].high);
	ok(near(means[1].low, 0.1, 1e-12) && near(means[1].high, 0.1, 1e-12), "interval of a constant");
	/* spread of 0, 4, …, 396 is 115.5, by sqrt(100) */
	ok(near(means[2].low, 198 - 1.96 * 11.55, 3) && near(means[2].high, 198 + 1.96 * 11.55, 3),
	   "interval where not all is defined (%.1f to %.1f)", means[2].low, means[2].high);
	ok(means[0].p_value < 0.001 && means[1].p_value < 0.001, "means that are not 0");

	bootstrap((RecsysSample) {table, 3, NULL, rows},
			  (RecsysResampling) {2000, 0.95, 7, 0}, again);
	ok(same_means(means, again, 3), "the same seed gives the same");
	bootstrap((RecsysSample) {table, 3, NULL, rows},
			  (RecsysResampling) {2000, 0.95, 8, 0}, again);
	ok(means[0].low != again[0].low || means[0].high != again[0].high ||
	   means[0].p_value != again[0].p_value || means[2].low != again[2].low, "another seed gives another");
	bootstrap((RecsysSample) {table, 3, even, rows / 2},
			  (RecsysResampling) {500, 0.9, 7, 3}, some);
	bootstrap((RecsysSample) {half, 3, NULL, rows / 2},
			  (RecsysResampling) {500, 0.9, 7, 3}, again);
	ok(same_means(some, again, 3), "some rows are as if there were no others");
	bootstrap((RecsysSample) {table, 3, NULL, rows},
			  (RecsysResampling) {0, 0.95, 7, 0}, again);
	ok(again[0].mean == 0.5 && isnan(again[0].low) && isnan(again[0].p_value), "no resamples, no interval");
	bootstrap((RecsysSample) {table, 3, NULL, 0},
			  (RecsysResampling) {100, 0.95, 7, 0}, again);
	ok(isnan(again[0].mean) && again[0].rows == 0, "no rows, no mean");

	/* differences around 0 */
	for (int x = 0; x < rows; x++)
		table[x] = x % 2 == 0 ? 1 : -1;
	bootstrap((RecsysSample) {table, 1, NULL, rows},
			  (RecsysResampling) {999, 0.95, 7, 0}, means);
	ok(means[0].p_value == 1.0, "a mean of 0 is no surprise (%.3f)", means[0].p_value);
	/* two standard errors of 1/20 from it: about one in 22 */
	for (int x = 0; x < rows; x++)
		table[x] += 0.1;
	bootstrap((RecsysSample) {table, 1, NULL, rows},
			  (RecsysResampling) {9999, 0.95, 7, 0}, means);
	ok(near(means[0].p_value, 0.0455, 0.01), "a mean of two standard errors (%.4f)", means[0].p_value);
	pfree(table);
	pfree(even);
	pfree(half);
}

static void
test_random(void)
{
	RecsysRandom random;
	int			counts[10] = {0};
	double		chi2 = 0;

	RecsysRandomStart(&random, 1, 2);
	for (int x = 0; x < 100000; x++)
		counts[RecsysRandomBelow(&random, 10)]++;
	for (int x = 0; x < 10; x++)
		chi2 += (counts[x] - 10000.0) * (counts[x] - 10000.0) / 10000;
	ok(chi2 < 27.9, "random numbers are even (chi2 %.1f with 9 degrees of freedom)", chi2);
}

void
test_metrics(void)
{
	test_lists();
	test_gini();
	test_names();
	test_random();
	test_bootstrap();
	test_significance();
}
