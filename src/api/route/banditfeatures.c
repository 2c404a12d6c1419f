/*
 * banditfeatures.c
 *	  What a policy looks at: numbers from a user's profile and from the context of a request.
 *
 * A number, or a boolean as 0 or 1, has one place in the vector.  A label has as many as it has
 * buckets: the one that its text is hashed into is 1 (Weinberger et al.: Feature hashing for large
 * scale multitask learning, ICML 2009), so labels that nobody has thought of have their place, too.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/servedname.h"
#include "api/profile/keyparameter.h"
#include "api/route/banditfeatures.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "source/input/keytext.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

typedef struct KeptPlan
{
	char	   *query;
	Oid			type;			/* of its first parameter, if it has any */
	RecsysPlan *plan;
} KeptPlan;

/* One that a change has made useless goes with the shop: another call may be running it. */
RecsysPlan *
RecsysBanditPlan(RecsysShop *shop, const char *part, const char *query, int nargs, Oid *types)
{
	Oid			type = nargs > 0 ? types[0] : InvalidOid;
	KeptPlan   *kept;
	RecsysPlan *plan;
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, shop->bandit_plans)
	{
		kept = lfirst(cell);
		if (kept->type == type && strcmp(kept->query, query) == 0)
			return kept->plan;
	}
	plan = RecsysPlanPrepare(shop, part, query, nargs, types);
	old = MemoryContextSwitchTo(shop->context);
	kept = palloc(sizeof(KeptPlan));
	kept->query = pstrdup(query);
	kept->type = type;
	kept->plan = plan;
	shop->bandit_plans = lappend(shop->bandit_plans, kept);
	MemoryContextSwitchTo(old);
	return plan;
}

static double
bounded(double number)
{
	if (!isfinite(number))
		return 0;
	return Max(-RECSYS_MOST_FEATURE, Min(RECSYS_MOST_FEATURE, number));
}

static void
put_label(const RecsysBanditFeature *feature, const char *label, double *vector)
{
	uint32		hash = hash_bytes((const unsigned char *) label, strlen(label));

	vector[feature->first + hash % feature->buckets] = 1;
}

static bool
is_label(const RecsysBanditFeature *feature)
{
	return strcmp(feature->type, "label") == 0;
}

/* A column for each feature that is an expression: a label as text, another as a number */
static char *
profile_query(const RecsysBandit *bandit, const RecsysDefinition *definition,
			  const RecsysKeyParameter *user)
{
	StringInfoData query;
	const char *before = "SELECT ";

	initStringInfo(&query);
	for (int i = 0; i < bandit->nfeatures; i++)
	{
		const RecsysBanditFeature *feature = &bandit->features[i];

		if (feature->expression == NULL)
			continue;
		appendStringInfo(&query, "%s(%s)%s", before, feature->expression,
						 is_label(feature) ? "::pg_catalog.text" :
						 strcmp(feature->type, "boolean") == 0 ?
						 "::pg_catalog.bool::pg_catalog.int4::pg_catalog.float8" :
						 "::pg_catalog.float8");
		before = ", ";
	}
	appendStringInfo(&query, " FROM %s AS %s WHERE %s = $1 LIMIT 1", definition->profiles,
					 definition->profiles_alias,
					 RecsysKeyColumn(user, psprintf("%s.%s", definition->profiles_alias,
													definition->profile_key)));
	return query.data;
}

static void
put_profile_row(const RecsysBandit *bandit, double *vector)
{
	int			column = 0;

	for (int i = 0; i < bandit->nfeatures; i++)
	{
		const RecsysBanditFeature *feature = &bandit->features[i];
		bool		isnull;
		Datum		value;

		if (feature->expression == NULL)
			continue;
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, ++column, &isnull);
		if (isnull)
			continue;
		if (is_label(feature))
			put_label(feature, TextDatumGetCString(value), vector);
		else
			vector[feature->first] = bounded(DatumGetFloat8(value));
	}
}

