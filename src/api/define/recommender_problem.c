/*
 * recommender_problem.c
 *	  recsys.recommender_problem(): what is wrong with a definition now, for who asks.
 *
 * All of it is looked at as when it was declared, and nothing of it is run.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/guard.h"
#include "api/declare/declaredrows.h"
#include "api/declare/missing.h"
#include "api/declare/names.h"
#include "api/define/normalise.h"
#include "api/define/predictions.h"
#include "api/define/servable.h"
#include "fmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_recommender_problem);

typedef struct Look
{
	RecsysDeclaredRow row;
	const char *part;
} Look;

static void
look_again(void *arg)
{
	Look	   *look = arg;
	int			nestlevel = RecsysBeginPlainNames();

	(void) RecsysNormalise(look->row.name, look->row.definition, NULL, &look->part);
	RecsysEndPlainNames(nestlevel);
}

Datum
recsys_recommender_problem(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	RecsysRowVersion version;
	Look		look;
	char	   *problem;

	memset(&version, 0, sizeof(version));
	memset(&look, 0, sizeof(look));
	if (!RecsysFindDeclared(name, &look.row, &version))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("recommender \"%s\" does not exist", name)));
	problem = RecsysSignalsProblem(look.row.name, look.row.definition);
	if (problem == NULL)
	{
		problem = RecsysGuard(look_again, &look);
		if (problem != NULL && look.part != NULL)
			problem = psprintf("%s: %s", look.part, problem);
	}
	if (problem == NULL)
		problem = RecsysServableProblem(&look.row);
	if (problem == NULL && !OidIsValid(get_role_oid(look.row.owner, true)))
		problem = psprintf("owner: role \"%s\" does not exist", look.row.owner);
	if (problem == NULL)
		problem = RecsysPredictionsProblem(&look.row);
	if (problem == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem));
}
