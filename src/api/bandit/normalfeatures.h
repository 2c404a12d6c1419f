/*
 * normalfeatures.h
 *	  What a policy is to look at, as it is declared and as it is kept.
 */
#ifndef RECSYS_NORMALFEATURES_H
#define RECSYS_NORMALFEATURES_H

#include "postgres.h"

#include "api/declare/shop.h"
#include "utils/jsonb.h"

/*
 * The field "features" from an object of names and what they are, or an array of columns.  Expressions
 * are over the profiles of a shop, of that name; it is NULL if that is an index.
 */
extern void RecsysPutBanditFeatures(JsonbParseState **state, JsonbValue *value, RecsysShop *shop,
									const char *of);

#endif							/* RECSYS_NORMALFEATURES_H */
