/*
 * relchanges.h
 *	  Hearing that a relation has changed.
 */
#ifndef RECSYS_RELCHANGES_H
#define RECSYS_RELCHANGES_H

#include "postgres.h"

#include "utils/inval.h"

/*
 * As CacheRegisterRelcacheCallback, but all of this library take one place of the server's few.  The
 * function is called with 0 and the relation, or InvalidOid: any may have changed.  It allocates no
 * memory, and looks at no catalog.  For the life of the session.
 */
extern void RecsysOnRelationChange(RelcacheCallbackFunction function);

#endif							/* RECSYS_RELCHANGES_H */
