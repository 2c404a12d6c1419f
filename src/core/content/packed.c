/*
 * packed.c
 *	  What an index stores of an item: packing it, and checking what is read.
 */
#include "core/content/packed.h"

#include "core/content/packedview.h"
#include "core/content/terms.h"

/* Inverse document frequency of a term that count of the documents have; BM25's, which is never below 0 */
static double
inverse_frequency(uint32 documents, uint32 count)
{
	double		n = Max(count, 1);
	double		all = Max((double) documents, n);

	return RecsysExactLog(1 + (all - n + 0.5) / (n + 0.5));
}

/* Of a value as it is in a row: is it one that can be compared? */
static bool
is_known(const RecsysAttribute *attribute, const RecsysRawValue *value)
{
	if (!value->known)
		return false;
	switch (attribute->kind)
	{
		case RECSYS_ATTRIBUTE_LABEL:
		case RECSYS_ATTRIBUTE_LABELS:
		case RECSYS_ATTRIBUTE_TEXT:
			return value->nterms > 0;
		case RECSYS_ATTRIBUTE_NUMBER:
			return isfinite(value->number) && (attribute->linear || value->number > 0);
		case RECSYS_ATTRIBUTE_VECTOR:
			if (value->dimensions <= 0 || value->dimensions > PG_UINT16_MAX ||
				(attribute->dimensions != 0 && attribute->dimensions != value->dimensions))
				return false;
			for (int x = 0; x < value->dimensions; x++)
				if (value->vector[x] != 0)
					return true;
			return false;
	}
	return false;
}

/* Of more terms the heaviest are kept. */
static int
term_count(const RecsysRawValue *value)
{
	return Min(value->nterms, RECSYS_MAX_TERMS);
}

Size
RecsysContentPackedSize(const RecsysContentModel *model, const RecsysRawContent *raw)
{
	Size		size = RECSYS_PACKED_HEADER;

	for (int a = 0; a < model->count; a++)
	{
		const RecsysRawValue *value = &raw->values[a];

		if (is_known(&model->attributes[a], value))
			size += RecsysPackedValueSize(model->attributes[a].kind,
										  model->attributes[a].kind == RECSYS_ATTRIBUTE_VECTOR ?
										  value->dimensions : term_count(value));
	}
	return size;
}

typedef struct WeighedTerm
{
	uint32		term;
	double		weight;
} WeighedTerm;

static int
compare_terms(const void *a, const void *b, void *arg)
{
	const WeighedTerm *left = a;
	const WeighedTerm *right = b;

	if (left->term != right->term)
		return left->term < right->term ? -1 : 1;
	return (left->weight > right->weight) - (left->weight < right->weight);
}

static int
compare_weights(const void *a, const void *b, void *arg)
{
	const WeighedTerm *left = a;
	const WeighedTerm *right = b;

	if (left->weight != right->weight)
		return left->weight > right->weight ? -1 : 1;
	return (left->term > right->term) - (left->term < right->term);
}

/* Terms in ascending order; of terms whose halves of hashes are equal the heaviest is left. */
static int
weigh_terms(const RecsysAttribute *attribute, const RecsysRawValue *value, RecsysTermLookup lookup,
			void *arg, WeighedTerm *weighed)
{
	int			n = value->nterms;
	int			kept = 0;
	double		length = 0;
	double		relative;

	for (int x = 0; x < n; x++)
		length += value->terms[x].count;
	relative = attribute->mean_length > 0 ? length / attribute->mean_length : 1;
	for (int x = 0; x < n; x++)
	{
		double		count = value->terms[x].count;
		double		weight = inverse_frequency(attribute->documents, lookup(arg, value->terms[x].hash));

		if (attribute->kind == RECSYS_ATTRIBUTE_TEXT)
			weight *= count * (attribute->k1 + 1) /
				(count + attribute->k1 * (1 - attribute->b + attribute->b * relative));
		weighed[x].term = (uint32) (value->terms[x].hash >> 32);
		weighed[x].weight = weight;
	}
	qsort_interruptible(weighed, n, sizeof(WeighedTerm), compare_terms, NULL);
	for (int x = 0; x < n; x++)
	{
		if (x + 1 < n && weighed[x].term == weighed[x + 1].term)
			continue;
		weighed[kept++] = weighed[x];
	}
	if (kept > RECSYS_MAX_TERMS)
	{
		qsort_interruptible(weighed, kept, sizeof(WeighedTerm), compare_weights, NULL);
		kept = RECSYS_MAX_TERMS;
		qsort_interruptible(weighed, kept, sizeof(WeighedTerm), compare_terms, NULL);
	}
	return kept;
}

