/*
 * arrayrows.h
 *	  Rows that begin with an array of items, made fast.
 */
#ifndef RECSYS_ARRAYROWS_H
#define RECSYS_ARRAYROWS_H

#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/itemarray.h"

typedef struct RecsysArrayRows RecsysArrayRows;

/*
 * For an answer whose first column is an array of these items; all others are of
 * fixed length.  Lives in the current memory context.
 */
extern RecsysArrayRows *RecsysArrayRowsCreate(RecsysAnswer *answer, const RecsysItemArrays *arrays);

/* A row: n items, and the values of the other columns. */
extern void RecsysArrayRowsPut(RecsysArrayRows *rows, const uint32 *items, uint32 n,
							   const Datum *values, const bool *isnull);

#endif							/* RECSYS_ARRAYROWS_H */
