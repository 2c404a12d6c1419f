/*
 * sameness.h
 *	  Are two items the same thing, sold twice?  By what they say of themselves.
 *
 * Texts and vectors (titles, descriptions, pictures) identify a thing, labels and numbers do
 * not: a category has many things, and what is the same has many prices.  Nor do texts that are
 * labels by their nature, brands for example: those of fewer than three words, or that many items
 * share.  So
 *
 *		sameness = (best + mean) / 2 * (1 - share of what disagrees)
 *
 * best and mean are of the likenesses of what identifies both items, the mean by weight: a
 * picture that is the same counts for more than two attributes that are fairly alike.  What
 * disagrees are the others but for numbers: the sum of weight * (1 - likeness) over that
 * of all attributes that both have, without numbers.  That labels agree says nothing.
 *
 * Pictures of different things may be much alike, all on white for example.  What counts of the
 * likeness of vectors is how far it is above chance: (l - c) / (1 - c), c being the median
 * likeness of two items at random, as in Cohen's kappa (Educational and Psychological
 * Measurement 20, 1960).
 */
#ifndef RECSYS_SAMENESS_H
#define RECSYS_SAMENESS_H

#include "core/content/content.h"

typedef struct RecsysSamenessModel
{
	const RecsysContentModel *content;
	float		chance[RECSYS_MAX_ATTRIBUTES];
	bool		identifies[RECSYS_MAX_ATTRIBUTES];
	bool		must_agree[RECSYS_MAX_ATTRIBUTES];
} RecsysSamenessModel;

typedef struct RecsysSameness
{
	float		score;			/* 0 if nothing that both have identifies them */
	float		best;			/* the best of what identifies, above chance */
	float		least;			/* the least likeness of those that must agree, 1 if there is none */
	bool		known[RECSYS_MAX_ATTRIBUTES];	/* by both */
	float		likeness[RECSYS_MAX_ATTRIBUTES];	/* as it is */
} RecsysSameness;

/*
 * Nothing must agree.  What identifies, and chance, are found by pairs of a sample of the packed
 * items, of which there are so many in all.
 */
extern void RecsysSamenessInit(RecsysSamenessModel *model, const RecsysContentModel *content,
							   const char *const *sample, int n, uint32 all, uint64 seed);

/* Can a value of that attribute identify an item at all?  And does any? */
extern bool RecsysMayIdentify(const RecsysAttribute *attribute);
extern bool RecsysSamenessIdentifies(const RecsysSamenessModel *model);

extern void RecsysCompareItems(const RecsysSamenessModel *model, const char *a, const char *b,
							   RecsysSameness *sameness);

#endif							/* RECSYS_SAMENESS_H */
