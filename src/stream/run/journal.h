/*
 * journal.h
 *	  What the program tells those who run it: lines on standard error.
 *
 * Under systemd a line begins with its priority, as journald reads it, and has no time, which journald
 * knows; elsewhere it begins with the time.  A line is written at once, so that those of several processes
 * and of librdkafka's threads do not mix; control characters in it, which may come from a message or a
 * broker, are shown as spaces.
 */
#ifndef RECSYS_JOURNAL_H
#define RECSYS_JOURNAL_H

#include "postgres_fe.h"

/* as syslog numbers them */
typedef enum RecsysJournalLevel
{
	RECSYS_JOURNAL_ERROR = 3,
	RECSYS_JOURNAL_WARNING = 4,
	RECSYS_JOURNAL_INFO = 6,
	RECSYS_JOURNAL_DEBUG = 7
} RecsysJournalLevel;

/* Whose lines follow: a stream and a process, as in "clicks/2"; at first "recsys-stream" alone. */
extern void RecsysJournalOpen(const char *who, bool verbose);
extern void RecsysJournal(RecsysJournalLevel level, const char *format,...) pg_attribute_printf(2, 3);

#endif							/* RECSYS_JOURNAL_H */
