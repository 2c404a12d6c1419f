/*
 * contentsource.h
 *	  What a function that compares items is given: an items index, or a declared recommender that
 *	  has one.
 */
#ifndef RECSYS_CONTENTSOURCE_H
#define RECSYS_CONTENTSOURCE_H

#include "postgres.h"

#include "api/declare/shop.h"

typedef struct RecsysContentSource
{
	const char *index;			/* name of an items index; NULL: the only one */
	const char *events;			/* name of a recsys index, or NULL */
	RecsysShop *shop;			/* NULL: an index is named */
} RecsysContentSource;

/*
 * name as RecsysServedShop takes it; without one it is an index.  events is what is named beside
 * it, else it is what the recommender's first signal says.  Errors out if the recommender has
 * no content.
 */
extern void RecsysFindContentSource(const char *name, const char *events,
									RecsysContentSource *source);

#endif							/* RECSYS_CONTENTSOURCE_H */
