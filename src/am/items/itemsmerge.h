/*
 * itemsmerge.h
 *	  Carrying changed content into the item graph of an items index.
 */
#ifndef RECSYS_ITEMSMERGE_H
#define RECSYS_ITEMSMERGE_H

#include "am/merge/merge.h"

/*
 * As RecsysMerge does for a recsys index: takes the pending events whose transactions are
 * over, finds each item's content as of a snapshot, compares it with all current content, and
 * brings the item's row and those of its neighbors up to date.  What is left is what a build
 * over the same rows would give, with the counts of terms as of the last build.
 */
extern bool RecsysMergeItems(Relation heap, Relation index, RecsysMergeMode mode,
							 RecsysMergeResult *result);

/* Whichever of the two is right for the index. */
extern bool RecsysMergeAny(Relation heap, Relation index, RecsysMergeMode mode,
						   RecsysMergeResult *result);

#endif							/* RECSYS_ITEMSMERGE_H */
