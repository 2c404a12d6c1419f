/*
 * rules.c
 *	  Association rules from frequent item sets.
 *
 * Every frequent set Z gives a rule Z \ Y -> Y for each of its proper subsets Y
 * that may be a consequent (Agrawal, Srikant 1994).  The two supports that are
 * needed beside Z's own are those of subsets of Z, which are frequent and so in
 * the store.
 */
#include "core/rules/rules.h"

#include <math.h>

/* Sets between two checks for interrupts */
#define SETS_PER_CHECK 256

typedef struct Generator
{
	const RecsysSetStore *sets;
	const RecsysRuleOptions *options;
	RecsysRuleReporter report;
	void	   *arg;
	RecsysBestRules *best;
	bool		adjust;			/* needed by somebody */

	/* the p-values of all rules in order, and adjusted */
	double	   *ordered;
	double	   *adjusted;
	uint64		ntests;
	uint64		maxtests;
	bool		collecting;		/* first pass: p-values only */

	/* the set at hand, split */
	uint32	   *antecedent;
	uint32	   *consequent;
	uint32	   *choice;			/* places of the consequent's items in the set */
	uint32		room;
} Generator;

static double
measure_value(const Generator *generator, RecsysRuleMeasure measure, const RecsysRule *rule)
{
	if (measure == RECSYS_RULE_ADJUSTED_P)
		return rule->adjusted_p;
	return RecsysRuleMeasureValue(measure, &rule->counts);
}

static bool
condition_holds(const RecsysRuleCondition *condition, double value)
{
	switch (condition->operator)
	{
		case RECSYS_RULE_AT_LEAST:
			return value >= condition->value;
		case RECSYS_RULE_AT_MOST:
			return value <= condition->value;
		case RECSYS_RULE_MORE:
			return value > condition->value;
		case RECSYS_RULE_LESS:
			return value < condition->value;
	}
	return false;
}

static bool
collect_p(Generator *generator, const RecsysRule *rule)
{
	if (generator->ntests == generator->maxtests)
	{
		uint64		room = generator->maxtests * 2;

		/* sorted and adjusted ones will need as much again */
		if (sizeof(double) * 3 * room > generator->options->memory_limit)
			return false;
		generator->ordered = recsys_realloc_huge(generator->ordered, sizeof(double) * (Size) room);
		generator->maxtests = room;
	}
	generator->ordered[generator->ntests++] =
		RecsysRuleMeasureValue(RECSYS_RULE_FISHER_P, &rule->counts);
	return true;
}

static bool
consider(Generator *generator, RecsysRule *rule)
{
	const RecsysRuleOptions *options = generator->options;

	if (generator->collecting)
		return collect_p(generator, rule);
	if ((double) rule->counts.both / (double) rule->counts.antecedent < options->min_confidence)
		return true;
	if (generator->adjust)
		rule->adjusted_p = RecsysAdjusted(generator->ordered, generator->adjusted,
										  generator->ntests,
										  RecsysRuleMeasureValue(RECSYS_RULE_FISHER_P, &rule->counts));
	for (int i = 0; i < options->nconditions; i++)
		if (!condition_holds(&options->conditions[i],
							 measure_value(generator, options->conditions[i].measure, rule)))
			return true;
	if (generator->best != NULL)
	{
		double		value = measure_value(generator, options->order_by, rule);

		return RecsysBestRulesOffer(generator->best,
									RecsysRuleMeasureAscends(options->order_by) ? value : -value,
									rule);
	}
	generator->report(generator->arg, rule);
	return true;
}

static uint32
subset_support(const Generator *generator, const uint32 *items, uint32 length)
{
	const RecsysStoredSet *set = RecsysSetStoreFind(generator->sets, items, length);

	if (set == NULL)
		elog(ERROR, "a subset of a frequent item set is missing");
	return set->support;
}

/* The rule with the chosen items in the consequent */
static bool
split(Generator *generator, const RecsysStoredSet *set, uint32 nconsequent)
{
	const RecsysRuleOptions *options = generator->options;
	RecsysRule	rule;
	uint32		next = 0;

	rule.nantecedent = 0;
	rule.nconsequent = nconsequent;
	for (uint32 i = 0; i < set->length; i++)
	{
		if (next < nconsequent && generator->choice[next] == i)
		{
			if (options->consequents != NULL && !options->consequents[set->items[i]])
				return true;
			generator->consequent[next++] = set->items[i];
		}
		else
			generator->antecedent[rule.nantecedent++] = set->items[i];
	}
	rule.antecedent = generator->antecedent;
	rule.consequent = generator->consequent;
	rule.counts.both = set->support;
	rule.counts.antecedent = subset_support(generator, rule.antecedent, rule.nantecedent);
	rule.counts.consequent = subset_support(generator, rule.consequent, rule.nconsequent);
	rule.counts.baskets = options->baskets;
	rule.adjusted_p = 0;
	rule.weight = RecsysStoredWeight(generator->sets, set);
	return consider(generator, &rule);
}

