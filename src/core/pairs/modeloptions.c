/*
 * modeloptions.c
 *	  The options of all models in one table: name, range, default.
 */
#include "core/pairs/modeloptions.h"

#define LARGEST_REGULARIZATION 1e9

#define OPTION(name, kind, initial, least, most, description) \
	{#name, RECSYS_OPTION_##kind, offsetof(RecsysModelOptions, name), initial, least, most, description}

const RecsysModelOption RecsysModelOptionTable[] =
{
	OPTION(similarity, SIMILARITY, RECSYS_AUTO, 0, 0,
		   "Similarity that the item graph is computed with"),
	OPTION(neighbors, INTEGER, RECSYS_MODEL_DEFAULT, 1, RECSYS_MAX_NEIGHBORS,
		   "Most neighbors kept for an item"),
	OPTION(min_support, INTEGER, RECSYS_MODEL_DEFAULT, 1, PG_INT32_MAX,
		   "Fewest distinct users behind a pair of items"),
	OPTION(max_history, INTEGER, 2000, 1, 100000,
		   "Most recent items of one user that count"),
	OPTION(shrinkage, REAL, RECSYS_MODEL_DEFAULT, 0, 1e9,
		   "Damps pairs with little support: score times support / (support + shrinkage)"),
	OPTION(alpha, REAL, RECSYS_MODEL_DEFAULT, 0, 2,
		   "Damps popular neighbors: score times users ^ -alpha; rp3beta: exponent of the transition probabilities"),
	OPTION(beta, REAL, RECSYS_MODEL_DEFAULT, 0, 2,
		   "Of rp3beta: damps popular neighbors, score times users ^ -beta"),
	OPTION(weighting, WEIGHTING, RECSYS_WEIGHTING_NONE, 0, 0,
		   "How interactions are weighted before training"),
	OPTION(k1, REAL, 1.2, 0, 1000,
		   "Of bm25: how large weights can grow"),
	OPTION(b, REAL, 0.75, 0, 1,
		   "Of bm25: how much the length of a user's history matters"),
	OPTION(user_damping, REAL, RECSYS_MODEL_DEFAULT, 0, 2,
		   "Damps busy users: a user counts items ^ -user_damping"),
	OPTION(training_half_life, INTERVAL, 0, 0, 0,
		   "Interval after which an interaction counts half when training"),
	OPTION(l1, REAL, 1, 0, LARGEST_REGULARIZATION,
		   "Of slim: strength of L1 regularization"),
	OPTION(l2, REAL, 5, 0, LARGEST_REGULARIZATION,
		   "Of slim: strength of L2 regularization"),
	OPTION(candidates, INTEGER, 200, 1, 100000,
		   "Of slim and itemknn: most items, by cosine, that may predict an item"),
	OPTION(lambda, REAL, RECSYS_MODEL_DEFAULT, 1e-6, LARGEST_REGULARIZATION,
		   "Of ease and als: strength of L2 regularization"),
	OPTION(rank, INTEGER, RECSYS_MODEL_DEFAULT, RECSYS_SPECTRAL_MIN_RANK, RECSYS_SPECTRAL_MAX_RANK,
		   "Of spectral and als: directions of taste that are told apart"),
	OPTION(power, REAL, 0.4, 0, 1,
		   "Of spectral: exponent of their strengths; the smaller, the less popular taste counts"),
	OPTION(tail, REAL, 0.7, 0, 1,
		   "Of spectral: how much of what lies beyond them counts"),
	OPTION(unobserved, REAL, 0.01, 0, 1e6,
		   "Of als: weight of a pair that was not observed"),
	OPTION(iterations, INTEGER, 16, 1, 1000,
		   "Of als: rounds over users and items"),
	OPTION(weight_transform, TRANSFORM, RECSYS_TRANSFORM_AUTO, 0, 0,
		   "What the sum of a user's weights of an item means: itself, its logarithm, or that it is positive"),
	OPTION(popularity, REAL, RECSYS_MODEL_DEFAULT, 0, 1e6,
		   "Of cosine and rp3beta: how much an item's popularity counts beside a user's history"),
	OPTION(popularity_half_life, INTERVAL, RECSYS_MODEL_DEFAULT, 0, 0,
		   "Interval after which an interaction counts half in an item's popularity"),
	OPTION(item_max_age, INTERVAL, RECSYS_MODEL_DEFAULT, 0, 0,
		   "Interval after which an item that nobody has taken any more is not recommended"),
	OPTION(gap_decay, REAL, 0.7, 0, 1,
		   "Of session: what a pair counts for each step that it is further apart"),
	OPTION(backward, REAL, 0.5, 0, 1,
		   "Of session: what it counts that an item came before, beside that it came after")
};

const int	RecsysModelOptionCount = lengthof(RecsysModelOptionTable);

static const struct
{
	const char *name;
	RecsysWeighting weighting;
}			weighting_names[] =
{
	{"none", RECSYS_WEIGHTING_NONE},
	{"tfidf", RECSYS_WEIGHTING_TFIDF},
	{"bm25", RECSYS_WEIGHTING_BM25}
};

static const char *const transform_names[] =
{
	[RECSYS_TRANSFORM_AUTO] = "auto",
	[RECSYS_TRANSFORM_NONE] = "none",
	[RECSYS_TRANSFORM_LOG] = "log",
	[RECSYS_TRANSFORM_BINARY] = "binary"
};

const RecsysModelOption *
RecsysModelOptionFind(const char *name)
{
	for (int x = 0; x < RecsysModelOptionCount; x++)
	{
		if (RecsysNamesEqual(name, RecsysModelOptionTable[x].name))
			return &RecsysModelOptionTable[x];
	}
	return NULL;
}

int
RecsysModelOptionInterval(const RecsysModelOption *option)
{
	int			number = 0;

	Assert(option->kind == RECSYS_OPTION_INTERVAL);
	for (const RecsysModelOption *other = RecsysModelOptionTable; other < option; other++)
		number += other->kind == RECSYS_OPTION_INTERVAL;
	Assert(number < RECSYS_INTERVAL_OPTIONS);
	return number;
}

const char *
RecsysModelOptionTimed(const RecsysModelOptions *options)
{
	for (int x = 0; x < RecsysModelOptionCount; x++)
	{
		const RecsysModelOption *option = &RecsysModelOptionTable[x];

		if (option->kind == RECSYS_OPTION_INTERVAL &&
			*RecsysModelOptionField(option, options, int64) > 0)
			return option->name;
	}
	return RecsysModelUsesOrder(options) ? "similarity" : NULL;
}

static void
put_value(const RecsysModelOption *option, RecsysModelOptions *options, double value)
{
	switch (option->kind)
	{
		case RECSYS_OPTION_REAL:
			*RecsysModelOptionField(option, options, double) = value;
			break;
		case RECSYS_OPTION_INTERVAL:
			*RecsysModelOptionField(option, options, int64) = (int64) value;
			break;
		default:
			*RecsysModelOptionField(option, options, int) = (int) value;
			break;
	}
}

bool
RecsysModelOptionSet(const RecsysModelOption *option, RecsysModelOptions *options, double value)
{
	if (!(value >= option->least && value <= option->most))
		return false;
	put_value(option, options, value);
	return true;
}

static double
get_value(const RecsysModelOption *option, const RecsysModelOptions *options)
{
	switch (option->kind)
	{
		case RECSYS_OPTION_REAL:
			return *RecsysModelOptionField(option, options, double);
		case RECSYS_OPTION_INTERVAL:
			return (double) *RecsysModelOptionField(option, options, int64);
		default:
			return *RecsysModelOptionField(option, options, int);
	}
}

bool
RecsysModelOptionIsOpen(const RecsysModelOption *option, const RecsysModelOptions *options)
{
	return option->initial == RECSYS_MODEL_DEFAULT && get_value(option, options) == option->initial;
}

bool
RecsysModelOptionsAgree(const RecsysModelOption *option, const RecsysModelOptions *a,
						const RecsysModelOptions *b)
{
	return get_value(option, a) == get_value(option, b);
}

void
RecsysModelOptionCopy(const RecsysModelOption *option, RecsysModelOptions *to,
					  const RecsysModelOptions *from)
{
	put_value(option, to, get_value(option, from));
}

void
RecsysModelOptionsInit(RecsysModelOptions *options)
{
	memset(options, 0, sizeof(*options));
	for (int x = 0; x < RecsysModelOptionCount; x++)
		put_value(&RecsysModelOptionTable[x], options, RecsysModelOptionTable[x].initial);
}

void
RecsysModelOptionsResolve(RecsysModelOptions *options)
{
	if (options->similarity == RECSYS_AUTO)
		options->similarity = RECSYS_COSINE;
	if (options->neighbors == (int) RECSYS_MODEL_DEFAULT)
		options->neighbors = 100;
	if (options->min_support == (uint32) (int) RECSYS_MODEL_DEFAULT)
		options->min_support = options->similarity == RECSYS_SESSION ? 1 : 2;
	if (options->shrinkage == RECSYS_MODEL_DEFAULT)
		options->shrinkage = options->similarity == RECSYS_SESSION ? 2 : 0;
	if (options->beta == RECSYS_MODEL_DEFAULT)
		options->beta = 0.6;
	if (options->user_damping == RECSYS_MODEL_DEFAULT)
		options->user_damping = 0;
	if (options->alpha == RECSYS_MODEL_DEFAULT)
		options->alpha = options->similarity == RECSYS_RP3BETA ? 1.0 : 0.0;
	if (options->lambda == RECSYS_MODEL_DEFAULT)
		options->lambda = options->similarity == RECSYS_ALS ? 0.003 : 80.0;
	if (options->rank == (int) RECSYS_MODEL_DEFAULT)
		options->rank = options->similarity == RECSYS_ALS ? 128 : 512;
	if (options->weight_transform == RECSYS_TRANSFORM_AUTO)
		options->weight_transform = RECSYS_TRANSFORM_NONE;
	if (options->popularity == RECSYS_MODEL_DEFAULT)
		options->popularity = 0;
	if (options->popularity_half_life == (int64) RECSYS_MODEL_DEFAULT)
		options->popularity_half_life = 0;
	if (options->item_max_age == (int64) RECSYS_MODEL_DEFAULT)
		options->item_max_age = 0;
}

bool
RecsysWeightingParse(const char *name, RecsysWeighting *weighting)
{
	for (int x = 0; x < (int) lengthof(weighting_names); x++)
	{
		if (RecsysNamesEqual(name, weighting_names[x].name))
		{
			*weighting = weighting_names[x].weighting;
			return true;
		}
	}
	return false;
}

const char *
RecsysWeightingName(RecsysWeighting weighting)
{
	for (int x = 0; x < (int) lengthof(weighting_names); x++)
	{
		if (weighting_names[x].weighting == weighting)
			return weighting_names[x].name;
	}
	elog(ERROR, "unknown weighting %d", (int) weighting);
	return NULL;				/* not reached */
}

bool
RecsysWeightTransformParse(const char *name, RecsysWeightTransform *transform)
{
	for (int x = 0; x < (int) lengthof(transform_names); x++)
	{
		if (RecsysNamesEqual(name, transform_names[x]))
		{
			*transform = (RecsysWeightTransform) x;
			return true;
		}
	}
	return false;
}

const char *
RecsysWeightTransformName(RecsysWeightTransform transform)
{
	if ((int) transform < 0 || (int) transform >= (int) lengthof(transform_names))
		elog(ERROR, "unknown weight transform %d", (int) transform);
	return transform_names[transform];
}

bool
RecsysModelUsesWeights(const RecsysModelOptions *options)
{
	return options->similarity == RECSYS_COSINE || options->similarity == RECSYS_RP3BETA ||
		options->similarity == RECSYS_SESSION || RecsysSimilarityIsLearned(options->similarity);
}

bool
RecsysModelUsesOrder(const RecsysModelOptions *options)
{
	return options->similarity == RECSYS_SESSION;
}

bool
RecsysModelHasPairs(const RecsysModelOptions *options)
{
	return options->similarity != RECSYS_POPULAR;
}

bool
RecsysModelIsCounted(const RecsysModelOptions *options)
{
	if (RecsysSimilarityIsLearned(options->similarity))
		return false;

	/* bm25 weighs by what other users have, and what decays does so from one day to another */
	return !RecsysModelUsesWeights(options) ||
		(options->weighting != RECSYS_WEIGHTING_BM25 && options->training_half_life == 0);
}

bool
RecsysModelKeepsBest(const RecsysModelOptions *options)
{
	return options->similarity != RECSYS_SPECTRAL;
}
