/*
 * scorepiece.c
 *	  One signal's share of the scores.
 *
 * Scores are added up by slots.  Within a visit to a row its page is locked, so what has no
 * slot yet is put aside, and gets one when all rows have been visited: that happens once for
 * each item of a session.
 */
#include "postgres.h"

#include <math.h>

#include "api/here/nodeevents.h"
#include "api/candidates/scorepiece.h"
#include "api/scoring/factorserving.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

static int
compare_numbers(const void *a, const void *b)
{
	const RecsysPieceItem *left = a;
	const RecsysPieceItem *right = b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return (int) left->is_context - (int) right->is_context;
}

static int
compare_slots(const void *a, const void *b)
{
	const RecsysPieceItem *left = a;
	const RecsysPieceItem *right = b;

	if (left->slot != right->slot)
		return left->slot < right->slot ? -1 : 1;
	return (int) left->is_context - (int) right->is_context;
}

static void
open_by_name(RecsysScorePiece *piece, RecsysShop *shop, const char *name)
{
	Oid			oid = RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name))),
									   NoLock, false);
	char		kind = get_rel_relkind(oid);

	if (kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX)
	{
		(void) RecsysOpenEvents(name, &piece->graph, NULL, NULL);
		piece->is_own = true;
		piece->map = RecsysCatalogueMap(shop->catalogue, piece->graph.index);
	}
	else
		piece->table = RecsysGetTableGraph(shop, name, oid,
										   RecsysCatalogueKind(piece->catalogue != NULL ? piece->catalogue : shop->catalogue));
}

/* Numbers of the events' own index are there already; others are looked up. */
void
RecsysFindPieceNumbers(RecsysScorePiece *piece)
{
	bool		sorted = true;

	for (int x = 0; x < piece->count; x++)
	{
		CHECK_FOR_INTERRUPTS();
		if (piece->items[x].number == RECSYS_NONE)
			piece->items[x].number = RecsysMapNumber(piece->map, piece->graph.index, piece->items[x].slot);
		sorted = sorted && (x == 0 || piece->items[x - 1].number <= piece->items[x].number);
	}
	if (!sorted)
		qsort(piece->items, piece->count, sizeof(RecsysPieceItem), compare_numbers);
}

void
RecsysOpenPieceGraph(RecsysScorePiece *piece, RecsysShop *shop, const char *name,
					 const RecsysEvidence *own)
{
	if (name != NULL)
		open_by_name(piece, shop, name);
	else
	{
		piece->graph = own->events;
		piece->map = own->map;
	}
	if (piece->graph.index == NULL)
	{
		qsort(piece->items, piece->count, sizeof(RecsysPieceItem), compare_slots);
		return;
	}
	piece->by_factors = RecsysGetCache(piece->graph.index)->meta.factor_rank > 0;
	piece->excluded = RecsysGetExcludedPairs(shop->definition, piece->graph.index);
	RecsysFindPieceNumbers(piece);
}

void
RecsysClosePieceGraph(RecsysScorePiece *piece)
{
	if (piece->is_own)
		RecsysCloseRecommender(&piece->graph);
	piece->is_own = false;
	piece->graph.index = NULL;
}

/* Rows that are visited together */
#define BATCH 64

/* Pairs that wait for a slot, at most; no less than a row can have */
#define WAITING 4096
StaticAssertDecl(WAITING >= RECSYS_MAX_STORED, "a row of unknown items must find room");

/* A pair whose item had no slot while its row was visited, that is, with its page locked */
typedef struct WaitingPair
{
	uint32		item;
	double		score;
} WaitingPair;

/* A batch of rows, on their way into the sums */
typedef struct RowBatch
{
	RecsysScorer *scorer;
	const uint32 *slots;		/* by the index's numbers */
	uint32		nslots;
	RecsysExcludedPairs *excluded;
	uint32		numbers[BATCH];	/* whose rows are visited */
	double		weights[BATCH];
	float		highest;		/* similarity of all */

	WaitingPair *waiting;
	int			nwaiting;
	int			nagain;			/* rows that have found no room there: at the front of those arrays */
} RowBatch;

static void
add_row(void *arg, int place, RecsysStoredRow row)
{
	RowBatch   *batch = arg;
	int			left[RECSYS_MAX_STORED];
	float		room[RECSYS_MAX_STORED];
	uint32		peers[RECSYS_MAX_STORED];
	const float *scores;
	int			n = row->nneighbors;
	int			nleft;

	if (batch->nwaiting + n > WAITING)
	{
		batch->numbers[batch->nagain] = batch->numbers[place];
		batch->weights[batch->nagain++] = batch->weights[place];
		return;
	}
	RecsysStoredPeers(row, peers);
	scores = RecsysStoredScores(row);
	if (n > 0)
		batch->highest = Max(batch->highest, scores[0]);
	scores = RecsysExcludedScores(batch->excluded, row->item, peers, scores, n, room);
	nleft = RecsysScorerAddMapped(batch->scorer, batch->weights[place], peers, scores, n,
								  batch->slots, batch->nslots, left);
	for (int x = 0; x < nleft; x++)
		batch->waiting[batch->nwaiting++] = (WaitingPair)
	{
		peers[left[x]], batch->weights[place] * scores[left[x]]
	};
}

