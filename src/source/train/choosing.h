/*
 * choosing.h
 *	  similarity = auto while histories are gathered: the sample, and whatever of the
 *	  histories depends on the choice, in all ways that it may turn out.
 */
#ifndef RECSYS_CHOOSING_H
#define RECSYS_CHOOSING_H

#include "postgres.h"

#include "core/choice/choice.h"
#include "source/train/historyfile.h"

typedef struct RecsysChoosing
{
	RecsysChoiceTask task;
	RecsysChoiceSample *sample;
	int64		now;			/* what is later counts as of now */
	RecsysRecency *recent[RECSYS_CHOICE_TRENDS];	/* by item and half-life */

	/* weights as logarithms, beside those given; none unless the transform is to be chosen */
	bool		transforms;
	float	   *logs;			/* in memory, one behind the other */
	uint64		nlogs;
	uint64		max_logs;
	RecsysHistoryFile *log_file;	/* or on disk */
	double	   *log_norm2;		/* totals by item */
	double	   *log_mass;

	RecsysChoice choice;
} RecsysChoosing;

typedef struct RecsysChoosingOptions
{
	const RecsysModelOptions *asked;
	int64		half_life;		/* of serving; < 0: to be chosen */
	int64		span;			/* of time that interactions are spread over; 0 without times */
	int64		now;
} RecsysChoosingOptions;

/*
 * In the current memory context.  weighted: do histories have weights?  file: are they
 * written to one?
 */
extern RecsysChoosing *RecsysChoosingCreate(const RecsysChoosingOptions *options, uint32 nitems,
											bool weighted, bool timed, Size memory_limit,
											RecsysHistoryFile *log_file);

/* A user whose folded history has been added to the model */
extern void RecsysChoosingAdd(RecsysChoosing *choosing, uint64 hash,
							  const RecsysHistoryItem *items, int count);

/*
 * Chooses; the sample is gone then.  A line for each model that was tried goes to the log of
 * whoever looks for it.
 */
extern void RecsysChoosingFinish(RecsysChoosing *choosing);

/* Which half-life of popularity was chosen: its number, 0 for none */
extern int	RecsysChoosingTrend(const RecsysChoosing *choosing);

#endif							/* RECSYS_CHOOSING_H */
