/*
 * rule_conflicts.h
 *	  Arguments of the functions that mine baskets which rule each other out.
 */
#ifndef RECSYS_RULE_CONFLICTS_H
#define RECSYS_RULE_CONFLICTS_H

#include "api/mining.h"

/* Lengths and item lists of item sets, of which rules (for_rules) have at least two items. */
extern void RecsysCheckSetArguments(const RecsysMiningRequest *request, RecsysKeyKind kind,
									uint32 min_length, bool for_rules);

/* The items that consequents may have; it may be absent. */
extern void RecsysCheckConsequents(const RecsysMiningRequest *request, RecsysKeyKind kind,
								   const RecsysKeyList *consequents);

/* Conditions on measures, and min_confidence. */
extern void RecsysCheckConditions(const RecsysRuleOptions *options);

#endif							/* RECSYS_RULE_CONFLICTS_H */
