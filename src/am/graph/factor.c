/*
 * factor.c
 *	  Factors of items on disk.
 *
 * A model that factorises the users x items matrix leaves a vector of a few hundred
 * numbers for each item.  A user's own vector is computed on request, from the vectors
 * of the user's items and the gram matrix, which is the sum of all items' outer
 * products (core/dense/factors.h).
 *
 * Both are stored as rows of floats, as many on a page as fit, on consecutive
 * blocks: item or row number x is on block first + x / RECSYS_PAGE_VECTORS.  The special space
 * has the number of the first row on the page, and pd_lower tells how many rows there are.
 *
 * Sketches of the factors, and codes of them (core/dense/factorsketch.c), rule out most items as
 * candidates for a user's best.  Both are in descending order of the factors' lengths: who has
 * found k items with a score that those beyond a page are too short for need not look at that page.
 *
 * All of this is written by a build and never changes.  Merges leave it alone, and later
 * items have no factors until the next build.  So a reader may release a page at any
 * time, and what it has cached of the meta page is valid as long as the relation file.  For
 * the same reason pages of sketches and of single factors, which a call reads by the hundred, are
 * pinned and not locked.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "am/graph/factor.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/meta.h"
#include "am/store/recentbuffer.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Of a page ahead: what is asked for while the one at hand is worked on */
#define CACHE_LINE 64
#define PREFETCHED_LINES 8

/* Pages that are asked for together: waiting for one of them, one waits for all of them. */
#define EXPECTED_PAGES RECSYS_FACTORS_EXPECTED

/*
 * Appends n rows of that size, made of vectors of rank floats; returns the first
 * block.
 */
static BlockNumber
write_vectors(Relation index, ForkNumber fork, RecsysPageKind kind, const float *vectors,
			  uint32 n, int rank, Size size)
{
	uint32		per_page = RECSYS_PAGE_VECTORS(size);
	BlockNumber start = InvalidBlockNumber;

	for (uint32 first = 0; first < n; first += per_page)
	{
		PGAlignedBlock image;
		Page		page = (Page) image.data;
		uint32		count = Min(per_page, n - first);
		BlockNumber block;

		RecsysPageInit(page, kind, RECSYS_ITEMS);
		for (uint32 x = 0; x < count; x++)
		{
			const float *vector = vectors + (Size) (first + x) * rank;

			memcpy((char *) RecsysPageVectors(page) + x * size, vector, size);
		}
		((PageHeader) page)->pd_lower = MAXALIGN(SizeOfPageHeaderData) + count * size;
		RecsysPageGetOpaque(page)->low = first;
		block = RecsysAppendPage(index, fork, page);
		if (first == 0)
			start = block;
		else if (block != start + first / per_page)
			elog(ERROR, "unexpected block %u of a new recsys index", block);
	}
	return start;
}

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

/* Pages of sketches, and behind them pages of codes; returns the first block. */
static BlockNumber
write_sketches(Relation index, ForkNumber fork, const RecsysFactors *factors)
{
	uint32		nitems = factors->shape.nitems;
	int			rank = factors->shape.rank;
	FactorLength *lengths = order_by_length(factors);
	BlockNumber start = InvalidBlockNumber;
	RecsysSketchLayout layout;

	RecsysSketchLayoutInit(&layout, rank, RECSYS_SKETCH_BYTES);
	for (int codes = 0; codes < 2; codes++)
	{
		uint32		room = codes ? layout.codes_room : layout.room;

		for (uint32 first = 0; first < nitems; first += Min(room, nitems - first))
		{
			PGAlignedBlock image;
			Page		page = (Page) image.data;
			uint32		end = first + Min(room, nitems - first);
			BlockNumber block;

			CHECK_FOR_INTERRUPTS();
			RecsysPageInit(page, RECSYS_PAGE_SKETCH, RECSYS_ITEMS);
			RecsysPageSketchHead(page)->longest = lengths[first].length;
			for (uint32 x = first; x < end; x++)
			{
				const float *factor = factors->items + (Size) lengths[x].item * rank;

				if (codes)
					RecsysSketchCodes(&layout, factor, RecsysPageCodes(page) + (Size) (x - first) * layout.codes_size);
				else
					RecsysSketchFactor(&layout, RecsysPageSketches(page), x - first, lengths[x].item, factor);
			}
			((PageHeader) page)->pd_lower = RECSYS_SKETCH_START +
				(codes ? (Size) (end - first) * layout.codes_size : layout.size);
			RecsysPageGetOpaque(page)->low = first;
			RecsysPageGetOpaque(page)->high = codes;
			block = RecsysAppendPage(index, fork, page);
			if (first == 0 && !codes)
				start = block;
		}
	}
	pfree(lengths);
	return start;
}

