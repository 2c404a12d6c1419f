/*
 * rule_conflicts.c
 *	  Arguments of the functions that mine baskets which rule each other out.
 *
 * If no baskets at all could give a row, the caller has made a mistake.  The error says
 * which.
 */
#include "postgres.h"

#include <math.h>

#include "api/basket/rule_conflicts.h"

static int
compare_keys(const void *a, const void *b, void *kind)
{
	return RecsysKeyCompare(*(RecsysKeyKind *) kind, a, b);
}

/* The list's keys in order, each once */
static RecsysKey *
distinct_keys(const RecsysKeyList *list, RecsysKeyKind kind, int *count)
{
	RecsysKey  *keys = palloc(sizeof(RecsysKey) * Max(list->count, 1));

	*count = 0;
	if (list->count > 0)
		memcpy(keys, list->keys, sizeof(RecsysKey) * list->count);
	qsort_arg(keys, list->count, sizeof(RecsysKey), compare_keys, &kind);
	for (int x = 0; x < list->count; x++)
		if (*count == 0 || RecsysKeyCompare(kind, &keys[*count - 1], &keys[x]) != 0)
			keys[(*count)++] = keys[x];
	return keys;
}

/* So many keys that both lists have; *first gets how many the first one has. */
static int
common_keys(const RecsysKeyList *a, const RecsysKeyList *b, RecsysKeyKind kind, int *first)
{
	int			na;
	int			nb;
	RecsysKey  *left = distinct_keys(a, kind, &na);
	RecsysKey  *right = distinct_keys(b, kind, &nb);
	int			common = 0;

	for (int x = 0, y = 0; x < na && y < nb;)
	{
		int			order = RecsysKeyCompare(kind, &left[x], &right[y]);

		common += order == 0;
		x += order <= 0;
		y += order >= 0;
	}
	pfree(left);
	pfree(right);
	*first = na;
	return common;
}

static void
check_length(uint32 min_length, uint32 most, const char *argument, bool for_rules, const char *hint)
{
	if (most == 0)
		return;
	if (for_rules && most < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a rule has two items or more, but %s is %u", argument, most),
				 errhint("%s", hint)));
	if (min_length > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_length %u is greater than %s %u", min_length, argument, most),
				 errhint("%s", hint)));
}

static void
check_required(int nrequired, uint32 most, const char *argument, const char *hint)
{
	if (most > 0 && (uint32) nrequired > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("must_contain has %d items, but %s is %u", nrequired, argument, most),
				 errhint("%s", hint)));
}

/* The hints depend on whether sets or rules are asked for. */
static const char *
more_length(bool for_rules)
{
	return for_rules ?
		"Pass a greater max_length, or max_length => NULL for no limit; single items are what frequent_itemsets gives." :
		"Pass a greater max_length, or max_length => NULL for no limit.";
}

static const char more_basket[] =
"So many items of a basket count. Pass a greater max_basket, or max_basket => NULL for what the source has.";

void
RecsysCheckLengths(const RecsysMiningRequest *request, uint32 min_length)
{
	bool		for_rules = request->subsets;

	check_length(min_length, request->max_length, "max_length", for_rules, more_length(for_rules));
	check_length(min_length, (uint32) request->max_basket, "max_basket", for_rules, more_basket);
}

void
RecsysCheckItemLists(const RecsysMiningRequest *request, RecsysKeyKind kind)
{
	const RecsysKeyList *consequents = &request->consequents;
	int			nrequired;
	int			nconsequents;
	int			common;

	if (common_keys(&request->must_contain, &request->must_not_contain, kind, &nrequired) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("must_contain and must_not_contain have an item in common"),
				 errhint("Take it out of one of them.")));
	check_required(nrequired, request->max_length, "max_length", more_length(request->subsets));
	check_required(nrequired, (uint32) request->max_basket, "max_basket", more_basket);

	common = common_keys(consequents, &request->must_not_contain, kind, &nconsequents);
	if (nconsequents > 0 && common == nconsequents)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("all items of consequents are in must_not_contain"),
				 errhint("Take one of them out of must_not_contain, or add an item to consequents.")));
}

/* What a measure can be; strict: but not that itself */
typedef struct Range
{
	double		low;
	double		high;
	bool		low_strict;
	bool		high_strict;
} Range;

static Range
range_of(RecsysRuleMeasure measure)
{
	switch (measure)
	{
		case RECSYS_RULE_SUPPORT:
			return (Range) {1, INFINITY, false, false};
		case RECSYS_RULE_LIFT:
		case RECSYS_RULE_CONVICTION:
			return (Range) {0, INFINITY, true, false};
		case RECSYS_RULE_CHI_SQUARE:
			return (Range) {0, INFINITY, false, false};
		case RECSYS_RULE_LEVERAGE:
			return (Range) {-0.25, 0.25, false, false};
		case RECSYS_RULE_SUPPORT_SHARE:
		case RECSYS_RULE_CONFIDENCE:
		case RECSYS_RULE_JACCARD:
		case RECSYS_RULE_COSINE:
		case RECSYS_RULE_KULCZYNSKI:
			return (Range) {0, 1, true, false};
		case RECSYS_RULE_IMBALANCE_RATIO:
		case RECSYS_RULE_CHI_SQUARE_P:
		case RECSYS_RULE_FISHER_P:
		case RECSYS_RULE_ADJUSTED_P:
			break;
	}
	return (Range) {0, 1, false, false};
}

static void
narrow(Range *range, RecsysRuleOperator operator, double value)
{
	bool		strict = operator == RECSYS_RULE_MORE || operator == RECSYS_RULE_LESS;

	if (operator == RECSYS_RULE_AT_LEAST || operator == RECSYS_RULE_MORE)
	{
		if (value > range->low || (value == range->low && strict))
		{
			range->low = value;
			range->low_strict = strict;
		}
	}
	else if (value < range->high || (value == range->high && strict))
	{
		range->high = value;
		range->high_strict = strict;
	}
}

void
RecsysCheckConditions(const RecsysRuleOptions *options)
{
	for (int measure = 0; measure < RECSYS_RULE_MEASURES; measure++)
	{
		Range		range = range_of((RecsysRuleMeasure) measure);

		if (measure == RECSYS_RULE_CONFIDENCE)
			narrow(&range, RECSYS_RULE_AT_LEAST, options->min_confidence);
		for (int x = 0; x < options->nconditions; x++)
			if ((int) options->conditions[x].measure == measure)
				narrow(&range, options->conditions[x].operator, options->conditions[x].value);
		if (range.low < range.high ||
			(range.low == range.high && !range.low_strict && !range.high_strict))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no value of %s fulfills all conditions",
						RecsysRuleMeasureName((RecsysRuleMeasure) measure)),
				 errdetail("It would have to lie between %g and %g.", range.low, range.high),
				 errhint("The conditions are those of filter, min_confidence and min_lift, and what the measure can be.")));
	}
}
