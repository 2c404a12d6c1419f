/*
 * create_recommender.c
 *	  SQL functions that declare recommenders: create, alter, drop.
 *
 * A recommender belongs to the role that has declared it.  Who has the rights of that role
 * may change it.
 */
#include "postgres.h"

#include <math.h>

#include "am/entry/indexes.h"
#include "api/call/arguments.h"
#include "api/declare/contentweight.h"
#include "api/declare/declaredrows.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/nearest.h"
#include "api/define/normalise.h"
#include "api/define/predictions.h"
#include "api/declare/parameters.h"
#include "catalog/namespace.h"
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

static void
put_texts(JsonbParseState **state, ArrayType *array)
{
	Datum	   *values;
	bool	   *isnull;
	int			count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &isnull, &count);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
		if (!isnull[i])
			RecsysJsonPutElement(state, TextDatumGetCString(values[i]));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
put_argument(JsonbParseState **state, const char *name, Oid type, Datum value)
{
	JsonbValue	binary = {.type = jbvBinary};

	switch (type)
	{
		case TEXTOID:
			RecsysJsonPutText(state, name, TextDatumGetCString(value));
			break;
		case INT4OID:
			RecsysJsonPutInteger(state, name, DatumGetInt32(value));
			break;
		case INT8OID:
			RecsysJsonPutInteger(state, name, DatumGetInt64(value));
			break;
		case FLOAT8OID:
			if (!isfinite(DatumGetFloat8(value)))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("%s must be a finite number", name)));
			RecsysJsonPutNumber(state, name, DatumGetFloat8(value));
			break;
		case TEXTARRAYOID:
			RecsysJsonPutKey(state, name);
			put_texts(state, DatumGetArrayTypeP(value));
			break;
		case JSONBOID:
			RecsysJsonPutKey(state, name);
			binary.val.binary.data = &DatumGetJsonbP(value)->root;
			binary.val.binary.len = VARSIZE(DatumGetJsonbP(value)) - VARHDRSZ;
			pushJsonbValue(state, WJB_VALUE, &binary);
			break;
		default:
			elog(ERROR, "argument \"%s\" is of type %u", name, type);
	}
}

/* The arguments from the second one on that are not NULL, as an object */
static Jsonb *
given_arguments(FunctionCallInfo fcinfo)
{
	JsonbParseState *state = NULL;
	Oid		   *types;
	int			count;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &count);
	if (count < RecsysParameterCount + 1)
		elog(ERROR, "function %u has %d arguments", fcinfo->flinfo->fn_oid, count);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < RecsysParameterCount; i++)
		if (!PG_ARGISNULL(i + 1))
			put_argument(&state, RecsysParameters[i].name, types[i + 1], PG_GETARG_DATUM(i + 1));
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static void
check_new_name(const char *name)
{
	if (!RecsysIsPlainName(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" cannot be the name of a recommender", name),
				 errdetail("Names are at most %d bytes of lower-case letters, digits and underscores, and begin with no digit.",
						   NAMEDATALEN - 1)));
}

static void
begin_command(const char *command)
{
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
}

/* An index of the name would be found first. */
static void
check_no_index(const char *name)
{
	Oid			relation = RelnameGetRelid(name);

	if (OidIsValid(relation) && RecsysIsIndex(relation))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("there is a recsys index \"%s\"", name),
				 errdetail("Functions would take the name for that of the index."),
				 errhint("Choose another name for the recommender.")));
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

/*
 * How content is weighed is learned at once where it is declared, for which some of the users will
 * do; what was learned for what is not declared any more is forgotten.
 */
static void
learn_content(const RecsysDeclaredRow *row)
{
	RecsysDefinition *definition = RecsysDefinitionRead(row->name, row->owner, row->definition);
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
	check_new_name(row.name);
	check_no_index(row.name);
	row.owner = GetUserNameFromId(GetUserId(), false);
	row.definition = RecsysNormalise(row.name, given_arguments(fcinfo), NULL, NULL);
	row.definition = RecsysMakePredictions(&row);
	if (!RecsysInsertDeclared(&row))
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
			 errmsg("recommender \"%s\" does not exist", name)));
}

