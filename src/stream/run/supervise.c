/*
 * supervise.c
 *	  The parent process: see supervise.h.
 *
 * It has a connection of its own, by which it knows the streams and their states, and nothing else: no
 * message, no thread, nothing of librdkafka, which must not be there when a process is forked.  What it
 * forgets when it dies is in the database.  Its children end when it does.
 *
 * A child ends when its stream is paused, fails or is declared anew, and when something goes wrong; here
 * is decided whether another one is started, now or later.
 */
#include "postgres_fe.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "stream/run/consumer.h"
#include "stream/run/journal.h"
#include "stream/run/merging.h"
#include "stream/run/signals.h"
#include "stream/run/supervise.h"

#define LIST_INTERVAL 5000		/* ms between looks at the streams, which NOTIFY makes sooner */
#define LONG_LIFE 60000			/* ms after which a process's end is no failure of its start */
#define STOP_PATIENCE 30000		/* ms until children that were told to stop are killed */
#define MOST_JOBS 64			/* of a stream, whatever is declared */

typedef struct Child
{
	char	   *stream;
	int			job;			/* from 1; 0 merges */
	bool		wanted;
	pid_t		process;		/* 0: none */
	int64		started;
	int64		start_at;
	int			failures;
} Child;

typedef struct Supervisor
{
	const RecsysOrders *orders;
	RecsysProgramFile *file;
	RecsysDatabase database;
	Child	   *children;
	int			nchildren;
	int64		connect_at;
	int64		list_at;
	int64		listed_at;
	int			failures;
	bool		stopping;
	bool		listed;			/* once at least */
	int			status;			/* --once: of the worst child */
} Supervisor;

const char *
RecsysConninfo(const RecsysOrders *orders, const RecsysProgramFile *file)
{
	return orders->conninfo != NULL ? orders->conninfo : file->dbname;
}

static void
run_child(Supervisor *supervisor, Child *child, pid_t parent)
{
	const RecsysOrders *orders = supervisor->orders;
	const char *conninfo = RecsysConninfo(orders, supervisor->file);
	char		who[128];

#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
	if (getppid() != parent)
		_exit(RECSYS_EXIT_ERROR);
	RecsysForgetConnection(&supervisor->database);
	RecsysReloadAsked = 0;
	if (child->job > 0)
		snprintf(who, sizeof(who), "%s/%d", child->stream, child->job);
	else
		snprintf(who, sizeof(who), "%s/merging", child->stream);
	RecsysJournalOpen(who, orders->verbose);
	/* librdkafka's threads may run still: nothing is to be torn down beneath them */
	_exit(child->job > 0 ? RecsysConsume(conninfo, child->stream, supervisor->file, child->job, orders->once)
		  : RecsysMerge(conninfo, child->stream));
}

static void
start_child(Supervisor *supervisor, Child *child)
{
	pid_t		parent = getpid();
	pid_t		process;

	fflush(NULL);
	process = fork();
	if (process == 0)
		run_child(supervisor, child, parent);
	child->started = RecsysNow();
	if (process < 0)
	{
		RecsysJournal(RECSYS_JOURNAL_ERROR, "a process cannot be started: %s", strerror(errno));
		child->start_at = child->started + RecsysBackoff(child->failures++);
		return;
	}
	child->process = process;
	RecsysJournal(RECSYS_JOURNAL_DEBUG, "stream \"%s\": process %d for job %d", child->stream, (int) process, child->job);
}

/* A child has ended: is that a failure, and when is there to be another one? */
static void
note_end(Supervisor *supervisor, Child *child, int status)
{
	int64		now = RecsysNow();
	int			ended = WIFEXITED(status) ? WEXITSTATUS(status) : RECSYS_EXIT_ERROR;

	child->process = 0;
	if (now - child->started > LONG_LIFE)
		child->failures = 0;
	if (WIFSIGNALED(status))
		RecsysJournal(RECSYS_JOURNAL_ERROR, "stream \"%s\": process for job %d was ended by signal %d", child->stream, child->job, WTERMSIG(status));
	if (supervisor->orders->once)
	{
		supervisor->status = supervisor->status != RECSYS_EXIT_DONE ? supervisor->status
			: ended == RECSYS_EXIT_CHANGED ? RECSYS_EXIT_ERROR : ended;
		child->wanted = false;
		return;
	}
	if (ended == RECSYS_EXIT_STOPPED)
	{
		/* not before the database has been asked again */
		child->wanted = false;
		child->failures = 0;
	}
	child->start_at = ended == RECSYS_EXIT_ERROR ? now + RecsysBackoff(child->failures++)
		: ended == RECSYS_EXIT_CHANGED && now - child->started < 1000 ? now + RecsysBackoff(1) : now;
	supervisor->list_at = Min(supervisor->list_at, Max(child->start_at, supervisor->listed_at + 1000));
}

