/*
 * signalscores.c
 *	  What each signal by itself says of a user's items, beside one that was held out.
 *
 * The graphs know the user and the item that is held out: they have counted both.  So each pair of the
 * user's items with that item loses the share that is this user's: one of its `support`
 * users, all of it if that leaves fewer than the graph asks for.  (Graphs of yours that do not tell
 * the support, and factors, stay as they are.)  The totals of the item itself, which have one
 * user more, are left: what they change is of the order of one in its number of users.
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/itemorder.h"
#include "am/store/meta.h"
#include "api/candidates/profilepieces.h"
#include "api/candidates/signalscores.h"
#include "core/pairs/modeloptions.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A signal's scores, and the number that brings them to a common scale */
typedef struct SignalPart
{
	int			signal;
	RecsysLease *lease;
	double		scale;
	double		target;			/* the score of the item held out, as if the user had not had it */
} SignalPart;

typedef struct Parts
{
	const RecsysShopProfile *profile;
	uint32		item;
	SignalPart *parts;
	int			count;
} Parts;

/* So many users a pair needs in the graph of a piece */
static int64
least_support(const RecsysShopProfile *profile, const RecsysScorePiece *piece)
{
	RecsysModelOptions options;

	if (piece->graph.index != NULL)
		RecsysGraphOptions(&RecsysGetCache(piece->graph.index)->meta, &options);
	else
	{
		RecsysModelOptionsInit(&options);
		RecsysModelOptionsResolve(&options);
		if (profile->evidence[piece->signal].signal->min_support > 0)
			options.min_support = profile->evidence[piece->signal].signal->min_support;
	}
	return Max(options.min_support, 1);
}

/* The item's score, where no pair counts the user */
static double
score_without_user(RecsysScorePiece *piece, const Parts *parts, RecsysPart *room)
{
	int64		least = least_support(parts->profile, piece);
	int			n = RecsysExplainPiece(piece, parts->profile->catalogue, parts->item, room);
	double		sum = 0;

	for (int x = 0; x < n; x++)
	{
		int64		support = room[x].support;

		if (support < 0)
			sum += room[x].contribution;
		else if (support - 1 >= least)
			sum += room[x].contribution * (support - 1) / support;
	}
	return sum;
}

/* As for a list: the highest of the positive ones, or of all by their amounts */
static double
highest_of(const SignalPart *part, uint32 item, bool positive)
{
	const RecsysScorer *scorer = RecsysLeased(part->lease);
	double		highest = Max(part->target, 0);
	double		amount = fabs(part->target);
	const uint32 *touched;
	uint32		n = RecsysScorerTouched(scorer, &touched);

	for (uint32 x = 0; x < n; x++)
	{
		double		score = RecsysScorerScore(scorer, touched[x]);

		if (touched[x] == item)
			continue;
		highest = Max(highest, score);
		amount = Max(amount, fabs(score));
	}
	return positive && highest > 0 ? highest : amount;
}

static void
add_part(Parts *parts, RecsysScorePiece *piece)
{
	SignalPart *part = &parts->parts[parts->count++];
	const RecsysSignal *signal = parts->profile->evidence[piece->signal].signal;
	RecsysPart *room = palloc_extended(sizeof(RecsysPart) * (2 * (Size) piece->count + 1), MCXT_ALLOC_HUGE);
	double		highest;

	part->signal = piece->signal;
	part->lease = RecsysScorerLease(RecsysCatalogueCount(parts->profile->catalogue));
	RecsysAddPiece(piece, parts->profile->catalogue, part->lease, 1, PG_INT32_MAX, NULL, 0);
	piece->scale = 1;
	part->target = score_without_user(piece, parts, room);
	highest = highest_of(part, parts->item, signal->weight > 0);

	/* what time has left of the signal is part of the score; its sign is, too */
	part->scale = highest > 0 ? piece->weight / fabs(signal->weight) / highest : 0;
	pfree(room);
}

