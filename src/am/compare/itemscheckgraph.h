/*
 * itemscheckgraph.h
 *	  For itemscheck.c: the item graph compared with the current contents.
 */
#ifndef RECSYS_ITEMSCHECKGRAPH_H
#define RECSYS_ITEMSCHECKGRAPH_H

#include "am/content/contentpage.h"

/* What the content pages have of an item */
typedef struct RecsysItemFacts
{
	bool		has_current;
	bool		is_dead;		/* the row of the current content is gone */
	bool		pending;		/* an event or the queue names the item */
	bool		current_visible;
	float		floor;			/* of the current content */
	BlockNumber block;
	uint64		position;		/* of the row with the current content */
	uint64		lowest;			/* of the rows that a snapshot sees; PG_UINT64_MAX: none */
} RecsysItemFacts;

/*
 * Errors out if rows of the graph are not what the current contents give: all of them or, of a
 * large index, a sample.
 */
extern void RecsysCheckItemsGraph(Relation index, const RecsysContentMeta *meta,
								  const RecsysItemFacts *facts, uint32 nitems);

#endif							/* RECSYS_ITEMSCHECKGRAPH_H */
