/*
 * guard.h
 *	  Going on after an error.
 */
#ifndef RECSYS_GUARD_H
#define RECSYS_GUARD_H

#include "postgres.h"

/*
 * Calls work(arg).  When that ends in an error the error's message is returned
 * in the caller's memory context, and what work has locked, pinned and opened
 * is given back; else NULL.  A cancelled query stays cancelled.
 *
 * Takes a subtransaction, so the SQL function that calls it must be PARALLEL UNSAFE.  If
 * a parallel operation calls it all the same, through a function with a wrong label,
 * errors are not caught.
 */
typedef void (*RecsysGuardedWork) (void *arg);

extern char *RecsysGuard(RecsysGuardedWork work, void *arg);

/* The same, with all that is known of the error, and only for errors for which goes_on says true. */
typedef bool (*RecsysGuardTest) (const ErrorData *error);

extern ErrorData *RecsysGuardCatch(RecsysGuardedWork work, void *arg, RecsysGuardTest goes_on);

/* Such a test, for one of many steps: true unless somebody stops all of them, or memory is out. */
extern bool RecsysIsOfStep(const ErrorData *error);

#endif							/* RECSYS_GUARD_H */
