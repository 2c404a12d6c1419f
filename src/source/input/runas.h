/*
 * runas.h
 *	  Running what somebody else has declared with that one's rights.
 */
#ifndef RECSYS_RUNAS_H
#define RECSYS_RUNAS_H

#include "postgres.h"

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

#endif							/* RECSYS_RUNAS_H */
