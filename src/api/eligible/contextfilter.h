/*
 * contextfilter.h
 *	  What the context of a call asks of items, as conditions of a query.
 */
#ifndef RECSYS_CONTEXTFILTER_H
#define RECSYS_CONTEXTFILTER_H

#include "postgres.h"

#include "api/declare/definition.h"
#include "api/profile/requestcontext.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"

typedef struct RecsysContextConditions
{
	char	   *shape;			/* tells apart sets of conditions other than by their values */
	int			count;
	struct RecsysContextCondition *conditions;
	int			nvalues;		/* parameters */
	Oid		   *types;
	Datum	   *values;
} RecsysContextConditions;

/*
 * Finds the columns and reads the values as they have them.  A name that is no column may be
 * "price", "category" or "seller", which stand for what is declared; types of the latter two are
 * given.  Errors out on other names.  In the current memory context.
 */
extern RecsysContextConditions *RecsysContextConditionsOf(const RecsysDefinition *definition,
														  Relation items, Oid category_type,
														  Oid seller_type,
														  const RecsysContext *context);

/* " AND … AND …", with parameters from the given number on; conditions may be NULL. */
extern void RecsysAppendContextConditions(StringInfo text,
										  const RecsysContextConditions *conditions, int parameter);

#endif							/* RECSYS_CONTEXTFILTER_H */
