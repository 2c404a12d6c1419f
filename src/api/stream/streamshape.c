/*
 * streamshape.c
 *	  What a stream makes of a message: columns of its target, and where their values come from.
 *
 * Rows and offsets are one transaction, so the target has to be a table that is transactional and
 * survives a crash as offsets do.
 */
#include "postgres.h"

#include "access/table.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/nearest.h"
#include "api/stream/streamshape.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "core/stream/streampath.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/varlena.h"

/* More columns than a table may have, or the stage, which has two of its own */
#define MAX_VALUES 1000

/* What is known while values are read */
typedef struct Reading
{
	RecsysPathForm form;
	Relation	target;
	RecsysStreamShape *shape;
} Reading;

static void
refuse_table(Oid relation, const char *what, const char *kind, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("the %s of a stream cannot be %s", what, kind),
			 errdetail("\"%s\" is one, and %s.", get_rel_name(relation), why)));
}

static void
check_storage(Oid relation, const char *what)
{
	if (get_rel_relkind(relation) == RELKIND_FOREIGN_TABLE)
		refuse_table(relation, what, "a foreign table",
					 "what another server has written is not taken back with the offset");
	if (get_rel_persistence(relation) == RELPERSISTENCE_TEMP)
		refuse_table(relation, what, "a temporary table", "the stream outlives it");
	if (get_rel_persistence(relation) == RELPERSISTENCE_UNLOGGED)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("the %s of a stream cannot be an unlogged table", what),
				 errdetail("A crash empties \"%s\", and the stream would not bring its rows again.",
						   get_rel_name(relation)),
				 errhint("ALTER TABLE %s SET LOGGED;", RecsysKeptName(relation))));
}

/* Rows are in the partitions, which may be of other kinds. */
static void
check_table(Oid relation, const char *what, LOCKMODE lock)
{
	ListCell   *cell;

	check_storage(relation, what);
	if (get_rel_relkind(relation) != RELKIND_PARTITIONED_TABLE)
		return;
	foreach(cell, find_all_inheritors(relation, lock, NULL))
		if (get_rel_relkind(lfirst_oid(cell)) != '\0')
			check_storage(lfirst_oid(cell), what);
}

Oid
RecsysFindStreamTable(const char *name, const char *what)
{
	RangeVar   *range = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	Oid			relation = RangeVarGetRelid(range, AccessShareLock, false);
	char		kind = get_rel_relkind(relation);

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("the %s of a stream must be a table", what),
				 errdetail("\"%s\" is something else.", get_rel_name(relation))));
	if (IsCatalogRelationOid(relation))
		refuse_table(relation, what, "a system catalog", "its rows are the server's");
	check_table(relation, what, AccessShareLock);
	return relation;
}

void
RecsysCheckStreamTarget(const char *name)
{
	Oid			relation = RecsysKeptRelation(name);

	if (OidIsValid(relation))
		check_table(relation, "target", NoLock);
}

char *
RecsysStreamTypeName(Oid type)
{
	/* a type without a modifier: character is char(1) when it is read again */
	return format_type_extended(type, -1, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

static const char *
kind_of(Oid type)
{
	if (type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID)
		return "time";
	if (type == JSONOID || type == JSONBOID)
		return "document";
	if (type == BYTEAOID)
		return "bytes";
	return OidIsValid(get_base_element_type(type)) ? "array" : "text";
}

/* A path of the message's format, and what may be said of it by its last word */
static void
read_path(const Reading *reading, RecsysStreamValue *value)
{
	RecsysStreamPath path;
	const char *fault;
	const char *word;

	if (!RecsysParseStreamPath(value->path, reading->form, &path, &fault))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("path \"%s\" of \"%s\" %s", value->path, value->name, fault)));
	word = RecsysStreamPathWord(&path);
	if (word != NULL && strlen(word) < NAMEDATALEN && *word != '\0')
		value->word = pstrdup(word);
}