void
RecsysWriteFactors(Relation index, ForkNumber fork, const RecsysFactors *factors,
				   RecsysMetaData *meta)
{
	const RecsysFactorShape *shape;

	meta->factors = meta->gram = meta->sketches = InvalidBlockNumber;
	if (factors == NULL || factors->shape.nitems == 0)
		return;
	shape = &factors->shape;
	if (shape->rank < 1 || shape->rank > RECSYS_MAX_RANK)
		elog(ERROR, "factors of rank %d cannot be stored", shape->rank);
	meta->factor_items = shape->nitems;
	meta->factor_rank = shape->rank;
	meta->factor_unobserved = shape->unobserved;
	meta->factor_lambda = shape->lambda;
	meta->factor_exponent = shape->exponent;
	meta->factors = write_vectors(index, fork, RECSYS_PAGE_FACTOR, factors->items,
								  shape->nitems, shape->rank, RECSYS_FACTOR_SIZE(shape->rank));
	meta->gram = write_vectors(index, fork, RECSYS_PAGE_GRAM, factors->gram,
							   shape->rank, shape->rank, RECSYS_FACTOR_SIZE(shape->rank));
	meta->sketches = write_sketches(index, fork, factors);
}

bool
RecsysFactorReaderInit(RecsysFactorReader *reader, Relation index)
{
	const RecsysMetaData *meta = &RecsysGetCache(index)->meta;

	if (meta->factor_rank == 0)
		return false;
	reader->index = index;
	reader->shape.nitems = meta->factor_items;
	reader->shape.rank = meta->factor_rank;
	reader->shape.unobserved = meta->factor_unobserved;
	reader->shape.lambda = meta->factor_lambda;
	reader->shape.exponent = meta->factor_exponent;
	reader->factors = meta->factors;
	reader->gram = meta->gram;
	reader->sketches = meta->sketches;
	RecsysSketchLayoutInit(&reader->layout, meta->factor_rank, RECSYS_SKETCH_BYTES);
	reader->codes = reader->sketches + RecsysSketchBlocks(&reader->layout, reader->shape.nitems);
	reader->buffer = InvalidBuffer;
	reader->codes_buffer = InvalidBuffer;
	return true;
}

/* Rows of a locked page that must hold those from first on, of n in all. */
static const void *
vectors_of(Relation index, Buffer buffer, uint32 first, uint32 n, Size size, uint32 *count)
{
	Page		page = BufferGetPage(buffer);

	*count = Min(RECSYS_PAGE_VECTORS(size), n - first);
	if (RecsysPageGetOpaque(page)->low != first ||
		((PageHeader) page)->pd_lower != MAXALIGN(SizeOfPageHeaderData) + *count * size)
		RecsysCorruptedDetail(index,
							  psprintf("index \"%s\" contains a corrupted page at block %u",
							  		 RecsysIndexName(index), BufferGetBlockNumber(buffer)),
							  "It does not hold the %u factors from number %u on.", *count, first);
	return RecsysPageVectors(page);
}

void
RecsysFactorExpect(RecsysFactorReader *reader, const uint32 *items, int n)
{
	Size		size = RECSYS_FACTOR_SIZE(reader->shape.rank);
	uint32		per_page = RECSYS_PAGE_VECTORS(size);
	BlockNumber blocks[EXPECTED_PAGES];
	Buffer		buffers[EXPECTED_PAGES];
	Size		offsets[EXPECTED_PAGES];
	int			count = 0;

	for (int x = 0; x < n; x++)
	{
		if (items[x] >= reader->shape.nitems)
			continue;
		blocks[count] = reader->factors + items[x] / per_page;
		offsets[count++] = items[x] % per_page * size;
	}
	if (count == 0)
		return;
	RecsysExpectBlocks(reader->index, blocks, count, buffers);
	for (int x = 0; x < count; x++)
	{
		char	   *page;

		if (!BufferIsValid(buffers[x]))
			continue;
		page = BufferGetPage(buffers[x]);
		__builtin_prefetch(page + BLCKSZ - CACHE_LINE);
		for (Size at = 0; at < Min(size, PREFETCHED_LINES * CACHE_LINE); at += CACHE_LINE)
			__builtin_prefetch((char *) RecsysPageVectors(page) + offsets[x] + at);
	}
}

