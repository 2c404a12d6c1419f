/*
 * variantlist.h
 *	  The variants of an experiment, as they are declared and as they are kept.
 */
#ifndef RECSYS_VARIANTLIST_H
#define RECSYS_VARIANTLIST_H

#include "postgres.h"

#include "api/keep/experimentrow.h"
#include "utils/jsonb.h"

typedef struct RecsysVariantList
{
	RecsysVariant *variants;	/* the control first; shares sum up to 1 */
	int			count;
} RecsysVariantList;

/*
 * Reads what is declared: an object of variants by their names, of which "control" is the first, or
 * an array.  A variant without a recommender has that of before, which may be NULL; those without a
 * share divide what the others leave.  Errors out unless the current user may use all recommenders now and their keys are of
 * the same kinds.  Nothing that is declared is run.
 */
extern void RecsysReadVariants(JsonbValue *declared, const RecsysVariantList *before,
							   RecsysVariantList *list);

/* Reads what is kept. */
extern void RecsysReadKeptVariants(JsonbValue *kept, RecsysVariantList *list);

extern void RecsysPutVariants(JsonbParseState **state, const RecsysVariantList *list);

/* Number of that name, -1: none */
extern int	RecsysFindVariant(const RecsysVariantList *list, const char *name);

/* Why a variant's recommender, by its name as it is kept, cannot be used by the current user; NULL: it can */
extern char *RecsysVariantProblem(const char *recommender);

#endif							/* RECSYS_VARIANTLIST_H */
