/*
 * columns.h
 *	  What the key columns of a recsys index mean.
 */
#ifndef RECSYS_COLUMNS_H
#define RECSYS_COLUMNS_H

#include "postgres.h"

#include "core/rows/history.h"
#include "core/rows/key.h"
#include "utils/rel.h"

/* Attribute numbers of the key columns, counting from 1 */
#define RECSYS_USER_COLUMN	1
#define RECSYS_ITEM_COLUMN	2

typedef struct RecsysColumns
{
	RecsysKeyKind user_kind;	/* 0 in an index over items or an item graph, which has no users */
	RecsysKeyKind item_kind;
	Oid			user_type;		/* base types */
	Oid			item_type;
	int			weight_column;	/* 0: none */
	int			time_column;	/* 0: none */
	Oid			weight_type;
	Oid			time_type;
} RecsysColumns;

/* Errors out with a hint when the columns do not make a recommender. */
extern void RecsysGetColumns(Relation index, RecsysColumns *columns);

/* One heap row as the index sees it */
typedef struct RecsysRow
{
	bool		has_user;
	bool		has_item;
	RecsysKey	user;
	RecsysKey	item;
	double		weight;
	int64		time;
} RecsysRow;

/* Detoasts into the current memory context; errors out on an oversized key. */
extern void RecsysFormRow(Relation index, const RecsysColumns *columns,
						  Datum *values, bool *isnull, RecsysRow *row);

/* now(), as a time of the index's time column; without one, later than any time. */
extern int64 RecsysIndexNow(Relation index);

#endif							/* RECSYS_COLUMNS_H */
