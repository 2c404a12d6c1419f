/*
 * factorsketch.c
 *	  Factors as codes of four and of eight bits, and bounds of scores from them.
 *
 * Most of the cost of scoring a catalog is getting it from memory, and few items are among the best.
 * So a factor y is kept once more: as a sketch of half a byte a number, which is all that is
 * read of most items, and as a rest, another half of a byte, which is looked at only for items that
 * the sketch says may be among the best.
 *
 * The sketch has a step s and whole numbers h, -8 to 7: with c_r the whole number next to y_r / s,
 * -2047 to 2047, h_r is c_r / 256, rounded down.  With z_r = s (256 h_r + 127.5), the number that h
 * stands for, and a user's x rounded to x' by a step of its own,
 *
 *		y.x = z.x' + (y - z).x + z.(x - x'),    |z| <= |y| + |y - z|
 *		|y.x - z.x'| <= |y - z| (|x| + |x - x'|) + |y| |x - x'|
 *
 * (Cauchy and Schwarz).  |y - z| is known when the sketch is made; it is stored, rounded up, as a
 * 255th of the largest that it could be: the spread.
 *
 * The rest has the next four bits, l_r = c_r / 16, rounded down, - 16 h_r.  Sketch and rest
 * together stand for z_r = s (256 h_r + 16 l_r + 7.5), which the same is said of, with a spread of
 * its own.  The sum of the sketch is known by then: only that of the rest is added.
 *
 * Scores that are compared with the bounds are sums of floats (RecsysFactorScores), up to
 * rank / 16 + 5 roundings deep, and the bounds are floats, too: what that may add is in the
 * bounds as a part of |x| |y|, several times as much as it can be.
 *
 * z.x' is step times step times a sum of integers, of which processors add up many at once
 * (sketchsums.c).
 */
#include "core/dense/factorsketch.h"

#include <float.h>
#include <math.h>

#include "core/dense/sketchsums.h"

#define MAX_CODE 2047
#define MAX_USER 127

/*
 * The furthest that a number may be from what codes stand for, in steps, and what rounding may add:
 * of the sketch alone, of sketch and rest.
 */
#define MAX_COARSE_STEPS 128.1
#define MAX_FINE_STEPS 8.1
#define MAX_SPREAD 255

/* Rests whose sums are looked at while they are in the nearest cache */
#define SUMS 128

/* Bounds that are computed together */
#define LANES 16

typedef float Floats __attribute__((vector_size(LANES * sizeof(float))));
typedef int32 Integers __attribute__((vector_size(LANES * sizeof(int32))));
typedef uint8 Bytes __attribute__((vector_size(LANES)));

/*
 * Of the smallest float that has all of its bits; added to those of infinity it gives a negative
 * number.
 */
#define SMALLEST_NORMAL 0x00800000

/* Relative, of what is computed in double precision and then stored as a float */
#define ROUNDING 1e-5

static const uint8 *
spreads_of(const RecsysSketchLayout *layout, const void *block)
{
	return (const uint8 *) block + layout->spreads;
}

/* Bytes of a rest; those of a sketch are as many, but not side by side */
static int
rest_bytes(const RecsysSketchLayout *layout)
{
	return layout->padded / 2;
}

void
RecsysSketchLayoutInit(RecsysSketchLayout *layout, int rank, Size bytes)
{
	int			numbers;		/* of an item in a row */
	Size		rows;			/* bytes of a group, and of the rests of as many items */
	Size		group;

	layout->rank = rank;
	layout->lanes = rank <= RECSYS_SKETCH_MAX_RANK / 2 ? 8 : 4;
	numbers = 2 * RECSYS_SKETCH_ROW / layout->lanes;
	layout->rows = (rank + numbers - 1) / numbers;
	layout->padded = layout->rows * numbers;
	rows = (Size) layout->rows * RECSYS_SKETCH_ROW;
	group = rows + (Size) layout->lanes * (sizeof(float) + sizeof(uint8));
	layout->room = (uint32) (bytes / group) * layout->lanes;
	layout->steps = layout->room / layout->lanes * rows;
	layout->spreads = layout->steps + (Size) layout->room * sizeof(float);
	layout->size = layout->spreads + layout->room;
}

