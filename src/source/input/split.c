/*
 * split.c
 *	  Interactions split into a part to learn from and a part to be foretold.
 *
 * Users come from the collector in the order of their hashes.  With a test query
 * there are two collectors, whose hashes have the same seed, so that they are
 * merged like two sorted lists.
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

#include "core/base/random.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "source/input/collector.h"
#include "source/input/query.h"
#include "source/input/split.h"
#include "utils/memutils.h"

#define FIRST_ROWS 1024
#define FIRST_ENTRIES 16384

/* Look at the memory used every so many users. */
#define CHECK_USERS 256

/* One user's interactions of both parts; grows to the largest user. */
typedef struct Interactions
{
	RecsysInteraction *all;
	int			count;
	int			size;
} Interactions;

/* Working space for one user */
typedef struct Splitter
{
	RecsysSplit *split;
	Interactions train;
	Interactions test;
	RecsysHistoryItem *folded;
	uint32	   *items;			/* distinct items, ascending */
	uint64	   *order;
	int			size;			/* room in folded, items, order */
	uint32	   *test_items;		/* by item of the test query's collector: number in the split */
} Splitter;

uint64
RecsysSplitHashSeed(uint64 seed)
{
	return RecsysRandomMix(seed ^ UINT64CONST(0x5EC75B5));
}

void
RecsysCheckEvaluationMemory(Size used, Size limit)
{
	if (used <= limit)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("the evaluation does not fit in maintenance_work_mem"),
			 errdetail("It has %zu kB and needs %zu kB so far.", limit / 1024, used / 1024),
			 errhint("Increase maintenance_work_mem, or evaluate on a sample of the users or with fewer neighbors.")));
}

static void
add_interaction(Interactions *interactions, const RecsysInteraction *interaction)
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
reserve(Splitter *splitter, int count)
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
distinct_items(Splitter *splitter, const Interactions *interactions)
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

