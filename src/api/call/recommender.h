/*
 * recommender.h
 *	  From the recommender argument of a SQL function to an open index that the
 *	  caller may read.
 */
#ifndef RECSYS_RECOMMENDER_H
#define RECSYS_RECOMMENDER_H

#include "postgres.h"

#include "am/store/meta.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

typedef struct RecsysRecommender
{
	Relation	heap;
	Relation	index;
	RecsysColumns columns;
} RecsysRecommender;

/* Which indexes a function takes: those over interactions, which know users; those over items; both */
typedef enum RecsysTakes
{
	RECSYS_TAKES_INTERACTIONS,
	RECSYS_TAKES_ITEMS,
	RECSYS_TAKES_BOTH
} RecsysTakes;

/*
 * Opens the recommender of that name; NULL means the only one that the caller
 * may read.  Both relations are locked in AccessShareLock until the end of the
 * transaction.  Errors out, each with its own message and hint, when there is no
 * such relation, it is no recsys index, it is not valid, there are several or
 * none to choose from, or the caller may not read all rows of the table.
 */
extern void RecsysOpenRecommender(const char *name, RecsysRecommender *recommender);

/*
 * The same for others than indexes over interactions.  NULL means the only one over items if no
 * other is taken; else an index over items has to be named.
 */
extern void RecsysOpenNamed(const char *name, RecsysTakes takes, RecsysRecommender *recommender);

/* The relation of that name, which nothing else is known of; errors out if there is none. */
extern Oid	RecsysNamedRecommender(const char *name);

/* The same for an index known by its OID. */
extern void RecsysOpenRecommenderIndex(Oid index, RecsysRecommender *recommender);
extern void RecsysOpenIndexOf(Oid index, RecsysTakes takes, RecsysRecommender *recommender);

/* Errors out unless it is an index of either kind; it need not be locked. */
extern void RecsysNeedsIndex(Oid relation);

/* Errors out unless it is an index over interactions; it need not be locked. */
extern void RecsysNeedsUsers(Oid index);

/*
 * Opens table and index for the maintenance of an index, in that lock mode.
 * Errors out unless it is an index of either kind within reach, of the current
 * user (from 17 on MAINTAIN on the table will do) and, if so asked, valid.
 * Looks at no page of it.
 */
extern void RecsysOpenOwnIndex(Oid index, LOCKMODE lockmode, bool valid,
							   Relation *heap_relation, Relation *index_relation);

/*
 * Why an index is not valid, and what to do: it is being built, or a command that failed
 * has left it.  Whole sentences, without the last full stop.
 */
extern char *RecsysWhyNotValid(Relation index);

extern void RecsysCloseRecommender(RecsysRecommender *recommender);

/*
 * A relation's name to put in a message, or its number when it has been dropped:
 * for relations that are not locked.
 */
extern char *RecsysNameForMessage(Oid relation);

/*
 * May the current user see what the index knows: read every indexed column, with
 * no row-level security in the way?
 */
extern bool RecsysMayRead(Oid table, Oid index);

#endif							/* RECSYS_RECOMMENDER_H */
