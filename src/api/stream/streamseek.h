/*
 * streamseek.h
 *	  Where a partition is to begin, as text: earliest, latest, or milliseconds since 1970.
 */
#ifndef RECSYS_STREAMSEEK_H
#define RECSYS_STREAMSEEK_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* -infinity is earliest, infinity is latest. */
extern char *RecsysStreamSeekAt(TimestampTz time);

/* What has been written: earliest, latest, milliseconds since 1970 or a timestamp; errors out otherwise. */
extern char *RecsysStreamSeekOf(const char *text);

#endif							/* RECSYS_STREAMSEEK_H */
