/*
 * crossgraph.c
 *	  A rectangular item graph: what events of one kind say about those of another.
 *
 * Counting is that of core/pairs/cooccurrence: for a row, the histories of the item's users are
 * added up.  There the histories are of the same items as the rows; here they are the other
 * side's.  So that the kernel need not know, the items of both sides stand in one numbering:
 * first those that are predicted, then those of the events.  No history has any of
 * the latter, and no row is asked of the former.  As an item has another number on either side,
 * the pair of an item with itself is one as any other: who viewed this, bought it.
 *
 * rp3beta, n_j^-beta * sum_u (w_ui / W_i)^alpha * (w_uj / W_u)^alpha, is the walk from an item of
 * the events to its users and on to what these have of the other kind.  W_u is therefore the
 * user's sum of weights on the other side, and W_i the item's on its own.  What of it depends on
 * a user's interaction becomes its weight, as weighting.c does for one side.
 */
#include "core/cross/crossgraph.h"

#include <math.h>

#include "core/pairs/modeloptions.h"

/* How many entries are handled between two checks for interrupts. */
#define ENTRIES_PER_CHECK 1000000

struct RecsysCrossGraph
{
	RecsysMatrix predicts;		/* weights are those that scores are made of */
	const RecsysModelOptions *options;
	double		min_likelihood;
	bool		weighted;		/* are there such weights? */

	/* by predicted item */
	uint32	   *users;
	double	   *norm2;			/* NULL unless weighted, as mass */
	double	   *mass;
};

bool
RecsysCrossUsesWeights(const RecsysModelOptions *options, bool weighted)
{
	return options->similarity == RECSYS_RP3BETA ||
		(options->similarity == RECSYS_COSINE && weighted);
}

static inline double
weight_at(const RecsysMatrix *matrix, uint64 entry)
{
	return matrix->weights != NULL ? matrix->weights[entry] : 1.0;
}

/* The weights of one user's predicted items, which stand from first to last. */
static void
weigh_history(const RecsysMatrix *given, uint64 first, uint64 last,
			  const RecsysModelOptions *options, float *out)
{
	double		sum = 0;
	double		divisor;

	if (options->similarity != RECSYS_RP3BETA)
	{
		for (uint64 x = first; x < last; x++)
			out[x] = (float) weight_at(given, x);
		return;
	}
	for (uint64 x = first; x < last; x++)
		sum += weight_at(given, x);
	divisor = pow(sum, options->alpha);
	for (uint64 x = first; x < last; x++)
		out[x] = RecsysHistoryWeight(pow(weight_at(given, x), options->alpha) / divisor);
}