static void
reap_children(Supervisor *supervisor)
{
	int			status;
	pid_t		process;

	RecsysChildEnded = 0;
	while ((process = waitpid(-1, &status, WNOHANG)) > 0)
		for (int number = 0; number < supervisor->nchildren; number++)
			if (supervisor->children[number].process == process)
				note_end(supervisor, &supervisor->children[number], status);
}

static void
want_child(Supervisor *supervisor, const char *stream, int job)
{
	Child	   *child;

	for (int number = 0; number < supervisor->nchildren; number++)
	{
		child = &supervisor->children[number];
		if (child->job == job && strcmp(child->stream, stream) == 0)
		{
			child->wanted = true;
			return;
		}
	}
	supervisor->children = pg_realloc(supervisor->children, (supervisor->nchildren + 1) * sizeof(Child));
	child = &supervisor->children[supervisor->nchildren++];
	memset(child, 0, sizeof(*child));
	child->stream = pg_strdup(stream);
	child->job = job;
	child->wanted = true;
}

static bool
is_ordered(const RecsysOrders *orders, const char *stream)
{
	for (int number = 0; number < orders->nstreams; number++)
		if (strcmp(orders->streams[number], stream) == 0)
			return true;
	return orders->nstreams == 0;
}

/* How many processes a stream is to have, and whether one of them merges */
static bool
read_jobs(Supervisor *supervisor, const char *stream, int *jobs, bool *merges)
{
	PGresult   *result = RecsysQuery(&supervisor->database,
									 "SELECT name, value FROM recsys.stream_settings($1) WHERE section OPERATOR(pg_catalog.=) 'stream'"
									 " AND name OPERATOR(pg_catalog.=) ANY ('{jobs,merge_interval}')", 1, &stream);

	if (result == NULL)
		return false;
	*jobs = 1;
	*merges = false;
	for (int row = 0; row < PQntuples(result); row++)
	{
		int			value = atoi(PQgetvalue(result, row, 1));

		if (strcmp(PQgetvalue(result, row, 0), "jobs") == 0)
			*jobs = value;
		else
			*merges = value > 0;
	}
	PQclear(result);
	if (supervisor->orders->jobs > 0)
		*jobs = supervisor->orders->jobs;
	if (supervisor->orders->once)
	{
		*jobs = 1;
		*merges = false;
	}
	*jobs = Max(1, Min(*jobs, MOST_JOBS));
	return true;
}

/* Which children are wanted, by the streams and their states */
static bool
list_streams(Supervisor *supervisor)
{
	const RecsysOrders *orders = supervisor->orders;
	PGresult   *result = RecsysQuery(&supervisor->database, "SELECT stream, state FROM recsys.stream_list()", 0, NULL);
	int			found = 0;
	bool		good = result != NULL;

	if (!good)
		return false;
	for (int number = 0; number < supervisor->nchildren; number++)
		supervisor->children[number].wanted = false;
	for (int row = 0; row < PQntuples(result) && good; row++)
	{
		const char *stream = PQgetvalue(result, row, 0);
		const char *state = PQgetvalue(result, row, 1);
		int			jobs;
		bool		merges;

		if (!is_ordered(orders, stream))
			continue;
		found++;
		if (strcmp(state, "running") != 0)
		{
			if (orders->once)
			{
				RecsysJournal(RECSYS_JOURNAL_ERROR, "the stream \"%s\" is %s", stream, state);
				supervisor->status = RECSYS_EXIT_STOPPED;
			}
			continue;
		}
		if (!read_jobs(supervisor, stream, &jobs, &merges))
		{
			/* one that cannot be read must not stop the others; dropped meanwhile, perhaps */
			good = supervisor->database.outcome != RECSYS_OUTCOME_LOST;
			RecsysJournal(RECSYS_JOURNAL_WARNING, "stream \"%s\": %s", stream, supervisor->database.message.data);
			continue;
		}
		for (int job = 1; job <= jobs; job++)
			want_child(supervisor, stream, job);
		if (merges)
			want_child(supervisor, stream, 0);
	}
	PQclear(result);
	if (good && found == 0 && !supervisor->listed)
		RecsysJournal(RECSYS_JOURNAL_WARNING, "there is no stream that this role may run%s", orders->once ? "" : "; waiting for one");
	if (good && found < orders->nstreams && orders->once)
		supervisor->status = RECSYS_EXIT_ERROR;
	supervisor->listed |= good;
	return good;
}

