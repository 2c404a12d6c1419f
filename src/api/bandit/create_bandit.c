/*
 * create_bandit.c
 *	  SQL functions that declare bandits: create, alter, reset, drop.
 *
 * A bandit belongs to the role that has declared it.  Who has the rights of that role may change it.
 */
#include "postgres.h"

#include "api/bandit/normalbandit.h"
#include "api/call/arguments.h"
#include "api/declare/jsonfields.h"
#include "api/declare/nearest.h"
#include "api/declare/takennames.h"
#include "api/define/declaredarguments.h"
#include "api/keep/keeper.h"
#include "api/route/banditfold.h"
#include "api/route/banditrow.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_create_bandit);
PG_FUNCTION_INFO_V1(recsys_alter_bandit);
PG_FUNCTION_INFO_V1(recsys_reset_bandit);
PG_FUNCTION_INFO_V1(recsys_drop_bandit);

/* A row of recsys.bandit, locked */
typedef struct BanditRow
{
	char	   *owner;
	Jsonb	   *definition;
	pg_uuid_t	generation;
} BanditRow;

static void
begin_command(const char *command)
{
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
}

/* Runs a command on recsys.bandit with text, text, jsonb and uuid; returns how many rows it has found. */
static uint64
run(const char *command, const char *first, const char *second, Jsonb *definition,
	const pg_uuid_t *generation, BanditRow *row)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {TEXTOID, TEXTOID, JSONBOID, UUIDOID};
	Datum		values[lengthof(types)] = {0};
	char		nulls[] = "nnnn";
	RecsysRights before;
	uint64		count;

	RecsysBeginAsOwnerOf("bandit", &before);
	if (first != NULL)
		values[0] = CStringGetTextDatum(first);
	if (second != NULL)
		values[1] = CStringGetTextDatum(second);
	if (definition != NULL)
		values[2] = JsonbPGetDatum(definition);
	if (generation != NULL)
		values[3] = UUIDPGetDatum(generation);
	for (int i = 0; i < (int) lengthof(types); i++)
		nulls[i] = values[i] != (Datum) 0 ? ' ' : 'n';
	count = RecsysKeeperQuery(command, lengthof(types), types, values, nulls, false);
	if (count > 0 && row != NULL)
	{
		MemoryContext spi = MemoryContextSwitchTo(context);
		bool		isnull;

		row->owner = TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		row->definition = DatumGetJsonbPCopy(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
		row->generation = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3, &isnull));
		MemoryContextSwitchTo(spi);
	}
	RecsysEndAsKeeper(&before);
	return count;
}

static void
already_exists(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("bandit \"%s\" already exists", name),
			 errhint("Change it by recsys.alter_bandit, or drop it first: SELECT recsys.drop_bandit(%s);",
					 quote_literal_cstr(name))));
}

Datum
recsys_create_bandit(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	Jsonb	   *definition;

	begin_command("recsys.create_bandit()");
	RecsysTakeName(name, RECSYS_NAMED_BANDIT);
	definition = RecsysNormaliseBandit(name,
									   RecsysGivenArguments(fcinfo, RecsysBanditParameters,
															RecsysBanditParameterCount), NULL);
	if (run("INSERT INTO recsys.bandit (name, owner, definition)"
			" VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			name, GetUserNameFromId(GetUserId(), false), definition, NULL, NULL) == 0)
		already_exists(name);
	PG_RETURN_VOID();
}

/* The row, locked, if the current user may change it; false if there is none. */
static bool
lock_own(const char *name, BanditRow *row)
{
	Oid			owner;

	if (run("SELECT owner, definition, generation FROM recsys.bandit"
			" WHERE name OPERATOR(pg_catalog.=) $1 FOR UPDATE", name, NULL, NULL, NULL, row) == 0)
		return false;
	owner = get_role_oid(row->owner, true);
	if (!superuser() && !(OidIsValid(owner) && has_privs_of_role(GetUserId(), owner)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of bandit \"%s\"", name)));
	return true;
}

static void
does_not_exist(int level, const char *name)
{
	ereport(level,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 level == NOTICE ?
			 errmsg("bandit \"%s\" does not exist, skipping", name) :
			 errmsg("bandit \"%s\" does not exist", name)));
}

