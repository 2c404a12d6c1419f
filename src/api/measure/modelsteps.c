/*
 * modelsteps.c
 *	  From a model to those that differ from it by a step of an option.
 *
 * A step takes an option to the next value up or down its list, also from a value between
 * two of them.  Where two options make up for each other, the best values lie along a valley
 * that no step of one option alone leads along: of rp3beta the best alpha and beta were 1 and
 * 0.2, 0.8 and 0.7, 0.6 and 0.3 on three data sets.  Such options are stepped together as well.
 *
 * Intervals have no values that suit all data: they are parts of the time that the
 * interactions are spread over.
 */
#include "postgres.h"

#include <math.h>

#include "api/measure/modelsteps.h"
#include "core/choice/choicesample.h"
#include "core/pairs/modeloptions.h"
#include "core/pairs/prior.h"
#include "source/train/optiontext.h"

#define MAX_VALUES 12

/* Sets of similarities */
#define FAMILY(similarity) (1 << (similarity))
#define ALL_FAMILIES (~0)
#define BLENDED (FAMILY(RECSYS_RP3BETA) | FAMILY(RECSYS_COSINE))
#define PLAIN_COUNTS (FAMILY(RECSYS_COSINE) | FAMILY(RECSYS_JACCARD) | FAMILY(RECSYS_DICE) | \
					  FAMILY(RECSYS_CONFIDENCE) | FAMILY(RECSYS_LIFT) | FAMILY(RECSYS_PMI) | \
					  FAMILY(RECSYS_LOG_LIKELIHOOD))

/* Those that learn from weights of any size: squares of large ones leave ease no inverse. */
#define LEARNED_WEIGHED (FAMILY(RECSYS_SLIM) | FAMILY(RECSYS_SPECTRAL) | FAMILY(RECSYS_ITEMKNN) | \
						 FAMILY(RECSYS_ALS) | FAMILY(RECSYS_SESSION))
#define GRAPHED (~(FAMILY(RECSYS_ALS) | FAMILY(RECSYS_POPULAR)))

/* What there must be for a step to make sense */
typedef enum StepNeeds
{
	NEEDS_NOTHING,
	NEEDS_WEIGHTS,
	NEEDS_TIMES,
	NEEDS_PRIOR					/* and times */
} StepNeeds;

/* values ascend; of intervals, they divide the span, and 0 is for none. */
typedef struct Step
{
	int			families;
	const char *option;
	StepNeeds	needs;
	double		values[MAX_VALUES];
	int			nvalues;
} Step;

#define VALUES(...) {__VA_ARGS__}, lengthof(((double[]) {__VA_ARGS__}))

/* half_life is none of the model's options, but serving's. */
static const char half_life[] = "half_life";

