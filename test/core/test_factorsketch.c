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
	char	   *bytes;			/* n times BLOCK_BYTES: sketches; as many again: rests */
	double	   *longest;
} Blocks;

static void *
block_at(const Blocks *blocks, uint32 n)
{
	return blocks->bytes + (Size) n * BLOCK_BYTES;
}

static void *
rests_at(const Blocks *blocks, uint32 n)
{
	return block_at(blocks, blocks->n + n);
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
	blocks->bytes = palloc0(2 * (Size) blocks->n * BLOCK_BYTES);
	blocks->longest = palloc0(sizeof(double) * blocks->n);
	for (uint32 item = 0; item < ITEMS; item++)
	{
		uint32		n = item / blocks->layout.room;

		RecsysSketchFactor(&blocks->layout, block_at(blocks, n), rests_at(blocks, n), item % blocks->layout.room,
						   7 * item, factors + (Size) item * rank);
		blocks->longest[n] = Max(blocks->longest[n], RecsysFactorLength(factors + (Size) item * rank, rank));
	}
}

typedef struct Outcome
{
	int			wrong;			/* bounds that do not hold, items not found that should be */
	int			differ;			/* kernels that do not agree */
	double		width;			/* of bounds by sketch and rest, summed up */
	double		coarse;			/* of upper bounds by the sketch, above the score */
} Outcome;

/* A block's first n items of which the exact scores are known, by one kernel after the other */
static void
test_block(const Blocks *blocks, uint32 block, const RecsysUserSketch *user, uint32 n, const float *exact,
		   Outcome *outcome)
{
	const RecsysSketchLayout *layout = &blocks->layout;
	double		longest = blocks->longest[block];
	Size		room = layout->room;
	int32	   *sums = palloc(sizeof(int32) * room);
	float	   *bounds = palloc(sizeof(float) * 6 * room);
	uint16	   *places = palloc(sizeof(uint16) * room);
	float	   *uppers = bounds;
	float	   *lowers = bounds + room;
	float	   *closer = bounds + 2 * room;

	for (int kernel = RECSYS_SKETCH_PLAIN; kernel >= RECSYS_SKETCH_WIDEST; kernel--)
	{
		float		threshold = exact[(block + kernel) % n];
		int			count;
		int			at = 0;

		RecsysUseSketchKernel = kernel;
		memcpy(bounds + 3 * room, bounds, sizeof(float) * 3 * room);
		count = RecsysSketchSelect(layout, user, block_at(blocks, block), n, longest, threshold, sums, uppers, places);
		for (uint32 x = 0; x < n; x++)
		{
			bool		found = at < count && places[at] == x;

			outcome->wrong += found != (uppers[x] >= threshold && uppers[x] > 0);
			outcome->wrong += !found && exact[x] >= threshold && exact[x] > 0;
			at += found;
		}
		outcome->wrong += at != count;
		for (uint32 x = 0; x < n; x++)
			places[x] = (uint16) x;
		RecsysSketchBounds(layout, user, block_at(blocks, block), rests_at(blocks, block), places, (int) n, longest,
						   sums, lowers, closer);
		if (kernel != RECSYS_SKETCH_PLAIN)
			for (uint32 x = 0; x < n; x++)
				outcome->differ += uppers[x] != uppers[3 * room + x] || lowers[x] != lowers[3 * room + x] ||
					closer[x] != closer[3 * room + x];
	}
	for (uint32 x = 0; x < n; x++)
	{
		outcome->wrong += !(exact[x] >= lowers[x]) + !(exact[x] <= closer[x]) + !(exact[x] <= uppers[x]) +
			!(exact[x] <= longest * user->highest + FLT_MIN);
		outcome->width += (double) closer[x] - lowers[x];
		outcome->coarse += (double) uppers[x] - exact[x];
	}
	pfree(sums);
	pfree(bounds);
	pfree(places);
}

