/*
 * attached.h
 *	  Partitions that Citus attaches.
 */
#ifndef RECSYS_ATTACHED_H
#define RECSYS_ATTACHED_H

#include "postgres.h"

/* Called once, from _PG_init. */
extern void RecsysInitAttached(void);

/*
 * Gives back the pages of those parts of a root that were built as indexes of their own.  Only of
 * parts, and leaves, that can be locked without waiting, to the end of the transaction.
 */
extern void RecsysEmptyParts(Oid root);

#endif							/* RECSYS_ATTACHED_H */
