/*
 * merging.c
 *	  A process that merges indexes: see merging.h.
 *
 * What a stream brings is seen by recommend() at once for the user himself, and in the item graph after a
 * merge.  Where the library is preloaded, a background worker merges; elsewhere (managed clouds) nobody
 * would, so this process calls recsys.merge_pending() as the stream's owner.  Merges of one index exclude
 * each other, so several programs, or a worker that comes later, do no harm.
 */
#include "postgres_fe.h"

#include <unistd.h>

#include "stream/run/declaration.h"
#include "stream/run/journal.h"
#include "stream/run/merging.h"
#include "stream/run/signals.h"

#define LOOK_INTERVAL 5000		/* ms between looks at the declaration */

/*
 * Is the stream ours to merge for?  A RecsysExit if not.  Sets *interval to 0 while a background worker
 * merges: the setting is known only where the library is preloaded, as this session has not called it yet.
 */
static int
begin_merging(RecsysDatabase *database, const char *stream, int *interval, int64 *version)
{
	PGresult   *result;
	RecsysDeclaration *declaration;

	if (!RecsysConnect(database, "recsys-stream merging"))
		return RECSYS_EXIT_ERROR;
	result = RecsysQuery(database, "SELECT pg_catalog.current_setting('recsys.merge_interval', true)", 0, NULL);
	if (result == NULL)
		return RECSYS_EXIT_ERROR;
	*interval = PQgetisnull(result, 0, 0) || strcmp(PQgetvalue(result, 0, 0), "0") == 0 ? 1 : 0;
	PQclear(result);

	declaration = RecsysReadDeclaration(database, stream);
	if (declaration == NULL)
		return database->outcome == RECSYS_OUTCOME_DECLARATION ? RECSYS_EXIT_STOPPED : RECSYS_EXIT_ERROR;
	if (strcmp(declaration->state, "running") != 0 || declaration->settings.merge_interval <= 0)
		return RECSYS_EXIT_STOPPED;
	*interval *= declaration->settings.merge_interval;
	*version = declaration->settings.version;
	return RecsysBecomeOwner(database, declaration) ? RECSYS_EXIT_NOT_YET : RECSYS_EXIT_ERROR;
}

/* Does the stream run still, by the same declaration? */
static bool
is_declared_so(RecsysDatabase *database, const char *stream, int64 version)
{
	PGresult   *result = RecsysQuery(database, "SELECT version FROM recsys.stream_list()"
									 " WHERE stream OPERATOR(pg_catalog.=) $1 AND state OPERATOR(pg_catalog.=) 'running'", 1, &stream);
	bool		same = result != NULL && PQntuples(result) == 1 && strtoll(PQgetvalue(result, 0, 0), NULL, 10) == version;

	PQclear(result);
	return same;
}

int
RecsysMerge(const char *conninfo, const char *stream)
{
	RecsysDatabase database;
	pid_t		parent = getppid();
	int			interval = 0;
	int64		version = 0;
	int			ended;
	int64		merge_at;
	int64		look_at;

	RecsysDatabaseInit(&database, conninfo);
	ended = begin_merging(&database, stream, &interval, &version);
	if (ended == RECSYS_EXIT_ERROR && !RecsysStopAsked)
		RecsysJournal(RECSYS_JOURNAL_WARNING, "indexes cannot be merged: %s", database.message.data);
	if (interval == 0 && ended == RECSYS_EXIT_NOT_YET)
		RecsysJournal(RECSYS_JOURNAL_DEBUG, "a background worker merges");

	merge_at = RecsysNow();
	look_at = merge_at + LOOK_INTERVAL;
	while (ended == RECSYS_EXIT_NOT_YET && !RecsysStopAsked && getppid() == parent)
	{
		RecsysWaitForSocket(PQsocket(database.connection), false, interval > 0 ? Min(interval, 1000) : 1000);
		(void) RecsysNotified(&database, stream);	/* they would pile up */
		if (PQstatus(database.connection) == CONNECTION_BAD)
			ended = RECSYS_EXIT_ERROR;
		else if (RecsysNow() >= look_at)
		{
			/* another interval, or no merging at all? */
			if (!is_declared_so(&database, stream, version))
				ended = database.outcome == RECSYS_OUTCOME_DONE ? RECSYS_EXIT_CHANGED : RECSYS_EXIT_ERROR;
			look_at = RecsysNow() + LOOK_INTERVAL;
		}
		else if (interval > 0 && RecsysNow() >= merge_at)
		{
			if (!RecsysExecute(&database, "SELECT recsys.merge_pending()", NULL, 0, NULL))
			{
				if (!RecsysStopAsked)
					RecsysJournal(RECSYS_JOURNAL_WARNING, "indexes cannot be merged: %s", database.message.data);
				if (database.outcome == RECSYS_OUTCOME_LOST)
					ended = RECSYS_EXIT_ERROR;
			}
			merge_at = RecsysNow() + interval;
		}
	}
	RecsysDisconnect(&database);
	return ended == RECSYS_EXIT_NOT_YET ? RECSYS_EXIT_DONE : ended;
}
