/*
 * logshard.h
 *	  Requests in the shards of a log that is one of all nodes.
 */
#ifndef RECSYS_LOGSHARD_H
#define RECSYS_LOGSHARD_H

#include "postgres.h"

#include "storage/lockdefs.h"
#include "utils/rel.h"
#include "utils/uuid.h"

/*
 * The shard of this node that has the requests of that id, of a partition that is a shell,
 * opened in that mode.  It stays here until the end of the transaction if that is a mode to
 * write in.  NULL: it is on another node.
 */
extern Relation RecsysOpenLogShard(Oid partition, const pg_uuid_t *id, LOCKMODE mode);

/*
 * Makes the id of a new request one whose shard this node has, if it has any of a shared log;
 * else one of a node that has the shard of the user's, 0: any.
 */
extern void RecsysKeepRequestHere(pg_uuid_t *id, int64 user_shard);

#endif							/* RECSYS_LOGSHARD_H */
