/*
 * offers.c
 *	  The items of an items index, to be compared with each other.
 *
 * The reader keeps each content that it has read.  When that is more than maintenance_work_mem
 * the reader is replaced by a new one.
 */
#include "postgres.h"

#include <math.h>

#include "am/content/contentpage.h"
#include "am/content/itemcolumns.h"
#include "am/graph/itemorder.h"
#include "am/sight/itemstext.h"
#include "api/declare/contentindex.h"
#include "api/offers/offers.h"
#include "api/scoring/serving.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "core/arrange/titlevariants.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Titles less alike are of different things, or somebody has made up another one. */
#define ALIKE 0.5f

/* Items that chance is found by */
#define SAMPLE 500

typedef struct Title
{
	uint32		item;
	char		status;			/* simplehash's */
	char	   *text;			/* or NULL */
} Title;

#define SH_PREFIX titles
#define SH_ELEMENT_TYPE Title
#define SH_KEY_TYPE uint32
#define SH_KEY item
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct RecsysOfferState
{
	MemoryContext kept;			/* what grows as items are read */
	RecsysItemsReader *reader;
	titles_hash *titles;
	RecsysItemsText *texts;		/* of the title; NULL: there is none */
	RecsysLike *likes;			/* of the last call */
	RecsysGraphReader graph;
	RecsysItemOrder *order;
} RecsysOfferState;

static void
start_reading(RecsysOffers *offers)
{
	RecsysOfferState *state = offers->state;
	MemoryContext old = MemoryContextSwitchTo(state->kept);

	state->reader = RecsysItemsReaderCreate(offers->index.heap, offers->index.index, offers->snapshot);
	state->titles = titles_create(state->kept, 256, NULL);
	MemoryContextSwitchTo(old);
}

/* Pointers to what has been read are good until this is called. */
static void
keep_within_memory(RecsysOffers *offers)
{
	RecsysOfferState *state = offers->state;

	CHECK_FOR_INTERRUPTS();
	if (MemoryContextMemAllocated(state->kept, true) <= (Size) maintenance_work_mem * 1024)
		return;
	RecsysItemsReaderFree(state->reader);
	MemoryContextReset(state->kept);
	start_reading(offers);
}

static void
unknown_attribute(const RecsysOffers *offers, const char *name)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int a = 0; a < offers->content.count; a++)
		appendStringInfo(&names, "%s%s", a > 0 ? ", " : "",
						 RecsysAttributeName(offers->index.index, a));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("index \"%s\" has no attribute \"%s\"",
					RelationGetRelationName(offers->index.definition), name),
			 errdetail("Its attributes are %s.", names.data)));
}

/* Sets the flags of the attributes that are named. */
static void
take_names(const RecsysOffers *offers, ArrayType *array, bool *flags)
{
	Datum	   *names;
	bool	   *nulls;
	int			count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &count);
	for (int n = 0; n < count; n++)
	{
		char	   *name = nulls[n] ? NULL : TextDatumGetCString(names[n]);
		int			a = 0;

		if (name == NULL)
			continue;
		while (a < offers->content.count &&
			   strcmp(RecsysAttributeName(offers->index.index, a), name) != 0)
			a++;
		if (a == offers->content.count)
			unknown_attribute(offers, name);
		flags[a] = true;
	}
}

/* Packed content of items at equal distances */
static int
take_sample(RecsysOffers *offers, const char **sample)
{
	int			count = 0;
	uint32		step = Max(offers->nitems / SAMPLE, 1);

	for (uint32 item = 0; item < offers->nitems && count < SAMPLE; item += step)
	{
		CHECK_FOR_INTERRUPTS();
		sample[count] = RecsysItemsContent(offers->state->reader, item);
		count += sample[count] != NULL;
	}
	return count;
}

/* The shortest of the texts that identify, or -1 */
static int
title_of(const RecsysOffers *offers)
{
	int			title = -1;

	for (int a = 0; a < offers->content.count; a++)
	{
		const RecsysAttribute *attribute = &offers->content.attributes[a];

		if (attribute->kind == RECSYS_ATTRIBUTE_TEXT && offers->sameness.identifies[a] &&
			(title < 0 || attribute->mean_length < offers->content.attributes[title].mean_length))
			title = a;
	}
	return title;
}

