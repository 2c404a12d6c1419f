/*
 * assignment.c
 *	  recsys.assignment(): which variant a user or a session gets, and why.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/call/arguments.h"
#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/declare/takennames.h"
#include "api/route/variantchoice.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_assignment);

/* In the order of RecsysPartaking */
static const char *const reasons[] = {
	NULL, "not started", "stopped", "no unit", "held out", "other part of the layer", "not eligible"
};

/* The type of the users' keys, InvalidOid where only bandits know */
static Oid
user_type(const RecsysExperiment *experiment)
{
	for (int i = 0; i < experiment->nvariants; i++)
	{
		const char *name = experiment->variants[i].recommender;
		RecsysRecommender recommender;
		RecsysShop *shop;
		Oid			type;

		if (RecsysIsPlainName(name) && RecsysNameExists(name, RECSYS_NAMED_BANDIT))
			continue;
		shop = RecsysServedShop(name);
		(void) RecsysOpenForColumns(shop == NULL ? name : shop->definition->signals[0].events, &recommender);
		type = recommender.columns.user_type;
		RecsysCloseRecommender(&recommender);
		return type;
	}
	return InvalidOid;
}

/* A key that is passed as text as its type writes it: so it is when a list is made */
static char *
written_key(const char *given, const RecsysExperiment *experiment)
{
	Oid			type = user_type(experiment);
	RecsysKeyKind kind;
	RecsysKey	key;

	if (!OidIsValid(type) || !RecsysKeyKindOfType(type, &kind))
		return pstrdup(given);
	RecsysKeyFromText(type, given, &key);
	return TextDatumGetCString(RecsysKeyToValue(TEXTOID, kind, &key));
}

static void
put_text(Datum *value, bool *isnull, const char *text)
{
	*isnull = text == NULL;
	*value = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

Datum
recsys_assignment(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "experiment");
	char	   *user = RecsysArgKeyText(fcinfo, 1);
	char	   *session = RecsysArgText(fcinfo, 2);
	RecsysExperiment *experiment = RecsysFindExperiment(name);
	RecsysAssignment assignment;
	TupleDesc	descriptor;
	Datum		values[5];
	bool		isnull[5] = {false};

	if (experiment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("experiment \"%s\" does not exist", name)));
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE || descriptor->natts != 5)
		elog(ERROR, "recsys.assignment returns another type");
	if (user != NULL && RecsysArgIsText(fcinfo, 1))
		user = written_key(user, experiment);
	RecsysAssignUnit(experiment, user, session, &assignment);
	put_text(&values[0], &isnull[0],
			 experiment->interleaved && assignment.part == RECSYS_TAKES_PART ? NULL :
			 experiment->variants[assignment.variant].name);
	put_text(&values[1], &isnull[1],
			 experiment->interleaved && assignment.part == RECSYS_TAKES_PART ? NULL :
			 experiment->variants[assignment.variant].recommender);
	put_text(&values[2], &isnull[2], assignment.segment);
	values[3] = BoolGetDatum(assignment.part == RECSYS_TAKES_PART);
	put_text(&values[4], &isnull[4], assignment.part != RECSYS_NO_UNIT ? reasons[assignment.part] :
			 experiment->by_session ? "no session" : "no user");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, isnull)));
}
