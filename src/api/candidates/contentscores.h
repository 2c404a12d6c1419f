/*
 * contentscores.h
 *	  What content says for the items, beside what interactions say.
 *
 * Of a pair of an item i of the user and a candidate j, interactions say g(i, j) and content
 * c * l(i, j), the likeness on their scale.  How much the interactions know depends on how many
 * users each of the two has: with n users it counts for a(n) = n / (n + m), where m is as many
 * users as content is worth.  So
 *
 *		score(u, j) = sum over i of w_i * (a_j g(i, j) + (1 - a_i a_j) * c l(i, j))
 *					= a_j (s - c t') + c t
 *
 * where s is the score by interactions, t = sum of w_i l(i, j), and t' the same with w_i a_i.
 * For users whose items are well known that is (n s + m c t) / (n + m).  What is known too
 * little is told by what it is, whether that is the candidate or what the user has touched.
 * With m = 0 content speaks only where one of the two has no users at all.
 *
 * s is never more than what a_j leaves of it, and the score lies between what it is for a_j = 0
 * and for a_j = 1: so users are counted only of items that may be among the best.
 *
 * Likenesses come from the graph of the items index; what no merge has taken yet is compared on
 * the spot.  What is in the graph but not there any more the items' table leaves out.
 */
#ifndef RECSYS_CONTENTSCORES_H
#define RECSYS_CONTENTSCORES_H

#include "postgres.h"

#include "api/candidates/scorepiece.h"

typedef struct RecsysContentScores RecsysContentScores;

/*
 * What the evidence of the pieces says by content; s: the sum of what they say by interactions,
 * from which the scale is taken if none has been learned.  NULL if the shop has no content
 * declared.  In the current memory context.
 */
extern RecsysContentScores *RecsysScoreContent(RecsysShop *shop, const RecsysScorePiece *pieces,
											   int npieces, const RecsysLease *s);
extern void RecsysContentScoresFree(RecsysContentScores *content);

/* As RecsysScoresBoost: of both that are blended */
extern void RecsysContentBoost(RecsysContentScores *content, uint32 slot, double factor);

/* The score of an item for which interactions say s. */
extern double RecsysContentBlend(RecsysContentScores *content, uint32 slot, double s);

/* No less than that, without counting users. */
extern double RecsysContentBound(const RecsysContentScores *content, uint32 slot, double s);

/* Items that content says something of; valid until the next call. */
extern uint32 RecsysContentTouched(const RecsysContentScores *content, const uint32 **slots);

/* What the score by interactions is multiplied by: a_j. */
extern double RecsysContentKnown(RecsysContentScores *content, uint32 slot);

/* Does content alone speak for an item for which interactions say s? */
extern bool RecsysContentAlone(const RecsysContentScores *content, uint32 slot, double s);

/* Parts, at most, of an explanation; appends them and returns how many. */
extern int	RecsysContentParts(const RecsysContentScores *content);
extern int	RecsysContentExplain(RecsysContentScores *content, uint32 slot, RecsysPart *parts);

#endif							/* RECSYS_CONTENTSCORES_H */
