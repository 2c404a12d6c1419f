/*
 * itemrows.h
 *	  The third stage: which items may be shown, by the shop's own table of them.
 *
 * All is asked of the table by prepared queries, with the caller's rights, under the active
 * snapshot: a product that has just been sold out is not shown, and row-level security
 * counts as the caller sees it.  Without a table of items all items pass and have no
 * attributes.
 */
#ifndef RECSYS_ITEMROWS_H
#define RECSYS_ITEMROWS_H

#include "postgres.h"

#include "api/profile/shopprofile.h"

/* A label that items share, as a number good for one call; 0 stands for NULL. */
typedef uint32 RecsysLabel;

/* An item that passes the filters */
typedef struct RecsysItemRow
{
	uint32		slot;
	RecsysLabel group;			/* 0: a group of its own */
	RecsysLabel category;
	RecsysLabel seller;
	RecsysLabel *caps;			/* one for each cap of the definition, in their order */
	double		price;			/* NaN: unknown */
	double		seller_sum;		/* sum and number of the seller's ratings; NaN: unknown */
	double		seller_ratings;
	bool		is_new;
	bool		is_new_seller;
	bool		is_repeatable;
} RecsysItemRow;

typedef struct RecsysItems RecsysItems;

/* For one call, between SPI_connect and SPI_finish; in the current memory context. */
extern RecsysItems *RecsysItemsBegin(const RecsysShopProfile *profile);
extern void RecsysItemsEnd(RecsysItems *items);

/* Those of n items that pass all filters, in the order given; rows has room for n. */
extern int	RecsysItemsAmong(RecsysItems *items, const uint32 *slots, int n, RecsysItemRow *rows);

/* About what share of the items pass, as the planner thinks; 1 without a filter. */
extern double RecsysItemsShare(RecsysItems *items);

typedef enum RecsysItemsWhich
{
	RECSYS_ITEMS_ALL,
	RECSYS_ITEMS_NEW,			/* those that new_item_since holds for */
	RECSYS_ITEMS_OF_NEW_SELLERS /* those whose seller new_seller_since holds for */
} RecsysItemsWhich;

/*
 * All that pass, in the order of their keys, *rows palloc'd: for filters that few pass, and
 * for the last places of a list that nothing else fills.  At most limit of them.
 */
extern int	RecsysItemsAll(RecsysItems *items, int limit, RecsysItemsWhich which,
						   RecsysItemRow **rows);

/*
 * For each of n rows the offer of its group to be shown in its place: the one with the least
 * offer_order of those that pass, then the least key; the row itself without a group or an
 * order.  Rows are replaced; their order stays.
 */
extern void RecsysItemsOffers(RecsysItems *items, RecsysItemRow *rows, int n);

/* Is some item of the row's group among the given slots?  (Has the user got one of its variants?) */
extern bool RecsysItemsHasGroup(RecsysItems *items, const RecsysItemRow *row, const uint32 *slots,
								int n);

/* What a label stands for. */
extern const char *RecsysItemsLabel(const RecsysItems *items, RecsysLabel label);

/* The titles of items, filtered or not, for reasons: NULL elements where there is none. */
extern char **RecsysItemsTitles(RecsysItems *items, const uint32 *slots, int n);

/* Attributes of items whether or not they pass, as those of a history: in the order given, those that exist. */
extern int	RecsysItemsKnown(RecsysItems *items, const uint32 *slots, int n, RecsysItemRow *rows);

/* Promotions that are on: slots and their boosts, bounded and not yet filtered. */
extern int	RecsysItemsPromotions(RecsysItems *items, uint32 **slots, double **boosts);

#endif							/* RECSYS_ITEMROWS_H */
