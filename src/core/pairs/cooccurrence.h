/*
 * cooccurrence.h
 *	  Symmetric item co-occurrence with the exact top-k neighbors per item.
 *
 * The one result shape is the row reporter: it is called exactly once for each
 * item of the range, in ascending item order, also for items without any
 * neighbor (count 0).  Neighbors are ordered by score descending, then item
 * ascending, where scores are compared as the floats that are reported.
 */
#ifndef RECSYS_COOCCURRENCE_H
#define RECSYS_COOCCURRENCE_H

#include "core/pairs/similarity.h"
#include "core/rows/matrix.h"
#include "core/rows/recency.h"
#include "core/rows/userstream.h"

typedef struct RecsysNeighbor
{
	uint32		item;
	float		score;
	uint32		support;		/* c_ij: distinct users behind the pair */
} RecsysNeighbor;

typedef void (*RecsysRowReporter) (void *arg, uint32 item,
								   const RecsysNeighbor *neighbors, int count);

/* Per-item totals, each array nitems long. */
typedef struct RecsysItemTotals
{
	uint32		nitems;
	uint64		nusers;			/* N */
	uint32	   *users;			/* n_i */
	double	   *norm2;			/* sum of squared weights; NULL when unweighted */
	double	   *mass;			/* sum of weights; NULL when unweighted */
	int64	   *latest;			/* latest time, or RECSYS_NO_TIME; NULL when nobody has asked */
	RecsysRecency *recent;		/* likewise: how many users have it lately */
	uint64	   *work;			/* sum over the item's users of their history length */
	const bool *wanted;			/* whose rows are computed, the others are reported without
								 * neighbors; NULL: all */
} RecsysItemTotals;

/* Has an item enough users for a row with neighbors, and is that wanted? */
static inline bool
RecsysRowIsComputed(const RecsysItemTotals *totals, uint32 item, uint32 min_support)
{
	return totals->users[item] >= min_support && (totals->wanted == NULL || totals->wanted[item]);
}

/*
 * In memory, one range of rows after the other in any order.  users is user-major, items
 * its transpose.  The arguments must outlive the kernel, and several kernels may read the
 * same ones.
 */
typedef struct RecsysKernel RecsysKernel;

extern RecsysKernel *RecsysKernelCreate(const RecsysMatrix *users, const RecsysMatrix *items,
										const RecsysItemTotals *totals,
										const RecsysModelOptions *options);

/*
 * Without dot products: users is nothing but split histories, and whose users an item has the
 * lists tell (userlists.h).
 */
struct RecsysUserLists;
extern RecsysKernel *RecsysKernelCreateByLists(const RecsysMatrix *users,
											   const struct RecsysUserLists *lists,
											   const RecsysItemTotals *totals,
											   const RecsysModelOptions *options);

/* From now on neighbors are reported in no order, which is faster when they are many. */
extern void RecsysKernelAnyOrder(RecsysKernel *kernel);

/* From now on pairs whose log-likelihood ratio is below the floor do not count. */
extern void RecsysKernelSetFloor(RecsysKernel *kernel, double min_likelihood);

/* Rows first .. last - 1 */
extern void RecsysKernelRows(RecsysKernel *kernel, uint32 first, uint32 last,
							 RecsysRowReporter report, void *arg);
extern void RecsysKernelFree(RecsysKernel *kernel);

/* What a row costs, in additions to a counter; more than zero. */
extern uint64 RecsysKernelCost(const RecsysItemTotals *totals, uint32 item);

/* Memory that a kernel needs in addition to its arguments. */
extern Size RecsysCooccurrenceMemory(uint32 nitems, bool weighted);

/*
 * Out of core: the user rows come from a stream that can be read again and
 * again.  Each pass computes as many consecutive item rows as fit in
 * memory_limit bytes (always at least one).
 */

/* Returns the number of passes over the stream. */
extern int	RecsysCooccurrenceStream(RecsysUserStream *stream, const RecsysItemTotals *totals,
									 const RecsysModelOptions *options, Size memory_limit,
									 RecsysRowReporter report, void *arg);

/*
 * The same pass by pass, in any order: a pass may begin with item 0 and with
 * what PassEnd returned for another one.  Kernels with the same totals,
 * options and limit agree on the passes.
 */
typedef struct RecsysStreamKernel RecsysStreamKernel;

extern RecsysStreamKernel *RecsysStreamKernelCreate(const RecsysItemTotals *totals,
													const RecsysModelOptions *options,
													Size memory_limit);
extern uint32 RecsysStreamKernelPassEnd(const RecsysStreamKernel *kernel, uint32 first);
extern void RecsysStreamKernelPass(RecsysStreamKernel *kernel, RecsysUserStream *stream,
								   uint32 first, uint32 last,
								   RecsysRowReporter report, void *arg);
extern void RecsysStreamKernelFree(RecsysStreamKernel *kernel);

#endif							/* RECSYS_COOCCURRENCE_H */
