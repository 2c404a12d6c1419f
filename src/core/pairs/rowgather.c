/*
 * rowgather.c
 *	  Rows of the item graph gathered from its columns.
 *
 * A row takes its neighbors as they come.  When it holds half again as many as
 * shall be kept, the worst go.
 */
#include "core/pairs/rowgather.h"

#include "core/pairs/neighbors.h"

#define FIRST_ROOM 8

typedef struct Row
{
	RecsysNeighbor *neighbors;
	int			count;
	int			room;
} Row;

struct RecsysRowGather
{
	uint32		nitems;
	int			neighbors;
	RecsysKeyOrder order;
	Size		used;
	Row		   *rows;
};

/* Neighbors that a row holds at most. */
static int
most_room(int neighbors)
{
	return neighbors + neighbors / 2 + FIRST_ROOM;
}

RecsysRowGather *
RecsysRowGatherCreate(uint32 nitems, int neighbors)
{
	RecsysRowGather *gather = palloc0(sizeof(RecsysRowGather));

	gather->nitems = nitems;
	gather->neighbors = neighbors;
	gather->order.nsorted = nitems;
	gather->used = sizeof(RecsysRowGather) + sizeof(Row) * Max((Size) nitems, 1);
	gather->rows = recsys_alloc_huge_zero(sizeof(Row) * Max((Size) nitems, 1));
	return gather;
}

/* Best first, no more than shall be kept. */
static void
prune(RecsysRowGather *gather, Row *row)
{
	RecsysNeighborList list;

	RecsysNeighborListSelect(&list, row->neighbors, row->count, gather->neighbors, &gather->order);
	row->count = list.count;
}

static void
make_room(RecsysRowGather *gather, Row *row)
{
	int			room = Min(Max(FIRST_ROOM, row->room + row->room / 2),
						   most_room(gather->neighbors));

	if (room <= row->room)
	{
		prune(gather, row);
		return;
	}
	if (row->neighbors == NULL)
		row->neighbors = recsys_alloc_huge(sizeof(RecsysNeighbor) * (Size) room);
	else
		row->neighbors = recsys_realloc_huge(row->neighbors, sizeof(RecsysNeighbor) * (Size) room);
	gather->used += sizeof(RecsysNeighbor) * (Size) (room - row->room);
	row->room = room;
}

void
RecsysRowGatherAdd(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	RecsysRowGather *gather = arg;

	for (int x = 0; x < count; x++)
	{
		Row		   *row = &gather->rows[neighbors[x].item];

		if (row->count == row->room)
			make_room(gather, row);
		row->neighbors[row->count] = neighbors[x];
		row->neighbors[row->count++].item = item;
	}
}

void
RecsysRowGatherReport(RecsysRowGather *gather, RecsysRowReporter report, void *arg)
{
	for (uint32 item = 0; item < gather->nitems; item++)
	{
		Row		   *row = &gather->rows[item];

		if (item % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		prune(gather, row);
		report(arg, item, row->neighbors, row->count);
	}
}

void
RecsysRowGatherFree(RecsysRowGather *gather)
{
	for (uint32 item = 0; item < gather->nitems; item++)
	{
		if (gather->rows[item].neighbors != NULL)
			pfree(gather->rows[item].neighbors);
	}
	pfree(gather->rows);
	pfree(gather);
}

Size
RecsysRowGatherUsed(const RecsysRowGather *gather)
{
	return gather->used;
}

Size
RecsysRowGatherMemory(uint32 nitems, int neighbors)
{
	return sizeof(RecsysRowGather) +
		Max((Size) nitems, 1) * (sizeof(Row) + sizeof(RecsysNeighbor) * most_room(neighbors));
}
