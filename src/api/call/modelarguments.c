/*
 * modelarguments.c
 *	  The options of a model as arguments of functions that train one from a query.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/modelarguments.h"
#include "api/call/suggestion.h"
#include "source/train/optiontext.h"

#define MAX_NEIGHBORS 1000000

void
RecsysArgModelOptions(FunctionCallInfo fcinfo, int first, RecsysModelOptions *options)
{
	char	   *similarity = RecsysArgText(fcinfo, first);
	char	   *others = RecsysArgText(fcinfo, first + 6);

	/* a typed NULL of type text, meant for item_type, arrives here */
	if (similarity == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("similarity must not be NULL"),
				 errhint("To tell that item keys are text, name the argument: %s.",
						 RecsysSuggestCall(fcinfo, RECSYS_KEY_TEXT, NULL))));
	RecsysModelOptionsInit(options);
	RecsysSetOption(options, "similarity", similarity);
	if (!PG_ARGISNULL(first + 1))
		options->neighbors = RecsysArgInteger(fcinfo, first + 1, "neighbors", 1, MAX_NEIGHBORS);
	if (!PG_ARGISNULL(first + 2))
		options->min_support = RecsysArgInteger(fcinfo, first + 2, "min_support", 1, PG_INT32_MAX);
	if (!PG_ARGISNULL(first + 3))
		options->shrinkage = RecsysArgDouble(fcinfo, first + 3, "shrinkage", 0, 1e9);
	if (!PG_ARGISNULL(first + 4))
		options->alpha = RecsysArgDouble(fcinfo, first + 4, "alpha", 0, 2);
	options->max_history = RecsysArgInteger(fcinfo, first + 5, "max_history", 1, 100000);
	if (others != NULL)
		RecsysParseOptionText(options, others);
}
