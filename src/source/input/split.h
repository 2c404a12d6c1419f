/*
 * split.h
 *	  Interactions split into a part to learn from and a part to be foretold.
 *
 * Everything that models are compared on: made once, used for each of them.
 */
#ifndef RECSYS_SPLIT_H
#define RECSYS_SPLIT_H

#include "postgres.h"

#include "core/measure/evaluation.h"
#include "core/rows/dictionary.h"
#include "datatype/timestamp.h"

typedef enum RecsysHoldout
{
	RECSYS_HOLDOUT_GIVEN,		/* by a query of its own */
	RECSYS_HOLDOUT_SHARE,		/* a random share of each user's items */
	RECSYS_HOLDOUT_LAST,		/* each user's latest items */
	RECSYS_HOLDOUT_SINCE,		/* whatever happened from a time on */
	RECSYS_HOLDOUT_BASKET		/* each user's last basket */
} RecsysHoldout;

typedef struct RecsysSplitOptions
{
	const char *query;			/* user, item [, weight [, time]] */
	Oid			role;			/* whose rights it runs with; InvalidOid: the caller's */
	RecsysHoldout holdout;
	const char *test_query;		/* the same columns */
	double		share;			/* between 0 and 1 */
	int			last;
	TimestampTz since;
	uint64		seed;
	bool		exclude_seen;	/* what a user has is neither recommended nor held out */
	Size		memory_limit;
} RecsysSplitOptions;

typedef struct RecsysSplit
{
	MemoryContext context;
	RecsysSplitOptions options;
	RecsysKeyKind user_kind;
	RecsysKeyKind item_kind;
	bool		weighted;
	bool		timed;
	Oid			time_type;		/* of the query */
	uint64		hash_seed;

	/*
	 * Items: those below nitems may be in the training part, in key order; the
	 * others are known from the test query alone.
	 */
	RecsysDictionary *items;
	uint32		nitems;

	/*
	 * Training: each user's items, ascending.  A weight of 0: seen, but no
	 * evidence.
	 */
	uint32		nrows;
	uint32		maxrows;
	uint64	   *offsets;
	uint64		maxentries;
	uint32	   *columns;
	double	   *weights;
	int64	   *times;			/* NULL when there are none */

	/* Test: users with held-out items, in order of their hashes */
	RecsysDictionary *users;	/* by place */
	uint32		maxtest;
	uint32	   *test_rows;		/* training row of each, RECSYS_NONE for a new user */
	RecsysItemRows test;
	uint64		maxtestentries;

	/* the baskets before those that are held out, if they are; see splitbasket.h */
	struct RecsysSplitBaskets *baskets;
} RecsysSplit;

#define RecsysSplitUsers(split) RecsysDictionaryCount((split)->users)

/* Runs the queries; the result lives in a context of its own below the current one. */
extern RecsysSplit *RecsysSplitCreate(const RecsysSplitOptions *options);
extern void RecsysSplitFree(RecsysSplit *split);

/* The seed of the key hashes, whose order users are in. */
extern uint64 RecsysSplitHashSeed(uint64 seed);

/* Errors out when used exceeds the limit, which is maintenance_work_mem. */
extern void RecsysCheckEvaluationMemory(Size used, Size limit);

#endif							/* RECSYS_SPLIT_H */
