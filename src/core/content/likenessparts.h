/*
 * likenessparts.h
 *	  The arithmetic of likeness, which the kernel for two items and that for blocks share.
 *
 * Every function is symmetric in the two items, to the last bit.
 */
#ifndef RECSYS_LIKENESSPARTS_H
#define RECSYS_LIKENESSPARTS_H

#include "core/content/exactmath.h"
#include "core/content/likeness.h"
#include "core/content/packedview.h"

/* No more than 1, of a number that is not negative: by its bits, as in RecsysExactGauss */
static inline float
RecsysAtMostOne(float number)
{
	int32		bits;

	memcpy(&bits, &number, sizeof(bits));
	bits = Min(bits, 0x3F800000);	/* those of 1.0f */
	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* Of texts and vectors: the product of two unit vectors, and their inverse norms */
static inline float
RecsysCosinePart(int32 product, float a, float b)
{
	return RecsysAtMostOne((float) Max(product, 0) * (a * b));
}

/* Of sets of labels: weights of what is common, and of both; one of the latter is > 0. */
static inline float
RecsysJaccardPart(int32 common, int32 a, int32 b)
{
	return (float) common / (float) (a + b - common);
}

/* What a number is compared as: in units of the scale, bounded so that differences are finite */
#define RECSYS_LARGEST_NUMBER 1e30

static inline double
RecsysScaledNumber(double number, float scale)
{
	double		scaled = number / scale;

	return Max(Min(scaled, RECSYS_LARGEST_NUMBER), -RECSYS_LARGEST_NUMBER);
}

static inline float
RecsysNumberPart(double a, double b)
{
	return RecsysExactGauss((float) (a - b));
}

/* What the likeness of two items is multiplied with, by their lots: a hash of both */
static inline float
RecsysLotFactor(uint32 a, uint32 b)
{
	uint32		lot = a ^ b;

	/* the finalizer of MurmurHash3 */
	lot = (lot ^ lot >> 16) * 0x85EBCA6B;
	lot = (lot ^ lot >> 13) * 0xC2B2AE35;
	lot ^= lot >> 16;
	return 1.0f - (float) (int32) (lot >> 8) * (RECSYS_LOT / (1 << 24));
}

static inline float
RecsysLowered(float likeness, uint32 a, uint32 b)
{
	return RecsysAtMostOne(likeness) * RecsysLotFactor(a, b);
}

/* The weights of attributes as parts of their sum; all 0 if that is 0 */
static inline void
RecsysWeightParts(const RecsysContentModel *model, float *weights)
{
	double		sum = 0;

	for (int a = 0; a < model->count; a++)
		sum += model->attributes[a].weight;
	for (int a = 0; a < model->count; a++)
		weights[a] = sum > 0 ? (float) (model->attributes[a].weight / sum) : 0.0f;
}

static inline int32
RecsysSumOfLabels(const RecsysPackedValue *value)
{
	int32		sum = 0;

	for (int x = 0; x < value->n; x++)
		sum += value->weights[x];
	return sum;
}

#endif							/* RECSYS_LIKENESSPARTS_H */
