/*
 * policyquery.c
 *	  A query whose rows are what a policy has shown, with columns that are known by their names.
 */
#include "postgres.h"

#include <math.h>

#include "api/offpolicy/policyquery.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#define SHAPE_HINT \
	"The query must return reward, propensity, and target_probability, target_matches or target_item; it may return position, item, request, unit, context, and predicted with target_predicted."

typedef enum Column
{
	COLUMN_REWARD,
	COLUMN_PROPENSITY,
	COLUMN_TARGET_PROBABILITY,
	COLUMN_TARGET_MATCHES,
	COLUMN_TARGET_ITEM,
	COLUMN_POSITION,
	COLUMN_ITEM,
	COLUMN_REQUEST,
	COLUMN_UNIT,
	COLUMN_CONTEXT,
	COLUMN_PREDICTED,
	COLUMN_TARGET_PREDICTED,
	COLUMNS
} Column;

typedef enum ColumnKind
{
	KIND_NUMBER,				/* or boolean: 1 and 0 */
	KIND_BOOLEAN,
	KIND_POSITION,
	KIND_NAME					/* of any type, by its text */
} ColumnKind;

static const struct
{
	const char *name;
	ColumnKind	kind;
}			columns[COLUMNS] = {
	{"reward", KIND_NUMBER}, {"propensity", KIND_NUMBER}, {"target_probability", KIND_NUMBER},
	{"target_matches", KIND_BOOLEAN}, {"target_item", KIND_NAME}, {"position", KIND_POSITION},
	{"item", KIND_NAME}, {"request", KIND_NAME}, {"unit", KIND_NAME}, {"context", KIND_NAME},
	{"predicted", KIND_NUMBER}, {"target_predicted", KIND_NUMBER}
};

typedef struct Reading
{
	RecsysPolicyTable *table;
	MemoryContext context;
	int			place[COLUMNS]; /* among the query's; -1: it has none */
	Oid			types[COLUMNS]; /* base types */
	FmgrInfo	output[COLUMNS];
	Datum	   *values;
	bool	   *isnull;
} Reading;

static bool
has(const Reading *reading, Column column)
{
	return reading->place[column] >= 0;
}

static bool
type_fits(ColumnKind kind, Oid type)
{
	switch (kind)
	{
		case KIND_NUMBER:
			return type == BOOLOID || RecsysTypeIsWeight(type);
		case KIND_BOOLEAN:
			return type == BOOLOID;
		case KIND_POSITION:
			return type == INT2OID || type == INT4OID || type == INT8OID;
		default:
			return true;
	}
}

static void
take_column(Reading *reading, TupleDesc desc, int place)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, place);
	const char *name = NameStr(attribute->attname);
	Oid			output;
	bool		is_varlena;
	int			column = 0;

	while (column < COLUMNS && strcmp(columns[column].name, name) != 0)
		column++;
	if (column == COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the query has a column \"%s\", which has no meaning here", name),
				 errhint(SHAPE_HINT)));
	if (has(reading, column))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("the query has two columns \"%s\"", name)));
	reading->place[column] = place;
	reading->types[column] = getBaseType(attribute->atttypid);
	if (!type_fits(columns[column].kind, reading->types[column]))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the query has type %s", name,
						format_type_be(attribute->atttypid)),
				 errdetail("It must be %s.", columns[column].kind == KIND_NUMBER ? "a number" :
						   columns[column].kind == KIND_BOOLEAN ? "a boolean" : "an integer")));
	getTypeOutputInfo(attribute->atttypid, &output, &is_varlena);
	fmgr_info_cxt(output, &reading->output[column], reading->context);
}

static void
need(const Reading *reading, Column column)
{
	if (!has(reading, column))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the query has no column \"%s\"", columns[column].name),
				 errhint(SHAPE_HINT)));
}

static void
check_columns(const Reading *reading)
{
	int			targets = has(reading, COLUMN_TARGET_PROBABILITY) + has(reading, COLUMN_TARGET_MATCHES);

	need(reading, COLUMN_REWARD);
	need(reading, COLUMN_PROPENSITY);
	if (targets == 0 && !has(reading, COLUMN_TARGET_ITEM))
		need(reading, COLUMN_TARGET_PROBABILITY);
	if (targets + has(reading, COLUMN_TARGET_ITEM) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("the query says more than once what the target shows"),
				 errhint("Return one of target_probability, target_matches and target_item.")));
	if (has(reading, COLUMN_TARGET_ITEM))
		need(reading, COLUMN_ITEM);
	if (has(reading, COLUMN_PREDICTED))
		need(reading, COLUMN_TARGET_PREDICTED);
	if (has(reading, COLUMN_TARGET_PREDICTED))
		need(reading, COLUMN_PREDICTED);
}

