/*
 * slice.h
 *	  Inserts that merge a few events: where the pending lists are too long and no worker is there.
 */
#ifndef RECSYS_SLICE_H
#define RECSYS_SLICE_H

#include "am/merge/merge.h"

/* RecsysMerge, or what another kind of index has in its place */
typedef bool (*RecsysMergeFunction) (Relation heap, Relation index, RecsysMergeMode mode,
									 RecsysMergeResult *result);

/* Merges a slice, unless it is too soon after the last one. */
extern void RecsysMergeSlice(Relation heap, Relation index, RecsysMergeFunction merge);

#endif							/* RECSYS_SLICE_H */
