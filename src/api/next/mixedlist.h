/*
 * mixedlist.h
 *	  The list of a next basket: repeats, discoveries and popular items by one score.
 */
#ifndef RECSYS_MIXEDLIST_H
#define RECSYS_MIXEDLIST_H

#include "postgres.h"

#include "core/scoring/scorer.h"
#include "core/sequence/nextbasket.h"

/* Items, by whatever numbers, and what is to be known of them: of an index, or of a shop */
typedef struct RecsysMixSource
{
	void	   *arg;

	/* the n best by the graph of those that are no repeats, or all there are; as RecsysCandidateSource */
	int			(*best) (void *arg, int n, const RecsysScored **best);

	/* what the graph says of an item; 0: nothing */
	double		(*graph) (void *arg, uint32 item);

	/* may a popular item be listed that is none of those? */
	bool		(*offers) (void *arg, uint32 item);

	/* by how much an item's score, and what `best` and `graph` say of it, is multiplied; and at most */
	double		(*boost) (void *arg, uint32 item);
	double		most_boost;

	RecsysKeyOrder order;		/* breaks ties */
} RecsysMixSource;

typedef struct RecsysMixing
{
	const RecsysNextBasketOptions *options;
	double		best_graph;		/* the best that the graph says, without a boost, of an item that is no repeat */
	const uint32 *popular;		/* items with the most users, most first; RECSYS_NONE: of no use */
	int			npopular;
	const uint32 *repeats;		/* those that are offered, and their repeat scores */
	const double *repeat_scores;
	int			nrepeats;
} RecsysMixing;

/*
 * The n best of all, or all there are, best first, palloc'd; returns how many.  A longer list begins
 * as a shorter one.
 */
extern int	RecsysMixBest(const RecsysMixing *mixing, const RecsysMixSource *source, int n,
						  RecsysScored **list);

#endif							/* RECSYS_MIXEDLIST_H */
