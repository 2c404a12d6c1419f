/*
 * database.c
 *	  The connection to the server: see database.h.
 */
#include "postgres_fe.h"

#include <unistd.h>

#include "stream/run/database.h"
#include "stream/run/journal.h"
#include "stream/run/signals.h"

/* How long a statement may still take after the program was told to stop */
#define STOP_PATIENCE 10000		/* ms */
#define CONNECT_PATIENCE 30000	/* ms, if the connection string has no connect_timeout */

void
RecsysDatabaseInit(RecsysDatabase *database, const char *conninfo)
{
	memset(database, 0, sizeof(*database));
	database->conninfo = conninfo;
	initPQExpBuffer(&database->message);
}

void
RecsysDisconnect(RecsysDatabase *database)
{
	if (database->connection != NULL)
		PQfinish(database->connection);
	database->connection = NULL;
}

void
RecsysForgetConnection(RecsysDatabase *database)
{
	/* PQfinish would end the session for the parent too: both have the socket */
	if (database->connection != NULL && PQsocket(database->connection) >= 0)
		close(PQsocket(database->connection));
	database->connection = NULL;
}

/* Keeps an error, in one line. */
static void
keep_message(RecsysDatabase *database, const char *message, const char *detail)
{
	resetPQExpBuffer(&database->message);
	for (; message != NULL && *message != '\0'; message++)
		appendPQExpBufferChar(&database->message, *message == '\n' ? ' ' : *message);
	while (database->message.len > 0 && database->message.data[database->message.len - 1] == ' ')
		database->message.data[--database->message.len] = '\0';
	if (detail != NULL && *detail != '\0')
		appendPQExpBuffer(&database->message, " (%s)", detail);
}

/* The connection is of no use any more. */
static void
note_loss(RecsysDatabase *database)
{
	database->outcome = RECSYS_OUTCOME_LOST;
	strlcpy(database->sqlstate, "08006", sizeof(database->sqlstate));
	keep_message(database, PQerrorMessage(database->connection), NULL);
}

