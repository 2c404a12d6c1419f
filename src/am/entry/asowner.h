/*
 * asowner.h
 *	  Maintenance with the rights of the table's owner.
 */
#ifndef RECSYS_ASOWNER_H
#define RECSYS_ASOWNER_H

#include "postgres.h"

#include "source/input/runas.h"
#include "utils/rel.h"

typedef RecsysRights RecsysAsOwner;

/*
 * Between the two, code of the table owner's that comes to run has his rights, as
 * in a build: whoever calls, often a superuser, must not lend him his own.
 */
extern void RecsysBeginAsOwner(Relation heap, RecsysAsOwner *before);
extern void RecsysEndAsOwner(const RecsysAsOwner *before);

#endif							/* RECSYS_ASOWNER_H */
