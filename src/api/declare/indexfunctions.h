/*
 * indexfunctions.h
 *	  Functions in the expressions and the condition of an index.
 */
#ifndef RECSYS_INDEXFUNCTIONS_H
#define RECSYS_INDEXFUNCTIONS_H

#include "utils/relcache.h"

/*
 * Errors out if the index computes its rows by a function of somebody whom the current user does
 * not trust.  To be called before the index's columns or condition become part of a query that
 * runs with the rights of the current user.
 */
extern void RecsysCheckIndexFunctions(Relation index);

#endif
