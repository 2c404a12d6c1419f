/*
 * fatigue.h
 *	  What is left of an item's score when it has been shown to somebody in vain.
 *
 * Each impression takes the same share of what is left, as far as it was looked at.  How far that
 * was depends on its place in the list, by the discount of DCG (Järvelin, Kekäläinen: Cumulated
 * gain-based evaluation of IR techniques, ACM TOIS 20(4), 2002): 1 at the first place, .63 at the
 * second, .29 at the tenth.
 */
#ifndef RECSYS_FATIGUE_H
#define RECSYS_FATIGUE_H

#include "core/base/platform.h"

/* What an impression at a place counts, places from 1: 1 / log2(1 + place) */
extern double RecsysImpressionWeight(int place);

/*
 * (1 - fatigue) ^ impressions, these as weighed above.  Never 0, so that an item that nothing is
 * left of still comes before those that nothing speaks for.
 */
extern double RecsysFatigueFactor(double fatigue, double impressions);

#endif							/* RECSYS_FATIGUE_H */
