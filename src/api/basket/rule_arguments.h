/*
 * rule_arguments.h
 *	  Reading and checking the arguments of the functions that mine baskets.
 */
#ifndef RECSYS_RULE_ARGUMENTS_H
#define RECSYS_RULE_ARGUMENTS_H

#include "postgres.h"

#include "core/itemset/itemset.h"
#include "core/rows/key.h"
#include "core/rules/rules.h"
#include "fmgr.h"

/* The most that max_basket can be, as that of max_history */
#define RECSYS_MAX_BASKET 100000

/* A list of item keys; present tells NULL from an empty one */
typedef struct RecsysKeyList
{
	bool		present;
	RecsysKeyKind kind;			/* of the keys */
	int			count;
	RecsysKey  *keys;
} RecsysKeyList;

/* Name of a measure, or an error that lists them; argument is for the message. */
extern RecsysRuleMeasure RecsysArgMeasure(const char *name, const char *argument);

/* Conditions on measures, as in 'lift >= 2 and fisher_p < 0.01'; palloc'd, *count gets how many. */
extern RecsysRuleCondition *RecsysArgConditions(const char *text, int *count);

/* One condition more, in an array that is palloc'd or NULL. */
extern RecsysRuleCondition *RecsysAddCondition(RecsysRuleCondition *conditions, int *count,
											   RecsysRuleMeasure measure,
											   RecsysRuleOperator operator, double value);

/* "all", "closed" or "maximal" */
extern RecsysItemsetKind RecsysArgItemsetKind(FunctionCallInfo fcinfo, int argument);

/* The first argument: a query, which must be there, or the name of a recommender. */
extern const char *RecsysArgSource(FunctionCallInfo fcinfo, bool is_query);

/* More than zero and finite. */
extern double RecsysArgMinSupport(FunctionCallInfo fcinfo, int argument);

/* Baskets that the argument asks for, out of so many; at least 1. */
extern uint64 RecsysSupportCount(double min_support, uint64 baskets);

/*
 * Item keys from an array of bigint, or of text in which each is written as a
 * value of the item type.  NULL elements are an error.
 */
extern void RecsysArgKeys(FunctionCallInfo fcinfo, int argument, const char *name,
						  Oid item_type, RecsysKeyList *list);

/*
 * Turns the list into keys of another type.  If the answer is text, the list is read as
 * text first, before it is known what the recommender's keys are.
 */
extern void RecsysKeyListAs(RecsysKeyList *list, Oid type);

#endif							/* RECSYS_RULE_ARGUMENTS_H */
