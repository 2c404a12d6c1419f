/*
 * arrange.h
 *	  The fourth stage: from scored items to a list that keeps a shop's rules.
 *
 * Places are filled one after the other, each with the best of the items that are left
 * and break no rule.  What is best weighs the score against what is in the list already:
 *
 *		(1 - d - m) * score / highest + d * (1 - likeness to the list) + m * gain in the mix
 *
 * the first two as in maximal marginal relevance (Carbonell and Goldstein 1998: the likeness
 * to a list is that to its most alike item), the third as in calibrated recommendations
 * (Steck 2018; see categorymix.h).  Of two that are equally good the one given first is taken.
 *
 * A share of the places is kept for the new: of every 1/share places in a row, the last one
 * is for a new item unless there is one before.  Where that of a new seller is the same
 * place, the new item has it, and the new seller the one before; an item that is both will
 * do for both.  Where no new one is left that breaks no rule, the place goes to the best.
 *
 * An item without a score, that nothing speaks for, only gets a place that none with a score
 * can have, unless the place is kept for such as it: to be unlike the rest is no merit alone.
 */
#ifndef RECSYS_ARRANGE_H
#define RECSYS_ARRANGE_H

#include "core/base/platform.h"

/*
 * Behind so many places the score alone counts: each place is compared with all before it, and
 * nobody looks at what a list that long is like at its end.
 */
#define RECSYS_WEIGHED_PLACES 1000

typedef struct RecsysArrangeItem
{
	double		score;			/* >= 0; items come in the order of descending scores, ties broken */
	uint32		category;		/* 0: none */
	uint32		group;			/* at most one of a group; 0: by itself */
	const uint32 *labels;		/* one for each cap; 0: counts for no cap */
	bool		is_new;
	bool		is_new_seller;
} RecsysArrangeItem;

/* How alike an item is to one that is in the list, from 0 to 1. */
typedef double (*RecsysLikeness) (void *arg, int item, int listed);

typedef struct RecsysArrangeRules
{
	int			ncaps;
	const int  *caps;			/* at most so many items with one label */
	double		diversity;		/* d; more than 1 together with m is as much as 1 together */
	RecsysLikeness likeness;	/* NULL: the same category or not */
	void	   *likeness_arg;
	double		mix;			/* m; none when there is no target */
	const double *target;		/* the share of each category in the history, by its number */
	int			ntarget;
	double		new_item_share;
	double		new_seller_share;
	bool		last_is_new_item;	/* the last place is kept, too, though it ends no 1/share places: */
	bool		last_is_new_seller; /* for shares of lists that are shorter than that */
	bool		exchange;		/* what was taken first may give way to more others */
} RecsysArrangeRules;

/*
 * Puts the places of n items into chosen, which has room for k, in the order of the list;
 * returns how many there are: fewer than k only if each of the others breaks a rule.
 *
 * With exchange, and at most two rules among groups and caps that matter (that is, some label
 * has more items than it may have), those are min(k, as many as there can be).  With three
 * or more of them it is as hard as three-dimensional matching (Karp 1972) to know how many
 * there can be, and the search for them ends after some steps.
 */
extern int	RecsysArrange(const RecsysArrangeRules *rules, const RecsysArrangeItem *items, int n, int k,
						  int *chosen);

#endif							/* RECSYS_ARRANGE_H */
