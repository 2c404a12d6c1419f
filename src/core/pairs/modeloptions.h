/*
 * modeloptions.h
 *	  The options of all models in one table: name, range, default.
 *
 * Index options, arguments of functions and option texts are all made from it.
 */
#ifndef RECSYS_MODELOPTIONS_H
#define RECSYS_MODELOPTIONS_H

#include "core/pairs/similarity.h"

typedef enum RecsysOptionKind
{
	RECSYS_OPTION_INTEGER,
	RECSYS_OPTION_REAL,
	RECSYS_OPTION_SIMILARITY,	/* names of RecsysSimilarityParse */
	RECSYS_OPTION_WEIGHTING,	/* names of RecsysWeightingParse */
	RECSYS_OPTION_INTERVAL,		/* microseconds; 0 for none; initially that, or
								 * RECSYS_MODEL_DEFAULT */
	RECSYS_OPTION_TRANSFORM		/* names of RecsysWeightTransformParse */
} RecsysOptionKind;

typedef struct RecsysModelOption
{
	const char *name;
	RecsysOptionKind kind;
	Size		offset;			/* in RecsysModelOptions */
	double		initial;		/* may be RECSYS_MODEL_DEFAULT */
	double		least;			/* numbers only */
	double		most;
	const char *description;
} RecsysModelOption;

/*
 * Most neighbors that an item may have, and most that are stored for it: with spare ones
 * beside them.  A graph row has room for no more, see am/store/page.h.
 */
#define RECSYS_MAX_NEIGHBORS 500
#define RECSYS_MAX_STORED 586

/* Directions that spectral can filter */
#define RECSYS_SPECTRAL_MIN_RANK 1
#define RECSYS_SPECTRAL_MAX_RANK 1024

extern const RecsysModelOption RecsysModelOptionTable[];
extern const int RecsysModelOptionCount;

/* How many of them are intervals: all of those need times. */
#define RECSYS_INTERVAL_OPTIONS 3

/* By name, whatever the case; NULL when there is none. */
extern const RecsysModelOption *RecsysModelOptionFind(const char *name);

/* Where the option's value stands; a number is set with RecsysModelOptionSet. */
#define RecsysModelOptionField(option, options, type) \
	((type *) ((char *) (options) + (option)->offset))

/* Of the options that are intervals: the number of one among them. */
extern int	RecsysModelOptionInterval(const RecsysModelOption *option);

/* The first option that needs times: an interval that is set, or the similarity; or NULL. */
extern const char *RecsysModelOptionTimed(const RecsysModelOptions *options);

/* Sets a number; false when it is not in the option's range (NaN never is). */
extern bool RecsysModelOptionSet(const RecsysModelOption *option, RecsysModelOptions *options,
								 double value);

/* Is it left to the model? */
extern bool RecsysModelOptionIsOpen(const RecsysModelOption *option,
									const RecsysModelOptions *options);
extern bool RecsysModelOptionsAgree(const RecsysModelOption *option, const RecsysModelOptions *a,
									const RecsysModelOptions *b);
extern void RecsysModelOptionCopy(const RecsysModelOption *option, RecsysModelOptions *to,
								  const RecsysModelOptions *from);

/* Everything initial. */
extern void RecsysModelOptionsInit(RecsysModelOptions *options);

/* Puts the similarity's own default wherever one is left to it. */
extern void RecsysModelOptionsResolve(RecsysModelOptions *options);

/* "tfidf", …; false when the name is none of them (case-insensitive) */
extern bool RecsysWeightingParse(const char *name, RecsysWeighting *weighting);
extern const char *RecsysWeightingName(RecsysWeighting weighting);

/* "auto", "none", "log", "binary", likewise */
extern bool RecsysWeightTransformParse(const char *name, RecsysWeightTransform *transform);
extern const char *RecsysWeightTransformName(RecsysWeightTransform transform);

/* Is there an item graph at all?  If not, nothing needs to be counted for it. */
extern bool RecsysModelHasPairs(const RecsysModelOptions *options);

/* Does it matter in which order users have come to their items? */
extern bool RecsysModelUsesOrder(const RecsysModelOptions *options);

/* Are weights looked at?  If not, nor are the options that change them. */
extern bool RecsysModelUsesWeights(const RecsysModelOptions *options);

/*
 * Do folded interactions have other weights than 1, if there is a column of them?  If not,
 * the kernels for those without weights do.
 */
#define RecsysModelHasWeights(options) \
	((options)->weight_transform != RECSYS_TRANSFORM_BINARY)

/*
 * Is a pair's score a function of c_ij (or the dot product of the two items' weights),
 * n_i, n_j and N, and each user's weights, and what the order makes of them, one of the
 * user's own history?  Then merges recompute rows exactly.  The graphs of other models change with a REINDEX only.
 */
extern bool RecsysModelIsCounted(const RecsysModelOptions *options);

/*
 * Are an item's n neighbors the first n of any more?  If not, spare ones beyond them would
 * take the places of some.
 */
extern bool RecsysModelKeepsBest(const RecsysModelOptions *options);

#endif							/* RECSYS_MODELOPTIONS_H */
