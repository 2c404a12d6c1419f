/*
 * shopdispatch.c
 *	  Lists of a declared recommender whose users are on several nodes: where the user is.
 *
 * As for an index (dispatch.c): the call goes on by a function that recsys.distribute() has made
 * for the types of the recommender's keys, with all that the call has said, and is the same call
 * there.
 */
#include "postgres.h"

#include "api/call/distributed.h"
#include "api/shards/madename.h"
#include "api/shards/shopdispatch.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

bool
RecsysShopUserIsElsewhere(const RecsysShop *shop, const RecsysRecommender *first, const RecsysKey *user,
						  RecsysUserPlace *place)
{
	RecsysDistributed distributed;

	if (user == NULL || shop->declared == NULL ||
		!RecsysFindDistributed(RelationGetRelid(first->definition), &distributed))
		return false;
	RecsysFindUserPlace(&distributed, first, user, place);
	return !place->here;
}

char *
RecsysShopFunction(const RecsysDefinition *definition, const char *word)
{
	List	   *names = textToQualifiedNameList(cstring_to_text(definition->signals[0].events));

	return RecsysMadeFunction(makeRangeVarFromNameList(names)->schemaname, definition->name, word);
}

char *
RecsysShopReasonedColumns(Oid item_type)
{
	return psprintf("%s, reason text, details jsonb", RecsysListColumns(item_type));
}

static Oid
item_type_of(const RecsysRecommender *first)
{
	return RecsysKeyKindType(first->columns.item_kind);
}

void
RecsysAskShopList(const RecsysShop *shop, const RecsysRecommender *first, const RecsysUserPlace *place,
				  const RecsysShopAsk *ask, RecsysAnswer *answer)
{
	Oid			types[] = {first->columns.user_type, INT8OID, BOOLOID, INTERVALOID, JSONBOID};
	Datum		values[] = {place->value, Int64GetDatum(ask->k), BoolGetDatum(ask->exclude_seen),
		PointerGetDatum(ask->half_life), PointerGetDatum(ask->context)};
	char		nulls[] = "     ";

	nulls[3] = ask->half_life == NULL ? 'n' : ' ';
	nulls[4] = ask->context == NULL ? 'n' : ' ';
	if (!ask->reasons)
	{
		RecsysAskFunction(place, RecsysShopFunction(shop->definition, "list"),
						  RecsysListColumns(item_type_of(first)), lengthof(types), types, values, nulls,
						  answer);
		return;
	}
	types[2] = types[4];
	values[2] = values[4];
	nulls[2] = nulls[4];
	RecsysAskFunction(place, RecsysShopFunction(shop->definition, "reasons"),
					  RecsysShopReasonedColumns(item_type_of(first)), 3, types, values, nulls, answer);
}

void
RecsysAskShopReasons(const RecsysShop *shop, const RecsysRecommender *first, const RecsysUserPlace *place,
					 const RecsysKey *item, Interval *half_life, RecsysAnswer *answer)
{
	Oid			types[] = {first->columns.user_type, item_type_of(first), INTERVALOID};
	Datum		values[] = {place->value, RecsysKeyToValue(types[1], first->columns.item_kind, item),
		PointerGetDatum(half_life)};

	RecsysAskFunction(place, RecsysShopFunction(shop->definition, "because"), RecsysReasonColumns(types[1]),
					  lengthof(types), types, values, half_life == NULL ? "  n" : "   ", answer);
}
