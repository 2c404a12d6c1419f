/*
 * rules.h
 *	  Association rules from frequent item sets.
 */
#ifndef RECSYS_RULES_H
#define RECSYS_RULES_H

#include "core/itemset/itemset.h"
#include "core/itemset/setstore.h"
#include "core/rules/rule_measures.h"

/* A rule, or an item set if the consequent is empty; valid during the call */
typedef struct RecsysRule
{
	const uint32 *antecedent;	/* ascending */
	const uint32 *consequent;	/* ascending */
	uint32		nantecedent;
	uint32		nconsequent;
	RecsysRuleCounts counts;
	double		adjusted_p;		/* where asked for */
	double		weight;			/* of the baskets with the whole rule */
} RecsysRule;

typedef void (*RecsysRuleReporter) (void *arg, const RecsysRule *rule);

typedef enum RecsysRuleOperator
{
	RECSYS_RULE_AT_LEAST,
	RECSYS_RULE_AT_MOST,
	RECSYS_RULE_MORE,
	RECSYS_RULE_LESS
} RecsysRuleOperator;

typedef struct RecsysRuleCondition
{
	RecsysRuleMeasure measure;
	RecsysRuleOperator operator;
	double		value;
} RecsysRuleCondition;

typedef struct RecsysRuleOptions
{
	uint64		baskets;		/* N */
	uint32		min_length;		/* items of the whole rule */
	uint32		max_length;		/* 0: no limit */
	uint32		max_consequent; /* items of the consequent */
	double		min_confidence;
	const RecsysRuleCondition *conditions;
	int			nconditions;
	const bool *required;		/* by item: the rule must have all of them; NULL for none */
	uint32		nrequired;
	const bool *consequents;	/* by item: those that may be in a consequent; NULL for all */
	bool		adjust;			/* compute adjusted p-values */
	bool		best;			/* only the k best, in order */
	uint64		k;
	RecsysRuleMeasure order_by;
	Size		memory_limit;	/* for what is kept meanwhile */
} RecsysRuleOptions;

/*
 * Reports the rules of a store that has, with every set, all of its subsets.
 * False if the memory limit does not suffice.  The p-values that are adjusted
 * are those of all rules that lengths and items admit, whatever their confidence
 * and conditions say: those depend on what is tested.
 */
extern bool RecsysGenerateRules(const RecsysSetStore *sets, const RecsysRuleOptions *options,
								RecsysRuleReporter report, void *arg);

/*
 * The k best rules of a stream.  A rule comes before another with a greater
 * order, else a smaller support, else behind it in the alphabet of its items.
 */
typedef struct RecsysBestRules RecsysBestRules;

extern RecsysBestRules *RecsysBestRulesCreate(uint64 k, Size memory_limit);

/* False if the memory limit does not suffice. */
extern bool RecsysBestRulesOffer(RecsysBestRules *best, double order, const RecsysRule *rule);

/* The last of the k best up to now; NULL as long as there are fewer. */
extern const RecsysRule *RecsysBestRulesWorst(const RecsysBestRules *best);

/* Reports the best in order. */
extern void RecsysBestRulesReport(RecsysBestRules *best, RecsysRuleReporter report, void *arg);
extern void RecsysBestRulesFree(RecsysBestRules *best);

/*
 * The k most frequent item sets in the order of best rules, reported as rules without a
 * consequent, kind ALL or CLOSED, without any_of.  Takes memory for k sets, not for those that
 * it passes over.  Never STOPPED.
 */
extern RecsysItemsetOutcome RecsysItemsetsBest(const RecsysItemsets *sets, uint64 k,
											   Size memory_limit, RecsysRuleReporter report,
											   void *arg);

#endif							/* RECSYS_RULES_H */
