/*
 * citusrows.h
 *	  Rows of Citus's catalog, and what a session keeps of them.
 */
#ifndef RECSYS_CITUSROWS_H
#define RECSYS_CITUSROWS_H

#include "postgres.h"

#include "access/genam.h"
#include "access/htup.h"
#include "utils/hsearch.h"
#include "utils/relcache.h"

/* A table of Citus's catalog, or an index of one; InvalidOid where there is no Citus. */
extern Oid	RecsysCitusCatalog(const char *name);

/* Rows of one in which a column has a value */
typedef struct RecsysCitusRow
{
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;			/* NULL behind the last */
} RecsysCitusRow;

/*
 * The first one; false: there is none, but it is to be ended all the same.  index: to find them
 * by
 */
extern bool RecsysBeginCitusRow(RecsysCitusRow *row, const char *catalog, const char *index,
								const char *column, RegProcedure equal, Datum value);
extern void RecsysNextCitusRow(RecsysCitusRow *row);
extern Datum RecsysCitusValue(const RecsysCitusRow *row, const char *column, bool *isnull);
extern void RecsysEndCitusRow(RecsysCitusRow *row);

/*
 * A table of what has been found, for the life of the session, and taking all out of it, which
 * allocates no memory: callbacks do that.
 */
extern HTAB *RecsysKeepOfCitus(const char *name, Size key_size, Size entry_size);
extern void RecsysForgetKept(HTAB *table);

#endif							/* RECSYS_CITUSROWS_H */
