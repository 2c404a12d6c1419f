/*
 * slim.c
 *	  SLIM: each item as a sparse non-negative combination of others.
 *
 * For every item j, the target, with x_j = its column of the interaction matrix:
 *
 *		minimize   1/2 |x_j - X w|^2 + l2/2 |w|^2 + l1 |w|_1
 *		subject to w >= 0, w_j = 0
 *
 * (Ning, Karypis 2011, "SLIM: sparse linear methods for top-N recommender
 * systems").  w is column j of the item graph: w_i tells how much having i speaks
 * for j.  Only items that share min_support users with j take part, of them the
 * most similar by cosine (fsSLIM in the paper, which loses next to nothing by it).
 *
 * Coordinate descent (Friedman, Hastie, Tibshirani 2010, "Regularization paths for
 * generalized linear models via coordinate descent"): with the residual
 * r = x_j - X w, the best w_i while all others stay is
 *
 *		max(0, x_i . r + w_i |x_i|^2 - l1) / (|x_i|^2 + l2)
 *
 * A step costs the users of i.  After a sweep over all candidates only those with
 * a weight are gone through until they stand still, then all again; a sweep over
 * all in which nothing moves is the end.
 */
#include "core/pairs/slim.h"

#include "core/pairs/rowselect.h"

/* Weights that move less than this stand still. */
#define TOLERANCE 1e-6

/* Sweeps after which a target is left as it is: items that are all but equal
 * trade weight for ever. */
#define MAX_SWEEPS 1000

struct RecsysSlimKernel
{
	const RecsysMatrix *items;
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;
	RecsysModelOptions selection;	/* of candidates */
	RecsysKernel *kernel;		/* counts and selects them */
	double	   *residual;		/* by user; all zero between targets */

	/* candidates of the target at hand */
	uint32	   *candidates;
	double	   *weights;
	bool	   *moved;			/* has it ever had a weight? */
	RecsysNeighbor *column;

	RecsysRowReporter report;
	void	   *arg;
};

static inline double
value(const RecsysMatrix *items, uint64 entry)
{
	return items->weights != NULL ? items->weights[entry] : 1.0;
}

static inline double
norm2(const RecsysSlimKernel *kernel, uint32 item)
{
	return kernel->totals->norm2 != NULL ? kernel->totals->norm2[item] :
		kernel->totals->users[item];
}

/* x_item . residual */
RECSYS_TARGET_CLONES static double
project(const RecsysMatrix *items, uint32 item, const double *residual)
{
	uint64		last = items->offsets[item + 1];
	double		sum = 0;

	if (items->weights == NULL)
	{
		for (uint64 x = items->offsets[item]; x < last; x++)
			sum += residual[items->columns[x]];
	}
	else
	{
		for (uint64 x = items->offsets[item]; x < last; x++)
			sum += items->weights[x] * residual[items->columns[x]];
	}
	return sum;
}

/* Add a multiple of an item's column to the residual. */
static void
add_column(const RecsysMatrix *items, uint32 item, double factor, double *residual)
{
	for (uint64 x = items->offsets[item]; x < items->offsets[item + 1]; x++)
		residual[items->columns[x]] += factor * value(items, x);
}

static void
clear_column(const RecsysMatrix *items, uint32 item, double *residual)
{
	for (uint64 x = items->offsets[item]; x < items->offsets[item + 1]; x++)
		residual[items->columns[x]] = 0;
}

/* One sweep over n candidates, or those of them that have a weight; the largest move. */
static double
sweep(RecsysSlimKernel *kernel, int n, bool active_only)
{
	double		largest = 0;

	CHECK_FOR_INTERRUPTS();
	for (int x = 0; x < n; x++)
	{
		uint32		item = kernel->candidates[x];
		double		before = kernel->weights[x];
		double		length2 = norm2(kernel, item);
		double		after;

		if (active_only && before == 0)
			continue;
		after = project(kernel->items, item, kernel->residual) + before * length2 -
			kernel->options->l1;
		after = after > 0 ? after / (length2 + kernel->options->l2) : 0;
		if (after == before)
			continue;
		kernel->weights[x] = after;
		kernel->moved[x] = true;
		add_column(kernel->items, item, before - after, kernel->residual);
		largest = Max(largest, after > before ? after - before : before - after);
	}
	return largest;
}

