/*
 * keeper.h
 *	  Queries on the extension's own tables, run with the rights of their owner, the keeper.
 *
 * Whoever is served may be logged, without rights on the log; what a caller may do is checked by
 * who calls this, before.  No query run this way may have expressions or relations of anybody else:
 * those are read as their owners, see api/log/purchases.h.
 */
#ifndef RECSYS_KEEPER_H
#define RECSYS_KEEPER_H

#include "postgres.h"

#include "executor/spi.h"
#include "source/input/runas.h"

/*
 * Between the two, code runs as the owner of the extension's tables, SPI is connected, and names
 * mean what is in pg_catalog.  An error in between ends it, too.  Errors out where the tables are
 * missing because the extension is still of an older version.
 */
extern void RecsysBeginAsKeeper(RecsysRights *before);
extern void RecsysEndAsKeeper(const RecsysRights *before);

/*
 * The same as the owner of one of the extension's tables, to the same end.  Tables that say with whose
 * rights something is read are not the keeper's, or he would lend himself those of a superuser.
 */
extern void RecsysBeginAsOwnerOf(const char *table, RecsysRights *before);

/* Who the keeper is: the owner of the extension; InvalidOid where there is no log yet. */
extern Oid	RecsysKeeper(void);

/* Is the current user the keeper, or has its rights?  Others see of the log what is theirs. */
extern bool RecsysIsKeeper(void);

/* Errors out unless it is; function: "recsys.maintain", for the message. */
extern void RecsysNeedKeeper(const char *function);

/* A table of the extension's; InvalidOid if there is none. */
extern Oid	RecsysKeptTable(const char *name);

/*
 * A query prepared once a session: *kept is NULL at first.  Relations need their schemas.  To be
 * called, and run, between the two above.
 */
extern SPIPlanPtr RecsysKeeperPlan(SPIPlanPtr *kept, const char *query, int nargs, Oid *types);

/* Runs it; returns how many rows it has given or changed; rows are in SPI_tuptable. */
extern uint64 RecsysKeeperRun(SPIPlanPtr plan, Datum *values, const char *nulls, bool read_only);

/* The same for a query that is not kept. */
extern uint64 RecsysKeeperQuery(const char *query, int nargs, Oid *types, Datum *values,
								const char *nulls, bool read_only);

/*
 * Errors out unless the columns of the rows in SPI_tuptable are of these types.  The keeper may have
 * changed his tables; what is not of the type that it is taken for can end the server.
 */
extern void RecsysNeedTypes(const Oid *types, int n);

#endif							/* RECSYS_KEEPER_H */