/* Where the sketch of a place begins in the first row of its group */
static Size
first_byte(const RecsysSketchLayout *layout, uint32 place)
{
	return (Size) (place / layout->lanes) * layout->rows * RECSYS_SKETCH_ROW +
		(place % layout->lanes) * (RECSYS_SKETCH_ROW / layout->lanes);
}

/* Where in its block the n-th byte of a place's sketch is */
static Size
sketch_byte(const RecsysSketchLayout *layout, uint32 place, int n)
{
	int			half = RECSYS_SKETCH_ROW / layout->lanes;

	return first_byte(layout, place) + (Size) (n / half) * RECSYS_SKETCH_ROW + n % half;
}

/* And that of its rest */
static Size
rest_byte(const RecsysSketchLayout *layout, uint32 place, int n)
{
	return (Size) place * rest_bytes(layout) + n;
}

/* The number that the lower, or upper, half of the n-th byte of a sketch or rest is of */
static int
number_at(const RecsysSketchLayout *layout, int n, int upper)
{
	int			half = RECSYS_SKETCH_ROW / layout->lanes;

	return (2 * (n / half) + upper) * half + n % half;
}

double
RecsysFactorLength(const float *factor, int rank)
{
	double		sum = 0;

	for (int x = 0; x < rank; x++)
		sum += (double) factor[x] * factor[x];
	return sqrt(sum) * (1 + 1e-12);
}

/* How far a factor is from what codes stand for that are of so many of its steps, rounded down */
static double
distance(const float *factor, int rank, double step, const int *codes, int coarseness)
{
	double		sum = 0;

	for (int x = 0; x < rank; x++)
	{
		double		left = factor[x] - step * (coarseness * codes[x] + (coarseness - 1) / 2.0);

		sum += left * left;
	}
	return sqrt(sum);
}

/* What a spread of 1 stands for, in steps */
static double
spread_unit(const RecsysSketchLayout *layout, double most_steps)
{
	return most_steps * sqrt(layout->rank) / MAX_SPREAD;
}

/* The whole numbers next to a factor's in steps; those that are too small to be told apart are 0. */
static float
find_codes(const float *factor, int rank, int *codes)
{
	float		largest = 0;
	float		step;

	for (int x = 0; x < rank; x++)
		largest = Max(largest, fabsf(factor[x]));
	step = largest / MAX_CODE;
	if (step < FLT_MIN)
		step = 2 * largest;
	for (int x = 0; x < rank; x++)
		codes[x] = largest < step || step == 0 ? 0 :
			(int) Max(Min(rintf(factor[x] / step), MAX_CODE), -MAX_CODE);
	return step;
}

/* Codes divided by that, rounded down */
static void
divide_codes(const int *codes, int rank, int by, int *divided)
{
	for (int x = 0; x < rank; x++)
		divided[x] = (codes[x] - (codes[x] & (by - 1))) / by;
}

static uint8
spread(double distance, double step, double unit)
{
	return step > 0 ? (uint8) Min(ceil(distance / (step * unit)), MAX_SPREAD) : 0;
}

void
RecsysSketchFactor(const RecsysSketchLayout *layout, void *block, void *rests, uint32 place,
				   uint32 item, const float *factor)
{
	uint8	   *bytes = block;
	uint8	   *others = rests;
	int			rank = layout->rank;
	int			c[RECSYS_SKETCH_MAX_RANK];
	int			h[RECSYS_SKETCH_MAX_RANK];
	int			both[RECSYS_SKETCH_MAX_RANK];
	float		step = find_codes(factor, rank, c);

	divide_codes(c, rank, 256, h);
	divide_codes(c, rank, 16, both);
	for (int n = 0; n < rest_bytes(layout); n++)
		for (int upper = 0; upper < 2; upper++)
		{
			int			number = number_at(layout, n, upper);
			bool		is_there = number < rank;

			bytes[sketch_byte(layout, place, n)] |= (uint8) (((is_there ? h[number] : 0) + 8) << 4 * upper);
			others[rest_byte(layout, place, n)] |= (uint8) ((is_there ? both[number] & 15 : 0) << 4 * upper);
		}
	memcpy(bytes + layout->steps + place * sizeof(float), &step, sizeof(float));
	memcpy(others + layout->steps + place * sizeof(uint32), &item, sizeof(uint32));
	bytes[layout->spreads + place] =
		spread(distance(factor, rank, step, h, 256), step, spread_unit(layout, MAX_COARSE_STEPS));
	others[layout->spreads + place] =
		spread(distance(factor, rank, step, both, 16), step, spread_unit(layout, MAX_FINE_STEPS));
}

