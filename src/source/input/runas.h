/*
 * runas.h
 *	  Running what is somebody else's: with that one's rights, and without writing.
 */
#ifndef RECSYS_RUNAS_H
#define RECSYS_RUNAS_H

#include "postgres.h"

#include "executor/spi.h"

typedef struct RecsysRights
{
	Oid			caller;
	int			security;
	int			nestlevel;
} RecsysRights;

/*
 * Between the two, code runs with the role's rights, in a security-restricted
 * operation, as in a build: whoever calls, often a superuser, must not lend the role
 * his own.  An error in between ends it, too.
 */
extern void RecsysBeginAs(Oid role, RecsysRights *before);
extern void RecsysEndAs(const RecsysRights *before);

/* The same, with SPI connected. */
extern void RecsysBeginQueriesAs(Oid role, RecsysRights *before);
extern void RecsysEndQueriesAs(const RecsysRights *before);

/*
 * Errors out if a statement of the plan, which is this text, changes rows or locks them, whoever
 * is to plan it.
 */
extern void RecsysRefuseWrites(SPIPlanPtr plan, const char *text);

/*
 * Between the two, the transaction is read-only, in functions that are called as well.  An error in
 * between ends it, too.  Begin returns what End takes.
 */
extern bool RecsysBeginReadOnly(void);
extern void RecsysEndReadOnly(bool before);

#endif							/* RECSYS_RUNAS_H */
