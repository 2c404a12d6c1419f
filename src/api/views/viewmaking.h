/*
 * viewmaking.h
 *	  One ready view: its materialized view, made, kept or replaced, and the view over it.
 */
#ifndef RECSYS_VIEWMAKING_H
#define RECSYS_VIEWMAKING_H

#include "postgres.h"

#include "api/views/viewqueries.h"
#include "nodes/pg_list.h"

typedef struct RecsysViewMaking
{
	const RecsysViewSource *source;
	const char *schema;			/* quoted */
	Oid			schema_oid;
	bool		with_data;		/* new materialized views are filled at once */
	List	   *readers;		/* of roles as SQL */
} RecsysViewMaking;

/* A view and its materialized view, between the two steps */
typedef struct RecsysViewPair RecsysViewPair;

/*
 * Brings both to what the recommender is now, in two steps, so that those who read the old ones
 * wait for the short one alone: the first computes what is new, the second puts it into its place.
 * Between SPI_connect and SPI_finish, with plain names.  *query is what is being run, for errors.
 *
 * The second returns what has been done: "created", "replaced", "kept", "filled" where there were
 * no rows yet, or "dropped" where the recommender has nothing of the kind any more; NULL: it
 * never had.
 */
extern RecsysViewPair *RecsysPrepareView(const RecsysViewMaking *making, const RecsysReadyView *view,
										 char **query);
extern const char *RecsysFinishView(RecsysViewPair *pair);

/* Drops both, if they are of that recommender, or of any if it is NULL; were there any? */
extern bool RecsysDropMadeView(const char *schema, Oid schema_oid, const char *view,
							   const char *recommender);

/* The name of the materialized view, with its schema and quotes as SQL. */
extern char *RecsysMaterializedName(const char *schema, const char *view);

#endif							/* RECSYS_VIEWMAKING_H */
