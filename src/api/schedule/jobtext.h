/*
 * jobtext.h
 *	  Jobs as text: their names, schedules, and lines that make them without pg_cron at hand.
 */
#ifndef RECSYS_JOBTEXT_H
#define RECSYS_JOBTEXT_H

#include "postgres.h"

/* "recsys home refresh"; a long name is cut, and told from others by a hash. */
extern char *RecsysJobName(const char *recommender, const char *kind);

/* Errors out unless it may be a schedule; pg_cron knows more of them than this. */
extern void RecsysCheckSchedule(const char *argument, const char *schedule);

/* A line of a crontab; NULL where there can be none. */
extern char *RecsysCrontabLine(const char *schedule, const char *command, const char *database);

/* The statement that writes the job from the database that pg_cron takes its jobs from. */
extern char *RecsysCronStatement(const char *job, const char *schedule, const char *command,
								 const char *database);

#endif							/* RECSYS_JOBTEXT_H */
