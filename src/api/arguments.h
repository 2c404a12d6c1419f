/*
 * arguments.h
 *	  Reading and checking the arguments that the SQL functions share.
 */
#ifndef RECSYS_ARGUMENTS_H
#define RECSYS_ARGUMENTS_H

#include "postgres.h"

#include "core/key.h"
#include "fmgr.h"

/* k: NULL means no limit, as in LIMIT NULL; errors out when negative. */
extern int	RecsysArgK(FunctionCallInfo fcinfo, int argument);

/* Text argument as a C string, NULL for NULL. */
extern char *RecsysArgText(FunctionCallInfo fcinfo, int argument);

/*
 * Key in a non-null argument; errors out when its type is not of the kind that
 * the recommender has in that role ("user" or "item").
 */
extern void RecsysArgKey(FunctionCallInfo fcinfo, int argument, RecsysKeyKind kind,
						 const char *role, const char *recommender, RecsysKey *key);

/*
 * Half-life in microseconds: the argument, or fallback when it is NULL.  Zero
 * means no decay.  Errors out when it is negative, or given although the
 * recommender has no time.
 */
extern int64 RecsysArgHalfLife(FunctionCallInfo fcinfo, int argument, bool timed,
							   const char *recommender, int64 fallback);

#endif							/* RECSYS_ARGUMENTS_H */