/* The arguments of alter_recommender behind those that both functions have */
#define RESET_ARGUMENT (RecsysParameterCount + 1)
#define NEW_NAME_ARGUMENT (RecsysParameterCount + 2)
#define NEW_OWNER_ARGUMENT (RecsysParameterCount + 3)

static const char **
parameter_names(void)
{
	const char **names = palloc(sizeof(char *) * RecsysParameterCount);

	for (int i = 0; i < RecsysParameterCount; i++)
		names[i] = RecsysParameters[i].name;
	return names;
}

/* Names of parameters to be reset: all known ones, not required, and not given as well */
static List *
reset_names(FunctionCallInfo fcinfo, Jsonb *given)
{
	List	   *names = NIL;
	Datum	   *values;
	bool	   *isnull;
	int			count;

	if (PG_ARGISNULL(RESET_ARGUMENT))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(RESET_ARGUMENT), TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &isnull, &count);
	for (int i = 0; i < count; i++)
	{
		JsonbValue	value;
		char	   *name;

		if (isnull[i])
			continue;
		name = TextDatumGetCString(values[i]);
		RecsysCheckWord(name, "parameter", parameter_names(), RecsysParameterCount);
		if (strcmp(name, "signals") == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("signals cannot be reset"),
					 errdetail("A recommender needs a signal.")));
		if (RecsysJsonGet(&given->root, name, &value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s is both given and reset", name)));
		names = lappend(names, name);
	}
	return names;
}

static bool
is_among(const char *name, List *names)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(name, lfirst(cell)) == 0)
			return true;
	return false;
}

static Jsonb *
without(Jsonb *definition, List *names)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < RecsysParameterCount; i++)
	{
		JsonbValue	value;

		if (is_among(RecsysParameters[i].name, names) ||
			!RecsysJsonGet(&definition->root, RecsysParameters[i].name, &value))
			continue;
		RecsysJsonPutKey(&state, RecsysParameters[i].name);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Nobody gives his own to those whose rights he has not: they would lend them to his functions. */
static void
check_new_owner(const char *owner)
{
	Oid			role = get_role_oid(owner, false);

	if (!superuser() && !has_privs_of_role(GetUserId(), role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must have privileges of role \"%s\"", owner)));
}

Datum
recsys_alter_recommender(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	Jsonb	   *given = given_arguments(fcinfo);
	List	   *reset = reset_names(fcinfo, given);
	char	   *new_name = RecsysArgText(fcinfo, NEW_NAME_ARGUMENT);
	char	   *new_owner = RecsysArgText(fcinfo, NEW_OWNER_ARGUMENT);
	RecsysDeclaredRow row;
	RecsysDeclaredRow before;
	JsonbValue	value;

	begin_command("recsys.alter_recommender()");
	if (!lock_own(name, &row))
		does_not_exist(ERROR, name);
	before = row;
	row.definition = RecsysNormalise(name, given, without(row.definition, reset), NULL);
	if (new_owner != NULL)
	{
		check_new_owner(new_owner);
		row.owner = new_owner;
	}
	if (new_owner != NULL || RecsysJsonGet(&given->root, "signals", &value))
		row.definition = RecsysMakePredictions(&row);
	RecsysUpdateDeclared(&row);
	RecsysDropPredictions(&before, row.definition);
	learn_content(&row);
	if (new_name != NULL && strcmp(new_name, name) != 0)
	{
		check_new_name(new_name);
		check_no_index(new_name);
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
		RecsysDeleteDeclared(name);
		RecsysDropPredictions(&row, NULL);
	}
	PG_RETURN_VOID();
}