const float *
RecsysFactorRead(RecsysFactorReader *reader, uint32 item)
{
	int			rank = reader->shape.rank;
	Size		size = RECSYS_FACTOR_SIZE(rank);
	uint32		place = item / RECSYS_PAGE_VECTORS(size);
	uint32		first = place * RECSYS_PAGE_VECTORS(size);
	const float *factor;
	uint32		count;

	if (item >= reader->shape.nitems)
		return NULL;
	reader->buffer = RecsysPinRecent(reader->index, reader->factors + place);
	RecsysPageCheck(reader->index, reader->buffer, RECSYS_PAGE_FACTOR);
	factor = vectors_of(reader->index, reader->buffer, first, reader->shape.nitems, size, &count);
	factor += (Size) (item - first) * rank;
	for (int x = 0; x < rank; x++)
		if (factor[x] != 0.0f)
			return factor;
	RecsysFactorRelease(reader);
	return NULL;
}

void
RecsysFactorRelease(RecsysFactorReader *reader)
{
	ReleaseBuffer(reader->buffer);
	reader->buffer = InvalidBuffer;
}

/*
 * The next page is pinned, and its first lines asked for, before the one at hand
 * is worked on: the processor fetches ahead by itself only within a page.
 */
static void
visit_vectors(Relation index, BlockNumber start, RecsysPageKind kind, uint32 n, Size size,
			  RecsysFactorVisitor visit, void *arg)
{
	uint32		per_page = RECSYS_PAGE_VECTORS(size);
	Buffer		ahead = n > 0 ? RecsysPinBlock(index, start) : InvalidBuffer;

	for (uint32 first = 0; first < n; first += per_page)
	{
		Buffer		buffer = ahead;
		const void *vectors;
		uint32		count;

		CHECK_FOR_INTERRUPTS();
		ahead = InvalidBuffer;
		if (n - first > per_page)
		{
			char	   *page;

			ahead = RecsysPinBlock(index, start + first / per_page + 1);
			page = BufferGetPage(ahead);
			__builtin_prefetch(page + BLCKSZ - CACHE_LINE);
			for (int line = 0; line < PREFETCHED_LINES; line++)
				__builtin_prefetch(page + line * CACHE_LINE);
		}
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		RecsysPageCheck(index, buffer, kind);
		vectors = vectors_of(index, buffer, first, n, size, &count);
		visit(arg, first, vectors, count);
		UnlockReleaseBuffer(buffer);
	}
}

void
RecsysFactorVisit(RecsysFactorReader *reader, RecsysFactorVisitor visit, void *arg)
{
	visit_vectors(reader->index, reader->factors, RECSYS_PAGE_FACTOR, reader->shape.nitems,
				  RECSYS_FACTOR_SIZE(reader->shape.rank), visit, arg);
}

/* Pins a page of sketches or codes, which must begin behind `first` others and hold so many bytes. */
static Buffer
pin_sketches(RecsysFactorReader *reader, BlockNumber block, uint32 first, bool codes, Size size)
{
	Buffer		buffer = RecsysPinRecent(reader->index, block);
	Page		page = BufferGetPage(buffer);
	double		longest;

	RecsysPageCheck(reader->index, buffer, RECSYS_PAGE_SKETCH);
	longest = RecsysPageSketchHead(page)->longest;
	if (!(longest >= 0) || !isfinite(longest) || RecsysPageGetOpaque(page)->low != first ||
		RecsysPageGetOpaque(page)->high != (uint32) codes ||
		((PageHeader) page)->pd_lower != RECSYS_SKETCH_START + size)
		RecsysCorruptedDetail(reader->index,
							  psprintf("index \"%s\" contains a corrupted page at block %u",
									   RecsysIndexName(reader->index), BufferGetBlockNumber(buffer)),
							  codes ? "It does not hold the codes of factors after the %u longest." :
							  "It does not hold the sketches of factors after the %u longest.", first);
	return buffer;
}

void
RecsysFactorCodesDone(RecsysFactorReader *reader)
{
	if (BufferIsValid(reader->codes_buffer))
		ReleaseBuffer(reader->codes_buffer);
	reader->codes_buffer = InvalidBuffer;
}

const uint8 *
RecsysFactorCodes(RecsysFactorReader *reader, uint32 place)
{
	Size		size = reader->layout.codes_size;
	uint32		room = reader->layout.codes_room;
	uint32		page = place / room;

	if (!BufferIsValid(reader->codes_buffer) || reader->codes_page != page)
	{
		uint32		first = page * room;

		RecsysFactorCodesDone(reader);
		reader->codes_buffer = pin_sketches(reader, reader->codes + page, first, true,
											Min(room, reader->shape.nitems - first) * size);
		reader->codes_page = page;
	}
	return RecsysPageCodes(BufferGetPage(reader->codes_buffer)) + place % room * size;
}

