/*
 * test_factorsketch.c
 *	  Tests of core/dense/factorsketch: bounds hold for every score, of factors of any size, rank
 *	  and shape, and all ways to add up give the same.
 */
#include "core/dense/factors.h"
#include "core/dense/factorsketch.h"
#include "generate.h"
#include "tap.h"

#include <float.h>
#include <math.h>

#define ITEMS 500
#define BLOCK_BYTES 8112

typedef struct Blocks
{
	RecsysSketchLayout layout;
	uint32		n;
	char	   *bytes;			/* n times BLOCK_BYTES */
	uint8	   *codes;			/* of all items */
	double	   *longest;
} Blocks;

static void *
block_at(const Blocks *blocks, uint32 n)
{
	return blocks->bytes + (Size) n * BLOCK_BYTES;
}

static uint8 *
codes_of(const Blocks *blocks, uint32 item)
{
	return blocks->codes + (Size) item * blocks->layout.codes_size;
}

static double
signed_unit(Random *random)
{
	return (double) (random_bits(random) % 2000001) / 1e6 - 1.0;
}

/* Some with one large number, some of nothing, some of few numbers, some all alike */
static void
make_factor(Random *random, int item, int rank, double scale, float *factor)
{
	for (int x = 0; x < rank; x++)
	{
		double		number = scale * signed_unit(random);

		if (item % 50 == 49)
			number = 0;
		else if (item % 10 == 3 && x > 0)
			number *= 1e-3;
		else if (item % 10 == 5 && random_bits(random) % 4 != 0)
			number = 0;
		else if (item % 10 == 7)
			number = item % 20 == 7 ? scale : -scale;
		factor[x] = (float) number;
	}
}

static void
make_blocks(Blocks *blocks, const float *factors, int rank)
{
	RecsysSketchLayoutInit(&blocks->layout, rank, BLOCK_BYTES);
	blocks->n = (ITEMS + blocks->layout.room - 1) / blocks->layout.room;
	blocks->bytes = palloc((Size) blocks->n * BLOCK_BYTES);
	memset(blocks->bytes, 0, (Size) blocks->n * BLOCK_BYTES);
	blocks->longest = palloc0(sizeof(double) * blocks->n);
	blocks->codes = palloc((Size) ITEMS * blocks->layout.codes_size);
	for (uint32 item = 0; item < ITEMS; item++)
	{
		uint32		n = item / blocks->layout.room;

		RecsysSketchFactor(&blocks->layout, block_at(blocks, n), item % blocks->layout.room, 7 * item,
						   factors + (Size) item * rank);
		RecsysSketchCodes(&blocks->layout, factors + (Size) item * rank, codes_of(blocks, item));
		blocks->longest[n] = Max(blocks->longest[n], RecsysFactorLength(factors + (Size) item * rank, rank));
	}
}

/* What is wrong with the bounds of one item? */
static int
outside(const Blocks *blocks, const RecsysUserSketch *user, uint32 item, float exact, float coarse_upper,
		double *width)
{
	uint32		n = item / blocks->layout.room;
	float		lower;
	float		upper;

	RecsysSketchBounds(&blocks->layout, user,
					   RecsysSketchSteps(&blocks->layout, block_at(blocks, n))[item % blocks->layout.room],
					   codes_of(blocks, item), blocks->longest[n], &lower, &upper);
	*width += (double) upper - lower;
	return !(exact >= lower) + !(exact <= upper) + !(exact <= coarse_upper) +
		!(exact <= blocks->longest[n] * user->highest + FLT_MIN);
}

