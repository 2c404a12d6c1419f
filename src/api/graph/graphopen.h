/*
 * graphopen.h
 *	  From a regclass to an open index over an item graph.
 */
#ifndef RECSYS_GRAPHOPEN_H
#define RECSYS_GRAPHOPEN_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "fmgr.h"

/*
 * The relation of an argument, which must not be NULL: an index over an item graph, or a table
 * that has one.  Opened as by RecsysOpenIndexOf, with the same errors.
 */
extern void RecsysOpenGraphArgument(FunctionCallInfo fcinfo, int argument, RecsysRecommender *graph);

/* The OID in an argument; errors out on NULL. */
extern Oid	RecsysArgRelation(FunctionCallInfo fcinfo, int argument, const char *name);

#endif							/* RECSYS_GRAPHOPEN_H */
