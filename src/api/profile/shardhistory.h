/*
 * shardhistory.h
 *	  Where the history of a user is, by one signal.
 */
#ifndef RECSYS_SHARDHISTORY_H
#define RECSYS_SHARDHISTORY_H

#include "postgres.h"

#include "api/profile/shopprofile.h"

/* Can the user have rows anywhere? */
extern bool RecsysIsSomebody(RecsysEvidence *evidence, const RecsysKey *user);

/*
 * Opens the index that has the user's rows, if it is another than that of the events.  Returns false
 * if there is nothing to be read.
 */
extern bool RecsysBeginHistory(RecsysEvidence *evidence, const RecsysKey *user);

/* The index whose numbers rows and items of the evidence have */
extern RecsysRecommender *RecsysHistoryOf(const RecsysEvidence *evidence);

/* The slots of n items by those numbers, which all are items of that index */
extern void RecsysHistorySlots(const RecsysEvidence *evidence, const uint32 *items, int n, uint32 *slots);

extern void RecsysEndHistory(RecsysEvidence *evidence);

#endif							/* RECSYS_SHARDHISTORY_H */
