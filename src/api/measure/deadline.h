/*
 * deadline.h
 *	  Work that is interrupted at a given time.
 */
#ifndef RECSYS_DEADLINE_H
#define RECSYS_DEADLINE_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * From begin to end, work is cancelled at that time as if the user had asked for it:
 * it ends in an error ERRCODE_QUERY_CANCELED, for which RecsysDeadlineReached() tells
 * whose doing it is.  One deadline at a time.  End must be reached, also after an error;
 * it tells whether the time has come meanwhile.
 */
extern void RecsysDeadlineBegin(TimestampTz at);
extern bool RecsysDeadlineReached(void);
extern bool RecsysDeadlineEnd(void);

#endif							/* RECSYS_DEADLINE_H */