static const Step steps[] = {
	{FAMILY(RECSYS_RP3BETA), "beta", NEEDS_NOTHING, VALUES(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1)},
	{FAMILY(RECSYS_RP3BETA), "alpha", NEEDS_NOTHING, VALUES(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4)},
	{FAMILY(RECSYS_RP3BETA), "user_damping", NEEDS_NOTHING, VALUES(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)},
	{BLENDED, "popularity", NEEDS_NOTHING, VALUES(0, 1, 3, 10, 30, 100, 300, 1000)},
	{BLENDED, "popularity_half_life", NEEDS_PRIOR, VALUES(12, 4, 0)},
	{BLENDED | LEARNED_WEIGHED, "weight_transform", NEEDS_WEIGHTS,
	VALUES(RECSYS_TRANSFORM_BINARY, RECSYS_TRANSFORM_LOG, RECSYS_TRANSFORM_NONE)},
	{FAMILY(RECSYS_EASE), "weight_transform", NEEDS_WEIGHTS,
	VALUES(RECSYS_TRANSFORM_BINARY, RECSYS_TRANSFORM_LOG)},

	/* bm25 would leave merges behind */
	{BLENDED, "weighting", NEEDS_WEIGHTS, VALUES(RECSYS_WEIGHTING_NONE, RECSYS_WEIGHTING_TFIDF)},
	{LEARNED_WEIGHED | FAMILY(RECSYS_EASE), "weighting", NEEDS_WEIGHTS,
	VALUES(RECSYS_WEIGHTING_NONE, RECSYS_WEIGHTING_BM25, RECSYS_WEIGHTING_TFIDF)},
	{GRAPHED, "min_support", NEEDS_NOTHING, VALUES(1, 2, 3, 5, 10)},
	{GRAPHED, "neighbors", NEEDS_NOTHING, VALUES(10, 20, 50, 100, 200, 500)},
	{PLAIN_COUNTS | FAMILY(RECSYS_SESSION), "alpha", NEEDS_NOTHING, VALUES(0, 0.1, 0.2, 0.3, 0.5, 0.7, 1)},
	{PLAIN_COUNTS, "shrinkage", NEEDS_NOTHING, VALUES(0, 5, 10, 20, 50, 100)},
	{FAMILY(RECSYS_SESSION), "gap_decay", NEEDS_NOTHING, VALUES(0, 0.3, 0.5, 0.7, 0.85, 1)},
	{FAMILY(RECSYS_SESSION), "backward", NEEDS_NOTHING, VALUES(0, 0.1, 0.3, 0.5, 0.7, 1)},
	{FAMILY(RECSYS_SESSION), "shrinkage", NEEDS_NOTHING, VALUES(0, 1, 2, 5, 10, 20)},
	{FAMILY(RECSYS_COSINE) | FAMILY(RECSYS_SESSION), "user_damping", NEEDS_NOTHING, VALUES(0, 0.2, 0.4, 0.6, 0.8, 1)},
	{FAMILY(RECSYS_RP3BETA), "shrinkage", NEEDS_NOTHING, VALUES(0, 1, 2, 5, 10, 20, 50)},
	{FAMILY(RECSYS_SPECTRAL), "rank", NEEDS_NOTHING, VALUES(64, 128, 256, 512, 1024)},
	{FAMILY(RECSYS_SPECTRAL), "power", NEEDS_NOTHING, VALUES(0.2, 0.3, 0.4, 0.5, 0.7)},
	{FAMILY(RECSYS_SPECTRAL), "tail", NEEDS_NOTHING, VALUES(0.3, 0.5, 0.7, 1)},
	{FAMILY(RECSYS_EASE), "lambda", NEEDS_NOTHING, VALUES(10, 20, 40, 80, 160, 320, 640)},
	{FAMILY(RECSYS_ALS), "rank", NEEDS_NOTHING, VALUES(16, 32, 64, 128, 256, 512)},
	{FAMILY(RECSYS_ALS), "unobserved", NEEDS_NOTHING, VALUES(0.001, 0.003, 0.01, 0.03, 0.1, 0.3)},
	{FAMILY(RECSYS_ALS), "lambda", NEEDS_NOTHING, VALUES(0.001, 0.002, 0.003, 0.005, 0.01, 0.03)},
	{FAMILY(RECSYS_ITEMKNN), "candidates", NEEDS_NOTHING, VALUES(20, 50, 100, 200, 500)},
	{FAMILY(RECSYS_SLIM), "l1", NEEDS_NOTHING, VALUES(0, 0.5, 1, 2, 5)},
	{FAMILY(RECSYS_SLIM), "l2", NEEDS_NOTHING, VALUES(1, 5, 10, 20)},
	{ALL_FAMILIES, half_life, NEEDS_TIMES, VALUES(48, 24, 12, 6, 3, 1, 0)},
	{ALL_FAMILIES, "item_max_age", NEEDS_TIMES, VALUES(8, 4, 2, 0)},
};

/* Options that are stepped together: to all corners, or only where one makes up for the other. */
static const struct
{
	RecsysSimilarity family;
	const char *options[2];
	bool		opposite;
}			valleys[] =
{
	{RECSYS_RP3BETA, {"alpha", "beta"}, false},
	{RECSYS_RP3BETA, {"alpha", "user_damping"}, true},
	{RECSYS_COSINE, {"alpha", "user_damping"}, false},
	{RECSYS_ALS, {"unobserved", "lambda"}, false},
};

char *
RecsysPlainModelText(const RecsysModelText *model, const RecsysDataShape *shape)
{
	RecsysModelText plain = *model;
	RecsysModelOptions *options = &plain.options;
	RecsysModelOptions initial;

	RecsysModelOptionsInit(&initial);
	initial.similarity = options->similarity;
	RecsysModelOptionsResolve(&initial);
	if (!shape->weighted || !RecsysModelUsesWeights(options))
		options->weight_transform = initial.weight_transform;
	if (!RecsysModelHasPrior(options))
	{
		options->popularity = initial.popularity;
		options->popularity_half_life = initial.popularity_half_life;
	}
	if (options->similarity != RECSYS_RP3BETA)
		options->beta = initial.beta;
	if (options->similarity != RECSYS_SESSION)
	{
		options->gap_decay = initial.gap_decay;
		options->backward = initial.backward;
	}
	if (options->weighting != RECSYS_WEIGHTING_BM25)
	{
		options->k1 = initial.k1;
		options->b = initial.b;
	}
	options->max_history = plain.max_history;
	return RecsysServedModelText(options, plain.half_life);
}

