/*
 * bestsellers.h
 *	  What a list of bestsellers is worth to the same users, and whether a model is worth more.
 */
#ifndef RECSYS_BESTSELLERS_H
#define RECSYS_BESTSELLERS_H

#include "postgres.h"

#include "api/measure/measuring.h"
#include "api/measure/segments.h"

typedef struct RecsysBestsellers
{
	RecsysEvaluation evaluation;
	RecsysOutcome outcome;
} RecsysBestsellers;

/*
 * Gives the users of an evaluation the bestsellers that they do not have, most users first
 * among all items, and measures these lists.  The evaluation is one that RecsysMeasure has filled in, still with its item graph.
 */
extern void RecsysMeasureBestsellers(const RecsysMeasuring *measuring,
									 const RecsysItemKnowledge *knowledge,
									 const RecsysMeasuringMemory *memory,
									 const RecsysEvaluation *evaluation,
									 RecsysBestsellers *bestsellers);

/* A column of figures, one for each user */
typedef struct RecsysFigureColumn
{
	const double *figures;		/* rows of columns; NaN: not defined for the user */
	int			ncolumns;
	int			column;
} RecsysFigureColumn;

/* Two means over a segment's users, each over those for whom it is defined */
typedef struct RecsysContest
{
	double		model;			/* NaN: defined for nobody */
	double		bestsellers;
	uint32		users;			/* for whom both are defined */
	double		difference;		/* mean over these, model - bestsellers */
	double		p_value;		/* of Student's paired test; NaN for fewer than two */
} RecsysContest;

extern void RecsysContestBetween(const RecsysFigureColumn *model,
								 const RecsysFigureColumn *bestsellers,
								 const RecsysSegment *segment, RecsysContest *contest);

typedef enum RecsysVerdict
{
	RECSYS_VERDICT_BETTER,		/* or nothing can be said */
	RECSYS_VERDICT_ALIKE,
	RECSYS_VERDICT_WORSE
} RecsysVerdict;

/* With confidence as in the measuring; nothing can be said of some thirty users. */
extern RecsysVerdict RecsysJudgeContest(const RecsysContest *contest, double confidence);

/*
 * The figure that decides: NDCG if it is measured, otherwise the first measure of accuracy,
 * at the first k (0 for the one that has none).  False when no accuracy is measured.
 */
extern bool RecsysDecidingFigure(const RecsysEvaluation *evaluation, RecsysMetric *metric,
								 int *k, int *column);

/* "ndcg at 10", "auc" */
extern char *RecsysFigureName(RecsysMetric metric, int k);

/* The call of recsys.tune() that looks for a better model on the same split, for a hint. */
extern char *RecsysTuneCall(const char *source, const RecsysSplitOptions *split,
							RecsysMetric metric, int k);

/* Warns when the model is not better than bestsellers over all users. */
extern void RecsysWarnOfBestsellers(const RecsysEvaluation *evaluation,
									const RecsysOutcome *outcome,
									const RecsysBestsellers *bestsellers, double confidence,
									const char *source, const RecsysSplitOptions *split);

#endif							/* RECSYS_BESTSELLERS_H */