/* No page is locked any more. */
static void
add_waiting(RowBatch *batch, RecsysGraphReader *reader, RecsysItemMap *map,
			RecsysCatalogue *catalogue)
{
	for (int x = 0; x < batch->nwaiting; x++)
	{
		uint32		slot = RecsysMapSlot(map, reader, batch->waiting[x].item);

		CHECK_FOR_INTERRUPTS();
		if (slot == RECSYS_NONE)
			continue;
		RecsysScorerExtend(batch->scorer, slot + 1);
		RecsysScorerAddScore(batch->scorer, slot, batch->waiting[x].score);
	}
	if (batch->nwaiting > 0)
		RecsysScorerExtend(batch->scorer, RecsysCatalogueCount(catalogue));
	batch->nwaiting = 0;
}

static void
add_batch(RowBatch *batch, RecsysGraphReader *reader, RecsysItemMap *map,
		  RecsysCatalogue *catalogue, int n)
{
	while (n > 0)
	{
		batch->slots = RecsysMapSlots(map, &batch->nslots);
		batch->nagain = 0;
		RecsysExcludedPrepare(batch->excluded, batch->numbers, n);
		RecsysGraphVisitStored(reader, batch->numbers, n, add_row, batch);
		add_waiting(batch, reader, map, catalogue);
		n = batch->nagain;
	}
}

static void
add_rows(RecsysScorePiece *piece, RecsysCatalogue *catalogue, RecsysScorer *scorer,
		 double multiplier)
{
	RowBatch   *batch = palloc(sizeof(RowBatch));
	RecsysGraphReader reader;
	int			n = 0;

	batch->scorer = scorer;
	batch->excluded = piece->excluded;
	batch->highest = 0;
	batch->waiting = palloc(sizeof(WaitingPair) * WAITING);
	batch->nwaiting = 0;
	RecsysGraphReaderInit(&reader, piece->graph.index);
	RecsysGraphReaderRemember(&reader);
	for (int x = 0; x < piece->count; x++)
	{
		if (piece->items[x].number == RECSYS_NONE)
			continue;
		batch->numbers[n] = piece->items[x].number;
		batch->weights[n++] = multiplier * piece->items[x].weight;
		if (n < BATCH)
			continue;
		add_batch(batch, &reader, piece->map, catalogue, n);
		n = 0;
	}
	add_batch(batch, &reader, piece->map, catalogue, n);
	RecsysGraphReaderDone(&reader);
	piece->self = batch->highest;
	pfree(batch->waiting);
	pfree(batch);
}

static void
add_prior(RecsysScorePiece *piece, RecsysCatalogue *catalogue, RecsysScorer *scorer,
		  double multiplier)
{
	RecsysGraphReader reader;

	RecsysExcludedPrepare(piece->excluded, piece->prior->items, piece->prior->count);
	RecsysGraphReaderInit(&reader, piece->graph.index);
	for (int x = 0; x < piece->prior->count; x++)
	{
		uint32		slot = RecsysMapSlot(piece->map, &reader, piece->prior->items[x]);

		if (slot == RECSYS_NONE)
			continue;
		if (slot + 1 == RecsysCatalogueCount(catalogue))
			RecsysScorerExtend(scorer, slot + 1);
		RecsysScorerAddScore(scorer, slot, multiplier * piece->prior->scores[x] *
							 RecsysExcludedItemShare(piece->excluded, piece->prior->items[x]));
	}
	RecsysGraphReaderDone(&reader);
}

/* Pairs from a relation */
typedef struct PairSum
{
	RecsysScorePiece *piece;
	RecsysScorer *scorer;
	double		multiplier;
	uint32		nitems;			/* that the scorer has room for */
	float		highest;
} PairSum;

static void
add_pair(void *arg, int place, uint32 similar, float score, int64 support)
{
	PairSum    *sum = arg;

	if (similar >= sum->nitems)
	{
		sum->nitems = similar + 1;
		RecsysScorerExtend(sum->scorer, sum->nitems);
	}
	sum->highest = Max(sum->highest, score);
	RecsysScorerAddScore(sum->scorer, similar,
						 sum->multiplier * sum->piece->items[place].weight * score);
}

uint32 *
RecsysPieceSlots(const RecsysScorePiece *piece)
{
	uint32	   *slots = palloc_extended(sizeof(uint32) * (Size) Max(piece->count, 1),
										MCXT_ALLOC_HUGE);

	for (int x = 0; x < piece->count; x++)
		slots[x] = piece->items[x].slot;
	return slots;
}

