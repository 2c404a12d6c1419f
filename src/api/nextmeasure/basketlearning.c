/*
 * basketlearning.c
 *	  Which mix of repeats, discoveries and popular items foretells baskets best.
 *
 * Half of the users choose, the other half judges, so that what is said of the mix is not what it was
 * chosen by.  From the defaults on, one weight after the other takes the value by which the held-out
 * baskets of those who choose stand highest, recall plus NDCG of lists of ten, until a round changes
 * nothing.  A value has to be better by more than a thousandth: differences below that are
 * chance, and the defaults are from elsewhere and know nothing of it.
 */
#include "postgres.h"

#include <math.h>

#include "api/nextmeasure/basketlearning.h"
#include "core/measure/basketlist.h"
#include "core/measure/significance.h"
#include "datatype/timestamp.h"
#include "miscadmin.h"

/* Places of a list that count */
#define LIST 10

/* Users that are asked, of both halves */
#define MOST_USERS 4000

#define LEAST_GAIN 1.001
#define MOST_ROUNDS 4

static const double decays[] = {1, 0.95, 0.9, 0.8, 0.7, 0.6};
static const double dues[] = {0, 0.15, 0.3, 0.5, 0.7};
static const double weights[] = {0, 0.003, 0.01, 0.03, 0.1, 0.2};

/* Parts of the time that the rows are spread over, rounded to days */
static const double half_lives[] = {0, 0.0625, 0.125, 0.25, 0.5};

typedef struct Learning
{
	RecsysEvaluation *evaluation;
	RecsysEvaluator *evaluator;
	RecsysOutcome outcome;
	uint32		nusers;			/* the first ones are asked: those at even places choose */
	int64		span;
	double		value;			/* of the best so far */
} Learning;

/* A figure of all users at even or odd places */
static double
mean_figure(const Learning *learning, int figure, uint32 first)
{
	double		sum = 0;
	uint32		count = 0;

	for (uint32 user = first; user < learning->nusers; user += 2)
	{
		sum += learning->outcome.figures[(Size) user * 2 + figure];
		count++;
	}
	return count > 0 ? sum / count : NAN;
}

/* Makes and measures the lists of users at even or odd places. */
static void
measure_half(Learning *learning, uint32 first)
{
	for (uint32 user = first; user < learning->nusers; user += 2)
		RecsysEvaluatorUsers(learning->evaluator, user, user + 1, &learning->outcome);
}

static double
value_of(Learning *learning, const RecsysNextBasketOptions *options)
{
	learning->evaluation->baskets->mix = *options;
	measure_half(learning, 0);
	return mean_figure(learning, 0, 0) + mean_figure(learning, 1, 0);
}

/* Takes the options if they are better. */
static bool
try_options(Learning *learning, const RecsysNextBasketOptions *options,
			RecsysNextBasketOptions *best)
{
	double		value;

	if (memcmp(options, best, sizeof(RecsysNextBasketOptions)) == 0)
		return false;
	value = value_of(learning, options);
	if (!(value > learning->value * LEAST_GAIN))
		return false;
	learning->value = value;
	*best = *options;
	return true;
}

/* Tries values for the weight that stands at an offset of the options. */
static bool
try_values(Learning *learning, Size offset, const double *values, int n,
		   RecsysNextBasketOptions *best)
{
	bool		better = false;

	for (int x = 0; x < n; x++)
	{
		RecsysNextBasketOptions options = *best;

		*(double *) ((char *) &options + offset) = values[x];
		better |= try_options(learning, &options, best);
	}
	return better;
}

static bool
try_half_lives(Learning *learning, RecsysNextBasketOptions *best)
{
	bool		better = false;

	for (int x = 0; x < (int) lengthof(half_lives) && learning->span > 0; x++)
	{
		RecsysNextBasketOptions options = *best;

		options.half_life = (int64) rint(half_lives[x] * learning->span / USECS_PER_DAY) * USECS_PER_DAY;
		better |= try_options(learning, &options, best);
	}
	return better;
}

static void
search(Learning *learning, RecsysNextBasketOptions *best)
{
	bool		better = true;

	*best = RecsysNextBasketDefaults;
	learning->value = value_of(learning, best);
	for (int round = 0; better && round < MOST_ROUNDS; round++)
	{
		better = try_values(learning, offsetof(RecsysNextBasketOptions, popular), weights,
							lengthof(weights), best);
		better |= try_values(learning, offsetof(RecsysNextBasketOptions, discover), weights,
							 lengthof(weights), best);
		better |= try_values(learning, offsetof(RecsysNextBasketOptions, neighbors), weights,
							 lengthof(weights), best);
		better |= try_values(learning, offsetof(RecsysNextBasketOptions, basket_decay), decays,
							 lengthof(decays), best);
		better |= try_values(learning, offsetof(RecsysNextBasketOptions, due), dues,
							 lengthof(dues), best);
		better |= try_half_lives(learning, best);
	}
}

/* What those who have not chosen say of it, beside what they have most often */
static void
judge(Learning *learning, RecsysBasketMix *mix)
{
	double	   *differences = palloc(sizeof(double) * learning->nusers);
	uint32		count = 0;

	learning->evaluation->baskets->method = RECSYS_BASKET_FREQUENCY;
	measure_half(learning, 1);
	mix->recall_frequency = mean_figure(learning, 0, 1);
	mix->ndcg_frequency = mean_figure(learning, 1, 1);
	for (uint32 user = 1; user < learning->nusers; user += 2)
		differences[count++] = -learning->outcome.figures[(Size) user * 2 + 1];

	learning->evaluation->baskets->method = RECSYS_BASKET_MIX;
	learning->evaluation->baskets->mix = mix->options;
	measure_half(learning, 1);
	mix->recall = mean_figure(learning, 0, 1);
	mix->ndcg = mean_figure(learning, 1, 1);
	for (uint32 x = 0; x < count; x++)
		differences[x] += learning->outcome.figures[((Size) x * 2 + 1) * 2 + 1];
	mix->p_value = RecsysPairedT(differences, count);
	mix->users = learning->nusers - count;
	mix->judged_by = count;
	pfree(differences);
}

bool
RecsysLearnBasketMix(RecsysEvaluation *evaluation, int64 span, RecsysBasketMix *mix)
{
	Learning	learning = {.evaluation = evaluation};

	if (evaluation->nusers < RECSYS_LEARNING_BASKETS)
		return false;
	evaluation->nks = 1;
	evaluation->ks[0] = LIST;
	evaluation->metrics = RECSYS_METRIC_BIT(RECSYS_METRIC_RECALL) | RECSYS_METRIC_BIT(RECSYS_METRIC_NDCG);
	evaluation->baskets->method = RECSYS_BASKET_MIX;
	learning.span = span;
	learning.nusers = Min(evaluation->nusers, MOST_USERS);
	learning.outcome.figures = palloc(sizeof(double) * 2 * learning.nusers);
	learning.outcome.lists = palloc(sizeof(uint32) * LIST * learning.nusers);
	learning.evaluator = RecsysEvaluatorCreate(evaluation);
	search(&learning, &mix->options);
	judge(&learning, mix);
	RecsysEvaluatorFree(learning.evaluator);
	return true;
}
