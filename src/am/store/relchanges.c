/*
 * relchanges.c
 *	  Hearing that a relation has changed.
 *
 * The server has ten places for such callbacks, and ends the session of who wants another one.  It
 * takes some of them itself, Citus takes five.  So this library takes one, and calls its own
 * functions from there.
 */
#include "postgres.h"

#include "am/store/relchanges.h"

#define MOST_FUNCTIONS 32

static RelcacheCallbackFunction functions[MOST_FUNCTIONS];
static int	nfunctions = 0;

static void
tell_all(Datum arg, Oid relation)
{
	for (int i = 0; i < nfunctions; i++)
		functions[i] (arg, relation);
}

void
RecsysOnRelationChange(RelcacheCallbackFunction function)
{
	for (int i = 0; i < nfunctions; i++)
		if (functions[i] == function)
			return;
	if (nfunctions == MOST_FUNCTIONS)
		elog(ERROR, "too many functions hear of changed relations");
	if (nfunctions == 0)
		CacheRegisterRelcacheCallback(tell_all, (Datum) 0);
	functions[nfunctions++] = function;
}
