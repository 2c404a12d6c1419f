/*
 * sessiongraph.c
 *	  What the item graph says comes after a session's items, beside the votes.
 *
 * Votes are of some recent sessions, the graph is of all, as of the last merge.  Its rows are added
 * up with the weights that the session's items have for the votes, and brought to the scale of
 * these.  Both scales are those of the best item that is not in the session: what is in it
 * has votes of another order.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/store/enlarge.h"
#include "api/session/sessiongraph.h"

/* What the best new item has from the graph, beside what the best one has from the votes */
#define GRAPH_WEIGHT 1.0

typedef struct GraphScore
{
	uint32		item;
	int			row;			/* which of the session's items it comes after */
	double		score;
} GraphScore;

typedef struct Gathering
{
	const RecsysSessionQuery *query;
	GraphScore *scores;
	Size		count;
	Size		room;
} Gathering;

static void
gather_row(void *arg, int position, RecsysGraphRow row)
{
	Gathering  *gathering = arg;
	const float *scores = RecsysRowScores(row);

	if (gathering->count + row->nneighbors > gathering->room)
	{
		gathering->room = Max(2 * gathering->room, gathering->count + row->nneighbors);
		gathering->scores = RecsysEnlarge(CurrentMemoryContext, gathering->scores,
										  sizeof(GraphScore) * gathering->room);
	}
	for (int x = 0; x < row->nneighbors; x++)
		gathering->scores[gathering->count++] = (GraphScore)
	{
		row->peers[x], position, gathering->query->weights[position] * scores[x]
	};
}

static int
compare_scores(const void *a, const void *b)
{
	const GraphScore *left = a;
	const GraphScore *right = b;

	if (left->item != right->item)
		return left->item < right->item ? -1 : 1;
	return left->row - right->row;
}

/* One score for each item; returns how many there are. */
static Size
add_up(GraphScore *scores, Size n)
{
	Size		count = 0;

	qsort(scores, n, sizeof(GraphScore), compare_scores);
	for (Size x = 0; x < n; x++)
		if (count > 0 && scores[count - 1].item == scores[x].item)
			scores[count - 1].score += scores[x].score;
		else
			scores[count++] = scores[x];
	return count;
}

static bool
is_given(const uint32 *given, int n, uint32 item)
{
	return n > 0 && bsearch(&item, given, n, sizeof(uint32), RecsysCompareItemNumbers) != NULL;
}

static double
best_vote(const uint32 *given, int n, const RecsysScorer *scorer)
{
	const uint32 *touched;
	uint32		count = RecsysScorerTouched(scorer, &touched);
	double		best = 0;

	for (uint32 x = 0; x < count; x++)
	{
		double		score = RecsysScorerScore(scorer, touched[x]);

		if (score > best && !is_given(given, n, touched[x]))
			best = score;
	}
	return best;
}

void
RecsysAddSessionGraph(const RecsysSession *session, RecsysScorer *scorer)
{
	Relation	index = session->recommender->index;
	Gathering	gathering = {&session->query, NULL, 0, 0};
	RecsysGraphReader reader;
	uint32	   *given;
	double		best = 0;
	double		scale;
	Size		count;

	if (RecsysGetCache(index)->meta.similarity != RECSYS_SESSION || session->nitems == 0)
		return;
	RecsysGraphReaderInit(&reader, index);
	RecsysGraphVisitRows(&reader, session->query.items, session->query.nitems, gather_row, &gathering);
	RecsysGraphReaderDone(&reader);
	count = add_up(gathering.scores, gathering.count);

	given = palloc(sizeof(uint32) * session->nitems);
	memcpy(given, session->items, sizeof(uint32) * session->nitems);
	qsort(given, session->nitems, sizeof(uint32), RecsysCompareItemNumbers);
	for (Size x = 0; x < count; x++)
		if (gathering.scores[x].score > best && !is_given(given, session->nitems, gathering.scores[x].item))
			best = gathering.scores[x].score;
	scale = best_vote(given, session->nitems, scorer);
	scale = best > 0 && scale > 0 ? GRAPH_WEIGHT * scale / best : 1;
	for (Size x = 0; x < count; x++)
		RecsysScorerAddScore(scorer, gathering.scores[x].item, scale * gathering.scores[x].score);
	pfree(given);
	if (gathering.scores != NULL)
		pfree(gathering.scores);
}
