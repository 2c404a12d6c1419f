/*
 * scorepiece.h
 *	  One signal's share of the scores: its evidence, and the graph that this is looked up in.
 *
 * Shared by what adds scores up (scores.c) and what explains them (scoreparts.c).
 */
#ifndef RECSYS_SCOREPIECE_H
#define RECSYS_SCOREPIECE_H

#include "postgres.h"

#include "am/graph/prior_page.h"
#include "api/candidates/excludedpairs.h"
#include "api/candidates/scorerpool.h"
#include "api/candidates/scores.h"
#include "api/candidates/tablegraph.h"

/* An item of the user, in a piece */
typedef struct RecsysPieceItem
{
	uint32		slot;
	uint32		number;			/* in the graph's index; RECSYS_NONE: it has no such item */
	double		weight;
	bool		is_context;
} RecsysPieceItem;

/* A graph is that of an index, by pairs or by factors, or a relation. */
typedef struct RecsysScorePiece
{
	int			signal;			/* place in the definition; -1: none, items alone */
	double		weight;			/* of the signal, and what time has left of it */
	RecsysCatalogue *catalogue; /* of its items' slots; NULL: the shop's, in which scores are */
	int			count;
	RecsysPieceItem *items;		/* ascending by number, or by slot where the graph is a relation */
	RecsysRecommender graph;	/* open if index is not NULL */
	bool		is_own;			/* it was opened for the piece */
	RecsysItemMap *map;
	RecsysExcludedPairs *excluded;	/* what is to be taken out of the index's graph; NULL: nothing */
	bool		by_factors;
	RecsysTableGraph *table;	/* if there is no index */
	RecsysPrior *prior;			/* NULL: there is none, or it does not count */
	double		scale;			/* of the piece's sums in the score */
	double		self;			/* how alike an item that is pushed down is to itself */
} RecsysScorePiece;

/* What a piece pushes down counts for itself, too, where its items are those that have scores. */
static inline bool
RecsysPieceItemIsNegative(const RecsysScorePiece *piece, const RecsysPieceItem *item)
{
	return piece->catalogue == NULL && item->weight * piece->weight < 0;
}

/*
 * Opens the graph and lays the evidence out for it.  name: an index or a relation; NULL:
 * the graph of own, which is open.
 */
extern void RecsysOpenPieceGraph(RecsysScorePiece *piece, RecsysShop *shop, const char *name,
								 const RecsysEvidence *own);
extern void RecsysClosePieceGraph(RecsysScorePiece *piece);

/* Looks numbers up in the graph's index, for those that have none, and puts items in their order. */
extern void RecsysFindPieceNumbers(RecsysScorePiece *piece);

/*
 * Adds multiplier times the piece's sums to a scorer by slots.  Scores by factors: of the best k
 * that are not among the left-out slots, at least; others add all.  Sets self.
 */
extern void RecsysAddPiece(RecsysScorePiece *piece, RecsysCatalogue *catalogue,
						   RecsysLease *scorer, double multiplier, int k,
						   const uint32 *left_out, int nleft_out);

/* The slots of its items, palloc'd. */
extern uint32 *RecsysPieceSlots(const RecsysScorePiece *piece);

/*
 * The evidence with that sign as a profile of the graph's index, for scores by factors; places
 * (may be NULL) gets where in the piece each item stands.
 */
extern void RecsysPieceProfile(const RecsysScorePiece *piece, bool negative, RecsysProfile *profile,
							   int *places);

/* Appends what a piece has to say for an item to parts, which have room; returns how many. */
extern int	RecsysExplainPiece(RecsysScorePiece *piece, RecsysCatalogue *catalogue, uint32 slot,
							   RecsysPart *parts);

#endif							/* RECSYS_SCOREPIECE_H */
