/*
 * panelproduct.h
 *	  Products of a few vectors of 16-bit numbers with many.
 */
#ifndef RECSYS_PANELPRODUCT_H
#define RECSYS_PANELPRODUCT_H

#include "core/base/platform.h"

/*
 * A panel holds the vectors of queries in strips of RECSYS_LANES queries.  A strip has for
 * each pair of dimensions both components of each of its queries, one query after the other:
 * what the processor multiplies and adds at once, so that no sum goes across lanes.
 */
#define RECSYS_LANES 16

/* So many candidates at a time */
#define RECSYS_GROUP 4

/* Where the component of a query is */
static inline Size
RecsysPanelAt(int pairs, int query, int dimension)
{
	return ((Size) (query / RECSYS_LANES) * pairs + dimension / 2) * (2 * RECSYS_LANES) +
		query % RECSYS_LANES * 2 + dimension % 2;
}

static inline Size
RecsysPanelSize(int pairs, int strips)
{
	return sizeof(int16) * 2 * RECSYS_LANES * (Size) pairs * strips;
}

/*
 * products[candidate * stride + query], of RECSYS_GROUP candidates (their vectors one after
 * the other, 2 * pairs components each) and the queries of so many strips.  The panel and the
 * candidates are aligned to 64 bytes if that is to be fast.  No product of two vectors
 * may exceed 2^31 - 1, nor any part of it.
 */
extern void RecsysPanelProduct(const int16 *panel, int strips, int pairs, const int16 *candidates,
							   int32 *products, int stride);

/* Have the plain C done by which the other ones are tested. */
extern bool RecsysPlainKernels;

#endif							/* RECSYS_PANELPRODUCT_H */
