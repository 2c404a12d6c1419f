/*
 * fieldtext.h
 *	  A value of the message as what its column wants.
 */
#ifndef RECSYS_FIELDTEXT_H
#define RECSYS_FIELDTEXT_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"
#include "stream/record/keyedpseudonym.h"
#include "stream/record/streamsettings.h"
#include "stream/record/streamvalue.h"

typedef struct RecsysFieldWriter
{
	RecsysPseudonyms *pseudonyms;	/* NULL: no field has any */
	int64		time;			/* of the message, milliseconds since 1970: which secret counts */
	PQExpBuffer scratch;
	PQExpBuffer more_scratch;
} RecsysFieldWriter;

/*
 * Appends the value to a row of COPY; false: reason says why it cannot be one of that field.  What the
 * message says is not repeated there: a reason is seen by more people than messages are.
 */
extern bool RecsysWriteField(RecsysFieldWriter *writer, const RecsysStreamField *field, RecsysTimeUnit unit,
							 const RecsysStreamValue *value, PQExpBuffer row, PQExpBuffer reason);

/*
 * The value as text: a string without its escapes, a number as it is.  False: fault is the end of a sentence
 * on why there is none.
 */
extern bool RecsysValueText(const RecsysStreamValue *value, PQExpBuffer scratch, const char **text,
							size_t *length, const char **fault);

#endif							/* RECSYS_FIELDTEXT_H */