static const char *
read_unit(JsonbContainer *object, const RecsysStreamValue *value)
{
	static const char *const units[] = {"s", "ms", "us"};
	char	   *unit = RecsysJsonText(object, "unit");

	if (unit == NULL)
		return "auto";
	RecsysCheckWord(unit, "unit", units, lengthof(units));
	if (strcmp(value->kind, "time") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" has a unit, but is of type %s", value->name, format_type_be(value->type)),
				 errdetail("Units are of timestamps and dates.")));
	return unit;
}

void
RecsysUseStreamNames(const RecsysStreamShape *shape)
{
	if (shape->search_path != NULL)
		(void) set_config_option("search_path", shape->search_path, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

/* A type by the name that it had where the stream was declared */
static Oid
find_type(const Reading *reading, const char *name)
{
	int			nestlevel = NewGUCNestLevel();
	Oid			type;
	int32		modifier;

	RecsysUseStreamNames(reading->shape);
	RECSYS_PARSE_TYPE(name, &type, &modifier);
	AtEOXact_GUC(true, nestlevel);
	return getBaseType(type);
}

/* "path", a column's number, or {"path": …, "unit": …, "default": …}; of fields with a "type", too */
static void
read_value(const Reading *reading, JsonbValue *given, RecsysStreamValue *value)
{
	static const char *const known[] = {"path", "unit", "default", "type"};
	JsonbContainer *object;
	char	   *type;

	value->unit = "auto";
	value->pseudonym = "none";
	if (given->type == jbvString || given->type == jbvNumeric)
	{
		value->path = given->type == jbvString ? RecsysJsonValueText(given, value->name) :
			numeric_normalize(given->val.numeric);
		value->kind = kind_of(value->type);
		read_path(reading, value);
		return;
	}
	if (given->type != jbvBinary || !JsonContainerIsObject(given->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be a path, or an object with one", value->name),
				 errhint("As in \"user.id\", or {\"path\": \"time\", \"unit\": \"ms\"}.")));
	object = given->val.binary.data;
	RecsysJsonCheckKeys(object, known, value->is_field ? 4 : 3);
	value->path = RecsysJsonText(object, "path");
	if (value->path == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" has no path", value->name)));
	type = value->is_field ? RecsysJsonText(object, "type") : NULL;
	if (type != NULL)
		value->type = find_type(reading, type);
	value->kind = kind_of(value->type);
	value->unit = read_unit(object, value);
	value->fallback = RecsysJsonText(object, "default");
	read_path(reading, value);
}

static void
check_name(const Reading *reading, const char *name)
{
	if (*name == '\0' || strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" cannot be the name of a field", name)));
	for (int i = 0; i < reading->shape->nvalues; i++)
		if (strcmp(reading->shape->values[i].name, name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("\"%s\" is both a column and a field", name)));
}

/* Columns are named as they are: keys of JSON have quotes anyway. */
static void
find_column(const Reading *reading, RecsysStreamValue *value)
{
	const char *name = value->name;
	TupleDesc	descriptor = RelationGetDescr(reading->target);
	const char **names = palloc(sizeof(char *) * Max(descriptor->natts, 1));
	const char *nearest;
	int			n = 0;

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (attribute->attisdropped)
			continue;
		if (strcmp(NameStr(attribute->attname), name) == 0)
		{
			value->type = getBaseType(attribute->atttypid);
			value->not_null = attribute->attnotnull;
			return;
		}
		names[n++] = NameStr(attribute->attname);
	}
	nearest = RecsysNearestWord(name, names, n);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist", name,
					RelationGetRelationName(reading->target)),
			 nearest == NULL ? 0 : errhint("Perhaps you meant \"%s\".", nearest)));
}

/* All members of columns, or of fields */
static void
read_values(const Reading *reading, JsonbContainer *object, bool are_fields)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	member;
	RecsysStreamShape *shape = reading->shape;

	(void) JsonbIteratorNext(&iterator, &member, true);
	while ((token = JsonbIteratorNext(&iterator, &member, true)) == WJB_KEY)
	{
		RecsysStreamValue value = {.is_field = are_fields};

		value.name = pnstrdup(member.val.string.val, member.val.string.len);
		(void) JsonbIteratorNext(&iterator, &member, true);
		if (shape->nvalues >= MAX_VALUES)
			ereport(ERROR,
					(errcode(ERRCODE_TOO_MANY_COLUMNS),
					 errmsg("a stream has at most %d columns and fields", MAX_VALUES)));
		if (are_fields)
			check_name(reading, value.name);
		value.type = TEXTOID;
		if (!are_fields)
			find_column(reading, &value);
		read_value(reading, &member, &value);
		shape->values[shape->nvalues++] = value;
	}
}

