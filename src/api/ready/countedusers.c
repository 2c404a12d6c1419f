/*
 * countedusers.c
 *	  Which users count for a trend, where the profiles of a shop say so.
 *
 * They are read one by one as the executor has them: there may be millions of them.
 */
#include "postgres.h"

#include "api/declare/customersquery.h"
#include "api/declare/plan.h"
#include "api/ready/countedusers.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Kept with the shop */
typedef struct RecsysTrendPlans
{
	RecsysKeyKind kind;			/* of the keys that they give */
	RecsysPlan *of_segment;		/* NULL: not made yet */
	RecsysPlan *excluded;
} RecsysTrendPlans;

/*
 * A query for the users of a segment of the profiles, whose name is its parameter; without a segment
 * for those who are excluded.
 */
static char *
users_query(const RecsysDefinition *definition, RecsysKeyKind kind, bool of_segment)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT u FROM (");
	RecsysAppendCustomers(&query, definition, kind);
	if (!of_segment)
	{
		appendStringInfoString(&query, ") AS c WHERE excluded");
		return query.data;
	}
	appendStringInfoString(&query, ") AS c WHERE NOT excluded AND $1 IN (NULL");
	for (int i = 0; i < definition->nsegments; i++)
		appendStringInfo(&query, ", s%d", i + 1);
	appendStringInfoChar(&query, ')');
	return query.data;
}

/* What the executor gives users to */
typedef struct UserReceiver
{
	DestReceiver receiver;		/* first */
	RecsysBurstCount *count;
	void		(*use) (RecsysBurstCount *count, const RecsysKey *user);
	MemoryContext scratch;
	Oid			type;
} UserReceiver;

static void
start_users(DestReceiver *self, int operation, TupleDesc row)
{
	((UserReceiver *) self)->type = getBaseType(TupleDescAttr(row, 0)->atttypid);
}

static bool
receive_user(TupleTableSlot *row, DestReceiver *self)
{
	UserReceiver *users = (UserReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(users->scratch);
	RecsysKey	key;

	CHECK_FOR_INTERRUPTS();
	slot_getallattrs(row);
	if (!row->tts_isnull[0])
	{
		RecsysKeyFromDatum(users->type, row->tts_values[0], &key);
		if (key.len <= RECSYS_MAX_KEY_LEN)
			users->use(users->count, &key);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(users->scratch);
	return true;
}

static void
do_nothing(DestReceiver *self)
{
}

static RecsysTrendPlans *
get_plans(RecsysShop *shop, RecsysKeyKind kind)
{
	if (shop->trend_plans == NULL)
		shop->trend_plans = MemoryContextAllocZero(shop->context, sizeof(RecsysTrendPlans));
	if (shop->trend_plans->kind != kind)
		*shop->trend_plans = (RecsysTrendPlans) {.kind = kind};
	return shop->trend_plans;
}

static RecsysPlan *
segment_plan(RecsysShop *shop, RecsysKeyKind kind)
{
	RecsysTrendPlans *plans = get_plans(shop, kind);
	Oid			type = TEXTOID;

	if (plans->of_segment == NULL)
		plans->of_segment = RecsysPlanPrepare(shop, "segment", users_query(shop->definition, kind, true), 1,
											  &type);
	return plans->of_segment;
}

static RecsysPlan *
excluded_plan(RecsysShop *shop, RecsysKeyKind kind)
{
	RecsysTrendPlans *plans = get_plans(shop, kind);

	if (plans->excluded == NULL)
		plans->excluded = RecsysPlanPrepare(shop, "exclude_users", users_query(shop->definition, kind, false),
											0, NULL);
	return plans->excluded;
}

void
RecsysCountProfiles(RecsysBurstCount *count, RecsysShop *shop, RecsysKeyKind kind, const char *segment)
{
	Datum		value = segment == NULL ? (Datum) 0 : CStringGetTextDatum(segment);
	UserReceiver users = {
		.receiver = {receive_user, start_users, do_nothing, do_nothing, DestTuplestore},
		.count = count,
		.use = segment != NULL ? RecsysBurstCountUser : RecsysBurstTakeUser
	};

	users.scratch = AllocSetContextCreate(CurrentMemoryContext, "recsys user of the profiles",
										  ALLOCSET_DEFAULT_SIZES);
	RecsysPlanSend(segment != NULL ? segment_plan(shop, kind) : excluded_plan(shop, kind), &value, NULL,
				   &users.receiver);
	MemoryContextDelete(users.scratch);
}
