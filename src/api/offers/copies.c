/*
 * copies.c
 *	  Which items have nearly the same picture or title as well-known ones of other sellers.
 *
 * A fake has the picture, and may have another title, another brand and another price.  So it
 * need not be among the neighbors of what it copies.  Well-known items are compared with all
 * others by each attribute that identifies alone, in blocks, and what is near is then
 * looked at in full.
 */
#include "postgres.h"

#include "api/offers/copies.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Near copies of a well-known item, at most, by one attribute */
#define MOST_COPIES 256

/* Well-known items that are compared with all at once, at most */
#define MOST_QUERIES 1024

static void
add_pair(RecsysCopies *copies, uint32 known, uint32 item, float likeness)
{
	if (copies->count == copies->room)
	{
		copies->room = Max(1024, 2 * copies->room);
		copies->pairs = copies->pairs == NULL ?
			palloc(sizeof(RecsysCopy) * copies->room) :
			repalloc_huge(copies->pairs, sizeof(RecsysCopy) * copies->room);
	}
	copies->pairs[copies->count++] = (RecsysCopy) {known, item, likeness};
}

static int
compare_pairs(const void *a, const void *b)
{
	const RecsysCopy *x = a;
	const RecsysCopy *y = b;

	if (x->known != y->known)
		return x->known < y->known ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/* Pairs that two attributes have led to */
static void
remove_doubles(RecsysCopies *copies)
{
	uint64		kept = 0;

	if (copies->count > 0)
		qsort(copies->pairs, copies->count, sizeof(RecsysCopy), compare_pairs);
	for (uint64 x = 0; x < copies->count; x++)
		if (kept == 0 || compare_pairs(&copies->pairs[kept - 1], &copies->pairs[x]) != 0)
			copies->pairs[kept++] = copies->pairs[x];
	copies->count = kept;
}

/* Of what looks near by one attribute, leaves what is a copy. */
static void
keep_copies(RecsysOffers *offers, const RecsysItemFacts *facts, float threshold,
			RecsysCopies *copies)
{
	uint64		kept = 0;

	for (uint64 x = 0; x < copies->count; x++)
	{
		RecsysCopy	pair = copies->pairs[x];
		RecsysSameness sameness;

		if (facts->items[pair.item].seller == RECSYS_NONE ||
			facts->items[pair.item].seller == facts->items[pair.known].seller ||
			!RecsysOffersCompare(offers, pair.known, pair.item, &sameness) ||
			sameness.best < threshold ||
			(RecsysOffersTitlesAlike(offers, &sameness) &&
			 RecsysOffersAreVariants(offers, pair.known, pair.item)))
			continue;
		pair.likeness = sameness.best;
		copies->pairs[kept++] = pair;
	}
	copies->count = kept;
}

/* Comparing some well-known items with all, by one attribute */
typedef struct Pass
{
	RecsysOffers *offers;
	RecsysLikenessBlock *block;
	RecsysLikenessBest *best;
	float	   *scores;			/* of a tile */
	float		least;			/* likeness that is near */
} Pass;

static void
compare_with_all(Pass *pass, const uint32 *known, int n, RecsysCopies *copies)
{
	uint32		numbers[RECSYS_TILE];
	const char *packed[RECSYS_TILE];

	for (uint32 next = 0; next < pass->offers->nitems;)
	{
		int			count = RecsysOffersTile(pass->offers, &next, numbers, packed);

		RecsysBlockCompare(pass->block, packed, count, pass->scores);
		RecsysBestOffer(pass->best, numbers, count, pass->scores, RecsysBlockStride(pass->block));
	}
	for (int x = 0; x < n; x++)
	{
		const RecsysLike *likes;
		int			count = RecsysBestOf(pass->best, x, &likes);

		for (int y = 0; y < count && likes[y].score >= pass->least; y++)
			add_pair(copies, known[x], likes[y].item, 0);
	}
}

/* The next well-known items that can be compared at once; returns how many. */
static int
take_known(Pass *pass, const uint32 *known, uint32 nknown, int capacity, uint32 *taken)
{
	int			count = 0;

	RecsysBlockReset(pass->block);
	for (uint32 x = 0; x < nknown && count < capacity; x++)
	{
		const char *packed = RecsysOffersContent(pass->offers, known[x]);

		if (packed == NULL)
			elog(ERROR, "item %u has gone", known[x]);
		RecsysBlockAdd(pass->block, packed);
		taken[count++] = known[x];
	}
	RecsysBestReset(pass->best, count, taken);
	return count;
}

static void
compare_by(RecsysOffers *offers, int attribute, float threshold, const uint32 *known,
		   uint32 nknown, RecsysCopies *copies)
{
	RecsysContentModel model = offers->content;
	float		chance = offers->sameness.chance[attribute];
	int			capacity;
	uint32	   *taken;
	Pass		pass = {.offers = offers};

	for (int a = 0; a < model.count; a++)
		if (a != attribute)
			model.attributes[a].weight = 0;
	capacity = Min(RecsysBlockCapacity(&model, RECSYS_MAX_CONTENT, (Size) maintenance_work_mem * 1024 / 4),
				   Min(MOST_QUERIES, nknown));
	pass.block = RecsysBlockCreate(&model, capacity);
	pass.best = RecsysBestCreate(capacity, MOST_COPIES);
	pass.scores = palloc_extended(sizeof(float) * RECSYS_TILE * RecsysBlockStride(pass.block), MCXT_ALLOC_HUGE);
	/* the lot lowers a score by no more than that */
	pass.least = (chance + threshold * (1 - chance)) * (1 - RECSYS_LOT);
	taken = palloc(sizeof(uint32) * capacity);
	for (uint32 x = 0; x < nknown;)
	{
		int			count = take_known(&pass, known + x, nknown - x, capacity, taken);

		compare_with_all(&pass, taken, count, copies);
		x += count;
	}
	pfree(taken);
	pfree(pass.scores);
	RecsysBestFree(pass.best);
	RecsysBlockFree(pass.block);
}

void
RecsysFindCopies(RecsysOffers *offers, const RecsysItemFacts *facts, const uint32 *users,
				 uint32 min_users, float threshold, RecsysCopies *copies)
{
	uint32	   *known = palloc_extended(sizeof(uint32) * Max(offers->nitems, 1), MCXT_ALLOC_HUGE);
	uint32		nknown = 0;

	memset(copies, 0, sizeof(*copies));
	for (uint32 item = 0; item < offers->nitems; item++)
		if (users[item] >= min_users && facts->items[item].seller != RECSYS_NONE &&
			RecsysOffersKnows(offers, item))
			known[nknown++] = item;
	for (int a = 0; a < offers->content.count && nknown > 0; a++)
		if (offers->sameness.identifies[a])
			compare_by(offers, a, threshold, known, nknown, copies);
	pfree(known);
	remove_doubles(copies);
	keep_copies(offers, facts, threshold, copies);
}
