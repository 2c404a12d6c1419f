/*
 * popularrank.c
 *	  A shop's items by their users, as what a list is chosen from.
 *
 * The index counts all users.  Where some are excluded the list of the last refresh comes
 * first, which does not count them, and behind it the other items, without those who are known to be
 * excluded and not before the list's last one.
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/popular_page.h"
#include "api/candidates/excludedpairs.h"
#include "api/eligible/fallback.h"
#include "api/serve/popularrank.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* So many items are looked at together for their excluded users. */
#define AT_ONCE 1024

static RecsysScored *
make_room(Size n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysScored) * Max(n, 1));
}

static void
begin_list(RecsysRanking *ranking)
{
	uint32	   *slots;
	int64	   *users;

	ranking->nlisted = RecsysPopularWithAll(ranking->profile, &slots, &users);
	if (ranking->nlisted == 0)
		return;
	ranking->ranked = make_room(ranking->nlisted);
	for (int i = 0; i < ranking->nlisted; i++)
	{
		ranking->ranked[i].item = slots[i];
		ranking->ranked[i].score = (float) users[i];
	}
	ranking->count = ranking->nlisted;
}

void
RecsysRankingBegin(RecsysRanking *ranking, const RecsysShopProfile *profile, Relation index)
{
	memset(ranking, 0, sizeof(*ranking));
	ranking->profile = profile;
	ranking->index = index;
	ranking->map = RecsysCatalogueMap(profile->catalogue, index);
	ranking->popular = RecsysReadPopular(index, &ranking->npopular);
	RecsysGraphReaderInit(&ranking->reader, index);
	begin_list(ranking);
	if (ranking->nlisted == 0)
		ranking->ranked = make_room(ranking->npopular);
}

void
RecsysRankingEnd(RecsysRanking *ranking)
{
	RecsysGraphReaderDone(&ranking->reader);
}

/* How many of an item's users count, once excluded ones are taken out */
static float
users_left(const RecsysExcludedPairs *excluded, const RecsysPopularity *item, float most)
{
	double		left = rint(item->users * RecsysExcludedItemShare(excluded, item->item));

	return Min((float) left, most);
}

/* What is behind the list, in the order of the index so far */
typedef struct LeftItem
{
	RecsysScored scored;
	int			place;
} LeftItem;

static int
compare_left(const void *a, const void *b)
{
	const LeftItem *left = a;
	const LeftItem *right = b;

	if (left->scored.score != right->scored.score)
		return left->scored.score > right->scored.score ? -1 : 1;
	return left->place - right->place;
}

/* Those of n items that are not in the list and that somebody has who counts */
static int
take_left(RecsysRanking *ranking, const RecsysPopularity *all, int n, LeftItem *left)
{
	RecsysExcludedPairs *excluded = RecsysGetExcludedPairs(ranking->profile->shop->definition, ranking->index);
	float		most = ranking->ranked[ranking->nlisted - 1].score;
	Bitmapset  *listed = NULL;
	uint32		items[AT_ONCE];
	int			nleft = 0;

	for (int i = 0; i < ranking->nlisted; i++)
		listed = bms_add_member(listed, ranking->ranked[i].item);
	for (int i = 0; i < n; i += AT_ONCE)
	{
		int			count = Min(n - i, AT_ONCE);

		CHECK_FOR_INTERRUPTS();
		for (int x = 0; x < count; x++)
			items[x] = all[i + x].item;
		RecsysExcludedPrepare(excluded, items, count);
		for (int x = 0; x < count; x++)
		{
			LeftItem   *next = &left[nleft];

			next->place = nleft;
			next->scored.item = RecsysMapSlot(ranking->map, &ranking->reader, items[x]);
			next->scored.score = users_left(excluded, &all[i + x], most);
			if (next->scored.score > 0 && !bms_is_member(next->scored.item, listed))
				nleft++;
		}
	}
	bms_free(listed);
	return nleft;
}

static void
rank_behind_list(RecsysRanking *ranking, const RecsysPopularity *all, int n)
{
	LeftItem   *left = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(LeftItem) * (Size) Max(n, 1));
	int			nleft = take_left(ranking, all, n, left);

	qsort(left, nleft, sizeof(LeftItem), compare_left);
	ranking->ranked = repalloc_huge(ranking->ranked, sizeof(RecsysScored) * ((Size) ranking->nlisted + nleft));
	for (int i = 0; i < nleft; i++)
		ranking->ranked[ranking->count++] = left[i].scored;
	pfree(left);
}

static void
rank_all(RecsysRanking *ranking)
{
	uint32		count;
	RecsysPopularity *all = RecsysReadAllPopular(ranking->index, &count);

	ranking->popular = NULL;
	if (ranking->nlisted > 0)
	{
		rank_behind_list(ranking, all, (int) count);
		return;
	}
	ranking->ranked = make_room(count);
	for (uint32 i = 0; i < count; i++)
	{
		ranking->ranked[i].item = RecsysMapSlot(ranking->map, &ranking->reader, all[i].item);
		ranking->ranked[i].score = (float) all[i].users;
	}
	ranking->count = (int) count;
}

/* As far as the popular page goes, row by row */
static void
rank_popular(RecsysRanking *ranking, int n)
{
	while (ranking->count < Min(n, ranking->npopular))
	{
		uint32		item = ranking->popular[ranking->count];
		RecsysGraphRow row = RecsysGraphReadRow(&ranking->reader, item);
		RecsysScored *ranked = &ranking->ranked[ranking->count++];

		ranked->score = row == NULL ? 0 : (float) row->users;
		if (row != NULL)
			RecsysGraphReleaseRow(&ranking->reader);
		ranked->item = RecsysMapSlot(ranking->map, &ranking->reader, item);
	}
}

int
RecsysRankingNext(void *arg, int n, const RecsysScored **best)
{
	RecsysRanking *ranking = arg;

	if (ranking->popular != NULL && n > ranking->count)
	{
		if (ranking->nlisted == 0)
			rank_popular(ranking, n);

		/* the page has all items, or as many as there is room for */
		if (n > ranking->count && (ranking->nlisted > 0 || ranking->npopular == RECSYS_POPULAR_ITEMS))
			rank_all(ranking);
	}
	*best = ranking->ranked;
	return Min(n, ranking->count);
}
