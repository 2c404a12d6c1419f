/*
 * neighbors.c
 *	  One item's neighbors as they are kept.
 *
 * A list that was computed from all pairs of its item holds the best of them
 * and a floor, its last entry's place: whatever is missing stands behind it.
 * When some pairs change, the list stays right down to the floor without a look
 * at the others: changed pairs are taken out and put in again where they belong
 * now, and those above the floor are certain.  As long as they are as many as
 * the item shall have neighbors, nothing needs to be computed anew.  That is
 * what the spare entries are for; when they are used up, the item's list has to
 * be computed from all pairs again.
 *
 * If the changed list has as many certain entries as it may store, the floor
 * rises to the last of them.
 */
#include "core/pairs/neighbors.h"

/* Runs up to this length are sorted by insertion. */
#define SHORT_RUN 8

int
RecsysNeighborCompare(const RecsysKeyOrder *order, const RecsysNeighbor *a,
					  const RecsysNeighbor *b)
{
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return RecsysKeyOrderCompare(order, a->item, b->item);
}

static void
merge_runs(const RecsysNeighbor *a, int na, const RecsysNeighbor *b, int nb, RecsysNeighbor *out,
		   const RecsysKeyOrder *order)
{
	int			x = 0;
	int			y = 0;

	while (x < na && y < nb)
		*out++ = RecsysNeighborCompare(order, &b[y], &a[x]) < 0 ? b[y++] : a[x++];
	while (x < na)
		*out++ = a[x++];
	while (y < nb)
		*out++ = b[y++];
}

void
RecsysNeighborSort(RecsysNeighbor *neighbors, int n, const RecsysKeyOrder *order)
{
	RecsysNeighbor *spare;
	RecsysNeighbor *from = neighbors;
	RecsysNeighbor *to;

	for (int first = 0; first < n; first += SHORT_RUN)
	{
		int			last = Min(first + SHORT_RUN, n);

		for (int x = first + 1; x < last; x++)
		{
			RecsysNeighbor one = neighbors[x];
			int			y = x;

			for (; y > first && RecsysNeighborCompare(order, &one, &neighbors[y - 1]) < 0; y--)
				neighbors[y] = neighbors[y - 1];
			neighbors[y] = one;
		}
	}
	if (n <= SHORT_RUN)
		return;

	spare = recsys_alloc_huge(sizeof(RecsysNeighbor) * (Size) n);
	to = spare;
	for (int width = SHORT_RUN; width < n; width *= 2)
	{
		RecsysNeighbor *swap = from;

		for (int first = 0; first < n; first += 2 * width)
		{
			int			middle = Min(first + width, n);
			int			last = Min(middle + width, n);

			merge_runs(from + first, middle - first, from + middle, last - middle,
					   to + first, order);
		}
		from = to;
		to = swap;
	}
	if (from != neighbors)
		memcpy(neighbors, from, sizeof(RecsysNeighbor) * (Size) n);
	pfree(spare);
}

/* Restore the heap of n whose root, its worst, has been replaced. */
static void
sift_down(RecsysNeighbor *heap, int n, int root, const RecsysKeyOrder *order)
{
	RecsysNeighbor one = heap[root];

	for (;;)
	{
		int			child = 2 * root + 1;

		if (child >= n)
			break;
		if (child + 1 < n && RecsysNeighborCompare(order, &heap[child + 1], &heap[child]) > 0)
			child++;
		if (RecsysNeighborCompare(order, &heap[child], &one) <= 0)
			break;
		heap[root] = heap[child];
		root = child;
	}
	heap[root] = one;
}

void
RecsysNeighborListSelect(RecsysNeighborList *list, RecsysNeighbor *candidates, int n,
						 int capacity, const RecsysKeyOrder *order)
{
	list->neighbors = candidates;
	list->count = Min(n, capacity);
	list->floor_score = 0;
	list->floor_item = 0;

	if (n > capacity)
	{
		for (int root = capacity / 2 - 1; root >= 0; root--)
			sift_down(candidates, capacity, root, order);
		for (int x = capacity; x < n; x++)
		{
			if (candidates[x].score < candidates[0].score ||
				RecsysNeighborCompare(order, &candidates[x], &candidates[0]) > 0)
				continue;
			candidates[0] = candidates[x];
			sift_down(candidates, capacity, 0, order);
		}
	}
	RecsysNeighborSort(candidates, list->count, order);
	if (n >= capacity)
	{
		list->floor_score = candidates[capacity - 1].score;
		list->floor_item = candidates[capacity - 1].item;
	}
}

int
RecsysNeighborListCertain(const RecsysNeighborList *list, const RecsysKeyOrder *order)
{
	RecsysNeighbor floor = {0};
	int			low = 0;
	int			high = list->count;

	if (list->floor_score == 0)
		return list->count;

	/* the first that stands behind the floor */
	floor.score = list->floor_score;
	floor.item = list->floor_item;
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (RecsysNeighborCompare(order, &list->neighbors[middle], &floor) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
compare_items(const void *a, const void *b)
{
	uint32		x = ((const RecsysNeighbor *) a)->item;
	uint32		y = ((const RecsysNeighbor *) b)->item;

	return (x > y) - (x < y);
}

/* Takes the patched items out; patches are sorted by item. */
static void
remove_patched(RecsysNeighborList *list, const RecsysNeighbor *patches, int npatches)
{
	int			kept = 0;

	for (int x = 0; x < list->count; x++)
	{
		if (bsearch(&list->neighbors[x], patches, npatches, sizeof(RecsysNeighbor),
					compare_items) == NULL)
			list->neighbors[kept++] = list->neighbors[x];
	}
	list->count = kept;
}

int
RecsysNeighborListPatch(RecsysNeighborList *list, RecsysNeighbor *patches, int npatches,
						int capacity, const RecsysKeyOrder *order)
{
	RecsysNeighbor *merged;
	int			added = 0;
	int			certain;

	qsort(patches, npatches, sizeof(RecsysNeighbor), compare_items);
	remove_patched(list, patches, npatches);

	for (int x = 0; x < npatches; x++)
	{
		if (patches[x].score > 0)
			patches[added++] = patches[x];
	}
	RecsysNeighborSort(patches, added, order);
	merged = recsys_alloc_huge(sizeof(RecsysNeighbor) * (Size) Max(list->count + added, 1));
	merge_runs(list->neighbors, list->count, patches, added, merged, order);
	list->count += added;
	memcpy(list->neighbors, merged, sizeof(RecsysNeighbor) * (Size) list->count);
	pfree(merged);

	certain = RecsysNeighborListCertain(list, order);
	if (certain >= capacity)
	{
		list->count = certain = capacity;
		list->floor_score = list->neighbors[capacity - 1].score;
		list->floor_item = list->neighbors[capacity - 1].item;
	}
	list->count = Min(list->count, capacity);
	return certain;
}
