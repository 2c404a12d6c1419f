/*
 * lookupplan.h
 *	  Plans that are to find rows by an index, and do not.
 */
#ifndef RECSYS_LOOKUPPLAN_H
#define RECSYS_LOOKUPPLAN_H

#include "postgres.h"

#include "nodes/plannodes.h"

/*
 * Does a plan compare each row of a table with its first parameter, though the table has an
 * index on what is compared?
 */
extern bool RecsysScansForFirst(PlannedStmt *statement);

#endif							/* RECSYS_LOOKUPPLAN_H */
