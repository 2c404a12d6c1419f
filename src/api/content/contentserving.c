/*
 * contentserving.c
 *	  What an index over items answers: neighbors by content.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "am/items/itemsread.h"
#include "api/content/contentserving.h"
#include "api/scoring/serving.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* The likenesses of an item to those given */
typedef struct LikeSum
{
	uint32		item;
	char		status;			/* simplehash's */
	bool		given;
	double		sum;
} LikeSum;

#define SH_PREFIX sums
#define SH_ELEMENT_TYPE LikeSum
#define SH_KEY_TYPE uint32
#define SH_KEY item
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static RecsysItemsReader *
open_reader(RecsysRecommender *recommender)
{
	return RecsysItemsReaderCreate(recommender->heap, recommender->index, GetActiveSnapshot());
}

/* The item as an answer has it; false if it has gone since. */
static bool
item_value(RecsysItemsReader *reader, const RecsysAnswer *answer, uint32 item, Datum *value)
{
	RecsysKey	key;

	if (!RecsysItemsKey(reader, item, &key))
		return false;
	*value = RecsysAnswerKey(answer, &key);
	return true;
}

void
RecsysPutLikeItem(RecsysRecommender *recommender, RecsysAnswer *answer, const RecsysKey *key, int k)
{
	RecsysItemsReader *reader;
	RecsysLike *likes;
	uint32		item;
	int			count;
	int			rank = 0;

	if (!RecsysFindItem(recommender, key, &item))
		return;
	reader = open_reader(recommender);
	count = RecsysItemsNeighbors(reader, item, k, &likes);
	for (int i = 0; i < count; i++)
	{
		Datum		values[4] = {0};
		bool		isnull[4] = {false, false, true, false};

		if (!item_value(reader, answer, likes[i].item, &values[0]))
			continue;
		values[1] = Float4GetDatum(likes[i].score);
		values[3] = Int32GetDatum(++rank);
		RecsysAnswerPut(answer, values, isnull);
	}
	RecsysItemsReaderFree(reader);
}

/* Numbers of the items, ascending, each once */
static int
find_items(RecsysRecommender *recommender, const RecsysKey *keys, int count, uint32 **items)
{
	int			found = 0;
	int			left = 0;

	*items = palloc(sizeof(uint32) * Max(count, 1));
	for (int i = 0; i < count; i++)
		if (RecsysFindItem(recommender, &keys[i], &(*items)[found]))
			found++;
	qsort(*items, found, sizeof(uint32), RecsysCompareItemNumbers);
	for (int i = 0; i < found; i++)
		if (i == 0 || (*items)[i] != (*items)[left - 1])
			(*items)[left++] = (*items)[i];
	return left;
}

static void
add_likes(RecsysItemsReader *reader, sums_hash *sums, uint32 item)
{
	RecsysLike *likes;
	int			count = RecsysItemsNeighbors(reader, item, PG_INT32_MAX, &likes);

	for (int i = 0; i < count; i++)
	{
		bool		found;
		LikeSum    *sum = sums_insert(sums, likes[i].item, &found);

		if (!found)
		{
			sum->given = false;
			sum->sum = 0;
		}
		sum->sum += likes[i].score;
	}
	if (likes != NULL)
		pfree(likes);
}

/* Those that may be listed; the array is palloc'd. */
static int
collect_sums(sums_hash *sums, RecsysLike **likes)
{
	sums_iterator iterator;
	LikeSum    *sum;
	int			count = 0;

	*likes = MemoryContextAllocHuge(CurrentMemoryContext,
									sizeof(RecsysLike) * (Size) Max(sums->members, 1));
	sums_start_iterate(sums, &iterator);
	while ((sum = sums_iterate(sums, &iterator)) != NULL)
	{
		if (!sum->given && sum->sum > 0)
			(*likes)[count++] = (RecsysLike) {sum->item, (float) sum->sum};
	}
	return count;
}

void
RecsysPutLikeItems(RecsysRecommender *recommender, RecsysAnswer *answer, const RecsysKey *keys,
				   int count, int k, bool exclude_given)
{
	RecsysItemsReader *reader = open_reader(recommender);
	sums_hash  *sums = sums_create(CurrentMemoryContext, 256, NULL);
	Datum		source = PointerGetDatum(cstring_to_text("content"));
	uint32	   *items;
	RecsysLike *likes;
	int			nitems = find_items(recommender, keys, count, &items);
	int			nlikes;
	int			rank = 0;

	for (int i = 0; i < nitems; i++)
	{
		CHECK_FOR_INTERRUPTS();
		add_likes(reader, sums, items[i]);
	}
	for (int i = 0; exclude_given && i < nitems; i++)
	{
		bool		found;

		sums_insert(sums, items[i], &found)->given = true;
	}

	nlikes = collect_sums(sums, &likes);
	nlikes = RecsysItemsBest(reader, likes, nlikes, k);
	for (int i = 0; i < nlikes; i++)
	{
		Datum		values[4];
		bool		isnull[4] = {false, false, false, false};

		if (!item_value(reader, answer, likes[i].item, &values[0]))
			continue;
		values[1] = Float4GetDatum(likes[i].score);
		values[2] = source;
		values[3] = Int32GetDatum(++rank);
		RecsysAnswerPut(answer, values, isnull);
	}
	sums_destroy(sums);
	RecsysItemsReaderFree(reader);
}

/* The neighbors of one item, whose key the answer has as a value */
static void
put_likes(RecsysItemsReader *reader, RecsysAnswer *answer, uint32 item, MemoryContext rows)
{
	MemoryContext old = MemoryContextSwitchTo(rows);
	Datum		values[5] = {0};
	bool		isnull[5] = {false, false, false, true, false};
	RecsysLike *likes;
	int			count;
	int			rank = 0;

	if (item_value(reader, answer, item, &values[0]))
	{
		count = RecsysItemsNeighbors(reader, item, PG_INT32_MAX, &likes);
		for (int i = 0; i < count; i++)
		{
			if (!item_value(reader, answer, likes[i].item, &values[1]))
				continue;
			values[2] = Float4GetDatum(likes[i].score);
			values[4] = Int32GetDatum(++rank);
			RecsysAnswerPut(answer, values, isnull);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(rows);
}

void
RecsysPutAllLikes(RecsysRecommender *recommender, RecsysAnswer *answer)
{
	RecsysItemsReader *reader = open_reader(recommender);
	MemoryContext rows = AllocSetContextCreate(CurrentMemoryContext, "recsys rows of an item",
											   ALLOCSET_DEFAULT_SIZES);
	uint32		nitems = RecsysItemCount(recommender->index);

	for (uint32 item = 0; item < nitems; item++)
	{
		CHECK_FOR_INTERRUPTS();
		put_likes(reader, answer, item, rows);
	}
	MemoryContextDelete(rows);
	RecsysItemsReaderFree(reader);
}
