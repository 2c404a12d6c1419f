/*
 * listentry.h
 *	  Entries of lists, packed as they are stored and unpacked.
 */
#ifndef RECSYS_LISTENTRY_H
#define RECSYS_LISTENTRY_H

#include "am/store/meta.h"
#include "am/store/page.h"
#include "compat.h"

/* A growing array of entries */
typedef struct RecsysEntryArray
{
	RecsysEntry *entries;
	uint32		count;
	uint32		size;
} RecsysEntryArray;

extern void RecsysPackEntry(char *dest, RecsysSide side, const RecsysMetaData *meta,
							const RecsysEntry *entry);
extern void RecsysUnpackEntry(const char *src, RecsysSide side, const RecsysMetaData *meta,
							  RecsysEntry *entry);

/* Appends entries to the array; errors out if one has a TID that is none. */
extern void RecsysUnpackEntries(Relation index, RecsysSide side, const char *packed, int count,
								RecsysEntryArray *array);

/* Errors out: an entry has a TID that is none. */
pg_noreturn extern void RecsysInvalidTid(Relation index);

#endif							/* RECSYS_LISTENTRY_H */
