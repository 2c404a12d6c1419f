/*
 * sketchpage.c
 *	  Sketches of factors on disk, and their rests.
 *
 * Sketches of the factors (core/dense/factorsketch.c) rule out most items as candidates for a
 * user's best.  They are in descending order of the factors' lengths: who has found k items with a
 * score that those beyond a page are too short for need not look at that page.  Rests are in the
 * same order, on as many pages behind those of the sketches.
 *
 * A call reads them by the hundred.  As nothing changes them after the build, they are pinned and
 * not locked.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "am/graph/sketchpage.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/recentbuffer.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define CACHE_LINE 64

/* Pages that are asked for together: waiting for one of them, one waits for all of them. */
#define EXPECTED_PAGES RECSYS_FACTORS_EXPECTED

typedef struct FactorLength
{
	double		length;
	uint32		item;
} FactorLength;

static int
compare_lengths(const void *a, const void *b)
{
	const FactorLength *left = a;
	const FactorLength *right = b;

	if (left->length != right->length)
		return left->length > right->length ? -1 : 1;
	return left->item < right->item ? -1 : left->item > right->item ? 1 : 0;
}

/* All items by the lengths of their factors, the longest first */
static FactorLength *
order_by_length(const RecsysFactors *factors)
{
	uint32		nitems = factors->shape.nitems;
	int			rank = factors->shape.rank;
	FactorLength *lengths = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(FactorLength) * (Size) nitems);

	for (uint32 item = 0; item < nitems; item++)
	{
		lengths[item].item = item;
		lengths[item].length = RecsysFactorLength(factors->items + (Size) item * rank, rank);
	}
	qsort(lengths, nitems, sizeof(FactorLength), compare_lengths);
	return lengths;
}

/* A page of sketches, or of rests, of n places behind `first` others */
static BlockNumber
write_sketch_page(Relation index, ForkNumber fork, const RecsysSketchLayout *layout, bool rests,
				  const char *block, const FactorLength *lengths, uint32 first)
{
	PGAlignedBlock image;
	Page		page = (Page) image.data;

	RecsysPageInit(page, RECSYS_PAGE_SKETCH, RECSYS_ITEMS);
	RecsysPageSketchHead(page)->longest = lengths[first].length;
	memcpy(RecsysPageSketches(page), block, layout->size);
	((PageHeader) page)->pd_lower = RECSYS_SKETCH_START + layout->size;
	RecsysPageGetOpaque(page)->low = first;
	RecsysPageGetOpaque(page)->high = rests;
	return RecsysAppendPage(index, fork, page);
}

BlockNumber
RecsysWriteSketches(Relation index, ForkNumber fork, const RecsysFactors *factors)
{
	uint32		nitems = factors->shape.nitems;
	int			rank = factors->shape.rank;
	FactorLength *lengths = order_by_length(factors);
	char	   *blocks = palloc(2 * RECSYS_SKETCH_BYTES);
	BlockNumber start = InvalidBlockNumber;
	RecsysSketchLayout layout;

	RecsysSketchLayoutInit(&layout, rank, RECSYS_SKETCH_BYTES);
	for (int rests = 0; rests < 2; rests++)
		for (uint32 first = 0; first < nitems; first += Min(layout.room, nitems - first))
		{
			uint32		end = first + Min(layout.room, nitems - first);
			BlockNumber block;

			CHECK_FOR_INTERRUPTS();
			memset(blocks, 0, 2 * RECSYS_SKETCH_BYTES);
			for (uint32 x = first; x < end; x++)
				RecsysSketchFactor(&layout, blocks, blocks + RECSYS_SKETCH_BYTES, x - first, lengths[x].item,
								   factors->items + (Size) lengths[x].item * rank);
			block = write_sketch_page(index, fork, &layout, rests, blocks + rests * RECSYS_SKETCH_BYTES, lengths, first);
			if (first == 0 && !rests)
				start = block;
		}
	pfree(blocks);
	pfree(lengths);
	return start;
}

