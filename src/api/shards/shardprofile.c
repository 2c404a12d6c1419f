/*
 * shardprofile.c
 *	  The profile of a user by an index that is named by itself, which may be that of a shard.
 *
 * A shard that has been moved has an index that was built from rows, without the marks of who
 * was forgotten (forgotten.c); the next merge sets them.  Whoever names the index itself
 * meanwhile gets the same lists as by the name of the recommender.  To look takes a few
 * microseconds, and nothing where nobody was forgotten, or no Citus is.  The item graph of such
 * an index, which is of its own shard alone, is the one that was built until the merge has been
 * there.
 */
#include "postgres.h"

#include "am/entry/shards.h"
#include "am/entry/shells.h"
#include "api/call/distributed.h"
#include "api/shards/dispatch.h"
#include "api/shards/forgotten.h"
#include "api/shards/shardprofile.h"
#include "utils/rel.h"
#include "utils/relcache.h"

bool
RecsysFindWholeOfShard(Oid table, Oid index, RecsysDistributed *distributed)
{
	int64		shard;
	Oid			shell = RecsysShellOfShard(table, &shard);
	Relation	relation;
	ListCell   *cell;
	bool		found = false;

	if (!OidIsValid(shell))
		return false;
	relation = RelationIdGetRelation(shell);
	if (!RelationIsValid(relation))
		return false;
	foreach(cell, RelationGetIndexList(relation))
		found = found || (RecsysShardRelation(lfirst_oid(cell), shard) == index &&
						  RecsysFindDistributed(lfirst_oid(cell), distributed));
	RelationClose(relation);
	return found;
}

void
RecsysReadProfileByIndex(RecsysRecommender *recommender, const RecsysKey *user, int64 half_life,
						 RecsysProfile *profile)
{
	RecsysDistributed distributed;
	TimestampTz until;

	memset(profile, 0, sizeof(*profile));
	if (RecsysCitusIsThere() && RecsysSomebodyForgotten() &&
		RecsysFindWholeOfShard(RelationGetRelid(recommender->heap), RelationGetRelid(recommender->definition),
							   &distributed) &&
		RecsysWasForgotten(&distributed, recommender->columns.user_kind, user, &until) &&
		RecsysHasUnmarked(recommender, user, until))
		return;
	RecsysReadProfile(recommender, user, half_life, profile);
}
