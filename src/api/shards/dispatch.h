/*
 * dispatch.h
 *	  Lists of a distributed recommender: on the node that has the user.
 */
#ifndef RECSYS_DISPATCH_H
#define RECSYS_DISPATCH_H

#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/distributed.h"
#include "api/scoring/serving.h"

/* A user of a distributed recommender, and where he is */
typedef struct RecsysUserPlace
{
	bool		known;			/* somebody whose key the column can have */
	bool		here;
	Oid			table;			/* the shell, whose shard it is */
	int64		shard;
	Oid			index;			/* of the shard on this node */
	Datum		value;			/* key, of the column's type */
	RecsysKey	key;
} RecsysUserPlace;

/* user: NULL for nobody in particular, whom every node knows */
extern void RecsysFindUserPlace(const RecsysDistributed *distributed, const RecsysRecommender *shell,
								const RecsysKey *user, RecsysUserPlace *place);

/*
 * Opens the index that has the history of a user who is here; false: there is none, or nothing
 * of it counts, as the user was forgotten.
 */
extern bool RecsysOpenHistoryHere(const RecsysDistributed *distributed, const RecsysUserPlace *place,
								  RecsysRecommender *history);

/*
 * The profile of a user who is here, by the items of the graph.  half_life as in RecsysReadProfile.
 * What the user was forgotten for has no part in it.
 */
extern void RecsysReadProfileHere(const RecsysDistributed *distributed, const RecsysUserPlace *place,
								  RecsysRecommender *graph, int64 half_life, RecsysProfile *profile);

/* Is there anything of a user that was forgotten until then, which the index does not know? */
extern bool RecsysHasUnmarked(RecsysRecommender *history, const RecsysKey *user, TimestampTz until);

/* What a list is asked with, beside the user; half_life: an interval, or NULL */
typedef struct RecsysListAsk
{
	int			k;
	bool		exclude_seen;
	Interval   *half_life;
	int64		decay;			/* the same in microseconds, or what the index has */
} RecsysListAsk;

/* Rows of (item, score, source, rank) */
extern void RecsysPutDistributed(const RecsysDistributed *distributed, const RecsysRecommender *shell,
								 RecsysAnswer *answer, const RecsysKey *user, const RecsysListAsk *ask);

/*
 * A function that recsys.distribute() has made, its first argument the user: name without that of the
 * recommender, and the columns of its rows for items of that type, as a statement has them
 */
extern char *RecsysListColumns(Oid item_type);
extern char *RecsysReasonColumns(Oid item_type);

/*
 * Runs such a function on the node of the user, and answers with its rows.  The first column is an
 * item, of a type of the recommender's, or NULL.
 */
extern void RecsysAskNodeOf(const RecsysDistributed *distributed, const RecsysUserPlace *place,
							const char *function, const char *columns, int nargs, Oid *types, Datum *values,
							const char *nulls, RecsysAnswer *answer);

/* The same of a function by its whole name */
extern void RecsysAskFunction(const RecsysUserPlace *place, const char *name, const char *columns, int nargs,
							  Oid *types, Datum *values, const char *nulls, RecsysAnswer *answer);

/* The shard for whose sake another node was asked last, which is forgotten then; 0: none */
extern int64 RecsysTakeAskedShard(void);

/* The name of such a function, with its schema: of the recommender's, with a suffix */
extern char *RecsysConcreteName(const RecsysDistributed *distributed, const char *suffix);

#endif							/* RECSYS_DISPATCH_H */
