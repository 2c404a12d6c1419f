/*
 * modelsteps.h
 *	  From a model to those that differ from it by a step of an option.
 */
#ifndef RECSYS_MODELSTEPS_H
#define RECSYS_MODELSTEPS_H

#include "postgres.h"

#include "api/measure/model_argument.h"
#include "nodes/pg_list.h"

/* What there is to learn from: options that only make sense with it are left out without. */
typedef struct RecsysDataShape
{
	bool		weighted;
	bool		timed;
	int64		span;			/* of the times; 0: unknown, so there is nothing to step by */
} RecsysDataShape;

/*
 * The model as text: what is not its similarity's default.  Models that say the same of such
 * data have the same text.
 */
extern char *RecsysPlainModelText(const RecsysModelText *model, const RecsysDataShape *shape);

/* The texts of all models that are one step away, those first that matter most. */
extern List *RecsysModelNeighbors(const RecsysModelText *model, const RecsysDataShape *shape);

#endif							/* RECSYS_MODELSTEPS_H */
