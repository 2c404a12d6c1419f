/*
 * sweep.h
 *	  Removing the entries of partitions that are gone from the whole.
 */
#ifndef RECSYS_SWEEP_H
#define RECSYS_SWEEP_H

#include "postgres.h"

#include "utils/rel.h"

/*
 * Does so, with events, if there are any.  What somebody is about to change, or is vacuuming, stays
 * for the next time.
 */
extern void RecsysSweep(Relation whole);

#endif							/* RECSYS_SWEEP_H */