static void
add_pairs(RecsysScorePiece *piece, RecsysCatalogue *catalogue, RecsysScorer *scorer,
		  double multiplier)
{
	PairSum		sum = {piece, scorer, multiplier, RecsysCatalogueCount(catalogue), 0};
	uint32	   *slots = RecsysPieceSlots(piece);

	RecsysScorerExtend(scorer, sum.nitems);
	RecsysVisitTableGraph(piece->table, piece->catalogue, catalogue, slots, piece->count, RECSYS_NONE,
						  add_pair, &sum);
	piece->self = sum.highest;
	pfree(slots);
}

void
RecsysPieceProfile(const RecsysScorePiece *piece, bool negative, RecsysProfile *profile, int *places)
{
	memset(profile, 0, sizeof(*profile));
	profile->items = palloc_extended(sizeof(uint32) * (Size) Max(piece->count, 1), MCXT_ALLOC_HUGE);
	profile->weights = palloc_extended(sizeof(double) * (Size) Max(piece->count, 1),
									   MCXT_ALLOC_HUGE);
	for (int x = 0; x < piece->count; x++)
	{
		if (piece->items[x].number == RECSYS_NONE || (piece->items[x].weight < 0) != negative)
			continue;
		if (places != NULL)
			places[profile->nevidence] = x;
		profile->items[profile->nevidence] = piece->items[x].number;
		profile->weights[profile->nevidence++] = fabs(piece->items[x].weight);
	}
}

/* What a piece's factors say goes through a scorer by the index's own numbers. */
static void
add_by_factors(RecsysScorePiece *piece, RecsysCatalogue *catalogue, RecsysScorer *scorer,
			   double multiplier, bool negative, int k, const uint32 *left_out, int nleft_out)
{
	RecsysLease *lease = RecsysScorerLease(RecsysItemCount(piece->graph.index));
	RecsysScorer *numbers = RecsysLeased(lease);
	RecsysGraphReader reader;
	RecsysProfile profile;
	const uint32 *touched;
	uint32		ntouched;
	double		sum = 0;

	for (int x = 0; x < nleft_out; x++)
	{
		uint32		number = RecsysMapNumber(piece->map, piece->graph.index, left_out[x]);

		if (number != RECSYS_NONE)
			RecsysScorerExclude(numbers, number);
	}
	RecsysPieceProfile(piece, negative, &profile, NULL);
	(void) RecsysScoreByFactors(&piece->graph, &profile, k, numbers);
	for (int x = 0; x < profile.nevidence; x++)
		sum += profile.weights[x];
	ntouched = RecsysScorerTouched(numbers, &touched);
	RecsysGraphReaderInit(&reader, piece->graph.index);
	for (uint32 x = 0; x < ntouched; x++)
	{
		float		score = RecsysScorerScore(numbers, touched[x]);
		uint32		slot;

		if (x % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (!(score > 0) || (slot = RecsysMapSlot(piece->map, &reader, touched[x])) == RECSYS_NONE)
			continue;
		RecsysScorerExtend(scorer, slot + 1);
		RecsysScorerAddScore(scorer, slot, (negative ? -multiplier : multiplier) * score);
		piece->self = Max(piece->self, score / sum);
	}
	RecsysGraphReaderDone(&reader);
	pfree(profile.items);
	pfree(profile.weights);
	RecsysScorerReturn(lease);
}

/* What is pushed down is nearest to itself: as near as anything of the user's is to anything. */
static void
add_self(RecsysScorePiece *piece, RecsysScorer *scorer, double multiplier)
{
	if (!(piece->self > 0))
		piece->self = 1;
	for (int x = 0; x < piece->count; x++)
		if (RecsysPieceItemIsNegative(piece, &piece->items[x]))
			RecsysScorerAddScore(scorer, piece->items[x].slot,
								 multiplier * piece->items[x].weight * piece->self);
}

static bool
has_sign(const RecsysScorePiece *piece, bool negative)
{
	for (int x = 0; x < piece->count; x++)
		if ((piece->items[x].weight < 0) == negative)
			return true;
	return false;
}

void
RecsysAddPiece(RecsysScorePiece *piece, RecsysCatalogue *catalogue, RecsysLease *lease,
			   double multiplier, int k, const uint32 *left_out, int nleft_out)
{
	RecsysScorer *scorer = RecsysLeased(lease);

	RecsysScorerExtend(scorer, RecsysCatalogueCount(catalogue));
	piece->self = 0;
	if (piece->table != NULL && piece->count > 0)
		add_pairs(piece, catalogue, scorer, multiplier);
	else if (piece->by_factors)
	{
		if (has_sign(piece, false))
			add_by_factors(piece, catalogue, scorer, multiplier, false, k, left_out, nleft_out);
		if (has_sign(piece, true))
			add_by_factors(piece, catalogue, scorer, multiplier, true, PG_INT32_MAX, NULL, 0);
	}
	else if (piece->table == NULL)
		add_rows(piece, catalogue, scorer, multiplier);
	if (piece->prior != NULL)
		add_prior(piece, catalogue, scorer, multiplier);
	add_self(piece, scorer, multiplier);
}
