/*
 * profilepieces.c
 *	  The pieces that the scores of a user are made of: one for each signal that has something to say.
 */
#include "postgres.h"

#include "api/candidates/profilepieces.h"
#include "api/declare/popularity.h"
#include "api/profile/signalcontext.h"
#include "utils/memutils.h"

static bool
has_positive_evidence(const RecsysShopProfile *profile)
{
	for (int x = 0; x < profile->nevidence; x++)
		if (profile->evidence[x].count > 0 && profile->evidence[x].signal->weight > 0)
			return true;
	return profile->ncontext_items > 0;
}

/*
 * The evidence of a signal; with the context, for the first one, which is of now.  The numbers of
 * its own index are known.
 */
static void
fill_piece(RecsysScorePiece *piece, const RecsysShopProfile *profile, int signal, bool is_own)
{
	const RecsysEvidence *evidence = &profile->evidence[signal];
	int			ncontext = signal == 0 ? profile->ncontext_items : 0;
	double		decay = 1;

	piece->signal = signal;
	piece->weight = evidence->weight;
	piece->catalogue = evidence->signal->other_items ? evidence->catalogue : NULL;
	if (ncontext > 0)
	{
		decay = evidence->weight / evidence->signal->weight;
		piece->weight = evidence->signal->weight;
	}
	piece->items = palloc_extended(sizeof(RecsysPieceItem) *
								   ((Size) evidence->count + ncontext + 1), MCXT_ALLOC_HUGE);
	for (int x = 0; x < evidence->count; x++)
		piece->items[piece->count++] = (RecsysPieceItem)
		{
			evidence->slots[x], is_own ? evidence->items[x] : RECSYS_NONE,
			evidence->weights[x] * decay, false
		};
	for (int x = 0; x < ncontext; x++)
		piece->items[piece->count++] = (RecsysPieceItem)
		{
			profile->context_items[x], RECSYS_NONE, profile->context_weights[x], true
		};
}

/* Is there a list of what those like the user have?  It knows more than what all have. */
static bool
has_segment_list(const RecsysShopProfile *profile)
{
	const RecsysDefinition *definition = profile->shop->definition;
	RecsysPopularList list;

	for (int i = 0; i < definition->nsegments; i++)
	{
		char	   *kind = RecsysSegmentKind(definition, i);

		if (profile->segments != NULL && profile->segments[i] != NULL &&
			RecsysReadPopularList(definition->name, kind, profile->segments[i], &list) &&
			RecsysPopularityIsCurrent(definition, kind))
			return true;
	}
	return false;
}

/* Reads the prior of a signal if it counts. */
static void
read_prior(RecsysScorePiece *piece, const RecsysEvidence *evidence, bool counts)
{
	const RecsysMetaData *meta = &RecsysGetCache(evidence->events.index)->meta;

	if (!counts || evidence->signal->weight < 0 || evidence->signal->is_centered ||
		evidence->signal->graph != NULL || meta->prior == InvalidBlockNumber ||
		meta->factor_rank > 0)
		return;
	piece->prior = palloc(sizeof(RecsysPrior));
	(void) RecsysReadPrior(evidence->events.index, piece->prior);
}

/* The graph that a signal's evidence is looked up in; NULL: that of the events of *own. */
static const char *
graph_of(const RecsysShopProfile *profile, int signal, const RecsysEvidence **own)
{
	const RecsysSignal *definition = profile->evidence[signal].signal;

	*own = &profile->evidence[signal];
	if (definition->graph == NULL && definition->weight < 0)
	{
		*own = &profile->evidence[0];
		definition = profile->evidence[0].signal;
	}
	return definition->graph;
}

int
RecsysMakePieces(const RecsysShopProfile *profile, RecsysScorePiece **pieces)
{
	int			npieces = 0;
	bool		newcomer = !has_positive_evidence(profile) && !has_segment_list(profile);

	*pieces = palloc0(sizeof(RecsysScorePiece) * Max(profile->nevidence, 1));
	for (int x = 0; x < profile->nevidence; x++)
	{
		RecsysScorePiece *piece = &(*pieces)[npieces];
		const RecsysEvidence *own;
		RecsysSignalContext context;
		const char *graph = graph_of(profile, x, &own);

		fill_piece(piece, profile, x, graph == NULL && own == &profile->evidence[x] &&
				   own->distributed == NULL);
		read_prior(piece, &profile->evidence[x], piece->count > 0 || (newcomer && x == 0));
		if (piece->count == 0 && piece->prior == NULL)
		{
			memset(piece, 0, sizeof(*piece));
			continue;
		}
		npieces++;
		RecsysBeginSignal(&context, profile->shop, profile->evidence[x].signal,
						  graph != NULL ? graph : profile->evidence[x].signal->events);
		RecsysOpenPieceGraph(piece, profile->shop, graph, own);
		RecsysEndSignal(&context);
	}
	return npieces;
}
