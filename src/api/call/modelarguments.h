/*
 * modelarguments.h
 *	  The options of a model as arguments of functions that train one from a query.
 */
#ifndef RECSYS_MODELARGUMENTS_H
#define RECSYS_MODELARGUMENTS_H

#include "postgres.h"

#include "core/pairs/modeloptions.h"
#include "fmgr.h"

/*
 * similarity is the first of the arguments, and neighbors, min_support, shrinkage, alpha,
 * max_history and options follow.  What is asked for, not resolved yet.
 */
extern void RecsysArgModelOptions(FunctionCallInfo fcinfo, int first, RecsysModelOptions *options);

#endif							/* RECSYS_MODELARGUMENTS_H */
