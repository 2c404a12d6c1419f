/*
 * configure_log.c
 *	  recsys.configure_log(): settings of the log.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/keep/keeper.h"
#include "api/log/purchases.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "source/input/values.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"

PG_FUNCTION_INFO_V1(recsys_configure_log);

/* Bytes of a key of pseudonyms: as many as SHA-256 gives */
#define KEY_BYTES 32

/* Of intervals: a time of today less so much is one that there is */
#define MOST_YEARS 100

typedef enum Argument
{
	RETENTION,
	PSEUDONYMOUS,
	PURCHASES,
	WINDOW,
	ATTRIBUTION
} Argument;

static void
check_interval(FunctionCallInfo fcinfo, int argument, const char *name, bool may_be_zero)
{
	double		length;

	if (PG_ARGISNULL(argument))
		return;
	length = RecsysIntervalMicroseconds(PG_GETARG_INTERVAL_P(argument));
	if (length == 0 && may_be_zero)
		return;
	if (!(length >= USECS_PER_HOUR && length <= MOST_YEARS * DAYS_PER_YEAR * (double) USECS_PER_DAY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between an hour and %d years", name, MOST_YEARS),
				 may_be_zero ? errhint("Pass interval '0' to keep the log for ever.") : 0));
}

static void
check_attribution(const char *attribution)
{
	if (attribution != NULL && strcmp(attribution, "first") != 0 &&
		strcmp(attribution, "last") != 0 && strcmp(attribution, "position") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attribution must be first, last or position")));
}

/* The key is made when pseudonyms are first asked for, and then stays. */
static void
need_key(void)
{
	static Oid	types[] = {BYTEAOID};
	bytea	   *key = palloc(VARHDRSZ + KEY_BYTES);
	Datum		value = PointerGetDatum(key);

	SET_VARSIZE(key, VARHDRSZ + KEY_BYTES);
	if (!pg_strong_random(VARDATA(key), KEY_BYTES))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	(void) RecsysKeeperQuery("INSERT INTO recsys.log_key (key) VALUES ($1) ON CONFLICT DO NOTHING",
							 1, types, &value, NULL, false);
}

static void
write_settings(FunctionCallInfo fcinfo, Jsonb *purchases, const char *role)
{
	static Oid	types[] = {INTERVALOID, BOOLOID, JSONBOID, TEXTOID, INTERVALOID, TEXTOID, BOOLOID, BOOLOID};
	Datum		values[8] = {0};
	char		nulls[] = "nnnnnn  ";

	for (int i = RETENTION; i <= ATTRIBUTION; i++)
	{
		int			parameter = i <= PURCHASES ? i : i + 1;

		if (PG_ARGISNULL(i) || i == PURCHASES)
			continue;
		values[parameter] = PG_GETARG_DATUM(i);
		nulls[parameter] = ' ';
	}
	if (purchases != NULL)
	{
		values[2] = JsonbPGetDatum(purchases);
		values[3] = CStringGetTextDatum(role);
		nulls[2] = nulls[3] = ' ';
	}
	/* what is taken back */
	values[6] = BoolGetDatum(!PG_ARGISNULL(RETENTION) &&
							 RecsysIntervalMicroseconds(PG_GETARG_INTERVAL_P(RETENTION)) == 0);
	values[7] = BoolGetDatum(!PG_ARGISNULL(PURCHASES) && purchases == NULL);
	(void) RecsysKeeperQuery("INSERT INTO recsys.log_setting AS s (retention) VALUES (NULL) ON CONFLICT DO NOTHING",
							 0, NULL, NULL, NULL, false);
	(void) RecsysKeeperQuery("UPDATE recsys.log_setting SET"
							 " retention = CASE WHEN NOT $7 THEN coalesce($1, retention) END,"
							 " pseudonymous = coalesce($2, pseudonymous),"
							 " purchases = CASE WHEN NOT $8 THEN coalesce($3, purchases) END,"
							 " purchases_role = CASE WHEN NOT $8 THEN coalesce($4, purchases_role) END,"
							 " attribution_window = coalesce($5, attribution_window),"
							 " attribution = coalesce($6, attribution)",
							 8, types, values, nulls, false);
}

/*
 * Whoever owns the extension can change what is set, so it is not read with rights that this one has
 * not: a superuser who sets it would lend his own.
 */
static void
check_reader(void)
{
	Oid			keeper = RecsysKeeper();

	if (has_privs_of_role(keeper, GetUserId()))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("purchases would be read with the rights of role \"%s\"",
					GetUserNameFromId(GetUserId(), false)),
			 errdetail("Role \"%s\", the owner of the extension, has not these rights, and may change what is read.",
					   GetUserNameFromId(keeper, false)),
			 errhint("SET ROLE %s;", quote_identifier(GetUserNameFromId(keeper, false)))));
}

/* Arguments: retention, pseudonymous, purchases, attribution_window, attribution */
Datum
recsys_configure_log(PG_FUNCTION_ARGS)
{
	char	   *declared = RecsysArgText(fcinfo, PURCHASES);
	Jsonb	   *purchases = NULL;
	char	   *role = GetUserNameFromId(GetUserId(), false);
	RecsysRights before;

	PreventCommandIfParallelMode("recsys.configure_log()");
	PreventCommandIfReadOnly("recsys.configure_log()");
	RecsysNeedKeeper("recsys.configure_log");
	check_interval(fcinfo, RETENTION, "retention", true);
	check_interval(fcinfo, WINDOW, "attribution_window", false);
	check_attribution(RecsysArgText(fcinfo, ATTRIBUTION));
	if (declared != NULL && declared[0] != '\0')
	{
		check_reader();
		purchases = RecsysNormalPurchases(declared, false);
	}

	RecsysBeginAsKeeper(&before);
	if (!PG_ARGISNULL(PSEUDONYMOUS) && PG_GETARG_BOOL(PSEUDONYMOUS))
		need_key();
	write_settings(fcinfo, purchases, role);
	RecsysEndAsKeeper(&before);
	CacheInvalidateRelcacheByRelid(RecsysKeptTable("log_setting"));
	PG_RETURN_VOID();
}
