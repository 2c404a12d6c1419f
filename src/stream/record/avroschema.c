/*
 * avroschema.c
 *	  Schemas of Avro, from JSON to something that can be gone along with a message.
 *
 * A schema comes from a registry or a declaration, so its size and its depth are limited.  Nodes belong to
 * the schema and not to each other: named types can be used more than once, and within themselves.
 */
#include "stream/record/avroschema.h"

#include "stream/record/copytext.h"
#include "stream/record/jsonscan.h"

/* types in each other, and all types of a schema */
#define MOST_LEVELS 100
#define MOST_NODES 10000

/* bytes of a name in a sentence */
#define MOST_SHOWN 100

struct RecsysAvroSchema
{
	RecsysAvroNode *root;
	RecsysAvroNode **nodes;
	int			nnodes;
	int			room;
};

/* what of an object says something about its type */
typedef enum Attribute
{
	TYPE, NAME, NAMESPACE, FIELDS, SYMBOLS, ITEMS, VALUES, SIZE, LOGICAL, SCALE, ATTRIBUTES
} Attribute;

static const char *const attribute_names[ATTRIBUTES] = {
	"type", "name", "namespace", "fields", "symbols", "items", "values", "size", "logicalType", "scale"
};

static const char *const type_names[] = {
	"null", "boolean", "int", "long", "float", "double", "bytes", "string", "fixed", "enum", "array", "map", "record"
};

typedef struct LogicalType
{
	const char *name;
	RecsysAvroType type;
	RecsysAvroLogical logical;
} LogicalType;

static const LogicalType logical_types[] = {
	{"decimal", RECSYS_AVRO_BYTES, RECSYS_AVRO_DECIMAL},
	{"decimal", RECSYS_AVRO_FIXED, RECSYS_AVRO_DECIMAL},
	{"uuid", RECSYS_AVRO_FIXED, RECSYS_AVRO_UUID},
	{"date", RECSYS_AVRO_INT, RECSYS_AVRO_DATE},
	{"time-millis", RECSYS_AVRO_INT, RECSYS_AVRO_TIME_MILLIS},
	{"time-micros", RECSYS_AVRO_LONG, RECSYS_AVRO_TIME_MICROS},
	{"timestamp-millis", RECSYS_AVRO_LONG, RECSYS_AVRO_TIMESTAMP_MILLIS},
	{"timestamp-micros", RECSYS_AVRO_LONG, RECSYS_AVRO_TIMESTAMP_MICROS},
	{"timestamp-nanos", RECSYS_AVRO_LONG, RECSYS_AVRO_TIMESTAMP_NANOS},
	{"local-timestamp-millis", RECSYS_AVRO_LONG, RECSYS_AVRO_TIMESTAMP_MILLIS},
	{"local-timestamp-micros", RECSYS_AVRO_LONG, RECSYS_AVRO_TIMESTAMP_MICROS},
	{"local-timestamp-nanos", RECSYS_AVRO_LONG, RECSYS_AVRO_TIMESTAMP_NANOS},
};

typedef struct Parser
{
	RecsysAvroSchema *schema;
	PQExpBuffer fault;
	PQExpBuffer text;
	int			level;
} Parser;

static RecsysAvroNode *parse_type(Parser *parser, const RecsysStreamValue *json, const char *namespace);

static void *
fail(Parser *parser, const char *why)
{
	if (parser->fault->len == 0)
		appendPQExpBufferStr(parser->fault, why);
	return NULL;
}

static RecsysAvroNode *
add_node(Parser *parser, RecsysAvroType type)
{
	RecsysAvroSchema *schema = parser->schema;
	RecsysAvroNode *node;

	if (schema->nnodes >= MOST_NODES)
		return fail(parser, "has more than 10000 types");
	if (schema->nnodes >= schema->room)
	{
		schema->room = Max(schema->room * 2, 64);
		schema->nodes = pg_realloc(schema->nodes, sizeof(RecsysAvroNode *) * schema->room);
	}
	node = pg_malloc0(sizeof(RecsysAvroNode));
	node->type = type;
	schema->nodes[schema->nnodes++] = node;
	return node;
}