/* The arguments of alter_bandit behind those that both functions have */
#define RESET_ARGUMENT (RecsysBanditParameterCount + 1)
#define NEW_NAME_ARGUMENT (RecsysBanditParameterCount + 2)
#define NEW_OWNER_ARGUMENT (RecsysBanditParameterCount + 3)

/* Do policies look at the same? */
static bool
same_features(Jsonb *a, Jsonb *b)
{
	JsonbValue	left;
	JsonbValue	right;
	bool		has_left = RecsysJsonGet(&a->root, "features", &left);
	bool		has_right = RecsysJsonGet(&b->root, "features", &right);

	if (!has_left || !has_right)
		return has_left == has_right;
	return compareJsonbContainers(left.val.binary.data, right.val.binary.data) == 0;
}

static void
rename_bandit(const char *name, const char *new_name)
{
	RecsysRefuseIfUsed(name, RECSYS_NAMED_BANDIT);
	RecsysTakeName(new_name, RECSYS_NAMED_BANDIT);
	if (RecsysNameExists(new_name, RECSYS_NAMED_BANDIT))
		already_exists(new_name);
	(void) run("UPDATE recsys.bandit SET name = $2 WHERE name OPERATOR(pg_catalog.=) $1",
			   name, new_name, NULL, NULL, NULL);
}

Datum
recsys_alter_bandit(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	Jsonb	   *given = RecsysGivenArguments(fcinfo, RecsysBanditParameters, RecsysBanditParameterCount);
	List	   *reset = RecsysResetNames(fcinfo, RESET_ARGUMENT, given, RecsysBanditParameters,
										  RecsysBanditParameterCount, NULL, NULL);
	char	   *new_name = RecsysArgText(fcinfo, NEW_NAME_ARGUMENT);
	char	   *new_owner = RecsysArgText(fcinfo, NEW_OWNER_ARGUMENT);
	Jsonb	   *definition;
	BanditRow	row;

	begin_command("recsys.alter_bandit()");
	if (!lock_own(name, &row))
		does_not_exist(ERROR, name);
	definition = RecsysNormaliseBandit(name, given,
									   RecsysWithoutFields(row.definition, reset, RecsysBanditParameters,
														   RecsysBanditParameterCount));
	if (new_owner != NULL)
		RecsysCheckNewOwner(new_owner);
	(void) run("UPDATE recsys.bandit SET owner = $2, definition = $3, changed_at = pg_catalog.now()"
			   " WHERE name OPERATOR(pg_catalog.=) $1",
			   name, new_owner != NULL ? new_owner : row.owner, definition, NULL, NULL);
	if (!same_features(row.definition, definition))
	{
		RecsysForgetBanditSums(&row.generation);
		(void) run("UPDATE recsys.bandit SET features_since = pg_catalog.clock_timestamp()"
				   " WHERE name OPERATOR(pg_catalog.=) $1", name, NULL, NULL, NULL, NULL);
	}
	if (new_name != NULL && strcmp(new_name, name) != 0)
		rename_bandit(name, new_name);
	PG_RETURN_VOID();
}

Datum
recsys_reset_bandit(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	BanditRow	row;

	begin_command("recsys.reset_bandit()");
	if (!lock_own(name, &row))
		does_not_exist(ERROR, name);
	(void) run("UPDATE recsys.bandit SET generation = pg_catalog.gen_random_uuid(),"
			   " counted_since = pg_catalog.clock_timestamp()"
			   " WHERE name OPERATOR(pg_catalog.=) $1", name, NULL, NULL, NULL, NULL);
	RecsysForgetBanditState(&row.generation);
	PG_RETURN_VOID();
}

Datum
recsys_drop_bandit(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "name");
	bool		if_exists = RecsysArgFlag(fcinfo, 1, "if_exists");
	BanditRow	row;

	begin_command("recsys.drop_bandit()");
	if (!lock_own(name, &row))
		does_not_exist(if_exists ? NOTICE : ERROR, name);
	else
	{
		RecsysRefuseIfUsed(name, RECSYS_NAMED_BANDIT);
		(void) run("DELETE FROM recsys.bandit WHERE name OPERATOR(pg_catalog.=) $1",
				   name, NULL, NULL, NULL, NULL);
		RecsysForgetBanditState(&row.generation);
	}
	PG_RETURN_VOID();
}
