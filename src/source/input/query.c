/*
 * query.c
 *	  Interactions from any query, run with the caller's rights.
 *
 * A query that is not the caller's, but made of an index's definition, runs with the
 * rights of the table's owner: his expressions may call any function of his.
 *
 * The query runs through SPI, read-only (runas.c) and with the snapshot of the calling
 * statement, so views, row-level security, foreign and partitioned tables all
 * work as in the query itself.  Rows are fetched in batches.
 *
 * A row is one interaction: user, item [, weight [, time]].  Or it is a history: where item is an
 * array, weight and time may be arrays of the same length, or values that hold for all of it.
 * Histories come several times faster than rows, above all from other servers.
 */
#include "postgres.h"

#include <ctype.h>

#include "executor/spi.h"
#include "miscadmin.h"
#include "source/input/keyadvice.h"
#include "source/input/keytext.h"
#include "source/input/query.h"
#include "source/input/runas.h"
#include "source/input/values.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define BATCH_ROWS 1000

#define SHAPE_HINT "The query must return user, item [, weight [, time]]."
#define COLLATION_HINT "Select the column with COLLATE \"C\" or another deterministic collation."

/* Interactions of one row between two checks for interrupts */
#define ELEMENTS_PER_CHECK 4096

/* user, item, weight, time */
#define SHAPE_COLUMNS 4

typedef struct QueryShape
{
	Oid			types[SHAPE_COLUMNS];	/* base types; of arrays those of their elements */
	bool		arrays[SHAPE_COLUMNS];	/* a row has several interactions of its user */
	int			weight_column;	/* from 0; -1 for none */
	int			time_column;
	RecsysKeyKind user_kind;
	RecsysKeyKind item_kind;
} QueryShape;

/* An expression may be one that nobody has named. */
static const char *
name_for_hint(Form_pg_attribute column, bool is_user)
{
	const char *name = NameStr(column->attname);

	if (strcmp(name, "?column?") != 0)
		return quote_identifier(name);
	return is_user ? "user_id" : "item_id";
}

/* type: of the column, or of the elements of one that is an array */
static void
check_key_type(Form_pg_attribute column, Oid type, bool is_array, bool is_user, RecsysKeyKind *kind)
{
	char	   *expression;
	char	   *name;

	if (RecsysQueryKeyKindOfType(type, kind))
		return;
	expression = is_array ? NULL : RecsysKeyExpression(type, name_for_hint(column, is_user));
	name = format_type_be(getBaseType(column->atttypid));
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 is_user ?
			 errmsg("the query's user column has type %s", name) :
			 errmsg("the query's item column has type %s", name),
			 errdetail(RECSYS_KEY_TYPES),
			 expression == NULL ? errhint(SHAPE_HINT) :
			 errhint("Select an expression such as %s.", expression)));
}

static void
find_types(TupleDesc desc, QueryShape *shape)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Oid			element;

		shape->types[i] = getBaseType(TupleDescAttr(desc, i)->atttypid);
		element = i == 0 || (i > 1 && !shape->arrays[1]) ? InvalidOid : get_element_type(shape->types[i]);
		shape->arrays[i] = OidIsValid(element);
		if (shape->arrays[i])
			shape->types[i] = getBaseType(element);
	}
}

static void
check_shape(TupleDesc desc, QueryShape *shape)
{
	if (desc->natts < 2 || desc->natts > SHAPE_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg_plural("the query returns %d column", "the query returns %d columns",
							   desc->natts, desc->natts),
				 errhint(SHAPE_HINT)));

	memset(shape, 0, sizeof(*shape));
	find_types(desc, shape);
	check_key_type(TupleDescAttr(desc, 0), shape->types[0], false, true, &shape->user_kind);
	check_key_type(TupleDescAttr(desc, 1), shape->types[1], shape->arrays[1], false, &shape->item_kind);
	RecsysCheckCollation(shape->user_kind, TupleDescAttr(desc, 0)->attcollation, COLLATION_HINT);
	RecsysCheckCollation(shape->item_kind, TupleDescAttr(desc, 1)->attcollation, COLLATION_HINT);

	shape->weight_column = -1;
	shape->time_column = -1;
	for (int i = 2; i < desc->natts; i++)
	{
		if (i == 2 && RecsysTypeIsWeight(shape->types[i]))
			shape->weight_column = i;
		else if (i == desc->natts - 1 && RecsysTypeIsTime(shape->types[i]))
			shape->time_column = i;
		else
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column %d of the query has type %s", i + 1,
							format_type_be(getBaseType(TupleDescAttr(desc, i)->atttypid))),
					 errdetail("A weight is a number, a time is a timestamp with or without time zone or a date."),
					 errhint(SHAPE_HINT)));
	}
}

