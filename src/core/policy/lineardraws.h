/*
 * lineardraws.h
 *	  Linear Thompson sampling where all arms share one function.
 *
 * Then what is believed of the arms depends on each other, and how likely each is the best has no
 * integral that could be worked out for many arms.  So the law of the coefficients is replaced by a
 * stated number of draws from it, made from a seed, and the policy is: the order of one of these, or,
 * a tenth as likely as each of them, any order, so that no arm is impossible.  Its probabilities are
 * counted out.
 */
#ifndef RECSYS_LINEARDRAWS_H
#define RECSYS_LINEARDRAWS_H

#include "core/policy/linearreward.h"

typedef struct RecsysLinearDraws
{
	const RecsysLinearFit *fit;
	const double *features;
	int			stride;
	int			narms;
	double		deviation;
	int			draws;
	uint64		seed;
} RecsysLinearDraws;

extern void RecsysLinearDrawsShares(const RecsysLinearDraws *draws, int places, double *shares);
extern void RecsysLinearDrawsPick(const RecsysLinearDraws *draws, int places,
								  RecsysRandom *random, int *chosen);

#endif							/* RECSYS_LINEARDRAWS_H */
