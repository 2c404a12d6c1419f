/*
 * test_content.c
 *	  Tests of core/content against slow, obvious references.
 */
#include "core/content/content.h"
#include "core/content/packedview.h"
#include "core/content/panelproduct.h"
#include "itemcontent.h"
#include "tap.h"

#include <math.h>

static void
add_attribute(RecsysContentModel *model, uint8 kind, float weight, int dimensions, bool linear)
{
	RecsysAttribute *attribute = &model->attributes[model->count++];

	attribute->kind = kind;
	attribute->weight = weight;
	attribute->dimensions = (uint16) dimensions;
	attribute->linear = linear;
	attribute->scale = linear ? 1.0f : 0.5f;
	attribute->k1 = 1.2f;
	attribute->b = 0.75f;
}

static void
random_model(Random *random, RecsysContentModel *model)
{
	static const int dimensions[] = {1, 2, 3, 17, 64, 129, 700, 4000};
	int			n = 1 + random_bits(random) % 9;

	memset(model, 0, sizeof(RecsysContentModel));
	for (int a = 0; a < n; a++)
	{
		uint8		kind = 1 + random_bits(random) % 5;

		add_attribute(model, kind, random_bits(random) % 4 == 0 ? 0 : (float) random_unit(random) * 3,
					  kind == RECSYS_ATTRIBUTE_VECTOR ? dimensions[random_bits(random) % lengthof(dimensions)] : 0,
					  random_bits(random) % 2);
	}
}

static double
slow_frequency(const Items *items, int a, uint64 hash)
{
	double		documents = 0;
	double		count = 0;

	for (int i = 0; i < items->n; i++)
	{
		const RecsysRawValue *value = &items->raw[i].values[a];

		documents += value->known && value->nterms > 0;
		for (int x = 0; value->known && x < value->nterms; x++)
			count += value->terms[x].hash == hash;
	}
	count = count < 1 ? 1 : count;
	return log(1 + (documents - count + 0.5) / (count + 0.5));
}

/* The weight of a term of a value, as a real number; those of the 256 heaviest terms alone */
static void
slow_weights(const Items *items, int a, const RecsysRawValue *value, double *weights)
{
	const RecsysAttribute *attribute = &items->model.attributes[a];
	double		length = 0;
	double		all_lengths = 0;
	double		documents = 0;

	for (int i = 0; i < items->n; i++)
	{
		const RecsysRawValue *other = &items->raw[i].values[a];

		documents += other->known && other->nterms > 0;
		for (int x = 0; other->known && x < other->nterms; x++)
			all_lengths += other->terms[x].count;
	}
	for (int x = 0; x < value->nterms; x++)
		length += value->terms[x].count;
	for (int x = 0; x < value->nterms; x++)
	{
		double		count = value->terms[x].count;

		weights[x] = slow_frequency(items, a, value->terms[x].hash);
		if (attribute->kind == RECSYS_ATTRIBUTE_TEXT)
			weights[x] *= count * (attribute->k1 + 1) /
				(count + attribute->k1 * (1 - attribute->b + attribute->b * length / (all_lengths / documents)));
	}
}

static double
slow_terms(const Items *items, int a, const RecsysRawValue *left, const RecsysRawValue *right)
{
	double	   *left_weights = palloc(sizeof(double) * (left->nterms + 1));
	double	   *right_weights = palloc(sizeof(double) * (right->nterms + 1));
	bool		text = items->model.attributes[a].kind == RECSYS_ATTRIBUTE_TEXT;
	double		common = 0;
	double		left_sum = 0;
	double		right_sum = 0;

	slow_weights(items, a, left, left_weights);
	slow_weights(items, a, right, right_weights);
	for (int x = 0; x < left->nterms; x++)
		left_sum += text ? left_weights[x] * left_weights[x] : left_weights[x];
	for (int y = 0; y < right->nterms; y++)
		right_sum += text ? right_weights[y] * right_weights[y] : right_weights[y];
	for (int x = 0; x < left->nterms; x++)
		for (int y = 0; y < right->nterms; y++)
			if (left->terms[x].hash == right->terms[y].hash)
				common += text ? left_weights[x] * right_weights[y] : left_weights[x];
	pfree(left_weights);
	pfree(right_weights);
	if (left->nterms == 0 || right->nterms == 0)
		return 0;
	return text ? common / sqrt(left_sum * right_sum) : common / (left_sum + right_sum - common);
}

