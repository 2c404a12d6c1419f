/*
 * rule_measures.h
 *	  What an association rule is worth, as functions of four counts.
 */
#ifndef RECSYS_RULE_MEASURES_H
#define RECSYS_RULE_MEASURES_H

#include "core/base/platform.h"

/* Baskets with the whole rule, with its antecedent, with its consequent, and all of them */
typedef struct RecsysRuleCounts
{
	uint64		both;
	uint64		antecedent;
	uint64		consequent;
	uint64		baskets;
} RecsysRuleCounts;

/* In the order of the columns of association_rules() */
typedef enum RecsysRuleMeasure
{
	RECSYS_RULE_SUPPORT,		/* a number of baskets */
	RECSYS_RULE_SUPPORT_SHARE,
	RECSYS_RULE_CONFIDENCE,
	RECSYS_RULE_LIFT,
	RECSYS_RULE_LEVERAGE,
	RECSYS_RULE_CONVICTION,
	RECSYS_RULE_JACCARD,
	RECSYS_RULE_COSINE,
	RECSYS_RULE_KULCZYNSKI,
	RECSYS_RULE_IMBALANCE_RATIO,
	RECSYS_RULE_CHI_SQUARE,
	RECSYS_RULE_CHI_SQUARE_P,
	RECSYS_RULE_FISHER_P,
	RECSYS_RULE_ADJUSTED_P		/* depends on all rules: see RecsysAdjusted */
} RecsysRuleMeasure;

#define RECSYS_RULE_MEASURES (RECSYS_RULE_ADJUSTED_P + 1)

/* False if there is no measure of that name (case does not matter). */
extern bool RecsysRuleMeasureParse(const char *name, RecsysRuleMeasure *measure);
extern const char *RecsysRuleMeasureName(RecsysRuleMeasure measure);

/* Is a small value the better one? */
extern bool RecsysRuleMeasureAscends(RecsysRuleMeasure measure);

/*
 * Any but the adjusted p-value.  Not NaN; conviction may be infinite.  Counts must be
 * possible ones, and none but both zero.  What is a quotient of integers is the double
 * next to it, so that it compares with a decimal number as the fraction itself would.
 */
extern double RecsysRuleMeasureValue(RecsysRuleMeasure measure, const RecsysRuleCounts *counts);

/*
 * Benjamini and Hochberg's adjustment.  Prepare sorts the p-values of all tests
 * and replaces each by its adjusted one in sorted[i], where ordered[i] keeps the
 * p-value itself; Adjusted looks one up.
 */
extern void RecsysAdjustPrepare(double *ordered, double *sorted, uint64 n);
extern double RecsysAdjusted(const double *ordered, const double *sorted, uint64 n, double p);

#endif							/* RECSYS_RULE_MEASURES_H */
