/*
 * writer.h
 *	  Writing one side of the interaction graph during a build.
 */
#ifndef RECSYS_WRITER_H
#define RECSYS_WRITER_H

#include "am/store/meta.h"
#include "am/store/page.h"
#include "core/rows/history.h"

typedef struct RecsysSideWriter RecsysSideWriter;

/* meta must have seed, kinds, weighted and timed; fillfactor is in percent. */
extern RecsysSideWriter *RecsysSideWriterCreate(Relation index, ForkNumber fork, RecsysSide side,
												const RecsysMetaData *meta, int fillfactor);

/*
 * Owners come in ascending order of their tree hash, each with all its entries
 * in any order.
 */
extern void RecsysSideWriterStart(RecsysSideWriter *writer, const RecsysKey *key, uint32 hash,
								  uint32 number);
extern void RecsysSideWriterEntry(RecsysSideWriter *writer, const RecsysEntry *entry);

/*
 * User side: before the end of an owner, marks his entries with one of the items,
 * which ascend.  It goes with RECSYS_OWNER_MARKED.
 */
extern void RecsysSideWriterMark(RecsysSideWriter *writer, const RecsysHistoryItem *items, int count);
extern void RecsysSideWriterEnd(RecsysSideWriter *writer, uint16 flags);	/* RECSYS_OWNER_… */

/* Writes what is left and the directory; frees the writer. */
extern void RecsysSideWriterFinish(RecsysSideWriter *writer);

#endif							/* RECSYS_WRITER_H */
