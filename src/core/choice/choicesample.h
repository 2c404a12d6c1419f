/*
 * choicesample.h
 *	  Users' histories that a model is chosen on: all of them, or a sample that fits.
 */
#ifndef RECSYS_CHOICESAMPLE_H
#define RECSYS_CHOICESAMPLE_H

#include "core/rows/history.h"

/* Half-lives of popularity that may be compared, the first of them none */
#define RECSYS_CHOICE_TRENDS 3

/*
 * Who has more items than this is a robot or a wholesaler.  Counting takes the square of a
 * history's length, for every model, and the choice is not about them.
 */
#define RECSYS_CHOICE_ITEMS 1000

typedef struct RecsysChoiceSample
{
	uint32		nitems;
	bool		weighted;
	bool		timed;
	int64		now;			/* what is later counts as of now; PG_INT64_MAX to begin with */
	int64		trends[RECSYS_CHOICE_TRENDS];	/* half-lives to compare; 0: none, or no more of them */
	uint64		threshold;		/* users with a higher hash are left out */

	/* users in the order of arrival: histories one behind the other, ascending by item */
	uint32		nusers;
	uint64	   *hashes;
	uint64	   *offsets;		/* nusers + 1 */
	uint32	   *items;
	double	   *weights;		/* sums as they are; NULL unless weighted */
	int64	   *times;			/* NULL unless timed */

	/* room */
	uint64		most;			/* entries that the memory suffices for */
	uint32		max_users;
	uint64		max_entries;
} RecsysChoiceSample;

/*
 * For item numbers below nitems.  memory_limit, in bytes, is for the sample and for all
 * that RecsysChoose takes beside it.  In the current memory context.
 */
extern RecsysChoiceSample *RecsysChoiceSampleCreate(uint32 nitems, bool weighted, bool timed,
													Size memory_limit);

/*
 * A user's folded history, ascending by item.  Who is in the sample depends on the hashes
 * alone, which are of the user's key, and not on the order of users.
 */
extern void RecsysChoiceSampleAdd(RecsysChoiceSample *sample, uint64 hash,
								  const RecsysHistoryItem *items, int count);

/* The half-lives that are worth a comparison where interactions are spread over so long */
extern void RecsysChoiceTrends(int64 span, int64 *trends);

/* An interval in microseconds that will be shown: in whole days if it has some. */
extern int64 RecsysChoiceRound(int64 interval);

extern void RecsysChoiceSampleFree(RecsysChoiceSample *sample);

#endif							/* RECSYS_CHOICESAMPLE_H */