/* Reporter of the kernel that selects candidates */
static void
solve(void *arg, uint32 target, const RecsysNeighbor *candidates, int n)
{
	RecsysSlimKernel *kernel = arg;
	int			sweeps = 0;
	int			kept = 0;

	for (int x = 0; x < n; x++)
	{
		kernel->candidates[x] = candidates[x].item;
		kernel->weights[x] = 0;
		kernel->moved[x] = false;
	}
	if (n > 0)
		add_column(kernel->items, target, 1.0, kernel->residual);
	while (n > 0 && sweep(kernel, n, false) > TOLERANCE && ++sweeps < MAX_SWEEPS)
	{
		while (sweep(kernel, n, true) > TOLERANCE && ++sweeps < MAX_SWEEPS)
			 /* go on */ ;
	}
	if (n > 0)
		clear_column(kernel->items, target, kernel->residual);
	for (int x = 0; x < n; x++)
	{
		if (kernel->moved[x])
			clear_column(kernel->items, kernel->candidates[x], kernel->residual);
		if (!((float) kernel->weights[x] > 0))
			continue;
		kernel->column[kept] = candidates[x];
		kernel->column[kept++].score = (float) kernel->weights[x];
	}
	kernel->report(kernel->arg, target, kernel->column, kept);
}

/* No item has more candidates than there are others. */
static int
most_candidates(uint32 nitems, const RecsysModelOptions *options)
{
	return (int) Min((uint32) options->candidates, Max(nitems, 1));
}

RecsysSlimKernel *
RecsysSlimKernelCreate(const RecsysMatrix *users, const RecsysMatrix *items,
					   const RecsysItemTotals *totals, const RecsysModelOptions *options)
{
	RecsysSlimKernel *kernel = palloc0(sizeof(RecsysSlimKernel));
	Size		most = most_candidates(totals->nitems, options);

	kernel->items = items;
	kernel->totals = totals;
	kernel->options = options;
	kernel->selection.similarity = RECSYS_COSINE;
	kernel->selection.neighbors = (int) most;
	kernel->selection.min_support = options->min_support;
	kernel->kernel = RecsysKernelCreate(users, items, totals, &kernel->selection);
	kernel->residual = recsys_alloc_huge_zero(sizeof(double) * Max((Size) users->nrows, 1));
	kernel->candidates = palloc(sizeof(uint32) * most);
	kernel->weights = palloc(sizeof(double) * most);
	kernel->moved = palloc(sizeof(bool) * most);
	kernel->column = palloc(sizeof(RecsysNeighbor) * most);
	return kernel;
}

void
RecsysSlimKernelColumns(RecsysSlimKernel *kernel, uint32 first, uint32 last,
						RecsysRowReporter report, void *arg)
{
	kernel->report = report;
	kernel->arg = arg;
	RecsysKernelRows(kernel->kernel, first, last, solve, kernel);
}

void
RecsysSlimKernelFree(RecsysSlimKernel *kernel)
{
	RecsysKernelFree(kernel->kernel);
	pfree(kernel->residual);
	pfree(kernel->candidates);
	pfree(kernel->weights);
	pfree(kernel->moved);
	pfree(kernel->column);
	pfree(kernel);
}

Size
RecsysSlimMemory(uint32 nusers, uint32 nitems, bool weighted, const RecsysModelOptions *options)
{
	Size		most = most_candidates(nitems, options);

	return sizeof(RecsysSlimKernel) + sizeof(double) * (Size) nusers +
		RecsysCooccurrenceMemory(nitems, weighted) +
		RecsysRowSelectorMemory(0, (int) most, weighted) +
		most * (sizeof(uint32) + sizeof(double) + sizeof(bool) + sizeof(RecsysNeighbor)) + 1024;
}
