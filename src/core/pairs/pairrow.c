/*
 * pairrow.c
 *	  Rows of the item graph of a model that scores pairs which share users.
 *
 * The count kernel finds all pairs of a row with enough users behind them, the model
 * scores them, and the best are reported.  A pair below min_support is thus
 * never stored, whatever the model thinks of it.
 */
#include "core/pairs/pairrow.h"

#include <math.h>

#include "core/base/topk.h"
#include "core/pairs/rowselect.h"

/* The rows are claimed in this many chunks, so that all members finish at about the same time. */
#define CHUNKS 1024

typedef struct PairRows
{
	const RecsysPairModel *model;
	int			neighbors;
	RecsysRowReporter report;
	void	   *report_arg;

	/* of the row at hand, one place for each item */
	float	   *scores;
	float	   *by_item;		/* only with keep */
	RecsysCandidate *candidates;
	RecsysCandidate *spare;
	RecsysNeighbor *best;
} PairRows;

/* Candidates in the order in which they are chosen */
static void
damp(PairRows *rows, int n)
{
	for (int x = 0; x < n; x++)
	{
		uint64		order = rows->candidates[x].order;
		uint32		item = RecsysCandidateItem(order);

		rows->by_item[item] = RecsysCandidateScore(order);
		rows->candidates[x].order = RecsysCandidateOrder(rows->by_item[item] * rows->model->keep[item], item);
	}
}

/* and in that of their scores again */
static void
restore(PairRows *rows, int n)
{
	for (int x = 0; x < n; x++)
	{
		uint32		item = RecsysCandidateItem(rows->candidates[x].order);

		rows->candidates[x].order = RecsysCandidateOrder(rows->by_item[item], item);
	}
}

/* Reporter of the kernel that counts */
static void
score_row(void *arg, uint32 item, const RecsysNeighbor *pairs, int n)
{
	PairRows   *rows = arg;
	RecsysCandidate *sorted;
	int			kept = 0;

	if (n > 0)
		rows->model->score(rows->model->arg, item, pairs, n, rows->scores);
	for (int x = 0; x < n; x++)
	{
		float		score = rows->scores[x];

		if (!(score > 0.0f) || !isfinite(score) || pairs[x].item == item)
			continue;
		rows->candidates[kept].order = RecsysCandidateOrder(score, pairs[x].item);
		rows->candidates[kept++].support = pairs[x].support;
	}
	if (kept > rows->neighbors)
	{
		if (rows->model->keep != NULL)
			damp(rows, kept);
		RecsysSelectBest(rows->candidates, kept, rows->neighbors);
		kept = rows->neighbors;
		if (rows->model->keep != NULL)
			restore(rows, kept);
	}
	sorted = kept > 0 ? RecsysSortCandidates(rows->candidates, rows->spare, kept) : NULL;
	for (int x = 0; x < kept; x++)
	{
		rows->best[x].item = RecsysCandidateItem(sorted[x].order);
		rows->best[x].score = RecsysCandidateScore(sorted[x].order);
		rows->best[x].support = sorted[x].support;
	}
	rows->report(rows->report_arg, item, rows->best, kept);
}

void
RecsysPairRows(RecsysTeam *team, const RecsysPairModel *model, RecsysRowReporter report,
			   void *report_arg)
{
	const RecsysModelOptions *options = model->options;
	uint32		last = model->totals->nitems;
	Size		nitems = Max((Size) last, 1);
	Size		size = (nitems + CHUNKS - 1) / CHUNKS;
	uint64		chunk;
	RecsysKernel *kernel;
	PairRows	rows = {.model = model, .neighbors = options->neighbors, .report = report,
		.report_arg = report_arg};
	RecsysModelOptions all = {.similarity = RECSYS_COSINE, .neighbors = (int) nitems,
		.min_support = options->min_support};

	rows.scores = recsys_alloc_huge(sizeof(float) * nitems);
	rows.by_item = recsys_alloc_huge(sizeof(float) * nitems);
	rows.candidates = recsys_alloc_huge(sizeof(RecsysCandidate) * nitems);
	rows.spare = recsys_alloc_huge(sizeof(RecsysCandidate) * nitems);
	rows.best = recsys_alloc_huge(sizeof(RecsysNeighbor) * Min(nitems, (Size) options->neighbors));
	kernel = RecsysKernelCreate(model->users, model->items, model->totals, &all);
	RecsysKernelAnyOrder(kernel);
	while (RecsysTeamClaim(team, (nitems + size - 1) / size, &chunk))
		RecsysKernelRows(kernel, (uint32) Min(chunk * size, last),
						 (uint32) Min((chunk + 1) * size, last), score_row, &rows);
	RecsysKernelFree(kernel);
	pfree(rows.scores);
	pfree(rows.by_item);
	pfree(rows.candidates);
	pfree(rows.spare);
	pfree(rows.best);
}

Size
RecsysPairRowsMemory(uint32 nitems, bool weighted)
{
	return RecsysCooccurrenceMemory(nitems, weighted) +
		RecsysRowSelectorMemory(nitems, (int) Max(nitems, 1), weighted) +
		(2 * sizeof(float) + 2 * sizeof(RecsysCandidate) + sizeof(RecsysNeighbor)) *
		Max((Size) nitems, 1);
}
