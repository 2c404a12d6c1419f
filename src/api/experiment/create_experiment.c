/*
 * create_experiment.c
 *	  SQL functions that declare experiments: create, alter, drop; start and stop.
 *
 * An experiment belongs to the role that has declared it; who has the rights of that role may change
 * it.  All of these functions exclude one another, as they are rare and layers are divided by them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "api/call/arguments.h"
#include "api/declare/jsonfields.h"
#include "api/declare/nearest.h"
#include "api/declare/takennames.h"
#include "api/define/declaredarguments.h"
#include "api/experiment/experimentdefinition.h"
#include "api/experiment/experimentwrite.h"
#include "api/experiment/layerparts.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_create_experiment);
PG_FUNCTION_INFO_V1(recsys_alter_experiment);
PG_FUNCTION_INFO_V1(recsys_start_experiment);
PG_FUNCTION_INFO_V1(recsys_stop_experiment);
PG_FUNCTION_INFO_V1(recsys_drop_experiment);

static const char **
parameter_names(void)
{
	const char **names = palloc(sizeof(char *) * RecsysExperimentParameterCount);

	for (int i = 0; i < RecsysExperimentParameterCount; i++)
		names[i] = RecsysExperimentParameters[i].name;
	return names;
}

/* The arguments from the second one on that are not NULL, as an object */
static Jsonb *
given_arguments(FunctionCallInfo fcinfo)
{
	return RecsysGivenArguments(fcinfo, parameter_names(), RecsysExperimentParameterCount);
}

/* The arguments behind those that create and alter have both */
#define START_ARGUMENT (RecsysExperimentParameterCount + 1)
#define RESET_ARGUMENT (RecsysExperimentParameterCount + 1)
#define NEW_OWNER_ARGUMENT (RecsysExperimentParameterCount + 2)

static void
begin_command(const char *command)
{
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
	RecsysLockExperiments();
}

Datum
recsys_create_experiment(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	RecsysExperimentRow row = {.name = name,.started_at = DT_NOEND,.stopped_at = DT_NOEND};

	begin_command("recsys.create_experiment()");
	RecsysTakeName(name, RECSYS_NAMED_EXPERIMENT);
	if (RecsysNameExists(name, RECSYS_NAMED_EXPERIMENT))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("experiment \"%s\" already exists", name),
				 errhint("Change it by recsys.alter_experiment, or drop it first: SELECT recsys.drop_experiment(%s);",
						 quote_literal_cstr(name))));
	row.owner = GetUserNameFromId(GetUserId(), false);
	row.definition = RecsysMakeExperiment(name, given_arguments(fcinfo), NULL, NIL, false, false);
	if (RecsysArgFlag(fcinfo, START_ARGUMENT, "start"))
		row.started_at = GetCurrentTransactionStartTimestamp();
	if (!RecsysInsertExperiment(&row))
		elog(ERROR, "experiment \"%s\" already exists", name);
	PG_RETURN_VOID();
}

static void
does_not_exist(int level, const char *name)
{
	ereport(level,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 level == NOTICE ?
			 errmsg("experiment \"%s\" does not exist, skipping", name) :
			 errmsg("experiment \"%s\" does not exist", name)));
}

/* The row, if there is one, which the current user must be allowed to change */
static bool
read_own(const char *name, RecsysExperimentRow *row)
{
	Oid			owner;

	if (!RecsysReadExperimentRow(name, row))
		return false;
	owner = get_role_oid(row->owner, true);
	if (!superuser() && !(OidIsValid(owner) && has_privs_of_role(GetUserId(), owner)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of experiment \"%s\"", name)));
	return true;
}

static void
need_own(const char *name, RecsysExperimentRow *row)
{
	if (!read_own(name, row))
		does_not_exist(ERROR, name);
}

static bool
is_given(Jsonb *given, const char *name)
{
	JsonbValue	value;

	return RecsysJsonGet(&given->root, name, &value);
}

