/*
 * startingmodels.c
 *	  Where a search over all models begins, apart from what similarity = auto chooses.
 *
 * First comes one of each family, learned ones soon, so that few trials are enough to know
 * what they are worth; where there are times, what comes after what is one, too.  Then points all over the options of rp3beta that make up for each
 * other, and of cosine likewise: which part of the valley is deepest depends on the data, and
 * a search that begins at one end of it may stay there.
 *
 * A column of weights may hold quantities up to tens of thousands, whose squares drown
 * everything else.  So all begin with nothing but whether there is a positive weight; then
 * the best families are tried with logarithms, and learned ones with weights that saturate
 * (bm25).  Sums as they are come last, and ease never sees them: with squares some 10^7 times
 * lambda its matrix has no inverse in single precision.
 */
#include "postgres.h"

#include "api/measure/startingmodels.h"
#include "core/pairs/modeloptions.h"

static const char *const families[] = {
	"similarity = rp3beta, min_support = 2, neighbors = 200, alpha = 0.8, beta = 0.3",
	"similarity = spectral, min_support = 1, neighbors = 500, rank = 256",
	"similarity = ease, min_support = 1, neighbors = 200",
	"similarity = als",
	"similarity = log_likelihood, min_support = 1",
	"similarity = cosine, min_support = 2, shrinkage = 10",
	"similarity = slim, min_support = 1",
	"similarity = confidence, min_support = 1, alpha = 0.3",
	"similarity = itemknn, min_support = 1, neighbors = 500, candidates = 100",
	"similarity = jaccard, min_support = 1",
	"similarity = cosine, min_support = 1",
	"similarity = lift, min_support = 3, shrinkage = 20",
	"similarity = pmi, min_support = 3, shrinkage = 10",
};

/* How else weights are taken, by what has been best on most data */
static const char *const weighed[] = {
	"similarity = rp3beta, min_support = 2, neighbors = 200, alpha = 0.8, beta = 0.3, weight_transform = log",
	"similarity = spectral, min_support = 1, neighbors = 500, rank = 256, weight_transform = log",
	"similarity = als, weight_transform = log",
	"similarity = itemknn, min_support = 1, neighbors = 500, candidates = 100, weighting = bm25",
	"similarity = cosine, min_support = 2, shrinkage = 10, weight_transform = log",
	"similarity = ease, min_support = 1, neighbors = 200, weighting = bm25",
	"similarity = slim, min_support = 1, weighting = bm25",
	"similarity = spectral, min_support = 1, neighbors = 500, rank = 256, weighting = bm25",
	"similarity = rp3beta, min_support = 2, neighbors = 200, alpha = 0.6, beta = 0.3",
	"similarity = als",
};

/* alpha, beta and user_damping, by how often they have been near the best */
static const char *const walks[][3] = {
	{"1", "0.2", "0"}, {"0.6", "0.3", "0"}, {"0.8", "0.7", "0"}, {"0.5", "0.2", "0.2"},
	{"0.8", "0.5", "0"}, {"0.4", "0.4", "0"}, {"0.6", "0.6", "0"}, {"1", "0.4", "0"},
	{"0.7", "0.2", "0.3"}, {"1.2", "0.2", "0"}, {"0.4", "0.2", "0.4"}, {"1", "0.7", "0"},
	{"0.6", "0.1", "0"}, {"1.2", "0.5", "0"}, {"0.7", "0.5", "0.3"}, {"0.4", "0.6", "0"},
};

static const char *const others[] = {
	"similarity = rp3beta, neighbors = 200, alpha = 0.6, beta = 0.4, popularity = 10",
	"similarity = cosine, min_support = 1, neighbors = 200, alpha = 0.2, user_damping = 0.6",
	"similarity = cosine, min_support = 2, neighbors = 200, alpha = 0.2",
	"similarity = rp3beta, neighbors = 200, alpha = 0.6, beta = 0.4, popularity = 100",
	"similarity = cosine, min_support = 2, neighbors = 200, shrinkage = 10, user_damping = 0.4",
	"similarity = cosine, min_support = 2, neighbors = 200, popularity = 10",
	"similarity = cosine, min_support = 1, neighbors = 500, alpha = 0.1, user_damping = 1",
	"similarity = confidence, min_support = 1, neighbors = 500, alpha = 0.3, shrinkage = 5",
	"similarity = confidence, min_support = 1, neighbors = 200, alpha = 0.5",
	"similarity = log_likelihood, min_support = 2, neighbors = 200",
	"similarity = jaccard, min_support = 2, neighbors = 200, shrinkage = 20",
};

/* As such data have it: without any look at the weights, unless the text says how */
static List *
add(List *models, const char *text, bool as_said, const RecsysDataShape *shape)
{
	RecsysModelText model;

	RecsysParseModelText(text, &model);
	if (!as_said)
		model.options.weight_transform = RECSYS_TRANSFORM_BINARY;
	return lappend(models, RecsysPlainModelText(&model, shape));
}

static List *
add_walks(List *models, int count, int min_support, const RecsysDataShape *shape)
{
	for (int x = 0; x < count; x++)
		models = add(models,
					 psprintf("similarity = rp3beta, min_support = %d, neighbors = 200, alpha = %s, beta = %s, user_damping = %s",
							  min_support, walks[x][0], walks[x][1], walks[x][2]), false, shape);
	return models;
}

List *
RecsysStartingModels(const RecsysDataShape *shape)
{
	List	   *models = NIL;

	for (int x = 0; x < (int) lengthof(families); x++)
		models = add(models, families[x], false, shape);
	for (int x = 0; shape->weighted && x < (int) lengthof(weighed); x++)
		models = add(models, weighed[x], true, shape);
	if (shape->timed)
		models = add(models, "similarity = session", false, shape);
	models = add_walks(models, lengthof(walks), 2, shape);
	for (int x = 0; x < (int) lengthof(others); x++)
		models = add(models, others[x], false, shape);
	return add_walks(models, lengthof(walks) / 2, 1, shape);
}
