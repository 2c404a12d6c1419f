/*
 * heldlock.h
 *	  Which locks this session holds on a relation, by its OID.
 */
#ifndef RECSYS_HELDLOCK_H
#define RECSYS_HELDLOCK_H

#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/rel.h"

/* The lock manager looks at nothing else of a relation, which may be gone. */
static inline bool
RecsysHoldsLock(Oid oid, LOCKMODE mode, bool or_stronger)
{
	RelationData relation;

	memset(&relation, 0, sizeof(relation));
	relation.rd_lockInfo.lockRelId.relId = oid;
	relation.rd_lockInfo.lockRelId.dbId = MyDatabaseId;
	return CheckRelationLockedByMe(&relation, mode, or_stronger);
}

#endif							/* RECSYS_HELDLOCK_H */