/* Weights of a text to those of a unit vector; terms whose weight is none then are left out. */
static int
scale_terms(WeighedTerm *weighed, int n, float *inverse)
{
	double		squares = 0;
	int64		scaled_squares = 0;
	int			kept = 0;
	double		scale;

	for (int x = 0; x < n; x++)
		squares += weighed[x].weight * weighed[x].weight;
	scale = RECSYS_UNIT / sqrt(squares);
	for (int x = 0; x < n; x++)
	{
		double		weight = rint(Min(weighed[x].weight * scale, RECSYS_UNIT));

		if (weight < 1)
			continue;
		scaled_squares += (int64) weight * (int64) weight;
		weighed[kept].term = weighed[x].term;
		weighed[kept++].weight = weight;
	}
	*inverse = RecsysInverseNorm((int32) scaled_squares);
	return kept;
}

static void
label_weights(WeighedTerm *weighed, int n)
{
	for (int x = 0; x < n; x++)
		weighed[x].weight = Max(rint(Min(weighed[x].weight * RECSYS_LABEL_UNIT, RECSYS_UNIT)), 1);
}

static char *
pack_terms(const RecsysAttribute *attribute, const RecsysRawValue *value, RecsysTermLookup lookup,
		   void *arg, char *dest)
{
	WeighedTerm *weighed = recsys_alloc_huge(sizeof(WeighedTerm) * (Size) value->nterms);
	int			n = weigh_terms(attribute, value, lookup, arg, weighed);

	if (attribute->kind == RECSYS_ATTRIBUTE_TEXT)
	{
		float		inverse;

		n = scale_terms(weighed, n, &inverse);
		*(RecsysLooseFloat *) dest = inverse;
		dest += sizeof(float);
	}
	else
		label_weights(weighed, n);
	*(RecsysLooseUint16 *) dest = (uint16) n;
	dest += sizeof(uint16);
	for (int x = 0; x < n; x++, dest += sizeof(uint32))
		*(RecsysLooseUint32 *) dest = weighed[x].term;
	for (int x = 0; x < n; x++, dest += sizeof(uint16))
		*(RecsysLooseUint16 *) dest = (uint16) weighed[x].weight;
	pfree(weighed);
	return dest;
}

static char *
pack_vector(const RecsysRawValue *value, char *dest)
{
	RecsysLooseInt16 *vector = (RecsysLooseInt16 *) (dest + sizeof(float) + sizeof(uint16));
	double		squares = 0;
	int64		scaled_squares = 0;
	double		scale;

	for (int x = 0; x < value->dimensions; x++)
		squares += (double) value->vector[x] * value->vector[x];
	scale = RECSYS_UNIT / sqrt(squares);
	for (int x = 0; x < value->dimensions; x++)
	{
		vector[x] = (int16) rint(Max(Min(value->vector[x] * scale, RECSYS_UNIT), -RECSYS_UNIT));
		scaled_squares += (int64) vector[x] * vector[x];
	}
	*(RecsysLooseFloat *) dest = RecsysInverseNorm((int32) scaled_squares);
	*(RecsysLooseUint16 *) (dest + sizeof(float)) = (uint16) value->dimensions;
	return dest + RecsysPackedValueSize(RECSYS_ATTRIBUTE_VECTOR, value->dimensions);
}

Size
RecsysContentPack(const RecsysContentModel *model, const RecsysRawContent *raw, uint32 lot,
				  RecsysTermLookup lookup, void *arg, char *dest)
{
	char	   *place = dest + RECSYS_PACKED_HEADER;
	uint32		known = 0;

	for (int a = 0; a < model->count; a++)
	{
		const RecsysAttribute *attribute = &model->attributes[a];
		const RecsysRawValue *value = &raw->values[a];

		if (!is_known(attribute, value))
			continue;
		known |= (uint32) 1 << a;
		switch (attribute->kind)
		{
			case RECSYS_ATTRIBUTE_LABEL:
				*(RecsysLooseUint64 *) place = Max(value->terms[0].hash, 1);
				place += sizeof(uint64);
				break;
			case RECSYS_ATTRIBUTE_LABELS:
			case RECSYS_ATTRIBUTE_TEXT:
				place = pack_terms(attribute, value, lookup, arg, place);
				break;
			case RECSYS_ATTRIBUTE_NUMBER:
				*(RecsysLooseDouble *) place = attribute->linear ? value->number : RecsysExactLog(value->number);
				place += sizeof(double);
				break;
			case RECSYS_ATTRIBUTE_VECTOR:
				place = pack_vector(value, place);
				break;
		}
	}
	*(RecsysLooseUint32 *) dest = lot;
	*(RecsysLooseUint32 *) (dest + sizeof(uint32)) = known;
	return place - dest;
}