static void
nothing_identifies(const RecsysOffers *offers)
{
	const char *name = RelationGetRelationName(offers->index.definition);

	for (int a = 0; a < offers->content.count; a++)
		if (RecsysMayIdentify(&offers->content.attributes[a]))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("no attribute of index \"%s\" tells one thing from another", name),
					 errdetail("Its texts have fewer than three words, or many items share them."),
					 errhint("Name what does, as in identifying => %s.",
							 quote_literal_cstr(psprintf("{%s}", quote_identifier(RecsysAttributeName(offers->index.index, a)))))));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("no attribute of index \"%s\" tells one thing from another", name),
			 errdetail("That takes a text, as a title, or a vector, as recsys.image_descriptor makes of a picture.")));
}

static void
find_what_identifies(RecsysOffers *offers, ArrayType *identifying, ArrayType *must_agree)
{
	const char *sample[SAMPLE];
	int			count = take_sample(offers, sample);

	RecsysSamenessInit(&offers->sameness, &offers->content, sample, count, offers->nitems, 0);
	if (identifying != NULL)
	{
		memset(offers->sameness.identifies, 0, sizeof(offers->sameness.identifies));
		take_names(offers, identifying, offers->sameness.identifies);
		for (int a = 0; a < offers->content.count; a++)
			if (offers->sameness.identifies[a] && !RecsysMayIdentify(&offers->content.attributes[a]))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("attribute \"%s\" cannot tell one thing from another",
								RecsysAttributeName(offers->index.index, a)),
						 errdetail("Texts and vectors of a weight above 0 can.")));
	}
	if (must_agree != NULL)
		take_names(offers, must_agree, offers->sameness.must_agree);
	if (!RecsysSamenessIdentifies(&offers->sameness))
		nothing_identifies(offers);
}

void
RecsysOffersOpen(RecsysOffers *offers, const RecsysContentSource *source, ArrayType *identifying,
				 ArrayType *must_agree)
{
	RecsysOfferState *state = palloc0(sizeof(RecsysOfferState));

	memset(offers, 0, sizeof(*offers));
	offers->state = state;
	if (source->shop != NULL)
		RecsysOpenContent(source->shop->definition, &offers->index);
	else
		RecsysOpenNamed(source->index, RECSYS_TAKES_ITEMS, &offers->index);
	offers->snapshot = RegisterSnapshot(GetActiveSnapshot());
	offers->nitems = RecsysItemCount(offers->index.index);
	offers->neighbors = RecsysGetCache(offers->index.index)->meta.neighbors;
	state->kept = AllocSetContextCreate(CurrentMemoryContext, "recsys offers", ALLOCSET_DEFAULT_SIZES);
	state->order = RecsysItemOrderCreate(offers->index.index, offers->nitems);
	RecsysGraphReaderInit(&state->graph, offers->index.index);
	start_reading(offers);
	offers->content = *RecsysItemsModel(state->reader);
	find_what_identifies(offers, identifying, must_agree);
	offers->title = title_of(offers);
	if (offers->title >= 0)
		state->texts = RecsysItemsTextCreate(offers->index.heap, offers->index.index, offers->title,
											 offers->snapshot);
}

void
RecsysOffersClose(RecsysOffers *offers)
{
	RecsysOfferState *state = offers->state;

	if (state->texts != NULL)
		RecsysItemsTextFree(state->texts);
	RecsysItemsReaderFree(state->reader);
	RecsysGraphReaderDone(&state->graph);
	RecsysItemOrderFree(state->order);
	MemoryContextDelete(state->kept);
	UnregisterSnapshot(offers->snapshot);
	RecsysCloseRecommender(&offers->index);
}

int
RecsysOffersNear(RecsysOffers *offers, uint32 item, const RecsysLike **likes)
{
	RecsysOfferState *state = offers->state;
	int			count;

	keep_within_memory(offers);
	if (state->likes != NULL)
		pfree(state->likes);
	state->likes = NULL;
	count = RecsysItemsNeighbors(state->reader, item, offers->neighbors, &state->likes);
	*likes = state->likes;
	return count;
}

const char *
RecsysOffersContent(RecsysOffers *offers, uint32 item)
{
	keep_within_memory(offers);
	return RecsysItemsContent(offers->state->reader, item);
}

bool
RecsysOffersKnows(RecsysOffers *offers, uint32 item)
{
	const char *packed = RecsysOffersContent(offers, item);

	return packed != NULL && RecsysContentSaysSomething(&offers->content, packed);
}

