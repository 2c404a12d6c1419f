/*
 * servedname.c
 *	  What the recommender argument of a serving function names: an index, or what a shop has declared.
 *
 * An index is looked for first: it takes but the server's caches to find one, and who names one
 * need not pay for a look into the table of declared recommenders.
 */
#include "postgres.h"

#include "am/entry/indexes.h"
#include "api/declare/declaredrows.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/here/nodeevents.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/* Not every name of a shop can be an index's. */
Oid
RecsysIndexNamed(const char *name)
{
	List	   *parts;
	RangeVar   *range;
	Oid			relation;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || parts == NIL || list_length(parts) > 3)
		return InvalidOid;
	range = list_length(parts) == 1 ? makeRangeVar(NULL, linitial(parts), -1) :
		makeRangeVar(list_nth(parts, list_length(parts) - 2), llast(parts), -1);
	relation = RangeVarGetRelid(range, NoLock, true);
	return OidIsValid(relation) && RecsysIsIndex(relation) ? relation : InvalidOid;
}

const char *
RecsysMarkedName(const char *name)
{
	Oid			index = RecsysIndexNamed(name);

	return OidIsValid(index) ? RecsysKeptName(index) : name;
}

/* Where its users are on several nodes, these must all know it. */
static void
check_shared(const RecsysShop *shop)
{
	const char *name = shop->definition->name;

	if (RecsysIsDivided(shop->definition->signals[0].events) && !RecsysIsShared(name))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the rows that recommender \"%s\" reads of users are on several nodes", name),
				 errdetail("Table \"%s\" is distributed by Citus.",
						   get_rel_name(IndexGetRelation(RecsysKeptRelation(shop->definition->signals[0].events), false))),
				 errhint("To have all nodes serve it, on the coordinator: SELECT recsys.distribute(%s);",
						 quote_literal_cstr(name))));
}

RecsysShop *
RecsysServed(const char *name, bool *unknown)
{
	RecsysShop *shop;

	*unknown = false;
	if (name != NULL && OidIsValid(RecsysIndexNamed(name)))
		return NULL;
	shop = RecsysFindShop(name);
	if (shop != NULL)
	{
		RecsysCheckSignals(shop);
		check_shared(shop);
	}
	else
		*unknown = name != NULL;
	return shop;
}

RecsysShop *
RecsysServedShop(const char *name)
{
	bool		unknown;

	return RecsysServed(name, &unknown);
}
