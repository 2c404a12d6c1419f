/*
 * missing.h
 *	  What to say when something that a definition names is gone.
 *
 * The hints are for errors on their way out as well: making them looks into no catalog.
 */
#ifndef RECSYS_MISSING_H
#define RECSYS_MISSING_H

#include "postgres.h"

#include "api/declare/shop.h"
#include "compat.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/*
 * The part of a definition that a place in a query comes from, and what is written there; NULL
 * if none is.  place: in bytes, from 0.
 */
extern const char *RecsysPartAt(Jsonb *declared, const char *query, int place, char **text);

/* The same by a place as errors have it: in characters, from 1; NULL if it is not positive. */
extern const char *RecsysPartAtPosition(Jsonb *declared, const char *query, int position, char **text);

/*
 * The call after which the recommender does without a part, and without what needs that.  Of
 * signals, those go whose events are among the texts, and graphs and prices that are.
 */
extern char *RecsysCallWithout(const char *name, Jsonb *declared, const char *part, List *texts);

/* Does the error code say that something is not there? */
extern bool RecsysIsMissing(int code);

/* The hint that prints that call */
#define RECSYS_WITHOUT_HINT "Declare it anew by recsys.alter_recommender, or do without: %s;"

extern char *RecsysHintWithout(const RecsysShop *shop, const char *part, List *texts);

/*
 * What is gone of the indexes and graphs of the signals, and the call that helps; NULL if nothing
 * is.
 */
extern char *RecsysSignalsProblem(const char *name, Jsonb *declared);

/*
 * The relation of a part, by its name as it is kept, locked as RecsysFindRelation does; an
 * error tells the part, and what to do when it is gone.
 */
extern Oid	RecsysShopRelation(const RecsysShop *shop, const char *part, const char *name);

/* Errors out: a column that a part names is gone. */
pg_noreturn extern void RecsysColumnIsMissing(const RecsysShop *shop, const char *part,
											  const char *relation, const char *column);

#endif							/* RECSYS_MISSING_H */