/* What the profiles say of a user */
static void
read_profile(const RecsysBandit *bandit, const char *user, double *vector)
{
	RecsysShop *shop = RecsysServedShop(bandit->features_of);
	const RecsysDefinition *definition;
	RecsysRecommender first;
	RecsysKeyParameter parameter;
	RecsysPlan *plan;
	RecsysKeyKind kind;
	Oid			type;
	Oid			user_type;
	RecsysKey	key;
	Datum		value;

	if (shop == NULL || shop->definition->profiles == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" has no profiles any more", bandit->features_of),
				 errdetail("Features of bandit \"%s\" are expressions over them.", bandit->name),
				 errhint("Declare them again by recsys.alter_recommender, or other features by recsys.alter_bandit.")));
	RecsysUseShop(shop);
	definition = shop->definition;
	RecsysOpenUndivided(definition->signals[0].events, &first);
	kind = first.columns.user_kind;
	user_type = first.columns.user_type;
	RecsysCloseRecommender(&first);
	type = RecsysTypeOfColumn(definition->profiles, definition->profile_key);
	if (!RecsysGetKeyParameter(OidIsValid(type) ? type : RecsysKeyKindType(kind), kind, &parameter))
		elog(ERROR, "column %s of %s is of another type than keys of users", definition->profile_key,
			 definition->profiles);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = RecsysBanditPlan(shop, "features", profile_query(bandit, definition, &parameter), 1,
							&parameter.type);
	RecsysKeyFromText(user_type, user, &key);
	value = RecsysKeyValue(&parameter, &key);
	RecsysPlanRun(plan, &value, NULL, 1);
	if (SPI_processed > 0)
		put_profile_row(bandit, vector);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysReleaseShop(shop);
}

static void
put_context_value(const RecsysBanditFeature *feature, const JsonbValue *value, double *vector)
{
	double		number;

	switch (value->type)
	{
		case jbvNumeric:
			number = DatumGetFloat8(DirectFunctionCall1(numeric_float8,
														NumericGetDatum(value->val.numeric)));
			if (is_label(feature))
				put_label(feature, DatumGetCString(DirectFunctionCall1(numeric_out,
																	   NumericGetDatum(value->val.numeric))),
						  vector);
			else
				vector[feature->first] = bounded(number);
			break;
		case jbvBool:
			if (is_label(feature))
				put_label(feature, value->val.boolean ? "true" : "false", vector);
			else
				vector[feature->first] = value->val.boolean ? 1 : 0;
			break;
		case jbvString:
			if (is_label(feature))
			{
				put_label(feature, pnstrdup(value->val.string.val, value->val.string.len), vector);
				break;
			}
			/* FALLTHROUGH */
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("feature \"%s\" of the context must be a %s", feature->name,
							is_label(feature) ? "string" : "number")));
	}
}

static void
read_context(const RecsysBandit *bandit, Jsonb *context, double *vector)
{
	JsonbValue	features;

	if (context == NULL || !JB_ROOT_IS_OBJECT(context) ||
		getKeyJsonValueFromContainer(&context->root, "features", strlen("features"), &features) == NULL ||
		features.type != jbvBinary || !JsonContainerIsObject(features.val.binary.data))
		return;
	for (int i = 0; i < bandit->nfeatures; i++)
	{
		const RecsysBanditFeature *feature = &bandit->features[i];
		JsonbValue	value;

		if (feature->expression == NULL &&
			getKeyJsonValueFromContainer(features.val.binary.data, feature->name,
										 strlen(feature->name), &value) != NULL &&
			value.type != jbvNull)
			put_context_value(feature, &value, vector);
	}
}

static bool
has_expressions(const RecsysBandit *bandit)
{
	for (int i = 0; i < bandit->nfeatures; i++)
		if (bandit->features[i].expression != NULL)
			return true;
	return false;
}

double *
RecsysBanditFeatures(const RecsysBandit *bandit, const char *user, Jsonb *context)
{
	double	   *vector = palloc0(sizeof(double) * Max(bandit->options.dimension, 1));

	vector[0] = 1;
	if (user != NULL && has_expressions(bandit))
		read_profile(bandit, user, vector);
	read_context(bandit, context, vector);
	return vector;
}
