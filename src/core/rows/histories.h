/*
 * histories.h
 *	  Folded histories collected one after the other: a user-major matrix that
 *	  grows.
 */
#ifndef RECSYS_HISTORIES_H
#define RECSYS_HISTORIES_H

#include "core/rows/chronology.h"
#include "core/rows/matrix.h"

typedef struct RecsysHistories
{
	RecsysMatrix matrix;
	uint32		maxrows;
	uint64		maxentries;
} RecsysHistories;

/* Allocates in the current memory context, in which the arrays stay. */
extern void RecsysHistoriesInit(RecsysHistories *histories, uint32 nitems, bool weighted);

/* From now on the matrix has places, too; before the first user. */
extern void RecsysHistoriesKeepPlaces(RecsysHistories *histories);

/* Adds a user; items are distinct and ascending.  Returns the place of the first entry. */
extern uint64 RecsysHistoriesAdd(RecsysHistories *histories, const RecsysHistoryItem *items,
								 int count);

/* No users any more, but the memory. */
extern void RecsysHistoriesClear(RecsysHistories *histories);

/* Entries of all users. */
#define RecsysHistoriesEntries(histories) \
	((histories)->matrix.offsets[(histories)->matrix.nrows])

#endif							/* RECSYS_HISTORIES_H */