static void
weigh_predicts(RecsysCrossGraph *graph, const RecsysMatrix *given)
{
	RecsysMatrix *predicts = &graph->predicts;

	predicts->weights = recsys_alloc_huge(Max(given->offsets[given->nrows], 1) * sizeof(float));
	for (uint32 user = 0; user < given->nrows; user++)
	{
		if (user % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		weigh_history(given, given->offsets[user], given->offsets[user + 1], graph->options,
					  predicts->weights);
	}
}

/* What is known of the predicted items by themselves */
static void
sum_predicts(RecsysCrossGraph *graph, const RecsysMatrix *given)
{
	Size		slots = Max((Size) given->ncolumns, 1);
	uint64		nentries = given->offsets[given->nrows];

	graph->users = recsys_alloc_huge_zero(slots * sizeof(uint32));
	if (graph->weighted)
	{
		graph->norm2 = recsys_alloc_huge_zero(slots * sizeof(double));
		graph->mass = recsys_alloc_huge_zero(slots * sizeof(double));
	}
	for (uint64 x = 0; x < nentries; x++)
	{
		uint32		item = given->columns[x];

		if (x % ENTRIES_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		graph->users[item]++;
		if (graph->weighted)
		{
			graph->norm2[item] += (double) graph->predicts.weights[x] * graph->predicts.weights[x];
			graph->mass[item] += weight_at(given, x);
		}
	}
}

RecsysCrossGraph *
RecsysCrossGraphCreate(const RecsysMatrix *predicts, bool weighted,
					   const RecsysModelOptions *options, double min_likelihood)
{
	RecsysCrossGraph *graph = palloc0(sizeof(RecsysCrossGraph));

	graph->predicts = *predicts;
	graph->predicts.weights = NULL;
	graph->options = options;
	graph->min_likelihood = min_likelihood;
	graph->weighted = RecsysCrossUsesWeights(options, weighted);
	if (graph->weighted)
		weigh_predicts(graph, predicts);
	sum_predicts(graph, predicts);
	return graph;
}

void
RecsysCrossGraphFree(RecsysCrossGraph *graph)
{
	if (graph->weighted)
	{
		pfree(graph->predicts.weights);
		pfree(graph->norm2);
		pfree(graph->mass);
	}
	pfree(graph->users);
	pfree(graph);
}

/* Totals of the predicted items, and behind them of the events' */
static void
make_totals(const RecsysCrossGraph *graph, const RecsysMatrix *items, RecsysItemTotals *totals)
{
	uint32		npredicts = graph->predicts.ncolumns;
	Size		slots = Max((Size) npredicts + items->nrows, 1);

	memset(totals, 0, sizeof(*totals));
	totals->nitems = npredicts + items->nrows;
	totals->nusers = graph->predicts.nrows;
	totals->users = recsys_alloc_huge_zero(slots * sizeof(uint32));
	totals->work = recsys_alloc_huge_zero(slots * sizeof(uint64));
	memcpy(totals->users, graph->users, npredicts * sizeof(uint32));
	if (!graph->weighted)
		return;
	totals->norm2 = recsys_alloc_huge_zero(slots * sizeof(double));
	totals->mass = recsys_alloc_huge_zero(slots * sizeof(double));
	memcpy(totals->norm2, graph->norm2, npredicts * sizeof(double));
	memcpy(totals->mass, graph->mass, npredicts * sizeof(double));
}

/* Weights of the items' users, and the totals of these items */
static void
weigh_items(const RecsysCrossGraph *graph, RecsysMatrix *items, RecsysItemTotals *totals)
{
	const uint64 *offsets = graph->predicts.offsets;
	uint32		npredicts = graph->predicts.ncolumns;
	uint64		nentries = items->offsets[items->nrows];
	bool		given = items->weights != NULL;

	if (graph->weighted && !given)
		items->weights = recsys_alloc_huge(Max(nentries, 1) * sizeof(float));
	for (uint32 item = 0; item < items->nrows; item++)
	{
		Size		place = (Size) npredicts + item;

		totals->users[place] = (uint32) (items->offsets[item + 1] - items->offsets[item]);
		for (uint64 x = items->offsets[item]; x < items->offsets[item + 1]; x++)
		{
			uint32		user = items->columns[x];
			double		weight = given ? items->weights[x] : 1.0;

			if (x % ENTRIES_PER_CHECK == 0)
				CHECK_FOR_INTERRUPTS();
			totals->work[place] += offsets[user + 1] - offsets[user];
			if (!graph->weighted)
				continue;
			totals->mass[place] += weight;
			if (graph->options->similarity == RECSYS_RP3BETA)
				weight = RecsysHistoryWeight(pow(weight, graph->options->alpha));
			items->weights[x] = (float) weight;
			totals->norm2[place] += weight * weight;
		}
	}
}

/* The items of the events by their own numbers */
typedef struct Renumbered
{
	uint32		npredicts;
	uint32		first;
	RecsysRowReporter report;
	void	   *arg;
} Renumbered;

static void
report_renumbered(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	Renumbered *renumbered = arg;

	renumbered->report(renumbered->arg, item - renumbered->npredicts + renumbered->first,
					   neighbors, count);
}

void
RecsysCrossGraphRows(RecsysCrossGraph *graph, const RecsysMatrix *events, uint32 first,
					 RecsysRowReporter report, void *arg)
{
	uint32		npredicts = graph->predicts.ncolumns;
	Renumbered	renumbered = {npredicts, first, report, arg};
	RecsysMatrix *own = RecsysMatrixTranspose(events);
	RecsysMatrix users = graph->predicts;
	RecsysMatrix items;
	RecsysItemTotals totals;
	RecsysKernel *kernel;

	Assert(events->nrows == graph->predicts.nrows);
	make_totals(graph, own, &totals);
	weigh_items(graph, own, &totals);

	/* the same rows, behind as many empty ones as there are predicted items */
	items = *own;
	items.nrows = totals.nitems;
	items.offsets = recsys_alloc_huge_zero(((Size) totals.nitems + 1) * sizeof(uint64));
	memcpy(items.offsets + npredicts, own->offsets, ((Size) own->nrows + 1) * sizeof(uint64));
	users.ncolumns = totals.nitems;

	kernel = RecsysKernelCreate(&users, &items, &totals, graph->options);
	RecsysKernelSetFloor(kernel, graph->min_likelihood);
	RecsysKernelRows(kernel, npredicts, totals.nitems, report_renumbered, &renumbered);
	RecsysKernelFree(kernel);

	pfree(items.offsets);
	pfree(totals.users);
	pfree(totals.work);
	if (graph->weighted)
	{
		pfree(totals.norm2);
		pfree(totals.mass);
	}
	RecsysMatrixFree(own);
}

Size
RecsysCrossGraphMemory(const RecsysMatrix *predicts, bool weighted)
{
	Size		per_item = sizeof(uint32) + (weighted ? 2 * sizeof(double) : 0);

	return sizeof(RecsysCrossGraph) + Max((Size) predicts->ncolumns, 1) * per_item +
		(weighted ? (predicts->offsets[predicts->nrows] + 1) * sizeof(float) : 0);
}

Size
RecsysCrossRowsMemory(uint32 npredicts, uint32 nevents, uint64 nentries, bool weighted)
{
	Size		nitems = (Size) npredicts + nevents + 1;
	Size		per_item = sizeof(uint32) + 2 * sizeof(uint64) + (weighted ? 2 * sizeof(double) : 0);

	return nitems * per_item + RecsysMatrixMemory(nevents, nentries, weighted) +
		RecsysCooccurrenceMemory(npredicts + nevents, weighted);
}
