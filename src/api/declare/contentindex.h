/*
 * contentindex.h
 *	  The items index that a declared recommender names as "content".
 */
#ifndef RECSYS_CONTENTINDEX_H
#define RECSYS_CONTENTINDEX_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "api/declare/definition.h"

/*
 * Opens it as RecsysOpenNamed does.  Errors out, with what to do, if it is gone or what has its
 * name now is not about the recommender's items.
 */
extern void RecsysOpenContent(const RecsysDefinition *definition, RecsysRecommender *items);

#endif							/* RECSYS_CONTENTINDEX_H */
