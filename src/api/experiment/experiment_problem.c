/*
 * experiment_problem.c
 *	  recsys.experiment_problem(): what is wrong with an experiment now, for who asks.
 *
 * All of it is looked at as when it was declared, and nothing of it is run.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/guard.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/define/expression.h"
#include "api/experiment/variantlist.h"
#include "api/keep/experimentrow.h"
#include "api/log/purchases.h"
#include "fmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_experiment_problem);

typedef struct Look
{
	const RecsysExperiment *experiment;
	const char *part;
} Look;

/* It stays what it is by its names, whatever the caller's search path. */
static void
look_at_expressions(void *arg)
{
	Look	   *look = arg;
	const RecsysExperiment *experiment = look->experiment;
	int			nestlevel = RecsysBeginPlainNames();
	RecsysShop *shop = RecsysServedShop(experiment->variants[0].recommender);
	Oid			relation;
	Oid			type;

	look->part = experiment->eligible != NULL ? "eligible" : "segment";
	if (shop == NULL || shop->definition->profiles == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the first variant's recommender has no profiles")));
	relation = RecsysFindRelation(shop->definition->profiles);
	if (experiment->eligible != NULL)
		(void) RecsysKeptExpression(experiment->eligible, relation, RECSYS_PROFILES,
									RECSYS_BOOLEAN_RESULT, &type);
	look->part = "segment";
	if (experiment->segment != NULL)
		(void) RecsysKeptExpression(experiment->segment, relation, RECSYS_PROFILES,
									RECSYS_ANY_RESULT, &type);
	RecsysEndPlainNames(nestlevel);
}

static void
look_at_purchases(void *arg)
{
	const RecsysExperiment *experiment = ((Look *) arg)->experiment;
	int			nestlevel = RecsysBeginPlainNames();

	(void) RecsysNormalPurchases(JsonbToCString(NULL, &experiment->purchases->root,
												VARSIZE(experiment->purchases)), false);
	RecsysEndPlainNames(nestlevel);
}

static char *
problem_of(const RecsysExperiment *experiment)
{
	Look		look = {.experiment = experiment};
	char	   *problem;

	for (int i = 0; i < experiment->nvariants; i++)
	{
		problem = RecsysVariantProblem(experiment->variants[i].recommender);
		if (problem != NULL)
			return psprintf("variant %s: %s", experiment->variants[i].name, problem);
	}
	if (experiment->eligible != NULL || experiment->segment != NULL)
	{
		problem = RecsysGuard(look_at_expressions, &look);
		if (problem != NULL)
			return psprintf("%s: %s", look.part, problem);
	}
	if (experiment->purchases != NULL)
	{
		problem = RecsysGuard(look_at_purchases, &look);
		if (problem != NULL)
			return psprintf("purchases: %s", problem);
	}
	if (!OidIsValid(get_role_oid(experiment->owner, true)))
		return psprintf("owner: role \"%s\" does not exist", experiment->owner);
	return NULL;
}

Datum
recsys_experiment_problem(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	RecsysExperiment *experiment = RecsysFindExperiment(name);
	char	   *problem;

	if (experiment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("experiment \"%s\" does not exist", name)));
	problem = problem_of(experiment);
	if (problem == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem));
}
