/*
 * eventsquery.h
 *	  The rows of a recsys index as SQL, for what is asked of the table itself.
 */
#ifndef RECSYS_EVENTSQUERY_H
#define RECSYS_EVENTSQUERY_H

#include "postgres.h"

#include "core/rows/key.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"

typedef struct RecsysEventsQuery
{
	Oid			index;
	char	   *table;			/* as FROM takes it: with its schema, quoted, ONLY unless it is partitioned */

	/* expressions over the table, which mean the same under every search path */
	char	   *user;			/* bigint, uuid, or text that is compared by its bytes */
	char	   *item;
	char	   *weight;			/* as the index reads it: never NULL, finite */
	char	   *time;			/* timestamp with time zone, the future as now; NULL: there is none */
	char	   *day;			/* its number, a bigint; NULL: there is no time */
	char	   *condition;		/* of a partial index, or "true" */
	RecsysKeyKind user_kind;
	RecsysKeyKind item_kind;
} RecsysEventsQuery;

/*
 * Of the index of that name, which has to be there.  It is read from the catalogs alone:
 * whoever runs the query needs the right to read the table, and sees what policies show.  So
 * functions of the index are refused that the current user does not trust.
 */
extern void RecsysGetEventsQuery(const char *index, RecsysEventsQuery *query);

/*
 * Appends a query for the rows that have a user and an item: u, i, w, t and d as above, and p, the
 * value of price, which may be NULL and is a number over the table.
 */
extern void RecsysAppendEvents(StringInfo out, const RecsysEventsQuery *query, const char *price);

/*
 * A column of an index, or its expression, counting from 1; and the condition of a partial one, or
 * "true".  Between RecsysBeginPlainNames and RecsysEndPlainNames; index functions have been checked.
 */
extern char *RecsysIndexColumnInSql(Relation index, int column);
extern char *RecsysIndexConditionInSql(Relation index);

/* An expression of a key column, as a value that can be compared with keys of that kind. */
extern char *RecsysKeyInSql(const char *expression, RecsysKeyKind kind);

#endif							/* RECSYS_EVENTSQUERY_H */
