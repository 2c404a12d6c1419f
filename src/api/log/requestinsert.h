/*
 * requestinsert.h
 *	  A row of recsys.request_log put where it belongs, without a query.
 */
#ifndef RECSYS_REQUESTINSERT_H
#define RECSYS_REQUESTINSERT_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "datatype/timestamp.h"

/* Columns of recsys.request_log */
#define RECSYS_REQUEST_COLUMNS 18

/* Are the first columns of a table those of recsys.request_log, whatever its owner has made of it? */
extern bool RecsysHasRequestColumns(TupleDesc descriptor);

/*
 * Puts a row whose id nobody else has into the partition of that time.  False, and nothing done, if
 * there is anything about the partition that only a query does.
 */
extern bool RecsysInsertNewRequest(TimestampTz time, Datum *values, const bool *isnull);

#endif							/* RECSYS_REQUESTINSERT_H */
