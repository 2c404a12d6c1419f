/*
 * tryopen.h
 *	  Opening what has the pages of an index, without waiting for anybody.
 */
#ifndef RECSYS_TRYOPEN_H
#define RECSYS_TRYOPEN_H

#include "postgres.h"

#include "storage/lockdefs.h"
#include "utils/rel.h"

typedef enum RecsysTried
{
	RECSYS_TRIED_OPEN,
	RECSYS_TRIED_LOCKED,		/* somebody else has it */
	RECSYS_TRIED_DROPPED,
	RECSYS_TRIED_MISSING		/* it is partitioned, and its whole has not been made yet */
} RecsysTried;

/*
 * The index, or the whole of a partitioned one (am/parts), locked in that mode; NULL if that is not to
 * be had now.  Locks that were taken are kept until the transaction ends.
 */
extern Relation RecsysTryOpenPages(Oid index, LOCKMODE lockmode, RecsysTried *tried);

#endif							/* RECSYS_TRYOPEN_H */
