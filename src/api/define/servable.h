/*
 * servable.h
 *	  What of a definition can be served on several nodes.
 */
#ifndef RECSYS_SERVABLE_H
#define RECSYS_SERVABLE_H

#include "postgres.h"

#include "api/declare/declaredrows.h"
#include "api/declare/definition.h"
#include "nodes/pg_list.h"

/* Are its users on several nodes: is the table of its first signal divided? */
extern bool RecsysIsSpread(const RecsysDefinition *definition);

/*
 * Errors out, with what to do, if something is declared that several nodes cannot serve, whatever
 * the tables are.  Nothing is looked at if users are not on several nodes.
 */
extern void RecsysCheckServable(const RecsysDefinition *definition);

/*
 * The same for a table, or an expression that reads one, that is not on every node.  Tables that
 * the caller may make reference tables of, and need be, are returned, as OIDs.
 */
extern List *RecsysCheckServableTables(const RecsysDefinition *definition);

/* What keeps nodes from serving it, as far as that is known without an error; NULL: nothing */
extern char *RecsysServableProblem(const RecsysDeclaredRow *row);

/*
 * The indexes that have item graphs of their own, by their names, each once; the first signal's
 * first
 */
extern List *RecsysDividedIndexes(const RecsysDefinition *definition);

#endif							/* RECSYS_SERVABLE_H */
