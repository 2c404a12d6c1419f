/*
 * index_command.h
 *	  From a query to the command that makes an index of it, and back.
 */
#ifndef RECSYS_INDEX_COMMAND_H
#define RECSYS_INDEX_COMMAND_H

#include "postgres.h"

/* What an index is made of beside its model */
typedef struct RecsysIndexCommand
{
	char	   *definition;		/* "CREATE INDEX ON … USING recsys (…)" */
	char	   *options;		/* those that are none of the model's, or "" */
	char	   *rest;			/* tablespace and condition, or "" */
} RecsysIndexCommand;

/* The command that creates it with a model, which may be an empty text. */
extern char *RecsysIndexCommandWith(const RecsysIndexCommand *command, const char *model);

/*
 * The index whose rows are those of the query.  False when there can be none: a query
 * over more than one table, with aggregates, with functions that are not immutable, …
 */
extern bool RecsysCommandOfQuery(const char *query, RecsysIndexCommand *command);

/*
 * The query whose rows are those of an index, and the command for another index like it.
 * The query evaluates expressions that the table's owner has declared: run it as that
 * role.
 */
extern char *RecsysQueryOfIndex(Oid index, Oid *owner, RecsysIndexCommand *command);

#endif							/* RECSYS_INDEX_COMMAND_H */
