/*
 * historyfile.h
 *	  Folded histories in a temporary file, to be read several times.
 */
#ifndef RECSYS_HISTORYFILE_H
#define RECSYS_HISTORYFILE_H

#include "postgres.h"

#include "core/pairs/cooccurrence.h"
#include "core/rows/chronology.h"
#include "storage/dsm.h"

typedef struct RecsysHistoryFile RecsysHistoryFile;

/*
 * shared: so that parallel workers can open it.  If that is not possible, as
 * there is a limit on shared memory segments, the file is private.
 */
extern RecsysHistoryFile *RecsysHistoryFileCreate(uint32 nitems, bool weighted, int max_history,
												  bool shared);

/* From now on histories have places, too; before the first one is written or read. */
extern void RecsysHistoryFileKeepPlaces(RecsysHistoryFile *file);

extern void RecsysHistoryFileAppend(RecsysHistoryFile *file, const RecsysHistoryItem *items,
									int count);

/* Everything has been appended; from now on the file is read only.  Before the first reading. */
extern void RecsysHistoryFileFinish(RecsysHistoryFile *file);

/* What a worker opens it by; false for a private file. */
extern bool RecsysHistoryFileHandle(const RecsysHistoryFile *file, dsm_handle *handle);

/* In a worker; NULL if the leader has gone. */
extern RecsysHistoryFile *RecsysHistoryFileOpen(uint32 nitems, bool weighted, int max_history,
												dsm_handle handle);

/* The same histories without their weights, finished. */
extern RecsysHistoryFile *RecsysHistoryFileWithoutWeights(RecsysHistoryFile *file, bool shared);

/* The histories from the first one on, again and again */
extern void RecsysHistoryFileStream(RecsysHistoryFile *file, RecsysUserStream *stream);

/* Closes it; the last one to close it deletes it. */
extern void RecsysHistoryFileClose(RecsysHistoryFile *file);

#endif							/* RECSYS_HISTORYFILE_H */
