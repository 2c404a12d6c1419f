/*
 * streamrejection.h
 *	  Tables for messages that became no rows: which of their columns a table has.
 */
#ifndef RECSYS_STREAMREJECTION_H
#define RECSYS_STREAMREJECTION_H

#include "postgres.h"

/* What is known of a message, in the order of recsys.stream_errors */
#define RECSYS_REJECTED_COLUMNS 10

typedef struct RecsysRejectedColumn
{
	const char *name;
	Oid			type;
} RecsysRejectedColumn;

extern const RecsysRejectedColumn RecsysRejectedColumns[RECSYS_REJECTED_COLUMNS];

/*
 * INSERT of one message into those columns that the table has, with all of them as parameters, whose types
 * it sets: keys and payloads are bytea where the table has them so.
 */
extern char *RecsysStreamRejection(Oid table, Oid *types);

#endif							/* RECSYS_STREAMREJECTION_H */
