/*
 * localnames.h
 *	  Queries of a definition over tables of Citus, on the node that has their rows.
 */
#ifndef RECSYS_LOCALNAMES_H
#define RECSYS_LOCALNAMES_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* A table in a query that stands for what is elsewhere */
typedef struct RecsysShellName
{
	int			place;			/* in the text, in bytes */
	int			length;			/* to what stands behind it */
	Oid			shell;
	bool		divided;		/* among nodes, by a column; else each node has all of it */
	bool		named;			/* the query calls its rows by another name, or by none */
	bool		bracket;		/* the length goes to behind a closing bracket, as in ONLY (t) */
} RecsysShellName;

/* All relations that the text names with their schemas, as OIDs; what is not there is left out. */
extern List *RecsysRelationsIn(const char *query);

/* Those that are in the text, by their places; NIL where there is no Citus, or none. */
extern List *RecsysFindShellNames(const char *query);

/*
 * The tables of this node that have the rows, in the same order, as OIDs.  Of what is divided it is
 * the shard of a value of that type; InvalidOid where none is given.  Errors out if a table is not
 * on this node.
 */
extern List *RecsysLocalTables(List *names, Oid type, const Datum *value);

/*
 * Where this node has all rows of a table, or would have: its copy of a reference table, else the
 * table itself.
 */
extern Oid	RecsysTableOfRows(Oid table);

/* The text with those in their place; what has none stays as it is. */
extern char *RecsysWithLocalTables(const char *query, List *names, List *tables);

#endif							/* RECSYS_LOCALNAMES_H */
