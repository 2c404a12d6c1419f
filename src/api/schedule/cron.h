/*
 * cron.h
 *	  pg_cron, if it is there: jobs of the current user in this database.
 */
#ifndef RECSYS_CRON_H
#define RECSYS_CRON_H

#include "postgres.h"

typedef enum RecsysCronPlace
{
	RECSYS_CRON_NONE,			/* the server was started without it */
	RECSYS_CRON_ELSEWHERE,		/* it takes its jobs from another database */
	RECSYS_CRON_NOT_CREATED,	/* this is its database, and its extension is missing */
	RECSYS_CRON_REFUSED,		/* the current user may not use it */
	RECSYS_CRON_HERE
} RecsysCronPlace;

typedef struct RecsysCron
{
	RecsysCronPlace place;
	const char *database;		/* that it takes its jobs from, NULL with RECSYS_CRON_NONE */
	const char *clock;			/* time zone of its schedules */
} RecsysCron;

extern void RecsysFindCron(RecsysCron *cron);

/*
 * The following need SPI, plain names (RecsysBeginPlainNames), and RECSYS_CRON_HERE.  Jobs are those
 * of the current user, whatever others call theirs.
 */

/* Writes the job, or replaces that of its name; returns its number. */
extern int64 RecsysCronSchedule(const char *job, const char *schedule, const char *command);

/* False if there is no such job. */
extern bool RecsysCronUnschedule(const char *job);

#endif							/* RECSYS_CRON_H */