int
RecsysOffersTile(RecsysOffers *offers, uint32 *next, uint32 *items, const char **packed)
{
	int			count = 0;

	keep_within_memory(offers);
	for (; *next < offers->nitems && count < RECSYS_TILE; (*next)++)
	{
		packed[count] = RecsysItemsContent(offers->state->reader, *next);
		if (packed[count] != NULL)
			items[count++] = *next;
	}
	return count;
}

bool
RecsysOffersCompare(RecsysOffers *offers, uint32 a, uint32 b, RecsysSameness *sameness)
{
	const char *x;
	const char *y;

	keep_within_memory(offers);
	x = RecsysItemsContent(offers->state->reader, a);
	y = RecsysItemsContent(offers->state->reader, b);
	if (x == NULL || y == NULL)
		return false;
	RecsysCompareItems(&offers->sameness, x, y, sameness);
	return true;
}

static const char *
title_text(RecsysOfferState *state, uint32 item)
{
	MemoryContext old = MemoryContextSwitchTo(state->kept);
	bool		found;
	Title	   *title = titles_insert(state->titles, item, &found);

	if (!found)
	{
		title->text = RecsysItemsTextOf(state->texts, state->reader, item);
	}
	MemoryContextSwitchTo(old);
	return title->text;
}

bool
RecsysOffersTitlesAlike(const RecsysOffers *offers, const RecsysSameness *sameness)
{
	return offers->title >= 0 && sameness->known[offers->title] &&
		sameness->likeness[offers->title] >= ALIKE;
}

bool
RecsysOffersAreVariants(RecsysOffers *offers, uint32 a, uint32 b)
{
	const char *x;
	const char *y;

	if (offers->state->texts == NULL)
		return false;
	keep_within_memory(offers);
	x = title_text(offers->state, a);
	y = title_text(offers->state, b);
	return x != NULL && y != NULL &&
		RecsysTitlesAreVariants(x, strlen(x), y, strlen(y), GetDatabaseEncoding() == PG_UTF8);
}

Datum
RecsysOffersKey(RecsysOffers *offers, uint32 item)
{
	RecsysKey	key;

	RecsysGraphNeedKey(&offers->state->graph, item, &key);
	return RecsysKeyToValue(TEXTOID, offers->index.columns.item_kind, &key);
}

int
RecsysOffersCompareKeys(RecsysOffers *offers, uint32 a, uint32 b)
{
	return RecsysItemOrderCompare(offers->state->order, a, b);
}

void
RecsysAppendLikeness(StringInfo json, const RecsysOffers *offers, const RecsysSameness *sameness)
{
	const char *separator = "";

	appendStringInfoChar(json, '{');
	for (int a = 0; a < offers->content.count; a++)
	{
		if (!sameness->known[a])
			continue;
		appendStringInfoString(json, separator);
		escape_json(json, RecsysAttributeName(offers->index.index, a));
		appendStringInfo(json, ": %.4g", rint(sameness->likeness[a] * 1e4) / 1e4);
		separator = ", ";
	}
	appendStringInfoChar(json, '}');
}

uint32 *
RecsysOffersUsers(RecsysOffers *offers, const char *name)
{
	RecsysOfferState *state = offers->state;
	uint32	   *users = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint32) * (Size) Max(offers->nitems, 1),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	MemoryContext key_context = AllocSetContextCreate(CurrentMemoryContext, "recsys item key", ALLOCSET_SMALL_SIZES);
	RecsysRecommender events;
	RecsysGraphReader reader;

	RecsysOpenRecommender(name, &events);
	if (events.columns.item_kind != offers->index.columns.item_kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("items of index \"%s\" have other keys than those of index \"%s\"",
						RelationGetRelationName(events.definition), RelationGetRelationName(offers->index.definition))));
	RecsysGraphReaderInit(&reader, events.index);
	for (uint32 item = 0; item < offers->nitems; item++)
	{
		MemoryContext old = MemoryContextSwitchTo(key_context);
		RecsysGraphRow row = NULL;
		RecsysKey	key;
		uint32		number;

		CHECK_FOR_INTERRUPTS();
		if (RecsysGraphReadKey(&state->graph, item, &key) && RecsysFindItem(&events, &key, &number))
			row = RecsysGraphReadRow(&reader, number);
		if (row != NULL)
		{
			users[item] = row->users;
			RecsysGraphReleaseRow(&reader);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(key_context);
	}
	MemoryContextDelete(key_context);
	RecsysGraphReaderDone(&reader);
	RecsysCloseRecommender(&events);
	return users;
}
