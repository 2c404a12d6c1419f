/*
 * streamrow.c
 *	  The rows of recsys.stream.
 *
 * Who changes a stream first locks its name, as an object of the table numbered by its hash, and he must
 * have its owner's rights before that: nobody else is to make its consumers wait.  48 bits of hash keep
 * anybody from naming a stream of his so that its lock is that of another one.  Then he locks its
 * partitions in their order, then its row.  Who moves partitions on locks them, and only then, if the
 * stream is to fail, its row.
 */
#include "postgres.h"

#include "api/keep/keeper.h"
#include "api/stream/streamrow.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"

/* What is read is read with each batch. */
static SPIPlanPtr read_plan = NULL;

/* A number that none of before had, also if the stream was dropped and made again */
#define NEW_NUMBER \
	"(EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint"

static void
lock_name(const char *name, LOCKMODE lock)
{
	Oid			table = RecsysKeptTable("stream");
	uint64		hash = hash_bytes_extended((const unsigned char *) name, strlen(name), 0);

	if (OidIsValid(table))
		LockDatabaseObject(table, (Oid) (hash >> 32), (uint16) hash, lock);
}

static void
read_row(MemoryContext context, const char *name, RecsysStreamRow *row)
{
	HeapTuple	tuple = SPI_tuptable->vals[0];
	TupleDesc	descriptor = SPI_tuptable->tupdesc;
	MemoryContext old = MemoryContextSwitchTo(context);
	bool		isnull;

	row->name = pstrdup(name);
	row->owner = SPI_getvalue(tuple, descriptor, 1);
	row->definition = DatumGetJsonbPCopy(SPI_getbinval(tuple, descriptor, 2, &isnull));
	row->state = SPI_getvalue(tuple, descriptor, 3);
	row->version = DatumGetInt64(SPI_getbinval(tuple, descriptor, 4, &isnull));
	MemoryContextSwitchTo(old);
}

static bool
read_stream(const char *name, RecsysStreamRow *row)
{
	static const Oid types[] = {TEXTOID, JSONBOID, TEXTOID, INT8OID};
	MemoryContext context = CurrentMemoryContext;
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);
	RecsysRights before;
	bool		found;

	RecsysBeginAsOwnerOf("stream", &before);
	(void) RecsysKeeperPlan(&read_plan,
							"SELECT owner, definition, state, version FROM recsys.stream WHERE name = $1",
							1, &type);
	found = RecsysKeeperRun(read_plan, &value, NULL, false) > 0;
	if (found)
	{
		RecsysNeedTypes(types, lengthof(types));
		read_row(context, name, row);
	}
	RecsysEndAsKeeper(&before);
	return found;
}

static bool
read_own_stream(const char *name, RecsysStreamRow *row)
{
	Oid			owner;

	if (!read_stream(name, row))
		return false;
	owner = get_role_oid(row->owner, true);
	if (!superuser() && !(OidIsValid(owner) && has_privs_of_role(GetUserId(), owner)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of stream \"%s\"", name)));
	return true;
}

bool
RecsysFindStream(const char *name, LOCKMODE lock, RecsysStreamRow *row)
{
	if (!read_own_stream(name, row))
		return false;
	if (lock == NoLock)
		return true;
	lock_name(name, lock);
	return read_own_stream(name, row);	/* as it is now that nobody else changes it */
}

void
RecsysNeedStream(const char *name, LOCKMODE lock, RecsysStreamRow *row)
{
	if (!RecsysFindStream(name, lock, row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("stream \"%s\" does not exist", name)));
}

Oid
RecsysStreamOwner(const RecsysStreamRow *row)
{
	Oid			owner = get_role_oid(row->owner, true);

	if (!OidIsValid(owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\", the owner of stream \"%s\", does not exist", row->owner, row->name),
				 errhint("SELECT recsys.alter_stream(%s, new_owner => current_user);",
						 quote_literal_cstr(row->name))));
	return owner;
}

/* Runs a command with up to three texts and a definition, NULL where there is none. */
static uint64
run(const char *command, const char *name, const char *second, const char *third, Jsonb *definition)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, JSONBOID};
	Datum		values[4] = {0};
	char		nulls[] = " nnn";
	RecsysRights before;
	uint64		count;

	values[0] = CStringGetTextDatum(name);
	if (second != NULL)
	{
		values[1] = CStringGetTextDatum(second);
		nulls[1] = ' ';
	}
	if (third != NULL)
	{
		values[2] = CStringGetTextDatum(third);
		nulls[2] = ' ';
	}
	if (definition != NULL)
	{
		values[3] = JsonbPGetDatum(definition);
		nulls[3] = ' ';
	}
	RecsysBeginAsOwnerOf("stream", &before);
	count = RecsysKeeperQuery(command, 4, types, values, nulls, false);
	RecsysEndAsKeeper(&before);
	return count;
}

bool
RecsysInsertStream(const RecsysStreamRow *row)
{
	return run("INSERT INTO recsys.stream (name, owner, definition, version)"
			   " VALUES ($1, $2, $4, " NEW_NUMBER ") ON CONFLICT DO NOTHING",
			   row->name, row->owner, NULL, row->definition) > 0;
}

void
RecsysUpdateStream(const RecsysStreamRow *row)
{
	(void) run("UPDATE recsys.stream SET owner = $2, definition = $4, changed_at = pg_catalog.now(),"
			   " version = GREATEST(version + 1, " NEW_NUMBER ") WHERE name = $1",
			   row->name, row->owner, NULL, row->definition);
}

void
RecsysDeleteStream(const char *name)
{
	(void) run("DELETE FROM recsys.stream WHERE name = $1", name, NULL, NULL, NULL);
}

void
RecsysSetStreamState(const char *name, const char *state, const char *message)
{
	(void) run("UPDATE recsys.stream SET state = $2, message = COALESCE($3, message),"
			   " message_at = CASE WHEN $3 IS NULL THEN message_at ELSE pg_catalog.clock_timestamp() END"
			   " WHERE name = $1", name, state, message, NULL);
}

void
RecsysSayOfStream(const char *name, const char *message)
{
	(void) run("UPDATE recsys.stream SET message = $2, message_at = pg_catalog.clock_timestamp() WHERE name = $1",
			   name, message, NULL, NULL);
}

void
RecsysFenceStream(const char *name)
{
	(void) run("WITH all_of_them AS (SELECT topic, partition FROM recsys.stream_partition"
			   " WHERE stream = $1 ORDER BY topic, partition FOR UPDATE)"
			   " UPDATE recsys.stream_partition p SET epoch = GREATEST(p.epoch + 1, " NEW_NUMBER "),"
			   " consumer = NULL FROM all_of_them a"
			   " WHERE p.stream = $1 AND p.topic = a.topic AND p.partition = a.partition",
			   name, NULL, NULL, NULL);
}

void
RecsysNotifyStream(const char *name)
{
	Async_Notify(RECSYS_STREAM_CHANNEL, name);
}
