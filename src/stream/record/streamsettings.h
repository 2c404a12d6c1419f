/*
 * streamsettings.h
 *	  A stream as recsys.create_stream() has declared it, and what the program's own file adds.
 *
 * The declaration is read by recsys.stream_settings(), as rows of section, number, name and value; what
 * does not belong into a database, keys and passwords, stands in the file (recsys-stream --config).
 */
#ifndef RECSYS_STREAMSETTINGS_H
#define RECSYS_STREAMSETTINGS_H

#include "postgres_fe.h"

typedef enum RecsysStreamFormat
{
	RECSYS_STREAM_JSON,
	RECSYS_STREAM_AVRO,
	RECSYS_STREAM_CSV,
	RECSYS_STREAM_TEXT
} RecsysStreamFormat;

/* what a column wants: how a value of the message is written for it */
typedef enum RecsysFieldKind
{
	RECSYS_FIELD_TEXT,			/* as it is; what is no scalar, as JSON */
	RECSYS_FIELD_TIME,			/* a timestamp or date: numbers since 1970 become ISO 8601 in UTC */
	RECSYS_FIELD_DOCUMENT,		/* json, jsonb: scalars too are JSON */
	RECSYS_FIELD_ARRAY,			/* an array: a JSON array as JSON, a scalar as a JSON array of one */
	RECSYS_FIELD_BYTES			/* bytea: the text's bytes, as \x… */
} RecsysFieldKind;

/* how identifiers are made unrecognizable, by the type of the column */
typedef enum RecsysPseudonymKind
{
	RECSYS_PSEUDONYM_NONE,
	RECSYS_PSEUDONYM_TEXT,		/* 128 bits as 22 letters of base64url */
	RECSYS_PSEUDONYM_UUID,		/* 122 bits as a UUID of version 8 */
	RECSYS_PSEUDONYM_BIGINT		/* 63 bits, greater than zero */
} RecsysPseudonymKind;

/* a number since 1970 is of this unit */
typedef enum RecsysTimeUnit
{
	RECSYS_TIME_AUTO,			/* by its size */
	RECSYS_TIME_SECONDS,
	RECSYS_TIME_MILLISECONDS,
	RECSYS_TIME_MICROSECONDS
} RecsysTimeUnit;

typedef struct RecsysStreamField
{
	char	   *name;			/* the column, or how the filter calls it */
	char	   *source;			/* where in the message it is: a path, or $key, $timestamp … */
	RecsysFieldKind kind;
	RecsysTimeUnit unit;
	RecsysPseudonymKind pseudonym;
	char	   *fallback;		/* what to take where the message has none, or NULL */
} RecsysStreamField;

typedef struct RecsysStreamOption
{
	char	   *name;
	char	   *value;
} RecsysStreamOption;

typedef enum RecsysTombstones
{
	RECSYS_TOMBSTONES_SKIP,
	RECSYS_TOMBSTONES_DELETE,
	RECSYS_TOMBSTONES_REJECT
} RecsysTombstones;

typedef struct RecsysStreamSettings
{
	char	   *name;
	int64		version;		/* changes with each change of the declaration */
	char	   *owner;			/* the role that rows are written as */
	char	   *brokers;
	char	   *topic;
	char	   *group;
	RecsysStreamFormat format;
	RecsysTombstones tombstones;
	char	   *consent;		/* path of what must be true for a message to be kept, or NULL */
	bool		keep_payload;	/* may payloads stand in the table of errors? */
	int			max_rows;		/* messages in a transaction */
	int			max_delay;		/* milliseconds that a message waits for others */
	int			jobs;			/* processes that consume */
	int			merge_interval; /* milliseconds between merges of the target's indexes, 0: never */
	RecsysStreamField *fields;
	int			nfields;
	RecsysStreamOption *config; /* of librdkafka */
	int			nconfig;
	RecsysStreamOption *options;	/* of the format */
	int			noptions;
	char	   *stage;			/* CREATE TEMP TABLE of what is copied to the server */
	char	   *copy;			/* COPY into that */
	char	  **apply;			/* statements that take it from there into the target, in order */
	int			napply;
} RecsysStreamSettings;

#endif							/* RECSYS_STREAMSETTINGS_H */
