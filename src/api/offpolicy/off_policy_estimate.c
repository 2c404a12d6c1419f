/*
 * off_policy_estimate.c
 *	  recsys.off_policy_estimate(): what a policy is worth, from the rows of any query.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/offpolicy/policyanswer.h"
#include "api/offpolicy/policyquery.h"
#include "compat.h"
#include "funcapi.h"

PG_FUNCTION_INFO_V1(recsys_off_policy_estimate);

/*
 * Arguments: query, estimators, confidence, resamples, seed, clip, interval_method, by_position,
 * per_request, min_effective
 */
Datum
recsys_off_policy_estimate(PG_FUNCTION_ARGS)
{
	static const RecsysPolicyArguments arguments = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	char	   *query = RecsysArgQuery(fcinfo, 0, "query");
	RecsysPolicyAsk ask;

	RecsysArgPolicyAsk(fcinfo, &arguments, &ask);
	InitMaterializedSRF(fcinfo, 0);
	RecsysPutPolicyValues(fcinfo, RecsysReadPolicyQuery(query), &ask, NULL, NULL);
	return (Datum) 0;
}
