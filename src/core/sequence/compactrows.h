/*
 * compactrows.h
 *	  Fewer rows that fold to the same: so that a user with millions of them needs memory for
 *	  what they amount to only.
 */
#ifndef RECSYS_COMPACTROWS_H
#define RECSYS_COMPACTROWS_H

#include "core/rows/history.h"

/*
 * Rows of one user, in any order, become rows with the same exact sum of weights and the same
 * latest time of each item, and with the same occasions (rhythm.h) if they matter; returns how
 * many those are.  More rows may be added, and compacted again.
 */
extern int	RecsysCompactRows(RecsysInteraction *rows, int n, bool occasions);

#endif							/* RECSYS_COMPACTROWS_H */
