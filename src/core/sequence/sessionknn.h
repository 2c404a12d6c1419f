/*
 * sessionknn.h
 *	  What comes next in a session, by the sessions that are most like it so far.
 *
 * Nearest neighbors of sessions with votes by position, the family of V-SKNN and VSTAN
 * (Ludewig and Jannach 2018; Ludewig et al. 2021), over an index of recent sessions by
 * item, which is VMIS-kNN (Kersbergen, Sprangers and Schelter 2022):
 *
 *		w(i)     = (1 + d)^-1.5, d being how far item i stands before the session's last one
 *		score(s) = sum of w(i) over the items i that s has in common with the session
 *		vote(j)  = sum over the best sessions s of score(s) * |gap|^-0.5 * idf(j)
 *
 * gap is how many places item j stands behind, or before, the anchor of s: of the items in
 * common that which comes last in the session at hand.  The anchor itself counts
 * RECSYS_SESSION_REPEAT instead.  An item that comes several times counts at its last place, in
 * either session.
 */
#ifndef RECSYS_SESSIONKNN_H
#define RECSYS_SESSIONKNN_H

#include "core/rows/history.h"

/* So many different items of the session count, the last ones. */
#define RECSYS_SESSION_ITEMS 8

/* So many of the newest entries of each of them are looked at. */
#define RECSYS_SESSION_RECENT 1000

/* What the anchor counts, beside 1 of those next to it */
#define RECSYS_SESSION_REPEAT 2.0

/* So many sessions vote. */
#define RECSYS_SESSION_NEIGHBORS 200

/* So many more are at hand for those that have no vote as nothing of them is visible. */
#define RECSYS_SESSION_SPARE 50

/* The session at hand: its last different items, the last one first */
typedef struct RecsysSessionQuery
{
	int			nitems;
	uint32		items[RECSYS_SESSION_ITEMS];
	int			places[RECSYS_SESSION_ITEMS];	/* where in the session, from 0 on */
	double		weights[RECSYS_SESSION_ITEMS];
} RecsysSessionQuery;

/* From n items in order, the last one last. */
extern void RecsysSessionQueryMake(const uint32 *items, int n, RecsysSessionQuery *query);

/* Sessions that have something in common with it, told apart by their hashes */
typedef struct RecsysSessionMatches RecsysSessionMatches;

/* For nitems items with `recent` entries at most; in the current memory context. */
extern RecsysSessionMatches *RecsysSessionMatchesCreate(int nitems, int recent);

extern void RecsysSessionMatchesFree(RecsysSessionMatches *matches);

/*
 * Item by item, the session's last one first: the sessions that have it, the newest first;
 * one may come again.
 */
extern void RecsysSessionMatch(RecsysSessionMatches *matches, double weight,
							   const uint32 *sessions, int n);

/*
 * The k sessions with the highest scores into best, which has room for k, the best one first; of
 * equal ones those that came first.  Returns how many there are.
 */
extern int	RecsysSessionBest(RecsysSessionMatches *matches, int k, uint32 *best);

/* An item of a session, at its last place */
typedef struct RecsysSessionVote
{
	uint32		item;
	double		vote;			/* without idf */
} RecsysSessionVote;

/*
 * The votes of one session with n rows, which are reordered; votes has room for n.  Returns
 * how many items there are, in the order of the session; 0 if it has nothing in common.
 */
extern int	RecsysSessionVotes(const RecsysSessionQuery *query, RecsysInteraction *rows, int n,
							   RecsysSessionVote *votes);

/* Of an item that so many of all sessions have */
extern double RecsysSessionIdf(uint64 sessions, uint64 of_item);

#endif							/* RECSYS_SESSIONKNN_H */
