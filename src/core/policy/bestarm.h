/*
 * bestarm.h
 *	  How likely each of some arms is the best, the second best and so on, if each one's mean follows
 *	  a law of its own.
 */
#ifndef RECSYS_BESTARM_H
#define RECSYS_BESTARM_H

#include "core/policy/rewardlaw.h"

/*
 * shares: n rows of `places`, the probability of each arm at each place; 1 <= places <= n.  Laws
 * are of one kind and independent.  Columns sum up to 1: what they did before that was seen to is
 * returned, as the largest difference from 1.
 */
extern double RecsysBestArms(const RecsysLaw *laws, int n, int places, double *shares);

#endif							/* RECSYS_BESTARM_H */
