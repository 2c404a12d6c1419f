/*
 * probe.c
 *	  What is looked for in an index over items: content that is no item's.
 *
 * Values arrive as JSON and are read by the input functions of the attributes' types, so that they
 * mean what they mean in the table.  What is not given does not count: its attribute gets no
 * weight, and a score is the mean over those that are given.
 */
#include "postgres.h"

#include "am/content/itemcolumns.h"
#include "api/content/probe.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "source/input/runas.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* A probe that is being put together */
typedef struct Making
{
	Relation	index;
	RecsysItemColumns *columns;
	RecsysContentModel *model;
	RecsysRawContent raw;
	bool		given[RECSYS_MAX_ATTRIBUTES];
} Making;

static void
begin(Making *making, Relation index, RecsysItemsReader *reader, RecsysProbe *probe)
{
	probe->model = *RecsysItemsModel(reader);
	probe->packed = NULL;
	probe->says_something = false;
	memset(making, 0, sizeof(*making));
	making->index = index;
	making->columns = RecsysGetItemColumns(index);
	making->model = &probe->model;
	making->raw.count = probe->model.count;
}

/* Only what is given counts; if it has no weight in the index, it has one here. */
static void
weigh(Making *making)
{
	float		sum = 0;

	for (int i = 0; i < making->model->count; i++)
		sum += making->given[i] ? making->model->attributes[i].weight : 0;
	for (int i = 0; i < making->model->count; i++)
	{
		RecsysAttribute *attribute = &making->model->attributes[i];

		if (!making->given[i])
			attribute->weight = 0;
		else if (sum <= 0)
			attribute->weight = 1;
	}
}

static void
finish(Making *making, RecsysItemsReader *reader, RecsysProbe *probe)
{
	const RecsysContentModel *model = RecsysItemsModel(reader);
	RecsysTermReader terms;
	char	   *packed;

	RecsysCheckContent(making->index, model, &making->raw);
	RecsysItemsTerms(reader, &terms);
	packed = palloc(RecsysContentPackedSize(model, &making->raw));
	(void) RecsysContentPack(model, &making->raw, 0, RecsysReadTermCount, &terms, packed);
	probe->packed = packed;
	probe->says_something = RecsysContentSaysSomething(model, packed);
	weigh(making);
}

static void
form(Making *making, int attribute, Datum value)
{
	RecsysFormValue(making->index, making->columns, attribute, value, false,
					&making->raw.values[attribute]);
	making->given[attribute] = making->raw.values[attribute].known;
}

static char *
list_attributes(Relation index, const RecsysContentModel *model)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < model->count; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", RecsysAttributeName(index, i));
	return list.data;
}

static int
find_attribute(Relation index, const RecsysContentModel *model, const char *name)
{
	for (int i = 0; i < model->count; i++)
		if (strcmp(RecsysAttributeName(index, i), name) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("index \"%s\" has no attribute \"%s\"", RelationGetRelationName(index), name),
			 errdetail("Its attributes are %s.", list_attributes(index, model))));
	return -1;
}

/* As it is written where its type is known: a string without quotes */
static char *
json_text(JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
	}
}

/* An array as array_in reads it */
static char *
array_text(JsonbContainer *container)
{
	StringInfoData array;
	uint32		count = JsonContainerSize(container);

	initStringInfo(&array);
	appendStringInfoChar(&array, '{');
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(container, i);

		appendStringInfoString(&array, i > 0 ? "," : "");
		if (element->type == jbvNull)
		{
			appendStringInfoString(&array, "NULL");
			continue;
		}
		appendStringInfoChar(&array, '"');
		for (const char *text = json_text(element); *text != '\0'; text++)
		{
			if (*text == '"' || *text == '\\')
				appendStringInfoChar(&array, '\\');
			appendStringInfoChar(&array, *text);
		}
		appendStringInfoChar(&array, '"');
	}
	appendStringInfoChar(&array, '}');
	return array.data;
}

/* A value as its type's input function reads it */
static char *
value_text(JsonbValue *value, Oid type)
{
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) &&
		OidIsValid(get_element_type(getBaseType(type))))
		return array_text(value->val.binary.data);
	return json_text(value);
}

static void
tell_attribute(void *arg)
{
	errcontext("attribute \"%s\" of what is looked for", (const char *) arg);
}

/*
 * Reads one value, whose errors tell which one it is.  Domains' constraints and casts are code of
 * whoever has made the types: it runs with the rights that it has when the index is built.
 */
static void
take_value(Making *making, const char *name, JsonbValue *value)
{
	int			attribute = find_attribute(making->index, making->model, name);
	Oid			type = TupleDescAttr(RelationGetDescr(making->index), attribute + 1)->atttypid;
	ErrorContextCallback context;
	RecsysRights before;
	Oid			input;
	Oid			parameter;

	context.previous = error_context_stack;
	context.callback = tell_attribute;
	context.arg = unconstify(char *, name);
	error_context_stack = &context;

	getTypeInputInfo(type, &input, &parameter);
	RecsysBeginAs(making->index->rd_rel->relowner, &before);
	form(making, attribute, OidInputFunctionCall(input, value_text(value, type), parameter, -1));
	RecsysEndAs(&before);
	error_context_stack = context.previous;
}

