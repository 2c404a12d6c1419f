/*
 * likenessblock.c
 *	  How alike many items are to many others.
 *
 * A few candidates at a time are compared with the queries of a chunk, attribute by attribute,
 * in rows of numbers that stay in the processor's first cache.  Arithmetic and its order are
 * those of likeness.c.
 */
#include "core/content/likenessblock.h"

#include "core/content/likenessparts.h"
#include "core/content/querychunk.h"

struct RecsysLikenessBlock
{
	RecsysContentModel model;
	float		weights[RECSYS_MAX_ATTRIBUTES];
	int			capacity;
	int			stride;
	int			chunk_capacity;
	int			nqueries;
	int			nchunks;
	RecsysQueryChunk **chunks;	/* those that there have been, else NULL */

	/* vectors of a group of candidates, or which of the frequent terms they have */
	int16	   *vectors;
	Size		vector_room;
	void	   *vector_memory;

	int32		products[RECSYS_GROUP][RECSYS_MAX_CHUNK];
	float		sums[RECSYS_GROUP][RECSYS_MAX_CHUNK];
};

/* More queries save little: what is read for a block is used for that many. */
#define MOST_QUERIES 16384

/* Rows of a power of two would meet in the same places of a cache. */
static int
stride_of(int capacity)
{
	int			stride = (capacity + RECSYS_LANES - 1) / RECSYS_LANES * RECSYS_LANES;

	return stride % 512 == 0 ? stride + RECSYS_LANES : stride;
}

/* An item's packed form is kept, and laid out in at most four times its room. */
int
RecsysBlockCapacity(const RecsysContentModel *model, Size packed, Size memory)
{
	Size		each = 5 * packed + 256 + sizeof(float) * RECSYS_TILE;

	return (int) Max(Min(memory / each, MOST_QUERIES), RECSYS_LANES);
}

RecsysLikenessBlock *
RecsysBlockCreate(const RecsysContentModel *model, int capacity)
{
	RecsysLikenessBlock *block = palloc0(sizeof(RecsysLikenessBlock));

	block->model = *model;
	RecsysWeightParts(model, block->weights);
	block->capacity = capacity;
	block->stride = stride_of(capacity);
	block->chunk_capacity = RecsysChunkCapacity(model);
	block->nchunks = (capacity + block->chunk_capacity - 1) / block->chunk_capacity;
	block->chunks = palloc0(sizeof(RecsysQueryChunk *) * Max(block->nchunks, 1));
	return block;
}

void
RecsysBlockReset(RecsysLikenessBlock *block)
{
	block->nqueries = 0;
	for (int x = 0; x < block->nchunks; x++)
		if (block->chunks[x] != NULL)
			RecsysChunkReset(block->chunks[x]);
}

void
RecsysBlockAdd(RecsysLikenessBlock *block, const char *packed)
{
	RecsysQueryChunk **chunk = &block->chunks[block->nqueries / block->chunk_capacity];

	Assert(block->nqueries < block->capacity);
	if (*chunk == NULL)
		*chunk = RecsysChunkCreate(&block->model,
								   Min(block->chunk_capacity, stride_of(block->capacity)));
	RecsysChunkAdd(&block->model, *chunk, packed);
	block->nqueries++;
}

int
RecsysBlockStride(const RecsysLikenessBlock *block)
{
	return block->stride;
}

/* Vectors of a group of candidates, all 0 */
static int16 *
clear_vectors(RecsysLikenessBlock *block, int pairs)
{
	Size		size = sizeof(int16) * 2 * pairs * RECSYS_GROUP;

	if (size > block->vector_room)
	{
		if (block->vector_memory != NULL)
			pfree(block->vector_memory);
		block->vector_memory = palloc(size + 64);
		block->vectors = (int16 *) (((uintptr_t) block->vector_memory + 63) & ~(uintptr_t) 63);
		block->vector_room = size;
	}
	if (size > 0)
		memset(block->vectors, 0, size);
	return block->vectors;
}

/* Rows of a group */

