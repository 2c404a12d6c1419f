/*
 * suggestion.h
 *	  The call to make instead of the one that fails, for hints.
 */
#ifndef RECSYS_SUGGESTION_H
#define RECSYS_SUGGESTION_H

#include "postgres.h"

#include "core/rows/key.h"
#include "fmgr.h"

/*
 * The running call with its arguments up to the recommender, or what it reads
 * instead of one, so that it answers with item keys of that kind.  recommender
 * is for a call that has not named it.
 */
extern char *RecsysSuggestCall(FunctionCallInfo fcinfo, RecsysKeyKind kind,
							   const char *recommender);

#endif							/* RECSYS_SUGGESTION_H */
