/*
 * deadline.h
 *	  Work that is interrupted at a given time.
 */
#ifndef RECSYS_DEADLINE_H
#define RECSYS_DEADLINE_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * From begin to end, work is cancelled at that time as if the user had asked for it: it
 * ends in an error ERRCODE_QUERY_CANCELED, and RecsysDeadlineReached() tells whether the
 * deadline was the reason.  One deadline at a time.  End must be called, also after an
 * error.
 */
extern void RecsysDeadlineBegin(TimestampTz at);
extern bool RecsysDeadlineReached(void);
extern void RecsysDeadlineEnd(void);

#endif							/* RECSYS_DEADLINE_H */
