/*
 * experimentrow.c
 *	  An experiment as it is declared: the rows of recsys.experiment.
 *
 * Each request that an experiment serves looks at one row, so that is read by its index without a
 * query, and what has been made of it is kept as long as the row is of the same version.  Callers
 * get a copy, so that a change by a function that they call takes nothing away from them.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "api/declare/declaredrows.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/keep/experimentrow.h"
#include "api/keep/keeper.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "source/input/values.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

/* Its columns */
#define NAME_COLUMN 1
#define OWNER_COLUMN 2
#define DEFINITION_COLUMN 3
#define STARTED_COLUMN 4
#define STOPPED_COLUMN 5

/* Experiments kept at a time; one more than these starts anew. */
#define MAX_KNOWN 64

typedef struct KnownExperiment
{
	RecsysExperiment *experiment;	/* in context */
	RecsysRowVersion version;
	MemoryContext context;
} KnownExperiment;

static List *known_experiments = NIL;

static int64
interval_microseconds(const char *text)
{
	Interval   *interval;

	if (text == NULL)
		return 0;
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	return (int64) RecsysIntervalMicroseconds(interval);
}

/* An array of texts; without it there are none. */
static char **
read_texts(JsonbContainer *object, const char *key, int *count)
{
	JsonbValue	value;
	JsonbContainer *array;
	char	  **texts;

	*count = 0;
	if (!RecsysJsonGet(object, key, &value))
		return NULL;
	array = RecsysJsonArray(&value, key);
	texts = palloc(sizeof(char *) * Max(JsonContainerSize(array), 1));
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
		texts[(*count)++] = RecsysJsonValueText(getIthJsonbValueFromContainer(array, i), key);
	return texts;
}

static void
read_variants(JsonbContainer *object, RecsysExperiment *experiment)
{
	JsonbValue	value;
	JsonbContainer *array;

	if (!RecsysJsonGet(object, "variants", &value))
		elog(ERROR, "experiment \"%s\" has no variants", experiment->name);
	array = RecsysJsonArray(&value, "variants");
	experiment->nvariants = JsonContainerSize(array);
	if (experiment->nvariants < 1)
		elog(ERROR, "experiment \"%s\" has no variants", experiment->name);
	experiment->variants = palloc0(sizeof(RecsysVariant) * experiment->nvariants);
	for (int i = 0; i < experiment->nvariants; i++)
	{
		JsonbContainer *variant = RecsysJsonObject(getIthJsonbValueFromContainer(array, i), "variants");

		experiment->variants[i].name = RecsysJsonText(variant, "name");
		experiment->variants[i].recommender = RecsysJsonText(variant, "recommender");
		experiment->variants[i].share = RecsysJsonNumber(variant, "share", 0);
		if (experiment->variants[i].name == NULL || experiment->variants[i].recommender == NULL)
			elog(ERROR, "a variant of experiment \"%s\" has no name or no recommender",
				 experiment->name);
	}
}

static void
read_ranges(JsonbContainer *object, RecsysExperiment *experiment)
{
	JsonbValue	value;
	JsonbContainer *array;

	if (!RecsysJsonGet(object, "ranges", &value))
		elog(ERROR, "experiment \"%s\" has no ranges", experiment->name);
	array = RecsysJsonArray(&value, "ranges");
	experiment->nranges = JsonContainerSize(array);
	experiment->ranges = palloc(sizeof(RecsysVariantRange) * Max(experiment->nranges, 1));
	for (int i = 0; i < experiment->nranges; i++)
	{
		JsonbContainer *range = RecsysJsonObject(getIthJsonbValueFromContainer(array, i), "ranges");
		char	   *variant = RecsysJsonText(range, "variant");

		experiment->ranges[i].high = RecsysJsonNumber(range, "high", 1);
		experiment->ranges[i].variant =
			variant == NULL ? -1 : RecsysVariantNumber(experiment, variant);
		if (experiment->ranges[i].variant < 0)
			elog(ERROR, "a range of experiment \"%s\" has no variant", experiment->name);
	}
}

static void
read_metrics(JsonbContainer *object, RecsysExperiment *experiment)
{
	JsonbValue	value;

	experiment->metrics = read_texts(object, "metrics", &experiment->nmetrics);
	experiment->primary_metric = RecsysJsonText(object, "primary_metric");
	experiment->guardrails = read_texts(object, "guardrails", &experiment->nguardrails);
	if (RecsysJsonGet(object, "purchases", &value))
		experiment->purchases = JsonbValueToJsonb(&value);
	experiment->window = interval_microseconds(RecsysJsonText(object, "attribution_window"));
	experiment->attribution = RecsysJsonText(object, "attribution");
	experiment->alpha = RecsysJsonNumber(object, "alpha", 0.05);
	experiment->method = RecsysJsonText(object, "method");
	experiment->correction = RecsysJsonText(object, "correction");
	experiment->winsorise = RecsysJsonNumber(object, "winsorise", 1);
	experiment->pre_period = interval_microseconds(RecsysJsonText(object, "pre_period"));
	experiment->expected_users = RecsysJsonInteger(object, "expected_users", 5000);
}

