/*
 * streamarrays.h
 *	  Arrays that recsys-stream passes: a value for each partition, or for each message.
 */
#ifndef RECSYS_STREAMARRAYS_H
#define RECSYS_STREAMARRAYS_H

#include "postgres.h"

#include "fmgr.h"

typedef struct RecsysStreamArray
{
	Datum	   *values;
	bool	   *isnull;
	int			n;
} RecsysStreamArray;

/*
 * An array argument of one dimension; *n < 0: of any length, and set to it.  Errors out on another length,
 * and on elements that are NULL unless nulls are allowed.  An argument that is NULL and may have nulls is
 * nothing but those.
 */
extern void RecsysArgStreamArray(FunctionCallInfo fcinfo, int argument, const char *name, Oid element,
								 bool nulls, int *n, RecsysStreamArray *array);

/* Places of the partitions in the order in which they are locked; errors out on one that is there twice. */
extern int *RecsysPartitionOrder(const RecsysStreamArray *partitions);

#endif							/* RECSYS_STREAMARRAYS_H */
