/*
 * contentsource.c
 *	  What a function that compares items is given.
 */
#include "postgres.h"

#include "api/declare/servedname.h"
#include "api/serve/contentsource.h"
#include "utils/builtins.h"

void
RecsysFindContentSource(const char *name, const char *events, RecsysContentSource *source)
{
	const RecsysDefinition *definition;

	source->index = name;
	source->events = events;
	source->shop = name != NULL ? RecsysServedShop(name) : NULL;
	if (source->shop == NULL)
		return;
	definition = source->shop->definition;
	source->index = definition->content;
	if (source->index == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" declares no content", definition->name),
				 errhint("Declare an items index, as in SELECT recsys.alter_recommender(%s, content => 'products_recsys');",
						 quote_literal_cstr(definition->name))));
	if (events == NULL)
		source->events = definition->signals[0].events;
}
