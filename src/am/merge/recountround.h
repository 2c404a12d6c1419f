/*
 * recountround.h
 *	  A round of recount.c: items whose rows are written together.  For the files
 *	  that count, recountexact.c and recountadjust.c.
 */
#ifndef RECSYS_RECOUNTROUND_H
#define RECSYS_RECOUNTROUND_H

#include "am/graph/graph.h"
#include "am/merge/recount.h"
#include "core/pairs/succession.h"

/* Which user of the round has which of its items */
typedef struct RecsysMember
{
	uint32		slot;
	uint32		user;
	float		weight;
} RecsysMember;

/* A row that stores a pair with an item of the round; a list for each slot */
typedef struct RecsysStoredPair
{
	uint32		row;
	uint32		support;
	float		score;
	uint32		next;
} RecsysStoredPair;

struct RecsysRecount
{
	Relation	heap;
	Relation	index;
	Snapshot	snapshot;
	Size		memory;
	RecsysMetaData meta;
	RecsysModelOptions options;
	bool		weighted;		/* have folded interactions other weights than 1? */
	bool		uses_dots;		/* are scores computed with weights? */
	bool		weighs;			/* with others than those given? */
	RecsysSuccession *succession;	/* NULL when the order of histories does not matter */
	bool		symmetric;		/* is the score of (x, y) that of (y, x)? */
	int64		recent_half_life;	/* of the rows' recencies; 0: none */
	int64		now;
	int			capacity;
	uint32		nitems;
	RecsysUserReader *reader;
	RecsysGraphReader graph;
	RecsysKeyOrder order;
	MemoryContext context;
	MemoryContext round;

	/* by item number; all zero or NULL between rounds */
	uint32	   *slots;			/* place in the round + 1 */
	uint32	   *counts;
	double	   *dots;
	double	   *dots_of_others; /* by the order: those of their rows; or NULL */
	uint32	   *stored_at;		/* slot + 1 whose pair the row stores */

	/* by item number: what the graph row says, where loaded */
	bool	   *loaded;
	uint32	   *users;
	double	   *norm2;
	double	   *mass;
	float	   *floors;

	/* the round */
	const uint32 *items;
	uint32		nround;
	RecsysHistories histories;	/* weights as scores are computed with them */
	RecsysRowTotals *totals;	/* by slot */
	RecsysMember	   *members;
	uint64		nmembers;
	uint64		maxmembers;
	bool		overflow;
	bool		rows_only;
	bool		all_rows;
	uint32	   *touched;
	uint32		ntouched;
	RecsysStoredPair *stored;
	uint32		nstored;
	uint32		maxstored;
	uint32	   *stored_heads;	/* by slot: first of its list + 1 */
	RecsysRowUpdate *rows;
	RecsysPairUpdate *pairs;
	uint64		npairs;
	uint64		maxpairs;

	/* the user at hand */
	RecsysHistoryItem *folded;
	int			maxfolded;
	RecsysUserRhythms *rhythms; /* NULL: interactions have no times */
	float	   *masses;			/* weights that masses are sums of */
	float	   *weights;		/* to work with */
};

/* Take note of what the row of an item says, once a round. */
extern void RecsysRoundLoadRow(RecsysRecount *recount, uint32 item);

/* Items of a round are counted together, from Start to End. */
extern void RecsysRoundStart(RecsysRecount *recount, const uint32 *items, uint32 nitems);
extern void RecsysRoundEnd(RecsysRecount *recount);

/* Scores are computed with these totals of an item from now on. */
extern void RecsysRoundScoreWith(RecsysRecount *recount, uint32 item, const RecsysRowTotals *totals);

/* And these the row of a slot's item shall have, too. */
extern void RecsysRoundPutTotals(RecsysRecount *recount, uint32 slot, const RecsysRowTotals *totals);

/* One more user has an item, since that time. */
extern void RecsysRoundAddTime(const RecsysRecount *recount, RecsysRowTotals *totals, int64 time);

extern void RecsysRoundAddMember(RecsysRecount *recount, uint32 slot, uint32 user, float weight);

/* Add the histories of members first .. last-1, who have the item of one slot. */
extern void RecsysRoundCount(RecsysRecount *recount, uint64 first, uint64 last);

/* All counts are zero again. */
extern void RecsysRoundClear(RecsysRecount *recount);

/*
 * What a pair's dot product must have been for row x to store such a score for y, from
 * the totals of the two items; 0 where scores are computed without weights.
 */
extern double RecsysRoundStoredDot(const RecsysRecount *recount, uint32 x, uint32 y, uint32 count,
								   float score);

/*
 * Score that row x has for item y.  Of an inexact item it may still be unknown
 * that it has as many users as are counted here.
 */
extern float RecsysRoundScore(const RecsysRecount *recount, uint32 x, uint32 y, uint32 count, double dot);

/* What the row has to say about the item from now on; score 0: nothing. */
extern void RecsysRoundPutPair(RecsysRecount *recount, uint32 row, uint32 item, uint32 support, float pair_score);

/* Counting sort of the members by slot; returns where each slot's begin. */
extern uint64 *RecsysRoundGroupMembers(RecsysRecount *recount);

#endif							/* RECSYS_RECOUNTROUND_H */
