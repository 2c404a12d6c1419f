/*
 * querychunk.c
 *	  Some of the queries of a block, laid out for comparing.
 */
#include "core/content/querychunk.h"

#include "core/content/likenessparts.h"

/* Panels of a chunk are to be no larger than this, which a processor's second cache has room for. */
#define PANEL_BYTES (192 * 1024)

/*
 * A term that this part of the queries have is a column of the panel: multiplying all of
 * them costs less than adding to one after the other.
 */
#define FREQUENT 8
#define LEAST_FREQUENT 32

#define CACHE_LINE 64
#define IN_LINES(size) (((size) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE)

int
RecsysChunkCapacity(const RecsysContentModel *model)
{
	Size		dimensions = 0;
	Size		capacity = RECSYS_MAX_CHUNK;

	for (int a = 0; a < model->count; a++)
		if (model->attributes[a].kind == RECSYS_ATTRIBUTE_VECTOR)
			dimensions += model->attributes[a].dimensions;
	if (dimensions > 0)
		capacity = Min(capacity, PANEL_BYTES / (sizeof(int16) * dimensions));
	return (int) Max(capacity / RECSYS_LANES, 2) * RECSYS_LANES;
}

static bool
has_terms(uint8 kind)
{
	return kind == RECSYS_ATTRIBUTE_TEXT || kind == RECSYS_ATTRIBUTE_LABELS;
}

/* Hands out arrays of a chunk; measures them while there is no memory. */
typedef struct Layout
{
	char	   *memory;
	Size		used;
} Layout;

static void *
lay_out(Layout *layout, Size size)
{
	void	   *place = layout->memory == NULL ? NULL : layout->memory + layout->used;

	layout->used += IN_LINES(size);
	return place;
}

static void
lay_out_chunk(const RecsysContentModel *model, RecsysQueryChunk *chunk, int capacity, Layout *layout)
{
	chunk->lots = lay_out(layout, sizeof(uint32) * capacity);
	for (int a = 0; a < model->count; a++)
	{
		RecsysChunkValue *value = &chunk->values[a];

		switch (model->attributes[a].kind)
		{
			case RECSYS_ATTRIBUTE_LABEL:
				value->high = lay_out(layout, sizeof(uint32) * capacity);
				value->low = lay_out(layout, sizeof(uint32) * capacity);
				break;
			case RECSYS_ATTRIBUTE_NUMBER:
				value->numbers = lay_out(layout, sizeof(double) * capacity);
				break;
			case RECSYS_ATTRIBUTE_LABELS:
				value->totals = lay_out(layout, sizeof(int32) * capacity);
				break;
			case RECSYS_ATTRIBUTE_TEXT:
				value->inverse = lay_out(layout, sizeof(float) * capacity);
				break;
			case RECSYS_ATTRIBUTE_VECTOR:
				value->inverse = lay_out(layout, sizeof(float) * capacity);
				value->pairs = (model->attributes[a].dimensions + 1) / 2;
				value->panel = lay_out(layout, RecsysPanelSize(value->pairs, capacity / RECSYS_LANES));
				break;
		}
	}
}

RecsysQueryChunk *
RecsysChunkCreate(const RecsysContentModel *model, int capacity)
{
	RecsysQueryChunk *chunk = palloc0(sizeof(RecsysQueryChunk));
	Layout		layout = {NULL, 0};

	lay_out_chunk(model, chunk, capacity, &layout);
	chunk->memory = recsys_alloc_huge(layout.used + CACHE_LINE);
	layout.memory = (char *) IN_LINES((uintptr_t) chunk->memory);
	layout.used = 0;
	lay_out_chunk(model, chunk, capacity, &layout);
	chunk->starts = palloc(sizeof(Size) * capacity);
	return chunk;
}

void
RecsysChunkReset(RecsysQueryChunk *chunk)
{
	chunk->nqueries = 0;
	chunk->packed_used = 0;
	chunk->ready = false;
}

/* An array that grows, and whose contents need not be kept */
static void *
room_for(void *array, Size *room, Size bytes)
{
	if (bytes <= *room)
		return array;
	if (array != NULL)
		pfree(array);
	*room = Max(bytes, *room + *room / 2);
	return recsys_alloc_huge(*room);
}

void
RecsysChunkAdd(const RecsysContentModel *model, RecsysQueryChunk *chunk, const char *packed)
{
	RecsysPackedView view;
	Size		size = RecsysViewPacked(model, packed, &view) - packed;

	if (chunk->packed_used + size > chunk->packed_room)
	{
		chunk->packed_room = Max(2 * chunk->packed_room, chunk->packed_used + size + 1024);
		chunk->packed = chunk->packed == NULL ? recsys_alloc_huge(chunk->packed_room) :
			recsys_realloc_huge(chunk->packed, chunk->packed_room);
	}
	memcpy(chunk->packed + chunk->packed_used, packed, size);
	chunk->starts[chunk->nqueries++] = chunk->packed_used;
	chunk->packed_used += size;
	chunk->ready = false;
}

static void
set_vector(RecsysChunkValue *value, int query, const RecsysPackedValue *packed)
{
	int16	   *lane = value->panel + RecsysPanelAt(value->pairs, query, 0);

	value->inverse[query] = packed->known ? packed->inverse : 0.0f;
	for (int pair = 0; pair < value->pairs; pair++, lane += 2 * RECSYS_LANES)
	{
		lane[0] = packed->known ? packed->vector[2 * pair] : 0;
		lane[1] = packed->known && 2 * pair + 1 < packed->n ? packed->vector[2 * pair + 1] : 0;
	}
}

