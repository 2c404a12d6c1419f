/*
 * csvline.h
 *	  A message that is one record of CSV.
 *
 * The grammar is that of RFC 4180: values between delimiters, maybe in quotes, where a quote stands twice.
 * A value in quotes may have line feeds in it; one line feed may end the record.  As in COPY, nothing
 * without quotes is no value at all, and nothing in quotes is an empty text.
 */
#ifndef RECSYS_CSVLINE_H
#define RECSYS_CSVLINE_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"
#include "stream/record/streamsettings.h"
#include "stream/record/streamvalue.h"

typedef struct RecsysCsv RecsysCsv;

/*
 * From the options of a stream: delimiter (one letter, or \t), quote (one letter, or none), null (what
 * stands for no value) and header (the names of columns, as a record or as a JSON array).  NULL, and one
 * sentence in fault, if they make no sense.
 */
extern RecsysCsv *RecsysCsvCreate(const RecsysStreamOption *options, int noptions, PQExpBuffer fault);
extern void RecsysCsvFree(RecsysCsv *csv);

/* The number of a column, from 0, by its name in the header or its number from 1; -1 if there is none. */
extern int	RecsysCsvColumn(const RecsysCsv *csv, const char *name);

/* Takes a record apart, for valid UTF-8.  False: reason says why it is none. */
extern bool RecsysCsvParse(RecsysCsv *csv, const char *text, size_t length, PQExpBuffer reason);

/* A value of the record that was parsed last; false if it has no so many. */
extern bool RecsysCsvValue(const RecsysCsv *csv, int column, RecsysStreamValue *value);

#endif							/* RECSYS_CSVLINE_H */
