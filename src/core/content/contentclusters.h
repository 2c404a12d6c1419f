/*
 * contentclusters.h
 *	  Items that are alike, together.
 */
#ifndef RECSYS_CONTENTCLUSTERS_H
#define RECSYS_CONTENTCLUSTERS_H

#include "core/content/contentmodel.h"

/*
 * For catalogues that are too large to compare all with all.  Items are seen as sketches
 * (contentsketch.h).  Cluster centers are found by k-means over a sample of packed items,
 * which is to be twenty times as large as there are clusters, or larger.  Items are
 * compared with those of the clusters that are within reach of their own.
 *
 * Train remembers neither the sample nor where it was; the same arguments give the same clusters.
 */
typedef struct RecsysContentClusters RecsysContentClusters;

/* How many clusters are best for so many items: the smaller, the fewer items are compared in vain. */
extern int	RecsysClustersFor(uint32 nitems);

extern RecsysContentClusters *RecsysClustersTrain(const RecsysContentModel *model,
												  const char *const *sample, int n, int clusters,
												  uint64 seed);

/* May be fewer than were asked for, when the sample is small. */
extern int	RecsysClustersCount(const RecsysContentClusters *clusters);
extern int	RecsysClusterOf(const RecsysContentClusters *clusters, const char *packed);

/* The same of many at once, which is faster */
extern void RecsysClustersOf(const RecsysContentClusters *clusters, const char *const *packed, int n,
							 int *of);

/* The clusters in order of how near they are to one of them, itself first. */
extern void RecsysClustersNear(const RecsysContentClusters *clusters, int cluster, int *order);

/*
 * How many of that order, itself included, the items of a cluster are to be compared with so that
 * of all items' ten nearest neighbors but a twentieth is found, when there are so many items in all.
 * That is few for clusters whose items are much alike, and many for those of odd items.  Measured in
 * training.
 */
extern int	RecsysClustersSpan(const RecsysContentClusters *clusters, int cluster, uint32 nitems);
extern void RecsysClustersFree(RecsysContentClusters *clusters);

#endif							/* RECSYS_CONTENTCLUSTERS_H */
