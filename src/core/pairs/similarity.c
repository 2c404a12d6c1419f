/*
 * similarity.c
 *	  The similarity family: every formula and where it comes from.
 *
 * Notation: c = users with both items, n_i and n_j = users with the one and
 * the other, N = users with any item, w_ui = weight of item i for user u.
 *
 * cosine			c / sqrt(n_i * n_j); with weights
 *					sum_u w_ui * w_uj / (|w_i| * |w_j|)
 *					(Sarwar, Karypis, Konstan, Riedl 2001, "Item-based
 *					collaborative filtering recommendation algorithms";
 *					Linden, Smith, York 2003; the set form is Ochiai 1957)
 * jaccard			c / (n_i + n_j - c)					(Jaccard 1901)
 * dice				2 * c / (n_i + n_j)					(Dice 1945)
 * confidence		P(j | i) = c / n_i					(Agrawal, Imielinski, Swami 1993;
 *					as an item similarity Deshpande, Karypis 2004)
 * lift				c * N / (n_i * n_j)					(Brin, Motwani, Ullman, Tsur 1997,
 *					there called interest)
 * pmi				ln(lift)							(Church, Hanks 1990)
 * log_likelihood	G2 = 2 * sum k * ln(k / E) over the four cells of the table
 *						c			n_i - c
 *						n_j - c		N - n_i - n_j + c
 *					with E = row total * column total / N	(Dunning 1993);
 *					0 where the items meet no more often than by chance
 *
 * rp3beta			n_j^-beta * sum_u (w_ui / W_i)^alpha * (w_uj / W_u)^alpha
 *					with W_i and W_u the sums of weights of item and user: the
 *					probability to get from i to a user and on to j, each step
 *					raised to alpha, popular j damped	(Cooper, Lee, Radinsky,
 *					Siantos 2014, "Random walks in recommender systems: exact
 *					computation and simulations"; Paudel, Christoffel, Newell,
 *					Bernstein 2017, "Updatable, accurate, diverse, and scalable
 *					recommendations for interactive applications").  The sum is
 *					the dot product of weights as weighting.c makes them.
 *
 * itemknn			cosine(i, j) / sum of it over the items nearest to j, for those i
 *					that are among them: a target's own neighbors vote for it, and
 *					all targets have one vote	(Sarwar et al., equation 6, over the
 *					items that a user has)
 *
 * als				cosine of the two items' factors, of which als.c tells the objective	(Hu,
 *					Koren, Volinsky 2008; Rendle, Krichene, Zhang, Koren 2021)
 *
 * session			sum_u w_ui * w_uj * f(places of i and j in u's order) / sum_u w_ui^2: how
 *					regularly j comes after i, the nearer the more	(Ludewig, Jannach 2018,
 *					"Evaluation of session-based recommendation algorithms", there sequential
 *					rules); succession.c has f
 *
 * popular			0 for every pair: the item graph is empty, so that lists are what is
 *					served to a user of whom nothing is known, most users first.  The
 *					model to beat	(Cremonesi, Koren, Turrin 2010, "Performance of
 *					recommender algorithms on top-N recommendation tasks", there
 *					called TopPop)
 *
 * Two factors apply to each of them, the first of them not to rp3beta, which has
 * its own:
 *
 * alpha			n_j ^ -alpha damps popular neighbors.  With confidence this is
 *					Freq(ij) / (Freq(i) * Freq(j)^alpha)	(Deshpande, Karypis 2004,
 *					"Item-based top-N recommendation algorithms")
 * shrinkage		c / (c + shrinkage) pulls scores with little support
 *					towards zero						(Bell, Koren 2007, "Scalable
 *					collaborative filtering with jointly derived neighborhood
 *					interpolation weights")
 */
#include "core/pairs/similarity.h"

#include <math.h>

static const struct
{
	const char *name;
	RecsysSimilarity similarity;
}			similarity_names[] =
{
	{"cosine", RECSYS_COSINE},
	{"jaccard", RECSYS_JACCARD},
	{"dice", RECSYS_DICE},
	{"confidence", RECSYS_CONFIDENCE},
	{"lift", RECSYS_LIFT},
	{"pmi", RECSYS_PMI},
	{"log_likelihood", RECSYS_LOG_LIKELIHOOD},
	{"rp3beta", RECSYS_RP3BETA},
	{"slim", RECSYS_SLIM},
	{"ease", RECSYS_EASE},
	{"spectral", RECSYS_SPECTRAL},
	{"itemknn", RECSYS_ITEMKNN},
	{"als", RECSYS_ALS},
	{"popular", RECSYS_POPULAR},
	{"auto", RECSYS_AUTO},
	{"session", RECSYS_SESSION}
};

