/*
 * factorsketch.c
 *	  Factors as codes of twelve bits, of which four come first, and bounds of scores from them.
 *
 * Of a factor y the sketch has a step s and whole numbers c, -2048 to 2047, such that no y_r is
 * further from s c_r than s / 2.  Most of the cost of scoring a catalog is getting it from memory,
 * and few items are among the best.  So c is stored as c = 256 h + l, with h from -8 to 7 and l
 * from 0 to 255: h of all items of a group together, which takes half a byte a number, and l
 * elsewhere, which is looked at only for items that h says may be among the best.
 *
 * With z_r = s (256 h_r + 127.5), the number that h stands for, and a user's x rounded to x' by a
 * step of its own,
 *
 *		y.x = z.x' + (y - z).x + z.(x - x'),    |z| <= |y| + |y - z|
 *		|y.x - z.x'| <= |y - z| (|x| + |x - x'|) + |y| |x - x'|
 *
 * (Cauchy and Schwarz).  |y - z| is known when the sketch is made; it is stored, rounded up, as a
 * 255th of the largest that it could be: the spread.  Of c it is at most sqrt(rank) s / 2, as exact
 * as is needed.  x' is of 8 bits beside h and of 11 bits beside c.
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
#define MAX_COARSE 127
#define MAX_FINE 1023			/* 1024 products with 2048 stay within 32 bits */

/* Half a step, and what rounding may add: less than a hundredth */
#define MAX_STEPS 0.51

/* The furthest that a number may be from what h stands for, likewise */
#define MAX_COARSE_STEPS 128.1
#define MAX_SPREAD 255

/* Items whose sums are looked at while they are in the nearest cache, a multiple of all lanes */
#define SUMS 512

/* Relative, of what is computed in double precision and then stored as a float */
#define ROUNDING 1e-5

static const float *
steps_of(const RecsysSketchLayout *layout, const void *block)
{
	return (const float *) ((const char *) block + layout->steps);
}

static const uint8 *
spreads_of(const RecsysSketchLayout *layout, const void *block)
{
	return (const uint8 *) block + layout->spreads;
}

void
RecsysSketchLayoutInit(RecsysSketchLayout *layout, int rank, Size bytes)
{
	int			numbers;		/* of an item in a row */
	Size		group;

	layout->rank = rank;
	layout->lanes = rank <= RECSYS_SKETCH_MAX_RANK / 2 ? 8 : 4;
	numbers = 2 * RECSYS_SKETCH_ROW / layout->lanes;
	layout->rows = (rank + numbers - 1) / numbers;
	layout->padded = layout->rows * numbers;
	group = (Size) layout->rows * RECSYS_SKETCH_ROW +
		(Size) layout->lanes * (layout->padded + sizeof(float) + sizeof(uint32) + sizeof(uint8));
	layout->room = (uint32) (bytes / group) * layout->lanes;
	layout->steps = (Size) layout->room / layout->lanes * layout->rows * RECSYS_SKETCH_ROW;
	layout->items = layout->steps + (Size) layout->room * sizeof(float);
	layout->spreads = layout->items + (Size) layout->room * sizeof(uint32);
	layout->rests = layout->spreads + (Size) layout->room;
	layout->size = layout->rests + (Size) layout->room * layout->padded;
}

/* Where the codes of a place begin in the first row of its group */
static Size
first_byte(const RecsysSketchLayout *layout, uint32 place)
{
	return (Size) (place / layout->lanes) * layout->rows * RECSYS_SKETCH_ROW +
		(place % layout->lanes) * (RECSYS_SKETCH_ROW / layout->lanes);
}

/*
 * Numbers of an item, in an order in which those of the lower halves of bytes come first: the n-th
 * of them is which of the factor?
 */
static int
number_at(const RecsysSketchLayout *layout, int n)
{
	int			half = RECSYS_SKETCH_ROW / layout->lanes;
	int			upper = n >= layout->padded / 2;
	int			byte = upper ? n - layout->padded / 2 : n;

	return byte / half * 2 * half + upper * half + byte % half;
}

/* The first bits of all numbers of an item: padded / 2 bytes */
static void
gather(const RecsysSketchLayout *layout, const void *block, uint32 place, uint8 *bytes)
{
	int			half = RECSYS_SKETCH_ROW / layout->lanes;
	const uint8 *from = (const uint8 *) block + first_byte(layout, place);

	/* sizes that the compiler knows */
	for (int row = 0; row < layout->rows; row++, from += RECSYS_SKETCH_ROW)
	{
		if (half == 8)
			memcpy(bytes + row * 8, from, 8);
		else
			memcpy(bytes + row * 16, from, 16);
	}
}

