/*
 * armorder.h
 *	  Arms in the order of their scores, with a chance for each of the others.
 *
 * Place by place, with probability 1 - epsilon the best of the arms that are left, else any of them.
 * Arms of equal scores are in random order.  With epsilon 0 it is the order of the scores.
 */
#ifndef RECSYS_ARMORDER_H
#define RECSYS_ARMORDER_H

#include "core/base/random.h"

/* shares: n rows of `places`; scores may be infinite; NaN is the least. */
extern void RecsysOrderShares(const double *scores, int n, double epsilon, int places,
							  double *shares);
extern void RecsysDrawOrder(const double *scores, int n, double epsilon, int places,
							RecsysRandom *random, int *chosen);

#endif							/* RECSYS_ARMORDER_H */
