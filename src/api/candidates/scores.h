/*
 * scores.h
 *	  The second stage: scores of all items that a user's signals speak for, by slot.
 *
 * A signal's scores are sums of weight times similarity, on the scale of its graph.  They
 * are brought to the scale of the first signal that has evidence by dividing them by their
 * maximum, so that the weight of a signal says what its best item counts for beside that
 * of the first:
 *
 *		score(j) = sum over signals s of weight_s * score_s(j) * max_1 / max_s
 *
 * (max over the items with a positive score, of a negative signal over the absolute ones.)
 * With a single signal these are the scores of the index itself.  Where content is declared they
 * are blended with what it says, see contentscores.h.
 */
#ifndef RECSYS_SCORES_H
#define RECSYS_SCORES_H

#include "postgres.h"

#include "api/profile/shopprofile.h"
#include "core/scoring/scorer.h"

typedef struct RecsysScores RecsysScores;

/* All in the current memory context; call between SPI_connect and SPI_finish. */
extern RecsysScores *RecsysScoreProfile(const RecsysShopProfile *profile);

/*
 * The same for the neighbors of one item in one graph, for similar_items and goes_with; with what
 * content says for those like it, if told so.
 */
extern RecsysScores *RecsysScoreNeighbors(RecsysShop *shop, const RecsysContext *context,
										  const char *graph, uint32 slot, bool with_content);

/* Multiplies an item's score, as promotions do.  Before the first RecsysScoresBest only. */
extern void RecsysScoresBoost(RecsysScores *scores, uint32 slot, double factor);

/*
 * The best n in descending order, ties by key, positive scores only, excluded and (unless
 * told otherwise by `with_seen`) seen ones left out.  Asking for more gives the same ones again,
 * and those behind them.  The array is the scores' own, good until the next call.
 */
extern int	RecsysScoresBest(RecsysScores *scores, int n, bool with_seen, const RecsysScored **best);

/* An item's score; 0 if nothing speaks for it. */
extern double RecsysScoresOf(const RecsysScores *scores, uint32 slot);

/* Does content alone speak for it? */
extern bool RecsysScoresByContent(const RecsysScores *scores, uint32 slot);

/* One reason for a score */
typedef struct RecsysPart
{
	int			signal;			/* place in the definition; -1: the context, or content */
	bool		is_content;		/* the item is like that of the user */
	char	   *attributes;		/* names of those that are alike, or NULL */
	uint32		because;		/* slot of the user's item; RECSYS_NONE: the signal's popularity */
	const struct RecsysCatalogue *other;	/* whose slot that is; NULL: the shop's */
	double		weight;			/* of that item for the user */
	float		similarity;
	int64		support;		/* -1: unknown */
	double		contribution;	/* all parts add up to the score */
} RecsysPart;

/* Why an item has its score, the largest contribution (by its amount) first. */
extern int	RecsysScoresExplain(RecsysScores *scores, uint32 slot, RecsysPart **parts);

/* By how many users the strongest pair of it by interactions is supported; 0 if that is not known. */
extern int64 RecsysScoresSupport(RecsysScores *scores, uint32 slot);

extern void RecsysScoresFree(RecsysScores *scores);

#endif							/* RECSYS_SCORES_H */