/* One array makes rows of a message. */
static void
check_arrays(const Reading *reading)
{
	const RecsysStreamShape *shape = reading->shape;
	RecsysStreamPath first;
	RecsysStreamPath other;
	const char *fault;

	first.each = -1;
	for (int i = 0; i < shape->nvalues; i++)
	{
		if (!RecsysParseStreamPath(shape->values[i].path, reading->form, &other, &fault))
			elog(ERROR, "path \"%s\" %s", shape->values[i].path, fault);
		if (other.each < 0)
			continue;
		if (first.each < 0)
			(void) RecsysParseStreamPath(shape->values[i].path, reading->form, &first, &fault);
		else if (!RecsysStreamPathSameArray(&first, &other))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("path \"%s\" of \"%s\" is of another array than those before it",
							shape->values[i].path, shape->values[i].name),
					 errdetail("A message becomes a row for each element of one array.")));
	}
}

static int
number_of(const RecsysStreamShape *shape, const char *name, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(shape->values[i].name, name) == 0)
			return i;
	return -1;
}

/* Names among values; what they are for is in the message. */
static int
read_names(Jsonb *definition, const char *parameter, const RecsysStreamShape *shape, int n, int **numbers)
{
	JsonbValue	value;
	JsonbContainer *array;
	int			count = 0;

	*numbers = NULL;
	if (!RecsysJsonGet(&definition->root, parameter, &value))
		return 0;
	array = RecsysJsonArray(&value, parameter);
	*numbers = palloc(sizeof(int) * Max(JsonContainerSize(array), 1));
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		char	   *name = RecsysJsonValueText(getIthJsonbValueFromContainer(array, i), parameter);
		int			number = number_of(shape, name, n);

		if (number < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s has \"%s\", which is not among the columns%s of the stream", parameter, name,
							n > shape->ncolumns ? " and fields" : "")));
		for (int other = 0; other < count; other++)
			if ((*numbers)[other] == number)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("%s has \"%s\" twice", parameter, name)));
		(*numbers)[count++] = number;
	}
	return count;
}

static void
read_pseudonyms(Jsonb *definition, RecsysStreamShape *shape)
{
	int		   *numbers;
	int			n = read_names(definition, "pseudonyms", shape, shape->nvalues, &numbers);

	for (int i = 0; i < n; i++)
	{
		RecsysStreamValue *value = &shape->values[numbers[i]];

		if (value->type == TEXTOID || value->type == VARCHAROID || value->type == BPCHAROID)
			value->pseudonym = "text";
		else if (value->type == UUIDOID)
			value->pseudonym = "uuid";
		else if (value->type == INT8OID)
			value->pseudonym = "bigint";
		else
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("\"%s\" is of type %s, which cannot hold pseudonyms", value->name,
							format_type_be(value->type)),
					 errdetail("Pseudonyms are of type text, uuid or bigint.")));
	}
}

/* The words of paths that name one value each, and none that has that name itself */
static void
settle_words(RecsysStreamShape *shape)
{
	bool	   *unclear = palloc0(sizeof(bool) * Max(shape->nvalues, 1));

	for (int i = 0; i < shape->nvalues; i++)
		for (int other = 0; shape->values[i].word != NULL && other < shape->nvalues; other++)
			if (strcmp(shape->values[other].name, shape->values[i].word) == 0 ||
				(other != i && shape->values[other].word != NULL &&
				 strcmp(shape->values[other].word, shape->values[i].word) == 0))
				unclear[i] = true;
	for (int i = 0; i < shape->nvalues; i++)
		if (unclear[i])
			shape->values[i].word = NULL;
	pfree(unclear);
}

