/*
 * query.h
 *	  Interactions from any query, run with the caller's rights.
 */
#ifndef RECSYS_QUERY_H
#define RECSYS_QUERY_H

#include "postgres.h"

#include "source/collector.h"

/*
 * Runs a query that returns user, item [, weight [, time]] and gives all its
 * rows to a new collector in the current memory context.  *weighted tells
 * whether there is a weight column.  Errors out, with a hint, on any other shape.
 */
extern RecsysCollector *RecsysCollectQuery(const char *query, Size memory_limit,
										   RecsysKeyKind *item_kind, bool *weighted);

#endif							/* RECSYS_QUERY_H */
