/*
 * twin.h
 *	  Parts that REINDEX CONCURRENTLY replaces.
 */
#ifndef RECSYS_TWIN_H
#define RECSYS_TWIN_H

#include "postgres.h"

#include "utils/rel.h"

/* Is a REINDEX this session's statement? */
extern bool RecsysInReindex(void);

/*
 * The part that REINDEX CONCURRENTLY is about to replace by this index, which is being built and is
 * neither valid nor a part yet; InvalidOid if there is none, or it cannot be told.
 */
extern Oid	RecsysTwinOf(Relation index);

#endif							/* RECSYS_TWIN_H */