/* The next choice of n places out of length, in lexicographic order; false after the last. */
static bool
next_choice(uint32 *choice, uint32 n, uint32 length)
{
	uint32		i = n;

	while (i > 0 && choice[i - 1] == length - n + i - 1)
		i--;
	if (i == 0)
		return false;
	choice[i - 1]++;
	for (; i < n; i++)
		choice[i] = choice[i - 1] + 1;
	return true;
}

static void
make_room(Generator *generator, uint32 length)
{
	if (length <= generator->room)
		return;
	if (generator->room > 0)
	{
		pfree(generator->antecedent);
		pfree(generator->consequent);
		pfree(generator->choice);
	}
	generator->room = Max(length, 64);
	generator->antecedent = palloc(sizeof(uint32) * generator->room);
	generator->consequent = palloc(sizeof(uint32) * generator->room);
	generator->choice = palloc(sizeof(uint32) * generator->room);
}

static bool
split_every_way(Generator *generator, const RecsysStoredSet *set)
{
	make_room(generator, set->length);
	for (uint32 n = 1; n <= Min(generator->options->max_consequent, set->length - 1); n++)
	{
		uint32		tried = 0;

		for (uint32 i = 0; i < n; i++)
			generator->choice[i] = i;
		do
		{
			if (!split(generator, set, n))
				return false;
			if (++tried % SETS_PER_CHECK == 0)
				CHECK_FOR_INTERRUPTS();
		}
		while (next_choice(generator->choice, n, set->length));
	}
	return true;
}

static bool
set_admitted(const RecsysRuleOptions *options, const RecsysStoredSet *set)
{
	uint32		found = 0;

	if (set->length < Max(options->min_length, 2) ||
		(options->max_length > 0 && set->length > options->max_length))
		return false;
	if (options->nrequired == 0)
		return true;
	for (uint32 i = 0; i < set->length; i++)
		found += options->required[set->items[i]];
	return found == options->nrequired;
}

/* All rules of all sets */
static bool
pass(Generator *generator)
{
	RecsysSetPlace place = {0, 0};
	const RecsysStoredSet *set;
	uint64		n = 0;

	while ((set = RecsysSetStoreNext(generator->sets, &place)) != NULL)
	{
		if (++n % SETS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (set_admitted(generator->options, set) && !split_every_way(generator, set))
			return false;
	}
	return true;
}

/* Collect and adjust the p-values. */
static bool
prepare_adjustment(Generator *generator)
{
	generator->maxtests = 1024;
	generator->ordered = recsys_alloc_huge(sizeof(double) * generator->maxtests);
	generator->collecting = true;
	if (!pass(generator))
		return false;
	generator->collecting = false;
	generator->adjusted = recsys_alloc_huge(sizeof(double) * (Size) Max(generator->ntests, 1));
	RecsysAdjustPrepare(generator->ordered, generator->adjusted, generator->ntests);
	return true;
}

static bool
needs_adjustment(const RecsysRuleOptions *options)
{
	bool		needs = options->adjust || (options->best && options->order_by == RECSYS_RULE_ADJUSTED_P);

	for (int i = 0; i < options->nconditions; i++)
		needs = needs || options->conditions[i].measure == RECSYS_RULE_ADJUSTED_P;
	return needs;
}

bool
RecsysGenerateRules(const RecsysSetStore *sets, const RecsysRuleOptions *options,
					RecsysRuleReporter report, void *arg)
{
	Generator	generator = {0};
	bool		fits = true;

	generator.sets = sets;
	generator.options = options;
	generator.report = report;
	generator.arg = arg;
	generator.adjust = needs_adjustment(options);
	if (generator.adjust)
		fits = prepare_adjustment(&generator);
	if (fits && options->best)
	{
		Size		used = generator.ntests * sizeof(double) * 2;

		generator.best = RecsysBestRulesCreate(options->k, options->memory_limit > used ?
											   options->memory_limit - used : 0);
	}
	fits = fits && pass(&generator);
	if (generator.best != NULL)
	{
		if (fits)
			RecsysBestRulesReport(generator.best, report, arg);
		RecsysBestRulesFree(generator.best);
	}
	if (generator.ordered != NULL)
		pfree(generator.ordered);
	if (generator.adjusted != NULL)
		pfree(generator.adjusted);
	if (generator.room > 0)
	{
		pfree(generator.antecedent);
		pfree(generator.consequent);
		pfree(generator.choice);
	}
	return fits;
}
