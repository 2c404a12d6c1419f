/*
 * mixedlist.c
 *	  The list of a next basket: repeats, discoveries and popular items by one score.
 *
 * The n best by the sum of two parts, of which each is known in its order, the graph's and
 * popularity (Fagin's threshold algorithm): candidates are the repeats and the n best of the graph;
 * an item that is none of them is better than one of those only if its popularity makes up for what
 * the graph says less of it than of the n-th.  So few popular items are looked at.
 */
#include "postgres.h"

#include "api/eligible/slotplaces.h"
#include "api/next/mixedlist.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* An item on its way into the list */
typedef struct Candidate
{
	double		repeat;			/* less than 0: it is no repeat */
	double		graph;			/* boosted */
	double		popular;
} Candidate;

typedef struct Candidates
{
	const RecsysMixing *mixing;
	const RecsysMixSource *source;
	RecsysScored *list;			/* parallel */
	Candidate  *parts;
	int			count;
	places_hash *places;
} Candidates;

static void
add(Candidates *candidates, uint32 item, double repeat, double graph, double popular)
{
	bool		found;

	places_insert(candidates->places, item, &found)->place = candidates->count;
	candidates->list[candidates->count].item = item;
	candidates->parts[candidates->count++] = (Candidate) {repeat, graph, popular};
}

/* The scores of all candidates from a place on */
static void
score(Candidates *candidates, int from)
{
	const RecsysMixing *mixing = candidates->mixing;

	for (int x = from; x < candidates->count; x++)
	{
		const Candidate *part = &candidates->parts[x];
		double		boost = candidates->source->boost(candidates->source->arg, candidates->list[x].item);
		double		graph = part->graph / boost;
		double		base = part->repeat < 0 ?
			RecsysNextBasketDiscovery(graph, mixing->best_graph, mixing->options) :
			RecsysNextBasketRepeat(part->repeat, graph, graph, mixing->best_graph, mixing->options);

		candidates->list[x].score = (float) (boost * (base + part->popular));
	}
}

/* Their places are not known any more. */
static void
sort(Candidates *candidates)
{
	qsort_arg(candidates->list, candidates->count, sizeof(RecsysScored), RecsysCompareScored,
			  unconstify(RecsysKeyOrder *, &candidates->source->order));
}

static void
note_popularity(Candidates *candidates)
{
	const RecsysMixing *mixing = candidates->mixing;

	for (int x = 0; x < mixing->npopular; x++)
	{
		const PlaceEntry *entry = places_lookup(candidates->places, mixing->popular[x]);

		if (entry != NULL)
			candidates->parts[entry->place].popular = RecsysNextBasketPopularity(x, mixing->options);
	}
}

/*
 * Adds popular items that are no candidates yet, but may be among the n best.  The candidates are
 * sorted; least_graph is the most that the graph says of others.
 */
static void
add_popular(Candidates *candidates, int n, double least_graph)
{
	const RecsysMixing *mixing = candidates->mixing;
	const RecsysMixSource *source = candidates->source;
	float		nth = candidates->count < n ? -1 : candidates->list[n - 1].score;
	double		most = RecsysNextBasketDiscovery(least_graph, mixing->best_graph, mixing->options);

	for (int x = 0; x < mixing->npopular; x++)
	{
		uint32		item = mixing->popular[x];
		double		popular = RecsysNextBasketPopularity(x, mixing->options);

		if ((float) (most + popular * source->most_boost) < nth)
			break;
		if (item != RECSYS_NONE && places_lookup(candidates->places, item) == NULL &&
			(float) (most + popular * source->boost(source->arg, item)) >= nth &&
			source->offers(source->arg, item))
			add(candidates, item, -1, source->graph(source->arg, item), popular);
	}
}

int
RecsysMixBest(const RecsysMixing *mixing, const RecsysMixSource *source, int n, RecsysScored **list)
{
	const RecsysScored *best;
	int			nbest = source->best(source->arg, n, &best);
	Size		room = (Size) nbest + mixing->nrepeats + mixing->npopular + 1;
	double		least_graph = nbest < n ? 0 : best[nbest - 1].score;
	Candidates	candidates = {.mixing = mixing, .source = source};
	int			before;

	candidates.list = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysScored) * room);
	candidates.parts = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Candidate) * room);
	candidates.places = places_create(CurrentMemoryContext, nbest + mixing->nrepeats + 1, NULL);
	for (int x = 0; x < nbest; x++)
		add(&candidates, best[x].item, -1, best[x].score, 0);
	for (int x = 0; x < mixing->nrepeats; x++)
		add(&candidates, mixing->repeats[x], mixing->repeat_scores[x],
			Max(source->graph(source->arg, mixing->repeats[x]), 0), 0);
	note_popularity(&candidates);
	score(&candidates, 0);
	sort(&candidates);

	before = candidates.count;
	if (mixing->options->popular > 0)
		add_popular(&candidates, n, least_graph);
	if (candidates.count > before)
	{
		score(&candidates, before);
		sort(&candidates);
	}
	places_destroy(candidates.places);
	pfree(candidates.parts);
	*list = candidates.list;
	return Min(candidates.count, n);
}