/* Folds interactions, which are reordered, into splitter->folded; returns their number. */
static int
fold(Splitter *splitter, Interactions *interactions)
{
	reserve(splitter, interactions->count);
	return RecsysHistoryFold(interactions->all, interactions->count, PG_INT32_MAX, NULL,
							 splitter->folded, NULL);
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
	split->weights = repalloc_huge(split->weights, sizeof(float) * split->maxentries);
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
sort_by_recency(Splitter *splitter, int nfolded)
{
	for (int x = 0; x < nfolded; x++)
		splitter->order[x] = x;
	qsort_arg(splitter->order, nfolded, sizeof(uint64), compare_recency, splitter->folded);
}

/* Adds the training part of a user; returns its row, or RECSYS_NONE if there is nothing in it. */
static uint32
add_training_row(Splitter *splitter)
{
	RecsysSplit *split = splitter->split;
	uint64		first = split->offsets[split->nrows];
	int			nseen;
	int			x = 0;
	int			nfolded;

	if (splitter->train.count == 0)
		return RECSYS_NONE;
	nseen = distinct_items(splitter, &splitter->train);
	nfolded = fold(splitter, &splitter->train);
	grow_rows(split);
	grow_entries(split, first + nseen);
	for (int y = 0; y < nseen; y++)
	{
		bool		evidence = x < nfolded && splitter->folded[x].item == splitter->items[y];

		split->columns[first + y] = splitter->items[y];
		split->weights[first + y] = evidence ? splitter->folded[x].weight : 0.0f;
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
add_test_user(Splitter *splitter, const RecsysKey *user, uint32 row)
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
highest_hash(Splitter *splitter, const RecsysKey *user, int nfolded, int wanted, uint64 *hashes)
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
hold_out(Splitter *splitter, const uint32 *chosen, int nchosen)
{
	int			kept = 0;

	for (int x = 0; x < splitter->train.count; x++)
	{
		RecsysInteraction *one = &splitter->train.all[x];

		if (bsearch(&one->item, chosen, nchosen, sizeof(uint32), compare_items) != NULL)
			add_interaction(&splitter->test, one);
		else
			splitter->train.all[kept++] = *one;
	}
	splitter->train.count = kept;
}

/* By share and last: choose among the user's distinct items. */
static void
split_items(Splitter *splitter, const RecsysKey *user)
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
split_time(Splitter *splitter)
{
	int			kept = 0;

	for (int x = 0; x < splitter->train.count; x++)
	{
		RecsysInteraction *one = &splitter->train.all[x];

		if (RecsysTimeIsFrom(splitter->split->time_type, one->time, splitter->split->options.since))
			add_interaction(&splitter->test, one);
		else
			splitter->train.all[kept++] = *one;
	}
	splitter->train.count = kept;
}

static void
split_user(Splitter *splitter, const RecsysKey *user)
{
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
		case RECSYS_HOLDOUT_GIVEN:
			break;
	}
	row = add_training_row(splitter);
	add_test_user(splitter, user, row);
}

/* The user at hand of one collector; its bytes are copied, as the collector reuses them. */
typedef struct Cursor
{
	RecsysCollector *collector;
	RecsysKeyKind kind;
	uint64		seed;
	bool		valid;
	RecsysKey	key;
	uint64		hash;
	char		copy[RECSYS_MAX_KEY_LEN];
} Cursor;

static void
next_user(Cursor *cursor)
{
	uint32		upper;

	cursor->valid = cursor->collector != NULL &&
		RecsysCollectorNextUser(cursor->collector, &cursor->key, &upper);
	if (!cursor->valid)
		return;
	if (cursor->kind != RECSYS_KEY_INT)
	{
		memcpy(cursor->copy, cursor->key.data, cursor->key.len);
		cursor->key.data = cursor->copy;
	}
	cursor->hash = RecsysKeyHash(cursor->kind, &cursor->key, cursor->seed);
}

/* Less than zero when the first collector's user comes before the second's. */
static int
compare_cursors(const Cursor *a, const Cursor *b)
{
	if (a->valid != b->valid)
		return a->valid ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return RecsysKeyCompare(a->kind, &a->key, &b->key);
}

static void
read_user(Cursor *cursor, const uint32 *numbers, Interactions *interactions)
{
	RecsysUserRow row;

	while (RecsysCollectorNextOfUser(cursor->collector, &row))
	{
		if (numbers != NULL)
			row.interaction.item = numbers[row.interaction.item];
		add_interaction(interactions, &row.interaction);
	}
}

static void
split_users(Splitter *splitter, RecsysCollector *train, RecsysCollector *test)
{
	RecsysSplit *split = splitter->split;
	Cursor	   *cursors = palloc0(sizeof(Cursor) * 2);
	uint64		nusers = 0;

	for (int x = 0; x < 2; x++)
	{
		cursors[x].collector = x == 0 ? train : test;
		cursors[x].kind = split->user_kind;
		cursors[x].seed = split->hash_seed;
		next_user(&cursors[x]);
	}
	while (cursors[0].valid || cursors[1].valid)
	{
		int			order = cursors[1].valid ? compare_cursors(&cursors[0], &cursors[1]) : -1;
		RecsysKey  *user = order <= 0 ? &cursors[0].key : &cursors[1].key;

		CHECK_FOR_INTERRUPTS();
		splitter->train.count = 0;
		splitter->test.count = 0;
		if (order <= 0)
			read_user(&cursors[0], NULL, &splitter->train);
		if (order >= 0)
			read_user(&cursors[1], splitter->test_items, &splitter->test);
		split_user(splitter, user);
		if (++nusers % CHECK_USERS == 0)
			RecsysCheckEvaluationMemory(MemoryContextMemAllocated(split->context, true),
										split->options.memory_limit);
		if (order >= 0)
			next_user(&cursors[1]);
		if (order <= 0)
			next_user(&cursors[0]);
	}
	pfree(cursors);
}

/* Numbers for the items of both queries. */
static void
number_items(Splitter *splitter, RecsysCollector *train, RecsysCollector *test)
{
	RecsysSplit *split = splitter->split;
	RecsysKey	key;

	split->nitems = RecsysCollectorItems(train);
	for (uint32 item = 0; item < split->nitems; item++)
	{
		RecsysCollectorItemKey(train, item, &key);
		(void) RecsysDictionaryIntern(split->items, &key);
	}
	if (test == NULL)
		return;
	splitter->test_items = recsys_alloc_huge(sizeof(uint32) * (Size) Max(RecsysCollectorItems(test), 1));
	for (uint32 item = 0; item < RecsysCollectorItems(test); item++)
	{
		RecsysCollectorItemKey(test, item, &key);
		splitter->test_items[item] = RecsysDictionaryIntern(split->items, &key);
	}
}

static void
check_kinds(const RecsysCollectorOptions *train, const RecsysCollectorOptions *test)
{
	if (train->user_kind == test->user_kind && train->item_kind == test->item_kind)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the test query's keys are of other types than the query's"),
			 errhint("Cast user and item to the same types in both.")));
}

