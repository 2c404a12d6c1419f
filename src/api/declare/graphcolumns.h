/*
 * graphcolumns.h
 *	  Which columns of a relation are an item graph: item, similar item, score; and whose it is.
 */
#ifndef RECSYS_GRAPHCOLUMNS_H
#define RECSYS_GRAPHCOLUMNS_H

#include "postgres.h"

#include "access/attnum.h"
#include "core/rows/key.h"

#define RECSYS_GRAPH_ITEM 0
#define RECSYS_GRAPH_SIMILAR 1
#define RECSYS_GRAPH_SCORE 2
#define RECSYS_GRAPH_COLUMNS 3

/*
 * They are found by the names that item_similarity() gives them, or else they are the first
 * three.  Errors out unless there are such columns, with keys of those kinds and numbers.
 */
extern void RecsysFindGraphColumns(Oid relation, RecsysKeyKind item_kind,
								   RecsysKeyKind similar_kind, AttrNumber *columns);

/*
 * Is it a materialized view of that role?  Only such a one may be read with the role's rights: of a
 * view, functions would run with them, whoever has written it.
 */
extern bool RecsysIsViewOf(Oid relation, Oid role);

#endif							/* RECSYS_GRAPHCOLUMNS_H */