/* A RecsysQueryStart */
static void
start_reading(void *arg, TupleDesc desc)
{
	Reading    *reading = arg;
	RecsysPolicyParts parts = {0};

	for (int column = 0; column < COLUMNS; column++)
		reading->place[column] = -1;
	for (int place = 0; place < desc->natts; place++)
		take_column(reading, desc, place);
	check_columns(reading);
	parts.request = has(reading, COLUMN_REQUEST);
	parts.unit = has(reading, COLUMN_UNIT);
	parts.position = has(reading, COLUMN_POSITION);
	parts.context = has(reading, COLUMN_CONTEXT);
	parts.item = has(reading, COLUMN_ITEM);
	parts.target_item = has(reading, COLUMN_TARGET_ITEM);
	parts.predicted = has(reading, COLUMN_PREDICTED);
	reading->table = RecsysPolicyTableCreate(&parts);
	reading->values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	reading->isnull = palloc(sizeof(bool) * Max(desc->natts, 1));
}

/* NaN and infinities stay what they are: RecsysPolicyTableAdd refuses them. */
static double
read_number(const Reading *reading, Column column)
{
	Oid			type = reading->types[column];
	Datum		value;
	double		number = 0;

	if (!has(reading, column))
		return 0;
	value = reading->values[reading->place[column]];
	if (type == BOOLOID)
		return DatumGetBool(value) ? 1 : 0;
	if (type == FLOAT8OID)
		return DatumGetFloat8(value);
	if (type == FLOAT4OID)
		number = DatumGetFloat4(value);
	else if (type == NUMERICOID)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	return isfinite(number) ? RecsysWeightFromDatum(type, value) : number;
}

static int32
read_position(const Reading *reading)
{
	double		position = read_number(reading, COLUMN_POSITION);

	if (position < PG_INT32_MIN || position > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("position %.0f of row %u is out of range", position, reading->table->n + 1)));
	return (int32) position;
}

/* NULL for NULL, which only target_item may be */
static const char *
read_name(Reading *reading, Column column)
{
	if (!has(reading, column) || reading->isnull[reading->place[column]])
		return NULL;
	return OutputFunctionCall(&reading->output[column], reading->values[reading->place[column]]);
}

/* A RecsysQueryRow */
static void
read_row(void *arg, HeapTuple tuple, TupleDesc desc)
{
	Reading    *reading = arg;
	RecsysPolicyRow row = {0};

	heap_deform_tuple(tuple, desc, reading->values, reading->isnull);
	for (int column = 0; column < COLUMNS; column++)
		if (column != COLUMN_TARGET_ITEM && has(reading, column) && reading->isnull[reading->place[column]])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s of row %u is NULL", columns[column].name, reading->table->n + 1)));
	row.reward = read_number(reading, COLUMN_REWARD);
	row.propensity = read_number(reading, COLUMN_PROPENSITY);
	row.position = read_position(reading);
	row.request = read_name(reading, COLUMN_REQUEST);
	row.unit = read_name(reading, COLUMN_UNIT);
	row.context = read_name(reading, COLUMN_CONTEXT);
	row.item = read_name(reading, COLUMN_ITEM);
	row.target_item = read_name(reading, COLUMN_TARGET_ITEM);
	row.predicted = read_number(reading, COLUMN_PREDICTED);
	row.target_predicted = read_number(reading, COLUMN_TARGET_PREDICTED);
	if (has(reading, COLUMN_TARGET_ITEM))
		row.target = row.target_item != NULL && strcmp(row.item, row.target_item) == 0;
	else
		row.target = read_number(reading, has(reading, COLUMN_TARGET_MATCHES) ?
								 COLUMN_TARGET_MATCHES : COLUMN_TARGET_PROBABILITY);
	RecsysPolicyTableAdd(reading->table, &row);
}

RecsysPolicyTable *
RecsysReadPolicyQuery(const char *query)
{
	Reading		reading = {0};

	reading.context = CurrentMemoryContext;
	RecsysRunQuery(query, SHAPE_HINT, start_reading, read_row, &reading);
	return reading.table;
}
