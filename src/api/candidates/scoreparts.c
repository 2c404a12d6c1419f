/*
 * scoreparts.c
 *	  Why an item has its score: what each piece has to say for it.
 *
 * Boosts are no part of it: they multiply the sum of the parts.
 */
#include "postgres.h"

#include <math.h>

#include "api/candidates/scorepiece.h"
#include "api/scoring/factorserving.h"
#include "miscadmin.h"

/* The places in a piece whose pairs with an item are looked for */
typedef struct PartSearch
{
	const RecsysScorePiece *piece;
	uint32		number;			/* of the item, in the graph's index */
	const int  *places;			/* of the rows visited; NULL: they are those of the piece */
	double	   *similarities;	/* by places; NaN: none */
	int64	   *supports;
	bool		by_factors;		/* only supports are looked for */
} PartSearch;

static void
search_row(void *arg, int position, RecsysGraphRow row)
{
	PartSearch *search = arg;
	int			place = search->places[position];

	for (int x = 0; x < row->nneighbors; x++)
	{
		if (row->peers[x] != search->number)
			continue;
		if (!search->by_factors)
			search->similarities[place] = RecsysRowScores(row)[x] *
				RecsysExcludedShare(search->piece->excluded, row->item, search->number);
		search->supports[place] = RecsysRowSupports(row)[x];
		break;
	}
}

/* Rows of all items that the graph has */
static void
search_rows(PartSearch *search, const uint32 *numbers, const int *places, int n)
{
	RecsysGraphReader reader;

	search->places = places;
	RecsysExcludedPrepare(search->piece->excluded, numbers, n);
	RecsysGraphReaderInit(&reader, search->piece->graph.index);
	RecsysGraphVisitRows(&reader, numbers, n, search_row, search);
	RecsysGraphReaderDone(&reader);
}

static void
search_graph(PartSearch *search)
{
	const RecsysScorePiece *piece = search->piece;
	uint32	   *numbers = palloc_extended(sizeof(uint32) * (Size) Max(piece->count, 1), MCXT_ALLOC_HUGE);
	int		   *places = palloc_extended(sizeof(int) * (Size) Max(piece->count, 1), MCXT_ALLOC_HUGE);
	int			n = 0;

	for (int x = 0; x < piece->count; x++)
	{
		if (piece->items[x].number == RECSYS_NONE)
			continue;
		numbers[n] = piece->items[x].number;
		places[n++] = x;
	}
	search_rows(search, numbers, places, n);
	pfree(numbers);
	pfree(places);
}

/* An item that has no positive score by the evidence of one sign has none at all. */
static void
search_factors(PartSearch *search, bool negative)
{
	RecsysScorePiece *piece = unconstify(RecsysScorePiece *, search->piece);
	int		   *places = palloc_extended(sizeof(int) * (Size) Max(piece->count, 1), MCXT_ALLOC_HUGE);
	double	   *found = palloc_extended(sizeof(double) * (Size) Max(piece->count, 1), MCXT_ALLOC_HUGE);
	double		sum = 0;
	RecsysProfile profile;

	RecsysPieceProfile(piece, negative, &profile, places);
	if (profile.nevidence > 0 &&
		RecsysExplainByFactors(&piece->graph, &profile, search->number, found))
	{
		for (int x = 0; x < profile.nevidence; x++)
			sum += isnan(found[x]) ? 0 : profile.weights[x] * found[x];
		for (int x = 0; sum > 0 && x < profile.nevidence; x++)
			search->similarities[places[x]] = found[x];
		search->by_factors = true;
		search_rows(search, profile.items, places, profile.nevidence);
	}
	pfree(places);
	pfree(found);
	pfree(profile.items);
	pfree(profile.weights);
}

/* Duplicates in a table add up, as in the score. */
static void
take_pair(void *arg, int place, uint32 similar, float score, int64 support)
{
	PartSearch *search = arg;

	if (isnan(search->similarities[place]))
		search->similarities[place] = 0;
	search->similarities[place] += score;
	search->supports[place] = Max(search->supports[place], support);
}

static void
search_piece(PartSearch *search, RecsysCatalogue *catalogue, uint32 slot)
{
	RecsysScorePiece *piece = unconstify(RecsysScorePiece *, search->piece);

	if (piece->table != NULL)
	{
		uint32	   *slots = RecsysPieceSlots(piece);

		RecsysVisitTableGraph(piece->table, piece->catalogue, catalogue, slots, piece->count, slot,
							  take_pair, search);
		pfree(slots);
		return;
	}
	search->number = RecsysMapNumber(piece->map, piece->graph.index, slot);
	if (search->number == RECSYS_NONE)
		return;
	if (!piece->by_factors)
	{
		search_graph(search);
		return;
	}
	search_factors(search, false);
	search_factors(search, true);
}

static void
put_part(RecsysPart *part, const RecsysScorePiece *piece, const RecsysPieceItem *item,
		 double similarity, int64 support)
{
	part->is_content = false;
	part->attributes = NULL;
	part->signal = item->is_context ? -1 : piece->signal;
	part->because = item->slot;
	part->other = piece->catalogue;
	part->weight = item->weight;
	part->similarity = (float) similarity;
	part->support = support;
	part->contribution = piece->scale * item->weight * similarity;
}

/* What the index's popularity adds, if it lists the item. */
static int
put_prior(RecsysPart *part, RecsysScorePiece *piece, uint32 number)
{
	for (int x = 0; x < piece->prior->count; x++)
	{
		double		score;

		if (piece->prior->items[x] != number)
			continue;
		RecsysExcludedPrepare(piece->excluded, &number, 1);
		score = piece->prior->scores[x] * RecsysExcludedItemShare(piece->excluded, number);
		part->is_content = false;
		part->attributes = NULL;
		part->signal = piece->signal;
		part->because = RECSYS_NONE;
		part->other = NULL;
		part->weight = 1;
		part->similarity = (float) score;
		part->support = -1;
		part->contribution = piece->scale * score;
		return 1;
	}
	return 0;
}

int
RecsysExplainPiece(RecsysScorePiece *piece, RecsysCatalogue *catalogue, uint32 slot,
				   RecsysPart *parts)
{
	PartSearch	search = {.piece = piece, .number = RECSYS_NONE};
	Size		room = (Size) Max(piece->count, 1);
	int			n = 0;

	search.similarities = palloc_extended(sizeof(double) * room, MCXT_ALLOC_HUGE);
	search.supports = palloc_extended(sizeof(int64) * room, MCXT_ALLOC_HUGE);
	for (int x = 0; x < piece->count; x++)
	{
		search.similarities[x] = NAN;
		search.supports[x] = -1;
	}
	if (piece->count > 0 && piece->scale != 0)
		search_piece(&search, catalogue, slot);
	for (int x = 0; x < piece->count; x++)
	{
		if (!isnan(search.similarities[x]))
			put_part(&parts[n++], piece, &piece->items[x], search.similarities[x], search.supports[x]);
		if (piece->items[x].slot == slot && piece->scale != 0 &&
			RecsysPieceItemIsNegative(piece, &piece->items[x]))
			put_part(&parts[n++], piece, &piece->items[x], piece->self, -1);
	}
	if (piece->prior != NULL && piece->scale != 0)
		n += put_prior(&parts[n], piece, RecsysMapNumber(piece->map, piece->graph.index, slot));
	pfree(search.similarities);
	pfree(search.supports);
	return n;
}
