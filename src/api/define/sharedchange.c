/*
 * sharedchange.c
 *	  Changes of a declared recommender that all nodes of Citus have.
 *
 * What they serve by follows what is declared, in the same transaction.  Where a change needs tables,
 * indexes or functions that are not there yet, it is recsys.distribute() that makes them.
 */
#include "postgres.h"

#include "api/call/distributed.h"
#include "api/declare/definition.h"
#include "api/declare/names.h"
#include "api/define/servable.h"
#include "api/define/sharedchange.h"
#include "api/shards/sharedshop.h"
#include "utils/builtins.h"

static RecsysDefinition *
definition_of(const RecsysDeclaredRow *row)
{
	return RecsysDefinitionRead(row->name, row->owner, row->definition);
}

void
RecsysShareChange(const RecsysDeclaredRow *before, const RecsysDeclaredRow *row)
{
	RecsysDefinition *definition = definition_of(row);
	List	   *tables;
	ListCell   *cell;

	if (!RecsysIsShared(row->name))
		return;
	if (strcmp(definition_of(before)->signals[0].events, definition->signals[0].events) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the first signal of a recommender that is distributed cannot be another one"),
				 errhint("SELECT recsys.undistribute(%s); before, and recsys.distribute after.",
						 quote_literal_cstr(row->name))));
	tables = RecsysCheckServableTables(definition);
	if (tables != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table %s is on this node only", RecsysKeptName(linitial_oid(tables))),
				 errhint("SELECT create_reference_table(%s);",
						 quote_literal_cstr(RecsysKeptName(linitial_oid(tables))))));
	foreach(cell, RecsysDividedIndexes(definition))
	{
		RecsysDistributed distributed;

		if (!RecsysFindDistributed(RecsysKeptRelation(lfirst(cell)), &distributed))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("index %s is not distributed", (char *) lfirst(cell)),
					 errhint("SELECT recsys.distribute(%s);", quote_literal_cstr(lfirst(cell)))));
	}
	RecsysShareShop(row);
}

void
RecsysRefuseIfShared(const char *name)
{
	if (RecsysIsShared(name))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("recommender \"%s\" is distributed over several nodes", name),
				 errhint("SELECT recsys.undistribute(%s); before.", quote_literal_cstr(name))));
}
