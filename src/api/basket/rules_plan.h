/*
 * rules_plan.h
 *	  Plans that read the rules of a relation, kept from call to call.
 */
#ifndef RECSYS_RULES_PLAN_H
#define RECSYS_RULES_PLAN_H

#include "postgres.h"

#include "api/call/answer.h"
#include "core/rows/key.h"
#include "executor/spi.h"

#define RECSYS_RULES_HINT \
	"Create it as in CREATE MATERIALIZED VIEW product_rules AS SELECT * FROM association_rules('order_items_recsys')."

/* What a plan returns, in this order */
enum
{
	RECSYS_RULES_CONSEQUENT, RECSYS_RULES_CONFIDENCE, RECSYS_RULES_LIFT, RECSYS_RULES_SUPPORT,
	RECSYS_RULES_ANTECEDENT, RECSYS_RULES_COLUMNS
};

typedef struct RecsysRulesKey
{
	Oid			relation;
	Oid			item_type;		/* of the answer */
} RecsysRulesKey;

typedef struct RecsysRulesPlan
{
	RecsysRulesKey key;
	bool		valid;
	int			uses;			/* by calls that have not returned */
	RecsysKeyKind kind;			/* of the item keys */
	SPIPlanPtr	plan;
} RecsysRulesPlan;

/*
 * Locks the relation as a query would, and for longer: names and columns that are
 * looked up from here on are those of the query.  Whoever may not read any of it does
 * not wait for the lock.
 */
extern void RecsysLockRules(Oid relation);

/*
 * The plan for a relation that is locked, whose parameter is a basket: an array of the kind's
 * type.  Errors out unless the relation looks like rules with item keys that the answer can
 * hold.  Within SPI.  Count your use of it, so that it is not dropped meanwhile.
 */
extern RecsysRulesPlan *RecsysGetRulesPlan(Oid relation, const RecsysAnswer *answer);

#endif							/* RECSYS_RULES_PLAN_H */
