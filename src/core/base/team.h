/*
 * team.h
 *	  Several processes, or one, that run the same kernel on the same arrays.
 *
 * All members call the same functions with the same arguments, on arrays in a block of memory
 * that everybody sees, each at an address of its own.  Work is cut into chunks, which members
 * claim one after the other:
 *
 *		while (RecsysTeamClaim(team, nchunks, &chunk))
 *			… chunk …
 *		RecsysTeamWait(team);
 *
 * What a chunk computes must not depend on who does it, and chunks must not depend on the
 * number of members; then neither does the result.  What only one may do, the leader does
 * between two waits.  Decisions are made from what is the same for all: arguments,
 * and what has been written before the last wait.
 *
 * How members are told to wait, and where the counter of chunks is, is up to
 * who makes the team (source/train/parallel_team.c).  One member alone needs neither.
 */
#ifndef RECSYS_TEAM_H
#define RECSYS_TEAM_H

#include "core/base/platform.h"

typedef struct RecsysTeam
{
	int			members;
	int			member;			/* 0: the leader */

	/* both NULL with one member */
	void		(*wait) (void *arg);	/* until all have come here */
	uint64		(*draw) (void *arg);	/* the next number, from 0 on */
	void	   *arg;

	uint64		next;			/* with one member: the next number */
	uint64		base;			/* the number that is the first chunk of the loop at hand */
} RecsysTeam;

/* A team of one */
#define RECSYS_TEAM_ALONE {.members = 1}

static inline bool
RecsysTeamLeads(const RecsysTeam *team)
{
	return team->member == 0;
}

/* Every number drawn before the wait was drawn for work that is done after it. */
static inline void
RecsysTeamWait(RecsysTeam *team)
{
	if (team->wait != NULL)
		team->wait(team->arg);
}

/*
 * The next of nchunks chunks, in ascending order; false when there are no more.  Then each member
 * has drawn one number too many, so all know at which one the next loop begins.
 * It must not begin before all have waited for each other.
 */
static inline bool
RecsysTeamClaim(RecsysTeam *team, uint64 nchunks, uint64 *chunk)
{
	*chunk = (team->draw != NULL ? team->draw(team->arg) : team->next++) - team->base;
	if (*chunk < nchunks)
		return true;
	team->base += nchunks + team->members;
	return false;
}

#endif							/* RECSYS_TEAM_H */
