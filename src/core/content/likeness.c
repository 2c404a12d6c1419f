/*
 * likeness.c
 *	  How alike two items are.
 */
#include "core/content/likeness.h"

#include "core/content/likenessparts.h"

RECSYS_TARGET_CLONES static int32
vector_product(const RecsysLooseInt16 *a, const RecsysLooseInt16 *b, int n)
{
	int32		sum = 0;

	for (int x = 0; x < n; x++)
		sum += (int32) a[x] * (int32) b[x];
	return sum;
}

/* The products of the weights of common terms, or of labels their weights */
static int32
common_terms(const RecsysPackedValue *a, const RecsysPackedValue *b, bool labels)
{
	int32		sum = 0;
	int			x = 0;
	int			y = 0;

	while (x < a->n && y < b->n)
	{
		uint32		left = a->terms[x];
		uint32		right = b->terms[y];

		if (left == right)
			sum += labels ? (int32) Min(a->weights[x], b->weights[y]) :
				(int32) a->weights[x] * (int32) b->weights[y];
		x += left <= right;
		y += right <= left;
	}
	return sum;
}

static float
likeness_of_values(const RecsysAttribute *attribute, const RecsysPackedValue *a, const RecsysPackedValue *b)
{
	if (!a->known || !b->known)
		return 0.0f;
	switch (attribute->kind)
	{
		case RECSYS_ATTRIBUTE_LABEL:
			return a->label == b->label ? 1.0f : 0.0f;
		case RECSYS_ATTRIBUTE_LABELS:
			return RecsysJaccardPart(common_terms(a, b, true), RecsysSumOfLabels(a), RecsysSumOfLabels(b));
		case RECSYS_ATTRIBUTE_TEXT:
			return RecsysCosinePart(common_terms(a, b, false), a->inverse, b->inverse);
		case RECSYS_ATTRIBUTE_NUMBER:
			return RecsysNumberPart(RecsysScaledNumber(a->number, attribute->scale),
									RecsysScaledNumber(b->number, attribute->scale));
		case RECSYS_ATTRIBUTE_VECTOR:
			return RecsysCosinePart(vector_product(a->vector, b->vector, a->n), a->inverse, b->inverse);
	}
	return 0.0f;
}

float
RecsysLikeness(const RecsysContentModel *model, const char *a, const char *b, float *parts)
{
	RecsysPackedView left;
	RecsysPackedView right;
	float		weights[RECSYS_MAX_ATTRIBUTES];
	float		sum = 0.0f;

	RecsysViewPacked(model, a, &left);
	RecsysViewPacked(model, b, &right);
	RecsysWeightParts(model, weights);
	for (int x = 0; x < model->count; x++)
	{
		float		part = 0.0f;

		if (weights[x] > 0 || parts != NULL)
			part = likeness_of_values(&model->attributes[x], &left.values[x], &right.values[x]);
		if (parts != NULL)
			parts[x] = part;
		sum += weights[x] * part;
	}
	return RecsysLowered(sum, left.lot, right.lot);
}
