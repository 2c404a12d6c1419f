/*
 * viewqueries.h
 *	  The ready views: what each has, as SQL, and what that means.
 */
#ifndef RECSYS_VIEWQUERIES_H
#define RECSYS_VIEWQUERIES_H

#include "postgres.h"

#include "api/views/viewsource.h"

typedef struct RecsysViewColumn
{
	const char *name;
	const char *comment;
} RecsysViewColumn;

typedef struct RecsysViewIndex
{
	const char *suffix;			/* of its name, behind that of the materialized view */
	bool		is_unique;
	const char *on;				/* access method and columns */
} RecsysViewIndex;

/* A column by which rows of a materialized view differ, if it has it; the view leaves it out. */
#define RECSYS_VIEW_KEY "row_key"

#define RECSYS_VIEW_INDEXES 3

typedef struct RecsysReadyView
{
	const char *name;
	const char *comment;

	/* the query; names mean what is in pg_catalog; NULL: the recommender has nothing of the kind */
	char	   *(*query) (const RecsysViewSource *source);
	const RecsysViewColumn *columns;	/* all that there may be, up to one without a name */
	RecsysViewIndex indexes[RECSYS_VIEW_INDEXES];	/* up to one without a suffix */
} RecsysReadyView;

extern const RecsysReadyView RecsysReadyViews[];
extern const int RecsysReadyViewCount;

/* What a column means; NULL if nothing is known of it. */
extern const char *RecsysViewColumnComment(const RecsysReadyView *view, const char *column);

#endif							/* RECSYS_VIEWQUERIES_H */