RECSYS_TARGET_CLONES static void
add_cosines(float *sums, const int32 *products, const float *inverse, float own, float weight, int n)
{
	for (int query = 0; query < n; query++)
		sums[query] += weight * RecsysCosinePart(products[query], inverse[query], own);
}

RECSYS_TARGET_CLONES static void
add_jaccards(float *sums, const int32 *common, const int32 *totals, int32 own, float weight, int n)
{
	for (int query = 0; query < n; query++)
		sums[query] += weight * RecsysJaccardPart(common[query], totals[query], own);
}

RECSYS_TARGET_CLONES static void
add_numbers(float *sums, const double *numbers, double own, float weight, int n)
{
	for (int query = 0; query < n; query++)
		sums[query] += weight * RecsysNumberPart(numbers[query], own);
}

RECSYS_TARGET_CLONES static void
add_labels(float *sums, const uint32 *high, const uint32 *low, uint32 own_high, uint32 own_low, float weight,
		   int n)
{
	for (int query = 0; query < n; query++)
		sums[query] += (((high[query] ^ own_high) | (low[query] ^ own_low)) == 0) ? weight : 0.0f;
}

RECSYS_TARGET_CLONES static void
lower_by_lots(float *scores, const float *sums, const uint32 *lots, uint32 own, int n)
{
	for (int query = 0; query < n; query++)
		scores[query] = RecsysLowered(sums[query], lots[query], own);
}

/* The frequent terms, and whether a candidate has one at all */
static bool
frequent_vectors(const RecsysChunkValue *value, const RecsysPackedView *views, int attribute, int n,
				 bool labels, int16 *vectors)
{
	bool		any = false;

	for (int c = 0; c < n; c++)
	{
		const RecsysPackedValue *candidate = &views[c].values[attribute];

		for (int x = 0; candidate->known && x < candidate->n; x++)
		{
			const RecsysPostingList *list = RecsysChunkFind(value, candidate->terms[x]);

			if (list->n == 0 || list->column < 0)
				continue;
			vectors[c * 2 * value->pairs + list->column] = labels ? 1 : (int16) candidate->weights[x];
			any = true;
		}
	}
	return any;
}

/* Sums over the common terms of a group and all queries: products of weights, or weights of labels */
static void
term_products(RecsysLikenessBlock *block, const RecsysQueryChunk *chunk, const RecsysPackedView *views,
			  int attribute, int n)
{
	const RecsysChunkValue *value = &chunk->values[attribute];
	bool		labels = block->model.attributes[attribute].kind == RECSYS_ATTRIBUTE_LABELS;
	int			strips = (chunk->nqueries + RECSYS_LANES - 1) / RECSYS_LANES;
	int16	   *vectors = clear_vectors(block, value->pairs);

	if (value->pairs > 0 && frequent_vectors(value, views, attribute, n, labels, vectors))
		RecsysPanelProduct(value->panel, strips, value->pairs, vectors, block->products[0], RECSYS_MAX_CHUNK);
	else
		for (int c = 0; c < n; c++)
			memset(block->products[c], 0, sizeof(int32) * RECSYS_LANES * strips);

	for (int c = 0; c < n; c++)
	{
		const RecsysPackedValue *candidate = &views[c].values[attribute];
		int32	   *products = block->products[c];

		for (int x = 0; candidate->known && x < candidate->n; x++)
		{
			const RecsysPostingList *list = RecsysChunkFind(value, candidate->terms[x]);
			const RecsysPosting *postings = value->postings + list->first;
			int32		weight = labels ? 1 : candidate->weights[x];

			for (uint32 p = 0; list->column < 0 && p < list->n; p++)
				products[postings[p].query] += weight * postings[p].weight;
		}
	}
}

static void
vector_products(RecsysLikenessBlock *block, const RecsysQueryChunk *chunk, const RecsysPackedView *views,
				int attribute, int n)
{
	const RecsysChunkValue *value = &chunk->values[attribute];
	int16	   *vectors = clear_vectors(block, value->pairs);

	for (int c = 0; c < n; c++)
	{
		const RecsysPackedValue *candidate = &views[c].values[attribute];

		if (candidate->known)
			memcpy(vectors + (Size) c * 2 * value->pairs, candidate->vector, sizeof(int16) * candidate->n);
	}
	RecsysPanelProduct(value->panel, (chunk->nqueries + RECSYS_LANES - 1) / RECSYS_LANES, value->pairs,
					   vectors, block->products[0], RECSYS_MAX_CHUNK);
}

