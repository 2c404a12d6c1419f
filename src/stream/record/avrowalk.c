/*
 * avrowalk.c
 *	  A message in Avro's binary encoding and the tree of paths, gone along together.
 *
 * There are no names and no lengths in a message, so that everything in it has to be read, whether a path
 * leads there or not.  Schemas can be recursive and elements can be of no bytes at all: depth and number
 * of values are limited.
 */
#include "stream/record/avrowalk.h"

#include "stream/record/avroscalar.h"
#include "stream/record/copytext.h"
#include "stream/record/eventtime.h"
#include "stream/record/jsonscan.h"

/* values in each other */
#define MOST_LEVELS 200

/* values of a message: what has none in it is rarely without a byte, and records are values, too */
#define MOST_VALUES(length) ((int64) (length) * 16 + 10000)

/* JSON of all records and the like of a message, bytes */
#define MOST_JSON ((size_t) 64 * 1024 * 1024)

typedef struct Walk
{
	RecsysAvroReader reader;
	RecsysPathTree *tree;
	int			level;
	int64		budget;			/* values that may still come */
	size_t		json_left;		/* bytes of JSON that may still be made */
} Walk;

static bool walk_value(Walk *walk, const RecsysAvroNode *type, RecsysPathNode *node);

static bool
fail(Walk *walk, const char *fault)
{
	walk->reader.fault = fault;
	return false;
}

static bool
begin_value(Walk *walk)
{
	if (walk->level >= MOST_LEVELS)
		return fail(walk, "is nested too deeply");
	if (--walk->budget < 0)
		return fail(walk, "has more values than bytes");
	walk->level++;
	return true;
}

/* How many elements the next block of an array or a map has; none: it is the last. */
static bool
read_block(Walk *walk, int64 *count)
{
	int64		size;

	if (!RecsysAvroLong(&walk->reader, count))
		return false;
	if (*count < 0)
	{
		if (*count == PG_INT64_MIN || !RecsysAvroLong(&walk->reader, &size))
			return fail(walk, "has a block without a size");
		*count = -*count;
	}
	return true;
}

static bool
walk_element(Walk *walk, const RecsysAvroNode *type, RecsysPathNode *each, RecsysPathNode *numbered)
{
	const char *start = walk->reader.at;

	if (each != NULL)
	{
		if (!RecsysPathTreeItem(walk->tree))
			return fail(walk, "has an array of more than 100000 items");
		if (!walk_value(walk, type, each))
			return false;
		if (numbered == NULL)
			return true;
		walk->reader.at = start;
	}
	return walk_value(walk, type, numbered);
}

static bool
walk_array(Walk *walk, const RecsysAvroNode *type, RecsysPathNode *node)
{
	RecsysPathNode *each = node == NULL ? NULL : RecsysPathEach(node);
	int			index = 0;
	int64		count;

	do
	{
		if (!read_block(walk, &count))
			return false;
		for (int64 i = 0; i < count; i++, index++)
		{
			if (!walk_element(walk, type->children[0], each, node == NULL ? NULL : RecsysPathElement(node, index)))
				return false;
		}
	} while (count > 0);
	return true;
}

static bool
walk_map(Walk *walk, const RecsysAvroNode *type, RecsysPathNode *node)
{
	int64		count;

	do
	{
		if (!read_block(walk, &count))
			return false;
		for (int64 i = 0; i < count; i++)
		{
			const char *key;
			size_t		length;

			if (!RecsysAvroCounted(&walk->reader, &key, &length) ||
				!walk_value(walk, type->children[0], node == NULL ? NULL : RecsysPathMember(node, key, length)))
				return false;
		}
	} while (count > 0);
	return true;
}

static bool
walk_record(Walk *walk, const RecsysAvroNode *type, RecsysPathNode *node)
{
	for (int i = 0; i < type->count; i++)
	{
		RecsysPathNode *child = NULL;

		if (node != NULL && node->children != NULL)
			child = RecsysPathMember(node, type->names[i], strlen(type->names[i]));
		if (!walk_value(walk, type->children[i], child))
			return false;
	}
	return true;
}

