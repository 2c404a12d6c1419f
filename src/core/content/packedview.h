/*
 * packedview.h
 *	  The parts of a packed item: for the files that pack and compare such.
 *
 * The format: the lot, a bit for each attribute that is known, then their values in the
 * order of the attributes, without any padding:
 *
 * label	uint64: hash, never 0
 * labels	uint16: n > 0; n times uint32: upper halves of hashes, ascending; n times uint16: weights > 0
 * text		float: inverse norm; uint16: n > 0; the same; weights are of a unit vector
 * number	double
 * vector	float: inverse norm; uint16: dimensions; so many times int16
 *
 * The weight of a label in a set is 1024 times its inverse document frequency, the same in every set.
 * A unit vector has components of 1/32767.  As rounding makes its norm differ from 1 it is
 * stored with the inverse norm of what it has become, so that equal values have a
 * likeness of 1.
 */
#ifndef RECSYS_PACKEDVIEW_H
#define RECSYS_PACKEDVIEW_H

#include "core/content/contentmodel.h"
#include "core/content/exactmath.h"

/* Numbers among bytes that are not aligned */
typedef uint16 RecsysLooseUint16 __attribute__((aligned(1), may_alias));
typedef int16 RecsysLooseInt16 __attribute__((aligned(1), may_alias));
typedef uint32 RecsysLooseUint32 __attribute__((aligned(1), may_alias));
typedef uint64 RecsysLooseUint64 __attribute__((aligned(1), may_alias));
typedef float RecsysLooseFloat __attribute__((aligned(1), may_alias));
typedef double RecsysLooseDouble __attribute__((aligned(1), may_alias));

#define RECSYS_UNIT 32767

/*
 * No sum of squares exceeds this: rounding moves a vector of n components by at most
 * sqrt(n) / 2, which is 128 for the most that there can be.  So no partial sum of a product of
 * two vectors exceeds it either, and the sum of any two products fits 32 bits.
 */
#define RECSYS_MAX_SQUARES (33000 * 33000)

#define RECSYS_LABEL_UNIT 1024

typedef struct RecsysPackedValue
{
	bool		known;
	int			n;				/* terms, dimensions */
	float		inverse;		/* text, vector */
	uint64		label;
	double		number;
	const RecsysLooseUint32 *terms;
	const RecsysLooseUint16 *weights;	/* of terms; those of texts are below 2^15 */
	const RecsysLooseInt16 *vector;
} RecsysPackedValue;

typedef struct RecsysPackedView
{
	uint32		lot;
	RecsysPackedValue values[RECSYS_MAX_ATTRIBUTES];
} RecsysPackedView;

#define RECSYS_PACKED_HEADER (2 * sizeof(uint32))

/* The size of the value of an attribute with n terms or dimensions */
static inline Size
RecsysPackedValueSize(uint8 kind, int n)
{
	switch (kind)
	{
		case RECSYS_ATTRIBUTE_LABEL:
			return sizeof(uint64);
		case RECSYS_ATTRIBUTE_LABELS:
			return sizeof(uint16) + (Size) n * (sizeof(uint32) + sizeof(uint16));
		case RECSYS_ATTRIBUTE_TEXT:
			return sizeof(float) + sizeof(uint16) + (Size) n * (sizeof(uint32) + sizeof(uint16));
		case RECSYS_ATTRIBUTE_NUMBER:
			return sizeof(double);
		case RECSYS_ATTRIBUTE_VECTOR:
			return sizeof(float) + sizeof(uint16) + (Size) n * sizeof(int16);
	}
	return 0;
}

/* Reads a value that begins at place, and returns what is behind it.  Only the count is looked up. */
static inline const char *
RecsysViewValue(uint8 kind, const char *place, RecsysPackedValue *value)
{
	const char *data = place;

	value->known = true;
	value->n = 0;
	value->inverse = 0.0f;
	switch (kind)
	{
		case RECSYS_ATTRIBUTE_LABEL:
			value->label = *(const RecsysLooseUint64 *) data;
			break;
		case RECSYS_ATTRIBUTE_NUMBER:
			value->number = *(const RecsysLooseDouble *) data;
			break;
		case RECSYS_ATTRIBUTE_LABELS:
		case RECSYS_ATTRIBUTE_TEXT:
			if (kind == RECSYS_ATTRIBUTE_TEXT)
			{
				value->inverse = *(const RecsysLooseFloat *) data;
				data += sizeof(float);
			}
			value->n = *(const RecsysLooseUint16 *) data;
			value->terms = (const RecsysLooseUint32 *) (data + sizeof(uint16));
			value->weights = (const RecsysLooseUint16 *) (data + sizeof(uint16) + sizeof(uint32) * value->n);
			break;
		case RECSYS_ATTRIBUTE_VECTOR:
			value->inverse = *(const RecsysLooseFloat *) data;
			value->n = *(const RecsysLooseUint16 *) (data + sizeof(float));
			value->vector = (const RecsysLooseInt16 *) (data + sizeof(float) + sizeof(uint16));
			break;
	}
	return place + RecsysPackedValueSize(kind, value->n);
}

static inline uint32
RecsysPackedLot(const char *packed)
{
	return *(const RecsysLooseUint32 *) packed;
}

static inline uint32
RecsysPackedKnown(const char *packed)
{
	return *(const RecsysLooseUint32 *) (packed + sizeof(uint32));
}

/* Of sane bytes; returns what is behind them.  Vectors of other dimensions than the model's are unknown. */
static inline const char *
RecsysViewPacked(const RecsysContentModel *model, const char *packed, RecsysPackedView *view)
{
	uint32		known = RecsysPackedKnown(packed);
	const char *place = packed + RECSYS_PACKED_HEADER;

	view->lot = RecsysPackedLot(packed);
	for (int a = 0; a < model->count; a++)
	{
		RecsysPackedValue *value = &view->values[a];

		value->known = false;
		if (!(known & (uint32) 1 << a))
			continue;
		place = RecsysViewValue(model->attributes[a].kind, place, value);
		if (model->attributes[a].kind == RECSYS_ATTRIBUTE_VECTOR)
			value->known = value->n == model->attributes[a].dimensions;
	}
	return place;
}

/* The inverse norm, of a sum of squares > 0 */
static inline float
RecsysInverseNorm(int32 squares)
{
	return 1.0f / sqrtf((float) squares);
}

#endif							/* RECSYS_PACKEDVIEW_H */
