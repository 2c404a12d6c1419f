/*
 * plan.h
 *	  Queries made of a definition, prepared once and run with the caller's rights.
 *
 * All reading is done between SPI_connect and SPI_finish of the caller.  An error inside
 * one says, as its context, which part of which recommender it comes from.
 */
#ifndef RECSYS_PLAN_H
#define RECSYS_PLAN_H

#include "postgres.h"

#include "api/declare/shop.h"
#include "executor/spi.h"

typedef struct RecsysPlan
{
	SPIPlanPtr	plan;
	const char *part;			/* of the definition, as in "item_filter" */
	RecsysShop *shop;
	const char *query;			/* while it is analyzed, else NULL */
	int			nargs;
	Oid		   *types;			/* of its parameters */
	int			generation;		/* of the server's plan that has been looked at, */
	uint64		functions;		/* and how many functions had changed by then */

	/*
	 * May be set after it has been prepared: rows are looked up by the first parameter, so an
	 * index for that is to be used, whatever statistics there are, see lookupplan.h.
	 */
	bool		by_first;

	/* of a query over tables of Citus, see api/here/localplan.h; else NULL */
	struct RecsysLocalPlan *local;
} RecsysPlan;

/*
 * Prepares a query for as long as the shop lasts.  It may not have functions that are
 * volatile: answers depend on data alone, and nothing is written on the way.
 */
extern RecsysPlan *RecsysPlanPrepare(RecsysShop *shop, const char *part, const char *query,
									 int nargs, Oid *types);

/*
 * The same of a query that looks a user up by its first parameter: where users are on several
 * nodes, the table may be, too.
 */
extern RecsysPlan *RecsysPlanPrepareByUser(RecsysShop *shop, const char *part, const char *query,
										   int nargs, Oid *types);

/* With the shop, whose memory goes after it. */
extern void RecsysPlanDiscard(RecsysPlan *plan);

/* Before the shop is freed, when no call runs it. */
extern void RecsysPlanFree(RecsysShop *shop, RecsysPlan *plan);

/*
 * False if what it reads may have changed since it was planned, so that its parameters may
 * have to be of other types.
 */
extern bool RecsysPlanIsSettled(RecsysPlan *plan);

/* Runs it under the active snapshot; rows are in SPI_tuptable and SPI_processed.  limit 0: all. */
extern void RecsysPlanRun(RecsysPlan *plan, Datum *values, const char *nulls, long limit);

/* The same, rows given to a receiver. */
extern void RecsysPlanSend(RecsysPlan *plan, Datum *values, const char *nulls, DestReceiver *dest);

/* How many rows the planner expects of it. */
extern double RecsysPlanRows(RecsysPlan *plan);

#endif							/* RECSYS_PLAN_H */
