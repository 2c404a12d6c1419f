/*
 * queryrights.h
 *	  What a query may do, known without running it.
 */
#ifndef RECSYS_QUERYRIGHTS_H
#define RECSYS_QUERYRIGHTS_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/*
 * Errors out unless the current user may read what an analyzed and rewritten query reads, and
 * call what it calls; and if it locks rows or reads temporary relations.
 */
extern void RecsysCheckQueryRights(Query *query);

/*
 * Errors out if there is a volatile function: answers depend on data alone, and nothing is
 * written.  What row-level security adds to a query works as everywhere.
 */
extern void RecsysCheckVolatility(const Query *query);

#endif							/* RECSYS_QUERYRIGHTS_H */
