/*
 * logsettings.c
 *	  What recsys.configure_log has set: the row of recsys.log_setting.
 */
#include "postgres.h"

#include "api/keep/keeper.h"
#include "api/log/logsettings.h"
#include "api/log/wholelog.h"
#include "catalog/pg_type.h"
#include "source/input/values.h"
#include "utils/acl.h"
#include "utils/builtins.h"

static Datum
column(int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number, isnull);
}

static char *
text_column(int number)
{
	bool		isnull;
	Datum		value = column(number, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* From the row that a query has given; what it has by reference is copied. */
static void
read_row(RecsysLogSettings *settings)
{
	static const Oid types[] = {INTERVALOID, BOOLOID, JSONBOID, TEXTOID, INTERVALOID, TEXTOID};
	Datum		value;
	bool		isnull;

	RecsysNeedTypes(types, lengthof(types));
	value = column(1, &isnull);
	if (!isnull)
	{
		settings->retention = palloc(sizeof(Interval));
		*settings->retention = *DatumGetIntervalP(value);
	}
	settings->pseudonymous = DatumGetBool(column(2, &isnull));
	value = column(3, &isnull);
	if (!isnull)
		settings->purchases = DatumGetJsonbPCopy(value);
	settings->purchases_role = text_column(4);
	value = column(5, &isnull);
	if (!isnull)
		settings->window = (int64) RecsysIntervalMicroseconds(DatumGetIntervalP(value));
	if (text_column(6) != NULL)
		settings->attribution = text_column(6);
}

void
RecsysReadLogSettings(RecsysLogSettings *settings)
{
	MemoryContext context = CurrentMemoryContext;
	RecsysRights before;

	memset(settings, 0, sizeof(*settings));
	settings->window = 7 * USECS_PER_DAY;
	settings->attribution = pstrdup("last");
	RecsysBeginAsKeeper(&before);
	if (RecsysKeeperQuery(RecsysHere("SELECT retention, pseudonymous, purchases, purchases_role, attribution_window, attribution"
									 " FROM recsys.log_setting"),
						  0, NULL, NULL, NULL, true) > 0)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		read_row(settings);
		MemoryContextSwitchTo(old);
	}
	RecsysEndAsKeeper(&before);
}

Oid
RecsysPurchasesReader(const RecsysLogSettings *settings)
{
	Oid			role = settings->purchases_role != NULL ? get_role_oid(settings->purchases_role, true) : InvalidOid;
	char	   *purchases = JsonbToCString(NULL, &settings->purchases->root, VARSIZE(settings->purchases));

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\", with whose rights purchases are read, does not exist",
						settings->purchases_role != NULL ? settings->purchases_role : ""),
				 errhint("Set them again: SELECT recsys.configure_log(purchases => %s);",
						 quote_literal_cstr(purchases))));
	if (!has_privs_of_role(RecsysKeeper(), role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("purchases cannot be read with the rights of role \"%s\"", settings->purchases_role),
				 errdetail("The owner of the extension has not the rights of that role."),
				 errhint("Set them again as the owner: SELECT recsys.configure_log(purchases => %s);",
						 quote_literal_cstr(purchases))));
	return role;
}
