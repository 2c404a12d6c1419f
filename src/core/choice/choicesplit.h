/*
 * choicesplit.h
 *	  A sample's interactions, divided into what models learn from and what they are to foretell.
 */
#ifndef RECSYS_CHOICESPLIT_H
#define RECSYS_CHOICESPLIT_H

#include "core/choice/choicesample.h"
#include "core/pairs/cooccurrence.h"
#include "core/rows/recency.h"

typedef struct RecsysChoiceSplit
{
	uint32		nitems;
	RecsysMatrix users;			/* to learn from: user-major, no weights */
	RecsysMatrix items;			/* its transpose */
	double	   *weights;		/* parallel to users.columns; NULL unless weighted */
	int64	   *times;			/* likewise; NULL unless timed */
	uint32	   *item_users;		/* n_j */
	uint32		nknown;			/* items with users */
	uint64		interactions;	/* M, of the part to learn from */

	/* where all is held out that comes after one time */
	bool		ahead;
	int64		latest;			/* of what is learned from; RECSYS_NO_TIME without times */
	int64		trends[RECSYS_CHOICE_TRENDS];	/* half-lives; 0: none, or no more of them */
	RecsysRecency *recent[RECSYS_CHOICE_TRENDS];	/* by item; NULL for none */
	RecsysRecencyTotal all_recent[RECSYS_CHOICE_TRENDS];
	int64	   *last;			/* by item: its latest time */

	/* who is asked for */
	uint32		ntest;
	uint32	   *test_users;		/* rows of users */
	uint64	   *test_offsets;	/* ntest + 1 */
	uint32	   *test_items;		/* ascending */
	uint64		nasked;			/* entries of their rows */
} RecsysChoiceSplit;

/*
 * In the current memory context.  The first skipped of those who could be asked are not, so
 * that others can be asked after them.  The sample's users are put in the order of their
 * hashes.  The latest tenth of time is held out where enough users have something before
 * and after; otherwise a fifth of the items of some users, the latest or drawn.
 */
extern RecsysChoiceSplit *RecsysChoiceSplitCreate(RecsysChoiceSample *sample, uint32 skipped);
extern void RecsysChoiceSplitFree(RecsysChoiceSplit *split);

#endif							/* RECSYS_CHOICESPLIT_H */
