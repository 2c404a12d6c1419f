/*
 * itemcontent.h
 *	  Generated items, for tests and benchmarks of core/content.
 */
#ifndef RECSYS_TEST_ITEMCONTENT_H
#define RECSYS_TEST_ITEMCONTENT_H

#include "core/content/content.h"
#include "generate.h"

/* Items in memory: as they are in a table, and packed. */
typedef struct Items
{
	RecsysContentModel model;
	int			n;
	RecsysRawContent *raw;
	char	  **packed;
	Size	   *sizes;
	RecsysTermCount *counts;
	uint32		ncounts;
} Items;

/* Anything at all: every kind of value, and what is hard in each of them. */
extern void generate_any_items(Random *random, const RecsysContentModel *model, int n, Items *items);

/*
 * Like a marketplace: category, brand, tags, title, price, vector of so many dimensions.  Products
 * come in some thousand kinds, which have words and a direction.
 */
extern void generate_shop_items(Random *random, int n, int dimensions, Items *items);

/* Counts terms and packs; sets model's figures. */
extern void pack_items(Items *items);
extern void free_items(Items *items);

/* A RecsysTermLookup; the argument is the Items. */
extern uint32 lookup_term(void *items, uint64 hash);

#endif							/* RECSYS_TEST_ITEMCONTENT_H */