double
RecsysFactorLength(const float *factor, int rank)
{
	double		sum = 0;

	for (int x = 0; x < rank; x++)
		sum += (double) factor[x] * factor[x];
	return sqrt(sum) * (1 + 1e-12);
}

/* |y - z|, when there is no h but that of c */
static double
coarse_distance(const float *factor, int rank, double step, const int *codes)
{
	double		sum = 0;

	for (int x = 0; x < rank; x++)
	{
		double		left = factor[x] - step * (codes[x] - (codes[x] & 255) + 127.5);

		sum += left * left;
	}
	return sqrt(sum);
}

void
RecsysSketchFactor(const RecsysSketchLayout *layout, void *block, uint32 place, uint32 item,
				   const float *factor)
{
	int			half = RECSYS_SKETCH_ROW / layout->lanes;
	uint8	   *row = (uint8 *) block + first_byte(layout, place);
	uint8	   *rests = (uint8 *) block + layout->rests + (Size) place * layout->padded;
	int			codes[RECSYS_SKETCH_MAX_RANK];
	float		largest = 0;
	float		step;

	for (int x = 0; x < layout->rank; x++)
		largest = Max(largest, fabsf(factor[x]));
	step = largest / MAX_CODE;

	/* too small to be told apart: all codes are 0 */
	if (step < FLT_MIN)
		step = 2 * largest;
	for (int x = 0; x < layout->rank; x++)
		codes[x] = largest < step || step == 0 ? 0 :
			(int) Max(Min(rintf(factor[x] / step), MAX_CODE), -MAX_CODE);
	for (int x = 0; x < layout->padded; x++)
	{
		int			number = number_at(layout, x);
		int			code = number < layout->rank ? codes[number] : 0;
		int			byte = x % (layout->padded / 2);

		rests[x] = (uint8) (code & 255);
		row[byte / half * RECSYS_SKETCH_ROW + byte % half] |=
			(uint8) (((code - (code & 255)) / 256 + 8) << (x < layout->padded / 2 ? 0 : 4));
	}
	memcpy((char *) block + layout->steps + place * sizeof(float), &step, sizeof(float));
	memcpy((char *) block + layout->items + place * sizeof(uint32), &item, sizeof(uint32));
	if (step > 0)
		((uint8 *) block)[layout->spreads + place] = (uint8)
			Min(ceil(MAX_SPREAD * coarse_distance(factor, layout->rank, step, codes) /
					 (MAX_COARSE_STEPS * step * sqrt(layout->rank))), MAX_SPREAD);
}

bool
RecsysSketchFits(const RecsysSketchLayout *layout, const void *block, uint32 place, const float *factor)
{
	double		step = steps_of(layout, block)[place];
	const uint8 *rests = (const uint8 *) block + layout->rests + (Size) place * layout->padded;
	uint8		bytes[RECSYS_SKETCH_MAX_RANK / 2];
	int			codes[RECSYS_SKETCH_MAX_RANK];

	if (!(step >= 0) || !isfinite(step))
		return false;
	gather(layout, block, place, bytes);
	for (int x = 0; x < layout->padded; x++)
	{
		int			number = number_at(layout, x);
		int			h = (x < layout->padded / 2 ? bytes[x] & 15 : bytes[x - layout->padded / 2] >> 4) - 8;
		int			code = 256 * h + rests[x];

		if (number >= layout->rank)
		{
			if (code != 0)
				return false;
			continue;
		}
		codes[number] = code;
		if (!(fabs((double) factor[number] - step * code) <= MAX_STEPS * step))
			return false;
	}
	return coarse_distance(factor, layout->rank, step, codes) * MAX_SPREAD <=
		spreads_of(layout, block)[place] * MAX_COARSE_STEPS * step * sqrt(layout->rank) * (1 + 1e-9);
}

/*
 * Codes by a step of the largest; what is left of the length.  Too small for a step: all codes are
 * 0.
 */
