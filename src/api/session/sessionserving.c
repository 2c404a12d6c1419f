/*
 * sessionserving.c
 *	  A session's items to scores of what comes next, from an index.
 *
 *		items --item side--> recent sessions --best of them, user side--> votes --> scores
 *
 * The item side has each item's entries in the order they came in, so that a session
 * counts as soon as its rows are committed, merged or not.  Which of them a snapshot sees
 * is asked on the user side only, of the sessions that are to vote.  One of which nothing
 * that it has in common is visible has no vote, and the next best one votes in its place.
 *
 * How many sessions there are, and how many have an item, is as of the last merge.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/parts/leaves.h"
#include "am/read/userreader.h"
#include "am/session/recentsessions.h"
#include "api/scoring/serving.h"
#include "api/session/sessiongraph.h"
#include "api/session/sessionserving.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

/* The sessions that are most like it: hashes into session->neighbors. */
static void
find_neighbors(RecsysSession *session, const RecsysKey *keys, const int *known)
{
	const RecsysSessionQuery *query = &session->query;
	RecsysSessionMatches *matches = RecsysSessionMatchesCreate(query->nitems, RECSYS_SESSION_RECENT);
	uint32	   *hashes = palloc(sizeof(uint32) * RECSYS_SESSION_RECENT);
	int			most = RECSYS_SESSION_NEIGHBORS + RECSYS_SESSION_SPARE;

	for (int i = 0; i < query->nitems; i++)
	{
		uint32		item;
		int			n = RecsysReadRecentSessions(session->recommender->index,
												 &keys[known[query->places[i]]],
												 RECSYS_SESSION_RECENT, hashes, &item);

		CHECK_FOR_INTERRUPTS();
		if (n > 0)
			RecsysSessionMatch(matches, query->weights[i], hashes, n);
	}
	session->neighbors = palloc(sizeof(uint32) * most);
	session->nneighbors = RecsysSessionBest(matches, most, session->neighbors);
	RecsysSessionMatchesFree(matches);
	pfree(hashes);
}

void
RecsysReadSession(RecsysRecommender *recommender, const RecsysKey *keys, int n,
				  RecsysSession *session)
{
	int		   *known = palloc(sizeof(int) * Max(n, 1));	/* places in keys */

	memset(session, 0, sizeof(*session));
	session->recommender = recommender;
	session->items = palloc(sizeof(uint32) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!RecsysFindItem(recommender, &keys[i], &session->items[session->nitems]))
			continue;
		known[session->nitems++] = i;
	}
	RecsysSessionQueryMake(session->items, session->nitems, &session->query);
	find_neighbors(session, keys, known);
	pfree(known);
}

typedef struct Voting
{
	const RecsysSession *session;
	RecsysScorer *scorer;
	RecsysSessionVote *votes;
	int			room;
	int			voters;			/* so far */
} Voting;

static void
vote(void *arg, RecsysUserView *user)
{
	Voting	   *voting = arg;
	int			n;

	if (user->ninteractions > voting->room)
	{
		if (voting->votes != NULL)
			pfree(voting->votes);
		voting->room = Max(user->ninteractions, 64);
		voting->votes = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(RecsysSessionVote) * (Size) voting->room);
	}
	n = RecsysSessionVotes(&voting->session->query, user->interactions, user->ninteractions,
						   voting->votes);
	voting->voters += n > 0;
	for (int i = 0; i < n; i++)
		RecsysScorerAddScore(voting->scorer, voting->votes[i].item, voting->votes[i].vote);
}

typedef struct Weighing
{
	RecsysScorer *scorer;
	const uint32 *items;
	uint64		sessions;
} Weighing;

static void
weigh_row(void *arg, int position, RecsysGraphRow row)
{
	Weighing   *weighing = arg;

	RecsysScorerMultiply(weighing->scorer, weighing->items[position],
						 RecsysSessionIdf(weighing->sessions, row->users));
}

/* Items of few sessions count more. */
static void
weigh_by_idf(RecsysRecommender *recommender, RecsysScorer *scorer)
{
	const uint32 *touched;
	uint32		n = RecsysScorerTouched(scorer, &touched);
	uint32	   *items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) Max(n, 1));
	Weighing	weighing = {scorer, items, RecsysRefreshCache(recommender->index)->meta.users};
	RecsysGraphReader reader;

	/* rows are found faster in ascending order */
	memcpy(items, touched, sizeof(uint32) * (Size) n);
	qsort(items, n, sizeof(uint32), RecsysCompareItemNumbers);
	RecsysGraphReaderInit(&reader, recommender->index);
	RecsysGraphVisitRows(&reader, items, (int) n, weigh_row, &weighing);
	RecsysGraphReaderDone(&reader);
	pfree(items);
}

void
RecsysScoreSession(const RecsysSession *session, RecsysScorer *scorer)
{
	RecsysRecommender *recommender = session->recommender;
	Snapshot	snapshot = GetActiveSnapshot();
	Voting		voting = {session, scorer, NULL, 0, 0};
	RecsysUserReader *reader;

	RecsysPredicateLockTable(recommender->heap, snapshot);
	reader = RecsysUserReaderCreate(recommender->heap, recommender->index, snapshot);
	for (int i = 0; i < session->nneighbors && voting.voters < RECSYS_SESSION_NEIGHBORS; i++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysUserReaderRead(reader, session->neighbors[i], vote, &voting);
	}
	RecsysUserReaderFree(reader);
	weigh_by_idf(recommender, scorer);
	RecsysAddSessionGraph(session, scorer);
}
