/*
 * recount.c
 *	  Computing the graph rows of some items anew, and adjusting those of others.
 *
 * An item is recomputed from the two directions of the interaction graph: its
 * postings tell its users, their lists tell what else they have.  Users' visible
 * rows are folded just as in a build, so the counts are those of a build.  The
 * items of one round share the reading of their users; a round whose histories
 * do not fit in memory is halved, and a single item too large for it is counted
 * piece by piece.
 *
 * From the counts c_xy of an item x follow x's own row, and what the row of y
 * has to say about x, for every y.  The latter is written only where it matters:
 * where x is stored in y's row already, or stands above its floor.  To find
 * that out, a row is looked at once a round, when it first comes up; pairs with
 * items of the round that it stores are noted then.
 *
 * A pair that x has lost altogether does not come up when x is counted.  It is
 * found in the rows that the caller names: those of what the users with changes
 * still have.  (If they have lost the other item too, that one is recomputed as
 * well, now or with a later change, and its row is written anew.)
 *
 * Where scores are learned they stay what they are, and so does what pairs there
 * are, but for those that fall below min_support.  Users and supports are counted
 * all the same, and the row is flagged stale: it waits for a build.
 */
#include "postgres.h"

#include <math.h>

#include "am/enlarge.h"
#include "am/itemorder.h"
#include "am/owner.h"
#include "am/pending.h"
#include "am/recount.h"
#include "core/history.h"
#include "fault.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Which user of the round has which of its items */
typedef struct Member
{
	uint32		slot;
	uint32		user;
	float		weight;
} Member;

/* A row that stores a pair with an item of the round; a list for each slot */
typedef struct StoredPair
{
	uint32		row;
	uint32		support;
	float		score;
	uint32		next;
} StoredPair;

struct RecsysRecount
{
	Relation	heap;
	Relation	index;
	Size		memory;
	RecsysMetaData meta;
	RecsysModelOptions options;
	bool		uses_dots;
	bool		symmetric;		/* is the score of (x, y) that of (y, x)? */
	int			capacity;
	uint32		nitems;
	RecsysUserReader *reader;
	RecsysGraphReader graph;
	RecsysNeighborOrder order;
	MemoryContext context;
	MemoryContext round;

	/* by item number; all zero or NULL between rounds */
	uint32	   *slots;			/* place in the round + 1 */
	uint32	   *counts;
	double	   *dots;
	uint32	   *stored_at;		/* slot + 1 whose pair the row stores */

	/* by item number: what the graph row says, where loaded */
	bool	   *loaded;
	uint32	   *users;
	double	   *norm2;
	float	   *floors;

	/* the round */
	const uint32 *items;
	uint32		nround;
	RecsysHistories histories;
	Member	   *members;
	uint64		nmembers;
	uint64		maxmembers;
	bool		overflow;
	bool		rows_only;
	bool		all_rows;
	uint32	   *touched;
	uint32		ntouched;
	StoredPair *stored;
	uint32		nstored;
	uint32		maxstored;
	uint32	   *stored_heads;	/* by slot: first of its list + 1 */
	RecsysRowUpdate *rows;
	RecsysPairUpdate *pairs;
	uint64		npairs;
	uint64		maxpairs;
	RecsysHistoryItem *folded;
	int			maxfolded;
};

