/*
 * namedrows.h
 *	  Rows that stand under a name in the queries of an SPI connection.
 */
#ifndef RECSYS_NAMEDROWS_H
#define RECSYS_NAMEDROWS_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "utils/tuplestore.h"

/*
 * A relation of that name for the current SPI connection, until it is forgotten or the connection
 * ends.  count: about how many rows there are, for the planner.
 */
extern void RecsysNameRows(const char *name, Tuplestorestate *rows, TupleDesc descriptor,
						   double count);

/* Takes the name away, and frees the rows. */
extern void RecsysForgetRows(const char *name, Tuplestorestate *rows);

#endif							/* RECSYS_NAMEDROWS_H */
