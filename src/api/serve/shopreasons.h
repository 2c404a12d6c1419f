/*
 * shopreasons.h
 *	  Why a declared recommender lists an item: rows, a text and JSON.
 */
#ifndef RECSYS_SHOPREASONS_H
#define RECSYS_SHOPREASONS_H

#include "postgres.h"

#include "api/call/answer.h"
#include "api/serve/funnel.h"

/* A value of the answer's item type as text */
extern char *RecsysItemAsText(const RecsysAnswer *answer, Datum item);

/* The columns reason and details of a row of the list */
extern void RecsysShopReason(RecsysFunnel *funnel, const RecsysListed *row, RecsysAnswer *answer,
							 Datum *values, bool *isnull);

/* explain_recommendation: user, item, recommender, half_life. */
extern void RecsysShopExplain(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysShop *shop);

#endif							/* RECSYS_SHOPREASONS_H */
