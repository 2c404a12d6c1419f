/*
 * popularity.h
 *	  What recsys.refresh_recommender has found out about a shop: rows of recsys.popularity.
 *
 * kind			value						items, users
 * segment1 …	the segment					popular items with their numbers of users
 * persona		new, active, …				the same
 * category		the category				the same
 * seller		the seller					the same
 * price		0 to 4, the level			the same
 * all			''							the same; where users are excluded
 * shop			name of a figure			numbers as text, no users
 *
 * The figures: typical_gap, seconds between two days on which a user buys; seller_mean, the
 * mean rating; price_bounds, four logarithms between the levels of prices; meanings, what
 * the values of the kinds mean, see RecsysPopularityMeaning.
 *
 * Rows are read by their key under the active snapshot, whoever calls: that the caller may
 * read what they come from, the signals, has to be known before.
 */
#ifndef RECSYS_POPULARITY_H
#define RECSYS_POPULARITY_H

#include "postgres.h"

#include "api/declare/definition.h"

/* Items of a list, at most */
#define RECSYS_LIST_ITEMS 200

#define RECSYS_PRICE_LEVELS 5

typedef struct RecsysPopularList
{
	int			count;
	char	  **items;			/* keys as text, most users first */
	int64	   *users;			/* NULL for a figure */
} RecsysPopularList;

/* In the current memory context; false if there is no such row. */
extern bool RecsysReadPopularList(const char *recommender, const char *kind, const char *value,
								  RecsysPopularList *list);

/* Numbers of a figure of the shop: fills in at most n of them and returns how many. */
extern int	RecsysReadFigure(const char *recommender, const char *figure, double *numbers, int n);

/*
 * One row with the mean rating of all sellers, or NULL; definition has a seller_quality.  A seller
 * whose numbers are none, or infinite, must not make those of all others unknown.
 */
extern char *RecsysSellerMeanQuery(const RecsysDefinition *definition);

/*
 * What the values of a kind are made of, so that lists are not taken for others when
 * the definition has changed since the refresh: "segment1=…", palloc'd.
 */
extern char *RecsysPopularityMeaning(const RecsysDefinition *definition, const char *kind);

/* Are the lists of that kind those of the definition as it is? */
extern bool RecsysPopularityIsCurrent(const RecsysDefinition *definition, const char *kind);

/* "segment1" for the first, smallest segments; "persona" for those that are life cycles. */
extern char *RecsysSegmentKind(const RecsysDefinition *definition, int segment);

#endif							/* RECSYS_POPULARITY_H */
