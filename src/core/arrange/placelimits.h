/*
 * placelimits.h
 *	  How many items of a list may share a label: caps, and one of each group.
 *
 * A limit and a label of it make a class.  Classes are numbered as they come up; how many
 * items of a class are in the list is counted.
 */
#ifndef RECSYS_PLACELIMITS_H
#define RECSYS_PLACELIMITS_H

#include "core/arrange/arrange.h"

typedef struct RecsysLimits
{
	int			ncaps;
	const int  *caps;
	uint32		nslots;			/* of the hash table, a power of two */
	uint32	   *slots;			/* class, or RECSYS_NONE */
	uint32		nclasses;
	uint32		room;			/* for classes */
	uint64	   *keys;			/* by class */
	int		   *counts;
} RecsysLimits;

extern void RecsysLimitsInit(RecsysLimits *limits, int ncaps, const int *caps);
extern void RecsysLimitsFree(RecsysLimits *limits);

/* Limits are numbered: 0 is that of groups, 1 the first cap. */
static inline int
RecsysLimitsNumber(const RecsysLimits *limits)
{
	return limits->ncaps + 1;
}

static inline int
RecsysLimitsMost(const RecsysLimits *limits, int limit)
{
	return limit == 0 ? 1 : limits->caps[limit - 1];
}

static inline uint32
RecsysLimitsLabel(const RecsysArrangeItem *item, int limit)
{
	return limit == 0 ? item->group : item->labels[limit - 1];
}

/* The class of an item by a limit, a new one if need be; RECSYS_NONE if the limit is none to it. */
extern uint32 RecsysLimitsClass(RecsysLimits *limits, const RecsysArrangeItem *item, int limit);

/* May the item be added?  What may not be added now may not be later. */
extern bool RecsysLimitsAllow(const RecsysLimits *limits, const RecsysArrangeItem *item);
extern void RecsysLimitsAdd(RecsysLimits *limits, const RecsysArrangeItem *item);

#endif							/* RECSYS_PLACELIMITS_H */
