/*
 * upkeepsteps.h
 *	  Steps of recsys.maintain: each goes through or leaves no trace, and none stops the others.
 */
#ifndef RECSYS_UPKEEPSTEPS_H
#define RECSYS_UPKEEPSTEPS_H

#include "postgres.h"

#include "funcapi.h"

/* Rows of the answer */
typedef struct RecsysUpkeep
{
	ReturnSetInfo *result;
} RecsysUpkeep;

extern void RecsysUpkeepPut(RecsysUpkeep *upkeep, const char *action, const char *object,
							const char *detail);

/*
 * Runs a step in a subtransaction.  An error in it is reported as a row "postponed" and, unless it is
 * but that a lock is not to be had, as a WARNING; false then.  Cancelling is no such error.
 */
extern bool RecsysUpkeepTry(RecsysUpkeep *upkeep, const char *object, void (*step) (void *arg),
							void *arg);

/*
 * From here on waiting for a lock ends early, as others would stand behind who waits.  Ended by
 * AtEOXact_GUC(false, nestlevel), and by an error.
 */
extern int	RecsysBeginShortLocks(void);

#endif							/* RECSYS_UPKEEPSTEPS_H */