static void *
zeroed(RecsysRecount *recount, Size size)
{
	return MemoryContextAllocExtended(recount->context, Max(size, 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

RecsysRecount *
RecsysRecountCreate(Relation heap, Relation index, Snapshot snapshot, Size memory)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys recount",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysRecount *recount = MemoryContextAllocZero(context, sizeof(RecsysRecount));
	MemoryContext old = MemoryContextSwitchTo(context);
	Size		nitems;

	recount->heap = heap;
	recount->index = index;
	recount->context = context;
	recount->round = AllocSetContextCreate(context, "recsys recount round", ALLOCSET_DEFAULT_SIZES);
	recount->memory = Max(memory, 1024 * 1024);

	/* after the snapshot was taken: no row that it sees has a higher number */
	recount->meta = RecsysRefreshCache(index)->meta;
	recount->nitems = recount->meta.nitems;
	nitems = recount->nitems;

	recount->options.similarity = recount->meta.similarity;
	recount->options.neighbors = recount->meta.neighbors;
	recount->options.min_support = recount->meta.min_support;
	recount->options.shrinkage = recount->meta.shrinkage;
	recount->options.alpha = recount->meta.alpha;
	recount->uses_dots = recount->meta.weighted && recount->meta.similarity == RECSYS_COSINE &&
		!recount->meta.learned;
	recount->symmetric = recount->meta.alpha == 0 &&
		(recount->meta.similarity == RECSYS_COSINE || recount->meta.similarity == RECSYS_JACCARD ||
		 recount->meta.similarity == RECSYS_DICE);
	recount->capacity = RECSYS_ROW_CAPACITY(recount->meta.neighbors);

	recount->reader = RecsysUserReaderCreate(heap, index, snapshot);
	RecsysGraphReaderInit(&recount->graph, index);
	recount->order.nsorted = recount->meta.nsorted;
	recount->order.compare_keys = RecsysItemOrderCompare;
	recount->order.arg = RecsysItemOrderCreate(index, recount->nitems);

	recount->slots = zeroed(recount, sizeof(uint32) * nitems);
	recount->counts = zeroed(recount, sizeof(uint32) * nitems);
	if (recount->uses_dots)
		recount->dots = zeroed(recount, sizeof(double) * nitems);
	recount->stored_at = zeroed(recount, sizeof(uint32) * nitems);
	recount->touched = zeroed(recount, sizeof(uint32) * nitems);
	recount->loaded = zeroed(recount, sizeof(bool) * nitems);
	recount->users = zeroed(recount, sizeof(uint32) * nitems);
	recount->norm2 = zeroed(recount, sizeof(double) * nitems);
	recount->floors = zeroed(recount, sizeof(float) * nitems);
	recount->maxfolded = 1024;
	recount->folded = palloc(sizeof(RecsysHistoryItem) * recount->maxfolded);
	MemoryContextSwitchTo(old);
	return recount;
}

void
RecsysRecountFree(RecsysRecount *recount)
{
	RecsysItemOrderFree(recount->order.arg);
	RecsysUserReaderFree(recount->reader);
	RecsysGraphReaderDone(&recount->graph);
	MemoryContextDelete(recount->context);
}

void
RecsysRecountSetUsers(RecsysRecount *recount, uint64 users)
{
	recount->meta.score_users = users;
}

uint32
RecsysRecountItems(const RecsysRecount *recount)
{
	return recount->nitems;
}

RecsysUserReader *
RecsysRecountReader(RecsysRecount *recount)
{
	return recount->reader;
}

/* Take note of what the row of an item says, once a round. */
static void
load_row(RecsysRecount *recount, uint32 item)
{
	RecsysGraphRow row;

	if (recount->loaded[item])
		return;
	row = RecsysGraphNeedRow(&recount->graph, item);
	recount->loaded[item] = true;

	/* items of the round know better how many users they have */
	if (recount->slots[item] == 0)
	{
		recount->users[item] = row->users;
		recount->norm2[item] = row->norm2;
	}
	recount->floors[item] = row->floor_score;
	for (int i = 0; i < row->nstored; i++)
	{
		uint32		peer = row->peers[i];
		StoredPair *pair;

		if (peer >= recount->nitems || recount->slots[peer] == 0)
			continue;
		if (recount->nstored == recount->maxstored)
		{
			recount->maxstored = Max(1024, recount->maxstored * 2);
			recount->stored = RecsysEnlarge(recount->round, recount->stored,
											sizeof(StoredPair) * (Size) recount->maxstored);
		}
		pair = &recount->stored[recount->nstored++];
		pair->row = item;
		pair->support = RecsysRowSupports(row)[i];
		pair->score = RecsysRowScores(row)[i];
		pair->next = recount->stored_heads[recount->slots[peer] - 1];
		recount->stored_heads[recount->slots[peer] - 1] = recount->nstored;
	}
	RecsysGraphReleaseRow(&recount->graph);
}

double
RecsysRecountCost(RecsysRecount *recount, uint32 item)
{
	RecsysGraphRow row = RecsysGraphReadRow(&recount->graph, item);
	double		users;

	if (row == NULL)
		return 0;
	users = row->users;
	RecsysGraphReleaseRow(&recount->graph);
	return (users + 1) * ((double) recount->meta.interactions / Max(recount->meta.users, 1) + 1);
}

static void
start_round(RecsysRecount *recount, const uint32 *items, uint32 nitems)
{
	MemoryContext old;

	MemoryContextReset(recount->round);
	old = MemoryContextSwitchTo(recount->round);
	RecsysHistoriesInit(&recount->histories, recount->nitems, recount->meta.weighted);
	MemoryContextSwitchTo(old);
	recount->items = items;
	recount->nround = nitems;
	recount->members = NULL;
	recount->nmembers = recount->maxmembers = 0;
	recount->overflow = false;
	recount->ntouched = 0;
	recount->stored = NULL;
	recount->nstored = recount->maxstored = 0;
	recount->pairs = NULL;
	recount->npairs = recount->maxpairs = 0;
	recount->stored_heads = MemoryContextAllocExtended(recount->round, sizeof(uint32) * (Size) Max(nitems, 1),
													   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	recount->rows = MemoryContextAllocExtended(recount->round, sizeof(RecsysRowUpdate) * (Size) Max(nitems, 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 slot = 0; slot < nitems; slot++)
		recount->slots[items[slot]] = slot + 1;
}

static void
end_round(RecsysRecount *recount)
{
	for (uint32 slot = 0; slot < recount->nround; slot++)
		recount->slots[recount->items[slot]] = 0;
	memset(recount->loaded, false, recount->nitems);
	MemoryContextReset(recount->round);
}

static void
add_member(RecsysRecount *recount, uint32 slot, uint32 user, float weight)
{
	Member	   *member;

	if (recount->nmembers == recount->maxmembers)
	{
		recount->maxmembers = Max(4096, recount->maxmembers * 2);
		recount->members = RecsysEnlarge(recount->round, recount->members,
										 sizeof(Member) * recount->maxmembers);
	}
	member = &recount->members[recount->nmembers++];
	member->slot = slot;
	member->user = user;
	member->weight = weight;
}

static Size
histories_size(const RecsysRecount *recount)
{
	return RecsysHistoriesEntries(&recount->histories) * (recount->meta.weighted ? 8 : 4) +
		recount->histories.matrix.nrows * sizeof(uint64) + recount->nmembers * sizeof(Member) * 2;
}

/* Visitor: a user of the round. */
static void
add_user(void *arg, RecsysUserView *user)
{
	RecsysRecount *recount = arg;
	bool		member = false;
	int			count;

	if (user->ninteractions == 0 || recount->overflow)
		return;
	if (user->ninteractions > recount->maxfolded)
	{
		pfree(recount->folded);
		recount->maxfolded = Max(user->ninteractions, recount->maxfolded * 2);
		recount->folded = MemoryContextAllocHuge(recount->context,
												 sizeof(RecsysHistoryItem) * (Size) recount->maxfolded);
	}
	count = RecsysHistoryFold(user->interactions, user->ninteractions, recount->meta.max_history,
							  recount->folded, NULL);
	for (int i = 0; i < count; i++)
	{
		uint32		item = recount->folded[i].item;

		if (item >= recount->nitems)
			ereport(ERROR,
					(errcode(ERRCODE_INDEX_CORRUPTED),
					 errmsg("index \"%s\" has an entry with item number %u, which does not exist",
							RelationGetRelationName(recount->index), item),
					 errhint("Please REINDEX it.")));
		if (recount->slots[item] == 0)
			continue;
		member = true;
		add_member(recount, recount->slots[item] - 1, recount->histories.matrix.nrows,
				   recount->folded[i].weight);
	}
	if (!member)
		return;

	RecsysHistoriesAdd(&recount->histories, recount->folded, count);
	if (histories_size(recount) > recount->memory / 2)
		recount->overflow = true;
}

static inline int
compare_hashes(const uint32 *a, const uint32 *b)
{
	return (*a > *b) - (*a < *b);
}

#define ST_SORT sort_hashes
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b) compare_hashes(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/* Hashes of all that have postings of the round's items, sorted and distinct. */
static uint64
posters(RecsysRecount *recount, RecsysHashArray *array)
{
	MemoryContext old = MemoryContextSwitchTo(recount->round);
	uint64		distinct = 0;

	memset(array, 0, sizeof(*array));
	for (uint32 slot = 0; slot < recount->nround; slot++)
	{
		RecsysKey	key;

		CHECK_FOR_INTERRUPTS();
		if (!RecsysGraphReadKey(&recount->graph, recount->items[slot], &key) ||
			!RecsysReadPostings(recount->index, &key, array))
			ereport(ERROR,
					(errcode(ERRCODE_INDEX_CORRUPTED),
					 errmsg("index \"%s\" lacks the owner of item number %u",
							RelationGetRelationName(recount->index), recount->items[slot]),
					 errhint("Please REINDEX it.")));
	}
	if (array->count > 0)
		sort_hashes(array->hashes, array->count);
	for (uint64 i = 0; i < array->count; i++)
	{
		if (i == 0 || array->hashes[i] != array->hashes[i - 1])
			array->hashes[distinct++] = array->hashes[i];
	}
	MemoryContextSwitchTo(old);
	return distinct;
}

/* Add the histories of members first .. last-1, who have the item of one slot. */
static void
count_members(RecsysRecount *recount, uint64 first, uint64 last)
{
	const RecsysMatrix *histories = &recount->histories.matrix;
	uint32	   *counts = recount->counts;

	for (uint64 m = first; m < last; m++)
	{
		const Member *member = &recount->members[m];
		uint64		end = histories->offsets[member->user + 1];

		if (m % 256 == 0)
			CHECK_FOR_INTERRUPTS();
		for (uint64 e = histories->offsets[member->user]; e < end; e++)
		{
			uint32		item = histories->columns[e];

			if (counts[item]++ == 0)
				recount->touched[recount->ntouched++] = item;
			if (recount->uses_dots)
				recount->dots[item] += (double) member->weight * histories->weights[e];
		}
	}
}

static void
clear_counts(RecsysRecount *recount)
{
	for (uint32 i = 0; i < recount->ntouched; i++)
	{
		recount->counts[recount->touched[i]] = 0;
		if (recount->uses_dots)
			recount->dots[recount->touched[i]] = 0;
	}
	recount->ntouched = 0;
}

/*
 * Score that row x has for item y.  Of an inexact item it may still be unknown
 * that it has as many users as are counted here.
 */
static float
score(const RecsysRecount *recount, uint32 x, uint32 y, uint32 count, double dot)
{
	RecsysPairTotals totals;
	double		result;

	totals.n_i = Max(recount->users[x], count);
	totals.n_j = Max(recount->users[y], count);
	totals.n_users = (double) recount->meta.score_users;
	totals.norm2_i = recount->uses_dots ? recount->norm2[x] : totals.n_i;
	totals.norm2_j = recount->uses_dots ? recount->norm2[y] : totals.n_j;
	result = RecsysSimilarityScore(&recount->options, count,
								   recount->uses_dots ? dot : count, &totals);
	return isfinite(result) ? (float) result : 0.0f;
}

static void
flush_pairs(RecsysRecount *recount)
{
	RecsysGraphUpdate(recount->index, &recount->order, NULL, 0, recount->pairs, recount->npairs);
	recount->npairs = 0;
}

static void
put_pair(RecsysRecount *recount, uint32 row, uint32 item, uint32 support, float pair_score)
{
	RecsysPairUpdate *pair;

	if (recount->npairs == recount->maxpairs)
	{
		/* rather write what there is than take more memory */
		if (recount->npairs * sizeof(RecsysPairUpdate) >= recount->memory / 4)
			flush_pairs(recount);
		else
		{
			recount->maxpairs = Max(4096, recount->maxpairs * 2);
			recount->pairs = RecsysEnlarge(recount->round, recount->pairs,
										   sizeof(RecsysPairUpdate) * recount->maxpairs);
		}
	}
	pair = &recount->pairs[recount->npairs++];
	pair->row = row;
	pair->item = item;
	pair->support = support;
	pair->score = pair_score;
}

/*
 * From the counts of an item whose scores are learned: the supports of its pairs,
 * in its own row and in others; without enough of it a pair goes.
 */
static void
finish_learned_item(RecsysRecount *recount, uint32 slot)
{
	uint32		x = recount->items[slot];
	uint32		min_support = recount->options.min_support;
	RecsysRowUpdate *update = &recount->rows[slot];
	RecsysNeighborList *list = &update->list;
	RecsysGraphRow row;

	for (uint32 i = 0; i < recount->ntouched; i++)
		load_row(recount, recount->touched[i]);
	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
	{
		const StoredPair *pair = &recount->stored[p - 1];
		uint32		support = recount->counts[pair->row];

		if (recount->slots[pair->row] == 0)
			put_pair(recount, pair->row, x, support, support >= min_support ? pair->score : 0);
	}

	row = RecsysGraphNeedRow(&recount->graph, x);
	list->neighbors = MemoryContextAlloc(recount->round,
										 sizeof(RecsysNeighbor) * Max(row->nstored, 1));
	list->count = 0;
	for (int i = 0; i < row->nstored; i++)
	{
		uint32		y = row->peers[i];

		if (y >= recount->nitems || recount->counts[y] < min_support)
			continue;
		list->neighbors[list->count].item = y;
		list->neighbors[list->count].support = recount->counts[y];
		list->neighbors[list->count++].score = RecsysRowScores(row)[i];
	}
	RecsysGraphReleaseRow(&recount->graph);
	update->item = x;
	update->users = recount->users[x];
	update->norm2 = recount->norm2[x];
	update->flags = RECSYS_ROW_STALE;
}

/*
 * From the counts of an item: its row, and its pairs in other rows.  The rows of
 * the round's other items are written anew themselves.
 */
static void
finish_item(RecsysRecount *recount, uint32 slot)
{
	uint32		x = recount->items[slot];
	uint32		min_support = recount->options.min_support;
	RecsysRowUpdate *update = &recount->rows[slot];
	RecsysNeighbor *candidates;
	int			ncandidates = 0;
	RecsysNeighbor *kept;

	if (recount->meta.learned)
	{
		finish_learned_item(recount, slot);
		return;
	}

	for (uint32 i = 0; i < recount->ntouched; i++)
	{
		if (recount->counts[recount->touched[i]] >= min_support)
		{
			load_row(recount, recount->touched[i]);
			ncandidates++;
		}
	}
	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
		recount->stored_at[recount->stored[p - 1].row] = slot + 1;

	candidates = recsys_alloc_huge(sizeof(RecsysNeighbor) * (Size) Max(ncandidates, 1));
	ncandidates = 0;
	for (uint32 i = 0; i < recount->ntouched; i++)
	{
		uint32		y = recount->touched[i];
		uint32		count = recount->counts[y];
		double		dot = recount->uses_dots ? recount->dots[y] : count;
		float		theirs;
		float		ours;

		if (count < min_support || y == x)
			continue;
		ours = score(recount, x, y, count, dot);
		if (ours > 0)
		{
			candidates[ncandidates].item = y;
			candidates[ncandidates].support = count;
			candidates[ncandidates++].score = ours;
		}
		if (recount->slots[y] != 0 || recount->rows_only)
			continue;
		theirs = recount->symmetric ? ours : score(recount, y, x, count, dot);
		if (recount->stored_at[y] == slot + 1 || (theirs > 0 && theirs >= recount->floors[y]))
			put_pair(recount, y, x, count, theirs);
	}

	/* what is stored but has no support any more */
	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
	{
		uint32		y = recount->stored[p - 1].row;

		if (recount->counts[y] < min_support && recount->slots[y] == 0 && !recount->rows_only)
			put_pair(recount, y, x, 0, 0);
		recount->stored_at[y] = 0;
	}

	update->item = x;
	update->users = recount->users[x];
	update->norm2 = recount->norm2[x];
	RecsysNeighborListSelect(&update->list, candidates, ncandidates, recount->capacity,
							 &recount->order);
	kept = MemoryContextAlloc(recount->round,
							  sizeof(RecsysNeighbor) * Max(update->list.count, 1));
	memcpy(kept, update->list.neighbors, sizeof(RecsysNeighbor) * update->list.count);
	update->list.neighbors = kept;
	pfree(candidates);
}

/* Counting sort of the members by slot; returns where each slot's begin. */
static uint64 *
group_members(RecsysRecount *recount)
{
	uint64	   *starts = MemoryContextAllocExtended(recount->round,
													sizeof(uint64) * ((Size) recount->nround + 2),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	Member	   *sorted = MemoryContextAllocHuge(recount->round,
												sizeof(Member) * Max(recount->nmembers, 1));

	for (uint64 m = 0; m < recount->nmembers; m++)
		starts[recount->members[m].slot + 2]++;
	for (uint32 slot = 0; slot < recount->nround; slot++)
		starts[slot + 2] += starts[slot + 1];
	for (uint64 m = 0; m < recount->nmembers; m++)
		sorted[starts[recount->members[m].slot + 1]++] = recount->members[m];
	if (recount->members != NULL)
		pfree(recount->members);
	recount->members = sorted;
	return starts;
}

/* Users and squared weights of an item, from its members. */
static void
total_members(RecsysRecount *recount, uint32 item, uint64 first, uint64 last)
{
	for (uint64 m = first; m < last; m++)
	{
		double		weight = recount->meta.weighted ? recount->members[m].weight : 1.0;

		recount->users[item]++;
		recount->norm2[item] += weight * weight;
	}
}

/* Rows that may hold pairs which do not come up in counting. */
static void
load_named_rows(RecsysRecount *recount, const uint32 *rows, uint64 nrows)
{
	for (uint64 i = 0; i < nrows; i++)
		load_row(recount, rows[i]);
	for (uint32 item = 0; recount->all_rows && item < recount->nitems; item++)
	{
		if (item % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		load_row(recount, item);
	}
}

/* One item whose users' histories do not fit in memory: piece by piece. */
static void
recount_large_item(RecsysRecount *recount, uint32 item, const uint32 *rows, uint64 nrows)
{
	RecsysHashArray array;
	uint64		nhashes;

	start_round(recount, &item, 1);
	nhashes = posters(recount, &array);
	recount->users[item] = 0;
	recount->norm2[item] = 0;
	for (uint64 i = 0; i < nhashes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysUserReaderRead(recount->reader, array.hashes[i], add_user, recount);
		if (recount->overflow || i == nhashes - 1)
		{
			total_members(recount, item, 0, recount->nmembers);
			count_members(recount, 0, recount->nmembers);
			RecsysHistoriesClear(&recount->histories);
			recount->nmembers = 0;
			recount->overflow = false;
		}
	}
	load_named_rows(recount, rows, nrows);
	finish_item(recount, 0);
	clear_counts(recount);
	RecsysGraphUpdate(recount->index, &recount->order, recount->rows, 1,
					  recount->pairs, recount->npairs);
	end_round(recount);
}

/* Some items at once; false when their users' histories do not fit in memory. */
static bool
recount_round(RecsysRecount *recount, const uint32 *items, uint32 nitems,
			  const uint32 *rows, uint64 nrows)
{
	RecsysHashArray array;
	uint64		nhashes;
	uint64	   *starts;

	start_round(recount, items, nitems);
	nhashes = posters(recount, &array);
	for (uint64 i = 0; i < nhashes && !recount->overflow; i++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysUserReaderRead(recount->reader, array.hashes[i], add_user, recount);
	}
	if (recount->overflow)
	{
		end_round(recount);
		return false;
	}

	/* all numbers of users must be known before the first score */
	starts = group_members(recount);
	for (uint32 slot = 0; slot < nitems; slot++)
	{
		recount->users[items[slot]] = 0;
		recount->norm2[items[slot]] = 0;
		total_members(recount, items[slot], starts[slot], starts[slot + 1]);
	}
	load_named_rows(recount, rows, nrows);
	for (uint32 slot = 0; slot < nitems; slot++)
	{
		count_members(recount, starts[slot], starts[slot + 1]);
		finish_item(recount, slot);
		clear_counts(recount);
	}
	RecsysGraphUpdate(recount->index, &recount->order, recount->rows, nitems,
					  recount->pairs, recount->npairs);
	end_round(recount);
	return true;
}

void
RecsysRecountExactly(RecsysRecount *recount, const uint32 *items, uint32 nitems,
					 const uint32 *rows, uint64 nrows, bool all_rows, bool rows_only)
{
	MemoryContext old = MemoryContextSwitchTo(recount->round);

	recount->rows_only = rows_only;
	recount->all_rows = all_rows;

	/* a round that fails has read half of the memory's worth: don't try too much */
	while (nitems > 0)
	{
		Size		per_entry = recount->meta.weighted ? 8 : 4;
		double		room = (double) recount->memory / 2 / per_entry;
		double		all = (double) recount->meta.interactions;
		double		entries = 0;
		uint32		n = 0;

		while (n < nitems && (n == 0 || entries < room || all < room))
			entries += RecsysRecountCost(recount, items[n++]);

		while (n > 1 && !recount_round(recount, items, n, rows, nrows))
			n /= 2;
		if (n == 1)
			recount_large_item(recount, items[0], rows, nrows);
		RECSYS_FAULT("merge-round");
		items += n;
		nitems -= n;
	}
	MemoryContextSwitchTo(old);
}

/* What is counted comes on top, but no pair has more users than its items. */
static uint32
adjusted_support(const RecsysRecount *recount, uint32 x, uint32 y, uint32 support)
{
	return Min(support + recount->counts[y], Min(recount->users[x], recount->users[y]));
}

/* The users of an item of the round, those first .. last-1 among the members added. */
static void
adjust_users(RecsysRecount *recount, uint32 item, uint64 first, uint64 last)
{
	RecsysGraphRow row = RecsysGraphNeedRow(&recount->graph, item);

	recount->users[item] = row->users + (uint32) (last - first);
	recount->norm2[item] = row->norm2;
	RecsysGraphReleaseRow(&recount->graph);
	for (uint64 m = first; m < last; m++)
		recount->norm2[item] += (double) recount->members[m].weight * recount->members[m].weight;
}

/* The row of an item of the round, its supports and scores adjusted by the counts. */
static void
adjust_row(RecsysRecount *recount, uint32 slot)
{
	uint32		x = recount->items[slot];
	RecsysRowUpdate *update = &recount->rows[slot];
	RecsysGraphRow row = RecsysGraphNeedRow(&recount->graph, x);
	RecsysNeighborList *list = &update->list;
	PGAlignedBlock copy;
	int			extra = 0;

	memcpy(copy.data, row, RECSYS_ROW_SIZE(row->nstored, row->keylen));
	RecsysGraphReleaseRow(&recount->graph);
	row = (RecsysGraphRow) copy.data;

	update->item = x;
	update->users = recount->users[x];
	update->norm2 = recount->norm2[x];
	update->flags = row->flags | RECSYS_ROW_INEXACT | (recount->meta.learned ? RECSYS_ROW_STALE : 0);
	list->floor_score = row->floor_score;
	list->floor_item = row->floor_item;

	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
	{
		recount->stored_at[recount->stored[p - 1].row] = slot + 1;
		extra++;
	}
	list->neighbors = MemoryContextAlloc(recount->round,
										 sizeof(RecsysNeighbor) * (row->nstored + extra + 1));
	list->count = 0;

	for (int i = 0; i < row->nstored; i++)
	{
		RecsysNeighbor *neighbor = &list->neighbors[list->count];
		uint32		y = row->peers[i];
		double		dot = 0;

		load_row(recount, y);
		recount->stored_at[y] = 0;
		if (recount->uses_dots)
			dot = (double) RecsysRowScores(row)[i] * sqrt(row->norm2 * recount->norm2[y]) +
				recount->dots[y];
		neighbor->item = y;
		neighbor->support = adjusted_support(recount, x, y, RecsysRowSupports(row)[i]);
		neighbor->score = recount->meta.learned ? RecsysRowScores(row)[i] :
			score(recount, x, y, neighbor->support, dot);
		if (neighbor->score > 0 && neighbor->support >= recount->options.min_support)
			list->count++;
	}

	/* pairs that only the other row stores, and those rows */
	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
	{
		uint32		y = recount->stored[p - 1].row;
		RecsysNeighbor *neighbor = &list->neighbors[list->count];
		uint32		support = adjusted_support(recount, x, y, recount->stored[p - 1].support);

		if (recount->counts[y] == 0 || recount->uses_dots ||
			support < recount->options.min_support)
			continue;
		put_pair(recount, y, x, support, recount->meta.learned ? recount->stored[p - 1].score :
				 score(recount, y, x, support, 0));
		if (recount->stored_at[y] != slot + 1 || recount->meta.learned)
			continue;
		neighbor->item = y;
		neighbor->support = support;
		neighbor->score = score(recount, x, y, support, 0);
		if (neighbor->score > 0 && neighbor->score >= row->floor_score)
			list->count++;
	}
	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
		recount->stored_at[recount->stored[p - 1].row] = 0;

	RecsysNeighborSort(list->neighbors, list->count, &recount->order);
	list->count = Min(list->count, recount->capacity);
}

/*
 * Members are users that have added an item of the round; what they have beside
 * it is counted as for an exact row.
 */
void
RecsysRecountAdjust(RecsysRecount *recount, const uint32 *items, uint32 nitems,
					const RecsysChangedUsers *users, bool shrunk)
{
	const RecsysMatrix *matrix = &users->histories.matrix;
	MemoryContext old;
	uint64	   *starts;

	if (nitems == 0)
		return;
	old = MemoryContextSwitchTo(recount->round);
	recount->rows_only = false;
	start_round(recount, items, nitems);
	recount->histories = users->histories;
	for (uint32 user = 0; user < matrix->nrows; user++)
	{
		for (uint64 e = matrix->offsets[user]; e < matrix->offsets[user + 1]; e++)
		{
			if (users->added[e] && recount->slots[matrix->columns[e]] != 0)
				add_member(recount, recount->slots[matrix->columns[e]] - 1, user,
						   matrix->weights ? matrix->weights[e] : 1.0f);
		}
	}
	starts = group_members(recount);

	/* all numbers of users must be known before the first score */
	for (uint32 slot = 0; slot < nitems; slot++)
		adjust_users(recount, items[slot], starts[slot], starts[slot + 1]);
	for (uint32 slot = 0; slot < nitems; slot++)
	{
		count_members(recount, starts[slot], starts[slot + 1]);
		for (uint32 i = 0; i < recount->ntouched; i++)
			load_row(recount, recount->touched[i]);
		adjust_row(recount, slot);
		if (shrunk)
			recount->rows[slot].flags |= RECSYS_ROW_SHRUNK;
		clear_counts(recount);
	}
	RecsysGraphUpdate(recount->index, &recount->order, recount->rows, nitems,
					  recount->pairs, recount->npairs);
	end_round(recount);
	MemoryContextSwitchTo(old);
}
