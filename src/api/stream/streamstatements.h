/*
 * streamstatements.h
 *	  The statements that take a batch of messages from the stage, where they are text, to the target.
 */
#ifndef RECSYS_STREAMSTATEMENTS_H
#define RECSYS_STREAMSTATEMENTS_H

#include "postgres.h"

#include "api/stream/streamshape.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

/* Makes the stage, a temporary table that is empty at the end of each transaction. */
extern char *RecsysStreamStage(const RecsysStreamShape *shape);

/* Fills it: COPY … FROM STDIN */
extern char *RecsysStreamCopy(const RecsysStreamShape *shape);

/* Take it from there into the target: a list of C strings, to be run in their order */
extern List *RecsysStreamApply(const RecsysStreamShape *shape);

/*
 * Errors out unless the filter is one, the owner may run them, and they fit the target as it is.  Nothing
 * is written.  errors: a table for rejected messages that is to be looked at as well, or InvalidOid.
 */
extern void RecsysCheckStreamStatements(const RecsysStreamShape *shape, Oid owner, Oid errors);

/* Appends a SELECT of one row with the values as the filter sees them, of their types, all NULL. */
extern void RecsysAppendEmptyMessage(StringInfo query, const RecsysStreamShape *shape);

#endif							/* RECSYS_STREAMSTATEMENTS_H */