static void
init_split(RecsysSplit *split, const RecsysCollectorOptions *shape)
{
	split->user_kind = shape->user_kind;
	split->item_kind = shape->item_kind;
	split->weighted = shape->weighted;
	split->timed = shape->timed;
	split->time_type = shape->time_type;
	split->items = RecsysDictionaryCreate(shape->item_kind, split->hash_seed);
	split->users = RecsysDictionaryCreate(shape->user_kind, split->hash_seed);
	split->maxrows = FIRST_ROWS;
	split->offsets = palloc0(sizeof(uint64) * (FIRST_ROWS + 1));
	split->maxentries = FIRST_ENTRIES;
	split->columns = palloc(sizeof(uint32) * FIRST_ENTRIES);
	split->weights = palloc(sizeof(float) * FIRST_ENTRIES);
	if (shape->timed)
		split->times = palloc(sizeof(int64) * FIRST_ENTRIES);
	split->maxtest = FIRST_ROWS;
	split->test_rows = palloc(sizeof(uint32) * FIRST_ROWS);
	split->test.offsets = palloc0(sizeof(uint64) * (FIRST_ROWS + 1));
	split->maxtestentries = FIRST_ENTRIES;
	split->test.items = palloc(sizeof(uint32) * FIRST_ENTRIES);
}

RecsysSplit *
RecsysSplitCreate(const RecsysSplitOptions *options)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys split",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysSplit *split = palloc0(sizeof(RecsysSplit));
	RecsysCollectorOptions shape;
	RecsysCollectorOptions test_shape;
	RecsysCollector *train;
	RecsysCollector *test = NULL;
	Splitter	splitter = {0};

	split->context = context;
	split->options = *options;
	split->hash_seed = RecsysSplitHashSeed(options->seed);

	/* the collectors go before anything else needs much */
	MemoryContextSwitchTo(old);
	train = RecsysCollectSeeded(options->query, options->role, options->memory_limit,
								split->hash_seed, &shape);
	if (options->holdout == RECSYS_HOLDOUT_GIVEN)
	{
		test = RecsysCollectSeeded(options->test_query, InvalidOid, options->memory_limit,
								   split->hash_seed, &test_shape);
		check_kinds(&shape, &test_shape);
	}
	if ((options->holdout == RECSYS_HOLDOUT_LAST || options->holdout == RECSYS_HOLDOUT_SINCE) && !shape.timed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no time to split by"),
				 errhint("The query must return user, item [, weight], time.")));

	MemoryContextSwitchTo(context);
	init_split(split, &shape);
	splitter.split = split;
	number_items(&splitter, train, test);
	split_users(&splitter, train, test);
	RecsysCollectorFree(train);
	if (test != NULL)
		RecsysCollectorFree(test);
	MemoryContextSwitchTo(old);
	return split;
}

void
RecsysSplitFree(RecsysSplit *split)
{
	MemoryContextDelete(split->context);
}
