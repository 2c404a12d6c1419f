/*
 * serving.h
 *	  From a user's rows to scores: what recommend, recommend_for_items and
 *	  explain_recommendation share.
 */
#ifndef RECSYS_SERVING_H
#define RECSYS_SERVING_H

#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/recommender.h"
#include "core/scoring/scorer.h"
#include "core/rows/history.h"

typedef struct RecsysProfile
{
	RecsysInteraction *seen;	/* visible rows, in no order */
	int			nseen;
	int			nevidence;		/* items that count, ascending */
	uint32	   *items;
	double	   *weights;		/* folded weight times decay */
} RecsysProfile;

/*
 * Rows of a user that the active snapshot sees and that are not later than `until`, by the clock of
 * the time column (PG_INT64_MAX: all), in no order, palloc'd; returns how many.
 */
extern int	RecsysReadUserRows(RecsysRecommender *recommender, const RecsysKey *user, int64 until,
						   RecsysInteraction **rows);

/* Reads what the active snapshot sees of a user; half_life in microseconds. */
extern void RecsysReadProfile(RecsysRecommender *recommender, const RecsysKey *user,
							  int64 half_life, RecsysProfile *profile);

/* The same of rows that are not later than `until`. */
extern void RecsysReadProfileUntil(RecsysRecommender *recommender, const RecsysKey *user,
								   int64 half_life, int64 until, RecsysProfile *profile);

/* The given items as a profile: each known one once, with weight 1. */
extern void RecsysItemsProfile(RecsysRecommender *recommender, const RecsysKey *keys, int count,
							   RecsysProfile *profile);

/*
 * Puts the k best items for a profile: first those with a score, then popular
 * ones that are neither seen (when exclude_seen) nor already there.
 */
extern void RecsysPutRecommendations(RecsysRecommender *recommender, RecsysAnswer *answer,
									 const RecsysProfile *profile, int k, bool exclude_seen);

/*
 * Number of an item key; false when the index has no such item.
 */
extern bool RecsysFindItem(RecsysRecommender *recommender, const RecsysKey *key, uint32 *item);

#endif							/* RECSYS_SERVING_H */