static double
round_user(const float *user, int rank, int most, double *step, int16 *codes)
{
	double		largest = 0;
	double		sum = 0;

	for (int x = 0; x < rank; x++)
		largest = Max(largest, fabs(user[x]));
	*step = largest / most < FLT_MIN ? 0 : largest / most;
	for (int x = 0; x < rank; x++)
	{
		double		left;

		codes[x] = *step > 0 ? (int16) Max(Min(rint(user[x] / *step), most), -most) : 0;
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
	int16		codes[RECSYS_SKETCH_MAX_RANK];

	sketch->length = RecsysFactorLength(user, rank) * (1 + ROUNDING);

	/* sums of floats, and what is made of them: less than half of this */
	sketch->highest = sketch->length * (1 + (rank / 16 + 64) * FLT_EPSILON);

	sketch->coarse_left = round_user(user, rank, MAX_COARSE, &sketch->coarse_step, codes);
	sketch->sum = 0;
	for (int x = 0; x < rank; x++)
		sketch->sum += codes[x];
	for (int row = 0; row < layout->rows; row++)
		for (int x = 0; x < RECSYS_SKETCH_ROW; x++)
			for (int upper = 0; upper < 2; upper++)
			{
				int			number = (2 * row + upper) * half + x % half;

				sketch->coarse[row][upper][x] = number < rank ? (int8) codes[number] : 0;
			}

	sketch->fine_left = round_user(user, rank, MAX_FINE, &sketch->fine_step, codes);
	for (int x = 0; x < layout->padded; x++)
	{
		int			number = number_at(layout, x);

		sketch->fine[x] = number < rank ? codes[number] : 0;
	}
}

/* What both bounds of a block have beside what depends on the item, for scores by x' */
static double
slack(const RecsysUserSketch *user, double left, double length)
{
	return length * (left + (user->highest - user->length)) + FLT_MIN;
}

RECSYS_TARGET_CLONES static int
bounds_of_sums(const int32 *sums, uint32 n, const float *steps, const uint8 *spreads, int32 minus,
			   float scale, float offset, float width, float add, float threshold,
			   float *scores, float *uppers)
{
	int32		above = 0;
	uint32		wrong = 0;

	for (uint32 x = 0; x < n; x++)
	{
		scores[x] = steps[x] * (scale * (float) (sums[x] - minus) + offset);
		uppers[x] = scores[x] + steps[x] * (width * (float) spreads[x]) + add;
		above += uppers[x] >= threshold;
		wrong |= !(steps[x] >= 0.0f) | !(steps[x] <= FLT_MAX);
	}
	return wrong == 0 ? above : -1;
}

int
RecsysSketchScores(const RecsysSketchLayout *layout, const RecsysUserSketch *user, const void *block,
				   uint32 n, double length, float threshold, float *scores, float *uppers)
{
	int32		sums[SUMS];
	double		step = user->coarse_step;
	double		width = MAX_COARSE_STEPS * sqrt(layout->rank) / MAX_SPREAD *
		(user->length + user->coarse_left) * (1 + ROUNDING);
	double		add = slack(user, user->coarse_left, length) * (1 + ROUNDING);
	int			above = 0;

	for (uint32 place = 0; place < n && above >= 0; place += SUMS)
	{
		uint32		count = Min(n - place, SUMS);
		int			more;

		RecsysSketchSums(user, (const uint8 *) block + first_byte(layout, place),
						 (count + layout->lanes - 1) / layout->lanes, layout->rows, layout->lanes, sums);
		more = bounds_of_sums(sums, count, steps_of(layout, block) + place, spreads_of(layout, block) + place,
							  8 * user->sum, (float) (256 * step), (float) (127.5 * step * user->sum),
							  (float) width, (float) add, threshold, scores + place, uppers + place);
		above = more < 0 ? -1 : above + more;
	}
	return above;
}

RECSYS_TARGET_CLONES static int32
fine_sum(const int16 *fine, const uint8 *bytes, const uint8 *rests, int half)
{
	const int16 *fine_upper = fine + half;
	const uint8 *rests_upper = rests + half;
	int32		sum = 0;

	for (int x = 0; x < half; x++)
	{
		int16		lower = (int16) (((bytes[x] & 15) << 8 | rests[x]) - 2048);
		int16		upper = (int16) (((bytes[x] >> 4) << 8 | rests_upper[x]) - 2048);

		sum += fine[x] * lower + fine_upper[x] * upper;
	}
	return sum;
}

void
RecsysSketchExpect(const RecsysSketchLayout *layout, const void *block, uint32 place)
{
	const char *rests = (const char *) block + layout->rests + (Size) place * layout->padded;

	for (int x = 0; x < layout->padded; x += RECSYS_SKETCH_ROW)
		__builtin_prefetch(rests + x);
}

void
RecsysSketchBounds(const RecsysSketchLayout *layout, const RecsysUserSketch *user, const void *block,
				   uint32 place, double length, float *lower, float *upper)
{
	double		step = steps_of(layout, block)[place];
	uint8		bytes[RECSYS_SKETCH_MAX_RANK / 2];
	double		score;
	double		width;

	gather(layout, block, place, bytes);
	score = step * user->fine_step *
		fine_sum(user->fine, bytes, (const uint8 *) block + layout->rests + (Size) place * layout->padded,
				 layout->padded / 2);
	width = MAX_STEPS * step * sqrt(layout->rank) * (user->length + user->fine_left) +
		slack(user, user->fine_left, length);
	*lower = (float) (score - width);
	*upper = (float) (score + width);
}
