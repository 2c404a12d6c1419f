/*
 * itemnumbers.c
 *	  Items of one index as another numbers them.
 *
 * An item's key is read from the one and looked up in the other, which takes two pages of each.  As
 * histories are mostly of popular items, a session remembers what it has found.  An index never
 * gives a number to another item, and the other index here is one that never gets new items, so what
 * is remembered stays right as long as both are what they are: that the seeds tell, which are
 * random for each build.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "api/scoring/itemnumbers.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A power of two; 1.5 MB */
#define REMEMBERED 65536

typedef struct Remembered
{
	uint64		from;			/* seeds; 0 in both: nothing yet */
	uint64		to;
	uint32		item;
	uint32		number;			/* RECSYS_NONE: there is no such item */
} Remembered;

static Remembered *remembered = NULL;

typedef struct Translation
{
	RecsysRecommender *to;
	RecsysGraphReader reader;	/* of the other one */
	uint64		from_seed;
	uint64		to_seed;
} Translation;

static void
begin(Translation *translation, RecsysRecommender *from, RecsysRecommender *to)
{
	if (remembered == NULL)
		remembered = MemoryContextAllocZero(TopMemoryContext, sizeof(Remembered) * REMEMBERED);
	translation->to = to;
	translation->from_seed = RecsysGetCache(from->index)->meta.seed;
	translation->to_seed = RecsysGetCache(to->index)->meta.seed;
	RecsysGraphReaderInit(&translation->reader, from->index);
	RecsysGraphReaderRemember(&translation->reader);
}

/* The other index's number, or RECSYS_NONE */
static uint32
look_up(Translation *translation, uint32 item)
{
	RecsysKey	key;
	uint32		number;

	RecsysGraphNeedKey(&translation->reader, item, &key);
	if (!RecsysFindItem(translation->to, &key, &number))
		number = RECSYS_NONE;
	return number;
}

static uint32
translate(Translation *translation, uint32 item)
{
	uint64		hash = murmurhash32(item) ^ translation->from_seed ^ translation->to_seed;
	Remembered *place = &remembered[hash % REMEMBERED];

	if (place->item != item || place->from != translation->from_seed || place->to != translation->to_seed)
	{
		uint32		number = look_up(translation, item);

		*place = (Remembered) {translation->from_seed, translation->to_seed, item, number};
	}
	return place->number;
}

typedef struct Evidence
{
	uint32		item;
	double		weight;
} Evidence;

static int
compare_evidence(const void *a, const void *b)
{
	uint32		left = ((const Evidence *) a)->item;
	uint32		right = ((const Evidence *) b)->item;

	return (left > right) - (left < right);
}

static void
translate_evidence(Translation *translation, RecsysProfile *profile)
{
	Evidence   *evidence = MemoryContextAllocHuge(CurrentMemoryContext,
												  sizeof(Evidence) * (Size) Max(profile->nevidence, 1));
	int			count = 0;

	for (int i = 0; i < profile->nevidence; i++)
	{
		CHECK_FOR_INTERRUPTS();
		evidence[count].weight = profile->weights[i];
		evidence[count].item = translate(translation, profile->items[i]);
		count += evidence[count].item != RECSYS_NONE;
	}
	qsort(evidence, count, sizeof(Evidence), compare_evidence);
	for (int i = 0; i < count; i++)
	{
		profile->items[i] = evidence[i].item;
		profile->weights[i] = evidence[i].weight;
	}
	profile->nevidence = count;
	pfree(evidence);
}

void
RecsysTranslateProfile(RecsysRecommender *from, RecsysRecommender *to, RecsysProfile *profile)
{
	Translation translation;
	int			seen = 0;

	begin(&translation, from, to);
	translate_evidence(&translation, profile);
	for (int i = 0; i < profile->nseen; i++)
	{
		uint32		item = translate(&translation, profile->seen[i].item);

		if (item == RECSYS_NONE)
			continue;
		profile->seen[seen] = profile->seen[i];
		profile->seen[seen++].item = item;
	}
	profile->nseen = seen;
	RecsysGraphReaderDone(&translation.reader);
}
