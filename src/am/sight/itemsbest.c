/*
 * itemsbest.c
 *	  The best of a stream of likenesses: the higher score first, then the key.
 */
#include "postgres.h"

#include "am/sight/itemsreader.h"
#include "am/store/enlarge.h"

/* Room to begin with */
#define FIRST_LIKES 128

int
RecsysLikeCompare(RecsysItemsReader *reader, const RecsysLike *a, const RecsysLike *b)
{
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (a->item == b->item)
		return 0;
	if (reader->order == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(reader->context);

		reader->order = RecsysItemOrderCreate(reader->index, RecsysItemCount(reader->index));
		MemoryContextSwitchTo(old);
	}
	return RecsysItemOrderCompare(reader->order, a->item, b->item);
}

void
RecsysLikeHeapInit(RecsysLikeHeap *heap, RecsysItemsReader *reader, int k)
{
	heap->reader = reader;
	heap->context = CurrentMemoryContext;
	heap->k = k;
	heap->count = 0;
	heap->size = 0;
	heap->likes = NULL;
}

/* Does a stand before b in the list?  Then b is nearer to the heap's top. */
static inline bool
before(RecsysLikeHeap *heap, const RecsysLike *a, const RecsysLike *b)
{
	return RecsysLikeCompare(heap->reader, a, b) < 0;
}

/* Lets what is at the top sink to its place. */
static void
sift_down(RecsysLikeHeap *heap, int count)
{
	RecsysLike *likes = heap->likes;
	RecsysLike	sinking = likes[0];
	int			place = 0;

	for (;;)
	{
		int			child = 2 * place + 1;

		if (child >= count)
			break;
		if (child + 1 < count && before(heap, &likes[child], &likes[child + 1]))
			child++;
		if (!before(heap, &sinking, &likes[child]))
			break;
		likes[place] = likes[child];
		place = child;
	}
	likes[place] = sinking;
}

static void
sift_up(RecsysLikeHeap *heap, int place)
{
	RecsysLike *likes = heap->likes;
	RecsysLike	rising = likes[place];

	while (place > 0)
	{
		int			parent = (place - 1) / 2;

		if (!before(heap, &likes[parent], &rising))
			break;
		likes[place] = likes[parent];
		place = parent;
	}
	likes[place] = rising;
}

void
RecsysLikeHeapAdd(RecsysLikeHeap *heap, uint32 item, float score)
{
	RecsysLike	like = {item, score};

	if (heap->k <= 0)
		return;
	if (heap->count == heap->k)
	{
		if (!before(heap, &like, &heap->likes[0]))
			return;
		heap->likes[0] = like;
		sift_down(heap, heap->count);
		return;
	}
	if (heap->count == heap->size)
	{
		heap->size = Max(FIRST_LIKES, heap->size * 2);
		heap->likes = RecsysEnlarge(heap->context, heap->likes,
									sizeof(RecsysLike) * (Size) heap->size);
	}
	heap->likes[heap->count] = like;
	sift_up(heap, heap->count++);
}

int
RecsysLikeHeapFinish(RecsysLikeHeap *heap, RecsysLike **likes)
{
	for (int left = heap->count - 1; left > 0; left--)
	{
		RecsysLike	worst = heap->likes[0];

		heap->likes[0] = heap->likes[left];
		sift_down(heap, left);
		heap->likes[left] = worst;
	}
	*likes = heap->likes;
	return heap->count;
}

int
RecsysItemsBest(RecsysItemsReader *reader, RecsysLike *likes, int n, int k)
{
	RecsysLikeHeap heap;
	RecsysLike *best;
	int			count;

	RecsysLikeHeapInit(&heap, reader, k);
	for (int i = 0; i < n; i++)
		if (RecsysLikeHeapWants(&heap, likes[i].score))
			RecsysLikeHeapAdd(&heap, likes[i].item, likes[i].score);
	count = RecsysLikeHeapFinish(&heap, &best);
	if (count > 0)
		memcpy(likes, best, sizeof(RecsysLike) * (Size) count);
	if (best != NULL)
		pfree(best);
	return count;
}
