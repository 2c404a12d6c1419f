/*
 * startingmodels.c
 *	  Where a search over all models begins.
 *
 * First comes one of each family.  Then points all over the two options of rp3beta that
 * make up for each other, and of cosine likewise: which part of the valley is deepest
 * depends on the data, and a search that begins at one end of it may stay there.
 *
 * A column of weights may hold quantities up to tens of thousands, whose squares drown
 * everything else.  So models that are learned from weights begin with weights that
 * saturate (bm25).  They are tried with the logarithm of each weight, too, and those that
 * most depend on weights with nothing but whether there is one.  ease never sees weights as
 * they are: with squares some 10^7 times lambda its matrix has no inverse in single precision.
 */
#include "postgres.h"

#include "api/measure/startingmodels.h"
#include "core/pairs/modeloptions.h"

static const char *const families[] = {
	"similarity = rp3beta, min_support = 2, neighbors = 200, alpha = 0.8, beta = 0.3",
	"similarity = log_likelihood, min_support = 1",
	"similarity = cosine, min_support = 1",
	"similarity = cosine, min_support = 2, shrinkage = 10",
	"similarity = confidence, min_support = 1, alpha = 0.3",
	"similarity = spectral, min_support = 1, neighbors = 500, rank = 256",
	"similarity = ease, min_support = 1, neighbors = 200",
	"similarity = slim, min_support = 1",
	"similarity = als",
	"similarity = jaccard, min_support = 1",
	"similarity = itemknn, min_support = 1, neighbors = 500, candidates = 100",
	"similarity = lift, min_support = 3, shrinkage = 20",
	"similarity = pmi, min_support = 3, shrinkage = 10",
};

/* So many of them are tried with either transformation of weights. */
#define BOTH_TRANSFORMS 3

/* alpha and beta, by how often they have been near the best */
static const char *const walks[][2] = {
	{"1", "0.2"}, {"0.6", "0.3"}, {"0.8", "0.7"}, {"0.8", "0.5"}, {"0.6", "0.6"}, {"1", "0.4"},
	{"1.2", "0.2"}, {"0.4", "0.3"}, {"1", "0.7"}, {"0.6", "0.1"}, {"1.2", "0.5"}, {"0.4", "0.6"},
};

static const char *const others[] = {
	"similarity = cosine, min_support = 1, neighbors = 200, alpha = 0.2, user_damping = 0.5",
	"similarity = cosine, min_support = 2, neighbors = 200, alpha = 0.2",
	"similarity = cosine, min_support = 2, neighbors = 200, shrinkage = 10, user_damping = 0.5",
	"similarity = cosine, min_support = 1, neighbors = 500, alpha = 0.1, user_damping = 1",
	"similarity = confidence, min_support = 1, neighbors = 500, alpha = 0.3, shrinkage = 5",
	"similarity = confidence, min_support = 1, neighbors = 200, alpha = 0.5",
	"similarity = log_likelihood, min_support = 2, neighbors = 200",
	"similarity = jaccard, min_support = 2, neighbors = 200, shrinkage = 20",
};

/* A model as it learns from weights; als has a regularization that grows with them. */
static char *
weigh(const char *text, const RecsysDataShape *shape)
{
	char	   *family = RecsysTextFamily(text);

	if (shape->weighted && RecsysFamilyHasOwnOptions(family) && strcmp(family, "als") != 0)
		return RecsysTextWithOption(text, "weighting", "bm25");
	return pstrdup(text);
}

static char *
walk(int place, const char *min_support)
{
	return psprintf("similarity = rp3beta, min_support = %s, neighbors = 200, alpha = %s, beta = %s",
					min_support, walks[place][0], walks[place][1]);
}

List *
RecsysStartingModels(const RecsysDataShape *shape)
{
	bool		transformed = shape->weighted && RecsysModelOptionFind("weight_transform") != NULL;
	List	   *models = NIL;

	for (int x = 0; x < (int) lengthof(families); x++)
	{
		models = lappend(models, weigh(families[x], shape));
		if (!transformed || !RecsysFamilyTakesWeights(RecsysTextFamily(families[x])))
			continue;
		models = lappend(models, RecsysTextWithOption(families[x], "weight_transform", "log"));
		if (x < BOTH_TRANSFORMS)
			models = lappend(models, RecsysTextWithOption(families[x], "weight_transform", "binary"));
	}

	/* what is learned without weights does as well, or better, on most data */
	for (int x = 0; x < (int) lengthof(walks); x++)
		models = lappend(models, transformed ?
						 RecsysTextWithOption(walk(x, "2"), "weight_transform", x % 2 == 0 ? "binary" : "log") :
						 weigh(walk(x, "2"), shape));
	for (int x = 0; x < (int) lengthof(others); x++)
		models = lappend(models, transformed && RecsysFamilyTakesWeights(RecsysTextFamily(others[x])) ?
						 RecsysTextWithOption(others[x], "weight_transform", x % 2 == 0 ? "binary" : "log") :
						 weigh(others[x], shape));
	for (int x = 0; x < (int) lengthof(walks) / 2; x++)
		models = lappend(models, transformed ?
						 RecsysTextWithOption(walk(x, "1"), "weight_transform", "binary") :
						 weigh(walk(x, "1"), shape));
	return models;
}
