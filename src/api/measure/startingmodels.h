/*
 * startingmodels.h
 *	  Where a search over all models begins.
 */
#ifndef RECSYS_STARTINGMODELS_H
#define RECSYS_STARTINGMODELS_H

#include "postgres.h"

#include "api/measure/modelsteps.h"
#include "nodes/pg_list.h"

/* Texts, those first that nothing should be tried without: one of each family. */
extern List *RecsysStartingModels(const RecsysDataShape *shape);

#endif							/* RECSYS_STARTINGMODELS_H */