bool
RecsysNamesEqual(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++)
	{
		char		x = (*a >= 'A' && *a <= 'Z') ? *a - 'A' + 'a' : *a;
		char		y = (*b >= 'A' && *b <= 'Z') ? *b - 'A' + 'a' : *b;

		if (x != y)
			return false;
	}
	return *a == *b;
}

bool
RecsysSimilarityParse(const char *name, RecsysSimilarity *similarity)
{
	for (int x = 0; x < (int) lengthof(similarity_names); x++)
	{
		if (RecsysNamesEqual(name, similarity_names[x].name))
		{
			*similarity = similarity_names[x].similarity;
			return true;
		}
	}
	return false;
}

const char *
RecsysSimilarityName(RecsysSimilarity similarity)
{
	for (int x = 0; x < (int) lengthof(similarity_names); x++)
	{
		if (similarity_names[x].similarity == similarity)
			return similarity_names[x].name;
	}
	elog(ERROR, "unknown similarity %d", (int) similarity);
	return NULL;				/* not reached */
}

/*
 * expected * ((1 + x) * ln(1 + x) - x) with x = deviation / expected: what one
 * cell of the table adds to G2 / 2.
 *
 * The deviations of the four cells cancel, so subtracting them changes nothing
 * in the sum, but it makes every term positive: no digits are lost however
 * close to independence the items are.
 */
static double
cell_divergence(double expected, double deviation)
{
	double		x;

	if (expected <= 0.0)
		return 0.0;
	x = deviation / expected;
	if (x <= -1.0)
		return expected;		/* an empty cell */
	if (fabs(x) < 0.02)
	{
		/* series sum (-x)^n / (n * (n - 1)), up to x^9: the rest is below 1e-15 */
		double		sum = 1.0 / 72.0;

		sum = 1.0 / 56.0 - x * sum;
		sum = 1.0 / 42.0 - x * sum;
		sum = 1.0 / 30.0 - x * sum;
		sum = 1.0 / 20.0 - x * sum;
		sum = 1.0 / 12.0 - x * sum;
		sum = 1.0 / 6.0 - x * sum;
		sum = 1.0 / 2.0 - x * sum;
		return expected * x * x * sum;
	}
	return expected * ((1.0 + x) * log1p(x) - x);
}

double
RecsysLogLikelihood(double c, const RecsysPairTotals *totals)
{
	double		n_users = totals->n_users;
	double		others_i = n_users - totals->n_i;
	double		others_j = n_users - totals->n_j;
	double		deviation = (c * n_users - totals->n_i * totals->n_j) / n_users;

	if (!(deviation > 0.0))
		return 0.0;
	return 2.0 * (cell_divergence(totals->n_i * totals->n_j / n_users, deviation) +
				  cell_divergence(totals->n_i * others_j / n_users, -deviation) +
				  cell_divergence(others_i * totals->n_j / n_users, -deviation) +
				  cell_divergence(others_i * others_j / n_users, deviation));
}

double
RecsysSimilarityScore(const RecsysModelOptions *options, double c, double dot,
					  const RecsysPairTotals *totals)
{
	double		score = 0.0;

	if (c <= 0.0)
		return 0.0;

	switch (options->similarity)
	{
		case RECSYS_COSINE:
			score = dot / sqrt(totals->norm2_i * totals->norm2_j);
			break;
		case RECSYS_JACCARD:
			score = c / (totals->n_i + totals->n_j - c);
			break;
		case RECSYS_DICE:
			score = 2.0 * c / (totals->n_i + totals->n_j);
			break;
		case RECSYS_CONFIDENCE:
			score = c / totals->n_i;
			break;
		case RECSYS_LIFT:
			score = c * totals->n_users / (totals->n_i * totals->n_j);
			break;
		case RECSYS_PMI:
			score = log(c * totals->n_users / (totals->n_i * totals->n_j));
			break;
		case RECSYS_LOG_LIKELIHOOD:
			score = RecsysLogLikelihood(c, totals);
			break;
		case RECSYS_RP3BETA:
			score = dot * pow(totals->mass_i, -options->alpha) * pow(totals->n_j, -options->beta);
			break;
		case RECSYS_SESSION:
			score = dot / totals->norm2_i;
			break;
		case RECSYS_SLIM:
		case RECSYS_EASE:
		case RECSYS_SPECTRAL:
		case RECSYS_ITEMKNN:
		case RECSYS_ALS:
			elog(ERROR, "similarity \"%s\" is no function of counts",
				 RecsysSimilarityName(options->similarity));
		case RECSYS_POPULAR:
		case RECSYS_AUTO:
			break;
	}

	if (options->alpha != 0.0 && options->similarity != RECSYS_RP3BETA)
		score *= pow(totals->n_j, -options->alpha);
	if (options->shrinkage != 0.0)
		score *= c / (c + options->shrinkage);
	return score;
}
