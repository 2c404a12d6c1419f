/*
 * rule_conflicts.h
 *	  Arguments of the functions that mine baskets which rule each other out.
 */
#ifndef RECSYS_RULE_CONFLICTS_H
#define RECSYS_RULE_CONFLICTS_H

#include "api/basket/mining_request.h"

/* Lengths of item sets; of rules min_length is not the request's. */
extern void RecsysCheckLengths(const RecsysMiningRequest *request, uint32 min_length);

/* Lists of items, once it is known what kind of keys the source has. */
extern void RecsysCheckItemLists(const RecsysMiningRequest *request, RecsysKeyKind kind);

/* Conditions on measures, and min_confidence. */
extern void RecsysCheckConditions(const RecsysRuleOptions *options);

#endif							/* RECSYS_RULE_CONFLICTS_H */
