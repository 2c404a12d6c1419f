/*
 * build_parallel.h
 *	  The parallel part of an index build.
 */
#ifndef RECSYS_BUILD_PARALLEL_H
#define RECSYS_BUILD_PARALLEL_H

#include "postgres.h"

#include "utils/rel.h"

/* How many parallel workers a build may use; may be none. */
extern int	RecsysBuildWorkers(Relation heap, Relation index);

#endif							/* RECSYS_BUILD_PARALLEL_H */
