/*
 * itemscompare.c
 *	  The items most like a probe, by a comparison with all of them.
 *
 * All contents are compared, current or not, and of those that are among the best it is looked
 * up whether they are of the rows that the snapshot sees.  Every such row has its content on some
 * page, however far merges have come, so nothing else has to be known.
 */
#include "postgres.h"

#include "am/sight/itemsreader.h"
#include "miscadmin.h"

/* Probes of a block are padded to this alignment, see core/content/content.h. */
#define SCORES_ALIGNMENT 64

typedef struct Comparison
{
	RecsysItemsReader *reader;
	RecsysLikenessBlock *block;
	int			stride;
	float	   *scores;
	uint32		except;
	RecsysLikeHeap best;
} Comparison;

static void
compare_tile(Comparison *comparison, const RecsysContentPage *page, const int *places, int n)
{
	const char *packed[RECSYS_TILE] = {NULL};

	for (int i = 0; i < n; i++)
		packed[i] = page->tuples[places[i]]->packed;
	RecsysBlockCompare(comparison->block, packed, n, comparison->scores);
	for (int i = 0; i < n; i++)
	{
		float		score = comparison->scores[i * comparison->stride];
		RecsysContentTuple tuple = page->tuples[places[i]];
		RecsysSight *sight;

		if (!RecsysLikeHeapWants(&comparison->best, score))
			continue;
		sight = RecsysSightOf(comparison->reader, tuple->item);
		if (sight->state != RECSYS_SIGHT_NONE && sight->block == page->block &&
			ItemPointerEquals(&sight->tid, &tuple->tid))
			RecsysLikeHeapAdd(&comparison->best, tuple->item, score);
	}
}

static void
compare_page(void *arg, const RecsysContentPage *page)
{
	Comparison *comparison = arg;
	int			places[RECSYS_TILE];
	int			n = 0;

	for (int i = 0; i < page->ntuples; i++)
	{
		if (page->tuples[i]->item == comparison->except ||
			(page->tuples[i]->flags & RECSYS_CONTENT_DEAD) != 0)
			continue;
		places[n++] = i;
		if (n == RECSYS_TILE)
		{
			compare_tile(comparison, page, places, n);
			n = 0;
		}
	}
	if (n > 0)
		compare_tile(comparison, page, places, n);
}

int
RecsysItemsLike(RecsysItemsReader *reader, const RecsysContentModel *model, const char *probe,
				uint32 except, int k, RecsysLike **likes)
{
	Comparison	comparison;
	char	   *memory;
	int			count;

	*likes = NULL;
	if (k <= 0)
		return 0;
	comparison.reader = reader;
	comparison.block = RecsysBlockCreate(model, 1);
	RecsysBlockAdd(comparison.block, probe);
	comparison.stride = RecsysBlockStride(comparison.block);
	memory = palloc(sizeof(float) * comparison.stride * RECSYS_TILE + SCORES_ALIGNMENT);
	comparison.scores = (float *) TYPEALIGN(SCORES_ALIGNMENT, memory);
	comparison.except = except;
	RecsysLikeHeapInit(&comparison.best, reader, k);

	RecsysContentScan(reader->index, compare_page, &comparison);

	RecsysBlockFree(comparison.block);
	pfree(memory);
	count = RecsysLikeHeapFinish(&comparison.best, likes);
	return count;
}
