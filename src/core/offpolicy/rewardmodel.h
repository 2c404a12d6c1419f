/*
 * rewardmodel.h
 *	  What reward is to be expected of an item at a place, smoothed and cross-fitted.
 */
#ifndef RECSYS_REWARDMODEL_H
#define RECSYS_REWARDMODEL_H

#include "core/offpolicy/policyrows.h"

#define RECSYS_REWARD_FOLDS 5

typedef enum RecsysRewardModelState
{
	RECSYS_REWARD_MODEL_MADE,
	RECSYS_REWARD_MODEL_NO_ITEMS,	/* rows do not tell their items */
	RECSYS_REWARD_MODEL_NO_TARGET,	/* the target's probability of an item differs from row to row */
	RECSYS_REWARD_MODEL_OVERFULL	/* its probabilities of the items at a place sum up to more than 1 */
} RecsysRewardModelState;

/*
 * Fills in the rows' predicted and target_predicted, by a model of the mean reward of an item at a
 * position that has not seen the row's unit.
 *
 * What the target shows is target_item or, where that is NULL, the items of the rows with the same
 * position and context, with their probabilities: those must be the same in all of them.  What is
 * missing there of 1 counts with the position's mean.  seed decides which units are together in
 * a fold.
 */
extern RecsysRewardModelState RecsysRewardModel(const RecsysPolicyRows *rows, uint64 seed,
												double *predicted, double *target_predicted);

/*
 * Means of cells, shrunk towards given means by empirical Bayes: a mean is the truth of its cell plus
 * noise, and the truths vary around what is given.
 *
 * count, sum: of each cell; prior: what its mean is shrunk to; group: cells with one prior that was
 * made of them; within: variance of a single value in its cell.  Empty cells get the prior.
 */
extern void RecsysShrinkMeans(const double *count, const double *sum, const uint32 *group,
							  uint32 ncells, uint32 ngroups, double within, const double *prior,
							  double *mean);

#endif							/* RECSYS_REWARDMODEL_H */
