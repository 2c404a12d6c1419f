/*
 * shop.h
 *	  A declared recommender as a session has it: its definition, and what the stages of the
 *	  funnel keep from call to call.
 *
 * It is read again when its row has changed, which each call looks at with its snapshot: a
 * change is seen when it is committed, and by who makes it at once.  A shop that is in use by
 * a call stays as it is, even if a filter function replaces the definition meanwhile.
 */
#ifndef RECSYS_SHOP_H
#define RECSYS_SHOP_H

#include "postgres.h"

#include "api/declare/definition.h"
#include "core/rows/key.h"
#include "nodes/pg_list.h"

struct RecsysCatalogue;
struct RecsysItemPlans;
struct RecsysProfilePlans;
struct RecsysGraphPlans;
struct RecsysFallbackPlans;
struct RecsysSellerMean;
struct RecsysUsualPrices;
struct RecsysTrendPlans;

typedef struct RecsysShop
{
	RecsysDefinition *definition;
	Jsonb	   *declared;		/* the same as it is kept; NULL for an index, see indexshop.h */
	MemoryContext context;		/* of the definition and of what is kept beside it */

	/* made by the stage that needs it when it is first needed, in context; NULL before */
	struct RecsysCatalogue *catalogue;	/* api/profile/catalogue.h */
	struct RecsysCatalogue *others[RECSYS_KEY_UUID + 1];	/* of other items, by kinds of keys */
	struct RecsysItemPlans *item_plans; /* api/eligible */
	struct RecsysProfilePlans *profile_plans;	/* api/profile */
	struct RecsysGraphPlans *graph_plans;	/* api/candidates/tablegraph */
	struct RecsysFallbackPlans *fallback_plans; /* api/candidates/fallback */
	struct RecsysSellerMean *seller_mean;	/* api/order/rowfactors */
	struct RecsysUsualPrices *usual_prices; /* api/ready/usualprices */
	struct RecsysTrendPlans *trend_plans;	/* api/ready/countedusers */
	List	   *unit_queries;	/* api/route/unitrow */
	List	   *bandit_plans;	/* api/route/banditfeatures */
	uint64		calls;			/* how often it has been used, this time included */
	List	   *plans;			/* of RecsysPlan, to be freed with it: see plan.h */
} RecsysShop;

/*
 * The declared recommender of that name, or NULL if there is none; no index is looked for.
 * name NULL: the only one that the caller may use without naming it; an error if there are several.
 *
 * A superuser has to name what others than superusers have declared: its expressions run
 * with the rights of the caller, as those of a view's functions do.
 */
extern RecsysShop *RecsysFindShop(const char *name);

/* Its owner; errors out unless the caller may act as that one. */
extern Oid	RecsysNeedShopOwner(const RecsysDefinition *definition);

/* Errors out, with what to do, if the index or the graph of a signal is gone. */
extern void RecsysCheckSignals(RecsysShop *shop);

/*
 * In use from one to the other; an error in between ends it, too.  Meanwhile names mean what
 * they mean for everyone, see RecsysBeginPlainNames: what is in other schemas than pg_catalog
 * needs its schema.  Looks at the signals, too.
 */
extern void RecsysUseShop(RecsysShop *shop);
extern void RecsysReleaseShop(RecsysShop *shop);

/*
 * An index as a recommender of which nothing but this signal is declared, for what only a
 * declared one does.  It is in use already, and gone when it is released.
 */
extern RecsysShop *RecsysMakeShop(const char *events, const char *label);

#endif							/* RECSYS_SHOP_H */
