/*
 * fieldsource.h
 *	  Where in a message, once it has been read, a field finds its value.
 */
#ifndef RECSYS_FIELDSOURCE_H
#define RECSYS_FIELDSOURCE_H

#include "postgres_fe.h"

#include "core/stream/streampath.h"
#include "stream/record/csvline.h"
#include "stream/record/pathtree.h"
#include "stream/record/streamrecord.h"
#include "stream/record/streamsettings.h"
#include "stream/record/streamvalue.h"

typedef struct RecsysFieldSource
{
	const RecsysStreamField *declared;
	RecsysStreamPath path;
	RecsysTimeUnit unit;
	bool		in_items;
	int			slot;			/* in the tree, if the path leads into one, or -1 */
	int			column;			/* of CSV, or -1 */
} RecsysFieldSource;

/* What was read of the message. */
typedef struct RecsysMessageParts
{
	RecsysPathTree *payload;
	RecsysPathTree *key;
	RecsysCsv  *csv;			/* NULL: the format is another one */
	char		digits[24];		/* of a number that the message does not have as text */
} RecsysMessageParts;

/*
 * What the message has for a field, in the item of that number; ABSENT if it has nothing.  False if it is a
 * record of CSV that is too short.  The value's text may be parts->digits: it is to be used before the next.
 */
extern bool RecsysFindValue(RecsysMessageParts *parts, const RecsysFieldSource *source,
							const RecsysStreamRecord *record, int item, RecsysStreamValue *value);

#endif							/* RECSYS_FIELDSOURCE_H */
