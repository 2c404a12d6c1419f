/*
 * arrayscheck.h
 *	  Verifying an index over an item graph.
 */
#ifndef RECSYS_ARRAYSCHECK_H
#define RECSYS_ARRAYSCHECK_H

#include "postgres.h"

#include "utils/rel.h"

/*
 * Errors out with ERRCODE_INDEX_CORRUPTED at the first violation; a WARNING tells of rows that
 * have been deleted since the build.
 */
extern void RecsysCheckArrays(Relation heap, Relation index);

#endif							/* RECSYS_ARRAYSCHECK_H */
