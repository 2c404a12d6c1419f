/*
 * mininglimits.c
 *	  What is said when mining meets a limit: too many item sets, too little memory.
 */
#include "postgres.h"

#include "api/basket/basket_mining.h"
#include "api/basket/mininglimits.h"
#include "miscadmin.h"

void
RecsysMiningOutOfMemory(const RecsysPreparedBaskets *prepared, RecsysMiningStep step)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 step == RECSYS_MINING_BASKETS ? errmsg("the baskets do not fit in memory") :
			 step == RECSYS_MINING_ITEMSETS ? errmsg("the item sets do not fit in memory") :
			 errmsg("the rules do not fit in memory"),
			 errdetail("With min_support at " UINT64_FORMAT " of " UINT64_FORMAT " baskets they take more than maintenance_work_mem, now %d kB.",
					   prepared->min_support, prepared->baskets, maintenance_work_mem),
			 errhint("Increase maintenance_work_mem, or mine with a higher min_support or a smaller max_length.")));
}

/* What to do against too many; better is a higher support that leaves some, or 0. */
static int
hint_too_many(const RecsysPreparedBaskets *prepared, uint32 better)
{
	if (!prepared->for_rules && prepared->sets->kind == RECSYS_ITEMSETS_ALL)
		return better > 0 ?
			errhint("Use min_support => %u or more, kind => 'closed', a smaller max_length, or k => 100 for the most frequent ones, or raise recsys.max_itemsets.", better) :
			errhint("Use kind => 'closed', a smaller max_length, or k => 100 for the most frequent ones, or raise recsys.max_itemsets.");
	if (!prepared->for_rules && prepared->sets->kind == RECSYS_ITEMSETS_CLOSED)
		return better > 0 ?
			errhint("Use min_support => %u or more, a smaller max_length, or k => 100 for the most frequent ones, or raise recsys.max_itemsets.", better) :
			errhint("Use a smaller max_length, or k => 100 for the most frequent ones, or raise recsys.max_itemsets.");
	return better > 0 ?
		errhint("Use min_support => %u or more, a smaller max_length, or raise recsys.max_itemsets.", better) :
		errhint("Use a smaller max_length, or raise recsys.max_itemsets.");
}

void
RecsysTooManyItemsets(const RecsysPreparedBaskets *prepared, Size memory_limit)
{
	uint64		remaining = 0;
	uint32		better = RecsysItemsetsSuggest(prepared->sets, RecsysMaxItemsets, memory_limit, &remaining);

	/* all sets of one large basket have the same support: a higher one leaves none */
	if (better <= prepared->min_support || remaining == 0)
		better = 0;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg_plural("more than %d item sets have a support of " UINT64_FORMAT " basket or more",
						   "more than %d item sets have a support of " UINT64_FORMAT " baskets or more",
						   prepared->min_support, RecsysMaxItemsets, prepared->min_support),
			 errdetail_plural("The limit is the setting recsys.max_itemsets; there is " UINT64_FORMAT " basket.",
							  "The limit is the setting recsys.max_itemsets; there are " UINT64_FORMAT " baskets.",
							  prepared->baskets, prepared->baskets),
			 hint_too_many(prepared, better)));
}
