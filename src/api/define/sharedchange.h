/*
 * sharedchange.h
 *	  Changes of a declared recommender that all nodes of Citus have.
 */
#ifndef RECSYS_SHAREDCHANGE_H
#define RECSYS_SHAREDCHANGE_H

#include "postgres.h"

#include "api/declare/declaredrows.h"

/*
 * After its row, which is locked, has been written: has all nodes serve by the new one, if they
 * serve it, or errors out if they cannot.
 */
extern void RecsysShareChange(const RecsysDeclaredRow *before, const RecsysDeclaredRow *row);

/*
 * After all that nodes need has been made for one as it was: has them serve it as it is now,
 * which may be another since.  Errors out if it has become one that this is not of use for.
 */
extern void RecsysShareAsItIs(const RecsysDeclaredRow *before);

/* Before it is dropped or renamed */
extern void RecsysRefuseIfShared(const char *name);

#endif							/* RECSYS_SHAREDCHANGE_H */
