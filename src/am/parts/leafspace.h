/*
 * leafspace.h
 *	  The virtual TIDs of one leaf: writing, and telling its entries from those of others.
 */
#ifndef RECSYS_LEAFSPACE_H
#define RECSYS_LEAFSPACE_H

#include "postgres.h"

#include "am/parts/tidspace.h"

/*
 * Writing: a leaf's own TID becomes a virtual one, in place.  Adds a chunk if there is none.  The
 * leaf is locked as for writing.  False, and nothing is done: it is no leaf any more.
 * *complete (may be NULL): have all rows of the leaf been entered?  No buffer may be locked.
 */
extern bool RecsysPartTid(Relation whole, Relation leaf, ItemPointer tid, bool *complete);

/*
 * Which virtual TIDs are a leaf's, as of when it is created; in palloc'd memory.  NULL: it is no
 * leaf any more.  *state: what is known of its rows.  No buffer may be locked.
 */
typedef struct RecsysLeafSpace RecsysLeafSpace;

extern RecsysLeafSpace *RecsysLeafSpaceCreate(Relation whole, Relation leaf, RecsysLeafState *state);

/*
 * A virtual TID becomes the leaf's own; false: it is no row of the leaf's current storage, or of
 * a chunk that is newer than the space.  Looks at memory alone.
 */
extern bool RecsysLeafSpaceOwn(const RecsysLeafSpace *space, ItemPointer tid);

/* What is known of the leaf's rows; of one that is no leaf it is unknown. */
extern RecsysLeafState RecsysStateOfLeaf(Relation whole, Relation leaf);

/*
 * All rows of a leaf are about to be entered, whatever entries there are: those do not count any
 * more.  Until RecsysLeafEntered the leaf is partial; a leaf without rows may be said to be
 * complete at once.  The leaf is locked against writers.  False, and nothing is done: it is no
 * leaf any more.
 */
extern bool RecsysEnterLeafAnew(Relation whole, Relation leaf, bool complete);
extern void RecsysLeafEntered(Relation whole, Relation leaf);

/* The same has been done by a build. */
extern void RecsysNoteEntered(Relation whole, Relation leaf);

/*
 * Has this transaction detached the leaf and attached it again since it has entered all rows anew?
 * Then the whole takes it for the storage that it was before, and does not know what has been done
 * to its rows meanwhile.
 */
extern bool RecsysLeafIsBackAgain(Relation whole, Relation leaf);

#endif							/* RECSYS_LEAFSPACE_H */
