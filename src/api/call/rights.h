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

#endif							/* RECSYS_RIGHTS_H */
