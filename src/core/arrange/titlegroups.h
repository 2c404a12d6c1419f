/*
 * titlegroups.h
 *	  Variants of one kind of product, found by their titles.
 *
 * Titles that share their first two or their last two words are of one group, wherever the
 * other has them; so are titles that have most of their words in common, rare words counting
 * more.  Numbers and words that only connect (of, with, and) are no words here, nor are those
 * of quantities ("set of 6"), as long as two others are left.
 */
#ifndef RECSYS_TITLEGROUPS_H
#define RECSYS_TITLEGROUPS_H

#include "core/base/platform.h"

typedef struct RecsysTitles RecsysTitles;

/* Lives in the current memory context. */
extern RecsysTitles *RecsysTitlesCreate(void);
extern void RecsysTitlesFree(RecsysTitles *titles);

/*
 * Adds a title, which gets the next number.  Letters are to be in lower case; in UTF-8 (or
 * ASCII) unless is_utf8 is false, where every byte that is not ASCII is a letter.
 */
extern void RecsysTitlesAdd(RecsysTitles *titles, const char *title, Size len, bool is_utf8);

/*
 * The group of each title: the smallest number of its members, in a palloc'd array.  What
 * the groups are depends on the titles and their order only.
 */
extern uint32 *RecsysTitlesGroup(RecsysTitles *titles);

/* After that: the two words that a group shares, palloc'd; NULL if it is a group for other reasons. */
extern char *RecsysTitlesLabel(const RecsysTitles *titles, uint32 group);

#endif							/* RECSYS_TITLEGROUPS_H */