static void
note_error(RecsysDatabase *database, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	/* an error of libpq itself has no SQLSTATE: what it was doing was lost */
	if (sqlstate == NULL || PQstatus(database->connection) == CONNECTION_BAD)
	{
		note_loss(database);
		return;
	}
	strlcpy(database->sqlstate, sqlstate, sizeof(database->sqlstate));
	database->outcome = database->writes_rows ? RecsysRowsOutcome(sqlstate) : RecsysCallOutcome(sqlstate);
	keep_message(database, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
				 PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
}

/* Cancels what runs if it has had its time: then it ends with an error, as any other. */
static void
cancel_if_due(RecsysDatabase *database)
{
	if (RecsysStopAsked && database->cancel_at == 0)
		database->cancel_at = RecsysNow() + STOP_PATIENCE;
	if (database->cancel_at != 0 && RecsysNow() >= database->cancel_at)
	{
		PGcancel   *cancel = PQgetCancel(database->connection);
		char		fault[256];

		if (cancel != NULL && !PQcancel(cancel, fault, sizeof(fault)))
			RecsysJournal(RECSYS_JOURNAL_WARNING, "a statement cannot be cancelled: %s", fault);
		PQfreeCancel(cancel);
		database->cancel_at = RecsysNow() + STOP_PATIENCE;
	}
}

/* Waits until there is a result, or none any more.  false if the connection was lost. */
static bool
await_result(RecsysDatabase *database)
{
	int64		next_call = RecsysNow() + 1000;

	for (;;)
	{
		int			flushed = PQflush(database->connection);

		if (flushed < 0 || !PQconsumeInput(database->connection))
			return false;
		if (flushed == 0 && !PQisBusy(database->connection))
			return true;
		RecsysWaitForSocket(PQsocket(database->connection), flushed > 0, 1000);
		cancel_if_due(database);
		if (database->hook != NULL && RecsysNow() >= next_call)
		{
			database->hook(database->argument);
			next_call = RecsysNow() + 1000;
		}
	}
}

static PGresult *
next_result(RecsysDatabase *database)
{
	if (!await_result(database))
	{
		note_loss(database);
		return NULL;
	}
	return PQgetResult(database->connection);
}

/* Hands all rows over to COPY, as fast as the server takes them. */
static bool
send_rows(RecsysDatabase *database, const char *rows, size_t length)
{
	const size_t piece = 256 * 1024;

	for (size_t sent = 0; sent < length;)
	{
		size_t		now = Min(piece, length - sent);
		int			taken = PQputCopyData(database->connection, rows + sent, (int) now);

		if (taken < 0)
			return false;
		if (taken > 0)
			sent += now;

		/* an error ends COPY before all is sent, and is found when results are read */
		for (int flushed; (flushed = PQflush(database->connection)) != 0;)
		{
			if (flushed < 0 || !PQconsumeInput(database->connection))
				return false;
			RecsysWaitForSocket(PQsocket(database->connection), true, 1000);
			cancel_if_due(database);
		}
	}
	return PQputCopyEnd(database->connection, NULL) > 0;
}

/* Reads all results, of which there must be one. */
static PGresult *
last_result(RecsysDatabase *database, const char *rows, size_t length, int64 *affected)
{
	PGresult   *last = NULL;
	PGresult   *result;

	database->outcome = RECSYS_OUTCOME_DONE;
	database->answered = false;
	database->tag[0] = '\0';
	while ((result = next_result(database)) != NULL)
	{
		ExecStatusType status = PQresultStatus(result);

		if (status == PGRES_COPY_IN)
		{
			PQclear(result);
			if (!send_rows(database, rows, length))
			{
				note_loss(database);
				break;
			}
			continue;
		}
		if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
		{
			PQclear(result);
			note_loss(database);	/* no statement of ours does that */
			break;
		}
		if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
			note_error(database, result);
		else
		{
			strlcpy(database->tag, PQcmdStatus(result), sizeof(database->tag));
			if (affected != NULL && strncmp(database->tag, "INSERT", 6) == 0)
				*affected += strtoll(PQcmdTuples(result), NULL, 10);
		}
		if (last == NULL || status == PGRES_TUPLES_OK || !database->answered)
		{
			PQclear(last);
			last = result;
		}
		else
			PQclear(result);
		database->answered |= status == PGRES_TUPLES_OK;
		if (database->outcome == RECSYS_OUTCOME_LOST)
			break;
	}
	if (database->outcome == RECSYS_OUTCOME_DONE && last == NULL)
		note_loss(database);
	if (database->outcome == RECSYS_OUTCOME_DONE)
		return last;
	PQclear(last);

	/* a standby, or a server that was made one: the next connection may find the primary */
	if (strcmp(database->sqlstate, "25006") == 0)
		database->outcome = RECSYS_OUTCOME_LOST;
	return NULL;
}

PGresult *
RecsysQuery(RecsysDatabase *database, const char *statement, int nparameters, const char *const *parameters)
{
	int			sent;

	if (database->connection == NULL)
	{
		database->outcome = RECSYS_OUTCOME_LOST;
		return NULL;
	}
	database->cancel_at = 0;
	sent = nparameters > 0 ? PQsendQueryParams(database->connection, statement, nparameters, NULL, parameters, NULL, NULL, 0)
		: PQsendQuery(database->connection, statement);
	if (!sent)
	{
		note_loss(database);
		return NULL;
	}
	if (database->sent != NULL)
	{
		PQflush(database->connection);
		database->sent();
	}
	return last_result(database, NULL, 0, NULL);
}

bool
RecsysExecute(RecsysDatabase *database, const char *statements, const char *rows, size_t length, int64 *affected)
{
	PGresult   *result;

	if (database->connection == NULL)
	{
		database->outcome = RECSYS_OUTCOME_LOST;
		return false;
	}
	database->cancel_at = 0;
	if (!PQsendQuery(database->connection, statements))
	{
		note_loss(database);
		return false;
	}
	result = last_result(database, rows, length, affected);
	PQclear(result);
	return database->outcome == RECSYS_OUTCOME_DONE;
}

/* What an error has left in message and outcome is what the caller wants to know, so it stays. */
bool
RecsysRollback(RecsysDatabase *database)
{
	RecsysDatabase aside = *database;
	bool		good;

	if (database->connection == NULL || database->outcome == RECSYS_OUTCOME_LOST)
		return false;
	if (PQtransactionStatus(database->connection) == PQTRANS_IDLE)
		return true;
	initPQExpBuffer(&aside.message);
	good = RecsysExecute(&aside, "ROLLBACK", NULL, 0, NULL);
	termPQExpBuffer(&aside.message);
	if (!good)
		database->outcome = RECSYS_OUTCOME_LOST;
	return good;
}

static void
pass_notice(void *argument, const PGresult *result)
{
	RecsysJournal(RECSYS_JOURNAL_DEBUG, "the server says: %s", PQresultErrorMessage(result));
}

/* As PQconnectdb(), but the hook is called and a signal ends it. */
static bool
open_connection(RecsysDatabase *database, const char *who)
{
	/* what the connection string says wins over what stands before it */
	const char *const names[] = {"fallback_application_name", "target_session_attrs", "client_encoding",
		"keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "dbname", NULL};
	const char *const values[] = {who, "read-write", "UTF8", "30", "10", "3", "60000", database->conninfo, NULL};
	int64		until = RecsysNow() + CONNECT_PATIENCE;
	PGconn	   *connection;

	connection = database->connection = PQconnectStartParams(names, values, 1);
	if (connection == NULL)
		return false;
	PQsetNoticeReceiver(connection, pass_notice, NULL);
	if (PQstatus(connection) == CONNECTION_BAD)
		return false;
	for (PostgresPollingStatusType wanted = PGRES_POLLING_WRITING; wanted != PGRES_POLLING_OK;)
	{
		RecsysWaitForSocket(PQsocket(connection), wanted == PGRES_POLLING_WRITING, 1000);
		if (database->hook != NULL)
			database->hook(database->argument);
		if (RecsysStopAsked || RecsysNow() > until)
		{
			keep_message(database, RecsysStopAsked ? "the program was told to stop" : "the server does not answer", NULL);
			return false;
		}
		if ((wanted = PQconnectPoll(connection)) == PGRES_POLLING_FAILED)
			return false;
	}
	return PQsetnonblocking(connection, 1) == 0;
}

/*
 * A session whose client is gone, with the machine or the network, is to end soon: its transaction would
 * hold what it has locked, and what it has put into unique indexes, until the server notices.  Not every
 * server can do all of that.
 */
static bool
ask_for_a_short_life(RecsysDatabase *database)
{
	static const char *const wishes[] = {
		"SET idle_in_transaction_session_timeout = '60s'",
		"SET client_connection_check_interval = '10s'",
		"SET tcp_keepalives_idle = 30",
		"SET tcp_keepalives_interval = 10",
		"SET tcp_keepalives_count = 3",
		"SET tcp_user_timeout = '60s'",
	};

	for (int number = 0; number < lengthof(wishes); number++)
		if (!RecsysExecute(database, wishes[number], NULL, 0, NULL) && database->outcome == RECSYS_OUTCOME_LOST)
			return false;
	return true;
}

bool
RecsysConnect(RecsysDatabase *database, const char *who)
{
	/*
	 * Values are read in these forms; transactions see what others have committed when they wait for a row,
	 * which stream_claim() relies on; a search path that holds nobody's operators.
	 */
	static const char *const ready =
		"SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1;"
		"SET bytea_output = 'hex'; SET standard_conforming_strings = on; SET search_path = pg_catalog, pg_temp;"
		"SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off;"
		"SET idle_session_timeout = 0; LISTEN recsys_stream";

	RecsysDisconnect(database);
	resetPQExpBuffer(&database->message);
	if (!open_connection(database, who))
	{
		database->outcome = RECSYS_OUTCOME_LOST;
		if (database->message.len == 0)
			keep_message(database, database->connection != NULL ? PQerrorMessage(database->connection) : "out of memory", NULL);
		RecsysDisconnect(database);
		return false;
	}
	if (!RecsysExecute(database, ready, NULL, 0, NULL) || !ask_for_a_short_life(database))
	{
		RecsysDisconnect(database);
		return false;
	}
	return true;
}

bool
RecsysNotified(RecsysDatabase *database, const char *stream)
{
	bool		called = false;
	PGnotify   *notify;

	if (database->connection == NULL)
		return false;
	PQconsumeInput(database->connection);	/* what is lost is found by the next statement */
	while ((notify = PQnotifies(database->connection)) != NULL)
	{
		called |= stream == NULL || strcmp(notify->extra, stream) == 0;
		PQfreemem(notify);
	}
	return called;
}