void
RecsysFactorExpectCodes(RecsysFactorReader *reader, const uint32 *places, int n)
{
	Size		size = reader->layout.codes_size;
	uint32		room = reader->layout.codes_room;
	BlockNumber blocks[EXPECTED_PAGES];
	Buffer		buffers[EXPECTED_PAGES];
	int			nblocks = 0;
	int			at = 0;

	if (n <= 0)
		return;

	/* many of them are on one page */
	for (int x = 0; x < n; x++)
		if (x == 0 || places[x] / room != places[x - 1] / room)
			blocks[nblocks++] = reader->codes + places[x] / room;
	RecsysExpectBlocks(reader->index, blocks, nblocks, buffers);
	for (int x = 0; x < n; x++)
	{
		const uint8 *codes;

		if (blocks[at] != reader->codes + places[x] / room)
			at++;
		if (!BufferIsValid(buffers[at]))
			continue;
		codes = RecsysPageCodes(BufferGetPage(buffers[at])) + places[x] % room * size;
		for (Size line = 0; line < Min(size, PREFETCHED_LINES * CACHE_LINE); line += CACHE_LINE)
			__builtin_prefetch(codes + line);
	}
}

uint32
RecsysFactorSketched(const RecsysFactorReader *reader, const void *block, uint32 place)
{
	uint32		item = RecsysSketchItems(&reader->layout, block)[place];

	if (item >= reader->shape.nitems)
		RecsysCorrupted(reader->index, "index \"%s\" contains a sketch of an item that does not exist",
						RecsysIndexName(reader->index));
	return item;
}

/* Says that the next pages of sketches, from the n-th on, will be read soon. */
static void
expect_sketches(RecsysFactorReader *reader, uint32 n, uint32 pages)
{
	BlockNumber blocks[EXPECTED_PAGES];
	Buffer		buffers[EXPECTED_PAGES];
	int			count = (int) Min(pages - n, EXPECTED_PAGES);

	for (int x = 0; x < count; x++)
		blocks[x] = reader->sketches + n + x;
	RecsysExpectBlocks(reader->index, blocks, count, buffers);
	for (int x = 0; x < count; x++)
		if (BufferIsValid(buffers[x]))
			__builtin_prefetch(BufferGetPage(buffers[x]) + BLCKSZ - CACHE_LINE);
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
		buffer = pin_sketches(reader, reader->sketches + n, first, false, reader->layout.size);
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

typedef struct VectorCopy
{
	char	   *to;
	Size		size;
} VectorCopy;

static void
copy_vectors(void *arg, uint32 first, const void *vectors, uint32 n)
{
	VectorCopy *copy = arg;

	memcpy(copy->to + first * copy->size, vectors, n * copy->size);
}

static void
load_vectors(RecsysFactorReader *reader, BlockNumber start, RecsysPageKind kind, uint32 n, float *to)
{
	VectorCopy	copy = {(char *) to, RECSYS_FACTOR_SIZE(reader->shape.rank)};

	visit_vectors(reader->index, start, kind, n, copy.size, copy_vectors, &copy);
}

static float *
read_vectors(RecsysFactorReader *reader, BlockNumber start, RecsysPageKind kind, uint32 n)
{
	float	   *vectors = MemoryContextAllocHuge(CurrentMemoryContext, n * RECSYS_FACTOR_SIZE(reader->shape.rank));

	load_vectors(reader, start, kind, n, vectors);
	return vectors;
}

float *
RecsysFactorReadGram(RecsysFactorReader *reader)
{
	return read_vectors(reader, reader->gram, RECSYS_PAGE_GRAM, reader->shape.rank);
}

void
RecsysFactorLoadGram(RecsysFactorReader *reader, float *gram)
{
	load_vectors(reader, reader->gram, RECSYS_PAGE_GRAM, reader->shape.rank, gram);
}

Size
RecsysFactorMemory(const RecsysFactorReader *reader)
{
	return sizeof(RecsysFactors) + sizeof(float) * (Size) reader->shape.rank *
		((Size) reader->shape.nitems + reader->shape.rank);
}

RecsysFactors *
RecsysFactorReadAll(RecsysFactorReader *reader)
{
	RecsysFactors *factors = palloc(sizeof(RecsysFactors));

	factors->shape = reader->shape;
	factors->items = read_vectors(reader, reader->factors, RECSYS_PAGE_FACTOR,
								  reader->shape.nitems);
	factors->gram = RecsysFactorReadGram(reader);
	return factors;
}

void
RecsysFactorsAreDamaged(Relation index)
{
	RecsysCorrupted(index, "index \"%s\" contains factors that are no finite numbers",
					RecsysIndexName(index));
	pg_unreachable();
}