/* A tombstone has no payload, so what it deletes must be known by the rest of it. */
static void
check_tombstones(const Reading *reading)
{
	const RecsysStreamShape *shape = reading->shape;

	if (shape->nkey == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tombstones cannot delete without a key"),
				 errhint("Say by which columns rows are found, with their paths from the message's key: key => '{item_id}'.")));
	for (int i = 0; i < shape->nkey; i++)
	{
		const RecsysStreamValue *value = &shape->values[shape->key[i]];
		RecsysStreamPath path;
		const char *fault;

		if (!RecsysParseStreamPath(value->path, reading->form, &path, &fault))
			elog(ERROR, "path \"%s\" %s", value->path, fault);
		if (path.source == RECSYS_PATH_PAYLOAD)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" is part of the key, but is read from the payload", value->name),
					 errdetail("A tombstone has no payload: what it deletes is known by the message's key alone."),
					 errhint("Take a path that begins with $key.")));
	}
}

static const char *
word_of(Jsonb *definition, const char *parameter, const char *const *words, int n)
{
	char	   *word = RecsysJsonText(&definition->root, parameter);

	if (word == NULL)
		return words[0];
	RecsysCheckWord(word, parameter, words, n);
	return word;
}

static void
read_key(const Reading *reading, Jsonb *definition)
{
	static const char *const conflicts[] = {"error", "ignore", "update"};
	static const char *const tombstones[] = {"skip", "delete", "error"};
	RecsysStreamShape *shape = reading->shape;
	const char *conflict = word_of(definition, "conflict", conflicts, lengthof(conflicts));

	shape->nkey = read_names(definition, "key", shape, shape->ncolumns, &shape->key);
	shape->conflict = strcmp(conflict, "update") == 0 ? RECSYS_STREAM_CONFLICT_UPDATE :
		strcmp(conflict, "ignore") == 0 ? RECSYS_STREAM_CONFLICT_IGNORE : RECSYS_STREAM_CONFLICT_ERROR;
	if (shape->conflict == RECSYS_STREAM_CONFLICT_UPDATE && shape->nkey == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows cannot be updated without a key"),
				 errhint("Name the columns that tell rows of the target apart: key => '{event_id}'.")));
	shape->deletes = strcmp(word_of(definition, "tombstones", tombstones, lengthof(tombstones)),
							"delete") == 0;
	if (shape->deletes)
		check_tombstones(reading);
}

static JsonbContainer *
object_of(Jsonb *definition, const char *parameter)
{
	JsonbValue	value;

	return RecsysJsonGet(&definition->root, parameter, &value) ?
		RecsysJsonObject(&value, parameter) : NULL;
}

void
RecsysReadStreamShape(Jsonb *definition, RecsysStreamShape *shape)
{
	static const char *const formats[] = {"json", "avro", "csv", "text"};
	JsonbContainer *columns = object_of(definition, "columns");
	JsonbContainer *fields = object_of(definition, "fields");
	char	   *target = RecsysJsonText(&definition->root, "target");
	Reading		reading = {.shape = shape};

	memset(shape, 0, sizeof(*shape));
	shape->search_path = RecsysJsonText(&definition->root, "search_path");
	if (target == NULL || columns == NULL || JsonContainerSize(columns) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a stream needs a target and columns"),
				 errhint("Say where in a message each column of the target is: columns => '{\"user_id\": \"user.id\"}'.")));
	if (!RecsysStreamFormatForm(word_of(definition, "format", formats, lengthof(formats)), &reading.form))
		elog(ERROR, "format of a stream is not known");
	shape->target = RecsysFindStreamTable(target, "target");
	reading.target = table_open(shape->target, NoLock);
	shape->values = palloc(sizeof(RecsysStreamValue) * MAX_VALUES);
	read_values(&reading, columns, false);
	shape->ncolumns = shape->nvalues;
	if (fields != NULL)
		read_values(&reading, fields, true);
	table_close(reading.target, NoLock);
	check_arrays(&reading);
	read_pseudonyms(definition, shape);
	settle_words(shape);
	read_key(&reading, definition);
	shape->filter = RecsysJsonText(&definition->root, "filter");
}
