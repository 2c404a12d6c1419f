/*
 * nodeevents.h
 *	  The index of a signal as this node has it.
 */
#ifndef RECSYS_NODEEVENTS_H
#define RECSYS_NODEEVENTS_H

#include "postgres.h"

#include "api/call/distributed.h"
#include "api/call/recommender.h"

/* What the index that is named says of histories */
typedef struct RecsysHistoryOptions
{
	int64		half_life;		/* that it serves with */
	int			max_history;
} RecsysHistoryOptions;

/*
 * Opens the index of that name as RecsysOpenRecommender does, with the same errors.  One that
 * recsys.distribute() has been to is open afterwards, too: then this returns true and tells of it
 * in *distributed; the pages are those of this node's copy of its item graph, which knows no
 * users, and heap, definition and columns are those that are named.  Of a reference table it is
 * this node's copy that is opened.  distributed and options may be NULL.
 */
extern bool RecsysOpenEvents(const char *name, RecsysRecommender *events, RecsysDistributed *distributed,
							 RecsysHistoryOptions *options);

/*
 * Is the table of an index divided among nodes?  name: with its schema, as definitions keep it, of
 * whatever there is.
 */
extern bool RecsysIsDivided(const char *name);

#endif							/* RECSYS_NODEEVENTS_H */
