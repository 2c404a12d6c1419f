/*
 * factorsketch.c
 *	  Factors as codes of four and of twelve bits, and bounds of scores from them.
 *
 * Most of the cost of scoring a catalog is getting it from memory, and few items are among the best.
 * So a factor y is kept twice besides: as a sketch of half a byte a number, which is all that is
 * read of most items, and as codes of a byte and a half, which are looked at only for items that the
 * sketch says may be among the best.
 *
 * The sketch has a step s and whole numbers h, -8 to 7: with c_r the whole number next to y_r / s,
 * -2048 to 2047, h_r is c_r / 256, rounded down.  With z_r = s (256 h_r + 127.5), the number that h
 * stands for, and a user's x rounded to x' by a step of its own,
 *
 *		y.x = z.x' + (y - z).x + z.(x - x'),    |z| <= |y| + |y - z|
 *		|y.x - z.x'| <= |y - z| (|x| + |x - x'|) + |y| |x - x'|
 *
 * (Cauchy and Schwarz).  |y - z| is known when the sketch is made; it is stored, rounded up, as a
 * 255th of the largest that it could be: the spread.  Codes are the c_r: no y_r is further from
 * s c_r than s / 2, which is exact enough for sqrt(rank) s / 2 to be taken for the distance.  x' is
 * of 8 bits beside h and of 11 bits beside c.
 *
 * Codes of an item are c / 16, rounded down, a byte a number, and then what is left, half a
 * byte a number: the first half of the numbers in the lower halves of bytes.
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
		(Size) layout->lanes * (sizeof(float) + sizeof(uint32) + sizeof(uint8));
	layout->room = (uint32) (bytes / group) * layout->lanes;
	layout->steps = (Size) layout->room / layout->lanes * layout->rows * RECSYS_SKETCH_ROW;
	layout->items = layout->steps + (Size) layout->room * sizeof(float);
	layout->spreads = layout->items + (Size) layout->room * sizeof(uint32);
	layout->size = layout->spreads + (Size) layout->room;
	layout->codes_size = layout->padded + layout->padded / 2;
	layout->codes_room = (uint32) (bytes / layout->codes_size);
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

/* |y - z| */
static double
coarse_distance(const float *factor, int rank, double step, const int *h)
{
	double		sum = 0;

	for (int x = 0; x < rank; x++)
	{
		double		left = factor[x] - step * (256 * h[x] + 127.5);

		sum += left * left;
	}
	return sqrt(sum);
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

void
RecsysSketchFactor(const RecsysSketchLayout *layout, void *block, uint32 place, uint32 item,
				   const float *factor)
{
	int			half = RECSYS_SKETCH_ROW / layout->lanes;
	uint8	   *row = (uint8 *) block + first_byte(layout, place);
	int			h[RECSYS_SKETCH_MAX_RANK];
	float		step = find_codes(factor, layout->rank, h);

	for (int x = 0; x < layout->rank; x++)
		h[x] = (h[x] - (h[x] & 255)) / 256;
	for (int x = 0; x < layout->padded; x++)
	{
		int			number = number_at(layout, x);
		int			byte = x % (layout->padded / 2);

		row[byte / half * RECSYS_SKETCH_ROW + byte % half] |=
			(uint8) (((number < layout->rank ? h[number] : 0) + 8) << (x < layout->padded / 2 ? 0 : 4));
	}
	memcpy((char *) block + layout->steps + place * sizeof(float), &step, sizeof(float));
	memcpy((char *) block + layout->items + place * sizeof(uint32), &item, sizeof(uint32));
	if (step > 0)
		((uint8 *) block)[layout->spreads + place] = (uint8)
			Min(ceil(MAX_SPREAD * coarse_distance(factor, layout->rank, step, h) /
					 (MAX_COARSE_STEPS * step * sqrt(layout->rank))), MAX_SPREAD);
}

void
RecsysSketchCodes(const RecsysSketchLayout *layout, const float *factor, uint8 *codes)
{
	int			half = layout->padded / 2;
	uint8	   *lower = codes + layout->padded;
	int			c[RECSYS_SKETCH_MAX_RANK] = {0};

	(void) find_codes(factor, layout->rank, c);
	for (int x = 0; x < layout->padded; x++)
		codes[x] = (uint8) (int8) ((c[x] - (c[x] & 15)) / 16);
	for (int x = 0; x < half; x++)
		lower[x] = (uint8) ((c[x] & 15) | (c[x + half] & 15) << 4);
}

/* The code of a number */
static int
code_at(const RecsysSketchLayout *layout, const uint8 *codes, int x)
{
	int			half = layout->padded / 2;
	int			lower = codes[layout->padded + x % half];

	return 16 * (int8) codes[x] + (x < half ? lower & 15 : lower >> 4);
}

bool
RecsysSketchFits(const RecsysSketchLayout *layout, const void *block, uint32 place, const uint8 *codes,
				 const float *factor)
{
	double		step = RecsysSketchSteps(layout, block)[place];
	uint8		bytes[RECSYS_SKETCH_MAX_RANK / 2];
	int			h[RECSYS_SKETCH_MAX_RANK];

	if (!(step >= 0) || !isfinite(step))
		return false;
	gather(layout, block, place, bytes);
	for (int x = 0; x < layout->padded; x++)
	{
		int			number = number_at(layout, x);
		int			upper = (x < layout->padded / 2 ? bytes[x] & 15 : bytes[x - layout->padded / 2] >> 4) - 8;

		if (number < layout->rank)
			h[number] = upper;
		else if (upper != 0)
			return false;
	}
	for (int x = 0; x < layout->padded; x++)
	{
		int			code = code_at(layout, codes, x);

		if (x >= layout->rank ? code != 0 : !(fabs(factor[x] - step * code) <= MAX_STEPS * step))
			return false;
	}
	return coarse_distance(factor, layout->rank, step, h) * MAX_SPREAD <=
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
		sketch->fine[x] = x < rank ? codes[x] : 0;
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
		more = bounds_of_sums(sums, count, RecsysSketchSteps(layout, block) + place, spreads_of(layout, block) + place,
							  8 * user->sum, (float) (256 * step), (float) (127.5 * step * user->sum),
							  (float) width, (float) add, threshold, scores + place, uppers + place);
		above = more < 0 ? -1 : above + more;
	}
	return above;
}

/* Codes are unpacked first, as processors add up products of 16 bits each the fastest. */
RECSYS_TARGET_CLONES static int32
fine_sum(const int16 *fine, const uint8 *codes, int half)
{
	const int8 *upper = (const int8 *) codes;
	const uint8 *lower = codes + 2 * half;
	int16		unpacked[RECSYS_SKETCH_MAX_RANK];
	int32		sum = 0;

	for (int x = 0; x < half; x++)
		unpacked[x] = (int16) (16 * upper[x] + (lower[x] & 15));
	for (int x = 0; x < half; x++)
		unpacked[half + x] = (int16) (16 * upper[half + x] + (lower[x] >> 4));
	for (int x = 0; x < 2 * half; x++)
		sum += fine[x] * unpacked[x];
	return sum;
}

void
RecsysSketchBounds(const RecsysSketchLayout *layout, const RecsysUserSketch *user, float step,
				   const uint8 *codes, double length, float *lower, float *upper)
{
	double		score = (double) step * user->fine_step * fine_sum(user->fine, codes, layout->padded / 2);
	double		width = MAX_STEPS * (double) step * sqrt(layout->rank) * (user->length + user->fine_left) +
		slack(user, user->fine_left, length);

	*lower = (float) (score - width);
	*upper = (float) (score + width);
}
