/*
 * historystore.h
 *	  From users' histories to the item graph, within a memory limit.
 */
#ifndef RECSYS_HISTORYSTORE_H
#define RECSYS_HISTORYSTORE_H

#include "postgres.h"

#include "core/dense/factors.h"
#include "core/pairs/cooccurrence.h"
#include "core/rows/history.h"
#include "core/sequence/rhythm.h"
#include "source/train/choosing.h"

typedef struct RecsysModel RecsysModel;

typedef struct RecsysModelStatistics
{
	uint64		users;			/* users with a counting interaction */
	uint64		items;			/* items with a counting interaction */
	uint64		interactions;	/* folded interactions that count */
	uint64		capped_users;
	uint64		capped_interactions;
	int			passes;			/* over the histories; 1 when all is in memory */
} RecsysModelStatistics;

/*
 * Histories are kept in memory unless on_disk, which writes them to a temporary
 * file.  memory_limit, in bytes, is for everything the model allocates.  Up to
 * nworkers parallel workers help to compute the item graph, within that limit;
 * only a utility command may ask for any.
 */
/*
 * Does training let interactions decay, counted from the latest of them?  Then the
 * model is created as a weighted one.
 */
extern bool RecsysModelDecays(const RecsysModelOptions *options, int64 latest);

extern RecsysModel *RecsysModelCreate(uint32 nitems, bool weighted, int max_history,
									  Size memory_limit, bool on_disk, int nworkers);

/* What sums of weights mean; before the first interaction. */
extern void RecsysModelSetTransform(RecsysModel *model, RecsysWeightTransform transform);

/*
 * Weights decay with the interactions' age at a reference time, both in
 * microseconds; before the first interaction, for a weighted model.
 */
extern void RecsysModelSetDecay(RecsysModel *model, int64 half_life, int64 reference);

/* The order of histories is kept; before the first interaction.  For RecsysModelUsesOrder. */
extern void RecsysModelKeepOrder(RecsysModel *model);

/* Totals tell each item's latest time as well; before the first interaction. */
extern void RecsysModelKeepLatest(RecsysModel *model);

/*
 * And how many users have it lately, if there is a half_life; times after now count as
 * of now.
 */
extern void RecsysModelKeepRecent(RecsysModel *model, int64 half_life, int64 now);

/* And when users take each item again, see core/sequence/rhythm.h; likewise. */
extern void RecsysModelKeepRhythms(RecsysModel *model);

/*
 * similarity = auto: the model is chosen when it is finished.  After the decay is set,
 * before the first interaction; weights come as they are, and no half-life of popularity
 * is to be kept besides.  timed: do interactions have times?
 */
extern void RecsysModelChoose(RecsysModel *model, const RecsysChoosingOptions *options, bool timed);

/*
 * The user who has just ended, by a hash of the key with a seed that is always the same,
 * for such a choice; nothing without one.
 */
#define RECSYS_SAMPLE_SEED UINT64CONST(0x7265637379732031)

extern void RecsysModelSampleUser(RecsysModel *model, uint64 hash);

/* What was chosen, from Finish on; NULL: there was nothing to choose. */
extern const RecsysChoice *RecsysModelGetChoice(const RecsysModel *model);

/* One interaction of the user at hand; its item must be a number below nitems. */
extern void RecsysModelAdd(RecsysModel *model, const RecsysInteraction *interaction);

/* The user at hand is complete.  Does anything of him count? */
extern bool RecsysModelEndUser(RecsysModel *model);

/* What of the user who has just ended counts, by ascending item; until the next one begins. */
extern const RecsysHistoryItem *RecsysModelLastHistory(const RecsysModel *model, int *count);

/*
 * No more users.  Totals are valid from here on; both results live as long as
 * the model.
 */
extern const RecsysItemTotals *RecsysModelFinish(RecsysModel *model);

/*
 * Measures of pairs, without workers: only rows of these items are computed, one flag for each item,
 * which the model keeps no copy of.  The others are reported without neighbors.
 */
extern void RecsysModelWant(RecsysModel *model, const bool *wanted);

/*
 * Trains with the options and reports every item's neighbors, in ascending item
 * order.  Without workers it can be run again and again, with other options;
 * max_history, weight_transform and training_half_life have had their effect before.
 */
extern void RecsysModelRun(RecsysModel *model, const RecsysModelOptions *options,
						   RecsysRowReporter report, void *arg);

/*
 * For the reporter of a run: the totals that its scores are computed with.  Norms and
 * masses are those of the weights that training sees.
 */
extern const RecsysItemTotals *RecsysModelScored(const RecsysModel *model);

/* What the last run has learned beside the item graph; NULL for models without factors. */
extern const RecsysFactors *RecsysModelFactors(RecsysModel *model);

/* What RecsysModelFinish returns */
extern const RecsysItemTotals *RecsysModelTotals(const RecsysModel *model);

/* By item; NULL: they were not to be kept. */
extern const RecsysRhythm *RecsysModelRhythms(const RecsysModel *model);

extern const RecsysModelStatistics *RecsysModelGetStatistics(const RecsysModel *model);
extern void RecsysModelFree(RecsysModel *model);

#endif							/* RECSYS_HISTORYSTORE_H */
