/*
 * contentsketch.c
 *	  Items as short vectors.
 *
 * Likeness is a sum over attributes of what is nearly a product of two vectors: of terms,
 * of components, of a label, which is a vector with a single 1.  The Gaussian of two numbers is a
 * product of random Fourier features (Rahimi and Recht 2007).  All of these vectors, by the
 * square roots of the attributes' weights, are added up in one short one: each of their
 * dimensions goes to a few places of it, by random signs, which keeps products
 * as they are but for noise (sparse Johnson-Lindenstrauss transforms: Kane and Nelson 2014).
 */
#include "core/content/contentsketch.h"

#include "core/base/random.h"
#include "core/content/likenessparts.h"

/* So many places for a component, and for a label, which is the only one of its vector */
#define FEW_PLACES 4
#define MOST_PLACES 7			/* of 9 bits each */

#define FREQUENCIES 8

static void
spread(double *sketch, uint64 dimension, int places, double amount)
{
	uint64		bits = RecsysRandomMix(dimension);
	double		part = amount / sqrt(places);

	for (int x = 0; x < places; x++, bits >>= 9)
		sketch[bits & (RECSYS_SKETCH_DIMENSIONS - 1)] += bits & RECSYS_SKETCH_DIMENSIONS ? part : -part;
}

static void
spread_terms(double *sketch, uint64 stream, const RecsysPackedValue *value, bool labels, double amount)
{
	double		total = labels ? RecsysSumOfLabels(value) : 1;

	for (int x = 0; x < value->n; x++)
		spread(sketch, stream ^ value->terms[x], FEW_PLACES,
			   amount * (labels ? sqrt(value->weights[x] / total) : value->weights[x] * value->inverse));
}

static void
spread_number(double *sketch, uint64 stream, double number, double amount)
{
	RecsysRandom random;

	RecsysRandomStart(&random, stream, 0);
	for (int x = 0; x < FREQUENCIES; x++)
	{
		double		frequency = 0;

		/* about normal, of variance 1: a sum of twelve of variance 1/3 each, halved */
		for (int y = 0; y < 12; y++)
			frequency += RecsysRandomSigned(RecsysRandomNext(&random)) / 2;
		spread(sketch, stream + 2 * x, MOST_PLACES, amount * cos(frequency * number) / sqrt(FREQUENCIES));
		spread(sketch, stream + 2 * x + 1, MOST_PLACES, amount * sin(frequency * number) / sqrt(FREQUENCIES));
	}
}

void
RecsysUnitSketch(const double *vector, int16 *sketch)
{
	double		squares = 0;
	double		scale;

	for (int x = 0; x < RECSYS_SKETCH_DIMENSIONS; x++)
		squares += vector[x] * vector[x];
	scale = squares > 0 ? RECSYS_UNIT / sqrt(squares) : 0;
	for (int x = 0; x < RECSYS_SKETCH_DIMENSIONS; x++)
		sketch[x] = (int16) rint(Max(Min(vector[x] * scale, RECSYS_UNIT), -RECSYS_UNIT));
}

void
RecsysContentSketch(const RecsysContentModel *model, const char *packed, int16 *sketch)
{
	double		sum[RECSYS_SKETCH_DIMENSIONS] = {0};
	float		weights[RECSYS_MAX_ATTRIBUTES];
	RecsysPackedView view;

	RecsysViewPacked(model, packed, &view);
	RecsysWeightParts(model, weights);
	for (int a = 0; a < model->count; a++)
	{
		const RecsysPackedValue *value = &view.values[a];
		uint64		stream = RecsysRandomMix((uint64) a + 1);
		double		amount = sqrt(weights[a]);

		if (!value->known || weights[a] == 0)
			continue;
		switch (model->attributes[a].kind)
		{
			case RECSYS_ATTRIBUTE_LABEL:
				spread(sum, stream ^ value->label, MOST_PLACES, amount);
				break;
			case RECSYS_ATTRIBUTE_LABELS:
			case RECSYS_ATTRIBUTE_TEXT:
				spread_terms(sum, stream, value, model->attributes[a].kind == RECSYS_ATTRIBUTE_LABELS, amount);
				break;
			case RECSYS_ATTRIBUTE_NUMBER:
				spread_number(sum, stream, RecsysScaledNumber(value->number, model->attributes[a].scale), amount);
				break;
			case RECSYS_ATTRIBUTE_VECTOR:
				for (int x = 0; x < value->n; x++)
					spread(sum, stream + x, FEW_PLACES, amount * value->vector[x] * value->inverse);
				break;
		}
	}
	RecsysUnitSketch(sum, sketch);
}
