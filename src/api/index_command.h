/*
 * index_command.h
 *	  From a query to the command that makes an index of it, and back.
 */
#ifndef RECSYS_INDEX_COMMAND_H
#define RECSYS_INDEX_COMMAND_H

#include "postgres.h"

/* What to put before and after the options of a model to make a command of it */
typedef struct RecsysIndexCommand
{
	char	   *before;			/* "CREATE INDEX ON … USING recsys (…) WITH (" */
	char	   *after;			/* ")" and the condition */
} RecsysIndexCommand;

/*
 * The index whose rows are those of the query.  False when there can be none: a query
 * over more than one table, with aggregates, with functions that are not immutable, …
 */
extern bool RecsysCommandOfQuery(const char *query, RecsysIndexCommand *command);

/* The query whose rows are those of an index, and the command for another one like it. */
extern char *RecsysQueryOfIndex(Oid index, RecsysIndexCommand *command);

#endif							/* RECSYS_INDEX_COMMAND_H */