/* Pins a page of sketches or rests, which must begin behind `first` others. */
static Buffer
pin_sketches(RecsysFactorReader *reader, uint32 first, bool rests)
{
	Buffer		buffer = RecsysPinRecent(reader->index, (rests ? reader->rests : reader->sketches) + first / reader->layout.room);
	Page		page = BufferGetPage(buffer);
	double		longest;

	RecsysPageCheck(reader->index, buffer, RECSYS_PAGE_SKETCH);
	longest = RecsysPageSketchHead(page)->longest;
	if (!(longest >= 0) || !isfinite(longest) || RecsysPageGetOpaque(page)->low != first ||
		RecsysPageGetOpaque(page)->high != (uint32) rests ||
		((PageHeader) page)->pd_lower != RECSYS_SKETCH_START + reader->layout.size)
		RecsysCorruptedDetail(reader->index,
							  psprintf("index \"%s\" contains a corrupted page at block %u",
									   RecsysIndexName(reader->index), BufferGetBlockNumber(buffer)),
							  rests ? "It does not hold the rests of factors after the %u longest." :
							  "It does not hold the sketches of factors after the %u longest.", first);
	return buffer;
}

const void *
RecsysFactorRests(RecsysFactorReader *reader, uint32 first)
{
	reader->rests_buffer = pin_sketches(reader, first, true);
	return RecsysPageSketches(BufferGetPage(reader->rests_buffer));
}

void
RecsysFactorRestsDone(RecsysFactorReader *reader)
{
	ReleaseBuffer(reader->rests_buffer);
	reader->rests_buffer = InvalidBuffer;
}

uint32
RecsysFactorSketched(const RecsysFactorReader *reader, const void *rests, uint32 place)
{
	uint32		item = RecsysSketchItems(&reader->layout, rests)[place];

	if (item >= reader->shape.nitems)
		RecsysCorrupted(reader->index, "index \"%s\" contains a sketch of an item that does not exist",
						RecsysIndexName(reader->index));
	return item;
}

/* The next pages of sketches, from the n-th on, and of their rests will be read soon. */
static void
expect_sketches(RecsysFactorReader *reader, uint32 n, uint32 pages)
{
	BlockNumber blocks[EXPECTED_PAGES];
	Buffer		buffers[EXPECTED_PAGES];
	int			count = (int) Min(pages - n, EXPECTED_PAGES);

	for (int rests = 0; rests < 2; rests++)
	{
		for (int x = 0; x < count; x++)
			blocks[x] = (rests ? reader->rests : reader->sketches) + n + x;
		RecsysExpectBlocks(reader->index, blocks, count, buffers);
		for (int x = 0; x < count; x++)
			if (BufferIsValid(buffers[x]))
				__builtin_prefetch(BufferGetPage(buffers[x]) + BLCKSZ - CACHE_LINE);
	}
}

void
RecsysFactorVisitSketches(RecsysFactorReader *reader, RecsysSketchVisitor visit, void *arg)
{
	uint32		room = reader->layout.room;
	uint32		pages = (reader->shape.nitems + room - 1) / room;
	double		shortest = DBL_MAX;
	bool		more = true;

	for (uint32 n = 0; n < pages && more; n++)
	{
		uint32		first = n * room;
		uint32		count = Min(room, reader->shape.nitems - first);
		const void *block;
		Buffer		buffer;
		double		longest;

		CHECK_FOR_INTERRUPTS();
		if (n % EXPECTED_PAGES == 0)
			expect_sketches(reader, n, pages);
		buffer = pin_sketches(reader, first, false);
		block = RecsysPageSketches(BufferGetPage(buffer));
		longest = RecsysPageSketchHead(BufferGetPage(buffer))->longest;
		if (longest > shortest)
			RecsysCorrupted(reader->index, "index \"%s\" contains sketches in a wrong order",
							RecsysIndexName(reader->index));
		shortest = longest;
		more = visit(arg, first, block, count, longest);
		ReleaseBuffer(buffer);
	}
}
