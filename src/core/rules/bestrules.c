/*
 * bestrules.c
 *	  The k best rules of a stream: a heap with the worst of them on top.
 */
#include "core/rules/rules.h"

/* Rules between two checks for interrupts while they are put in order */
#define RULES_PER_CHECK 10000

typedef struct Kept
{
	double		order;
	RecsysRule	rule;			/* whose items follow */
	uint32		items[FLEXIBLE_ARRAY_MEMBER];
} Kept;

struct RecsysBestRules
{
	uint64		k;
	Size		limit;
	Size		memory;
	uint64		count;
	uint64		room;
	Kept	  **heap;			/* every parent stands behind its children in the order */
};

static int
compare_items(const uint32 *a, uint32 na, const uint32 *b, uint32 nb)
{
	for (uint32 i = 0; i < Min(na, nb); i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return na < nb ? -1 : na > nb ? 1 : 0;
}

/* Less than zero if a comes before b */
static int
compare_rules(double a_order, const RecsysRule *a, double b_order, const RecsysRule *b)
{
	int			order;

	if (a_order != b_order)
		return a_order < b_order ? -1 : 1;
	if (a->counts.both != b->counts.both)
		return a->counts.both > b->counts.both ? -1 : 1;
	order = compare_items(a->antecedent, a->nantecedent, b->antecedent, b->nantecedent);
	if (order != 0)
		return order;
	return compare_items(a->consequent, a->nconsequent, b->consequent, b->nconsequent);
}

static int
compare_kept(const Kept *a, const Kept *b)
{
	return compare_rules(a->order, &a->rule, b->order, &b->rule);
}

RecsysBestRules *
RecsysBestRulesCreate(uint64 k, Size memory_limit)
{
	RecsysBestRules *best = palloc0(sizeof(RecsysBestRules));

	best->k = k;
	best->limit = memory_limit;
	best->room = 64;
	best->heap = palloc(sizeof(Kept *) * best->room);
	best->memory = sizeof(Kept *) * best->room;
	return best;
}

static void
sift_down(RecsysBestRules *best, uint64 place)
{
	Kept	   *kept = best->heap[place];

	for (;;)
	{
		uint64		child = 2 * place + 1;

		if (child >= best->count)
			break;
		if (child + 1 < best->count &&
			compare_kept(best->heap[child + 1], best->heap[child]) > 0)
			child++;
		if (compare_kept(kept, best->heap[child]) >= 0)
			break;
		best->heap[place] = best->heap[child];
		place = child;
	}
	best->heap[place] = kept;
}

static void
sift_up(RecsysBestRules *best, uint64 place)
{
	Kept	   *kept = best->heap[place];

	while (place > 0 && compare_kept(kept, best->heap[(place - 1) / 2]) > 0)
	{
		best->heap[place] = best->heap[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	best->heap[place] = kept;
}

static Size
kept_size(const RecsysRule *rule)
{
	return offsetof(Kept, items) + sizeof(uint32) * ((Size) rule->nantecedent + rule->nconsequent);
}

static Kept *
keep(double order, const RecsysRule *rule)
{
	Kept	   *kept = palloc(kept_size(rule));

	kept->order = order;
	kept->rule = *rule;
	memcpy(kept->items, rule->antecedent, sizeof(uint32) * rule->nantecedent);
	if (rule->nconsequent > 0)	/* an item set has none, and no pointer either */
		memcpy(kept->items + rule->nantecedent, rule->consequent, sizeof(uint32) * rule->nconsequent);
	kept->rule.antecedent = kept->items;
	kept->rule.consequent = kept->items + rule->nantecedent;
	return kept;
}

bool
RecsysBestRulesOffer(RecsysBestRules *best, double order, const RecsysRule *rule)
{
	if (best->k == 0)
		return true;
	if (best->count == best->k)
	{
		Kept	   *worst = best->heap[0];

		if (compare_rules(order, rule, worst->order, &worst->rule) >= 0)
			return true;
		best->memory -= kept_size(&worst->rule);
		pfree(worst);
		best->heap[0] = keep(order, rule);
		best->memory += kept_size(rule);
		sift_down(best, 0);
		return best->memory <= best->limit;
	}

	if (best->count == best->room)
	{
		best->memory += sizeof(Kept *) * best->room;
		if (best->memory > best->limit)
			return false;
		best->room *= 2;
		best->heap = recsys_realloc_huge(best->heap, sizeof(Kept *) * (Size) best->room);
	}
	best->heap[best->count] = keep(order, rule);
	best->memory += kept_size(rule);
	sift_up(best, best->count++);
	return best->memory <= best->limit;
}

const RecsysRule *
RecsysBestRulesWorst(const RecsysBestRules *best)
{
	return best->count > 0 && best->count == best->k ? &best->heap[0]->rule : NULL;
}

void
RecsysBestRulesReport(RecsysBestRules *best, RecsysRuleReporter report, void *arg)
{
	uint64		count = best->count;

	/* the worst of what is left goes to the end, again and again */
	while (best->count > 1)
	{
		Kept	   *worst = best->heap[0];

		best->heap[0] = best->heap[--best->count];
		sift_down(best, 0);
		best->heap[best->count] = worst;
		if (best->count % RULES_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
	}
	best->count = count;
	for (uint64 i = 0; i < count; i++)
		report(arg, &best->heap[i]->rule);
}

void
RecsysBestRulesFree(RecsysBestRules *best)
{
	for (uint64 i = 0; i < best->count; i++)
		pfree(best->heap[i]);
	pfree(best->heap);
	pfree(best);
}
