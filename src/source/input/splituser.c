/*
 * splituser.c
 *	  What a user has, divided into a part to learn from and a part to be foretold.
 *
 * Splits by share and by last work on distinct items: all interactions of a user
 * with an item go to the same part.  A split by time works on single interactions,
 * as time did.  In each of them a user keeps at least one item to be known by,
 * save by time, where new users are part of what is measured.
 *
 * A user's latest items are those with the latest times, among equal times those with
 * the lowest keys: no split depends on the order of the rows.
 *
 * The random share depends on the seed and the keys alone, not on the order of the
 * rows: of a user with n items, those round(share * n) with the lowest hashes.
 */
#include "postgres.h"

#include <math.h>

#include "core/base/platform.h"
#include "core/base/random.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "source/input/splitbasket.h"
#include "source/input/splituser.h"
#include "utils/memutils.h"

void
RecsysSplitAdd(RecsysInteractionList *interactions, const RecsysInteraction *interaction)
{
	if (interactions->count == interactions->size)
	{
		if (interactions->size == PG_INT32_MAX / 2)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a user has too many interactions")));
		interactions->size = interactions->size == 0 ? 1024 :
			(int) Min((int64) interactions->size * 2, PG_INT32_MAX / 2);
		interactions->all = interactions->all == NULL ?
			palloc(sizeof(RecsysInteraction) * interactions->size) :
			repalloc_huge(interactions->all, sizeof(RecsysInteraction) * (Size) interactions->size);
	}
	interactions->all[interactions->count++] = *interaction;
}

static void
reserve(RecsysSplitter *splitter, int count)
{
	if (count <= splitter->size)
		return;
	if (splitter->size > 0)
	{
		pfree(splitter->folded);
		pfree(splitter->items);
		pfree(splitter->order);
	}
	splitter->size = Max(count + count / 2, 1024);
	splitter->folded = recsys_alloc_huge(sizeof(RecsysHistoryItem) * (Size) splitter->size);
	splitter->items = recsys_alloc_huge(sizeof(uint32) * (Size) splitter->size);
	splitter->order = recsys_alloc_huge(sizeof(uint64) * (Size) splitter->size);
}

static int
compare_items(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	CHECK_FOR_INTERRUPTS();
	return (left > right) - (left < right);
}

/* The distinct items of some interactions into splitter->items; returns their number. */
static int
distinct_items(RecsysSplitter *splitter, const RecsysInteractionList *interactions)
{
	int			count = 0;

	reserve(splitter, interactions->count);
	for (int x = 0; x < interactions->count; x++)
		splitter->items[x] = interactions->all[x].item;
	qsort(splitter->items, interactions->count, sizeof(uint32), compare_items);
	for (int x = 0; x < interactions->count; x++)
		if (count == 0 || splitter->items[count - 1] != splitter->items[x])
			splitter->items[count++] = splitter->items[x];
	return count;
}

/* What a sum means is up to the models, each of which folds again. */
static const RecsysFolding plain_folding = {.max_history = PG_INT32_MAX,.transform = RECSYS_TRANSFORM_NONE};

static int
fold_by(RecsysSplitter *splitter, RecsysInteractionList *interactions, const RecsysFolding *folding)
{
	reserve(splitter, interactions->count);
	return RecsysHistoryFold(interactions->all, interactions->count, folding, splitter->folded, NULL);
}

/* Folds interactions, which are reordered, into splitter->folded; returns their number. */
static int
fold(RecsysSplitter *splitter, RecsysInteractionList *interactions)
{
	return fold_by(splitter, interactions, &plain_folding);
}