static void
add_child(RecsysAvroNode *node, char *name, RecsysAvroNode *child)
{
	if ((node->count & (node->count - 1)) == 0)
	{
		size_t		room = Max(node->count * 2, 1);

		node->names = pg_realloc(node->names, sizeof(char *) * room);
		node->children = pg_realloc(node->children, sizeof(RecsysAvroNode *) * room);
	}
	node->names[node->count] = name;
	node->children[node->count++] = child;
}

/* A string of the schema, in memory of its own; NULL if it is none. */
static char *
copy_string(Parser *parser, const RecsysStreamValue *json)
{
	const char *text;
	const char *why;
	size_t		length;

	if (json->kind != RECSYS_VALUE_STRING || !RecsysJsonText(json, parser->text, &text, &length, &why))
		return NULL;
	return pnstrdup(text, length);
}

static bool
is_string(const RecsysStreamValue *json, const char *text)
{
	return json->kind == RECSYS_VALUE_STRING && json->length == strlen(text) &&
		memcmp(json->text, text, json->length) == 0;
}

/* A type's full name: one without dots is in the namespace, if there is any. */
static char *
full_name(const char *name, const char *namespace)
{
	if (strchr(name, '.') != NULL || namespace == NULL || namespace[0] == '\0')
		return pg_strdup(name);
	return psprintf("%s.%s", namespace, name);
}

static RecsysAvroNode *
find_name(const Parser *parser, const char *name)
{
	for (int i = 0; i < parser->schema->nnodes; i++)
	{
		RecsysAvroNode *node = parser->schema->nodes[i];

		if (node->name != NULL && strcmp(node->name, name) == 0)
			return node;
	}
	return NULL;
}

/* Bytes of a name that fit into a sentence, without half a letter at their end. */
static int
shown_length(const char *name)
{
	int			length = strnlen(name, MOST_SHOWN);

	while (length > 0 && (name[length] & 0xC0) == 0x80)
		length--;
	return length;
}

/* A type by its name: one of Avro's own, or one that was declared before. */
static RecsysAvroNode *
parse_name(Parser *parser, const RecsysStreamValue *json, const char *namespace)
{
	RecsysAvroNode *node;
	char	   *name;
	char	   *full;

	for (RecsysAvroType type = RECSYS_AVRO_NULL; type <= RECSYS_AVRO_STRING; type++)
	{
		if (is_string(json, type_names[type]))
			return add_node(parser, type);
	}
	name = copy_string(parser, json);
	if (name == NULL)
		return fail(parser, "has a type whose name is no text");
	full = full_name(name, namespace);
	node = find_name(parser, full);
	if (node == NULL)
		node = find_name(parser, name);
	if (node == NULL && parser->fault->len == 0)
		appendPQExpBuffer(parser->fault, "has the type %.*s, which it does not declare before", shown_length(name), name);
	pg_free(name);
	pg_free(full);
	return node;
}

/* Calls with each element of an array of JSON; false as soon as one does not work. */
typedef bool (*ElementAction) (Parser *parser, RecsysAvroNode *node, const RecsysStreamValue *element,
							   const char *namespace);

static bool
each_element(Parser *parser, RecsysAvroNode *node, const RecsysStreamValue *json, const char *namespace,
			 ElementAction action)
{
	RecsysJsonScan scan;
	RecsysStreamValue element;

	if (json->kind != RECSYS_VALUE_DOCUMENT || json->text[0] != '[')
		return fail(parser, "has something else where an array is expected") != NULL;
	RecsysJsonBegin(&scan, json->text, json->length);
	RecsysJsonTake(&scan, JSON_TOKEN_ARRAY_START);
	if (RecsysJsonTake(&scan, JSON_TOKEN_ARRAY_END))
		return true;
	do
	{
		if (!RecsysJsonValue(&scan, &element) || !action(parser, node, &element, namespace))
			return false;
	} while (RecsysJsonTake(&scan, JSON_TOKEN_COMMA));
	return true;
}

static bool
add_branch(Parser *parser, RecsysAvroNode *node, const RecsysStreamValue *element, const char *namespace)
{
	RecsysAvroNode *branch = parse_type(parser, element, namespace);

	if (branch == NULL)
		return false;
	add_child(node, NULL, branch);
	return true;
}

static bool
add_symbol(Parser *parser, RecsysAvroNode *node, const RecsysStreamValue *element, const char *namespace)
{
	char	   *symbol = copy_string(parser, element);

	if (symbol == NULL)
		return fail(parser, "has a symbol that is no text") != NULL;
	add_child(node, symbol, NULL);
	return true;
}

