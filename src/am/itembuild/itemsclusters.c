/*
 * itemsclusters.c
 *	  Build of an items index: who is compared with whom.
 */
#include "postgres.h"

#include "am/itembuild/itemsclusters.h"
#include "utils/memutils.h"

/* Items for each cluster that its center is found by: as many as may be, but no fewer */
#define SAMPLE_PER_CLUSTER 40
#define LEAST_SAMPLE_PER_CLUSTER 20

/* About what an item of the sample takes */
#define SAMPLE_BYTES 1024

RecsysItemPlan *
RecsysItemPlanAll(uint32 n)
{
	RecsysItemPlan *plan = palloc0(sizeof(RecsysItemPlan));

	plan->nclusters = 1;
	plan->clusters = palloc(sizeof(RecsysItemSpan));
	plan->near = palloc(sizeof(RecsysItemSpan));
	plan->first_near = palloc(sizeof(uint32) * 2);
	plan->clusters[0] = plan->near[0] = (RecsysItemSpan) {0, n};
	plan->first_near[0] = 0;
	plan->first_near[1] = 1;
	return plan;
}

void
RecsysItemSample(uint32 nitems, Size memory, int *clusters, uint32 *sample)
{
	Size		wanted = (Size) RecsysClustersFor(nitems) * SAMPLE_PER_CLUSTER;

	*sample = (uint32) Min(Min(wanted, (Size) nitems), Max(memory / SAMPLE_BYTES, 1000));
	*clusters = Max(Min(RecsysClustersFor(nitems), (int) (*sample / LEAST_SAMPLE_PER_CLUSTER)), 1);
}

RecsysItemPlan *
RecsysItemPlanNear(const RecsysContentClusters *clusters, const uint32 *members, uint32 n)
{
	RecsysItemPlan *plan = palloc0(sizeof(RecsysItemPlan));
	int			nclusters = RecsysClustersCount(clusters);
	int		   *order = palloc(sizeof(int) * nclusters);
	uint32		first = 0;
	Size		nnear = 0;
	Size		maxnear = nclusters;

	plan->nclusters = nclusters;
	plan->clusters = palloc(sizeof(RecsysItemSpan) * nclusters);
	plan->first_near = palloc(sizeof(uint32) * (nclusters + 1));
	plan->near = palloc(sizeof(RecsysItemSpan) * maxnear);
	for (int c = 0; c < nclusters; c++)
	{
		plan->clusters[c] = (RecsysItemSpan) {first, members[c]};
		first += members[c];
	}

	for (int c = 0; c < nclusters; c++)
	{
		int			span;

		plan->first_near[c] = (uint32) nnear;
		if (members[c] == 0)
			continue;
		RecsysClustersNear(clusters, c, order);
		span = RecsysClustersSpan(clusters, c, n);
		for (int i = 0; i < Min(span, nclusters); i++)
		{
			if (members[order[i]] == 0)
				continue;
			if (nnear == maxnear)
			{
				maxnear *= 2;
				plan->near = repalloc_huge(plan->near, sizeof(RecsysItemSpan) * maxnear);
			}
			plan->near[nnear++] = plan->clusters[order[i]];
		}
		CHECK_FOR_INTERRUPTS();
	}
	plan->first_near[nclusters] = (uint32) nnear;
	pfree(order);
	return plan;
}