static double
slow_vector(const RecsysRawValue *left, const RecsysRawValue *right)
{
	double		product = 0;
	double		left_sum = 0;
	double		right_sum = 0;

	for (int x = 0; x < left->dimensions; x++)
	{
		product += (double) left->vector[x] * right->vector[x];
		left_sum += (double) left->vector[x] * left->vector[x];
		right_sum += (double) right->vector[x] * right->vector[x];
	}
	return left_sum == 0 || right_sum == 0 ? 0 : Max(product / sqrt(left_sum) / sqrt(right_sum), 0);
}

static double
slow_part(const Items *items, int a, int i, int j)
{
	const RecsysAttribute *attribute = &items->model.attributes[a];
	const RecsysRawValue *left = &items->raw[i].values[a];
	const RecsysRawValue *right = &items->raw[j].values[a];
	double		difference;

	if (!left->known || !right->known)
		return 0;
	switch (attribute->kind)
	{
		case RECSYS_ATTRIBUTE_LABEL:
			return left->nterms > 0 && right->nterms > 0 && left->terms[0].hash == right->terms[0].hash;
		case RECSYS_ATTRIBUTE_LABELS:
		case RECSYS_ATTRIBUTE_TEXT:
			return slow_terms(items, a, left, right);
		case RECSYS_ATTRIBUTE_NUMBER:
			if (!isfinite(left->number) || !isfinite(right->number))
				return 0;
			if (!attribute->linear && !(left->number > 0 && right->number > 0))
				return 0;
			difference = attribute->linear ? left->number / attribute->scale - right->number / attribute->scale :
				(log(left->number) - log(right->number)) / attribute->scale;
			return exp(-difference * difference / 2);
		case RECSYS_ATTRIBUTE_VECTOR:
			return slow_vector(left, right);
	}
	return 0;
}

/*
 * How far parts and score are from what they should be.  Components are off by up to half of
 * 1/32767, so a product of n is off by some sqrt(n) times as much; lots may take RECSYS_LOT.
 */
static double
distance_from_slow(const Items *items, int i, int j)
{
	float		parts[RECSYS_MAX_ATTRIBUTES];
	float		score = RecsysLikeness(&items->model, items->packed[i], items->packed[j], parts);
	double		sum = 0;
	double		weights = 0;
	double		worst = 0;

	for (int a = 0; a < items->model.count; a++)
	{
		const RecsysAttribute *attribute = &items->model.attributes[a];
		double		part = slow_part(items, a, i, j);
		double		allowed = attribute->kind == RECSYS_ATTRIBUTE_LABELS ? 2e-3 :
			attribute->kind == RECSYS_ATTRIBUTE_VECTOR || attribute->kind == RECSYS_ATTRIBUTE_TEXT ? 2e-4 : 1e-6;

		worst = Max(worst, fabs(part - parts[a]) / allowed);
		if (fabs(part - parts[a]) > allowed)
			printf("# attribute %d of kind %d, items %d and %d: %.9g is %.9g\n", a, attribute->kind, i, j, part, parts[a]);
		sum += attribute->weight * (double) parts[a];
		weights += attribute->weight;
	}
	sum = weights > 0 ? sum / weights : 0;
	if (score > sum * (1 + 1e-6) || score < sum * (1 - RECSYS_LOT) * (1 - 1e-6))
	{
		printf("# items %d and %d: %.9g is %.9g\n", i, j, sum, score);
		worst = 1000;
	}
	return worst;
}

