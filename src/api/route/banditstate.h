/*
 * banditstate.h
 *	  What a bandit has learned of its arms.
 *
 * Rows of recsys.bandit_state, and of recsys.bandit_delta what is not yet in them.  A trial counts
 * when it is shown; what it brings is added when it comes, with the weight that the trial has by
 * then.  Rewards of one trial are added up; of policies that take rewards from 0 to 1, and at places,
 * they are worth 1 at most: a second click on a list is none.
 *
 * All are sums, so the order in which rows come in does not matter, and a row counts once.
 */
#ifndef RECSYS_BANDITSTATE_H
#define RECSYS_BANDITSTATE_H

#include "postgres.h"

#include "api/route/banditrow.h"
#include "utils/hsearch.h"

typedef struct RecsysBanditArm
{
	const char *name;
	int			place;			/* 0: the list as a whole */
	RecsysArmCounts counts;
	double	   *sums;			/* RecsysLinearLength of them; NULL: none */
	TimestampTz retired_at;		/* 0: not retired */
	bool		changed;		/* since it was read */
} RecsysBanditArm;

/* What a request has brought */
typedef struct RecsysBanditPaid
{
	pg_uuid_t	request;
	TimestampTz time;
	const char *arm;
	int			place;
	double		paid;
} RecsysBanditPaid;

typedef struct RecsysBanditState
{
	const RecsysBandit *bandit;
	MemoryContext context;		/* of all of it */
	TimestampTz as_of;
	HTAB	   *arms;			/* by name and place */
	int64		deltas;			/* rows of recsys.bandit_delta that are in it */
	RecsysBanditPaid *paid;		/* of those with rewards, where they have been taken out */
	int			npaid;
	int			room;
} RecsysBanditState;

/*
 * The rows as of now, in a memory context of their own.  To be called, as the next two, between
 * RecsysBeginAsKeeper and RecsysEndAsKeeper.
 */
extern RecsysBanditState *RecsysReadBanditRows(const RecsysBandit *bandit, bool read_only,
											   MemoryContext in);

/* Adds rows that have not been folded; leaves them there. */
extern void RecsysAddBanditDeltas(RecsysBanditState *state);

/* Adds up to `most` of them, and takes them out; returns how many there were. */
extern int	RecsysTakeBanditDeltas(RecsysBanditState *state, int most);

/* An arm; of one that was never shown, NULL, or a new one if `make`. */
extern RecsysBanditArm *RecsysFindBanditArm(RecsysBanditState *state, const char *name, int place,
											bool make);

/* An arm of what a scan of the table of arms gives */
extern RecsysBanditArm *RecsysBanditArmOfEntry(void *entry);

/* Can a trial bring more than 1, or less than 0? */
extern bool RecsysBanditIsCapped(const RecsysBandit *bandit);

#endif							/* RECSYS_BANDITSTATE_H */
