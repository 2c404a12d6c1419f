/*
 * scorer.h
 *	  Sparse history times item graph, top k: the serving kernel.
 *
 * A scorer is reused from call to call; what a call touched is cleared by the
 * next RecsysScorerReset.  Sums are kept in double precision so that the order
 * of the additions cannot change the float that is returned.
 */
#ifndef RECSYS_SCORER_H
#define RECSYS_SCORER_H

#include "core/pairs/neighbors.h"

typedef struct RecsysScorer RecsysScorer;

typedef struct RecsysScored
{
	uint32		item;
	float		score;
} RecsysScored;

/* Score descending, then item key ascending: for qsort_arg, whose arg is a RecsysKeyOrder */
extern int	RecsysCompareScored(const void *a, const void *b, void *order);

/*
 * For item numbers 0 .. nitems-1; lives in the current memory context.  Create,
 * Reset and Top allocate: a scorer that is kept must be called in the context it
 * was created in.
 */
extern RecsysScorer *RecsysScorerCreate(uint32 nitems);
extern void RecsysScorerFree(RecsysScorer *scorer);

/* Forget the previous call; nitems may have grown. */
extern void RecsysScorerReset(RecsysScorer *scorer, uint32 nitems);

/* score[items[x]] += weight * similarities[x] for x < n; numbers >= nitems are ignored */
extern void RecsysScorerAdd(RecsysScorer *scorer, double weight, const uint32 *items,
							const float *similarities, int n);

/*
 * The same for a row whose numbers have 16 bits, which is faster.  Sums are those of
 * RecsysScorerAdd to the last bit: the same numbers are added in the same order.
 */
extern void RecsysScorerAddNarrow(RecsysScorer *scorer, double weight, const uint16 *items,
								  const float *similarities, int n);

/* Tells that so many narrow rows will be added, which is faster if they are many. */
extern void RecsysScorerExpect(RecsysScorer *scorer, uint32 rows);

/*
 * The same where the scorer's number of items[x] is map[items[x]]; items beyond the map's size,
 * and those without a number, RECSYS_NONE, are left to the caller: their places are put into left,
 * which has room for n.  Returns how many these are.
 */
extern int	RecsysScorerAddMapped(RecsysScorer *scorer, double weight, const uint32 *items,
								  const float *similarities, int n, const uint32 *map,
								  uint32 mapped, int *left);

/* The same for the n items from first on, by their scores; those that are not positive are passed over. */
extern void RecsysScorerAddRange(RecsysScorer *scorer, uint32 first, const float *scores, int n);

/* The same for one item. */
extern void RecsysScorerAddScore(RecsysScorer *scorer, uint32 item, double score);

/* All of another scorer's sums times scale; it has no more items, and is as after a Reset then. */
extern void RecsysScorerMoveScaled(RecsysScorer *scorer, RecsysScorer *other, double scale);

/* The highest sum, 0 if none is positive, and the highest amount of any. */
extern double RecsysScorerHighest(const RecsysScorer *scorer, double *amount);

extern void RecsysScorerMultiply(RecsysScorer *scorer, uint32 item, double factor);

/* Makes room for more items; nothing is forgotten. */
extern void RecsysScorerExtend(RecsysScorer *scorer, uint32 nitems);

/* The item will not be returned, whatever its score; until it is included again. */
extern void RecsysScorerExclude(RecsysScorer *scorer, uint32 item);
extern void RecsysScorerInclude(RecsysScorer *scorer, uint32 item);
extern bool RecsysScorerIsExcluded(const RecsysScorer *scorer, uint32 item);

/*
 * Only items that have other than 0 here are candidates from now on, whatever is reset;
 * NULL: all of them.  The array stays the caller's, and has all items.
 */
extern void RecsysScorerOffer(RecsysScorer *scorer, const uint8 *offered);

/* Was the item reached with a positive score and not excluded? */
extern bool RecsysScorerIsCandidate(const RecsysScorer *scorer, uint32 item);

/*
 * The best min(k, candidates) items with a positive score into out (room for
 * k), score descending, then item key ascending.  order tells the order of keys;
 * NULL: that of the numbers is theirs.  Returns their number.
 */
extern int	RecsysScorerTop(RecsysScorer *scorer, int k, const RecsysKeyOrder *order,
							RecsysScored *out);

/* The item's score, whether or not it is excluded; 0 when nothing was added to it. */
extern float RecsysScorerScore(const RecsysScorer *scorer, uint32 item);

/*
 * Items that were added to or excluded, each once, in no order; valid until the
 * next Reset, Add or Exclude.  Returns their number.
 */
extern uint32 RecsysScorerTouched(const RecsysScorer *scorer, const uint32 **items);

/* Upper bound of what RecsysScorerTop can return now. */
extern int	RecsysScorerCandidates(const RecsysScorer *scorer);

#endif							/* RECSYS_SCORER_H */
