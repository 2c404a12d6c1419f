/*
 * currentstorage.h
 *	  Which storage (chunkpage.h) a leaf has now.
 */
#ifndef RECSYS_CURRENTSTORAGE_H
#define RECSYS_CURRENTSTORAGE_H

#include "am/parts/knownchunks.h"

/* The file that a relation has now; InvalidOid if there is no such relation. */
extern Oid	RecsysFileOf(Oid relation);

#endif							/* RECSYS_CURRENTSTORAGE_H */
