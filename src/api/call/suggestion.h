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
 * The running call, changed so that it answers with item keys of that kind.  It is
 * printed up to the argument that names the recommender or the query.  recommender is for
 * a call that has not named it.
 */
extern char *RecsysSuggestCall(FunctionCallInfo fcinfo, RecsysKeyKind kind,
							   const char *recommender);

#endif							/* RECSYS_SUGGESTION_H */
