/*
 * basket_mining.h
 *	  From prepared baskets to item sets.
 */
#ifndef RECSYS_BASKET_MINING_H
#define RECSYS_BASKET_MINING_H

#include "postgres.h"

#include "api/basket/prepared_baskets.h"
#include "api/basket/setstream.h"
#include "core/rules/rules.h"

/* Settings: more item sets or rules than this end a statement. */
extern int	RecsysMaxItemsets;
extern int	RecsysMaxRules;

/* Called once, from _PG_init. */
extern void RecsysInitMining(void);

/*
 * Takes an item set, its items in the prepared baskets' numbers, ascending.  Returning false
 * means that memory does not suffice.
 */
typedef bool (*RecsysMinedReporter) (void *arg, const uint32 *items, uint32 length,
									 uint32 support, double weight);

/* Where item sets go */
typedef struct RecsysSetSink
{
	RecsysSetStream *stream;	/* or, if NULL: */
	RecsysMinedReporter report;
	void	   *arg;
} RecsysSetSink;

/* Mines all item sets; memory_limit is for the miners. */
extern void RecsysMine(RecsysPreparedBaskets *prepared, Size memory_limit, const RecsysSetSink *sink);

/* The same, but false instead of an error when there are more than limit. */
extern bool RecsysTryMine(RecsysPreparedBaskets *prepared, uint64 limit, Size memory_limit,
						  const RecsysSetSink *sink);

/*
 * The k most frequent item sets in order, however many others there are.  Not for maximal
 * ones: false for them.
 */
extern bool RecsysMineBest(RecsysPreparedBaskets *prepared, uint64 k, Size memory_limit,
						   RecsysRuleReporter report, void *arg);

#endif							/* RECSYS_BASKET_MINING_H */
