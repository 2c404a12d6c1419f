/*
 * visible.h
 *	  A user's interactions as a snapshot sees them.
 */
#ifndef RECSYS_VISIBLE_H
#define RECSYS_VISIBLE_H

#include "postgres.h"

#include "core/history.h"
#include "core/key.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/*
 * All interactions of a user (rows with an item) that are visible to snapshot,
 * in palloc'd memory; returns how many.  0 for an unknown user.
 */
extern int	RecsysReadVisible(Relation heap, Relation index, const RecsysKey *user,
							  Snapshot snapshot, RecsysInteraction **interactions);

/*
 * The same for every user of the index, one call each; the array is reused.
 */
typedef void (*RecsysVisibleUser) (void *arg, RecsysInteraction *interactions, int count);

extern void RecsysScanVisible(Relation heap, Relation index, Snapshot snapshot,
							  RecsysVisibleUser report, void *arg);

#endif							/* RECSYS_VISIBLE_H */
