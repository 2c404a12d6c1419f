/*
 * names.h
 *	  Names in a definition: as they are declared, and as they are kept.
 *
 * What is declared is looked up as everywhere in SQL, by the search path of who declares.  What
 * is kept has its schema and its quotes, so that it means the same for everyone.
 */
#ifndef RECSYS_NAMES_H
#define RECSYS_NAMES_H

#include "postgres.h"

#include "am/store/columns.h"

/* Could it stand in SQL without quotes, as it is, and be that name?  At most 63 bytes. */
extern bool RecsysIsPlainName(const char *name);

/* The last part of a qualified name, without quotes. */
extern char *RecsysUnqualifiedName(const char *name);

/*
 * The relation of that name, which can be read as a table, locked in AccessShareLock until the
 * end of the transaction.  Errors out if there is none or the current user may read none of it.
 */
extern Oid	RecsysFindRelation(const char *name);

/* What has that name, as it is kept, whoever may use it; InvalidOid if there is nothing, or no name. */
extern Oid	RecsysKeptRelation(const char *name);
extern bool RecsysRelationExists(const char *name);

/* The recsys index of that name, which the current user may use, and its columns. */
extern Oid	RecsysFindIndex(const char *name, RecsysColumns *columns);

/* The same of an index over items. */
extern Oid	RecsysFindItemsIndex(const char *name, RecsysColumns *columns);

/*
 * What scores come from: a recsys index, or a graph in a relation; items, and those that they
 * speak for, are of those kinds.
 */
extern Oid	RecsysFindGraph(const char *name, RecsysKeyKind item_kind, RecsysKeyKind similar_kind);

/* Its name with schema and quotes. */
extern char *RecsysKeptName(Oid relation);

/* A column of the relation, as it is kept; *type gets its type. */
extern char *RecsysFindColumn(Oid relation, const char *name, Oid *type);

/* Errors out unless the items of an index are of the kind that those of the first signal are. */
extern void RecsysCheckItemKind(Oid index, RecsysKeyKind kind, RecsysKeyKind wanted);

/*
 * Errors out if a table may have several rows of one value in the column: it needs a unique
 * index.  Of views and foreign tables that cannot be known.
 */
extern void RecsysCheckUnique(Oid relation, const char *column);

/* Can values of the two types be compared by an operator = that everybody finds? */
extern bool RecsysTypesCompare(Oid left, Oid right);

/*
 * Between the two, names mean what they mean for everyone: only what is in pg_catalog is found
 * without its schema, and values are written in the ISO style.
 */
extern int	RecsysBeginPlainNames(void);
extern void RecsysEndPlainNames(int nestlevel);

/* Is that column, of the table that the index is over, the first one of the index? */
extern bool RecsysIndexHasKey(Oid index, Oid table, const char *column);

#endif							/* RECSYS_NAMES_H */
