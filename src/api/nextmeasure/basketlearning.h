/*
 * basketlearning.h
 *	  Which mix of repeats, discoveries and popular items foretells baskets best.
 */
#ifndef RECSYS_BASKETLEARNING_H
#define RECSYS_BASKETLEARNING_H

#include "postgres.h"

#include "api/next/basketmix.h"
#include "core/measure/evaluation.h"

/* Of fewer users with a held-out basket nothing can be learned. */
#define RECSYS_LEARNING_BASKETS 40

/*
 * Learns from the evaluation's baskets, whose users are in an order that tells nothing; span is
 * the time that the rows are spread over, in microseconds, 0 for none.  False if there are too few users.
 */
extern bool RecsysLearnBasketMix(RecsysEvaluation *evaluation, int64 span, RecsysBasketMix *mix);

#endif							/* RECSYS_BASKETLEARNING_H */
