/*
 * chronology.h
 *	  The order in which a user came to the items of the history.
 *
 * Items that have the same time have the same place: nothing tells which of them came first.
 * Places do not depend on the order of rows, nor on how far apart in time items are.
 */
#ifndef RECSYS_CHRONOLOGY_H
#define RECSYS_CHRONOLOGY_H

#include "core/rows/history.h"

typedef uint16 RecsysOrdinal;

/* Of an item without a time */
#define RECSYS_NO_ORDINAL 0

/* So many places are told apart; what is older than the latest of them shares the first. */
#define RECSYS_ORDINALS PG_UINT16_MAX

/* Places of a folded history's items: 1 for the earliest, the next number for the next time. */
extern void RecsysHistoryPlaces(const RecsysHistoryItem *items, int count, RecsysOrdinal *places);

#endif							/* RECSYS_CHRONOLOGY_H */
