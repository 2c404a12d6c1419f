/*
 * shardprofile.h
 *	  The profile of a user by an index that is named by itself, which may be that of a shard.
 */
#ifndef RECSYS_SHARDPROFILE_H
#define RECSYS_SHARDPROFILE_H

#include "postgres.h"

#include "api/call/distributed.h"
#include "api/scoring/serving.h"

/* Is an index over that table one of a shard's, and so a part of a distributed recommender? */
extern bool RecsysFindWholeOfShard(Oid table, Oid index, RecsysDistributed *distributed);

/*
 * As RecsysReadProfile does it; but of who was forgotten by the distributed recommender that the
 * index is a part of, nothing is known, whether the index has marks of that or has been built
 * since.
 */
extern void RecsysReadProfileByIndex(RecsysRecommender *recommender, const RecsysKey *user, int64 half_life,
									 RecsysProfile *profile);

#endif							/* RECSYS_SHARDPROFILE_H */