static void
test_user(Random *random, const Blocks *blocks, const float *factors, double scale, bool few)
{
	int			rank = blocks->layout.rank;
	float	   *user = palloc(sizeof(float) * rank);
	float	   *exact = palloc(sizeof(float) * ITEMS);
	RecsysUserSketch *sketch = palloc(sizeof(RecsysUserSketch));
	Outcome		outcome = {0};
	double		length = 0;

	for (int x = 0; x < rank; x++)
		user[x] = (float) (few && x % 5 != 0 ? 0 : signed_unit(random) * (x % 7 == 2 ? 10 : 1));
	RecsysSketchUser(&blocks->layout, user, sketch);
	RecsysFactorScores(user, factors, ITEMS, rank, exact);
	for (uint32 block = 0; block < blocks->n; block++)
	{
		uint32		first = block * blocks->layout.room;

		test_block(blocks, block, sketch, Min(ITEMS - first, blocks->layout.room), exact + first, &outcome);
	}
	for (int item = 0; item < ITEMS; item++)
		length += fabs(exact[item]);
	ok(outcome.wrong == 0, "rank %d, scale %g: %d scores are outside their bounds", rank, scale, outcome.wrong);
	ok(outcome.differ == 0, "rank %d, scale %g: kernels agree", rank, scale);
	if (rank == 128 && scale == 1.0 && !few)
		ok(outcome.width < length && outcome.coarse < 2 * length,
		   "the bounds are narrow: %g and %g of scores of %g", outcome.width / ITEMS, outcome.coarse / ITEMS,
		   length / ITEMS);
	pfree(user);
	pfree(exact);
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
		const void *rests = rests_at(&blocks, item / blocks.layout.room);
		uint32		place = item % blocks.layout.room;

		strangers += !RecsysSketchFits(&blocks.layout, block, rests, place, factors + (Size) item * rank);
		unnumbered += RecsysSketchItems(&blocks.layout, rests)[place] != 7 * item;
	}
	ok(blocks.layout.size <= BLOCK_BYTES && strangers == 0 && unnumbered == 0,
	   "rank %d, scale %g: sketches fit their factors", rank, scale);
	test_user(random, &blocks, factors, scale, false);
	test_user(random, &blocks, factors, scale, true);

	factors[0] += scale >= FLT_MIN ? 0.1f * (float) scale : 1.0f;
	ok(!RecsysSketchFits(&blocks.layout, blocks.bytes, rests_at(&blocks, 0), 0, factors) || rank == 1,
	   "rank %d, scale %g: another factor is told", rank, scale);
	factors[0] -= scale >= FLT_MIN ? 0.1f * (float) scale : 1.0f;
	*(uint8 *) rests_at(&blocks, 0) ^= 0x08;
	ok(!RecsysSketchFits(&blocks.layout, blocks.bytes, rests_at(&blocks, 0), 0, factors), "rank %d, scale %g: another rest is told", rank, scale);
	memset(blocks.bytes + blocks.layout.steps, 0xA5, sizeof(float));
	{
		float	   *uppers = palloc(sizeof(float) * blocks.layout.room);
		int32	   *sums = palloc(sizeof(int32) * blocks.layout.room);
		uint16	   *places = palloc(sizeof(uint16) * blocks.layout.room);
		RecsysUserSketch *sketch = palloc(sizeof(RecsysUserSketch));

		RecsysSketchUser(&blocks.layout, factors + rank, sketch);
		ok(RecsysSketchSelect(&blocks.layout, sketch, blocks.bytes, 1, blocks.longest[0], 0, sums, uppers, places) < 0,
		   "rank %d, scale %g: a step below zero is told", rank, scale);
		pfree(uppers);
		pfree(sums);
		pfree(places);
		pfree(sketch);
	}
	pfree(factors);
	pfree(blocks.bytes);
	pfree(blocks.longest);
}

void
test_factorsketch(void)
{
	Random		random;
	const int	ranks[] = {1, 3, 16, 17, 64, 128, 512, 513, 1024};
	const double scales[] = {1.0, 1e-20, 1e30, 1e-39};

	random_seed(&random, 1284);
	for (int rank = 0; rank < (int) lengthof(ranks); rank++)
		for (int scale = 0; scale < (int) lengthof(scales); scale++)
			test_bounds(&random, ranks[rank], scales[scale]);
}
