/*
 * consumer.h
 *	  A process that consumes: one consumer of the stream's group, one connection to the database.
 *
 * It has one loop, and no threads of its own.  It lives for one version of one declaration: when that
 * changes, when the stream is paused or fails, it ends, and its supervisor sees what is to be done.
 */
#ifndef RECSYS_CONSUMER_H
#define RECSYS_CONSUMER_H

#include "stream/run/apply.h"
#include "stream/run/programfile.h"

/* How a process ends */
typedef enum RecsysExit
{
	RECSYS_EXIT_DONE = 0,		/* it was told to stop, or (--once) has read all there was */
	RECSYS_EXIT_ERROR = 1,		/* try again, later */
	RECSYS_EXIT_USAGE = 2,
	RECSYS_EXIT_STOPPED = 3,	/* the stream does not run: paused, failed, dropped */
	RECSYS_EXIT_CHANGED = 4,	/* there is a new declaration: try again now */
	RECSYS_EXIT_LOST = 5		/* (--once) some partitions are lost */
} RecsysExit;

#define RECSYS_EXIT_NOT_YET (-1)

typedef struct RecsysConsumer
{
	const char *stream;
	const RecsysProgramFile *file;
	int			job;
	bool		once;
	char		name[128];		/* host:process, for those who look */

	RecsysDatabase database;
	RecsysDeclaration *declaration;
	RecsysDecoder *decoder;
	RecsysAssignment assignment;
	RecsysBatch batch;
	RecsysApply apply;

	int			ended;			/* RecsysExit, or NOT_YET */
	int			failures;		/* of the database, in a row */
	int64		connect_at;
	int64		heartbeat_at;
	int64		advance_at;		/* when an advance over what is no message is due */
	int64		progress_at;	/* when a batch was written last */
	bool		notified;
	int64		heed_at;		/* when a notification may be heeded */
	int64		broker_at;		/* when the broker is told where reading stands */
	char		told[512];		/* the last message that the database was told */
} RecsysConsumer;

/* The process's main function; the parent's connection has been forgotten.  Returns a RecsysExit. */
extern int	RecsysConsume(const char *conninfo, const char *stream, const RecsysProgramFile *file, int job, bool once);

#endif							/* RECSYS_CONSUMER_H */
