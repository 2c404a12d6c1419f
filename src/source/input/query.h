/*
 * query.h
 *	  Interactions from any query, run with the caller's rights.
 */
#ifndef RECSYS_QUERY_H
#define RECSYS_QUERY_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "source/input/collector.h"

/*
 * Runs a query that returns user, item [, weight [, time]], or arrays of them for a user, and gives
 * all its rows to a new collector in the current memory context.  *item_type is the type that keys
 * of its items are read as where they come as text, *weighted tells whether there is a weight
 * column.  Errors out, with a hint, on any other shape.
 */
extern RecsysCollector *RecsysCollectQuery(const char *query, Size memory_limit,
										   Oid *item_type, bool *weighted);

/*
 * The same with a given seed of the key hashes, which decide the order of users;
 * options get what the query turned out to be.  A query that is made of what
 * somebody else has declared is run as that role (runas.h), else InvalidOid.
 */
extern RecsysCollector *RecsysCollectSeeded(const char *query, Oid role, Size memory_limit,
											uint64 seed, RecsysCollectorOptions *options);

/*
 * Runs any query that way: start sees its columns, row every row.  Both are
 * called in contexts that are none of SPI's; a row's is reset now and then.
 */
typedef void (*RecsysQueryStart) (void *arg, TupleDesc desc);
typedef void (*RecsysQueryRow) (void *arg, HeapTuple tuple, TupleDesc desc);

extern void RecsysRunQuery(const char *query, const char *hint, RecsysQueryStart start,
						   RecsysQueryRow row, void *arg);

/*
 * The same of a query that is made of a definition and not given by the caller: its functions may do
 * what they do when an index is built.
 */
extern void RecsysRunDefinedQuery(const char *query, RecsysQueryStart start, RecsysQueryRow row, void *arg);

/* Is it no query but the name of something, with its schema perhaps? */
extern bool RecsysIsName(const char *text);

#endif							/* RECSYS_QUERY_H */
