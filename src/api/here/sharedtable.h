/*
 * sharedtable.h
 *	  Tables of the extension that all nodes of Citus have.
 */
#ifndef RECSYS_SHAREDTABLE_H
#define RECSYS_SHAREDTABLE_H

#include "postgres.h"

#include "utils/relcache.h"

/*
 * This node's copy of a table of the extension, opened in AccessShareLock; NULL if the table is
 * none that nodes share, or this one has no copy.
 */
extern Relation RecsysOpenShared(const char *name);

/* The same on other nodes than the coordinator, which has what is shared in tables of its own. */
extern Relation RecsysOpenSharedOfOthers(const char *name);

#endif							/* RECSYS_SHAREDTABLE_H */
