/*
 * indexstate.h
 *	  Whether an index can be used as it is, and what to do where it cannot.
 */
#ifndef RECSYS_INDEXSTATE_H
#define RECSYS_INDEXSTATE_H

#include "postgres.h"

#include "utils/rel.h"

/* Errors out unless this session can get at the index's pages. */
extern void RecsysCheckReachable(Relation index);

/* The same, and it must be valid and hold what it is supposed to hold. */
extern void RecsysCheckState(Relation index);

/*
 * Why an index is not valid, and what to do: it is being built, or a command that failed
 * has left it.  Whole sentences, without the last full stop.
 */
extern char *RecsysWhyNotValid(Relation index);

/* Why a valid index over interactions holds nothing, likewise; NULL: it does. */
extern char *RecsysWhyEmpty(Relation index);

/*
 * Is it known at a glance to be such an index?  It need not be locked or exist, nobody is waited
 * for, and damage is no error.
 */
extern bool RecsysIsKnownEmpty(Oid index);

#endif							/* RECSYS_INDEXSTATE_H */
