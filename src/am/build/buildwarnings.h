/*
 * buildwarnings.h
 *	  What a build has to say of options and rows that are hardly meant.
 */
#ifndef RECSYS_BUILDWARNINGS_H
#define RECSYS_BUILDWARNINGS_H

#include "postgres.h"

#include "utils/rel.h"

/* For an index without times: errors out, or warns, if it has an option that needs them. */
extern void RecsysCheckHalfLives(Relation index);

/* So many interactions lie in the future.  index: as the user knows it; the root of a whole */
extern void RecsysWarnOfFuture(Oid index, int time_column, uint64 future);

#endif							/* RECSYS_BUILDWARNINGS_H */