bool
RecsysSketchFits(const RecsysSketchLayout *layout, const void *block, const void *rests, uint32 place,
				 const float *factor)
{
	const uint8 *bytes = block;
	const uint8 *others = rests;
	int			rank = layout->rank;
	double		step = RecsysSketchSteps(layout, block)[place];
	int			h[RECSYS_SKETCH_MAX_RANK];
	int			both[RECSYS_SKETCH_MAX_RANK];

	if (!(step >= 0) || !isfinite(step))
		return false;
	for (int n = 0; n < rest_bytes(layout); n++)
		for (int upper = 0; upper < 2; upper++)
		{
			int			number = number_at(layout, n, upper);
			int			first = (bytes[sketch_byte(layout, place, n)] >> 4 * upper & 15) - 8;
			int			next = others[rest_byte(layout, place, n)] >> 4 * upper & 15;

			if (number >= rank)
			{
				if (first != 0 || next != 0)
					return false;
				continue;
			}
			h[number] = first;
			both[number] = 16 * first + next;
			if (!(fabs(factor[number] - step * (16 * both[number] + 7.5)) <= MAX_FINE_STEPS * step))
				return false;
		}
	return distance(factor, rank, step, h, 256) <=
		spreads_of(layout, block)[place] * spread_unit(layout, MAX_COARSE_STEPS) * step * (1 + 1e-9) &&
		distance(factor, rank, step, both, 16) <=
		spreads_of(layout, rests)[place] * spread_unit(layout, MAX_FINE_STEPS) * step * (1 + 1e-9);
}

/*
 * Codes by a step of the largest; what is left of the length.  Too small for a step: all codes are
 * 0.
 */
static double
round_user(const float *user, int rank, double *step, int8 *codes)
{
	double		largest = 0;
	double		sum = 0;

	for (int x = 0; x < rank; x++)
		largest = Max(largest, fabs(user[x]));
	*step = largest / MAX_USER < FLT_MIN ? 0 : largest / MAX_USER;
	for (int x = 0; x < rank; x++)
	{
		double		left;

		codes[x] = *step > 0 ? (int8) Max(Min(rint(user[x] / *step), MAX_USER), -MAX_USER) : 0;
		left = user[x] - *step * codes[x];
		sum += left * left;
	}
	return sqrt(sum) * (1 + ROUNDING);
}

void
RecsysSketchUser(const RecsysSketchLayout *layout, const float *user, RecsysUserSketch *sketch)
{
	int			rank = layout->rank;
	int			half = RECSYS_SKETCH_ROW / layout->lanes;
	int8		codes[RECSYS_SKETCH_MAX_RANK] = {0};

	sketch->length = RecsysFactorLength(user, rank) * (1 + ROUNDING);

	/* sums of floats, and what is made of them: less than half of this */
	sketch->highest = sketch->length * (1 + (rank / 16 + 64) * FLT_EPSILON);

	sketch->left = round_user(user, rank, &sketch->step, codes);
	sketch->coarse_width = spread_unit(layout, MAX_COARSE_STEPS) * (sketch->length + sketch->left) * (1 + ROUNDING);
	sketch->fine_width = spread_unit(layout, MAX_FINE_STEPS) * (sketch->length + sketch->left) * (1 + ROUNDING);
	sketch->sum = 0;
	for (int x = 0; x < rank; x++)
		sketch->sum += codes[x];
	for (int row = 0; row < layout->rows; row++)
		for (int upper = 0; upper < 2; upper++)
		{
			const int8 *from = codes + (2 * row + upper) * half;

			memcpy(sketch->rests[upper] + row * half, from, half);
			for (int x = 0; x < RECSYS_SKETCH_ROW; x += half)
				memcpy(sketch->rows[row][upper] + x, from, half);
		}
}