static TimestampTz
timestamp_or(const char *text, TimestampTz otherwise)
{
	return text == NULL ? otherwise :
		DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
												ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* In the current memory context */
static RecsysExperiment *
read_definition(char *name, char *owner, Jsonb *definition)
{
	RecsysExperiment *experiment = palloc0(sizeof(RecsysExperiment));
	JsonbContainer *object = &definition->root;
	char	   *unit = RecsysJsonText(object, "unit");

	experiment->name = name;
	experiment->owner = owner;
	read_variants(object, experiment);
	read_ranges(object, experiment);
	experiment->shares_since = timestamp_or(RecsysJsonText(object, "shares_since"), DT_NOBEGIN);
	experiment->salt = RecsysJsonText(object, "salt");
	if (experiment->salt == NULL)
		experiment->salt = pstrdup(name);
	experiment->by_session = unit != NULL && strcmp(unit, "session") == 0;
	experiment->interleaved = RecsysJsonFlag(object, "interleave", false);
	experiment->layer = RecsysJsonText(object, "layer");
	experiment->layer_low = RecsysJsonNumber(object, "layer_low", 0);
	experiment->layer_high = RecsysJsonNumber(object, "layer_high", 1);
	experiment->holdout = RecsysJsonNumber(object, "holdout", 0);
	experiment->segment = RecsysJsonText(object, "segment");
	experiment->eligible = RecsysJsonText(object, "eligible");
	experiment->winner = RecsysJsonText(object, "winner");
	read_metrics(object, experiment);
	return experiment;
}

static RecsysExperiment *
form_experiment(HeapTuple tuple, TupleDesc descriptor)
{
	Datum		values[STOPPED_COLUMN];
	bool		isnull[STOPPED_COLUMN];
	RecsysExperiment *experiment;

	for (int i = 0; i < STOPPED_COLUMN; i++)
	{
		values[i] = heap_getattr(tuple, i + 1, descriptor, &isnull[i]);
		if (isnull[i] && i < DEFINITION_COLUMN)
			elog(ERROR, "column %d of recsys.experiment is null", i + 1);
	}
	experiment = read_definition(TextDatumGetCString(values[NAME_COLUMN - 1]),
								 TextDatumGetCString(values[OWNER_COLUMN - 1]),
								 DatumGetJsonbPCopy(values[DEFINITION_COLUMN - 1]));
	experiment->started_at = isnull[STARTED_COLUMN - 1] ? DT_NOEND :
		DatumGetTimestampTz(values[STARTED_COLUMN - 1]);
	experiment->stopped_at = isnull[STOPPED_COLUMN - 1] ? DT_NOEND :
		DatumGetTimestampTz(values[STOPPED_COLUMN - 1]);
	return experiment;
}

static char *
copy_text(const char *text)
{
	return text == NULL ? NULL : pstrdup(text);
}

static char **
copy_texts(char **texts, int count)
{
	char	  **copy = palloc(sizeof(char *) * Max(count, 1));

	for (int i = 0; i < count; i++)
		copy[i] = pstrdup(texts[i]);
	return copy;
}

static RecsysExperiment *
copy_experiment(const RecsysExperiment *experiment)
{
	RecsysExperiment *copy = palloc(sizeof(RecsysExperiment));

	*copy = *experiment;
	copy->name = pstrdup(experiment->name);
	copy->owner = pstrdup(experiment->owner);
	copy->variants = palloc(sizeof(RecsysVariant) * experiment->nvariants);
	for (int i = 0; i < experiment->nvariants; i++)
	{
		copy->variants[i].name = pstrdup(experiment->variants[i].name);
		copy->variants[i].recommender = pstrdup(experiment->variants[i].recommender);
		copy->variants[i].share = experiment->variants[i].share;
	}
	copy->ranges = palloc(sizeof(RecsysVariantRange) * Max(experiment->nranges, 1));
	memcpy(copy->ranges, experiment->ranges, sizeof(RecsysVariantRange) * experiment->nranges);
	copy->salt = pstrdup(experiment->salt);
	copy->layer = copy_text(experiment->layer);
	copy->segment = copy_text(experiment->segment);
	copy->eligible = copy_text(experiment->eligible);
	copy->metrics = copy_texts(experiment->metrics, experiment->nmetrics);
	copy->primary_metric = copy_text(experiment->primary_metric);
	copy->guardrails = copy_texts(experiment->guardrails, experiment->nguardrails);
	if (experiment->purchases != NULL)
	{
		copy->purchases = palloc(VARSIZE(experiment->purchases));
		memcpy(copy->purchases, experiment->purchases, VARSIZE(experiment->purchases));
	}
	copy->attribution = copy_text(experiment->attribution);
	copy->method = copy_text(experiment->method);
	copy->correction = copy_text(experiment->correction);
	copy->winner = copy_text(experiment->winner);
	return copy;
}

static KnownExperiment *
find_known(const char *name)
{
	ListCell   *cell;

	foreach(cell, known_experiments)
	{
		KnownExperiment *known = lfirst(cell);

		if (strcmp(known->experiment->name, name) == 0)
			return known;
	}
	return NULL;
}

static void
forget_known(KnownExperiment *known)
{
	known_experiments = list_delete_ptr(known_experiments, known);
	MemoryContextDelete(known->context);
}

/* Below the current context until it is whole, so that an error leaves nothing */
static KnownExperiment *
make_known(HeapTuple tuple, TupleDesc descriptor, const RecsysRowVersion *version)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys experiment",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	KnownExperiment *known = palloc(sizeof(KnownExperiment));

	known->context = context;
	known->version = *version;
	known->experiment = form_experiment(tuple, descriptor);
	MemoryContextSwitchTo(TopMemoryContext);
	if (list_length(known_experiments) >= MAX_KNOWN)
		forget_known(linitial(known_experiments));
	known_experiments = lappend(known_experiments, known);
	MemoryContextSetParent(context, CacheMemoryContext);
	MemoryContextSwitchTo(old);
	return known;
}

