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

/*
 * heap and definition are what somebody has created, and what messages, names and SQL are about.
 * index has the pages: that is the definition itself, or where that is partitioned its whole
 * (am/parts), of which nobody should hear.
 */
typedef struct RecsysRecommender
{
	Relation	heap;
	Relation	index;
	RecsysColumns columns;
	Relation	definition;
} RecsysRecommender;

/*
 * Which indexes a function takes: those over interactions, which know users; those over items;
 * those over item graphs; all of them
 */
typedef enum RecsysTakes
{
	RECSYS_TAKES_INTERACTIONS,
	RECSYS_TAKES_ITEMS,
	RECSYS_TAKES_GRAPH,
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

/* The same for an index known by its OID: that of the definition. */
extern void RecsysOpenRecommenderIndex(Oid index, RecsysRecommender *recommender);
extern void RecsysOpenIndexOf(Oid index, RecsysTakes takes, RecsysRecommender *recommender);

/* Errors out unless it is an index of either kind; it need not be locked. */
extern void RecsysNeedsIndex(Oid relation);

/* Errors out unless it is an index over interactions; it need not be locked. */
extern void RecsysNeedsUsers(Oid index);

/* What an index must be like that is opened for its maintenance */
typedef enum RecsysOwnState
{
	RECSYS_OWN_VALID,
	RECSYS_OWN_MADE,			/* valid; the whole of a partitioned one is made if there is none yet */
	RECSYS_OWN_READABLE,		/* it may be invalid or damaged */
	RECSYS_OWN_DEFINED			/* likewise, and if there is no whole, index will be NULL */
} RecsysOwnState;

/*
 * Opens table and index for the maintenance of an index, in that lock mode.
 * Errors out unless it is an index of either kind within reach, of the current
 * user (from 17 on MAINTAIN on the table will do) and in that state.
 * Looks at no page of it but to see that it is not empty; columns is not set.
 */
extern void RecsysOpenOwnIndex(Oid index, LOCKMODE lockmode, RecsysOwnState state,
							   RecsysRecommender *recommender);

extern void RecsysCloseRecommender(RecsysRecommender *recommender);

/* Its name with its schema, as it can be written in SQL */
extern char *RecsysQualifiedRecommenderName(const RecsysRecommender *recommender);

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
