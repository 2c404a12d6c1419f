/*
 * splituser.h
 *	  What a user has, divided into a part to learn from and a part to be foretold.
 */
#ifndef RECSYS_SPLITUSER_H
#define RECSYS_SPLITUSER_H

#include "postgres.h"

#include "core/rows/history.h"
#include "source/input/split.h"

/* One user's interactions of both parts; grows to the largest user. */
typedef struct RecsysInteractionList
{
	RecsysInteraction *all;
	int			count;
	int			size;
} RecsysInteractionList;

/* Working space for one user */
typedef struct RecsysSplitter
{
	RecsysSplit *split;
	RecsysInteractionList train;
	RecsysInteractionList test;
	RecsysHistoryItem *folded;
	uint32	   *items;			/* distinct items, ascending */
	uint64	   *order;
	int			size;			/* room in folded, items, order */
	uint32	   *test_items;		/* by item of the test query's collector: number in the split */
} RecsysSplitter;

extern void RecsysSplitAdd(RecsysInteractionList *interactions, const RecsysInteraction *interaction);

/* Divides what train and test have of the user, and adds both parts to the split. */
extern void RecsysSplitUser(RecsysSplitter *splitter, const RecsysKey *user);

#endif							/* RECSYS_SPLITUSER_H */