/* By its name as it is in the table */
static KnownExperiment *
find_named(Relation table, const char *name)
{
	KnownExperiment *known = find_known(name);
	RecsysRowVersion seen;
	HeapTuple	tuple;
	SysScanDesc scan = RecsysScanNamed(table, name, &tuple, &seen);

	if (known != NULL && !(HeapTupleIsValid(tuple) && RecsysSameVersion(&seen, &known->version)))
	{
		forget_known(known);
		known = NULL;
	}
	if (HeapTupleIsValid(tuple) && known == NULL)
		known = make_known(tuple, RelationGetDescr(table), &seen);
	systable_endscan(scan);
	return known;
}

/* As any name in SQL it may have quotes, or capital letters that mean nothing. */
static const char *
plain_name(const char *name)
{
	List	   *parts;

	if (RecsysIsPlainName(name))
		return name;
	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || list_length(parts) != 1)
		return NULL;
	return linitial(parts);
}

RecsysExperiment *
RecsysFindExperiment(const char *name)
{
	const char *plain = plain_name(name);
	Relation	table = plain == NULL ? NULL : RecsysOpenShopTable("experiment");
	KnownExperiment *known;

	if (table == NULL)
		return NULL;
	known = find_named(table, plain);
	table_close(table, AccessShareLock);
	return known == NULL ? NULL : copy_experiment(known->experiment);
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(((RecsysExperiment *) lfirst(a))->name, ((RecsysExperiment *) lfirst(b))->name);
}

List *
RecsysAllExperiments(Snapshot snapshot)
{
	Relation	table = RecsysOpenShopTable("experiment");
	List	   *all = NIL;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (table == NULL)
		return NIL;
	scan = systable_beginscan(table, InvalidOid, false, snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		all = lappend(all, form_experiment(tuple, RelationGetDescr(table)));
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	list_sort(all, compare_names);
	return all;
}

int
RecsysVariantNumber(const RecsysExperiment *experiment, const char *name)
{
	for (int i = 0; i < experiment->nvariants; i++)
		if (strcmp(experiment->variants[i].name, name) == 0)
			return i;
	return -1;
}

bool
RecsysExperimentRuns(const RecsysExperiment *experiment)
{
	return !TIMESTAMP_IS_NOEND(experiment->started_at) && TIMESTAMP_IS_NOEND(experiment->stopped_at);
}

Oid
RecsysNeedExperimentOwner(const RecsysExperiment *experiment)
{
	Oid			owner = get_role_oid(experiment->owner, true);

	if (!OidIsValid(owner) && RecsysIsKeeper())
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\", the owner of experiment \"%s\", does not exist",
						experiment->owner, experiment->name),
				 errhint("SELECT recsys.alter_experiment(%s, new_owner => current_user);",
						 quote_literal_cstr(experiment->name))));
	if (OidIsValid(owner) && (has_privs_of_role(GetUserId(), owner) || RecsysIsKeeper()))
		return owner;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("must be owner of experiment \"%s\"", experiment->name)));
}
