/*
 * metrics.c
 *	  What is measured of recommendations: formulas and their sources.
 *
 * With L_k the first k recommended items of a user, T the held-out items of that
 * user, rel(r) = 1 when the item at rank r is in T and 0 otherwise:
 *
 * recall			|L_k n T| / |T|
 *					Herlocker, Konstan, Terveen, Riedl: Evaluating collaborative
 *					filtering recommender systems, ACM TOIS 22 (2004); with this
 *					denominator in the tables of NGCF and LightGCN (He et al.,
 *					SIGIR 2020).
 * recall_capped	|L_k n T| / min(k, |T|)
 *					Liang, Krishnan, Hoffman, Jebara: Variational autoencoders for
 *					collaborative filtering, WWW 2018, equation (8).
 * precision		|L_k n T| / k, also when L is shorter (Herlocker et al. 2004)
 * hit_rate			1 when L_k n T is not empty
 *					Deshpande, Karypis: Item-based top-N recommendation algorithms,
 *					ACM TOIS 22 (2004).
 * ndcg				DCG / IDCG, DCG = sum over r <= k of rel(r) / log2(r + 1),
 *					IDCG = sum over r <= min(k, |T|) of 1 / log2(r + 1)
 *					Järvelin, Kekäläinen: Cumulated gain-based evaluation of IR
 *					techniques, ACM TOIS 20 (2002), with binary gains and the
 *					discount of Burges et al. (ICML 2005).
 * mrr				1 / rank of the first relevant item, 0 when it is not in L_k
 *					Voorhees: The TREC-8 question answering track report (1999).
 * map				sum over r <= k of rel(r) * precision at r, / min(k, |T|)
 *					Manning, Raghavan, Schütze: Introduction to Information
 *					Retrieval (2008), section 8.4, cut at k.
 * gini				see RecsysGini
 * novelty			mean of the items' self-information -log2(users / all users)
 *					Zhou et al.: Solving the apparent diversity-accuracy dilemma of
 *					recommender systems, PNAS 107 (2010).
 *
 * recall_repeat, recall_explore	recall of the items of T that the user has had before, and of the
 *					others, over the users with such items; ndcg_repeat, ndcg_explore likewise,
 *					ranks being those of the whole list
 *					Li, Jullien, Ariannezhad, de Rijke: A next basket recommendation
 *					reality check, ACM TOIS 41 (2023).
 * repeat_share		the share of L_k that the user has had before (their repetition ratio)
 *
 * AUC and the rest need more than a list of hits: evaluation.c has them.
 */
#include "core/measure/metrics.h"

#include <math.h>

static const char *const names[RECSYS_METRICS] = {
	[RECSYS_METRIC_RECALL] = "recall",
	[RECSYS_METRIC_RECALL_CAPPED] = "recall_capped",
	[RECSYS_METRIC_PRECISION] = "precision",
	[RECSYS_METRIC_HIT_RATE] = "hit_rate",
	[RECSYS_METRIC_NDCG] = "ndcg",
	[RECSYS_METRIC_MRR] = "mrr",
	[RECSYS_METRIC_MAP] = "map",
	[RECSYS_METRIC_AUC] = "auc",
	[RECSYS_METRIC_NOVELTY] = "novelty",
	[RECSYS_METRIC_POPULARITY] = "popularity",
	[RECSYS_METRIC_SERENDIPITY] = "serendipity",
	[RECSYS_METRIC_DIVERSITY] = "diversity",
	[RECSYS_METRIC_CATEGORY_DIVERSITY] = "category_diversity",
	[RECSYS_METRIC_NEW_ITEMS] = "new_items",
	[RECSYS_METRIC_RECALL_REPEAT] = "recall_repeat",
	[RECSYS_METRIC_RECALL_EXPLORE] = "recall_explore",
	[RECSYS_METRIC_NDCG_REPEAT] = "ndcg_repeat",
	[RECSYS_METRIC_NDCG_EXPLORE] = "ndcg_explore",
	[RECSYS_METRIC_REPEAT_SHARE] = "repeat_share",
	[RECSYS_METRIC_COVERAGE] = "coverage",
	[RECSYS_METRIC_GINI] = "gini",
	[RECSYS_METRIC_SELLER_COVERAGE] = "seller_coverage",
	[RECSYS_METRIC_SELLER_GINI] = "seller_gini",
};

const char *
RecsysMetricName(RecsysMetric metric)
{
	return names[metric];
}

bool
RecsysMetricParse(const char *name, RecsysMetric *metric)
{
	for (int i = 0; i < RECSYS_METRICS; i++)
	{
		if (strcmp(name, names[i]) == 0)
		{
			*metric = (RecsysMetric) i;
			return true;
		}
	}
	return false;
}

bool
RecsysMetricHasK(RecsysMetric metric)
{
	return metric != RECSYS_METRIC_AUC;
}

static int
count_hits(const bool *hits, int length, int k)
{
	int			count = 0;

	for (int x = 0; x < Min(length, k); x++)
		count += hits[x];
	return count;
}

double
RecsysRecall(const bool *hits, int length, int k, uint64 relevant)
{
	return count_hits(hits, length, k) / (double) relevant;
}

double
RecsysRecallCapped(const bool *hits, int length, int k, uint64 relevant)
{
	return count_hits(hits, length, k) / (double) Min((uint64) k, relevant);
}

double
RecsysPrecision(const bool *hits, int length, int k)
{
	return count_hits(hits, length, k) / (double) k;
}

double
RecsysHitRate(const bool *hits, int length, int k)
{
	return count_hits(hits, length, k) > 0 ? 1.0 : 0.0;
}

double
RecsysNdcg(const bool *hits, int length, int k, uint64 relevant)
{
	double		gain = 0.0;
	double		ideal = 0.0;

	for (int x = 0; x < Min(length, k); x++)
		if (hits[x])
			gain += 1.0 / log2(x + 2.0);
	for (int x = 0; x < (int) Min((uint64) k, relevant); x++)
		ideal += 1.0 / log2(x + 2.0);
	return gain / ideal;
}

double
RecsysReciprocalRank(const bool *hits, int length, int k)
{
	for (int x = 0; x < Min(length, k); x++)
		if (hits[x])
			return 1.0 / (x + 1);
	return 0.0;
}

double
RecsysAveragePrecision(const bool *hits, int length, int k, uint64 relevant)
{
	double		sum = 0.0;
	int			count = 0;

	for (int x = 0; x < Min(length, k); x++)
		if (hits[x])
			sum += ++count / (x + 1.0);
	return sum / (double) Min((uint64) k, relevant);
}

double
RecsysSelfInformation(uint32 users, uint64 all)
{
	return log2((double) all / users);
}

static int
compare_counts(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return (left > right) - (left < right);
}

/*
 * sum over x = 1 .. n of (2 x - n - 1) c_x / (n sum c), counts ascending: 0 when
 * all are equal, (n - 1) / n when one has everything.  Fleder, Hosanagar:
 * Blockbuster culture's next rise or fall, Management Science 55 (2009).
 */
double
RecsysGini(uint64 *counts, uint32 n)
{
	double		weighted = 0.0;
	double		sum = 0.0;

	qsort(counts, n, sizeof(uint64), compare_counts);
	for (uint32 x = 0; x < n; x++)
	{
		weighted += (2.0 * x + 1.0 - n) * (double) counts[x];
		sum += (double) counts[x];
	}
	return sum > 0 ? weighted / (n * sum) : NAN;
}
