/*
 * unsaid.h
 *	  Changes that VACUUM has not been able to put on a pending list.
 */
#ifndef RECSYS_UNSAID_H
#define RECSYS_UNSAID_H

#include "postgres.h"

#include "am/graph/graph.h"
#include "am/store/page.h"
#include "storage/block.h"
#include "utils/rel.h"

/* Can the index grow by so many bytes, and some more?  No promise: others grow, too. */
extern bool RecsysHasRoom(Relation index, uint64 bytes);

/*
 * RecordFreeIndexPage, unless that would have to enlarge a free space map on a disk
 * that is full.  What is not recorded the next VACUUM finds.
 */
extern void RecsysRecordFreePage(Relation index, BlockNumber block);

/*
 * Instead of putting events on a list: flags the items they name.  The caller sets
 * RECSYS_OWNER_UNSAID of the users in the step that removes their entries, and has
 * kept merges out (LockPage of the meta page) since before it locked anything.
 */
extern void RecsysNoteUnsaid(Relation index, const RecsysEvent *events, int nevents);

/* Flags one of them: rows of others may hold pairs with the item that are no longer so. */
extern void RecsysFlagItem(RecsysGraphReader *reader, uint32 item);

/* For merges: puts on lists what VACUUM could not.  Is there anything?  */
extern bool RecsysHasUnsaid(Relation index);
extern void RecsysSayUnsaid(Relation index);

#endif							/* RECSYS_UNSAID_H */
