/*
 * partsdoubt.h
 *	  Has this transaction itself changed which partitions there are?
 */
#ifndef RECSYS_PARTSDOUBT_H
#define RECSYS_PARTSDOUBT_H

#include "postgres.h"

#include "utils/rel.h"

/* Has this transaction an AccessExclusiveLock on a relation, which may be gone? */
extern bool RecsysIsLockedByUs(Oid table);

/* False for any index that is no whole. */
extern bool RecsysPartsAreInDoubt(Relation index);

#endif							/* RECSYS_PARTSDOUBT_H */
