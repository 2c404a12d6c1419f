/*
 * factor.c
 *	  Factors of items on disk.
 *
 * A model that factorises the users x items matrix leaves a vector of a few hundred
 * numbers for each item.  A user's own vector is computed on request, from the vectors
 * of the user's items and the gram matrix, which is the sum of all items' outer
 * products (core/dense/factors.h).  Factors are turned so that it has nothing but its diagonal.
 *
 * Both are stored as rows of floats, as many on a page as fit, on consecutive
 * blocks: item number x is on block first + x / RECSYS_PAGE_VECTORS.  The special space
 * has the number of the first row on the page, and pd_lower tells how many rows there are.  The
 * diagonal is one row.
 *
 * All of this is written by a build and never changes.  Merges leave it alone, and later
 * items have no factors until the next build.  So a reader may release a page at any
 * time, and what it has cached of the meta page is valid as long as the relation file.  For
 * the same reason pages of single factors, which a call reads by the dozen, are pinned and not
 * locked.
 */
#include "postgres.h"

#include "am/graph/factor.h"
#include "am/graph/sketchpage.h"
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

/* The diagonal of the gram matrix; palloc'd */
static float *
diagonal_of(const RecsysFactors *factors)
{
	Size		rank = factors->shape.rank;
	float	   *diagonal = palloc(sizeof(float) * rank);

	for (Size row = 0; row < rank; row++)
	{
		diagonal[row] = factors->gram[row * rank + row];
		for (Size column = 0; column < row; column++)
			if (factors->gram[row * rank + column] != 0.0f)
				elog(ERROR, "factors whose gram matrix is not diagonal cannot be stored");
	}
	return diagonal;
}

void
RecsysWriteFactors(Relation index, ForkNumber fork, const RecsysFactors *factors,
				   RecsysMetaData *meta)
{
	const RecsysFactorShape *shape;
	float	   *diagonal;

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
	diagonal = diagonal_of(factors);
	meta->gram = write_vectors(index, fork, RECSYS_PAGE_GRAM, diagonal, 1, shape->rank,
							   RECSYS_FACTOR_SIZE(shape->rank));
	pfree(diagonal);
	meta->sketches = RecsysWriteSketches(index, fork, factors);
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
	reader->rests = reader->sketches + RecsysSketchBlocks(&reader->layout, reader->shape.nitems);
	reader->buffer = InvalidBuffer;
	reader->rests_buffer = InvalidBuffer;
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
read_vectors(RecsysFactorReader *reader, BlockNumber start, RecsysPageKind kind, uint32 n, float *to)
{
	VectorCopy	copy = {(char *) to, RECSYS_FACTOR_SIZE(reader->shape.rank)};

	visit_vectors(reader->index, start, kind, n, copy.size, copy_vectors, &copy);
}

void
RecsysFactorReadDiagonal(RecsysFactorReader *reader, float *diagonal)
{
	read_vectors(reader, reader->gram, RECSYS_PAGE_GRAM, 1, diagonal);
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
	Size		rank = reader->shape.rank;

	factors->shape = reader->shape;
	factors->items = MemoryContextAllocHuge(CurrentMemoryContext, reader->shape.nitems * RECSYS_FACTOR_SIZE(rank));
	read_vectors(reader, reader->factors, RECSYS_PAGE_FACTOR, reader->shape.nitems, factors->items);
	factors->gram = palloc0(RECSYS_FACTOR_SIZE(rank) * rank);
	RecsysFactorReadDiagonal(reader, factors->gram);
	for (Size row = rank - 1; row > 0; row--)
	{
		factors->gram[row * rank + row] = factors->gram[row];
		factors->gram[row] = 0.0f;
	}
	return factors;
}

void
RecsysFactorsAreDamaged(Relation index)
{
	RecsysCorrupted(index, "index \"%s\" contains factors that are no finite numbers",
					RecsysIndexName(index));
	pg_unreachable();
}
