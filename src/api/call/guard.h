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
 * Takes a subtransaction, so the SQL function that calls it must be PARALLEL
 * UNSAFE.  In a parallel operation all the same, inside of a function that is
 * labelled wrong, errors are not caught.
 */
typedef void (*RecsysGuardedWork) (void *arg);

extern char *RecsysGuard(RecsysGuardedWork work, void *arg);

/* The same for those errors alone for which goes_on says true. */
typedef bool (*RecsysGuardTest) (const ErrorData *error);

extern char *RecsysGuardIf(RecsysGuardedWork work, void *arg, RecsysGuardTest goes_on);

/* The same, with all that is known of the error. */
extern ErrorData *RecsysGuardCatch(RecsysGuardedWork work, void *arg, RecsysGuardTest goes_on);

#endif							/* RECSYS_GUARD_H */