static bool
is_seen(const RecsysShopProfile *profile, uint32 slot)
{
	return profile->nseen > 0 &&
		bsearch(&slot, profile->seen, profile->nseen, sizeof(uint32), RecsysCompareItemNumbers) != NULL;
}

/* Has a part before this one shown the item? */
static bool
is_known(const Parts *parts, int part, uint32 slot)
{
	for (int x = 0; x < part; x++)
		if (RecsysScorerScore(RecsysLeased(parts->parts[x].lease), slot) != 0)
			return true;
	return false;
}

/* Puts an item among those that may stand before the target, or counts it as one that does. */
static void
add_rival(const Parts *parts, uint32 slot, int *room, RecsysSignalScores *scores)
{
	RecsysKeyOrder order = RecsysCatalogueOrder(parts->profile->catalogue);
	float	   *row;
	bool		always = true;
	bool		ever = false;

	if (scores->count == *room)
	{
		*room = Max(256, *room * 2);
		scores->scores = scores->scores == NULL ?
			palloc_extended(sizeof(float) * (Size) *room * scores->nsignals, MCXT_ALLOC_HUGE) :
			repalloc_huge(scores->scores, sizeof(float) * (Size) *room * scores->nsignals);
		scores->comes_first = scores->comes_first == NULL ? palloc(*room) :
			repalloc_huge(scores->comes_first, *room);
	}
	row = scores->scores + (Size) scores->count * scores->nsignals;
	memset(row, 0, sizeof(float) * scores->nsignals);
	for (int x = 0; x < parts->count; x++)
	{
		const SignalPart *part = &parts->parts[x];

		row[part->signal] = (float) (part->scale * RecsysScorerScore(RecsysLeased(part->lease), slot));
	}
	for (int s = 0; s < scores->nsignals; s++)
	{
		always = always && row[s] > scores->target[s];
		ever = ever || row[s] >= scores->target[s];
	}
	if (always)
		scores->ahead++;
	else if (ever)
		scores->comes_first[scores->count++] = RecsysKeyOrderCompare(&order, slot, parts->item) < 0;
}

static void
add_rivals(const Parts *parts, int k, RecsysSignalScores *scores)
{
	int			room = 0;

	for (int x = 0; x < parts->count && scores->ahead < k; x++)
	{
		const uint32 *touched;
		uint32		n = RecsysScorerTouched(RecsysLeased(parts->parts[x].lease), &touched);

		for (uint32 y = 0; y < n && scores->ahead < k; y++)
		{
			if (y % 1024 == 0)
				CHECK_FOR_INTERRUPTS();
			if (touched[y] != parts->item && !is_seen(parts->profile, touched[y]) &&
				!is_known(parts, x, touched[y]))
				add_rival(parts, touched[y], &room, scores);
		}
	}
}

bool
RecsysScoreSignals(const RecsysShopProfile *profile, uint32 item, int k, RecsysSignalScores *scores)
{
	RecsysScorePiece *pieces;
	int			npieces = RecsysMakePieces(profile, &pieces);
	Parts		parts = {profile, item, palloc(sizeof(SignalPart) * Max(npieces, 1)), 0};
	bool		reachable = false;

	memset(scores, 0, sizeof(*scores));
	scores->nsignals = profile->nevidence;
	scores->target = palloc0(sizeof(double) * scores->nsignals);
	for (int x = 0; x < npieces; x++)
	{
		add_part(&parts, &pieces[x]);
		scores->target[pieces[x].signal] = (float) (parts.parts[x].scale * parts.parts[x].target);
		reachable = reachable || scores->target[pieces[x].signal] > 0;
	}
	reachable = reachable && !is_seen(profile, item) && !RecsysItemIsTooOld(profile, item);
	if (reachable)
		add_rivals(&parts, k, scores);
	for (int x = 0; x < npieces; x++)
	{
		RecsysScorerReturn(parts.parts[x].lease);
		RecsysClosePieceGraph(&pieces[x]);
	}
	pfree(pieces);
	return reachable && scores->ahead < k;
}
