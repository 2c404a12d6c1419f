/*
 * pathtree.h
 *	  All paths of a stream into one document as one tree, along which a message is read once.
 *
 * A reader goes down the message and the tree together: a member or an element for which the tree has no
 * child is passed over.  Where a path ends, the node has a slot, and the value is put there.  Slots below
 * [*] are kept anew for each element: items.
 *
 * If a member is there twice the last one counts, with all that is in it, as jsonb has it.
 */
#ifndef RECSYS_PATHTREE_H
#define RECSYS_PATHTREE_H

#include "postgres_fe.h"

#include "core/stream/streampath.h"
#include "stream/record/streamvalue.h"

/* A message with more items than this is refused. */
#define RECSYS_MOST_ITEMS 100000

typedef struct RecsysPathNode
{
	RecsysPathStepKind kind;
	char	   *name;
	int			length;
	int			index;
	bool		in_items;		/* below a step for each element, or that step itself */
	int			slot;			/* among values, or in each item; -1: no path ends here */
	uint64		entered;		/* the message or item that has led here last */
	struct RecsysPathNode *children;
	struct RecsysPathNode *next;	/* child of the same parent */
} RecsysPathNode;

typedef struct RecsysPathTree
{
	RecsysPathNode root;
	int			nslots;
	int			nitemslots;
	bool		has_items;
	RecsysStreamValue *values;
	RecsysStreamValue *items;	/* nitemslots of each item */
	int			nitems;
	int			room;			/* for so many items */
	uint64		message;		/* numbers that tell messages and items apart */
	uint64		item;
} RecsysPathTree;

extern RecsysPathTree *RecsysPathTreeCreate(void);
extern void RecsysPathTreeFree(RecsysPathTree *tree);

/* Where the values of a path are put: number of a slot. */
extern int	RecsysPathTreeAdd(RecsysPathTree *tree, const RecsysStreamPath *path);

/* For readers: a message begins; a node is entered, or another item; the way down; a value. */
extern void RecsysPathTreeBegin(RecsysPathTree *tree);
extern void RecsysPathTreeEnter(RecsysPathTree *tree, RecsysPathNode *node);
extern bool RecsysPathTreeItem(RecsysPathTree *tree);
extern RecsysPathNode *RecsysPathMember(const RecsysPathNode *node, const char *name, size_t length);
extern RecsysPathNode *RecsysPathElement(const RecsysPathNode *node, int index);
extern RecsysPathNode *RecsysPathEach(const RecsysPathNode *node);
extern void RecsysPathTreePut(RecsysPathTree *tree, const RecsysPathNode *node, const RecsysStreamValue *value);

#endif							/* RECSYS_PATHTREE_H */