static void
check_key_length(Form_pg_attribute column, bool is_user, const RecsysKey *key)
{
	if (key->len > RECSYS_MAX_KEY_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key of %u bytes exceeds maximum %u", key->len, RECSYS_MAX_KEY_LEN),
				 errhint("Select an expression such as md5(%s)::uuid instead.",
						 name_for_hint(column, is_user))));
}

/* A column of a row: one value that holds for all interactions, or one for each */
typedef struct Values
{
	Oid			type;
	bool		each;
	int			count;			/* if there is one for each */
	Datum	   *values;
	bool	   *isnull;
	ArrayType  *array;			/* that these are of */
} Values;

static void
read_column(const QueryShape *shape, int column, Datum *value, bool *isnull, Values *values)
{
	ArrayType  *array;
	int16		length;
	bool		byvalue;
	char		align;

	*values = (Values) {shape->types[column], shape->arrays[column] && !*isnull, 1, value, isnull, NULL};
	if (!values->each)
		return;
	values->array = array = DatumGetArrayTypeP(*value);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &byvalue, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, byvalue, align, &values->values,
					  &values->isnull, &values->count);
}

/* Histories may be long, and memory of rows is given back now and then only. */
static void
release_column(Values *values, Datum value)
{
	if (!values->each)
		return;
	if (values->values != NULL)
		pfree(values->values);
	if (values->isnull != NULL)
		pfree(values->isnull);
	if ((Pointer) values->array != DatumGetPointer(value))
		pfree(values->array);
}

/* What a column has for an interaction; false for NULL. */
static inline bool
take(const Values *values, int i, Datum *value)
{
	int			place = values->each ? i : 0;

	*value = values->values[place];
	return !values->isnull[place];
}

static void
check_count(int column, const Values *items, const Values *values)
{
	if (!values->each || values->count == items->count)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
			 errmsg("the query returns %d items of a user, and column %d has %d elements", items->count,
					column + 1, values->count),
			 errhint("Aggregate them together, in the same order, in a query that is grouped by user.")));
}

static void
collect_row(RecsysCollector *collector, const QueryShape *shape, HeapTuple tuple, TupleDesc desc,
			uint64 *position)
{
	Datum		values[SHAPE_COLUMNS];
	bool		isnull[SHAPE_COLUMNS];
	Values		columns[SHAPE_COLUMNS];
	RecsysKey	user;
	RecsysKey	item;
	RecsysCollected row = {.user = &user,.item = &item,.dead = false};

	heap_deform_tuple(tuple, desc, values, isnull);
	if (isnull[0] || isnull[1])
	{
		(*position)++;
		return;
	}
	RecsysKeyFromDatum(shape->types[0], values[0], &user);
	check_key_length(TupleDescAttr(desc, 0), true, &user);
	for (int i = 1; i < desc->natts; i++)
	{
		read_column(shape, i, &values[i], &isnull[i], &columns[i]);
		check_count(i, &columns[1], &columns[i]);
	}

	for (int i = 0; i < columns[1].count; i++)
	{
		Datum		value;

		row.position = (*position)++;
		if (i % ELEMENTS_PER_CHECK == ELEMENTS_PER_CHECK - 1)
			CHECK_FOR_INTERRUPTS();
		if (!take(&columns[1], i, &value))
			continue;
		RecsysKeyFromDatum(shape->types[1], value, &item);
		check_key_length(TupleDescAttr(desc, 1), false, &item);
		row.weight = 1.0;
		row.time = RECSYS_NO_TIME;
		if (shape->weight_column >= 0 && take(&columns[shape->weight_column], i, &value))
			row.weight = RecsysWeightFromDatum(shape->types[shape->weight_column], value);
		if (shape->time_column >= 0 && take(&columns[shape->time_column], i, &value))
			row.time = RecsysTimeFromDatum(shape->types[shape->time_column], value);
		RecsysCollectorAdd(collector, &row);
	}
	for (int i = 1; i < desc->natts; i++)
		release_column(&columns[i], values[i]);
}

/* After an identifier, quoted or not; NULL if there is none. */
static const char *
skip_identifier(const char *place)
{
	if (*place == '"')
	{
		/* a quote within is doubled */
		while ((place = strchr(place + 1, '"')) != NULL && place[1] == '"')
			place++;
		return place == NULL ? NULL : place + 1;
	}
	if (!isalpha((unsigned char) *place) && *place != '_' && !IS_HIGHBIT_SET(*place))
		return NULL;
	while (isalnum((unsigned char) *place) || *place == '_' || *place == '$' || IS_HIGHBIT_SET(*place))
		place++;
	return place;
}

