/*
 * exchange.h
 *	  More items for a list whose limits leave no room for another one.
 *
 * What was best at its place may stand in the way of two others.
 */
#ifndef RECSYS_EXCHANGE_H
#define RECSYS_EXCHANGE_H

#include "core/arrange/placelimits.h"

/*
 * in: which of n items are in the list, to which none can be added.  Takes some out and
 * puts more in, until there are k or no way to more is found; see arrange.h for when that
 * means that there is none.  Returns how many are in.
 */
extern int	RecsysExchange(int ncaps, const int *caps, const RecsysArrangeItem *items, int n, int k,
						   bool *in);

#endif							/* RECSYS_EXCHANGE_H */
