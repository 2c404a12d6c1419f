/*
 * banditrow.c
 *	  A bandit as it is declared: the rows of recsys.bandit.
 *
 * Each request for a bandit looks at its row, so that is read by its index without a query, and
 * read anew only where it is another version than the last time: as with declared recommenders.
 * What is kept is of the session's last snapshot of it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "api/declare/declaredrows.h"
#include "api/declare/jsonfields.h"
#include "api/keep/keeper.h"
#include "api/route/banditrow.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "source/input/values.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Columns of recsys.bandit */
enum
{
	NAME_COLUMN = 1,
	OWNER_COLUMN,
	DEFINITION_COLUMN,
	CREATED_AT_COLUMN,
	CHANGED_AT_COLUMN,
	GENERATION_COLUMN,
	COUNTED_SINCE_COLUMN,
	FEATURES_SINCE_COLUMN
};

#define COLUMNS FEATURES_SINCE_COLUMN

typedef struct KnownBandit
{
	MemoryContext context;		/* of all of it, this struct included */
	RecsysRowVersion version;
	RecsysBandit *bandit;
} KnownBandit;

static List *known_bandits = NIL;

static char **
read_texts(JsonbContainer *object, const char *key, int *n)
{
	JsonbValue	value;
	JsonbContainer *array;
	char	  **texts;

	*n = 0;
	if (!RecsysJsonGet(object, key, &value))
		return NULL;
	array = RecsysJsonArray(&value, key);
	texts = palloc(sizeof(char *) * Max(JsonContainerSize(array), 1));
	for (int i = 0; i < (int) JsonContainerSize(array); i++)
		texts[(*n)++] = RecsysJsonValueText(getIthJsonbValueFromContainer(array, i), key);
	return texts;
}

static void
read_places(JsonbContainer *object, RecsysBandit *bandit)
{
	JsonbValue	value;
	JsonbContainer *array;

	if (!RecsysJsonGet(object, "places", &value))
		return;
	array = RecsysJsonArray(&value, "places");
	bandit->places = palloc(sizeof(int) * Max(JsonContainerSize(array), 1));
	for (int i = 0; i < (int) JsonContainerSize(array); i++)
		bandit->places[bandit->nplaces++] =
			(int) RecsysJsonValueInteger(getIthJsonbValueFromContainer(array, i), "places");
}

static void
read_rewards(JsonbContainer *object, RecsysBandit *bandit)
{
	JsonbValue	value;
	JsonbContainer *rewards;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	RecsysBanditReward *reward = NULL;

	if (!RecsysJsonGet(object, "reward", &value))
		elog(ERROR, "bandit \"%s\" has no rewards", bandit->name);
	rewards = RecsysJsonObject(&value, "reward");
	bandit->rewards = palloc0(sizeof(RecsysBanditReward) * Max(JsonContainerSize(rewards), 1));
	iterator = JsonbIteratorInit(rewards);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			reward = &bandit->rewards[bandit->nrewards++];
			reward->kind = pnstrdup(value.val.string.val, value.val.string.len);
		}
		else if (token == WJB_VALUE)
		{
			reward->by_value = value.type == jbvString;
			if (!reward->by_value)
				reward->value = RecsysJsonValueNumber(&value, reward->kind);
		}
	}
}

/* In the order that jsonb has them, which is the same everywhere; the first number is 1, for a mean. */
static void
read_features(JsonbContainer *object, RecsysBandit *bandit)
{
	JsonbValue	value;
	JsonbContainer *features;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	RecsysBanditFeature *feature = NULL;
	int			dimension = 1;

	if (!RecsysJsonGet(object, "features", &value))
		return;
	features = RecsysJsonObject(&value, "features");
	bandit->features = palloc0(sizeof(RecsysBanditFeature) * Max(JsonContainerSize(features), 1));
	iterator = JsonbIteratorInit(features);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			feature = &bandit->features[bandit->nfeatures++];
			feature->name = pnstrdup(value.val.string.val, value.val.string.len);
		}
		else if (token == WJB_VALUE)
		{
			JsonbContainer *fields = RecsysJsonObject(&value, feature->name);

			feature->expression = RecsysJsonText(fields, "expression");
			feature->type = RecsysJsonText(fields, "type");
			feature->buckets = (int) RecsysJsonInteger(fields, "buckets", 1);
			feature->first = dimension;
			dimension += feature->buckets;
		}
	}
	bandit->options.dimension = dimension;
}

static double
seconds_of(const char *text)
{
	Interval   *interval;

	if (text == NULL)
		return 0;
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	return RecsysIntervalMicroseconds(interval) / USECS_PER_SEC;
}

