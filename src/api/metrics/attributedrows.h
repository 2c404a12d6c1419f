/*
 * attributedrows.h
 *	  What has been bought because of requests, as a relation for the queries of a refresh.
 *
 * If the log's settings say where purchases are, each is of one request, whatever has made the lists.
 * If they do not, those that experiments declare are of the experiment's requests, and nothing is
 * known of others.
 */
#ifndef RECSYS_ATTRIBUTEDROWS_H
#define RECSYS_ATTRIBUTEDROWS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

typedef struct RecsysOrderSources RecsysOrderSources;

/* Whose purchases are known, in the current memory context */
extern RecsysOrderSources *RecsysFindOrderSources(Snapshot snapshot);

/* Microseconds after a request in which a purchase may be of it, at most */
extern int64 RecsysOrderWindow(const RecsysOrderSources *sources);

/*
 * Makes a relation "attributed" for the current SPI connection, as RecsysAppendAttributed has it.  *with_orders
 * and *with_amounts become the parameters of RecsysDayStatements; nulls for all requests.  What an
 * experiment declares is read as its owner; if that cannot be done there is a WARNING, and its orders are not
 * known.  Those of the log are an error then.
 */
extern Tuplestorestate *RecsysNameAttributed(const RecsysOrderSources *sources, TimestampTz from,
											 TimestampTz now, Snapshot snapshot,
											 Datum *with_orders, bool *all_orders,
											 Datum *with_amounts, bool *all_amounts);

#endif							/* RECSYS_ATTRIBUTEDROWS_H */
