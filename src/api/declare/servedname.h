/*
 * servedname.h
 *	  What the recommender argument of a serving function names: an index, or what a shop has declared.
 */
#ifndef RECSYS_SERVEDNAME_H
#define RECSYS_SERVEDNAME_H

#include "postgres.h"

#include "api/declare/shop.h"

/*
 * The declared recommender that serves under a name, NULL where an index does or none at all: a
 * name that an index has is the index's.  Without a name it is the only declared recommender
 * that the caller may use.
 */
extern RecsysShop *RecsysServedShop(const char *name);

/* The recsys index of that name in the search path; InvalidOid if there is none. */
extern Oid	RecsysIndexNamed(const char *name);

/*
 * The name under which what is made for a recommender is marked: an index's with its schema, else
 * the name as it is, whether there is still a recommender or not.
 */
extern const char *RecsysMarkedName(const char *name);

/* The same as RecsysServedShop; *unknown: it is a name that neither has. */
extern RecsysShop *RecsysServed(const char *name, bool *unknown);

#endif							/* RECSYS_SERVEDNAME_H */
