/*
 * servedname.c
 *	  What the recommender argument of a serving function names: an index, or what a shop has declared.
 *
 * An index is looked for first: it takes but the server's caches to find one, and who names one
 * need not pay for a look into the table of declared recommenders.
 */
#include "postgres.h"

#include "am/entry/indexes.h"
#include "api/declare/servedname.h"
#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

/* Is there a recsys index of that name in the search path?  Not every name of a shop can be one's. */
static bool
is_index(const char *name)
{
	List	   *parts;
	RangeVar   *range;
	Oid			relation;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || parts == NIL || list_length(parts) > 3)
		return false;
	range = list_length(parts) == 1 ? makeRangeVar(NULL, linitial(parts), -1) :
		makeRangeVar(list_nth(parts, list_length(parts) - 2), llast(parts), -1);
	relation = RangeVarGetRelid(range, NoLock, true);
	return OidIsValid(relation) && RecsysIsIndex(relation);
}

RecsysShop *
RecsysServed(const char *name, bool *unknown)
{
	RecsysShop *shop;

	*unknown = false;
	if (name != NULL && is_index(name))
		return NULL;
	shop = RecsysFindShop(name);
	if (shop != NULL)
		RecsysCheckSignals(shop);
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