static bool
applies(const Step *step, const RecsysModelText *model, const RecsysDataShape *shape)
{
	if ((step->families & FAMILY(model->options.similarity)) == 0)
		return false;
	switch (step->needs)
	{
		case NEEDS_NOTHING:
			break;
		case NEEDS_WEIGHTS:
			return shape->weighted;
		case NEEDS_TIMES:
			return shape->timed && shape->span > 0;
		case NEEDS_PRIOR:
			return shape->timed && shape->span > 0 && RecsysModelHasPrior(&model->options);
	}
	return true;
}

static double
get_value(const Step *step, const RecsysModelText *model)
{
	const RecsysModelOption *option = RecsysModelOptionFind(step->option);

	if (option == NULL)
		return (double) model->half_life;
	if (option->kind == RECSYS_OPTION_REAL)
		return *RecsysModelOptionField(option, &model->options, double);
	if (option->kind == RECSYS_OPTION_INTERVAL)
		return (double) *RecsysModelOptionField(option, &model->options, int64);
	return *RecsysModelOptionField(option, &model->options, int);
}

static void
set_value(const Step *step, double value, RecsysModelText *model)
{
	const RecsysModelOption *option = RecsysModelOptionFind(step->option);

	if (option == NULL)
		model->half_life = (int64) value;
	else if (option->kind == RECSYS_OPTION_REAL)
		*RecsysModelOptionField(option, &model->options, double) = value;
	else if (option->kind == RECSYS_OPTION_INTERVAL)
		*RecsysModelOptionField(option, &model->options, int64) = (int64) value;
	else
		*RecsysModelOptionField(option, &model->options, int) = (int) value;
}

/* A value of the list: of intervals, the part of the span that it is. */
static double
listed_value(const Step *step, int place, const RecsysDataShape *shape)
{
	double		value = step->values[place];

	if (step->needs != NEEDS_TIMES && step->needs != NEEDS_PRIOR)
		return value;
	return value > 0 ? (double) RecsysChoiceRound((int64) (shape->span / value)) : 0;
}

/* Where a value stands among others: no interval is the longest, and names are in the order of the list. */
static double
order_of(const Step *step, double value)
{
	if (step->needs == NEEDS_WEIGHTS)
	{
		for (int x = 0; x < step->nvalues; x++)
			if (step->values[x] == value)
				return x;
		return step->nvalues;
	}
	if (value == 0 && (step->needs == NEEDS_TIMES || step->needs == NEEDS_PRIOR))
		return INFINITY;
	return value;
}

/* Takes the option to the next value in a direction; false at the end of the list. */
static bool
take_step(const Step *step, int way, const RecsysDataShape *shape, RecsysModelText *model)
{
	double		order = order_of(step, get_value(step, model));
	int			found = -1;
	double		value;

	for (int x = 0; x < step->nvalues; x++)
	{
		double		difference = order_of(step, listed_value(step, x, shape)) - order;

		/* infinity less infinity is no difference either */
		if (way > 0 && difference > 1e-9 && found < 0)
			found = x;
		if (way < 0 && difference < -1e-9)
			found = x;
	}
	if (found < 0)
		return false;
	value = listed_value(step, found, shape);
	set_value(step, value, model);
	return true;
}

static const Step *
step_of(const RecsysModelText *model, const char *option, const RecsysDataShape *shape)
{
	for (int x = 0; x < (int) lengthof(steps); x++)
		if (strcmp(steps[x].option, option) == 0 && applies(&steps[x], model, shape))
			return &steps[x];
	return NULL;
}

/* Both options of a valley at once */
static List *
add_corners(List *texts, const RecsysModelText *model, const Step *one, const Step *other,
			bool opposite, const RecsysDataShape *shape)
{
	for (int corner = 0; corner < 4; corner++)
	{
		RecsysModelText next = *model;
		int			first = corner & 1 ? -1 : 1;
		int			second = corner & 2 ? -1 : 1;

		if ((!opposite || first != second) && take_step(one, first, shape, &next) &&
			take_step(other, second, shape, &next))
			texts = lappend(texts, RecsysPlainModelText(&next, shape));
	}
	return texts;
}

List *
RecsysModelNeighbors(const RecsysModelText *model, const RecsysDataShape *shape)
{
	List	   *texts = NIL;

	for (int x = 0; x < (int) lengthof(valleys); x++)
	{
		const Step *one = step_of(model, valleys[x].options[0], shape);
		const Step *other = step_of(model, valleys[x].options[1], shape);

		if (valleys[x].family == model->options.similarity && one != NULL && other != NULL)
			texts = add_corners(texts, model, one, other, valleys[x].opposite, shape);
	}
	for (int x = 0; x < (int) lengthof(steps); x++)
	{
		if (!applies(&steps[x], model, shape))
			continue;
		for (int way = 1; way >= -1; way -= 2)
		{
			RecsysModelText next = *model;

			if (take_step(&steps[x], way, shape, &next))
				texts = lappend(texts, RecsysPlainModelText(&next, shape));
		}
	}
	return texts;
}
