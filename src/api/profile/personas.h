/*
 * personas.h
 *	  Where a customer stands in the life cycle: new, active, at risk, lost.
 *
 * An act is a day on which the user has done something by the first signal, however many
 * rows it has left: a basket counts once, whether its lines have one time or several.
 */
#ifndef RECSYS_PERSONAS_H
#define RECSYS_PERSONAS_H

#include "postgres.h"

#include "core/rows/history.h"

#define RECSYS_PERSONAS 4

/* "new", "active", "at risk", "lost" */
extern const char *const RecsysPersonaNames[RECSYS_PERSONAS];

/* What a shop's typical gap is taken for when no user has come twice: 30 days */
#define RECSYS_UNKNOWN_GAP (INT64CONST(30) * 24 * 60 * 60 * 1000000)

/*
 * The persona, a constant string, by the times of the first and the latest act and of now, all
 * in microseconds of the signal's time column, and the number of acts.  typical_gap is that
 * between two acts of a user, over the shop; not positive: unknown.  Without any act the
 * persona is "new".  NULL if there are acts but no times.
 */
extern const char *RecsysPersonaOf(int64 first, int64 latest, int64 count, int64 now,
								   int64 typical_gap);

/*
 * Acts in a user's rows: those with a positive weight.  *first and *latest get their times,
 * RECSYS_NO_TIME without any; what is in the future counts as of now.
 */
extern int64 RecsysCountActs(const RecsysInteraction *rows, int n, int64 now, int64 *first,
							 int64 *latest);

#endif							/* RECSYS_PERSONAS_H */
