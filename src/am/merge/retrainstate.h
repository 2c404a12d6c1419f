/*
 * retrainstate.h
 *	  What the parts of a merge that trains anew share.
 */
#ifndef RECSYS_RETRAINSTATE_H
#define RECSYS_RETRAINSTATE_H

#include "am/graph/itemorder.h"
#include "am/merge/graphupdate.h"
#include "am/merge/mergestate.h"
#include "am/read/userreader.h"
#include "source/train/historystore.h"

typedef struct RecsysRetraining
{
	RecsysMergeState *merge;
	Relation	index;
	Snapshot	snapshot;
	MemoryContext context;
	RecsysMetaData meta;
	RecsysModelOptions options;
	uint32		nitems;
	RecsysItemOrder *order;
	RecsysKeyOrder keys;
	uint32	   *by_rank;		/* item numbers in the order of keys; NULL: that of the numbers */
	uint32	   *ranks;			/* the other way round */
	RecsysUserReader *reader;
	RecsysModel *model;

	/* users whose flags are to follow, by hash */
	uint32	   *hashes;
	uint64		nhashes;
	uint64		maxhashes;

	/* rows on their way */
	uint16	   *flags;			/* by item: those on the queue; NULL: there are none */
	RecsysRowUpdate *rows;
	RecsysNeighbor *neighbors;	/* room for capacity of them for each row */
	int			nrows;
	int			maxrows;
	int			capacity;
} RecsysRetraining;

/*
 * Reads all users' histories into the model, with ranks for items, and notes whose flags are not as
 * the histories have them.
 */
extern void RecsysRetrainRead(RecsysRetraining *state);

/* Brings the flags of those users and of their entries up to date. */
extern void RecsysRetrainUsers(RecsysRetraining *state);

#endif							/* RECSYS_RETRAINSTATE_H */
