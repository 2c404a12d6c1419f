/*
 * sharedchange.h
 *	  Changes of a declared recommender that all nodes of Citus have.
 */
#ifndef RECSYS_SHAREDCHANGE_H
#define RECSYS_SHAREDCHANGE_H

#include "postgres.h"

#include "api/declare/declaredrows.h"

/* After its row has been written: has all nodes serve by the new one, or errors out if they cannot. */
extern void RecsysShareChange(const RecsysDeclaredRow *before, const RecsysDeclaredRow *row);

/* Before it is dropped or renamed */
extern void RecsysRefuseIfShared(const char *name);

#endif							/* RECSYS_SHAREDCHANGE_H */
