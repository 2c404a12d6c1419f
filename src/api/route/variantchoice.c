/*
 * variantchoice.c
 *	  Which variant of an experiment a user or a session gets.
 *
 * Nothing is stored of who has got what: the same unit gets the same variant because its place, a
 * hash, is the same.  Whoever may use a variant's recommender may be served by an experiment; what
 * it looks at in the profiles is read with the rights of who calls.
 */
#include "postgres.h"

#include "access/xact.h"
#include "api/declare/jsonfields.h"
#include "api/declare/nearest.h"
#include "api/route/unitrow.h"
#include "api/route/variantchoice.h"
#include "core/decide/unitplace.h"
#include "utils/timestamp.h"

/* Is the unit in the part of the layer that is the experiment's? */
static RecsysPartaking
part_of_layer(const RecsysExperiment *experiment, const char *unit)
{
	double		place;

	if (experiment->layer == NULL && experiment->layer_low <= 0 && experiment->layer_high >= 1)
		return RECSYS_TAKES_PART;
	place = experiment->layer != NULL ?
		RecsysUnitPlace(RECSYS_PLACE_LAYER, experiment->layer, unit) :
		RecsysUnitPlace(RECSYS_PLACE_PART, experiment->salt, unit);
	if (place >= 1 - experiment->holdout)
		return RECSYS_HELD_OUT;
	return place >= experiment->layer_low && place < experiment->layer_high ?
		RECSYS_TAKES_PART : RECSYS_OTHER_PART;
}

/* What everybody gets once it has stopped */
static int
winning_variant(const RecsysExperiment *experiment)
{
	int			winner = experiment->winner == NULL ? 0 :
		RecsysVariantNumber(experiment, experiment->winner);

	return Max(winner, 0);
}

void
RecsysAssignUnit(const RecsysExperiment *experiment, const char *user, const char *session,
				 RecsysAssignment *assignment)
{
	const char *unit = experiment->by_session ? session : user;

	assignment->variant = 0;
	assignment->segment = NULL;
	if (!TIMESTAMP_IS_NOEND(experiment->stopped_at))
	{
		assignment->part = RECSYS_IS_STOPPED;
		assignment->variant = winning_variant(experiment);
		return;
	}
	if (TIMESTAMP_IS_NOEND(experiment->started_at))
		assignment->part = RECSYS_NOT_STARTED;
	else if (unit == NULL)
		assignment->part = RECSYS_NO_UNIT;
	else
		assignment->part = part_of_layer(experiment, unit);
	if (assignment->part != RECSYS_TAKES_PART)
		return;

	if (experiment->eligible != NULL || experiment->segment != NULL)
	{
		RecsysUnitRow row = {.eligible = experiment->eligible == NULL};

		if (user != NULL)
			RecsysReadUnitRow(experiment, user, &row);
		assignment->segment = row.segment;
		if (!row.eligible)
		{
			assignment->part = RECSYS_NOT_ELIGIBLE;
			return;
		}
	}
	assignment->variant = RecsysVariantAt(experiment->ranges, experiment->nranges,
										  RecsysUnitPlace(RECSYS_PLACE_VARIANT, experiment->salt, unit));
}

/* The number of the variant that a context names, -1 if it names none */
static int
forced_variant(const RecsysExperiment *experiment, Jsonb *context)
{
	const char **names;
	JsonbValue	value;
	char	   *name;
	int			number;

	if (context == NULL || !JB_ROOT_IS_OBJECT(context) ||
		!RecsysJsonGet(&context->root, "variant", &value))
		return -1;
	name = RecsysJsonValueText(&value, "variant");
	number = RecsysVariantNumber(experiment, name);
	if (number < 0)
	{
		names = palloc(sizeof(char *) * experiment->nvariants);
		for (int i = 0; i < experiment->nvariants; i++)
			names[i] = experiment->variants[i].name;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("experiment \"%s\" has no variant \"%s\"", experiment->name, name),
				 errdetail("Variants are %s.", RecsysListWords(names, experiment->nvariants))));
	}
	return number;
}

Jsonb *
RecsysContextOfList(Jsonb *context)
{
	JsonbParseState *state = NULL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (context == NULL || !JB_ROOT_IS_OBJECT(context) ||
		!RecsysJsonGet(&context->root, "variant", &value))
		return context;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	iterator = JsonbIteratorInit(&context->root);
	(void) JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) == WJB_KEY)
	{
		JsonbValue	key = value;

		(void) JsonbIteratorNext(&iterator, &value, true);
		if (key.val.string.len == strlen("variant") &&
			memcmp(key.val.string.val, "variant", key.val.string.len) == 0)
			continue;
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * Who chooses first is another matter for each statement, or a user would see one of the teams
 * at the better places for good; within a statement it has to be the same.
 */
static void
route_both(const RecsysExperiment *experiment, const char *unit, RecsysRoute *route)
{
	route->recommender = experiment->variants[0].recommender;
	route->other = experiment->variants[1].recommender;
	route->teams[0] = experiment->variants[0].name;
	route->teams[1] = experiment->variants[1].name;
	route->draft_seed = RecsysUnitHash(RECSYS_PLACE_DRAFT, experiment->salt, unit) ^
		(uint64) GetCurrentStatementStartTimestamp();
	route->experiment = experiment->name;
	route->policy = "interleaving";
}

bool
RecsysChooseVariant(const char *name, const char *user, const char *session, Jsonb *context,
					RecsysRoute *route)
{
	RecsysExperiment *experiment = RecsysFindExperiment(name);
	RecsysAssignment assignment;
	RecsysVariant *variant;
	int			forced;

	if (experiment == NULL)
		return false;
	forced = forced_variant(experiment, context);
	if (forced >= 0)
	{
		route->recommender = experiment->variants[forced].recommender;
		route->variant = experiment->variants[forced].name;
		route->policy = "forced";
		return true;
	}
	RecsysAssignUnit(experiment, user, session, &assignment);
	variant = &experiment->variants[assignment.variant];
	route->recommender = variant->recommender;
	if (assignment.part != RECSYS_TAKES_PART)
		return true;
	route->segment = assignment.segment;
	if (experiment->interleaved)
	{
		route_both(experiment, experiment->by_session ? session : user, route);
		return true;
	}
	route->experiment = experiment->name;
	route->variant = variant->name;
	route->policy = "hash";
	route->propensity *= variant->share;
	return true;
}
