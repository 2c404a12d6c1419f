/*
 * create_stream.c
 *	  SQL functions that declare streams: create, alter, drop.
 *
 * A stream belongs to the role that has declared it.  Who has the rights of that role may change it.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/declare/names.h"
#include "api/define/declaredarguments.h"
#include "api/stream/streamdefinition.h"
#include "api/stream/streamrow.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_create_stream);
PG_FUNCTION_INFO_V1(recsys_alter_stream);
PG_FUNCTION_INFO_V1(recsys_drop_stream);

/* Arguments of alter_stream behind those that both functions have */
#define RESET_ARGUMENT (RECSYS_STREAM_PARAMETERS + 1)
#define NEW_OWNER_ARGUMENT (RECSYS_STREAM_PARAMETERS + 2)

static void
begin_command(const char *command)
{
	RecsysRefuseInRecovery(command);
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
}

static void
check_name(const char *name)
{
	if (!RecsysIsPlainName(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" cannot be the name of a stream", name),
				 errdetail("Names are at most %d bytes of lower-case letters, digits and underscores, and begin with no digit.",
						   NAMEDATALEN - 1)));
}

Datum
recsys_create_stream(PG_FUNCTION_ARGS)
{
	RecsysStreamRow row = {0};
	Jsonb	   *given;

	begin_command("recsys.create_stream()");
	row.name = RecsysArgQuery(fcinfo, 0, "stream");
	check_name(row.name);
	row.owner = GetUserNameFromId(GetUserId(), false);
	given = RecsysGivenArguments(fcinfo, RecsysStreamParameters, RECSYS_STREAM_PARAMETERS);
	row.definition = RecsysMakeStream(row.name, given, NULL, NIL, GetUserId());
	if (!RecsysInsertStream(&row))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("stream \"%s\" already exists", row.name),
				 errhint("Change it by recsys.alter_stream, or drop it first: SELECT recsys.drop_stream(%s);",
						 quote_literal_cstr(row.name))));
	RecsysNotifyStream(row.name);
	PG_RETURN_VOID();
}

/* Some parameters a stream cannot be without. */
static List *
reset_names(FunctionCallInfo fcinfo, Jsonb *given)
{
	static const char *const needed[] = {"brokers", "topic", "target", "columns"};
	List	   *reset = RecsysResetNames(fcinfo, RESET_ARGUMENT, given, RecsysStreamParameters,
										 RECSYS_STREAM_PARAMETERS, NULL, NULL);

	for (int i = 0; i < lengthof(needed); i++)
		if (RecsysIsAmong(needed[i], reset))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s cannot be reset", needed[i]),
					 errdetail("A stream needs it.")));
	return reset;
}

Datum
recsys_alter_stream(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");
	Jsonb	   *given = RecsysGivenArguments(fcinfo, RecsysStreamParameters, RECSYS_STREAM_PARAMETERS);
	List	   *reset = reset_names(fcinfo, given);
	char	   *new_owner = RecsysArgText(fcinfo, NEW_OWNER_ARGUMENT);
	RecsysStreamRow row;

	begin_command("recsys.alter_stream()");
	RecsysNeedStream(name, ExclusiveLock, &row);
	if (new_owner != NULL)
	{
		RecsysCheckNewOwner(new_owner);
		row.owner = new_owner;
	}
	row.definition = RecsysMakeStream(name, given, row.definition, reset, RecsysStreamOwner(&row));
	RecsysFenceStream(name);
	RecsysUpdateStream(&row);
	RecsysNotifyStream(name);
	PG_RETURN_VOID();
}

Datum
recsys_drop_stream(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");
	bool		if_exists = RecsysArgFlag(fcinfo, 1, "if_exists");
	RecsysStreamRow row;

	begin_command("recsys.drop_stream()");
	if (RecsysFindStream(name, ExclusiveLock, &row))
	{
		RecsysFenceStream(name);
		RecsysDeleteStream(name);
		RecsysNotifyStream(name);
	}
	else
		ereport(if_exists ? NOTICE : ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 if_exists ?
				 errmsg("stream \"%s\" does not exist, skipping", name) :
				 errmsg("stream \"%s\" does not exist", name)));
	PG_RETURN_VOID();
}