static void
read_policy(JsonbContainer *object, RecsysBandit *bandit)
{
	RecsysPolicyOptions *options = &bandit->options;
	char	   *policy = RecsysJsonText(object, "policy");
	RecsysPolicyKind kind;
	JsonbValue	value;
	JsonbContainer *prior;

	if (policy == NULL || !RecsysPolicyByName(policy, &kind))
		elog(ERROR, "bandit \"%s\" has no policy", bandit->name);
	RecsysPolicyDefaults(kind, options);
	options->epsilon = RecsysJsonNumber(object, "epsilon", options->epsilon);
	options->exploration = RecsysJsonNumber(object, "exploration", options->exploration);
	if (!RecsysJsonGet(object, "prior", &value))
		return;
	prior = RecsysJsonObject(&value, "prior");
	options->prior_successes = RecsysJsonNumber(prior, "successes", options->prior_successes);
	options->prior_failures = RecsysJsonNumber(prior, "failures", options->prior_failures);
	options->prior_mean = RecsysJsonNumber(prior, "mean", options->prior_mean);
	options->prior_trials = RecsysJsonNumber(prior, "trials", options->prior_trials);
	options->prior_shape = RecsysJsonNumber(prior, "shape", options->prior_shape);
	options->prior_variance = RecsysJsonNumber(prior, "variance", options->prior_variance);
	options->ridge = RecsysJsonNumber(prior, "ridge", options->ridge);
}

RecsysBandit *
RecsysReadBandit(const char *name, const char *owner, Jsonb *definition)
{
	RecsysBandit *bandit = palloc0(sizeof(RecsysBandit));
	JsonbContainer *object = &definition->root;
	JsonbValue	value;

	bandit->name = pstrdup(name);
	bandit->owner = pstrdup(owner);
	read_policy(object, bandit);
	read_rewards(object, bandit);
	bandit->arms = read_texts(object, "arms", &bandit->narms);
	bandit->recommender = RecsysJsonText(object, "recommender");
	read_places(object, bandit);
	bandit->candidates = RecsysJsonText(object, "candidates");
	bandit->tolerance = RecsysJsonNumber(object, "tolerance", 0);
	bandit->minimum_share = RecsysJsonNumber(object, "minimum_share", 0);
	bandit->half_life = seconds_of(RecsysJsonText(object, "half_life"));
	bandit->has_seed = RecsysJsonGet(object, "seed", &value);
	bandit->seed = RecsysJsonInteger(object, "seed", 0);
	read_features(object, bandit);
	bandit->features_of = bandit->narms > 0 ? bandit->arms[0] : bandit->recommender;
	return bandit;
}

static KnownBandit *
find_known(const char *name)
{
	ListCell   *cell;

	foreach(cell, known_bandits)
	{
		KnownBandit *known = lfirst(cell);

		if (strcmp(known->bandit->name, name) == 0)
			return known;
	}
	return NULL;
}

static void
forget(KnownBandit *known)
{
	known_bandits = list_delete_ptr(known_bandits, known);
	MemoryContextDelete(known->context);
}

/* A row as a bandit that is kept; nothing is kept if that fails. */
static RecsysBandit *
keep(HeapTuple tuple, TupleDesc descriptor, const RecsysRowVersion *version)
{
	static uint64 serial = 0;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys bandit",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Datum		values[COLUMNS];
	bool		isnull[COLUMNS];
	KnownBandit *known = palloc(sizeof(KnownBandit));

	for (int i = 0; i < COLUMNS; i++)
	{
		values[i] = heap_getattr(tuple, i + 1, descriptor, &isnull[i]);
		if (isnull[i])
			elog(ERROR, "column %d of recsys.bandit is null", i + 1);
	}
	known->context = context;
	known->version = *version;
	known->bandit = RecsysReadBandit(TextDatumGetCString(values[NAME_COLUMN - 1]),
									 TextDatumGetCString(values[OWNER_COLUMN - 1]),
									 DatumGetJsonbPCopy(values[DEFINITION_COLUMN - 1]));
	known->bandit->generation = *DatumGetUUIDP(values[GENERATION_COLUMN - 1]);
	known->bandit->counted_since = DatumGetTimestampTz(values[COUNTED_SINCE_COLUMN - 1]);
	known->bandit->features_since = DatumGetTimestampTz(values[FEATURES_SINCE_COLUMN - 1]);
	known->bandit->serial = ++serial;
	MemoryContextSwitchTo(old);

	MemoryContextSetParent(context, CacheMemoryContext);
	old = MemoryContextSwitchTo(CacheMemoryContext);
	known_bandits = lcons(known, known_bandits);
	MemoryContextSwitchTo(old);
	return known->bandit;
}

RecsysBandit *
RecsysFindBandit(const char *name)
{
	Relation	table = RecsysOpenShopTable("bandit");
	KnownBandit *known = find_known(name);
	RecsysBandit *bandit = NULL;
	RecsysRowVersion seen;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (table == NULL)
		return NULL;
	scan = RecsysScanNamed(table, name, &tuple, &seen);
	if (HeapTupleIsValid(tuple) && known != NULL && RecsysSameVersion(&seen, &known->version))
		bandit = known->bandit;
	else
	{
		if (known != NULL)
			forget(known);
		if (HeapTupleIsValid(tuple))
			bandit = keep(tuple, RelationGetDescr(table), &seen);
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return bandit;
}

static bool
has_rights_of(const char *owner)
{
	Oid			role = get_role_oid(owner, true);

	return superuser() || (OidIsValid(role) && has_privs_of_role(GetUserId(), role));
}

void
RecsysNeedBanditOwner(const RecsysBandit *bandit)
{
	if (!has_rights_of(bandit->owner) && !RecsysIsKeeper())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of bandit \"%s\"", bandit->name)));
}

bool
RecsysMaySeeBandit(const char *owner)
{
	return has_rights_of(owner) || RecsysIsKeeper() ||
		has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_DATA);
}
