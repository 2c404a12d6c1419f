/*
 * localplan.h
 *	  The plans of a query over tables of Citus, on the node that has their rows.
 */
#ifndef RECSYS_LOCALPLAN_H
#define RECSYS_LOCALPLAN_H

#include "postgres.h"

#include "executor/spi.h"

typedef struct RecsysLocalPlan RecsysLocalPlan;

/* A plan, and what who runs it keeps beside it; zeros for one that is new */
typedef struct RecsysOnePlan
{
	SPIPlanPtr	plan;
	int			generation;
	uint64		functions;
} RecsysOnePlan;

/*
 * What stands for a query whose tables may have their rows in other ones; NULL: it has none of
 * those.  by_user: its first parameter is the user, and the table that it looks the user up in may
 * be divided by users.  part: of the definition, for messages.  Lives in the current memory context
 * until it is given another parent.
 */
extern RecsysLocalPlan *RecsysMakeLocalPlan(const char *part, const char *query, bool by_user);
extern MemoryContext RecsysLocalPlanContext(RecsysLocalPlan *local);

/*
 * Before each run: makes *one the plan of the tables as they are now and, where a table is divided,
 * of the shard of the user, a value of that type; NULL: no user.  Returns the text to prepare if
 * there is no such plan yet, and then RecsysKeepLocalPlan is told of it.
 */
extern const char *RecsysChooseLocalPlan(RecsysLocalPlan *local, Oid type, const Datum *user,
										 RecsysOnePlan *one);
extern void RecsysKeepLocalPlan(RecsysLocalPlan *local, const RecsysOnePlan *made, RecsysOnePlan *one);

/* Frees it, with all of the plans. */
extern void RecsysFreeLocalPlan(RecsysLocalPlan *local);

#endif							/* RECSYS_LOCALPLAN_H */
