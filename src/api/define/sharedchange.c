/*
 * sharedchange.c
 *	  Changes of a declared recommender that all nodes of Citus have.
 *
 * What they serve by follows what is declared, in the same transaction.  Where a change needs
 * tables, indexes or functions that are not there yet, it is recsys.distribute() that makes them.
 *
 * Whoever writes what nodes serve by has the declared row locked, so that no change is lost; before
 * that, who also needs the lists of the last refresh takes the lock of refreshes.  What has been
 * shared while that was waited for is looked at as it is then.
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

/* Errors out unless all that the definition needs on other nodes is there. */
static void
check_served(const RecsysDefinition *definition)
{
	List	   *tables = RecsysCheckServableTables(definition);
	ListCell   *cell;

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
}

static bool
has_same_first(const RecsysDeclaredRow *before, const RecsysDefinition *definition)
{
	return strcmp(definition_of(before)->signals[0].events, definition->signals[0].events) == 0;
}

void
RecsysShareChange(const RecsysDeclaredRow *before, const RecsysDeclaredRow *row)
{
	RecsysDefinition *definition = definition_of(row);

	if (!RecsysIsSharedNow(row->name))
		return;
	if (!has_same_first(before, definition))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the first signal of a recommender that is distributed cannot be another one"),
				 errhint("SELECT recsys.undistribute(%s); before, and recsys.distribute after.",
						 quote_literal_cstr(row->name))));
	check_served(definition);
	RecsysShareShop(row);
}

void
RecsysShareAsItIs(const RecsysDeclaredRow *before)
{
	RecsysDeclaredRow row;
	RecsysDefinition *definition;

	RecsysLockLists(before->name);
	if (!RecsysLockDeclared(before->name, &row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("recommender \"%s\" has been dropped or renamed meanwhile", before->name)));
	definition = definition_of(&row);
	if (strcmp(before->owner, row.owner) != 0 || !has_same_first(before, definition))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" has been given another owner or first signal meanwhile", row.name),
				 errhint("SELECT recsys.distribute(%s);", quote_literal_cstr(row.name))));
	RecsysCheckServable(definition);
	check_served(definition);
	RecsysShareShop(&row);
}

void
RecsysRefuseIfShared(const char *name)
{
	if (RecsysIsSharedNow(name))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("recommender \"%s\" is distributed over several nodes", name),
				 errhint("SELECT recsys.undistribute(%s); before.", quote_literal_cstr(name))));
}
