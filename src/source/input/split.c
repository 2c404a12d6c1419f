/*
 * split.c
 *	  Interactions split into a part to learn from and a part to be foretold.
 *
 * Here the queries are run and their users gone through; splituser.c divides what a
 * user has.
 *
 * Users come from the collector in the order of their hashes.  With a test query
 * there are two collectors, whose hashes have the same seed, so that they are
 * merged like two sorted lists.
 */
#include "postgres.h"

#include "core/base/random.h"
#include "miscadmin.h"
#include "source/input/collector.h"
#include "source/input/query.h"
#include "source/input/split.h"
#include "source/input/splitbasket.h"
#include "source/input/splituser.h"
#include "utils/memutils.h"

#define FIRST_ROWS 1024
#define FIRST_ENTRIES 16384

/* Look at the memory used every so many users. */
#define CHECK_USERS 256

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
read_user(Cursor *cursor, const uint32 *numbers, RecsysInteractionList *interactions)
{
	RecsysUserRow row;

	while (RecsysCollectorNextOfUser(cursor->collector, &row))
	{
		if (numbers != NULL)
			row.interaction.item = numbers[row.interaction.item];
		RecsysSplitAdd(interactions, &row.interaction);
	}
}

static void
split_users(RecsysSplitter *splitter, RecsysCollector *train, RecsysCollector *test)
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
		RecsysSplitUser(splitter, user);
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
number_items(RecsysSplitter *splitter, RecsysCollector *train, RecsysCollector *test)
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
	split->weights = palloc(sizeof(double) * FIRST_ENTRIES);
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
	RecsysSplitter	splitter = {0};

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
	if ((options->holdout == RECSYS_HOLDOUT_LAST || options->holdout == RECSYS_HOLDOUT_SINCE ||
		 options->holdout == RECSYS_HOLDOUT_BASKET) && !shape.timed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no time to split by"),
				 errhint("The query must return user, item [, weight], time.")));

	MemoryContextSwitchTo(context);
	init_split(split, &shape);
	splitter.split = split;
	number_items(&splitter, train, test);
	if (options->holdout == RECSYS_HOLDOUT_BASKET)
		split->baskets = RecsysSplitBasketsCreate(split);
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