/* The attributes of an object; those that it does not have are absent. */
static bool
read_attributes(Parser *parser, const RecsysStreamValue *json, RecsysStreamValue *attributes)
{
	RecsysJsonScan scan;

	memset(attributes, 0, sizeof(RecsysStreamValue) * ATTRIBUTES);
	if (json->kind != RECSYS_VALUE_DOCUMENT || json->text[0] != '{')
		return fail(parser, "has something else where an object is expected") != NULL;
	RecsysJsonBegin(&scan, json->text, json->length);
	RecsysJsonTake(&scan, JSON_TOKEN_OBJECT_START);
	if (RecsysJsonTake(&scan, JSON_TOKEN_OBJECT_END))
		return true;
	do
	{
		RecsysStreamValue name;
		RecsysStreamValue value;

		if (!RecsysJsonName(&scan, &name) || !RecsysJsonValue(&scan, &value))
			return false;
		for (int i = 0; i < ATTRIBUTES; i++)
		{
			if (is_string(&name, attribute_names[i]))
				attributes[i] = value;
		}
	} while (RecsysJsonTake(&scan, JSON_TOKEN_COMMA));
	return true;
}

static bool
add_field(Parser *parser, RecsysAvroNode *node, const RecsysStreamValue *element, const char *namespace)
{
	RecsysStreamValue attributes[ATTRIBUTES];
	RecsysAvroNode *type;
	char	   *name;

	if (!read_attributes(parser, element, attributes))
		return false;
	type = parse_type(parser, &attributes[TYPE], namespace);
	if (type == NULL)
		return false;
	name = copy_string(parser, &attributes[NAME]);
	if (name == NULL)
		return fail(parser, "has a field without a name") != NULL;
	add_child(node, name, type);
	return true;
}

/* A number that is an attribute, or -1. */
static int64
read_number(const RecsysStreamValue *json)
{
	int64		number = 0;

	if (json->kind != RECSYS_VALUE_NUMBER || json->length > 9)
		return -1;
	for (size_t i = 0; i < json->length; i++)
	{
		if (json->text[i] < '0' || json->text[i] > '9')
			return -1;
		number = number * 10 + (json->text[i] - '0');
	}
	return number;
}

static void
read_logical(RecsysAvroNode *node, const RecsysStreamValue *attributes)
{
	for (int i = 0; i < lengthof(logical_types); i++)
	{
		if (logical_types[i].type == node->type && is_string(&attributes[LOGICAL], logical_types[i].name))
			node->logical = logical_types[i].logical;
	}
	node->scale = 0;
	if (attributes[SCALE].kind != RECSYS_VALUE_ABSENT)
		node->scale = (int) read_number(&attributes[SCALE]);
	/* as the specification says, a logical type that makes no sense is none */
	if ((node->logical == RECSYS_AVRO_DECIMAL && (node->scale < 0 || node->scale > 1000)) ||
		(node->logical == RECSYS_AVRO_UUID && node->size != 16))
		node->logical = RECSYS_AVRO_PLAIN;
}

/* Gives a record, an enum or a fixed its name; *inner is the namespace of what is in it, to be freed. */
static bool
name_type(Parser *parser, RecsysAvroNode *node, const RecsysStreamValue *attributes, const char *namespace,
		  char **inner)
{
	char	   *name = copy_string(parser, &attributes[NAME]);
	char	   *own = copy_string(parser, &attributes[NAMESPACE]);
	char	   *full;
	char	   *dot;

	if (name == NULL)
	{
		pg_free(own);
		return fail(parser, "has a type without a name") != NULL;
	}
	full = full_name(name, own != NULL ? own : namespace);
	pg_free(name);
	pg_free(own);
	if (find_name(parser, full) != NULL)
	{
		pg_free(full);
		return fail(parser, "declares a name twice") != NULL;
	}
	node->name = full;
	*inner = pg_strdup(full);
	dot = strrchr(*inner, '.');
	*(dot != NULL ? dot : *inner) = '\0';
	return true;
}