/* Adds the likeness of an attribute of one candidate. */
static void
add_attribute(RecsysLikenessBlock *block, const RecsysQueryChunk *chunk, int attribute, int c,
			  const RecsysPackedValue *candidate, int lanes)
{
	const RecsysChunkValue *value = &chunk->values[attribute];
	float		weight = block->weights[attribute];
	float	   *sums = block->sums[c];

	switch (block->model.attributes[attribute].kind)
	{
		case RECSYS_ATTRIBUTE_LABEL:
			add_labels(sums, value->high, value->low, (uint32) (candidate->label >> 32),
					   (uint32) candidate->label, weight, lanes);
			break;
		case RECSYS_ATTRIBUTE_LABELS:
			add_jaccards(sums, block->products[c], value->totals, RecsysSumOfLabels(candidate), weight, lanes);
			break;
		case RECSYS_ATTRIBUTE_NUMBER:
			add_numbers(sums, value->numbers,
						RecsysScaledNumber(candidate->number, block->model.attributes[attribute].scale),
						weight, lanes);
			break;
		case RECSYS_ATTRIBUTE_TEXT:
		case RECSYS_ATTRIBUTE_VECTOR:
			add_cosines(sums, block->products[c], value->inverse, candidate->inverse, weight, lanes);
			break;
	}
}

static void
compare_group(RecsysLikenessBlock *block, const RecsysQueryChunk *chunk, const char *const *packed, int n,
			  float *scores)
{
	RecsysPackedView views[RECSYS_GROUP];
	int			lanes = (chunk->nqueries + RECSYS_LANES - 1) / RECSYS_LANES * RECSYS_LANES;

	for (int c = 0; c < n; c++)
	{
		RecsysViewPacked(&block->model, packed[c], &views[c]);
		memset(block->sums[c], 0, sizeof(float) * lanes);
	}
	for (int a = 0; a < block->model.count; a++)
	{
		uint8		kind = block->model.attributes[a].kind;
		bool		any = false;

		for (int c = 0; c < n; c++)
			any |= views[c].values[a].known;
		if (!any || block->weights[a] == 0)
			continue;
		if (kind == RECSYS_ATTRIBUTE_VECTOR)
			vector_products(block, chunk, views, a, n);
		else if (kind == RECSYS_ATTRIBUTE_TEXT || kind == RECSYS_ATTRIBUTE_LABELS)
			term_products(block, chunk, views, a, n);
		for (int c = 0; c < n; c++)
			if (views[c].values[a].known)
				add_attribute(block, chunk, a, c, &views[c].values[a], lanes);
	}
	for (int c = 0; c < n; c++)
		lower_by_lots(scores + (Size) c * block->stride, block->sums[c], chunk->lots, views[c].lot, lanes);
}

void
RecsysBlockCompare(RecsysLikenessBlock *block, const char *const *packed, int n, float *scores)
{
	for (int first = 0; first < block->nqueries; first += block->chunk_capacity)
	{
		RecsysQueryChunk *chunk = block->chunks[first / block->chunk_capacity];

		RecsysChunkPrepare(&block->model, chunk);
		for (int c = 0; c < n; c += RECSYS_GROUP)
		{
			CHECK_FOR_INTERRUPTS();
			compare_group(block, chunk, packed + c, Min(RECSYS_GROUP, n - c),
						  scores + (Size) c * block->stride + first);
		}
	}
}

void
RecsysBlockFree(RecsysLikenessBlock *block)
{
	for (int x = 0; x < block->nchunks; x++)
		if (block->chunks[x] != NULL)
			RecsysChunkFree(block->chunks[x]);
	if (block->vector_memory != NULL)
		pfree(block->vector_memory);
	pfree(block->chunks);
	pfree(block);
}
