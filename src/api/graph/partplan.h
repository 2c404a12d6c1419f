/*
 * partplan.h
 *	  Plans of training by parts, as functions get and return them.
 */
#ifndef RECSYS_PARTPLAN_H
#define RECSYS_PARTPLAN_H

#include "postgres.h"

#include "core/pairs/trainparts.h"
#include "core/rows/key.h"
#include "fmgr.h"
#include "source/input/collector.h"
#include "source/train/historystore.h"

/* A plan for what a model has to do, whose items are the collector's */
extern RecsysTrainParts *RecsysPlanParts(RecsysCollector *collector, RecsysKeyKind kind,
										 const RecsysModel *model, uint32 parts);

/* The hash that plans know an item by */
extern uint64 RecsysPlannedHash(RecsysKeyKind kind, const RecsysKey *key);

/*
 * As bytes that are the same on all machines, and back; errors out on bytes that are no plan for
 * these.
 */
extern bytea *RecsysPlanToBytes(const RecsysTrainParts *plan, RecsysKeyKind kind);
extern RecsysTrainParts *RecsysPlanFromBytes(bytea *bytes, RecsysKeyKind kind, uint32 parts);

#endif							/* RECSYS_PARTPLAN_H */
