/*
 * arraycolumns.h
 *	  What the columns of an index over an item graph mean, and one row of its table.
 */
#ifndef RECSYS_ARRAYCOLUMNS_H
#define RECSYS_ARRAYCOLUMNS_H

#include "postgres.h"

#include "core/rows/key.h"
#include "utils/rel.h"

/* Columns, counting from 0 */
#define RECSYS_ARRAYS_ITEM		0
#define RECSYS_ARRAYS_USERS		1
#define RECSYS_ARRAYS_SIMILAR	2
#define RECSYS_ARRAYS_SCORES	3
#define RECSYS_ARRAYS_SUPPORTS	4	/* may be missing */
#define RECSYS_ARRAYS_COLUMNS	5

typedef struct RecsysArrayColumns
{
	int			count;			/* of columns */
	RecsysKeyKind kind;			/* of items */
	Oid			types[RECSYS_ARRAYS_COLUMNS];	/* base types; of arrays those of their elements */
} RecsysArrayColumns;

/* Errors out with a hint when the columns make no item graph. */
extern void RecsysGetArrayColumns(Relation index, RecsysArrayColumns *columns);

/* A row of the table: an item and its neighbors, in the table's order, in the caller's memory */
typedef struct RecsysArrayRow
{
	RecsysKey	item;
	uint32		users;
	int			count;
	RecsysKey  *peers;
	float	   *scores;
	uint32	   *supports;		/* 0 where the table tells none */
} RecsysArrayRow;

/*
 * False when the row has no item.  Errors out when it is no row of an item graph.  Memory is
 * of the current context.
 */
extern bool RecsysFormArrayRow(Relation index, const RecsysArrayColumns *columns, Datum *values,
							   bool *isnull, RecsysArrayRow *row);

/* The item as text, for messages */
extern char *RecsysArrayItemText(const RecsysArrayColumns *columns, const RecsysKey *item);

#endif							/* RECSYS_ARRAYCOLUMNS_H */
