/*
 * crossmodel.h
 *	  From the histories of two kinds of events to the graph between them, within a memory
 *	  limit.
 *
 * First come all histories of what is predicted, then those of the events, each with its user's
 * key: whoever is not among the former counts for nothing.
 */
#ifndef RECSYS_CROSSMODEL_H
#define RECSYS_CROSSMODEL_H

#include "postgres.h"

#include "core/cross/crossgraph.h"
#include "core/rows/key.h"

typedef struct RecsysCrossModel RecsysCrossModel;

typedef struct RecsysCrossShape
{
	RecsysKeyKind user_kind;
	uint32		nevents;		/* items of the events, and of what is predicted: */
	uint32		npredicts;		/* their numbers have the order of their keys */
	bool		events_weighted;
	bool		predicts_weighted;
	int			max_history;	/* longest history of the events */
	Size		memory_limit;	/* bytes */
} RecsysCrossShape;

extern RecsysCrossModel *RecsysCrossModelCreate(const RecsysCrossShape *shape);

/* One user's folded history, ascending by item; of each user one at most. */
extern void RecsysCrossAddPredicted(RecsysCrossModel *model, const RecsysKey *user,
									const RecsysHistoryItem *items, int count);
extern void RecsysCrossAddEvents(RecsysCrossModel *model, const RecsysKey *user,
								 const RecsysHistoryItem *items, int count);

/* Reports every item of the events, in ascending order; options are resolved. */
extern void RecsysCrossModelRun(RecsysCrossModel *model, const RecsysModelOptions *options,
								double min_likelihood, RecsysRowReporter report, void *arg);
extern void RecsysCrossModelFree(RecsysCrossModel *model);

#endif							/* RECSYS_CROSSMODEL_H */
