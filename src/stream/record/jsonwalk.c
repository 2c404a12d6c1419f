/*
 * jsonwalk.c
 *	  A JSON document and the tree of paths, gone along together.
 *
 * Recursion is as deep as paths are long, whatever is in the message.
 */
#include "stream/record/jsonwalk.h"

#include "stream/record/jsonscan.h"

typedef struct Walk
{
	RecsysJsonScan scan;
	RecsysPathTree *tree;
	PQExpBuffer name;			/* a name without its escapes */
	const char *fault;			/* not of the grammar: the end of a sentence on the document */
} Walk;

static bool walk_value(Walk *walk, RecsysPathNode *node);

/* The child for a member of that name; NULL if no path can name it. */
static RecsysPathNode *
find_member(Walk *walk, const RecsysPathNode *node, const RecsysStreamValue *name)
{
	const char *text;
	const char *fault;
	size_t		length;

	if (!RecsysJsonText(name, walk->name, &text, &length, &fault))
		return NULL;
	return RecsysPathMember(node, text, length);
}

static bool
walk_child(Walk *walk, RecsysPathNode *child)
{
	return child == NULL ? RecsysJsonSkip(&walk->scan) : walk_value(walk, child);
}

static bool
walk_object(Walk *walk, RecsysPathNode *node)
{
	RecsysJsonScan *scan = &walk->scan;
	RecsysStreamValue name;

	if (RecsysJsonTake(scan, JSON_TOKEN_OBJECT_END))
		return true;
	do
	{
		if (!RecsysJsonName(scan, &name) || !walk_child(walk, find_member(walk, node, &name)))
			return false;
	} while (RecsysJsonTake(scan, JSON_TOKEN_COMMA));
	return RecsysJsonExpect(scan, JSON_TOKEN_OBJECT_END, "a comma or } is expected");
}

/* The element that comes next is an item, and maybe the one of a number, too. */
static bool
walk_element(Walk *walk, RecsysPathNode *each, RecsysPathNode *numbered)
{
	RecsysJsonScan start;

	if (each == NULL)
		return walk_child(walk, numbered);
	if (!RecsysPathTreeItem(walk->tree))
	{
		walk->fault = "has an array of more than 100000 items";
		return false;
	}
	if (numbered == NULL)
		return walk_value(walk, each);
	start = walk->scan;
	if (!walk_value(walk, each))
		return false;
	walk->scan = start;
	return walk_value(walk, numbered);
}

static bool
walk_array(Walk *walk, RecsysPathNode *node)
{
	RecsysJsonScan *scan = &walk->scan;
	RecsysPathNode *each = RecsysPathEach(node);
	int			index = 0;

	if (RecsysJsonTake(scan, JSON_TOKEN_ARRAY_END))
		return true;
	do
	{
		if (!walk_element(walk, each, RecsysPathElement(node, index++)))
			return false;
	} while (RecsysJsonTake(scan, JSON_TOKEN_COMMA));
	return RecsysJsonExpect(scan, JSON_TOKEN_ARRAY_END, "a comma or ] is expected");
}

/* What comes next belongs to node. */
static bool
walk_value(Walk *walk, RecsysPathNode *node)
{
	RecsysJsonScan *scan = &walk->scan;
	RecsysStreamValue value = {.kind = RECSYS_VALUE_DOCUMENT, .text = scan->lex.token_start};
	bool		array = scan->token == JSON_TOKEN_ARRAY_START;

	RecsysPathTreeEnter(walk->tree, node);
	if (node->children != NULL && (array || scan->token == JSON_TOKEN_OBJECT_START))
	{
		RecsysJsonTake(scan, scan->token);
		if (array ? !walk_array(walk, node) : !walk_object(walk, node))
			return false;
		value.length = scan->behind - value.text;
	}
	else if (!RecsysJsonValue(scan, &value))
		return false;
	if (!array && value.kind != RECSYS_VALUE_NULL && node->children != NULL && RecsysPathEach(node) != NULL)
	{
		walk->fault = "has something else where an array is expected";
		return false;
	}
	RecsysPathTreePut(walk->tree, node, &value);
	return true;
}

/* Does what the document is leave all paths without a meaning? */
static bool
is_foreign(const RecsysPathNode *root, JsonTokenType begins)
{
	bool		names = false;
	bool		elements = false;

	for (const RecsysPathNode *child = root->children; child != NULL; child = child->next)
	{
		names |= child->kind == RECSYS_STEP_NAME;
		elements |= child->kind != RECSYS_STEP_NAME;
	}
	return (names || elements) && !(names && begins == JSON_TOKEN_OBJECT_START) &&
		!(elements && begins == JSON_TOKEN_ARRAY_START);
}

bool
RecsysJsonWalk(RecsysPathTree *tree, const char *text, size_t length, const char *what,
			   PQExpBuffer name, PQExpBuffer reason)
{
	Walk		walk = {.tree = tree, .name = name};
	size_t		mark = 0;

	RecsysPathTreeBegin(tree);
	/* a byte order mark is no part of it */
	if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		mark = 3;
	RecsysJsonBegin(&walk.scan, text + mark, length - mark);
	if (walk.scan.token == JSON_TOKEN_END)
		appendPQExpBuffer(reason, "The %s is empty.", what);
	else if (is_foreign(&tree->root, walk.scan.token))
		appendPQExpBuffer(reason, "The %s is no JSON %s.", what,
						  walk.scan.token == JSON_TOKEN_OBJECT_START ? "array" : "object");
	else if (walk_value(&walk, &tree->root) && RecsysJsonEnd(&walk.scan))
		return true;
	else if (walk.fault != NULL)
		appendPQExpBuffer(reason, "The %s %s.", what, walk.fault);
	else
		appendPQExpBuffer(reason, "The %s is no JSON: %s (byte %zu).", what, walk.scan.fault,
						  (size_t) (walk.scan.fault_at - text) + 1);
	return false;
}