static uint32
bits_of(float x)
{
	uint32		bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/* Queries are the items from first on; candidates are all. */
static int64
count_differences(const Items *items, int first, int queries, bool plain)
{
	RecsysLikenessBlock *block = RecsysBlockCreate(&items->model, queries);
	int			stride = RecsysBlockStride(block);
	float	   *scores = palloc(sizeof(float) * RECSYS_TILE * stride);
	int64		differences = 0;

	RecsysPlainKernels = plain;
	/* twice, so that a block that has been used before is used */
	for (int round = 0; round < 2; round++)
	{
		RecsysBlockReset(block);
		for (int q = 0; q < queries; q++)
		{
			RecsysBlockAdd(block, items->packed[(first + q + round) % items->n]);
			/* queries that come when there have been comparisons */
			if (q == queries / 2 && round == 1)
				RecsysBlockCompare(block, (const char *const *) items->packed, Min(3, items->n), scores);
		}
		for (int tile = 0; tile < items->n; tile += RECSYS_TILE)
		{
			int			n = Min(RECSYS_TILE, items->n - tile);

			RecsysBlockCompare(block, (const char *const *) items->packed + tile, n, scores);
			for (int c = 0; c < n; c++)
				for (int q = 0; q < queries; q++)
				{
					const char *query = items->packed[(first + q + round) % items->n];

					if (bits_of(scores[(Size) c * stride + q]) !=
						bits_of(RecsysLikeness(&items->model, query, items->packed[tile + c], NULL)))
						differences++;
				}
		}
	}
	RecsysPlainKernels = false;
	RecsysBlockFree(block);
	pfree(scores);
	return differences;
}

static void
test_against_slow(void)
{
	Random		random;
	double		worst = 0;
	int64		different = 0;
	int64		asymmetric = 0;
	int64		insane = 0;

	random_seed(&random, 11);
	for (int round = 0; round < 40; round++)
	{
		RecsysContentModel model;
		Items		items;

		random_model(&random, &model);
		generate_any_items(&random, &model, 1 + random_bits(&random) % 40, &items);
		for (int i = 0; i < items.n; i++)
		{
			insane += !RecsysContentIsSane(&items.model, items.packed[i], items.sizes[i]) ||
				items.sizes[i] > RecsysContentPackedSize(&items.model, &items.raw[i]);
			for (int j = 0; j < items.n; j++)
			{
				worst = Max(worst, distance_from_slow(&items, i, j));
				asymmetric += bits_of(RecsysLikeness(&items.model, items.packed[i], items.packed[j], NULL)) !=
					bits_of(RecsysLikeness(&items.model, items.packed[j], items.packed[i], NULL));
			}
		}
		for (int plain = 0; plain < 2; plain++)
			different += count_differences(&items, random_bits(&random) % items.n, 1 + random_bits(&random) % 60, plain);
		free_items(&items);
	}
	ok(worst <= 1, "likeness is what the definition gives (%.3f of what may be)", worst);
	ok(asymmetric == 0, "likeness is symmetric to the last bit");
	ok(different == 0, "blocks give the same bits, however they are computed");
	ok(insane == 0, "what is packed is sane");
}

/* Chunks that are full, and terms that most queries have */
static void
test_large_blocks(void)
{
	Random		random;
	Items		items;

	random_seed(&random, 12);
	generate_shop_items(&random, 700, 33, &items);
	ok(count_differences(&items, 5, 1100, false) == 0 && count_differences(&items, 5, 1024, true) == 0,
	   "blocks of several chunks give the same bits");
	free_items(&items);
}

/* Mutilated content is either refused or can be compared without harm. */
static void
test_sanity(void)
{
	Random		random;
	int64		refused = 0;
	int64		taken = 0;
	bool		within = true;

	random_seed(&random, 13);
	for (int round = 0; round < 30; round++)
	{
		RecsysContentModel model;
		Items		items;

		random_model(&random, &model);
		for (int a = 0; a < model.count; a++)
			model.attributes[a].dimensions = (uint16) Min(model.attributes[a].dimensions, 64);
		generate_any_items(&random, &model, 8, &items);
		for (int trial = 0; trial < 2000; trial++)
		{
			int			i = random_bits(&random) % items.n;
			Size		size = items.sizes[i];
			char	   *copy = palloc(size + 1);
			RecsysLikenessBlock *block;
			float	   *scores;
			const char *candidates[2];

			memcpy(copy, items.packed[i], size);
			if (random_bits(&random) % 3 == 0)
				size = random_bits(&random) % (size + 1);
			for (int x = random_bits(&random) % 4; x > 0 && size > 0; x--)
				copy[random_bits(&random) % size] ^= 1 << random_bits(&random) % 8;
			/* so that valgrind and the address sanitizer see what is read behind it */
			copy = repalloc(copy, size);
			if (!RecsysContentIsSane(&items.model, copy, size))
			{
				refused++;
				pfree(copy);
				continue;
			}
			taken++;
			block = RecsysBlockCreate(&items.model, 2);
			scores = palloc(sizeof(float) * RECSYS_TILE * RecsysBlockStride(block));
			RecsysBlockAdd(block, copy);
			RecsysBlockAdd(block, items.packed[0]);
			candidates[0] = items.packed[0];
			candidates[1] = copy;
			RecsysBlockCompare(block, candidates, 2, scores);
			for (int x = 0; x < 4; x++)
			{
				float		score = scores[x / 2 * RecsysBlockStride(block) + x % 2];

				within &= score >= 0 && score <= 1;
			}
			RecsysBlockFree(block);
			pfree(scores);
			pfree(copy);
		}
		free_items(&items);
	}
	ok(within && refused > 20000 && taken > 1000, "mutilated content: %lld refused, %lld taken",
	   (long long) refused, (long long) taken);
}

static void
test_knowing(void)
{
	RecsysContentModel model = {0};
	RecsysRawContent raw = {.count = 3};
	float		components[] = {0, 0, 0};
	Items		none = {0};
	char		packed[200];
	Size		size;
	double		number = 0;

	add_attribute(&model, RECSYS_ATTRIBUTE_NUMBER, 1, 0, false);
	add_attribute(&model, RECSYS_ATTRIBUTE_VECTOR, 1, 3, false);
	add_attribute(&model, RECSYS_ATTRIBUTE_NUMBER, 0, 0, true);
	raw.values[0] = (RecsysRawValue) {.known = true,.number = 0};
	raw.values[1] = (RecsysRawValue) {.known = true,.vector = components,.dimensions = 3};
	raw.values[2] = (RecsysRawValue) {.known = true,.number = -7};
	size = RecsysContentPack(&model, &raw, 5, lookup_term, &none, packed);
	ok(RecsysContentIsSane(&model, packed, size) && !RecsysContentSaysSomething(&model, packed) &&
	   !RecsysContentKnows(&model, packed, 0, NULL) && !RecsysContentKnows(&model, packed, 1, NULL) &&
	   RecsysContentKnows(&model, packed, 2, &number) && number == -7,
	   "no logarithm, a vector of zeros, and what weighs nothing say nothing");

	raw.values[0].number = 100;
	components[1] = -3;
	size = RecsysContentPack(&model, &raw, 5, lookup_term, &none, packed);
	ok(RecsysContentIsSane(&model, packed, size) && RecsysContentSaysSomething(&model, packed) &&
	   RecsysContentKnows(&model, packed, 0, &number) && fabs(number - log(100)) < 1e-14 &&
	   RecsysContentKnows(&model, packed, 1, NULL) && RecsysLikeness(&model, packed, packed, NULL) == 1,
	   "an item is as alike to itself as can be");
	raw.values[1].dimensions = 2;
	RecsysContentPack(&model, &raw, 5, lookup_term, &none, packed);
	ok(!RecsysContentKnows(&model, packed, 1, NULL), "a vector of other dimensions is unknown");
	model.attributes[1].dimensions = 0;
	size = RecsysContentPack(&model, &raw, 5, lookup_term, &none, packed);
	model.attributes[1].dimensions = 2;
	ok(RecsysContentIsSane(&model, packed, size) && RecsysContentKnows(&model, packed, 1, NULL),
	   "the first vector gives the dimensions");
}

/* Lots tell equally alike items apart, and nobody is always among the best. */
static void
test_lots(void)
{
	enum
	{
		n = 2000,
		best = 50
	};
	RecsysContentModel model = {0};
	RecsysTerm	term = {RecsysTermHash(0, "shoes", 5), 1};
	RecsysRawContent raw = {.count = 1};
	Items		none = {0};
	static char packed[n][20];
	static int	chosen[n];
	int			distinct = 0;
	int			most = 0;

	add_attribute(&model, RECSYS_ATTRIBUTE_LABEL, 1, 0, false);
	raw.values[0] = (RecsysRawValue) {.known = true,.nterms = 1,.terms = &term};
	for (int i = 0; i < n; i++)
		RecsysContentPack(&model, &raw, (uint32) (RecsysTermHash(7, (char *) &i, sizeof(i))), lookup_term, &none, packed[i]);
	for (int i = 0; i < n; i++)
	{
		float		scores[n];
		int			above = 0;

		for (int j = 0; j < n; j++)
			scores[j] = RecsysLikeness(&model, packed[i], packed[j], NULL);
		for (int j = 0; j < n && i == 0; j++)
		{
			int			equal = 0;

			for (int k = 0; k < n; k++)
				equal += scores[k] == scores[j];
			distinct += equal == 1;
		}
		for (int j = 0; j < n; j++)
		{
			above = scores[j] >= 1 - RECSYS_LOT * best / n;
			chosen[j] += above;
		}
	}
	for (int j = 0; j < n; j++)
		most = Max(most, chosen[j]);
	ok(distinct > n / 2 && most < 3 * best, "lots: %d of %d scores of one item are its own, no item is among the best of more than %d",
	   distinct, n, most);
}

static bool
terms_are(const char *text, bool is_utf8, int attribute, const char *const *words, const int *counts, int n)
{
	RecsysTerm *terms;
	int			found = RecsysTextTerms(attribute, text, strlen(text), is_utf8, &terms);
	bool		right = found == n;

	for (int x = 0; x < n && right; x++)
		right = terms[x].hash == RecsysTermHash(attribute, words[x], strlen(words[x])) && terms[x].count == counts[x];
	pfree(terms);
	return right;
}

static void
test_terms(void)
{
	const char *const plain[] = {"red", "shoes", "of", "42"};
	const int	plain_counts[] = {2, 1, 1, 1};
	const char *const foreign[] = {"gro\xc3\x9f", "\xc3\xa9t\xc3\xa9", "\xd0\xb6\xd1\x83\xd0\xba", "\xce\xb1\xce\xb2", "\xc5\xbe\xc5\x82"};
	const int	ones[] = {1, 1, 1, 1, 1, 1, 1};
	const char *const chinese[] = {"abc", "\xe7\xba\xa2\xe8\x89\xb2", "\xe8\x89\xb2\xe9\x9e\x8b", "x", "\xe9\x9e\x8b"};
	char	   *text = palloc(400000);
	Size		length = 0;
	RecsysTerm *terms;
	int			n;

	ok(terms_are("Red shoes, RED of 42", true, 3, plain, plain_counts, 4) && terms_are("", true, 0, NULL, NULL, 0) &&
	   terms_are(" -- ", false, 0, NULL, NULL, 0), "terms of a text");
	ok(terms_are("GRO\xc3\x9f \xc3\x89T\xc3\x89 \xd0\x96\xd0\xa3\xd0\x9a \xce\x91\xce\x92 \xc5\xbd\xc5\x81", true, 1, foreign, ones, 5),
	   "words of other scripts in lower case");
	ok(terms_are("abc\xe7\xba\xa2\xe8\x89\xb2\xe9\x9e\x8b x\xe9\x9e\x8b", true, 1, chinese, ones, 5) &&
	   terms_are("\xe7\xba", true, 0, (const char *const[]) {"\xe7\xba"}, ones, 1),
	   "pairs of characters of scripts without spaces; characters that are cut");
	ok(RecsysTermHash(0, "red", 3) != RecsysTermHash(1, "red", 3) && RecsysTermHash(0, "", 0) != RecsysTermHash(0, "a", 1),
	   "a term of another attribute is another one");
	for (int x = 0; length < 390000; x++)
		length += sprintf(text + length, "w%d first ", x);
	n = RecsysTextTerms(0, text, length, true, &terms);
	ok(n == RECSYS_MAX_TERMS && terms[0].hash == RecsysTermHash(0, "w0", 2) && terms[1].count > 10000 &&
	   terms[n - 1].count == 1, "the first terms of a long text");
	pfree(terms);
	pfree(text);
}

static void
test_counts(void)
{
	RecsysContentModel model = {0};
	RecsysRawContent raw = {.count = 3};
	RecsysTerm	terms[3][4];
	RecsysTermCounts *counts;
	RecsysTermCount *result;
	uint32		n;
	bool		ascending = true;
	bool		right = true;
	Size		before;
	int			frequent = 0;

	add_attribute(&model, RECSYS_ATTRIBUTE_LABEL, 1, 0, false);
	add_attribute(&model, RECSYS_ATTRIBUTE_LABELS, 1, 0, false);
	add_attribute(&model, RECSYS_ATTRIBUTE_TEXT, 1, 0, false);
	for (int a = 0; a < 3; a++)
		raw.values[a] = (RecsysRawValue) {.known = true,.nterms = a == 0 ? 1 : 4,.terms = terms[a]};

	/* x is in every x-th row, but for two terms that are in one row each */
	before = standalone_memory_now;
	standalone_memory_peak = before;
	counts = RecsysTermCountsCreate(&model, 64 * 1024);
	for (int row = 1; row <= 40000; row++)
	{
		raw.values[2].known = row % 2 == 0;
		for (int a = 0; a < 3; a++)
		{
			terms[a][0] = (RecsysTerm) {row * UINT64CONST(0x9E3779B97F4A7C15) + a, 1};
			terms[a][1] = (RecsysTerm) {row * UINT64CONST(0x9E3779B97F4A7C15) + a + 10, 1};
			terms[a][2] = (RecsysTerm) {UINT64CONST(0x123456789ABCDEF) * (row % 10 + 1) + a, 3};
			terms[a][3] = (RecsysTerm) {a, 1};
		}
		RecsysTermCountsAdd(counts, &raw);
	}
	ok(standalone_memory_peak - before <= 66 * 1024, "counting terms keeps within memory");
	result = RecsysTermCountsFinish(counts, &model, &n);
	for (uint32 x = 0; x < n; x++)
	{
		ascending &= x == 0 || result[x].hash > result[x - 1].hash;
		frequent += result[x].count >= 1000;
		if (result[x].hash == 1)
			right &= result[x].count == 40000;
		if (result[x].hash == 2)
			right &= result[x].count == 20000;
		right &= result[x].hash != 0 && result[x].count > 1;
	}
	/* the label's own term is not counted; the text has five of the ten, as it is known in every other row */
	ok(ascending && right && frequent == 1 + 10 + 1 + 5, "the frequent terms have their counts (%d)", frequent);
	ok(model.attributes[0].documents == 0 && model.attributes[1].documents == 40000 &&
	   model.attributes[2].documents == 20000 && model.attributes[2].mean_length == 6, "documents and their mean length");
	pfree(result);

	counts = RecsysTermCountsCreate(&model, 0);
	result = RecsysTermCountsFinish(counts, &model, &n);
	ok(n == 0 && model.attributes[1].documents == 0 && model.attributes[2].mean_length == 0, "counts of nothing");
	pfree(result);
}

static void
test_raw(void)
{
	Random		random;
	RecsysContentModel model;
	Items		items;
	bool		same = true;

	random_seed(&random, 14);
	random_model(&random, &model);
	generate_any_items(&random, &model, 30, &items);
	for (int i = 0; i < items.n; i++)
	{
		char	   *stored = palloc(RecsysRawContentSize(&model, &items.raw[i]) + 1);
		char	   *packed = palloc(RecsysContentPackedSize(&items.model, &items.raw[i]));
		RecsysRawContent loaded;

		RecsysRawContentStore(&model, &items.raw[i], stored);
		RecsysRawContentLoad(&model, stored, &loaded);
		same &= RecsysContentPack(&items.model, &loaded, (uint32) i * 2654435761u, lookup_term, &items, packed) == items.sizes[i] &&
			memcmp(packed, items.packed[i], items.sizes[i]) == 0;
		pfree(stored);
		pfree(packed);
	}
	ok(same, "raw content that was set aside");
	free_items(&items);
}

static int
compare_likes(const void *a, const void *b)
{
	const RecsysLike *left = a;
	const RecsysLike *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return left->item < right->item ? -1 : left->item > right->item;
}

static bool
best_are_right(Random *random, int queries, int wanted, int candidates, bool plain)
{
	RecsysLikenessBest *best = RecsysBestCreate(queries, wanted);
	int			stride = queries + 16;
	float	   *scores = palloc(sizeof(float) * candidates * stride);
	uint32	   *numbers = palloc(sizeof(uint32) * candidates);
	uint32	   *except = palloc(sizeof(uint32) * queries);
	RecsysLike *all = palloc(sizeof(RecsysLike) * candidates);
	bool		right = true;

	RecsysPlainKernels = plain;
	for (int round = 0; round < 2; round++)
	{
		for (int x = 0; x < candidates * stride; x++)
			scores[x] = random_bits(random) % 4 == 0 ? 0 : (float) (random_bits(random) % 50) / 49;
		for (int c = 0; c < candidates; c++)
			numbers[c] = (uint32) c * 7919 % 1000003;
		for (int query = 0; query < queries; query++)
			except[query] = random_bits(random) % 2 ? RECSYS_NONE : numbers[random_bits(random) % candidates];
		RecsysBestReset(best, queries, round == 0 ? except : NULL);
		for (int c = 0; c < candidates; c += 100)
			RecsysBestOffer(best, numbers + c, Min(100, candidates - c), scores + (Size) c * stride, stride);
		for (int query = 0; query < queries; query++)
		{
			const RecsysLike *likes;
			int			n = 0;
			int			found = RecsysBestOf(best, query, &likes);

			for (int c = 0; c < candidates; c++)
				if (scores[(Size) c * stride + query] > 0 && (round == 1 || numbers[c] != except[query]))
					all[n++] = (RecsysLike) {numbers[c], scores[(Size) c * stride + query]};
			qsort(all, n, sizeof(RecsysLike), compare_likes);
			right &= found == Min(n, wanted);
			for (int x = 0; x < found && right; x++)
				right &= likes[x].item == all[x].item && likes[x].score == all[x].score;
		}
	}
	RecsysPlainKernels = false;
	RecsysBestFree(best);
	pfree(scores);
	pfree(numbers);
	pfree(except);
	pfree(all);
	return right;
}

static void
test_best(void)
{
	Random		random;

	random_seed(&random, 15);
	ok(best_are_right(&random, 37, 10, 950, false) && best_are_right(&random, 37, 10, 950, true) &&
	   best_are_right(&random, 1, 1, 30, false) && best_are_right(&random, 16, 100, 60, false) &&
	   best_are_right(&random, 16, 100, 60, true), "the best of each query, of many that are equal");
}

static void
test_clusters(void)
{
	enum
	{
		queries = 300
	};
	Random		random;
	Items		items;
	RecsysContentClusters *clusters;
	RecsysContentClusters *again;
	const char *const *packed;
	int			count;
	int		   *of;
	int		   *order;
	bool	   *seen;
	bool		sane = true;
	bool		same = true;
	double		found = 0;
	double		all = 0;
	double		span = 0;
	uint64		checks;

	random_seed(&random, 16);
	generate_shop_items(&random, 6000, 16, &items);
	packed = (const char *const *) items.packed;
	checks = standalone_interrupt_checks;
	clusters = RecsysClustersTrain(&items.model, packed, 4000, RecsysClustersFor(6000) / 4, 3);
	again = RecsysClustersTrain(&items.model, packed, 4000, RecsysClustersFor(6000) / 4, 3);
	ok(standalone_interrupt_checks - checks > 10000, "training can be interrupted");
	count = RecsysClustersCount(clusters);
	of = palloc(sizeof(int) * items.n);
	order = palloc(sizeof(int) * count);
	seen = palloc(sizeof(bool) * count);
	RecsysClustersOf(clusters, packed, items.n, of);
	for (int i = 0; i < items.n; i++)
	{
		sane &= of[i] >= 0 && of[i] < count;
		same &= RecsysClusterOf(again, packed[i]) == of[i];
	}
	for (int c = 0; c < count; c++)
	{
		int			wide = RecsysClustersSpan(clusters, c, items.n);

		RecsysClustersNear(clusters, c, order);
		memset(seen, 0, count);
		for (int x = 0; x < count; x++)
			seen[order[x]] = true;
		for (int x = 0; x < count; x++)
			sane &= seen[x];
		sane &= order[0] == c && wide >= 1 && wide <= count;
		span += wide;
	}
	ok(sane, "every item has a cluster, and every cluster its near ones");
	ok(same, "the same arguments give the same clusters");
	for (int i = 4000; i < 4000 + queries; i++)
	{
		RecsysLike	likes[10];
		int			n = 0;

		for (int j = 0; j < items.n; j++)
		{
			float		score = j == i ? 0 : RecsysLikeness(&items.model, packed[i], packed[j], NULL);
			int			x = n;

			while (x > 0 && likes[x - 1].score < score)
				x--;
			if (x == 10 || score <= 0)
				continue;
			n = Min(n + 1, 10);
			memmove(likes + x + 1, likes + x, sizeof(RecsysLike) * (n - 1 - x));
			likes[x] = (RecsysLike) {(uint32) j, score};
		}
		RecsysClustersNear(clusters, of[i], order);
		for (int x = 0; x < n; x++)
			for (int y = 0; y < RecsysClustersSpan(clusters, of[i], items.n); y++)
				found += of[likes[x].item] == order[y];
		all += n;
	}
	ok(found >= 0.93 * all && span < 0.7 * count * count, "%.3f of the neighbors are in near clusters, %.1f of %d",
	   found / all, span / count, count);
	RecsysClustersFree(clusters);
	RecsysClustersFree(again);

	/* nothing, one item, the same item over and over */
	clusters = RecsysClustersTrain(&items.model, packed, 0, 5, 1);
	sane = RecsysClustersCount(clusters) == 1 && RecsysClusterOf(clusters, packed[0]) == 0 &&
		RecsysClustersSpan(clusters, 0, 10) == 1;
	RecsysClustersFree(clusters);
	clusters = RecsysClustersTrain(&items.model, packed, 1, 5, 1);
	sane &= RecsysClustersCount(clusters) == 1 && RecsysClusterOf(clusters, packed[1]) == 0;
	RecsysClustersFree(clusters);
	{
		const char *equal[50];

		for (int x = 0; x < 50; x++)
			equal[x] = packed[0];
		clusters = RecsysClustersTrain(&items.model, equal, 50, 5, 1);
		sane &= RecsysClustersCount(clusters) == 5 && RecsysClusterOf(clusters, packed[0]) >= 0;
		RecsysClustersFree(clusters);
	}
	ok(sane, "clusters of nothing, of one item, of equal ones");
	pfree(of);
	pfree(order);
	pfree(seen);
	free_items(&items);
}

void
test_content(void)
{
	test_terms();
	test_counts();
	test_raw();
	test_knowing();
	test_sanity();
	test_against_slow();
	test_large_blocks();
	test_lots();
	test_best();
	test_clusters();
}
