/*
 * teamdraft.h
 *	  Two lists in one: each team chooses its best item that is not there yet, in turn.
 */
#ifndef RECSYS_TEAMDRAFT_H
#define RECSYS_TEAMDRAFT_H

#include "core/base/platform.h"

/* Whose an item is that a team has put there without the other one getting its turn */
#define RECSYS_NO_TEAM (-1)

/* An item of the draft */
typedef struct RecsysDrafted
{
	int			list;			/* from which list it is: 0 or 1, */
	int			place;			/* and its place there, from 0 */
	int			team;			/* whose clicks on it are: list, or RECSYS_NO_TEAM */
} RecsysDrafted;

/*
 * The first k of the draft of two lists of items' names; returns how many there are.  The same seed
 * gives the same draft.  A name that is twice in a list counts once.
 */
extern int	RecsysDraft(const char *const *lists[2], const int counts[2], uint64 seed, int k,
						RecsysDrafted *draft);

#endif							/* RECSYS_TEAMDRAFT_H */
