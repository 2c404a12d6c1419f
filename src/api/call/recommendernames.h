/*
 * recommendernames.h
 *	  Names of recommenders: lists of them, and names that lead to none.
 */
#ifndef RECSYS_RECOMMENDERNAMES_H
#define RECSYS_RECOMMENDERNAMES_H

#include "postgres.h"

#include "am/entry/indexes.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

/* "a, b and 3 more": the first few of the indexes' qualified names, in alphabetical order */
extern char *RecsysListNames(List *indexes);

/* The first of these names, quoted as the recommender argument takes it */
extern char *RecsysFirstNameLiteral(List *indexes);

/*
 * Is there no schema but the system's in the search path?  That is so while a dump is
 * restored and, from 17 on, while a materialized view is refreshed.
 */
extern bool RecsysSearchPathIsBare(void);

/* Errors out on what is no name but a query: there are functions that take one. */
extern void RecsysRefuseQueryAsName(const char *name);

/* The indexes of a kind that the current user may use: of a table, and all. */
extern List *RecsysUsableIndexesOfTable(Oid table, RecsysIndexKind kind);
extern List *RecsysUsableIndexes(RecsysIndexKind kind);

/*
 * An error about a name that the search path does not find.  It names the missing right,
 * or the schema in which there is such a recommender, or says that there is none.
 */
extern void RecsysNameNotFound(const RangeVar *range, const char *name);

#endif							/* RECSYS_RECOMMENDERNAMES_H */
