/*
 * database.h
 *	  The connection to the server: statements, one after the other, and what came of them.
 *
 * Statements are sent without blocking, and while the answer is awaited the caller's hook is called now and
 * then: a statement that waits for a lock must not cost a consumer its place in the group.
 */
#ifndef RECSYS_DATABASE_H
#define RECSYS_DATABASE_H

#include "postgres_fe.h"

#include "libpq-fe.h"
#include "pqexpbuffer.h"
#include "stream/run/outcome.h"

typedef struct RecsysDatabase
{
	const char *conninfo;
	PGconn	   *connection;		/* NULL while there is none */
	RecsysOutcome outcome;		/* of the last statement; of calls unless rows are said to be written */
	char		sqlstate[6];
	bool		answered;		/* the last statements returned rows, even if one after that failed */
	char		tag[64];		/* of the last statement that succeeded: COMMIT, INSERT … */
	PQExpBufferData message;	/* of the last error, in one line */
	bool		writes_rows;	/* statements write rows of messages: RecsysRowsOutcome */
	void		(*hook) (void *argument);	/* called at least each second of a wait, or NULL */
	void	   *argument;
	void		(*sent) (void);	/* called when a query is on its way, or NULL: a test may stop the program there */
	int64		cancel_at;		/* a statement that takes longer is cancelled; 0: never */
} RecsysDatabase;

extern void RecsysDatabaseInit(RecsysDatabase *database, const char *conninfo);

/* Connects and makes the session ready; who: for pg_stat_activity.  false, with message, if that fails. */
extern bool RecsysConnect(RecsysDatabase *database, const char *who);
extern void RecsysDisconnect(RecsysDatabase *database);

/* In a child: forgets the parent's connection without ending it. */
extern void RecsysForgetConnection(RecsysDatabase *database);

/*
 * One statement with parameters as text, or several without.  The rows of the last one that returns any, or
 * an empty result; NULL if one fails.
 */
extern PGresult *RecsysQuery(RecsysDatabase *database, const char *statement, int nparameters,
							 const char *const *parameters);

/* Several statements without results of interest; what of them is COPY FROM STDIN reads rows. */
extern bool RecsysExecute(RecsysDatabase *database, const char *statements, const char *rows, size_t length,
						  int64 *affected);

/* Rolls a transaction back, if there is one. */
extern bool RecsysRollback(RecsysDatabase *database);

/* Did somebody call NOTIFY for this stream (NULL: for any) since the last look? */
extern bool RecsysNotified(RecsysDatabase *database, const char *stream);

#endif							/* RECSYS_DATABASE_H */
