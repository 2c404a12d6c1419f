/*
 * ephemeral.h
 *	  Rows of a query as a relation for the queries behind it.
 */
#ifndef RECSYS_EPHEMERAL_H
#define RECSYS_EPHEMERAL_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "executor/spi.h"
#include "utils/snapshot.h"
#include "utils/tuplestore.h"

/* So many rows are kept in memory as work_mem says; the rest is written to temporary files. */
extern Tuplestorestate *RecsysBeginRows(void);

/* Adds those of a plan, as the snapshot sees them; its columns have the types of the relation's. */
extern void RecsysAddRows(Tuplestorestate *rows, SPIPlanPtr plan, Datum *values, const char *nulls,
						  Snapshot snapshot);

/*
 * Adds what a source gives to rows of that description, in a subtransaction.  NULL, or the error that
 * it has ended with: then none of its rows is added.  Whoever cancels a refresh wants all of it to
 * end: that error goes on.
 */
typedef void (*RecsysRowsSource) (void *arg, Tuplestorestate *rows);

extern ErrorData *RecsysTryRows(RecsysRowsSource source, void *arg, Tuplestorestate *rows,
								TupleDesc descriptor);

/* What the columns of a plan are. */
extern TupleDesc RecsysPlanDescriptor(SPIPlanPtr plan);

#endif							/* RECSYS_EPHEMERAL_H */