static bool
choose_branch(Walk *walk, const RecsysAvroNode **type)
{
	int64		number;

	if (!RecsysAvroLong(&walk->reader, &number))
		return false;
	if (number < 0 || number >= (*type)->count)
		return fail(walk, "has a branch of a union that its schema does not have");
	*type = (*type)->children[number];
	return true;
}

static void
append_scalar(PQExpBuffer json, const RecsysStreamValue *value)
{
	PQExpBufferData text;

	switch (value->kind)
	{
		case RECSYS_VALUE_NULL:
			appendPQExpBufferStr(json, "null");
			break;
		case RECSYS_VALUE_BOOLEAN:
		case RECSYS_VALUE_NUMBER:
			appendBinaryPQExpBuffer(json, value->text, value->length);
			break;
		case RECSYS_VALUE_TEXT:
			RecsysJsonQuote(value->text, value->length, json);
			break;
		case RECSYS_VALUE_BYTES:
			appendPQExpBufferChar(json, '"');
			for (size_t i = 0; i < value->length; i++)
				appendPQExpBuffer(json, "%02x", (unsigned char) value->text[i]);
			appendPQExpBufferChar(json, '"');
			break;
		default:
			initPQExpBuffer(&text);
			if (value->kind == RECSYS_VALUE_DAY)
				RecsysDayText(&text, value->time);
			else
				RecsysTimeText(&text, value->time);
			appendPQExpBuffer(json, "\"%s\"", text.data);
			termPQExpBuffer(&text);
			break;
	}
}

static bool append_json(Walk *walk, const RecsysAvroNode *type, PQExpBuffer json);

/* An array, or a map, whose elements have keys before them. */
static bool
append_blocks(Walk *walk, const RecsysAvroNode *type, PQExpBuffer json)
{
	bool		is_map = type->type == RECSYS_AVRO_MAP;
	bool		first = true;
	int64		count;

	appendPQExpBufferChar(json, is_map ? '{' : '[');
	do
	{
		if (!read_block(walk, &count))
			return false;
		for (int64 i = 0; i < count; i++)
		{
			const char *key;
			size_t		length;

			if (!first)
				appendPQExpBufferStr(json, ", ");
			first = false;
			if (is_map)
			{
				if (!RecsysAvroCounted(&walk->reader, &key, &length))
					return false;
				if (!RecsysIsText(key, length))
					return fail(walk, "has a key that is no text in UTF-8");
				RecsysJsonQuote(key, length, json);
				appendPQExpBufferStr(json, ": ");
			}
			if (!append_json(walk, type->children[0], json))
				return false;
		}
	} while (count > 0);
	appendPQExpBufferChar(json, is_map ? '}' : ']');
	return true;
}

static bool
append_record(Walk *walk, const RecsysAvroNode *type, PQExpBuffer json)
{
	appendPQExpBufferChar(json, '{');
	for (int i = 0; i < type->count; i++)
	{
		if (i > 0)
			appendPQExpBufferStr(json, ", ");
		RecsysJsonQuote(type->names[i], strlen(type->names[i]), json);
		appendPQExpBufferStr(json, ": ");
		if (!append_json(walk, type->children[i], json))
			return false;
	}
	appendPQExpBufferChar(json, '}');
	return true;
}

/* The value that begins here as JSON. */
static bool
append_json(Walk *walk, const RecsysAvroNode *type, PQExpBuffer json)
{
	RecsysStreamValue value;
	bool		done;

	if (!begin_value(walk))
		return false;
	if (json->len > walk->json_left || PQExpBufferBroken(json))
		return fail(walk, "would become more than 64 MB of JSON");
	switch (type->type)
	{
		case RECSYS_AVRO_RECORD:
			done = append_record(walk, type, json);
			break;
		case RECSYS_AVRO_ARRAY:
		case RECSYS_AVRO_MAP:
			done = append_blocks(walk, type, json);
			break;
		case RECSYS_AVRO_UNION:
			done = choose_branch(walk, &type) && append_json(walk, type, json);
			break;
		default:
			done = RecsysAvroScalar(&walk->reader, type, &value);
			if (done)
				append_scalar(json, &value);
			break;
	}
	walk->level--;
	return done;
}

