/*
 * basket_mining.h
 *	  From the arguments of a SQL function to prepared baskets, and from there to
 *	  item sets: what the functions for item sets and for rules share.
 */
#ifndef RECSYS_BASKET_MINING_H
#define RECSYS_BASKET_MINING_H

#include "postgres.h"

#include "api/basket/rule_arguments.h"
#include "api/basket/setstream.h"
#include "api/call/answer.h"
#include "api/call/itemarray.h"
#include "core/itemset/itemset.h"
#include "core/rules/rules.h"
#include "source/basket/parallel_mining.h"

/* What is asked for */
typedef struct RecsysMiningRequest
{
	bool		is_query;		/* source is a query, else the name of a recommender, or NULL */
	const char *source;
	double		min_support;
	RecsysItemsetKind kind;
	uint32		min_length;
	uint32		max_length;		/* 0: no limit */
	int			max_basket;		/* 0: as the source has it */
	bool		weights;
	RecsysKeyList must_contain;
	RecsysKeyList must_not_contain;
	RecsysKeyList consequents;	/* the caller's to apply */
	bool		subsets;		/* must_contain and min_length are the caller's to apply */
} RecsysMiningRequest;

/* Baskets, prepared; frequent items are numbered anew, in key order */
typedef struct RecsysMinedBaskets
{
	RecsysItemsets *sets;		/* NULL if the answer is certain to be empty */
	uint64		baskets;		/* N */
	uint64		min_support;	/* baskets */
	bool		for_rules;		/* which need all subsets */
	uint32		nitems;			/* frequent ones */
	RecsysKeyKind kind;
	RecsysKey  *keys;			/* of each, ascending */
	RecsysSetFormat format;		/* of item sets in our numbers */
	RecsysItemArrays *arrays;
	Size		memory_limit;	/* bytes that are left */
	RecsysMiningTeam team;		/* workers that have read the baskets */
} RecsysMinedBaskets;

/* Settings: more item sets or rules than this end a statement. */
extern int	RecsysMaxItemsets;
extern int	RecsysMaxRules;

/* Called once, from _PG_init. */
extern void RecsysInitMining(void);

/*
 * Reads and prepares what is asked for.  item_type is the element type of the answer.
 * The request's lists become keys of the kind that the baskets have.
 */
extern void RecsysPrepareMining(RecsysMiningRequest *request, RecsysAnswer *answer,
								Oid item_type, RecsysMinedBaskets *mined);

/* Number of a key among the frequent items, or RECSYS_NONE. */
extern uint32 RecsysMinedItem(const RecsysMinedBaskets *mined, const RecsysKey *key);

/*
 * Reports all item sets, in our numbers, ascending within a set.  Returning false
 * means that memory does not suffice; memory_limit is for the miners.  With a stream
 * they go there instead.
 */
typedef bool (*RecsysMinedReporter) (void *arg, const uint32 *items, uint32 length,
									 uint32 support, double weight);

extern void RecsysMine(RecsysMinedBaskets *mined, Size memory_limit, RecsysSetStream *stream,
					   RecsysMinedReporter report, void *arg);

/* The same, but false instead of an error, and that when there are more than most. */
extern bool RecsysTryMine(RecsysMinedBaskets *mined, uint64 most, Size memory_limit,
						  RecsysSetStream *stream, RecsysMinedReporter report, void *arg);

/*
 * The k most frequent item sets in order, however many others there are.  Not for maximal
 * ones: false for them.
 */
extern bool RecsysMineBest(RecsysMinedBaskets *mined, uint64 k, Size memory_limit,
						   RecsysRuleReporter report, void *arg);

/* There are more than recsys.max_itemsets: an error that tells what helps. */
extern void RecsysTooManyItemsets(const RecsysMinedBaskets *mined, Size memory_limit);

/* No more is mined: gives back what is not the memory context's. */
extern void RecsysMiningEnd(RecsysMinedBaskets *mined);

/* What memory may not suffice for */
typedef enum RecsysMiningStep
{
	RECSYS_MINING_BASKETS, RECSYS_MINING_ITEMSETS, RECSYS_MINING_RULES
} RecsysMiningStep;

/* It does not: an error. */
extern void RecsysMiningOutOfMemory(const RecsysMinedBaskets *mined, RecsysMiningStep step);

#endif							/* RECSYS_BASKET_MINING_H */
