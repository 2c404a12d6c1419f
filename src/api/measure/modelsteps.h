/*
 * modelsteps.h
 *	  From a model, as text, to those that differ from it by a step of an option.
 */
#ifndef RECSYS_MODELSTEPS_H
#define RECSYS_MODELSTEPS_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* What there is to learn from: options that only make sense with it are left out without. */
typedef struct RecsysDataShape
{
	bool		weighted;
	bool		timed;
} RecsysDataShape;

/* The text with an option set, in place of its value if it has one. */
extern char *RecsysTextWithOption(const char *text, const char *option, const char *value);

/* The name of the similarity that stands in the text. */
extern char *RecsysTextFamily(const char *text);

/* Is the family one with options of its own, which alpha and shrinkage are none of? */
extern bool RecsysFamilyHasOwnOptions(const char *family);

/* Does the family learn from weights of any size?  (ease cannot take large ones.) */
extern bool RecsysFamilyTakesWeights(const char *family);

/* All texts that are one step away, those first that matter most. */
extern List *RecsysTextNeighbors(const char *text, const RecsysDataShape *shape);

#endif							/* RECSYS_MODELSTEPS_H */
