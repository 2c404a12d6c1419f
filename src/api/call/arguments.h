/*
 * arguments.h
 *	  Reading and checking the arguments that the SQL functions share.
 */
#ifndef RECSYS_ARGUMENTS_H
#define RECSYS_ARGUMENTS_H

#include "postgres.h"

#include "core/rows/key.h"
#include "fmgr.h"

/*
 * k, declared as bigint or as integer.  NULL means no limit, as in LIMIT NULL.  A k beyond
 * the number of possible items means the same.  Errors out when negative.
 */
extern int	RecsysArgK(FunctionCallInfo fcinfo, int argument);

/*
 * Is there an argument at that place, and is it not NULL?  There is none at -1, nor where the
 * function is still that of an older version of the extension.
 */
extern bool RecsysHasArgument(FunctionCallInfo fcinfo, int argument);

/* Text argument as a C string, NULL for NULL. */
extern char *RecsysArgText(FunctionCallInfo fcinfo, int argument);

/* The same, of an argument that must not be NULL. */
extern char *RecsysArgQuery(FunctionCallInfo fcinfo, int argument, const char *name);

/* True or false; errors out on NULL. */
extern bool RecsysArgFlag(FunctionCallInfo fcinfo, int argument, const char *name);

/* A number in a range that NULL is not in; the second one takes NULL for otherwise. */
extern int	RecsysArgInteger(FunctionCallInfo fcinfo, int argument, const char *name, int low,
							 int high);
extern int	RecsysArgIntegerOr(FunctionCallInfo fcinfo, int argument, const char *name, int low,
							   int high, int otherwise);
extern double RecsysArgDouble(FunctionCallInfo fcinfo, int argument, const char *name, double low,
							  double high);

/*
 * Key in a non-null argument.  Text is read as a key of the column's type.
 * Errors out when the argument's type is another one and not of that column's
 * kind in that role ("user" or "item").
 */
extern void RecsysArgKey(FunctionCallInfo fcinfo, int argument, Oid column_type,
						 const char *role, const char *recommender, RecsysKey *key);

/*
 * A key as text, as the argument's type has it: bigint in decimal, uuid in lower case.  NULL for
 * NULL.  Of text, which may be a key of any type, it is the text as it is.  Errors out when the
 * type can be no key.
 */
extern char *RecsysArgKeyText(FunctionCallInfo fcinfo, int argument);

/* May a value of the argument's type be a key? */
extern bool RecsysArgIsKey(FunctionCallInfo fcinfo, int argument);

/* Has the argument been passed as text, or without a type? */
extern bool RecsysArgIsText(FunctionCallInfo fcinfo, int argument);

/*
 * Item keys in a non-null argument: an array, or a text that is read as one.
 * NULL elements are left out.  Returns how many there are.
 */
extern int	RecsysArgKeyArray(FunctionCallInfo fcinfo, int argument, Oid column_type,
							  const char *recommender, RecsysKey **keys);

/*
 * The same call, palloc'd, with n text arguments from the first one on replaced by their values as
 * other types, read by the types' input functions.  For variants of a function that take untyped
 * arguments as text.
 */
extern FunctionCallInfo RecsysReadArguments(FunctionCallInfo fcinfo, int first, const Oid *types,
											int n);

/*
 * Half-life in microseconds: the argument, or fallback when it is NULL.  Zero
 * means no decay.  Errors out when it is negative, or given although the
 * recommender has no time.
 */
extern int64 RecsysArgHalfLife(FunctionCallInfo fcinfo, int argument, bool timed,
							   const char *recommender, int64 fallback);

#endif							/* RECSYS_ARGUMENTS_H */