/* Are these terms in order, and do their weights add up to what they may? */
static bool
terms_are_sane(uint8 kind, const RecsysPackedValue *value)
{
	int64		squares = 0;

	if (value->n == 0 || value->n > RECSYS_MAX_TERMS)
		return false;
	for (int x = 0; x < value->n; x++)
	{
		if (value->weights[x] == 0 || value->weights[x] > RECSYS_UNIT)
			return false;
		if (x > 0 && value->terms[x] <= value->terms[x - 1])
			return false;
		squares += (int64) value->weights[x] * value->weights[x];
	}
	if (kind == RECSYS_ATTRIBUTE_LABELS)
		return true;
	return squares <= RECSYS_MAX_SQUARES && value->inverse == RecsysInverseNorm((int32) squares);
}

static bool
vector_is_sane(const RecsysAttribute *attribute, const RecsysPackedValue *value)
{
	int64		squares = 0;

	if (attribute->dimensions != 0 && attribute->dimensions != value->n)
		return false;
	for (int x = 0; x < value->n; x++)
		squares += (int32) value->vector[x] * (int32) value->vector[x];
	return squares > 0 && squares <= RECSYS_MAX_SQUARES &&
		value->inverse == RecsysInverseNorm((int32) squares);
}

bool
RecsysContentIsSane(const RecsysContentModel *model, const char *packed, Size size)
{
	const char *end = packed + size;
	const char *place = packed + RECSYS_PACKED_HEADER;
	uint32		known;

	if (size < RECSYS_PACKED_HEADER)
		return false;
	known = RecsysPackedKnown(packed);
	if ((known & ~(((uint32) 1 << model->count) - 1)) != 0)
		return false;
	for (int a = 0; a < model->count; a++)
	{
		const RecsysAttribute *attribute = &model->attributes[a];
		RecsysPackedValue value;

		if (!(known & (uint32) 1 << a))
			continue;
		/* first whether the count can be read, then whether what is counted can */
		if ((Size) (end - place) < RecsysPackedValueSize(attribute->kind, 0))
			return false;
		RecsysViewValue(attribute->kind, place, &value);
		if ((Size) (end - place) < RecsysPackedValueSize(attribute->kind, value.n))
			return false;
		place += RecsysPackedValueSize(attribute->kind, value.n);
		switch (attribute->kind)
		{
			case RECSYS_ATTRIBUTE_LABEL:
				if (value.label == 0)
					return false;
				break;
			case RECSYS_ATTRIBUTE_LABELS:
			case RECSYS_ATTRIBUTE_TEXT:
				if (!terms_are_sane(attribute->kind, &value))
					return false;
				break;
			case RECSYS_ATTRIBUTE_NUMBER:
				if (!isfinite(value.number))
					return false;
				break;
			case RECSYS_ATTRIBUTE_VECTOR:
				if (!vector_is_sane(attribute, &value))
					return false;
				break;
			default:
				return false;
		}
	}
	return place == end;
}

bool
RecsysContentSaysSomething(const RecsysContentModel *model, const char *packed)
{
	uint32		known = RecsysPackedKnown(packed);

	for (int a = 0; a < model->count; a++)
		if ((known & (uint32) 1 << a) && model->attributes[a].weight > 0)
			return true;
	return false;
}

bool
RecsysContentKnows(const RecsysContentModel *model, const char *packed, int attribute, double *number)
{
	RecsysPackedView view;

	RecsysViewPacked(model, packed, &view);
	if (view.values[attribute].known && model->attributes[attribute].kind == RECSYS_ATTRIBUTE_NUMBER &&
		number != NULL)
		*number = view.values[attribute].number;
	return view.values[attribute].known;
}