/* What begins here, as a whole, for the path that ends at node; the reader stays where it is. */
static bool
put_document(Walk *walk, const RecsysAvroNode *type, const RecsysPathNode *node)
{
	RecsysStreamValue value = {.kind = RECSYS_VALUE_DOCUMENT};
	const char *start = walk->reader.at;
	int64		budget = walk->budget;
	PQExpBuffer json = createPQExpBuffer();
	bool		done = append_json(walk, type, json);

	if (done)
	{
		value.text = RecsysTextArenaCopy(walk->reader.arena, json->data, json->len);
		value.length = json->len;
		RecsysPathTreePut(walk->tree, node, &value);
		walk->json_left -= Min(json->len, walk->json_left);
		walk->reader.at = start;
		walk->budget = budget;
	}
	destroyPQExpBuffer(json);
	return done;
}

static bool
walk_container(Walk *walk, const RecsysAvroNode *type, RecsysPathNode *node)
{
	if (node != NULL && node->slot >= 0 && !put_document(walk, type, node))
		return false;
	if (type->type == RECSYS_AVRO_ARRAY)
		return walk_array(walk, type, node);
	if (type->type == RECSYS_AVRO_MAP)
		return walk_map(walk, type, node);
	return walk_record(walk, type, node);
}

static bool
walk_scalar(Walk *walk, const RecsysAvroNode *type, RecsysPathNode *node)
{
	RecsysStreamValue value;

	if (!RecsysAvroScalar(&walk->reader, type, &value))
		return false;
	if (node != NULL)
		RecsysPathTreePut(walk->tree, node, &value);
	return true;
}

/* What begins here belongs to node, or, if that is NULL, to no path. */
static bool
walk_value(Walk *walk, const RecsysAvroNode *type, RecsysPathNode *node)
{
	bool		done;

	if (type->type == RECSYS_AVRO_UNION && !choose_branch(walk, &type))
		return false;
	if (!begin_value(walk))
		return false;
	if (node != NULL)
		RecsysPathTreeEnter(walk->tree, node);
	if (node != NULL && node->children != NULL && RecsysPathEach(node) != NULL &&
		type->type != RECSYS_AVRO_ARRAY && type->type != RECSYS_AVRO_NULL)
		return fail(walk, "has something else where an array is expected");
	if (type->type == RECSYS_AVRO_UNION)
		done = walk_value(walk, type, node);
	else if (type->type == RECSYS_AVRO_RECORD || type->type == RECSYS_AVRO_ARRAY || type->type == RECSYS_AVRO_MAP)
		done = walk_container(walk, type, node);
	else
		done = walk_scalar(walk, type, node);
	walk->level--;
	return done;
}

bool
RecsysAvroWalk(RecsysPathTree *tree, const RecsysAvroSchema *schema, const char *bytes, size_t length,
			   const char *what, RecsysTextArena *arena, PQExpBuffer reason)
{
	Walk		walk = {.tree = tree, .budget = MOST_VALUES(length), .json_left = MOST_JSON};

	RecsysPathTreeBegin(tree);
	walk.reader.start = walk.reader.at = bytes;
	walk.reader.end = bytes + length;
	walk.reader.arena = arena;
	if (walk_value(&walk, RecsysAvroSchemaRoot(schema), &tree->root))
	{
		if (walk.reader.at == walk.reader.end)
			return true;
		walk.reader.fault = "has bytes behind its end";
	}
	appendPQExpBuffer(reason, "The %s %s, read by its schema of Avro.", what, walk.reader.fault);
	return false;
}