bool
RecsysIsName(const char *text)
{
	const char *place = text + strspn(text, " \t\r\n");

	/* which is a query of no columns */
	if (pg_strcasecmp(place, "select") == 0)
		return false;
	while ((place = skip_identifier(place)) != NULL && *place == '.')
		place++;
	return place != NULL && place[strspn(place, " \t\r\n")] == '\0';
}

static Portal
open_query(const char *query, const char *hint)
{
	SPIPlanPtr	plan;

	/* the parser would find a syntax error in a recommender's name */
	if (RecsysIsName(query))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("\"%s\" is a name, and a query is needed", query),
				 errhint("Pass a query, as in 'SELECT user_id, product_id FROM purchases'. Functions that take the name of a recommender are item_similarity, association_rules, association_rules_to_sets, frequent_itemsets and recsys.evaluate_recommender.")));
	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (!SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_CURSOR_DEFINITION),
				 errmsg("the query must be a single SELECT"),
				 errhint("%s", hint)));
	RecsysRefuseWrites(plan, query);
	return SPI_cursor_open(NULL, plan, NULL, NULL, true);
}

/* only_reads: functions that the query calls must not write either */
static void
run_query(const char *query, const char *hint, bool only_reads, RecsysQueryStart start,
		  RecsysQueryRow row, void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext row_context;
	Portal		portal;
	bool		before = false;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (only_reads)
		before = RecsysBeginReadOnly();
	portal = open_query(query, hint);
	MemoryContextSwitchTo(caller);
	start(arg, portal->tupDesc);
	row_context = AllocSetContextCreate(caller, "recsys query rows", ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		SPI_cursor_fetch(portal, true, BATCH_ROWS);
		if (SPI_processed == 0)
			break;
		MemoryContextSwitchTo(row_context);
		for (uint64 i = 0; i < SPI_processed; i++)
			row(arg, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		MemoryContextReset(row_context);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextDelete(row_context);
	SPI_cursor_close(portal);
	if (only_reads)
		RecsysEndReadOnly(before);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	MemoryContextSwitchTo(caller);
}

void
RecsysRunQuery(const char *query, const char *hint, RecsysQueryStart start, RecsysQueryRow row,
			   void *arg)
{
	run_query(query, hint, true, start, row, arg);
}

void
RecsysRunDefinedQuery(const char *query, RecsysQueryStart start, RecsysQueryRow row, void *arg)
{
	run_query(query, "", false, start, row, arg);
}

typedef struct Collection
{
	RecsysCollectorOptions options;
	RecsysCollector *collector;
	QueryShape	shape;
	uint64		position;
} Collection;

static void
start_collection(void *arg, TupleDesc desc)
{
	Collection *collection = arg;

	check_shape(desc, &collection->shape);
	collection->options.user_kind = collection->shape.user_kind;
	collection->options.item_kind = collection->shape.item_kind;
	/* numbers of all types are keys as bigint, but the blanks of char(n) do not count */
	collection->options.item_type = collection->shape.types[1] == BPCHAROID ? BPCHAROID :
		RecsysKeyKindType(collection->shape.item_kind);
	collection->options.weighted = collection->shape.weight_column >= 0;
	collection->options.timed = collection->shape.time_column >= 0;
	collection->options.time_type = collection->options.timed ?
		collection->shape.types[collection->shape.time_column] : InvalidOid;
	collection->options.postings = false;
	collection->collector = RecsysCollectorCreate(&collection->options);
}

static void
add_to_collection(void *arg, HeapTuple tuple, TupleDesc desc)
{
	Collection *collection = arg;

	collect_row(collection->collector, &collection->shape, tuple, desc, &collection->position);
}

RecsysCollector *
RecsysCollectSeeded(const char *query, Oid role, Size memory_limit, uint64 seed,
					RecsysCollectorOptions *options)
{
	Collection	collection = {0};
	RecsysRights before;

	collection.options.memory_limit = memory_limit;
	collection.options.seed = seed;
	if (OidIsValid(role))
		RecsysBeginAs(role, &before);

	/* of a definition, functions are those that an index's rows go through in a build as well */
	run_query(query, SHAPE_HINT, !OidIsValid(role), start_collection, add_to_collection, &collection);
	if (OidIsValid(role))
		RecsysEndAs(&before);
	RecsysCollectorFinish(collection.collector);
	*options = collection.options;
	return collection.collector;
}

RecsysCollector *
RecsysCollectQuery(const char *query, Size memory_limit, Oid *item_type, bool *weighted)
{
	RecsysCollectorOptions options;
	RecsysCollector *collector;
	uint64		seed;

	if (!pg_strong_random(&seed, sizeof(seed)))
		seed = (uint64) GetCurrentTimestamp();
	collector = RecsysCollectSeeded(query, InvalidOid, memory_limit, seed, &options);
	*item_type = options.item_type;
	*weighted = options.weighted;
	return collector;
}