static void
set_query(const RecsysContentModel *model, RecsysQueryChunk *chunk, int query, const RecsysPackedView *view)
{
	chunk->lots[query] = view->lot;
	for (int a = 0; a < model->count; a++)
	{
		RecsysChunkValue *value = &chunk->values[a];
		const RecsysPackedValue *packed = &view->values[a];

		switch (model->attributes[a].kind)
		{
			case RECSYS_ATTRIBUTE_LABEL:
				value->high[query] = packed->known ? (uint32) (packed->label >> 32) : 0;
				value->low[query] = packed->known ? (uint32) packed->label : 0;
				break;
			case RECSYS_ATTRIBUTE_NUMBER:
				value->numbers[query] = packed->known ?
					RecsysScaledNumber(packed->number, model->attributes[a].scale) : 4 * RECSYS_LARGEST_NUMBER;
				break;
			case RECSYS_ATTRIBUTE_LABELS:
				value->totals[query] = packed->known ? RecsysSumOfLabels(packed) : 0;
				break;
			case RECSYS_ATTRIBUTE_TEXT:
				value->inverse[query] = packed->known ? packed->inverse : 0.0f;
				break;
			case RECSYS_ATTRIBUTE_VECTOR:
				set_vector(value, query, packed);
				break;
		}
	}
}

/* The postings of one attribute: counted, then filled in */
static void
list_terms(const RecsysContentModel *model, RecsysQueryChunk *chunk, int attribute)
{
	RecsysChunkValue *value = &chunk->values[attribute];
	RecsysPackedView view;
	Size		n = 0;
	Size		room;
	uint32		first = 0;
	int			columns = 0;

	/* for compilers, which do not know that this is one of the model's */
	memset(&view.values[attribute], 0, sizeof(view.values[attribute]));

	for (int query = 0; query < chunk->nqueries; query++)
	{
		RecsysViewPacked(model, chunk->packed + chunk->starts[query], &view);
		n += view.values[attribute].known ? view.values[attribute].n : 0;
	}
	value->nslots = 16;
	while (value->nslots < 2 * n)
		value->nslots *= 2;
	room = sizeof(RecsysPostingList) * value->slot_room;
	value->slots = room_for(value->slots, &room, sizeof(RecsysPostingList) * value->nslots);
	value->slot_room = (uint32) (room / sizeof(RecsysPostingList));
	memset(value->slots, 0, sizeof(RecsysPostingList) * value->nslots);
	value->postings = room_for(value->postings, &value->posting_room, sizeof(RecsysPosting) * n);

	for (int query = 0; query < chunk->nqueries; query++)
	{
		const RecsysPackedValue *packed = &view.values[attribute];

		RecsysViewPacked(model, chunk->packed + chunk->starts[query], &view);
		for (int x = 0; packed->known && x < packed->n; x++)
		{
			RecsysPostingList *list = (RecsysPostingList *) RecsysChunkFind(value, packed->terms[x]);

			list->term = packed->terms[x];
			list->n++;
		}
	}
	for (uint32 x = 0; x < value->nslots; x++)
	{
		RecsysPostingList *list = &value->slots[x];

		list->first = first;
		first += list->n;
		list->column = list->n >= LEAST_FREQUENT && list->n * FREQUENT >= (uint32) chunk->nqueries ? columns++ : -1;
	}

	value->pairs = (columns + 1) / 2;
	if (columns > 0)
	{
		Size		size = RecsysPanelSize(value->pairs, (chunk->nqueries + RECSYS_LANES - 1) / RECSYS_LANES);

		value->panel = room_for(value->panel, &value->panel_room, size);
		memset(value->panel, 0, size);
	}
	for (int query = 0; query < chunk->nqueries; query++)
	{
		const RecsysPackedValue *packed = &view.values[attribute];

		RecsysViewPacked(model, chunk->packed + chunk->starts[query], &view);
		for (int x = 0; packed->known && x < packed->n; x++)
		{
			RecsysPostingList *list = (RecsysPostingList *) RecsysChunkFind(value, packed->terms[x]);

			if (list->column >= 0)
				value->panel[RecsysPanelAt(value->pairs, query, list->column)] = (int16) packed->weights[x];
			else
			{
				value->postings[list->first].query = (uint16) query;
				value->postings[list->first++].weight = (int16) packed->weights[x];
			}
		}
	}
	/* back to where each list begins */
	for (uint32 x = 0; x < value->nslots; x++)
		if (value->slots[x].column < 0)
			value->slots[x].first -= value->slots[x].n;
}

void
RecsysChunkPrepare(const RecsysContentModel *model, RecsysQueryChunk *chunk)
{
	static const RecsysPackedView nothing;
	RecsysPackedView view;

	if (chunk->ready)
		return;
	CHECK_FOR_INTERRUPTS();
	for (int query = 0; query < chunk->nqueries; query++)
	{
		RecsysViewPacked(model, chunk->packed + chunk->starts[query], &view);
		set_query(model, chunk, query, &view);
	}
	/* the rest of the last strip */
	for (int query = chunk->nqueries; query % RECSYS_LANES != 0; query++)
		set_query(model, chunk, query, &nothing);
	for (int a = 0; a < model->count; a++)
		if (has_terms(model->attributes[a].kind))
			list_terms(model, chunk, a);
	chunk->ready = true;
}

void
RecsysChunkFree(RecsysQueryChunk *chunk)
{
	for (int a = 0; a < RECSYS_MAX_ATTRIBUTES; a++)
	{
		RecsysChunkValue *value = &chunk->values[a];

		if (value->slots == NULL)
			continue;
		pfree(value->slots);
		if (value->postings != NULL)
			pfree(value->postings);
		if (value->panel != NULL)
			pfree(value->panel);
	}
	if (chunk->packed != NULL)
		pfree(chunk->packed);
	pfree(chunk->memory);
	pfree(chunk->starts);
	pfree(chunk);
}
