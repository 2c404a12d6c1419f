/*
 * check_build.c
 *	  Is the item graph the one that a build would make?
 *
 * The users' visible rows are trained from, as in a build, but with the numbers of items
 * that the index has.  Sums of weights, latest times, the scores of the best neighbors,
 * and that none of those is missing are compared.
 */
#include "postgres.h"

#include <math.h>

#include "am/check/check_build.h"
#include "am/graph/graph.h"
#include "am/graph/prior_page.h"
#include "core/pairs/modeloptions.h"
#include "miscadmin.h"
#include "source/train/historystore.h"

/* Relative error of scores and totals: sums are added up in another order */
#define SCORE_ERROR 1e-4
#define TOTAL_ERROR 1e-9

struct RecsysBuildCheck
{
	Relation	index;
	RecsysMetaData meta;
	RecsysModel *model;
	RecsysGraphReader reader;
	int64		counted_by;		/* clock that later times have been counted by */
};

RecsysBuildCheck *
RecsysBuildCheckCreate(Relation index, const RecsysMetaData *meta)
{
	Size		memory = (Size) maintenance_work_mem * 1024 / 2;
	bool		weighted = meta->weighted && RecsysModelHasWeights(&meta->options);
	bool		future;
	double		size = (weighted ? 8.0 : 4.0) * meta->interactions;
	RecsysBuildCheck *check;

	/* scores that are learned, or computed with other numbers, are not comparable */
	if (meta->learned || meta->rescoring || meta->score_users != meta->users || meta->score_items != meta->items)
		return NULL;
	check = palloc(sizeof(RecsysBuildCheck));
	check->index = index;
	check->meta = *meta;
	check->model = RecsysModelCreate(meta->nitems, weighted, meta->max_history, memory,
									 size > memory / 2, 0);
	RecsysModelSetTransform(check->model, meta->options.weight_transform);
	if (RecsysModelUsesOrder(&meta->options))
		RecsysModelKeepOrder(check->model);
	RecsysModelKeepLatest(check->model);
	RecsysModelKeepRecent(check->model, RecsysRecentHalfLife(&meta->options), RecsysIndexNow(index));
	(void) RecsysGetPriorState(index, &check->counted_by, &future);
	RecsysGraphReaderInit(&check->reader, index);
	return check;
}

void
RecsysBuildCheckAdd(RecsysBuildCheck *check, const RecsysInteraction *interactions, int count)
{
	for (int i = 0; i < count; i++)
		RecsysModelAdd(check->model, &interactions[i]);
	(void) RecsysModelEndUser(check->model);
}

static bool
differs(double a, double b, double error)
{
	return fabs(a - b) > error * Max(fabs(a), fabs(b));
}

static void
judge_totals(RecsysBuildCheck *check, RecsysGraphRow row)
{
	const RecsysItemTotals *totals = RecsysModelScored(check->model);
	double		users = totals->users[row->item];
	double		norm2 = totals->norm2 != NULL ? totals->norm2[row->item] : users;
	double		mass = totals->mass != NULL ? totals->mass[row->item] : users;

	if (differs(row->norm2, norm2, TOTAL_ERROR) || differs(row->mass, mass, TOTAL_ERROR))
		RecsysCountsDisagree(check->index, "Weights of item number %u add up to %g in the graph, their squares to %g; in the table to %g and %g.",
				  row->item, row->mass, row->norm2, mass, norm2);
	if (totals->recent != NULL && row->latest <= check->counted_by &&
		differs(RecsysRecencyAt(&row->recent, totals->recent[row->item].at),
				totals->recent[row->item].sum, TOTAL_ERROR))
		RecsysCountsDisagree(check->index, "Of item number %u %g users have it lately in the graph, by the table %g.",
							 row->item, row->recent.sum, totals->recent[row->item].sum);
	if (row->latest != totals->latest[row->item])
		RecsysCountsDisagree(check->index, "The latest interaction with item number %u is another one in the table than in the graph.",
				  row->item);
}

/* A neighbor of both must have the same score. */
static void
judge_score(RecsysBuildCheck *check, RecsysGraphRow row, int place, float score)
{
	if (differs(RecsysRowScores(row)[place], score, SCORE_ERROR) &&
		(!check->meta.weighted || score >= SCORE_ERROR))
		RecsysCountsDisagree(check->index, "Item number %u has item number %u as a neighbor with score %g, by the table it is %g.",
				  row->item, row->peers[place], RecsysRowScores(row)[place], score);
}

static void
judge_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	RecsysBuildCheck *check = arg;
	RecsysGraphRow row = RecsysGraphNeedRow(&check->reader, item);
	float		least = 0;		/* a neighbor that is better must be there */
	const RecsysNeighbor *missing = NULL;

	if (row->nstored >= check->meta.neighbors)
		least = RecsysRowScores(row)[check->meta.neighbors - 1];
	least = Max(least, row->floor_score);
	judge_totals(check, row);
	for (int n = 0; n < count && missing == NULL; n++)
	{
		bool		found = false;

		for (int i = 0; i < row->nstored && !found; i++)
		{
			found = row->peers[i] == neighbors[n].item;
			if (found)
				judge_score(check, row, i, neighbors[n].score);
		}

		/* one that is hardly there at all may have been rounded away */
		if (neighbors[n].score <= least * (1 + SCORE_ERROR) ||
			(check->meta.weighted && neighbors[n].score < SCORE_ERROR))
			continue;
		if (!found)
			missing = &neighbors[n];
	}
	RecsysGraphReleaseRow(&check->reader);
	if (missing != NULL)
		RecsysCountsDisagree(check->index, "Item number %u lacks item number %u among its neighbors, with %u users in common.",
				  item, missing->item, missing->support);
	CHECK_FOR_INTERRUPTS();
}

void
RecsysBuildCheckJudge(RecsysBuildCheck *check)
{
	RecsysModelOptions options;
	uint64		users;

	RecsysGraphOptions(&check->meta, &options);
	(void) RecsysModelFinish(check->model);
	users = RecsysModelGetStatistics(check->model)->users;
	if (users != check->meta.users)
		RecsysCountsDisagree(check->index, "There are %llu users in the graph, and %llu in the table.",
							 (unsigned long long) check->meta.users, (unsigned long long) users);
	RecsysModelRun(check->model, &options, judge_row, check);
}

void
RecsysBuildCheckFree(RecsysBuildCheck *check)
{
	RecsysGraphReaderDone(&check->reader);
	RecsysModelFree(check->model);
	pfree(check);
}
