/*
 * batchgraph.c
 *	  An item graph packed for making the lists of many users, in one block of memory that
 *	  processes can share.
 *
 * A row is its neighbors' places and then their scores, without anything else in between: six bytes
 * a neighbor as long as there are no more than 65,536 items, eight otherwise.  Scores are the
 * floats of the item graph as they are.
 */
#include "core/scoring/batchgraph.h"

/* Parts of a block begin at cache lines. */
#define LINE 64
#define AlignPart(size) (((Size) (size) + LINE - 1) / LINE * LINE)

static uint32
count_places(uint32 nitems)
{
	uint64		places = ((uint64) nitems + RECSYS_BATCH_BLOCK - 1) / RECSYS_BATCH_BLOCK *
		RECSYS_BATCH_BLOCK;

	return (uint32) Min(places, PG_UINT32_MAX / RECSYS_BATCH_BLOCK * RECSYS_BATCH_BLOCK);
}

static void
lay_out(uint32 nitems, uint64 neighbors, RecsysBatchGraph *graph)
{
	Size		end = AlignPart(sizeof(RecsysBatchGraph));

	memset(graph, 0, sizeof(*graph));
	graph->nitems = nitems;
	graph->nplaces = count_places(nitems);
	graph->wide = nitems > RECSYS_BATCH_NARROW;
	/* of a row with an odd number of narrow places half a word is lost */
	graph->room = graph->wide ? 2 * neighbors : neighbors + (neighbors + 1) / 2 + nitems;
	graph->rows = end;
	end += AlignPart(sizeof(RecsysBatchRow) * (Size) nitems);
	graph->places = end;
	end += AlignPart(sizeof(uint32) * (Size) nitems);
	graph->standings = end;
	end += AlignPart(sizeof(uint32) * (Size) graph->nplaces);
	graph->numbers = end;
	end += AlignPart(sizeof(uint32) * (Size) nitems);
	graph->offered = end;
	end += AlignPart(sizeof(uint8) * (Size) graph->nplaces);
	graph->prior = end;
	end += AlignPart(sizeof(float) * (Size) graph->nplaces);
	graph->words = end;
	graph->size = end + AlignPart(sizeof(uint32) * graph->room);
}

Size
RecsysBatchGraphSize(uint32 nitems, uint64 neighbors)
{
	RecsysBatchGraph graph;

	lay_out(nitems, neighbors, &graph);
	return graph.size;
}

/* Most users first, then by number */
static int
compare_users(const void *a, const void *b, void *arg)
{
	const uint32 *users = arg;
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	if (users[x] != users[y])
		return users[x] > users[y] ? -1 : 1;
	return (x > y) - (x < y);
}

RecsysBatchGraph *
RecsysBatchGraphInit(void *place, uint32 nitems, uint64 neighbors, const uint32 *users,
					 const uint32 *standings)
{
	RecsysBatchGraph *graph = place;
	uint32	   *by_users = recsys_alloc_huge(sizeof(uint32) * ((Size) nitems + 1));
	uint32	   *places;
	uint32	   *numbers;

	lay_out(nitems, neighbors, graph);
	memset((char *) place + graph->rows, 0, graph->words - graph->rows);
	places = RecsysBatchPart(graph, places, uint32);
	numbers = RecsysBatchPart(graph, numbers, uint32);
	for (uint32 item = 0; item < nitems; item++)
		by_users[item] = item;
	qsort_interruptible(by_users, nitems, sizeof(uint32), compare_users, (void *) users);
	for (uint32 x = 0; x < nitems; x++)
	{
		uint32		item = by_users[x];
		uint32		standing = standings != NULL ? standings[item] : item;

		places[item] = x;
		RecsysBatchPart(graph, standings, uint32)[x] = standing;
		numbers[standing] = item;
		RecsysBatchPart(graph, offered, uint8)[x] = 1;
	}
	pfree(by_users);
	return graph;
}

bool
RecsysBatchGraphAdd(RecsysBatchGraph *graph, uint32 item, const uint32 *neighbors,
					const float *scores, int n)
{
	RecsysBatchRow *row = &RecsysBatchPart(graph, rows, RecsysBatchRow)[item];
	const uint32 *places = RecsysBatchPart(graph, places, uint32);
	uint32	   *words = RecsysBatchPart(graph, words, uint32) + graph->used;
	uint32		count = 0;
	uint32		at = 0;
	uint32		last;
	float	   *kept;

	for (int x = 0; x < n; x++)
		count += neighbors[x] < graph->nitems;
	last = RecsysBatchPlaceWords(graph, count);
	if (graph->used + last + count > graph->room)
		return false;
	kept = (float *) (words + last);
	for (int x = 0; x < n; x++)
	{
		if (neighbors[x] >= graph->nitems)
			continue;
		if (graph->wide)
			words[at] = places[neighbors[x]];
		else
			((uint16 *) words)[at] = (uint16) places[neighbors[x]];
		kept[at++] = scores[x];
	}
	row->start = graph->used;
	row->count = count;
	graph->used += last + count;
	return true;
}

void
RecsysBatchGraphSetPrior(RecsysBatchGraph *graph, const uint32 *items, const float *scores, int n)
{
	const uint32 *places = RecsysBatchPart(graph, places, uint32);

	for (int x = 0; x < n; x++)
	{
		if (items[x] >= graph->nitems)
			continue;
		RecsysBatchPart(graph, prior, float)[places[items[x]]] = scores[x];
		graph->prior_end = Max(graph->prior_end, places[items[x]] + 1);
	}
}

void
RecsysBatchGraphWithhold(RecsysBatchGraph *graph, uint32 item)
{
	RecsysBatchPart(graph, offered, uint8)[RecsysBatchPart(graph, places, uint32)[item]] = 0;
	graph->withholds = true;
}
