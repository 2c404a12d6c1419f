/*
 * area.h
 *	  Arrays laid out one after the other in one block of memory.
 *
 * The same function that hands out the pieces adds up their sizes when place is
 * NULL, and finds them again in another process, where the block is at another address.
 */
#ifndef RECSYS_AREA_H
#define RECSYS_AREA_H

#include "core/pairs/cooccurrence.h"

/* Pieces begin on cache lines of their own (or pairs, which some processors fetch at once). */
#define RECSYS_AREA_ALIGNMENT 128

typedef struct RecsysArea
{
	char	   *place;
	Size		used;
} RecsysArea;

static inline void *
RecsysCarve(RecsysArea *area, Size size)
{
	void	   *piece = area->place != NULL ? area->place + area->used : NULL;

	area->used += (size + RECSYS_AREA_ALIGNMENT - 1) / RECSYS_AREA_ALIGNMENT * RECSYS_AREA_ALIGNMENT;
	return piece;
}

static inline void
RecsysCarveTotals(RecsysArea *area, uint32 nitems, bool weighted, RecsysItemTotals *totals)
{
	totals->nitems = nitems;
	totals->users = RecsysCarve(area, sizeof(uint32) * nitems);
	totals->work = RecsysCarve(area, sizeof(uint64) * nitems);
	totals->norm2 = weighted ? RecsysCarve(area, sizeof(double) * nitems) : NULL;
	totals->mass = weighted ? RecsysCarve(area, sizeof(double) * nitems) : NULL;
	totals->wanted = NULL;
}

static inline void
RecsysCarveMatrix(RecsysArea *area, uint32 nrows, uint32 ncolumns, uint64 nentries, bool columns,
				  bool weighted, RecsysMatrix *matrix)
{
	matrix->nrows = nrows;
	matrix->ncolumns = ncolumns;
	matrix->offsets = RecsysCarve(area, sizeof(uint64) * ((Size) nrows + 1));
	matrix->columns = columns ? RecsysCarve(area, sizeof(uint32) * nentries) : NULL;
	matrix->weights = weighted ? RecsysCarve(area, sizeof(float) * nentries) : NULL;
}

#endif							/* RECSYS_AREA_H */
