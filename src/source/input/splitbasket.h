/*
 * splitbasket.h
 *	  Each user's last basket held out, and what is known of those before it.
 */
#ifndef RECSYS_SPLITBASKET_H
#define RECSYS_SPLITBASKET_H

#include "postgres.h"

#include "core/measure/basketlist.h"
#include "source/input/splituser.h"

/* A user with fewer baskets keeps all of them, as in Li et al. (core/measure/basketlist.c). */
#define RECSYS_LEAST_BASKETS 3

typedef struct RecsysSplitBaskets
{
	/* of users with held-out items, by place: rows before the held-out basket, and its begin */
	uint64	   *offsets;
	uint32		maxusers;
	uint64		maxrows;
	uint32	   *items;
	double	   *weights;		/* NULL when there are none */
	int64	   *times;
	int64	   *at;

	/* of all users */
	RecsysRhythm *rhythms;		/* by item of the training part */
	RecsysUserRhythms *user;	/* of the one at hand */
	int64		begin;			/* of that one's held-out basket */
} RecsysSplitBaskets;

/* In the split's context, when its items are numbered */
extern RecsysSplitBaskets *RecsysSplitBasketsCreate(const RecsysSplit *split);

/*
 * Moves a user's last basket from the training to the test part; the folding of the training
 * part that follows tells of the user's rhythms.
 */
extern void RecsysSplitBasket(RecsysSplitter *splitter, RecsysFolding *folding);

/* What folding has told of the items that are evidence */
extern void RecsysSplitBasketRhythms(RecsysSplitter *splitter, int nfolded);

/* Keeps the training rows of a user who has just got a place among those with held-out items. */
extern void RecsysSplitBasketKeep(RecsysSplitter *splitter, uint32 place);

#endif							/* RECSYS_SPLITBASKET_H */
