/*
 * commands.c
 *	  What SQL functions that change the database have in common.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "api/call/commands.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "utils/builtins.h"

void
RecsysRefuseInRecovery(const char *function)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute %s during recovery", function),
				 errhint("Call it on the primary server; the result arrives here by replication.")));
}

/* Names like pg_temp are the server's: nobody can create these. */
Oid
RecsysSchemaNamed(const char *name)
{
	Oid			schema = get_namespace_oid(name, true);

	if (!OidIsValid(schema))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", name),
				 IsReservedName(name) ? 0 : errhint("CREATE SCHEMA %s;", quote_identifier(name))));
	return schema;
}

void
RecsysRunCommand(const char *command)
{
	int			result = SPI_execute(command, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}
