/*
 * predictions.h
 *	  The views that signals with "predicts" take their scores from.
 */
#ifndef RECSYS_PREDICTIONS_H
#define RECSYS_PREDICTIONS_H

#include "postgres.h"

#include "api/declare/declaredrows.h"
#include "api/declare/definition.h"

/*
 * The row's definition with the view of each signal that predicts as its graph.  What another
 * signal of the same owner has already, made in the same way, serves both; else it is made, by the
 * row's owner and with that one's rights.
 */
extern Jsonb *RecsysMakePredictions(const RecsysDeclaredRow *row);

/*
 * Drops the views that the row has had made, which are neither in the definition `now` (may be NULL)
 * nor in any recommender but this one.
 */
extern void RecsysDropPredictions(const RecsysDeclaredRow *row, Jsonb *now);

/*
 * What keeps the views of the row's signals from being refreshed, as when something else has taken
 * the name of one; NULL: nothing.
 */
extern char *RecsysPredictionsProblem(const RecsysDeclaredRow *row);

/* Computes the views of all signals that predict anew; the caller has the rights of their owner. */
extern void RecsysRefreshPredictions(const RecsysDefinition *definition);

#endif							/* RECSYS_PREDICTIONS_H */