/* What bounds of a block have beside what depends on the item */
static double
slack(const RecsysUserSketch *user, double length)
{
	return (length * (user->left + (user->highest - user->length)) + FLT_MIN) * (1 + ROUNDING);
}

/*
 * Bounds of n places into uppers; false when a step is none.
 *
 * In vectors of the compiler's, as it would take as many places at once as a vector has bytes, and
 * then as long for those that are left of a hundred as for all the others.
 */
RECSYS_TARGET_CLONES static bool
bounds_of_sums(const int32 *sums, uint32 n, const float *steps, const uint8 *spreads, int32 minus,
			   float scale, float offset, float width, float add, float *uppers)
{
	Integers	signs = {0};
	uint32		any[LANES];
	uint32		x = 0;

	for (; x + LANES <= n; x += LANES)
	{
		Integers	sum;
		Integers	bits;
		Floats		step;
		Floats		upper;
		Bytes		spread;

		memcpy(&sum, sums + x, sizeof(sum));
		memcpy(&step, steps + x, sizeof(step));
		memcpy(&bits, steps + x, sizeof(bits));
		memcpy(&spread, spreads + x, sizeof(spread));
		upper = step * (scale * __builtin_convertvector(sum - minus, Floats) + offset) +
			step * (width * __builtin_convertvector(spread, Floats)) + add;
		memcpy(uppers + x, &upper, sizeof(upper));

		/* those that are negative, and those that become so, which are not finite */
		signs |= bits | (bits + SMALLEST_NORMAL);
	}
	memcpy(any, &signs, sizeof(any));
	for (; x < n; x++)
	{
		uint32		bits;

		uppers[x] = steps[x] * (scale * (float) (sums[x] - minus) + offset) +
			steps[x] * (width * (float) spreads[x]) + add;
		memcpy(&bits, &steps[x], sizeof(bits));
		any[x % LANES] |= bits | (bits + SMALLEST_NORMAL);
	}
	for (int y = 1; y < LANES; y++)
		any[0] |= any[y];
	return any[0] >> 31 == 0;
}

int
RecsysSketchSelect(const RecsysSketchLayout *layout, const RecsysUserSketch *user, const void *block,
				   uint32 n, double length, float threshold, int32 *sums, float *uppers, uint16 *places)
{
	RecsysSketchSums(user, block, (n + layout->lanes - 1) / layout->lanes, layout->rows, layout->lanes, sums);
	if (!bounds_of_sums(sums, n, RecsysSketchSteps(layout, block), spreads_of(layout, block), 8 * user->sum,
						(float) (256 * user->step), (float) (127.5 * user->step * user->sum),
						(float) user->coarse_width, (float) slack(user, length), uppers))
		return -1;

	/* positive in any case */
	return RecsysSketchPlaces(uppers, n, Max(threshold, FLT_MIN * FLT_EPSILON), places);
}

void
RecsysSketchBounds(const RecsysSketchLayout *layout, const RecsysUserSketch *user, const void *block,
				   const void *rests, const uint16 *places, int n, double length, const int32 *sums,
				   float *lowers, float *uppers)
{
	const float *steps = RecsysSketchSteps(layout, block);
	const uint8 *spreads = spreads_of(layout, rests);
	double		add = slack(user, length);
	int32		others[SUMS];	/* of rests */

	for (int first = 0; first < n; first += SUMS)
	{
		int			end = Min(n, first + SUMS);

		RecsysSketchRestSums(user, rests, rest_bytes(layout), places + first, end - first, others);
		for (int x = first; x < end; x++)
		{
			uint16		place = places[x];
			double		sum = 256.0 * (sums[place] - 8 * user->sum) + 16.0 * others[x - first] + 7.5 * user->sum;
			double		score = steps[place] * (user->step * sum);
			double		width = steps[place] * (user->fine_width * spreads[place]) + add;

			lowers[x] = (float) (score - width);
			uppers[x] = (float) (score + width);
		}
	}
}
