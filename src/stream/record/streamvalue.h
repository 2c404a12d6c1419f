/*
 * streamvalue.h
 *	  A value that a path has led to, still as the message has it.
 *
 * Its text belongs to the message or to whoever found it, until the next message.
 */
#ifndef RECSYS_STREAMVALUE_H
#define RECSYS_STREAMVALUE_H

#include "postgres_fe.h"

typedef enum RecsysValueKind
{
	RECSYS_VALUE_ABSENT,		/* the path led nowhere */
	RECSYS_VALUE_NULL,
	RECSYS_VALUE_BOOLEAN,		/* text is true or false */
	RECSYS_VALUE_NUMBER,		/* in JSON's grammar, all digits as they are in the message */
	RECSYS_VALUE_TEXT,			/* valid UTF-8 without null bytes */
	RECSYS_VALUE_STRING,		/* what is between the quotes of a JSON string, which stand around it */
	RECSYS_VALUE_DOCUMENT,		/* an object or an array, as JSON */
	RECSYS_VALUE_BYTES,			/* any bytes */
	RECSYS_VALUE_TIME,			/* a moment */
	RECSYS_VALUE_DAY			/* a day */
} RecsysValueKind;

typedef struct RecsysStreamValue
{
	RecsysValueKind kind;
	const char *text;
	size_t		length;
	int64		time;			/* TIME: microseconds since 1970 in UTC; DAY: days since 1970 */
} RecsysStreamValue;

#endif							/* RECSYS_STREAMVALUE_H */
