/*
 * weighedsignals.h
 *	  The signals of a recommender with other weights, as they are declared.
 */
#ifndef RECSYS_WEIGHEDSIGNALS_H
#define RECSYS_WEIGHEDSIGNALS_H

#include "postgres.h"

#include "api/declare/shop.h"
#include "utils/jsonb.h"

/*
 * weights are amounts, in the order of the signals; each keeps its sign, and those of 0 are left
 * out.  The array is one that alter_recommender() takes.
 */
extern Jsonb *RecsysSignalsWithWeights(const RecsysShop *shop, const double *weights);

#endif							/* RECSYS_WEIGHEDSIGNALS_H */