static void
grow_rows(RecsysSplit *split)
{
	if (split->nrows < split->maxrows)
		return;
	if (split->maxrows >= RECSYS_NONE / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many users for an evaluation")));
	split->maxrows *= 2;
	split->offsets = repalloc_huge(split->offsets, sizeof(uint64) * ((Size) split->maxrows + 1));
}

static void
grow_entries(RecsysSplit *split, uint64 needed)
{
	if (needed <= split->maxentries)
		return;
	split->maxentries = Max(needed, split->maxentries + split->maxentries / 2);
	split->columns = repalloc_huge(split->columns, sizeof(uint32) * split->maxentries);
	split->weights = repalloc_huge(split->weights, sizeof(double) * split->maxentries);
	if (split->times != NULL)
		split->times = repalloc_huge(split->times, sizeof(int64) * split->maxentries);
}

/* Oldest first, then highest key; items of the training part are numbered by key. */
static int
compare_recency(const void *a, const void *b, void *arg)
{
	const RecsysHistoryItem *folded = arg;
	const RecsysHistoryItem *left = &folded[*(const uint64 *) a];
	const RecsysHistoryItem *right = &folded[*(const uint64 *) b];

	if (left->time != right->time)
		return left->time < right->time ? -1 : 1;
	return left->item < right->item ? 1 : left->item > right->item ? -1 : 0;
}

/* splitter->order becomes the places of the folded items, oldest first. */
static void
sort_by_recency(RecsysSplitter *splitter, int nfolded)
{
	for (int x = 0; x < nfolded; x++)
		splitter->order[x] = x;
	qsort_arg(splitter->order, nfolded, sizeof(uint64), compare_recency, splitter->folded);
}

/* Adds the training part of a user; returns its row, or RECSYS_NONE if there is nothing in it. */
static uint32
add_training_row(RecsysSplitter *splitter, const RecsysFolding *folding)
{
	RecsysSplit *split = splitter->split;
	uint64		first = split->offsets[split->nrows];
	int			nseen;
	int			x = 0;
	int			nfolded;

	if (splitter->train.count == 0)
		return RECSYS_NONE;
	nseen = distinct_items(splitter, &splitter->train);
	nfolded = fold_by(splitter, &splitter->train, folding);
	if (split->baskets != NULL)
		RecsysSplitBasketRhythms(splitter, nfolded);
	grow_rows(split);
	grow_entries(split, first + nseen);
	for (int y = 0; y < nseen; y++)
	{
		bool		evidence = x < nfolded && splitter->folded[x].item == splitter->items[y];

		split->columns[first + y] = splitter->items[y];
		split->weights[first + y] = evidence ? splitter->folded[x].weight : 0.0;
		if (split->times != NULL)
			split->times[first + y] = evidence ? splitter->folded[x].time : RECSYS_NO_TIME;
		x += evidence;
	}
	split->offsets[++split->nrows] = first + nseen;
	return split->nrows - 1;
}

static bool
row_has(const RecsysSplit *split, uint32 row, uint32 item)
{
	uint64		first;

	if (row == RECSYS_NONE)
		return false;
	first = split->offsets[row];
	return bsearch(&item, split->columns + first, split->offsets[row + 1] - first,
				   sizeof(uint32), compare_items) != NULL;
}

/* Adds the user to those with held-out items, if any of them counts. */
static void
add_test_user(RecsysSplitter *splitter, const RecsysKey *user, uint32 row)
{
	RecsysSplit *split = splitter->split;
	uint32		place = RecsysSplitUsers(split);
	uint64		first = split->test.offsets[place];
	uint64		next = first;
	int			nfolded;

	if (splitter->test.count == 0)
		return;
	nfolded = fold(splitter, &splitter->test);
	if (first + nfolded > split->maxtestentries)
	{
		split->maxtestentries = Max(first + nfolded, split->maxtestentries + split->maxtestentries / 2);
		split->test.items = repalloc_huge(split->test.items, sizeof(uint32) * split->maxtestentries);
	}
	for (int x = 0; x < nfolded; x++)
		if (!split->options.exclude_seen || !row_has(split, row, splitter->folded[x].item))
			split->test.items[next++] = splitter->folded[x].item;
	if (next == first)
		return;

	if (place == split->maxtest)
	{
		split->maxtest *= 2;
		split->test_rows = repalloc_huge(split->test_rows, sizeof(uint32) * (Size) split->maxtest);
		split->test.offsets = repalloc_huge(split->test.offsets,
											sizeof(uint64) * ((Size) split->maxtest + 1));
	}
	(void) RecsysDictionaryIntern(split->users, user);
	split->test_rows[place] = row;
	if (split->baskets != NULL)
		RecsysSplitBasketKeep(splitter, place);
	split->test.offsets[place + 1] = next;
}

static int
compare_words(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	CHECK_FOR_INTERRUPTS();
	return (left > right) - (left < right);
}

/* What share means for a user: the items to hold out are those whose hash is at most this. */
static uint64
highest_hash(RecsysSplitter *splitter, const RecsysKey *user, int nfolded, int wanted, uint64 *hashes)
{
	RecsysSplit *split = splitter->split;
	uint64		userhash = RecsysKeyHash(split->user_kind, user, split->hash_seed);

	for (int x = 0; x < nfolded; x++)
	{
		RecsysKey	key;

		RecsysDictionaryKey(split->items, splitter->folded[x].item, &key);
		hashes[x] = RecsysRandomMix(RecsysRandomMix(userhash ^ split->options.seed) +
									RecsysKeyHash(split->item_kind, &key, split->hash_seed));
	}
	memcpy(splitter->order, hashes, sizeof(uint64) * nfolded);
	qsort(splitter->order, nfolded, sizeof(uint64), compare_words);
	return splitter->order[wanted - 1];
}

/* Moves all interactions with the chosen items from training to test; chosen is ascending. */
static void
hold_out(RecsysSplitter *splitter, const uint32 *chosen, int nchosen)
{
	int			kept = 0;

	for (int x = 0; x < splitter->train.count; x++)
	{
		RecsysInteraction *one = &splitter->train.all[x];

		if (bsearch(&one->item, chosen, nchosen, sizeof(uint32), compare_items) != NULL)
			RecsysSplitAdd(&splitter->test, one);
		else
			splitter->train.all[kept++] = *one;
	}
	splitter->train.count = kept;
}

/* By share and last: choose among the user's distinct items. */
static void
split_items(RecsysSplitter *splitter, const RecsysKey *user)
{
	const RecsysSplitOptions *options = &splitter->split->options;
	int			nfolded = fold(splitter, &splitter->train);
	uint32	   *chosen;
	int			wanted;
	int			nchosen = 0;

	if (options->holdout == RECSYS_HOLDOUT_SHARE)
		wanted = (int) floor(options->share * nfolded + 0.5);
	else
		wanted = options->last;
	wanted = Min(wanted, nfolded - 1);
	if (wanted <= 0)
		return;

	chosen = recsys_alloc_huge(sizeof(uint32) * (Size) nfolded);
	if (options->holdout == RECSYS_HOLDOUT_SHARE)
	{
		uint64	   *hashes = recsys_alloc_huge(sizeof(uint64) * (Size) nfolded);
		uint64		highest = highest_hash(splitter, user, nfolded, wanted, hashes);

		for (int x = 0; x < nfolded && nchosen < wanted; x++)
			if (hashes[x] <= highest)
				chosen[nchosen++] = splitter->folded[x].item;
		pfree(hashes);
	}
	else
	{
		sort_by_recency(splitter, nfolded);
		for (int x = nfolded - wanted; x < nfolded; x++)
			chosen[nchosen++] = splitter->folded[splitter->order[x]].item;
		qsort(chosen, nchosen, sizeof(uint32), compare_items);
	}
	hold_out(splitter, chosen, nchosen);
	pfree(chosen);
}

static void
split_time(RecsysSplitter *splitter)
{
	int			kept = 0;

	for (int x = 0; x < splitter->train.count; x++)
	{
		RecsysInteraction *one = &splitter->train.all[x];

		if (RecsysTimeIsFrom(splitter->split->time_type, one->time, splitter->split->options.since))
			RecsysSplitAdd(&splitter->test, one);
		else
			splitter->train.all[kept++] = *one;
	}
	splitter->train.count = kept;
}

void
RecsysSplitUser(RecsysSplitter *splitter, const RecsysKey *user)
{
	RecsysFolding folding = plain_folding;
	uint32		row;

	switch (splitter->split->options.holdout)
	{
		case RECSYS_HOLDOUT_SHARE:
		case RECSYS_HOLDOUT_LAST:
			split_items(splitter, user);
			break;
		case RECSYS_HOLDOUT_SINCE:
			split_time(splitter);
			break;
		case RECSYS_HOLDOUT_BASKET:
			RecsysSplitBasket(splitter, &folding);
			break;
		case RECSYS_HOLDOUT_GIVEN:
			break;
	}
	row = add_training_row(splitter, &folding);
	add_test_user(splitter, user, row);
}
