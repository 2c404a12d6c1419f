/*
 * itemcontent.c
 *	  Generated items, for tests and benchmarks of core/content.
 */
#include "itemcontent.h"

#include <math.h>

static uint32
below(Random *random, uint32 n)
{
	return (uint32) (random_bits(random) >> 33) % n;
}

/* Zipf-like: small numbers are frequent. */
static uint32
frequent_below(Random *random, uint32 n)
{
	return (uint32) (pow(n + 1, random_unit(random)) - 1) % n;
}

static uint64
term_of(int attribute, uint32 number)
{
	char		name[20];

	return RecsysTermHash(attribute, name, sprintf(name, "t%u", number));
}

static void
set_terms(RecsysRawValue *value, int attribute, const uint32 *numbers, int n)
{
	RecsysTerm *terms = palloc(sizeof(RecsysTerm) * (n + 1));

	value->known = true;
	value->nterms = 0;
	for (int x = 0; x < n; x++)
	{
		uint64		hash = term_of(attribute, numbers[x]);
		int			y = 0;

		while (y < value->nterms && terms[y].hash != hash)
			y++;
		if (y == value->nterms)
		{
			terms[y].hash = hash;
			terms[y].count = 0;
			value->nterms++;
		}
		terms[y].count++;
	}
	value->terms = terms;
}

static void
any_terms(Random *random, RecsysRawValue *value, int attribute, uint8 kind)
{
	uint32		numbers[400];
	int			n = kind == RECSYS_ATTRIBUTE_LABEL ? 1 : below(random, 10) == 0 ? below(random, 400) : below(random, 12);

	for (int x = 0; x < n; x++)
		numbers[x] = frequent_below(random, kind == RECSYS_ATTRIBUTE_LABEL ? 10 : 1000);
	set_terms(value, attribute, numbers, n);
	for (int x = 0; x < value->nterms && kind != RECSYS_ATTRIBUTE_TEXT; x++)
		((RecsysTerm *) value->terms)[x].count = 1;
}

static void
any_vector(Random *random, RecsysRawValue *value, int dimensions)
{
	float	   *vector = palloc(sizeof(float) * dimensions);
	int			shape = below(random, 8);

	for (int x = 0; x < dimensions; x++)
	{
		vector[x] = (float) random_normal(random);
		if (shape == 0)
			vector[x] = 0;
		else if (shape == 1)
			vector[x] = x == 0 ? -5 : 0;
		else if (shape == 2)
			vector[x] *= 1e37f;
		else if (shape == 3)
			vector[x] *= 1e-39f;
		else if (shape == 4)
			vector[x] = 1;
	}
	value->known = true;
	value->vector = vector;
	value->dimensions = dimensions;
}

static double
any_number(Random *random)
{
	static const double hard[] = {0, -0.0, 1, -1, 1e308, -1e308, 1e-308, 5e-324, 1e15, 1e15 + 1, INFINITY, NAN, -INFINITY};

	switch (below(random, 4))
	{
		case 0:
			return hard[below(random, lengthof(hard))];
		case 1:
			return random_normal(random);
		default:
			return exp(random_normal(random));
	}
}

void
generate_any_items(Random *random, const RecsysContentModel *model, int n, Items *items)
{
	items->model = *model;
	items->n = n;
	items->raw = palloc0(sizeof(RecsysRawContent) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		RecsysRawContent *raw = &items->raw[i];

		raw->count = model->count;
		for (int a = 0; a < model->count; a++)
		{
			const RecsysAttribute *attribute = &model->attributes[a];
			RecsysRawValue *value = &raw->values[a];

			if (below(random, 5) == 0)
				continue;
			if (attribute->kind == RECSYS_ATTRIBUTE_NUMBER)
			{
				value->known = true;
				value->number = any_number(random);
			}
			else if (attribute->kind == RECSYS_ATTRIBUTE_VECTOR)
				any_vector(random, value, attribute->dimensions);
			else
				any_terms(random, value, a, attribute->kind);
		}
	}
	pack_items(items);
}

#define SHOP_KINDS 3000