static void
test_user(Random *random, const Blocks *blocks, const float *factors, double scale, bool few)
{
	int			rank = blocks->layout.rank;
	float	   *user = palloc(sizeof(float) * rank);
	float	   *exact = palloc(sizeof(float) * ITEMS);
	float	   *scores = palloc(sizeof(float) * blocks->layout.room);
	float	   *uppers = palloc(sizeof(float) * blocks->layout.room);
	float	   *others = palloc(sizeof(float) * blocks->layout.room);
	RecsysUserSketch *sketch = palloc(sizeof(RecsysUserSketch));
	int			wrong = 0;
	int			differ = 0;
	int			refused = 0;
	double		width = 0;
	double		coarse = 0;
	double		length = 0;

	for (int x = 0; x < rank; x++)
		user[x] = (float) (few && x % 5 != 0 ? 0 : signed_unit(random) * (x % 7 == 2 ? 10 : 1));
	RecsysSketchUser(&blocks->layout, user, sketch);
	RecsysFactorScores(user, factors, ITEMS, rank, exact);
	for (uint32 n = 0; n < blocks->n; n++)
	{
		uint32		first = n * blocks->layout.room;
		uint32		count = Min(ITEMS - first, blocks->layout.room);

		for (int kernel = RECSYS_SKETCH_PLAIN; kernel >= RECSYS_SKETCH_WIDEST; kernel--)
		{
			int			above = 0;
			int			told;

			RecsysUseSketchKernel = kernel;
			memcpy(others, uppers, sizeof(float) * count);
			told = RecsysSketchScores(&blocks->layout, sketch, block_at(blocks, n), count, blocks->longest[n],
									  exact[first], scores, uppers);
			for (uint32 x = 0; x < count; x++)
				above += uppers[x] >= exact[first];
			refused += told != above;
			differ += kernel != RECSYS_SKETCH_PLAIN && memcmp(others, uppers, sizeof(float) * count) != 0;
		}
		for (uint32 item = first; item < first + count; item++)
		{
			wrong += outside(blocks, sketch, item, exact[item], uppers[item - first], &width);
			coarse += (double) uppers[item - first] - exact[item];
			length += fabs(exact[item]);
		}
	}
	ok(refused == 0 && wrong == 0, "rank %d, scale %g: %d scores are outside their bounds", rank, scale, wrong);
	ok(differ == 0, "rank %d, scale %g: kernels agree", rank, scale);
	if (rank == 128 && scale == 1.0 && !few)
		ok(width < length / 8 && coarse < 2 * length, "the bounds are narrow: %g and %g of scores of %g",
		   width / ITEMS, coarse / ITEMS, length / ITEMS);
	pfree(user);
	pfree(exact);
	pfree(scores);
	pfree(uppers);
	pfree(others);
	pfree(sketch);
}

static void
test_bounds(Random *random, int rank, double scale)
{
	float	   *factors = palloc(sizeof(float) * ITEMS * rank);
	Blocks		blocks;
	int			strangers = 0;
	int			unnumbered = 0;

	for (int item = 0; item < ITEMS; item++)
		make_factor(random, item, rank, scale, factors + (Size) item * rank);
	make_blocks(&blocks, factors, rank);
	for (uint32 item = 0; item < ITEMS; item++)
	{
		const void *block = block_at(&blocks, item / blocks.layout.room);
		uint32		place = item % blocks.layout.room;

		strangers += !RecsysSketchFits(&blocks.layout, block, place, codes_of(&blocks, item),
										factors + (Size) item * rank);
		unnumbered += RecsysSketchItems(&blocks.layout, block)[place] != 7 * item;
	}
	ok(blocks.layout.size <= BLOCK_BYTES && strangers == 0 && unnumbered == 0,
	   "rank %d, scale %g: sketches fit their factors", rank, scale);
	test_user(random, &blocks, factors, scale, false);
	test_user(random, &blocks, factors, scale, true);

	factors[0] += scale >= FLT_MIN ? 0.1f * (float) scale : 1.0f;
	ok(!RecsysSketchFits(&blocks.layout, blocks.bytes, 0, blocks.codes, factors) || rank == 1,
	   "rank %d, scale %g: another factor is told", rank, scale);
	memset(blocks.bytes + blocks.layout.steps, 0xA5, sizeof(float));
	{
		float	   *uppers = palloc(sizeof(float) * blocks.layout.room);
		RecsysUserSketch *sketch = palloc(sizeof(RecsysUserSketch));

		RecsysSketchUser(&blocks.layout, factors + rank, sketch);
		ok(RecsysSketchScores(&blocks.layout, sketch, blocks.bytes, 1, blocks.longest[0], 0, uppers, uppers) < 0,
		   "rank %d, scale %g: a step below zero is told", rank, scale);
		pfree(uppers);
		pfree(sketch);
	}
	pfree(factors);
	pfree(blocks.bytes);
	pfree(blocks.codes);
	pfree(blocks.longest);
}

void
test_factorsketch(void)
{
	Random		random;
	const int	ranks[] = {1, 3, 16, 17, 128, 512, 513, 1024};
	const double scales[] = {1.0, 1e-20, 1e30, 1e-39};

	random_seed(&random, 1284);
	for (int rank = 0; rank < (int) lengthof(ranks); rank++)
		for (int scale = 0; scale < (int) lengthof(scales); scale++)
			test_bounds(&random, ranks[rank], scales[scale]);
}
