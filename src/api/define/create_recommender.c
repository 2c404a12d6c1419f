/*
 * create_recommender.c
 *	  SQL functions that declare recommenders: create, alter, drop.
 *
 * A recommender belongs to the role that has declared it.  Who has the rights of that role
 * may change it.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/declare/contentweight.h"
#include "api/declare/declaredrows.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/nearest.h"
#include "api/declare/takennames.h"
#include "api/define/declaredarguments.h"
#include "api/define/normalise.h"
#include "api/define/predictions.h"
#include "api/define/servable.h"
#include "api/define/sharedchange.h"
#include "api/declare/parameters.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(recsys_create_recommender);
PG_FUNCTION_INFO_V1(recsys_alter_recommender);
PG_FUNCTION_INFO_V1(recsys_drop_recommender);

static const char **
parameter_names(void)
{
	const char **names = palloc(sizeof(char *) * RecsysParameterCount);

	for (int i = 0; i < RecsysParameterCount; i++)
		names[i] = RecsysParameters[i].name;
	return names;
}

/* The arguments from the second one on that are not NULL, as an object */
static Jsonb *
given_arguments(FunctionCallInfo fcinfo)
{
	return RecsysGivenArguments(fcinfo, parameter_names(), RecsysParameterCount);
}

static void
begin_command(const char *command)
{
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
}

static void
already_exists(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("recommender \"%s\" already exists", name),
			 errhint("Change it by recsys.alter_recommender, or drop it first: SELECT recsys.drop_recommender(%s);",
					 quote_literal_cstr(name))));
}

static RecsysDefinition *
definition_of(const RecsysDeclaredRow *row)
{
	return RecsysDefinitionRead(row->name, row->owner, row->definition);
}

/*
 * How content is weighed is learned at once where it is declared, for which some of the users will
 * do; what was learned for what is not declared any more is forgotten.
 */
static void
learn_content(const RecsysDeclaredRow *row)
{
	RecsysDefinition *definition = definition_of(row);
	int			nestlevel;

	if (definition->content == NULL)
	{
		RecsysForgetContentWeight(definition);
		return;
	}
	nestlevel = RecsysBeginPlainNames();
	RecsysNeedContentWeight(definition);
	RecsysEndPlainNames(nestlevel);
}

Datum
recsys_create_recommender(PG_FUNCTION_ARGS)
{
	RecsysDeclaredRow row;

	begin_command("recsys.create_recommender()");
	row.name = RecsysArgQuery(fcinfo, 0, "name");
	RecsysTakeName(row.name, RECSYS_NAMED_RECOMMENDER);
	row.owner = GetUserNameFromId(GetUserId(), false);
	row.definition = RecsysNormalise(row.name, given_arguments(fcinfo), NULL, NULL);
	RecsysCheckServable(definition_of(&row));
	row.definition = RecsysMakePredictions(&row);
	if (RecsysIsShared(row.name) || !RecsysInsertDeclared(&row))
		already_exists(row.name);
	learn_content(&row);
	PG_RETURN_VOID();
}

/* The row, locked, if the current user may change it */
static bool
lock_own(const char *name, RecsysDeclaredRow *row)
{
	Oid			owner;

	if (!RecsysLockDeclared(name, row))
		return false;
	owner = get_role_oid(row->owner, true);
	if (!superuser() && !(OidIsValid(owner) && has_privs_of_role(GetUserId(), owner)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of recommender \"%s\"", name)));
	return true;
}

static void
does_not_exist(int level, const char *name)
{
	ereport(level,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 level == NOTICE ?
			 errmsg("recommender \"%s\" does not exist, skipping", name) :
			 errmsg("recommender \"%s\" does not exist", name),
			 RecsysIsShared(name) ?
			 errhint("It is declared on the coordinator: change it there.") : 0));
}

/* The arguments of alter_recommender behind those that both functions have */
#define RESET_ARGUMENT (RecsysParameterCount + 1)
#define NEW_NAME_ARGUMENT (RecsysParameterCount + 2)
#define NEW_OWNER_ARGUMENT (RecsysParameterCount + 3)

Datum
recsys_alter_recommender(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	Jsonb	   *given = given_arguments(fcinfo);
	List	   *reset = RecsysResetNames(fcinfo, RESET_ARGUMENT, given, parameter_names(),
										  RecsysParameterCount, "signals", "A recommender needs a signal.");
	char	   *new_name = RecsysArgText(fcinfo, NEW_NAME_ARGUMENT);
	char	   *new_owner = RecsysArgText(fcinfo, NEW_OWNER_ARGUMENT);
	RecsysDeclaredRow row;
	RecsysDeclaredRow before;
	JsonbValue	value;

	begin_command("recsys.alter_recommender()");
	if (!lock_own(name, &row))
		does_not_exist(ERROR, name);
	before = row;
	row.definition = RecsysNormalise(name, given,
									 RecsysWithoutFields(row.definition, reset, parameter_names(),
														 RecsysParameterCount), NULL);
	RecsysCheckServable(definition_of(&row));
	if (new_owner != NULL)
	{
		RecsysCheckNewOwner(new_owner);
		row.owner = new_owner;
	}
	if (new_owner != NULL || RecsysJsonGet(&given->root, "signals", &value))
		row.definition = RecsysMakePredictions(&row);
	RecsysUpdateDeclared(&row);
	RecsysDropPredictions(&before, row.definition);
	learn_content(&row);
	RecsysShareChange(&before, &row);
	if (new_name != NULL && strcmp(new_name, name) != 0)
	{
		RecsysRefuseIfShared(name);
		RecsysTakeName(new_name, RECSYS_NAMED_RECOMMENDER);
		if (!RecsysRenameDeclared(name, new_name))
			already_exists(new_name);
	}
	PG_RETURN_VOID();
}

Datum
recsys_drop_recommender(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	bool		if_exists = RecsysArgFlag(fcinfo, 1, "if_exists");
	RecsysDeclaredRow row;

	begin_command("recsys.drop_recommender()");
	if (!lock_own(name, &row))
		does_not_exist(if_exists ? NOTICE : ERROR, name);
	else
	{
		RecsysRefuseIfUsed(name, RECSYS_NAMED_RECOMMENDER);
		RecsysRefuseIfShared(name);
		RecsysDeleteDeclared(name);
		RecsysDropPredictions(&row, NULL);
	}
	PG_RETURN_VOID();
}
