/*
 * itemset_best.c
 *	  The k most frequent item sets, however many there are.
 *
 * One miner does all tasks, and the threshold rises: once k sets have been found, none
 * matters that is less frequent than the worst of them.  Those that are just as frequent
 * matter for the order alone.  With kind CLOSED they are gone through; with kind ALL there
 * may be too many for that, so they are passed over, and itemset_first.c finds those of them
 * that come first.  What is maximal depends on the threshold, which so cannot rise.
 */
#include "core/itemset/itemset_first.h"
#include "core/itemset/itemset_miner.h"
#include "core/rules/rules.h"

typedef struct Best
{
	RecsysItemsetMiner *miner;
	RecsysBestRules *rules;
	RecsysItemsetKind kind;
	uint64		nbaskets;
	uint32		threshold;		/* less than this is not looked at */
	uint32	   *sorted;
	uint32		room;

	/* reporting */
	uint32		worst;			/* support; 0: all that have been kept are reported */
	uint64		missing;		/* sets with that support */
	RecsysRuleReporter report;
	void	   *arg;
} Best;

static int
compare_numbers(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return left < right ? -1 : left > right ? 1 : 0;
}

static void
form_rule(const Best *best, const RecsysItemset *set, RecsysRule *rule)
{
	memset(rule, 0, sizeof(*rule));
	rule->antecedent = set->items;
	rule->nantecedent = set->length;
	rule->counts.both = set->support;
	rule->counts.baskets = best->nbaskets;
	rule->weight = set->weight;
}

static bool
offer_set(void *arg, const RecsysItemset *set)
{
	Best	   *best = arg;
	const RecsysRule *worst;
	RecsysRule	rule;

	if (set->support < best->threshold)
		return true;
	form_rule(best, set, &rule);
	if (set->length > best->room)
	{
		best->room = set->length * 2;
		best->sorted = recsys_realloc_huge(best->sorted, sizeof(uint32) * (Size) best->room);
	}
	memcpy(best->sorted, set->items, sizeof(uint32) * (Size) set->length);
	qsort(best->sorted, set->length, sizeof(uint32), compare_numbers);
	rule.antecedent = best->sorted;
	if (!RecsysBestRulesOffer(best->rules, -(double) set->support, &rule))
		return false;
	worst = RecsysBestRulesWorst(best->rules);
	if (worst == NULL)
		return true;
	best->threshold = (uint32) worst->counts.both + (best->kind == RECSYS_ITEMSETS_ALL);
	RecsysItemsetMinerChange(best->miner, best->kind, best->threshold);
	return true;
}

static void
put_kept(void *arg, const RecsysRule *rule)
{
	Best	   *best = arg;

	if (rule->counts.both == best->worst)
		best->missing++;
	else
		best->report(best->arg, rule);
}

static bool
put_first(void *arg, const RecsysItemset *set)
{
	Best	   *best = arg;
	RecsysRule	rule;

	form_rule(best, set, &rule);
	best->report(best->arg, &rule);
	return true;
}

RecsysItemsetOutcome
RecsysItemsetsBest(const RecsysItemsets *sets, uint64 k, Size memory_limit,
				   RecsysRuleReporter report, void *arg)
{
	Best		best = {0};
	RecsysItemsetOutcome outcome = RECSYS_ITEMSETS_DONE;

	if (k == 0)
		return RECSYS_ITEMSETS_DONE;
	best.kind = sets->kind;
	best.nbaskets = sets->nbaskets;
	best.report = report;
	best.arg = arg;
	best.room = 64;
	best.sorted = recsys_alloc_huge(sizeof(uint32) * (Size) best.room);
	best.rules = RecsysBestRulesCreate(k, memory_limit / 2);
	best.miner = RecsysItemsetMinerCreate(sets, memory_limit / 2, offer_set, &best);
	for (uint32 task = 0; task < sets->ntasks && outcome == RECSYS_ITEMSETS_DONE; task++)
	{
		outcome = RecsysItemsetMine(best.miner, task);
		CHECK_FOR_INTERRUPTS();
	}
	RecsysItemsetMinerFree(best.miner);
	if (outcome == RECSYS_ITEMSETS_DONE)
	{
		const RecsysRule *worst = RecsysBestRulesWorst(best.rules);

		if (worst != NULL && best.kind == RECSYS_ITEMSETS_ALL)
			best.worst = (uint32) worst->counts.both;
		RecsysBestRulesReport(best.rules, put_kept, &best);
		if (best.worst > 0)
			outcome = RecsysItemsetsFirst(sets, best.worst, best.missing, memory_limit / 2,
										  put_first, &best);
	}
	RecsysBestRulesFree(best.rules);
	pfree(best.sorted);
	return outcome == RECSYS_ITEMSETS_STOPPED ? RECSYS_ITEMSETS_NO_MEMORY : outcome;
}
