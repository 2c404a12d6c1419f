/*
 * rights.h
 *	  What somebody must be allowed to read to use a recommender.
 */
#ifndef RECSYS_RIGHTS_H
#define RECSYS_RIGHTS_H

#include "postgres.h"

/* May the current user read every column of the table that the index is made of? */
extern bool RecsysMayReadColumns(Oid table, Oid index);

/* May the current user use the schema that the relation is in? */
extern bool RecsysMayUseSchema(Oid relation);

/* InvalidOid if the relation has gone. */
extern Oid	RecsysRelationOwner(Oid relation);

/*
 * May something that belongs to the role be run by the current user, or be replaced, which leaves it
 * to the role?  A superuser trusts superusers, and others the roles whose rights they have.
 */
extern bool RecsysTrustsOwner(Oid owner);

#endif							/* RECSYS_RIGHTS_H */
