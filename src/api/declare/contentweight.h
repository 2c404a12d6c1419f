/*
 * contentweight.h
 *	  How a declared recommender weighs content and interactions: the row of recsys.content_weight.
 *
 * Rows are read by their key under the active snapshot, whoever calls: they tell nothing of
 * single users or items.
 */
#ifndef RECSYS_CONTENTWEIGHT_H
#define RECSYS_CONTENTWEIGHT_H

#include "postgres.h"

#include "api/content/blendfigures.h"
#include "api/declare/definition.h"

/* The index whose graph the first signal's scores come from; NULL: they come from a relation. */
extern const char *RecsysContentEvents(const RecsysDefinition *definition);

/* False if there is none that was learned for what is declared now. */
extern bool RecsysReadContentWeight(const RecsysDefinition *definition, RecsysContentWeight *weight);

/*
 * Learns one from about so many users, with the rights of the current user, and puts it in the place
 * of the one that is there.  Leaves none if nothing can be learned.
 */
extern void RecsysRenewContentWeight(const RecsysDefinition *definition, int users);

extern void RecsysForgetContentWeight(const RecsysDefinition *definition);

/* The same unless there is one that was learned for what is declared now. */
extern void RecsysNeedContentWeight(const RecsysDefinition *definition);

#endif							/* RECSYS_CONTENTWEIGHT_H */