static void
check_not_stopped(const RecsysExperimentRow *row)
{
	if (!TIMESTAMP_IS_NOEND(row->stopped_at))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("experiment \"%s\" has been stopped", row->name),
				 errdetail("Its users have had something else since then."),
				 errhint("Create another one by recsys.create_experiment.")));
}

Datum
recsys_alter_experiment(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	Jsonb	   *given = given_arguments(fcinfo);
	List	   *reset = RecsysResetNames(fcinfo, RESET_ARGUMENT, given, parameter_names(),
										  RecsysExperimentParameterCount, "variants", "An experiment needs them.");
	char	   *new_owner = RecsysArgText(fcinfo, NEW_OWNER_ARGUMENT);
	char	   *winner;
	RecsysExperimentRow row;

	begin_command("recsys.alter_experiment()");
	need_own(name, &row);
	if (is_given(given, "variants") || is_given(given, "layer_share"))	/* nobody is assigned any more */
		check_not_stopped(&row);
	if (reset != NIL || JsonContainerSize(&given->root) > 0)
	{
		bool		is_over = !TIMESTAMP_IS_NOEND(row.stopped_at);

		winner = RecsysJsonText(&row.definition->root, "winner");
		row.definition = RecsysMakeExperiment(name, given, row.definition, reset,
											  !TIMESTAMP_IS_NOEND(row.started_at), is_over);
		if (is_over)
			row.definition = RecsysWithWinner(row.definition, winner);
	}
	if (new_owner != NULL)
	{
		RecsysCheckNewOwner(new_owner);
		row.owner = new_owner;
	}
	RecsysUpdateExperiment(&row);
	PG_RETURN_VOID();
}

Datum
recsys_start_experiment(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	RecsysExperimentRow row;

	begin_command("recsys.start_experiment()");
	need_own(name, &row);
	check_not_stopped(&row);
	if (!TIMESTAMP_IS_NOEND(row.started_at))
	{
		ereport(NOTICE,
				(errmsg("experiment \"%s\" has been started already", name)));
		PG_RETURN_VOID();
	}
	row.started_at = GetCurrentTransactionStartTimestamp();
	RecsysUpdateExperiment(&row);
	PG_RETURN_VOID();
}

/* Names of the variants that a definition has */
static int
variant_names(Jsonb *definition, const char ***names)
{
	JsonbValue	value;
	JsonbContainer *array;

	if (!RecsysJsonGet(&definition->root, "variants", &value))
		elog(ERROR, "an experiment has no variants");
	array = RecsysJsonArray(&value, "variants");
	*names = palloc(sizeof(char *) * Max(JsonContainerSize(array), 1));
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
		(*names)[i] = RecsysJsonText(RecsysJsonObject(getIthJsonbValueFromContainer(array, i), "variants"), "name");
	return JsonContainerSize(array);
}

/* Once more tells of another winner, or of none. */
Datum
recsys_stop_experiment(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	char	   *winner = RecsysArgText(fcinfo, 1);
	RecsysExperimentRow row;
	const char **names;
	int			count;

	begin_command("recsys.stop_experiment()");
	need_own(name, &row);
	count = variant_names(row.definition, &names);
	if (winner != NULL)
		RecsysCheckWord(winner, "variant", names, count);
	row.definition = RecsysWithWinner(row.definition, winner);
	if (TIMESTAMP_IS_NOEND(row.stopped_at))
		row.stopped_at = GetCurrentTransactionStartTimestamp();
	RecsysUpdateExperiment(&row);
	PG_RETURN_VOID();
}

Datum
recsys_drop_experiment(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	bool		if_exists = RecsysArgFlag(fcinfo, 1, "if_exists");
	RecsysExperimentRow row;

	begin_command("recsys.drop_experiment()");
	if (read_own(name, &row))
		RecsysDeleteExperiment(name);
	else
		does_not_exist(if_exists ? NOTICE : ERROR, name);
	PG_RETURN_VOID();
}
