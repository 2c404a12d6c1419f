/*
 * fault.h
 *	  Places where a test can stop the code: RECSYS_FAULT("name").
 *
 * They are there only in a build with RECSYS_FAULTS=1, which the TAP tests use;
 * elsewhere the macro is nothing.  It may stand wherever an error may be
 * raised, so not in a critical section, and is named after the step that is
 * complete when it is reached.  Like compat.h this stands beside the layers;
 * only src/core, which must do without the server, cannot use it.
 *
 * A superuser arms one point with the setting recsys.fault:
 *
 *		name:kill		the process dies as by kill -9; what it has logged is on disk
 *		name:error		an error
 *		name:wait		sleeps until the query is cancelled
 *		name:lock		waits for the session that has pg_advisory_lock(hashtext('name')),
 *						and goes on; for points where no page is locked
 *		name:kill:3		the same, when the point is reached for the third time
 */
#ifndef RECSYS_FAULT_H
#define RECSYS_FAULT_H

#ifdef RECSYS_FAULT_INJECTION

extern void RecsysInitFaults(void);
extern void RecsysFault(const char *point);

#define RECSYS_FAULT(point) RecsysFault(point)

#else

#define RecsysInitFaults() ((void) 0)
#define RECSYS_FAULT(point) ((void) 0)

#endif

#endif							/* RECSYS_FAULT_H */
