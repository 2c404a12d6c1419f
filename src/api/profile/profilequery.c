/*
 * profilequery.c
 *	  What the shop's own tables say of a user: segments, exclusion.
 *
 * A user without a row is nobody special: in no segment, and not excluded.
 */
#include "postgres.h"

#include "api/profile/profilequery.h"
#include "lib/stringinfo.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"

RecsysProfilePlans *
RecsysGetProfilePlans(RecsysShop *shop)
{
	if (shop->profile_plans == NULL)
		shop->profile_plans = MemoryContextAllocZero(shop->context, sizeof(RecsysProfilePlans));
	return shop->profile_plans;
}

static bool
is_persona(const char *segment)
{
	return strcmp(segment, "persona") == 0;
}

static bool
needs_row(const RecsysDefinition *definition)
{
	if (definition->profiles == NULL)
		return false;
	for (int x = 0; x < definition->nsegments; x++)
		if (!is_persona(definition->segments[x]))
			return true;
	return definition->exclude_users != NULL;
}

/* What does not exist is said by the server, with its place in the query. */
static void
prepare_key(const RecsysDefinition *definition, const char *relation, const char *column,
			RecsysKeyKind kind, RecsysKeyParameter *parameter)
{
	Oid			type = RecsysTypeOfColumn(relation, column);

	if (!RecsysGetKeyParameter(OidIsValid(type) ? type : RecsysKeyKindType(kind), kind, parameter))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column %s of %s is of type %s", column, relation, format_type_be(type)),
				 errdetail("Keys of recommender \"%s\" are %s there.", definition->name,
						   RecsysKeyKindName(kind))));
}

static bool
is_settled(RecsysPlan *plan)
{
	return plan == NULL || RecsysPlanIsSettled(plan);
}

/* Has the column of the key come to need a parameter of another kind? */
static bool
has_changed(const char *relation, const char *column, RecsysKeyKind kind,
			const RecsysKeyParameter *known)
{
	RecsysKeyParameter now;

	return !RecsysGetKeyParameter(RecsysTypeOfColumn(relation, column), kind, &now) ||
		now.type != known->type || now.as_text != known->as_text;
}

/* One column for each segment, NULL for the persona; then exclude_users. */
static void
prepare_row(const RecsysShopProfile *profile, RecsysProfilePlans *plans)
{
	const RecsysDefinition *definition = profile->shop->definition;
	RecsysKeyKind kind = profile->evidence[0].events.columns.user_kind;
	StringInfoData query;
	char	   *column;

	prepare_key(definition, definition->profiles, definition->profile_key, kind, &plans->user);
	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	for (int x = 0; x < definition->nsegments; x++)
	{
		if (is_persona(definition->segments[x]))
			appendStringInfoString(&query, "NULL::pg_catalog.text, ");
		else
			appendStringInfo(&query, "(%s)::pg_catalog.text, ", definition->segments[x]);
	}
	if (definition->exclude_users != NULL)
		appendStringInfo(&query, "(%s) IS TRUE", definition->exclude_users);
	else
		appendStringInfoString(&query, "false");
	column = psprintf("%s.%s", definition->profiles_alias, definition->profile_key);
	appendStringInfo(&query, " FROM %s AS %s WHERE %s = $1 LIMIT 1", definition->profiles,
					 definition->profiles_alias, RecsysKeyColumn(&plans->user, column));
	plans->row = RecsysPlanPrepareByUser(profile->shop, "profiles", query.data, 1, &plans->user.type);
	pfree(query.data);
}

/* A plan that is of no use any more goes with the shop: another call may be running it. */
static void
need_row(const RecsysShopProfile *profile, RecsysProfilePlans *plans)
{
	const RecsysDefinition *definition = profile->shop->definition;

	if (plans->row != NULL && !RecsysPlanIsSettled(plans->row) &&
		has_changed(definition->profiles, definition->profile_key,
					profile->evidence[0].events.columns.user_kind, &plans->user))
		plans->row = NULL;
	if (plans->row == NULL)
		prepare_row(profile, plans);
}

void
RecsysReadProfileRow(RecsysShopProfile *profile, const RecsysKey *user)
{
	const RecsysDefinition *definition = profile->shop->definition;
	RecsysProfilePlans *plans = RecsysGetProfilePlans(profile->shop);
	Datum		value;
	bool		isnull;

	if (!needs_row(definition))
		return;
	need_row(profile, plans);
	value = RecsysKeyValue(&plans->user, user);
	RecsysPlanRun(plans->row, &value, NULL, 1);
	if (SPI_processed > 0)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;

		for (int x = 0; x < definition->nsegments; x++)
			profile->segments[x] = SPI_getvalue(tuple, desc, x + 1);
		value = SPI_getbinval(tuple, desc, definition->nsegments + 1, &isnull);
		profile->is_excluded = !isnull && DatumGetBool(value);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* The server checks them whether or not there is such a row. */
void
RecsysCheckSegmentRights(const RecsysShopProfile *profile)
{
	RecsysProfilePlans *plans = RecsysGetProfilePlans(profile->shop);
	Datum		value = (Datum) 0;

	if (!needs_row(profile->shop->definition))
		return;
	need_row(profile, plans);
	RecsysPlanRun(plans->row, &value, "n", 1);
	SPI_freetuptable(SPI_tuptable);
}

void
RecsysPrepareItemKey(RecsysShopProfile *profile)
{
	const RecsysDefinition *definition = profile->shop->definition;
	RecsysProfilePlans *plans = RecsysGetProfilePlans(profile->shop);
	RecsysKeyKind kind = RecsysCatalogueKind(profile->catalogue);

	if (OidIsValid(plans->item.type) &&
		!(is_settled(plans->prices) && is_settled(plans->known)) &&
		has_changed(definition->items, definition->item_key, kind, &plans->item))
	{
		plans->prices = NULL;
		plans->known = NULL;
		plans->item.type = InvalidOid;
	}
	if (!OidIsValid(plans->item.type))
		prepare_key(definition, definition->items, definition->item_key, kind, &plans->item);
}
