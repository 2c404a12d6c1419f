/*
 * stage.h
 *	  Rows that a statement has inserted and no index has yet.
 */
#ifndef RECSYS_STAGE_H
#define RECSYS_STAGE_H

#include "am/lists/appendbatch.h"

/*
 * Does the statement at hand stage its rows?  Set by statement.c, which also sees to it
 * that they are entered.
 */
typedef enum RecsysStagingMode
{
	RECSYS_STAGING_OFF,
	RECSYS_STAGING_ON,
	RECSYS_STAGING_UNKNOWN		/* unless a row is a speculative insertion */
} RecsysStagingMode;

extern RecsysStagingMode RecsysStaging;

/* Is anything staged? */
extern bool RecsysHasStaged(void);

/*
 * Copies the row; enters all rows if memory for them is spent.  For a whole heap is NULL, and part
 * the index that the server knows of.
 */
extern void RecsysStageRow(Relation heap, Relation index, Relation part, const RecsysNewRow *row);

/* Enters all rows.  Some events may be merged if merge says so. */
extern void RecsysEnterStaged(bool merge);

/* For the ends of transactions and subtransactions */
extern void RecsysDropStaged(void);
extern void RecsysDropStagedSince(SubTransactionId subid);
extern void RecsysReassignStaged(SubTransactionId subid, SubTransactionId parent);

#endif							/* RECSYS_STAGE_H */
