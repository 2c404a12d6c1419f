/*
 * mininglimits.h
 *	  What is said when mining meets a limit: too many item sets, too little memory.
 */
#ifndef RECSYS_MININGLIMITS_H
#define RECSYS_MININGLIMITS_H

#include "api/basket/prepared_baskets.h"

/* There are more than recsys.max_itemsets: an error that tells what helps. */
extern void RecsysTooManyItemsets(const RecsysPreparedBaskets *prepared, Size memory_limit);

/* What memory may not suffice for */
typedef enum RecsysMiningStep
{
	RECSYS_MINING_BASKETS, RECSYS_MINING_ITEMSETS, RECSYS_MINING_RULES
} RecsysMiningStep;

/* It does not: an error. */
extern void RecsysMiningOutOfMemory(const RecsysPreparedBaskets *prepared, RecsysMiningStep step);

#endif							/* RECSYS_MININGLIMITS_H */