void
RecsysProbeOfValues(Relation index, RecsysItemsReader *reader, Jsonb *values, RecsysProbe *probe)
{
	Making		making;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	name;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(values))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attributes must be a JSON object"),
				 errdetail("It has names of the index's attributes and their values, as in {\"title\": \"red shoes\", \"price\": 20}.")));
	begin(&making, index, reader, probe);
	iterator = JsonbIteratorInit(&values->root);
	(void) JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &name, true)) == WJB_KEY)
	{
		char	   *text = pnstrdup(name.val.string.val, name.val.string.len);

		(void) JsonbIteratorNext(&iterator, &value, true);
		if (value.type != jbvNull)
			take_value(&making, text, &value);
		else
			(void) find_attribute(index, making.model, text);
	}
	finish(&making, reader, probe);
}

/* Does an expression describe pictures?  Then this is its function. */
static Oid
descriptor_of(Node *expression)
{
	FuncExpr   *call = (FuncExpr *) expression;
	Oid			schema;
	char	   *name;

	if (!IsA(expression, FuncExpr) || list_length(call->args) != 1 ||
		exprType(linitial(call->args)) != BYTEAOID)
		return InvalidOid;
	name = get_func_name(call->funcid);
	schema = get_func_namespace(call->funcid);
	if (name == NULL || !OidIsValid(schema) || strcmp(get_namespace_name(schema), "recsys") != 0 ||
		(strcmp(name, "image_descriptor") != 0 && strcmp(name, "try_image_descriptor") != 0))
		return InvalidOid;
	return call->funcid;
}

/*
 * The attributes of that name, or with whatever name, that describe pictures: how many, the first of them
 * and its function.
 */
static int
find_pictures(Relation index, const char *name, int *first, Oid *function)
{
	List	   *expressions = RelationGetIndexExpressions(index);
	int			next = 0;
	int			found = 0;

	for (int column = 0; column < IndexRelationGetNumberOfKeyAttributes(index); column++)
	{
		Oid			described;

		if (index->rd_index->indkey.values[column] != InvalidAttrNumber)
			continue;
		described = descriptor_of(list_nth(expressions, next++));
		if (column == 0 || !OidIsValid(described) ||
			(name != NULL && strcmp(RecsysAttributeName(index, column - 1), name) != 0))
			continue;
		if (found++ == 0)
		{
			*first = column - 1;
			*function = described;
		}
	}
	return found;
}

static void
no_picture(Making *making, const char *name)
{
	if (name != NULL)
	{
		(void) find_attribute(making->index, making->model, name);
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("attribute \"%s\" of index \"%s\" does not describe pictures", name,
						RelationGetRelationName(making->index)),
				 errdetail("An attribute that does is a call of recsys.image_descriptor.")));
	}
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("index \"%s\" has no attribute that describes pictures",
					RelationGetRelationName(making->index)),
			 errhint("Give it one, as in CREATE INDEX ON products USING recsys_items (product_id, recsys.image_descriptor(photo)).")));
}

/* The attribute and its function; errors out if there is not just one. */
static int
find_picture(Making *making, const char *name, Oid *function)
{
	int			first = -1;
	int			found = find_pictures(making->index, name, &first, function);

	if (found == 0)
		no_picture(making, name);
	if (found > 1)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
				 errmsg("index \"%s\" has more than one attribute that describes pictures",
						RelationGetRelationName(making->index)),
				 errdetail("Its attributes are %s.", list_attributes(making->index, making->model)),
				 errhint("Name the one you mean behind the type of the items, as in attribute => %s.",
						 quote_literal_cstr(RecsysAttributeName(making->index, first)))));
	return first;
}

void
RecsysProbeOfImage(Relation index, RecsysItemsReader *reader, bytea *image, const char *attribute,
				   RecsysProbe *probe)
{
	Making		making;
	LOCAL_FCINFO(call, 1);
	FmgrInfo	flinfo;
	Datum		descriptor;
	Oid			function = InvalidOid;
	int			picture;

	begin(&making, index, reader, probe);
	picture = find_picture(&making, attribute, &function);
	fmgr_info(function, &flinfo);
	InitFunctionCallInfoData(*call, &flinfo, 1, InvalidOid, NULL, NULL);
	call->args[0].value = PointerGetDatum(image);
	call->args[0].isnull = false;
	descriptor = FunctionCallInvoke(call);
	if (!call->isnull)
		form(&making, picture, descriptor);
	finish(&making, reader, probe);
}
