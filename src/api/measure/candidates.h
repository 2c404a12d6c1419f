/*
 * candidates.h
 *	  Models to try, as texts: given ones, or a search from the best on.
 */
#ifndef RECSYS_CANDIDATES_H
#define RECSYS_CANDIDATES_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef struct RecsysCandidates RecsysCandidates;

/*
 * The search over all families of models.  Options that only make sense with
 * times, or with weights, are left out unless there are any.
 */
extern RecsysCandidates *RecsysCandidatesSearch(bool weighted, bool timed);

/* Exactly the given models: a list of strings, in which "{a, b}" stands for each of a and b. */
extern RecsysCandidates *RecsysCandidatesGiven(List *texts);

/*
 * The next model to try, or NULL when there is none left.  Report its value before you
 * ask for another; higher is better.
 */
extern const char *RecsysCandidatesNext(RecsysCandidates *candidates);
extern void RecsysCandidatesReport(RecsysCandidates *candidates, double value);

#endif							/* RECSYS_CANDIDATES_H */
