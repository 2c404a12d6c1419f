/*
 * interleave.h
 *	  Two lists in one, by team draft: Radlinski, Kurup, Joachims: How does clickthrough data
 *	  reflect retrieval quality?, CIKM 2008.
 */
#ifndef RECSYS_INTERLEAVE_H
#define RECSYS_INTERLEAVE_H

#include "api/route/banditchoice.h"

/*
 * The first k of the draft of two lists, which both should have k items if they can; arms says whose
 * each item is: teams[0] or teams[1], or NULL where one list has come to its end.  Texts are those
 * of the lists.
 */
extern void RecsysTeamDraft(const RecsysRoutedList *first, const RecsysRoutedList *second,
							const char *const teams[2], uint64 seed, int k, RecsysRoutedList *draft);

#endif							/* RECSYS_INTERLEAVE_H */