static bool
fill_named(Parser *parser, RecsysAvroNode *node, const RecsysStreamValue *attributes, const char *namespace)
{
	char	   *inner;
	bool		done = true;

	if (!name_type(parser, node, attributes, namespace, &inner))
		return false;
	if (node->type == RECSYS_AVRO_RECORD)
		done = each_element(parser, node, &attributes[FIELDS], inner, add_field);
	else if (node->type == RECSYS_AVRO_ENUM)
		done = each_element(parser, node, &attributes[SYMBOLS], inner, add_symbol);
	else
	{
		node->size = read_number(&attributes[SIZE]);
		if (node->size < 0)
			done = fail(parser, "has a fixed without a size") != NULL;
	}
	pg_free(inner);
	return done;
}

static RecsysAvroNode *
parse_object(Parser *parser, const RecsysStreamValue *json, const char *namespace)
{
	RecsysStreamValue attributes[ATTRIBUTES];
	RecsysAvroType type = RECSYS_AVRO_NULL;
	RecsysAvroNode *node;
	RecsysAvroNode *child;

	if (!read_attributes(parser, json, attributes))
		return NULL;
	if (is_string(&attributes[TYPE], "error"))
		type = RECSYS_AVRO_RECORD;
	else
	{
		while (type < RECSYS_AVRO_UNION && !is_string(&attributes[TYPE], type_names[type]))
			type++;
	}
	/* {"type": {…}}, or the name of another type */
	if (type == RECSYS_AVRO_UNION)
		return parse_type(parser, &attributes[TYPE], namespace);
	node = add_node(parser, type);
	if (node == NULL)
		return NULL;
	if (type == RECSYS_AVRO_ARRAY || type == RECSYS_AVRO_MAP)
	{
		child = parse_type(parser, &attributes[type == RECSYS_AVRO_ARRAY ? ITEMS : VALUES], namespace);
		if (child == NULL)
			return NULL;
		add_child(node, NULL, child);
	}
	else if ((type == RECSYS_AVRO_RECORD || type == RECSYS_AVRO_ENUM || type == RECSYS_AVRO_FIXED) &&
			 !fill_named(parser, node, attributes, namespace))
		return NULL;
	read_logical(node, attributes);
	return node;
}

static RecsysAvroNode *
parse_type(Parser *parser, const RecsysStreamValue *json, const char *namespace)
{
	RecsysAvroNode *node;

	if (json->kind == RECSYS_VALUE_STRING)
		return parse_name(parser, json, namespace);
	if (json->kind != RECSYS_VALUE_DOCUMENT)
		return fail(parser, "has something else where a type is expected");
	if (++parser->level > MOST_LEVELS)
		return fail(parser, "is nested too deeply");
	if (json->text[0] == '{')
		node = parse_object(parser, json, namespace);
	else
	{
		node = add_node(parser, RECSYS_AVRO_UNION);
		if (node != NULL && !each_element(parser, node, json, namespace, add_branch))
			node = NULL;
	}
	parser->level--;
	return node;
}

RecsysAvroSchema *
RecsysAvroSchemaParse(const char *json, size_t length, PQExpBuffer fault)
{
	RecsysAvroSchema *schema = pg_malloc0(sizeof(RecsysAvroSchema));
	PQExpBuffer text = createPQExpBuffer();
	Parser		parser = {.schema = schema, .fault = fault, .text = text};
	RecsysJsonScan scan;
	RecsysStreamValue value;

	if (!RecsysIsText(json, length))
		fail(&parser, "is no text in UTF-8");
	else
	{
		RecsysJsonBegin(&scan, json, length);
		if (!RecsysJsonValue(&scan, &value) || !RecsysJsonEnd(&scan))
			fail(&parser, "is no JSON");
		else
			schema->root = parse_type(&parser, &value, NULL);
	}
	destroyPQExpBuffer(text);
	if (schema->root != NULL)
		return schema;
	RecsysAvroSchemaFree(schema);
	return NULL;
}

const RecsysAvroNode *
RecsysAvroSchemaRoot(const RecsysAvroSchema *schema)
{
	return schema->root;
}

void
RecsysAvroSchemaFree(RecsysAvroSchema *schema)
{
	if (schema == NULL)
		return;
	for (int i = 0; i < schema->nnodes; i++)
	{
		RecsysAvroNode *node = schema->nodes[i];

		for (int j = 0; j < node->count; j++)
			pg_free(node->names[j]);
		pg_free(node->names);
		pg_free(node->children);
		pg_free(node->name);
		pg_free(node);
	}
	pg_free(schema->nodes);
	pg_free(schema);
}
