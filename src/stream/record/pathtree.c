/*
 * pathtree.c
 *	  All paths of a stream into one document as one tree.
 */
#include "stream/record/pathtree.h"

RecsysPathTree *
RecsysPathTreeCreate(void)
{
	RecsysPathTree *tree = pg_malloc0(sizeof(RecsysPathTree));

	tree->root.slot = -1;
	return tree;
}

static void
free_children(RecsysPathNode *node)
{
	while (node->children != NULL)
	{
		RecsysPathNode *child = node->children;

		node->children = child->next;
		free_children(child);
		pg_free(child->name);
		pg_free(child);
	}
}

void
RecsysPathTreeFree(RecsysPathTree *tree)
{
	if (tree == NULL)
		return;
	free_children(&tree->root);
	pg_free(tree->values);
	pg_free(tree->items);
	pg_free(tree);
}

static bool
is_step(const RecsysPathNode *node, const RecsysPathStep *step)
{
	if (node->kind != step->kind)
		return false;
	if (step->kind == RECSYS_STEP_NAME)
		return node->length == step->length && memcmp(node->name, step->name, step->length) == 0;
	return node->index == step->index;
}

static RecsysPathNode *
find_or_add_child(RecsysPathNode *parent, const RecsysPathStep *step)
{
	RecsysPathNode *node;

	for (node = parent->children; node != NULL; node = node->next)
	{
		if (is_step(node, step))
			return node;
	}
	node = pg_malloc0(sizeof(RecsysPathNode));
	node->kind = step->kind;
	if (step->kind == RECSYS_STEP_NAME)
		node->name = pg_strdup(step->name);
	node->length = step->length;
	node->index = step->index;
	node->in_items = parent->in_items || step->kind == RECSYS_STEP_EACH;
	node->slot = -1;
	node->next = parent->children;
	parent->children = node;
	return node;
}

int
RecsysPathTreeAdd(RecsysPathTree *tree, const RecsysStreamPath *path)
{
	RecsysPathNode *node = &tree->root;

	for (int i = 0; i < path->nsteps; i++)
		node = find_or_add_child(node, &path->steps[i]);
	if (node->slot < 0)
	{
		node->slot = node->in_items ? tree->nitemslots++ : tree->nslots++;
		tree->has_items |= node->in_items;
		tree->values = pg_realloc(tree->values, sizeof(RecsysStreamValue) * Max(tree->nslots, 1));
	}
	return node->slot;
}

static void
clear_values(RecsysStreamValue *values, int count)
{
	for (int i = 0; i < count; i++)
		values[i].kind = RECSYS_VALUE_ABSENT;
}

void
RecsysPathTreeBegin(RecsysPathTree *tree)
{
	clear_values(tree->values, tree->nslots);
	tree->nitems = 0;
	tree->message++;
}

static RecsysStreamValue *
slot_of(RecsysPathTree *tree, const RecsysPathNode *node)
{
	if (!node->in_items)
		return &tree->values[node->slot];
	return &tree->items[(size_t) (tree->nitems - 1) * tree->nitemslots + node->slot];
}

/* All that was found below a node is forgotten: there is another of the same name. */
static void
forget(RecsysPathTree *tree, const RecsysPathNode *node)
{
	for (const RecsysPathNode *child = node->children; child != NULL; child = child->next)
	{
		if (child->kind == RECSYS_STEP_EACH)
			tree->nitems = 0;
		else
		{
			if (child->slot >= 0)
				slot_of(tree, child)->kind = RECSYS_VALUE_ABSENT;
			forget(tree, child);
		}
	}
}

void
RecsysPathTreeEnter(RecsysPathTree *tree, RecsysPathNode *node)
{
	uint64		now = node->in_items ? tree->item : tree->message;

	if (node->entered == now && node->children != NULL)
		forget(tree, node);
	node->entered = now;
}

/* False if there are too many. */
bool
RecsysPathTreeItem(RecsysPathTree *tree)
{
	if (tree->nitems >= RECSYS_MOST_ITEMS)
		return false;
	if (tree->nitems >= tree->room)
	{
		tree->room = Max(tree->room * 2, 16);
		tree->items = pg_realloc(tree->items, sizeof(RecsysStreamValue) * tree->nitemslots * tree->room);
	}
	clear_values(tree->items + (size_t) tree->nitems * tree->nitemslots, tree->nitemslots);
	tree->nitems++;
	tree->item++;
	return true;
}

RecsysPathNode *
RecsysPathMember(const RecsysPathNode *node, const char *name, size_t length)
{
	for (RecsysPathNode *child = node->children; child != NULL; child = child->next)
	{
		if (child->length == length && child->kind == RECSYS_STEP_NAME && memcmp(child->name, name, length) == 0)
			return child;
	}
	return NULL;
}

RecsysPathNode *
RecsysPathElement(const RecsysPathNode *node, int index)
{
	for (RecsysPathNode *child = node->children; child != NULL; child = child->next)
	{
		if (child->kind == RECSYS_STEP_INDEX && child->index == index)
			return child;
	}
	return NULL;
}

RecsysPathNode *
RecsysPathEach(const RecsysPathNode *node)
{
	for (RecsysPathNode *child = node->children; child != NULL; child = child->next)
	{
		if (child->kind == RECSYS_STEP_EACH)
			return child;
	}
	return NULL;
}

void
RecsysPathTreePut(RecsysPathTree *tree, const RecsysPathNode *node, const RecsysStreamValue *value)
{
	if (node->slot >= 0)
		*slot_of(tree, node) = *value;
}
