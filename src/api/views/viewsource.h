/*
 * viewsource.h
 *	  What ready views are made of: a declared recommender or an index, with the types of its keys.
 */
#ifndef RECSYS_VIEWSOURCE_H
#define RECSYS_VIEWSOURCE_H

#include "postgres.h"

#include "api/declare/shop.h"

typedef struct RecsysViewSource
{
	RecsysShop *shop;			/* NULL: an index, and nothing is declared */
	const char *name;			/* declared recommender, or index with its schema */
	const char *literal;		/* the same as SQL */
	const char *verbs;			/* schema of the extension, quoted */

	/* recsys indexes by their names with schema; NULL: an index over items has none of these */
	const char *events;			/* the first signal */
	const char *baskets;		/* what rules are mined in */
	const char *graph;			/* index or relation with the pairs of items; never NULL */
	bool		graph_is_index;

	RecsysKeyKind item_kind;
	const char *item_type;		/* as the columns have it, as SQL */
	const char *call_type;		/* of item keys in the calls that are made */
	const char *user_type;		/* NULL without users */

	/* how rules are mined */
	double		min_support;	/* 0: by the data, see viewqueries.c */
	double		min_confidence;
	int			max_length;
} RecsysViewSource;

/*
 * Fills in all but the last three.  The caller may read what the signals are over; a superuser is
 * refused where another one's expressions would become part of views that run with his rights.  A
 * declared recommender is in use from then on, see RecsysUseShop, until it is released.
 */
extern void RecsysFindViewSource(const char *name, RecsysViewSource *source);

#endif							/* RECSYS_VIEWSOURCE_H */
