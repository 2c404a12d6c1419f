/*
 * streamrecord.h
 *	  A message as it comes from the broker, before anything is known of what is in it.
 *
 * Nothing is copied: what a record points to belongs to the message, which outlives it.
 */
#ifndef RECSYS_STREAMRECORD_H
#define RECSYS_STREAMRECORD_H

#include "postgres_fe.h"

typedef struct RecsysStreamHeader
{
	const char *name;
	const char *value;			/* NULL if it has none */
	size_t		length;
} RecsysStreamHeader;

typedef struct RecsysStreamRecord
{
	const char *topic;
	int32		partition;
	int64		offset;
	int64		timestamp;		/* milliseconds since 1970, -1 if there is none */
	const char *key;			/* NULL if there is none */
	size_t		key_length;
	const char *payload;		/* NULL for a tombstone */
	size_t		payload_length;
	const RecsysStreamHeader *headers;	/* filled only if RecsysDecoderNeedsHeaders() */
	int			nheaders;
} RecsysStreamRecord;

#endif							/* RECSYS_STREAMRECORD_H */