/* Keeps children as the list is; looks at the list when it is time. */
static void
look_after(Supervisor *supervisor)
{
	int64		now = RecsysNow();
	RecsysDatabase *database = &supervisor->database;

	if (database->connection == NULL && now >= supervisor->connect_at)
	{
		if (RecsysConnect(database, "recsys-stream"))
			supervisor->list_at = now;
		else
		{
			RecsysJournal(RECSYS_JOURNAL_WARNING, "%s", database->message.data);
			supervisor->connect_at = RecsysNow() + RecsysBackoff(supervisor->failures++);
			if (supervisor->orders->once && supervisor->failures >= 6)
			{
				supervisor->status = RECSYS_EXIT_ERROR;
				RecsysStopAsked = 1;
			}
		}
	}

	/* everybody may call NOTIFY: once a second must do */
	if (RecsysNotified(database, NULL))
		supervisor->list_at = Min(supervisor->list_at, Max(now, supervisor->listed_at + 1000));
	if (database->connection != NULL && !(supervisor->orders->once && supervisor->listed) && now >= supervisor->list_at)
	{
		supervisor->list_at = now + LIST_INTERVAL;
		supervisor->listed_at = now;
		if (list_streams(supervisor))
			supervisor->failures = 0;
		else
		{
			RecsysJournal(RECSYS_JOURNAL_WARNING, "%s", database->message.data);
			if (database->outcome == RECSYS_OUTCOME_LOST)
				RecsysDisconnect(database);
			supervisor->connect_at = supervisor->list_at = RecsysNow() + RecsysBackoff(supervisor->failures++);
			if (supervisor->orders->once && supervisor->failures >= 6)
			{
				supervisor->status = RECSYS_EXIT_ERROR;
				RecsysStopAsked = 1;
			}
		}
	}
	for (int number = 0; number < supervisor->nchildren; number++)
	{
		Child	   *child = &supervisor->children[number];

		if (child->process == 0 && child->wanted && child->start_at <= now)
			start_child(supervisor, child);
	}
}

static int
count_children(const Supervisor *supervisor, int signal)
{
	int			running = 0;

	for (int number = 0; number < supervisor->nchildren; number++)
		if (supervisor->children[number].process != 0)
		{
			running++;
			if (signal != 0)
				kill(supervisor->children[number].process, signal);
		}
	return running;
}

/* Ends all children; their batches are written, and the group is left. */
static void
stop_children(Supervisor *supervisor)
{
	int64		kill_at = RecsysNow() + STOP_PATIENCE;

	count_children(supervisor, SIGTERM);
	for (reap_children(supervisor); count_children(supervisor, 0) > 0; reap_children(supervisor))
	{
		RecsysWaitForSocket(-1, false, 50);
		if (RecsysNow() >= kill_at)
		{
			RecsysJournal(RECSYS_JOURNAL_WARNING, "processes that do not stop are killed");
			count_children(supervisor, SIGKILL);
			kill_at = RecsysNow() + STOP_PATIENCE;
		}
	}
}

static bool
read_file(Supervisor *supervisor)
{
	PQExpBufferData fault;
	RecsysProgramFile *file;

	initPQExpBuffer(&fault);
	file = RecsysReadProgramFile(supervisor->orders->file, &fault);
	if (file == NULL)
		RecsysJournal(RECSYS_JOURNAL_ERROR, "%s", fault.data);
	else
		supervisor->file = file;	/* the old one's strings may be in use still; there are few of them */
	termPQExpBuffer(&fault);
	return file != NULL;
}

/*
 * HUP: the file is read again, and all begin anew with it; if it is faulty, all goes on with the old one.
 * So it does if nothing has changed: a server that runs this program hands every reload of its own on, and
 * processes that begin anew take seconds to join their group.
 */
static void
reload(Supervisor *supervisor)
{
	RecsysProgramFile *before = supervisor->file;

	RecsysReloadAsked = 0;
	if (!read_file(supervisor))
		return;
	if (RecsysSameProgramFile(before, supervisor->file))
	{
		RecsysJournal(RECSYS_JOURNAL_INFO, "the file was read again, and nothing in it has changed");
		return;
	}
	RecsysJournal(RECSYS_JOURNAL_INFO, "the file was read again; the processes begin anew");
	stop_children(supervisor);
	RecsysDisconnect(&supervisor->database);
	supervisor->database.conninfo = RecsysConninfo(supervisor->orders, supervisor->file);
	supervisor->connect_at = supervisor->list_at = 0;
}

int
RecsysSupervise(const RecsysOrders *orders)
{
	Supervisor	supervisor;

	memset(&supervisor, 0, sizeof(supervisor));
	supervisor.orders = orders;
	if (!read_file(&supervisor))
		return RECSYS_EXIT_USAGE;
	RecsysDatabaseInit(&supervisor.database, RecsysConninfo(orders, supervisor.file));
	RecsysJournal(RECSYS_JOURNAL_INFO, "recsys-stream %s begins", RECSYS_STREAM_VERSION);
	while (!RecsysStopAsked)
	{
		if (RecsysReloadAsked)
			reload(&supervisor);
		reap_children(&supervisor);
		look_after(&supervisor);
		if (orders->once && supervisor.listed && count_children(&supervisor, 0) == 0)
			break;
		if (!RecsysChildEnded)
			RecsysWaitForSocket(supervisor.database.connection != NULL ? PQsocket(supervisor.database.connection) : -1,
								false, 250);
	}
	stop_children(&supervisor);
	RecsysDisconnect(&supervisor.database);
	RecsysJournal(RECSYS_JOURNAL_INFO, "recsys-stream ends");
	return supervisor.status;
}
