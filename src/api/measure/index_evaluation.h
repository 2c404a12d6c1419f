/*
 * index_evaluation.h
 *	  What a recsys index recommends to the users of a test query.
 */
#ifndef RECSYS_INDEX_EVALUATION_H
#define RECSYS_INDEX_EVALUATION_H

#include "postgres.h"

#include "core/measure/evaluation.h"
#include "core/pairs/similarity.h"
#include "core/rows/dictionary.h"

typedef struct RecsysIndexEvaluation
{
	RecsysEvaluation evaluation;
	char	   *name;			/* of the index, as SQL has it */
	RecsysSimilarity similarity;
	RecsysKeyKind user_kind;
	RecsysKeyKind item_kind;
	RecsysDictionary *items;	/* by key, then those known from the query alone */
	uint32	   *ranks;			/* number in the index -> number here, NULL if they are equal */
	RecsysDictionary *users;	/* with held-out items, by place */
} RecsysIndexEvaluation;

/*
 * Reads the item graph of an index and the histories of the users in the test
 * query as the active snapshot sees them, into the current memory context.
 */
extern void RecsysReadIndexEvaluation(const char *recommender, const char *test, bool exclude_seen,
									  uint64 seed, Size memory_limit, RecsysIndexEvaluation *result);

#endif							/* RECSYS_INDEX_EVALUATION_H */
