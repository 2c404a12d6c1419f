/*
 * route.c
 *	  From a name that functions are called with to the recommender that answers.
 */
#include "postgres.h"

#include "api/route/banditchoice.h"
#include "api/route/route.h"
#include "api/route/variantchoice.h"

bool
RecsysRouteRequest(const char *name, const char *user, const char *session, Jsonb *context,
				   RecsysRoute *route)
{
	bool		is_experiment;

	memset(route, 0, sizeof(RecsysRoute));
	route->propensity = 1.0;
	if (name == NULL)
		return false;
	route->recommender = name;
	is_experiment = RecsysChooseVariant(name, user, session, context, route);
	return RecsysChooseArm(route->recommender, user, session, context, route) || is_experiment;
}
