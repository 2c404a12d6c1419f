/*
 * currentstorage.h
 *	  Which storage (chunkpage.h) a leaf has now.
 */
#ifndef RECSYS_CURRENTSTORAGE_H
#define RECSYS_CURRENTSTORAGE_H

#include "am/parts/knownchunks.h"

/* The file that a relation has now; InvalidOid if there is no such relation. */
extern Oid	RecsysFileOf(Oid relation);

/* By its file: what whoever enters all rows of a leaf begins.  False: it is no leaf any more. */
extern bool RecsysOwnStorageOf(Relation whole, Relation leaf, RecsysStorage *storage);

/*
 * The one that the whole knows, which may be that of an earlier file.  The leaf is open, and locked.
 * False: it is no leaf any more.
 */
extern bool RecsysStorageOf(Relation whole, Relation leaf, RecsysStorage *storage);

/*
 * storage is by the leaf's file, and the whole has no chunk of it: it becomes that of an earlier file
 * if the leaf still has its rows at their places.  False: that cannot be told now, as somebody has
 * the leaf's part locked.  No buffer may be locked.
 */
extern bool RecsysFindEarlier(Relation whole, const RecsysKnownChunks *chunks, Relation leaf,
							  RecsysStorage *storage);

/*
 * The file that the TIDs of a leaf were of when its part was built; InvalidOid: it is not known.  The
 * leaf is open.  False: it cannot be told now.
 */
extern bool RecsysTidsOf(Relation leaf, Oid root, Oid *file);

#endif							/* RECSYS_CURRENTSTORAGE_H */