static void
shop_model(RecsysContentModel *model, int dimensions)
{
	static const uint8 kinds[] = {
		RECSYS_ATTRIBUTE_LABEL, RECSYS_ATTRIBUTE_LABEL, RECSYS_ATTRIBUTE_LABELS, RECSYS_ATTRIBUTE_TEXT,
		RECSYS_ATTRIBUTE_NUMBER, RECSYS_ATTRIBUTE_VECTOR
	};

	memset(model, 0, sizeof(RecsysContentModel));
	model->count = lengthof(kinds);
	for (int a = 0; a < model->count; a++)
	{
		RecsysAttribute *attribute = &model->attributes[a];

		attribute->kind = kinds[a];
		attribute->weight = a == 1 ? 0.5f : 1;
		attribute->scale = 0.5f;
		attribute->k1 = 1.2f;
		attribute->b = 0.75f;
	}
	model->attributes[5].dimensions = (uint16) dimensions;
}

void
generate_shop_items(Random *random, int n, int dimensions, Items *items)
{
	float	   *directions = palloc(sizeof(float) * SHOP_KINDS * dimensions);

	for (int x = 0; x < SHOP_KINDS * dimensions; x++)
		directions[x] = (float) random_normal(random);
	shop_model(&items->model, dimensions);
	items->n = n;
	items->raw = palloc0(sizeof(RecsysRawContent) * n);
	for (int i = 0; i < n; i++)
	{
		RecsysRawContent *raw = &items->raw[i];
		uint32		kind = frequent_below(random, SHOP_KINDS);
		uint32		words[20];
		int			nwords = 5 + below(random, 8);
		float	   *vector = palloc(sizeof(float) * dimensions);

		raw->count = items->model.count;
		words[0] = kind % 200;
		set_terms(&raw->values[0], 0, words, 1);
		words[0] = frequent_below(random, 2000);
		set_terms(&raw->values[1], 1, words, 1);
		for (int x = 0; x < 5; x++)
			words[x] = x < 2 ? kind % 97 * 3 + x : frequent_below(random, 500);
		set_terms(&raw->values[2], 2, words, 1 + below(random, 5));
		for (int x = 0; x < raw->values[2].nterms; x++)
			((RecsysTerm *) raw->values[2].terms)[x].count = 1;
		for (int x = 0; x < nwords; x++)
			words[x] = x < 3 ? 20000 + kind * 3 + x : frequent_below(random, 20000);
		set_terms(&raw->values[3], 3, words, nwords);
		raw->values[4].known = true;
		raw->values[4].number = 5 * exp(kind % 13 * 0.3 + 0.5 * random_normal(random));
		for (int x = 0; x < dimensions; x++)
			vector[x] = directions[(Size) kind * dimensions + x] + (float) random_normal(random);
		raw->values[5].known = true;
		raw->values[5].dimensions = dimensions;
		raw->values[5].vector = vector;
		for (int a = 0; a < raw->count; a++)
			if (below(random, 20) == 0)
				raw->values[a].known = false;
	}
	pfree(directions);
	pack_items(items);
}

uint32
lookup_term(void *arg, uint64 hash)
{
	const Items *items = arg;
	uint32		low = 0;
	uint32		high = items->ncounts;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (items->counts[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < items->ncounts && items->counts[low].hash == hash ? items->counts[low].count : 0;
}

void
pack_items(Items *items)
{
	RecsysTermCounts *counts = RecsysTermCountsCreate(&items->model, (Size) 1 << 28);

	for (int i = 0; i < items->n; i++)
		RecsysTermCountsAdd(counts, &items->raw[i]);
	items->counts = RecsysTermCountsFinish(counts, &items->model, &items->ncounts);
	items->packed = palloc(sizeof(char *) * Max(items->n, 1));
	items->sizes = palloc(sizeof(Size) * Max(items->n, 1));
	for (int i = 0; i < items->n; i++)
	{
		items->packed[i] = palloc(RecsysContentPackedSize(&items->model, &items->raw[i]));
		items->sizes[i] = RecsysContentPack(&items->model, &items->raw[i], (uint32) i * 2654435761u, lookup_term, items,
											items->packed[i]);
	}
}

void
free_items(Items *items)
{
	for (int i = 0; i < items->n; i++)
	{
		for (int a = 0; a < items->model.count; a++)
		{
			if (items->raw[i].values[a].terms != NULL)
				pfree((void *) items->raw[i].values[a].terms);
			if (items->raw[i].values[a].vector != NULL)
				pfree((void *) items->raw[i].values[a].vector);
		}
		pfree(items->packed[i]);
	}
	pfree(items->raw);
	pfree(items->packed);
	pfree(items->sizes);
	pfree(items->counts);
}
