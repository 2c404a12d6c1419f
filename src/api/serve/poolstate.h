/*
 * poolstate.h
 *	  What the files of the pool share.
 */
#ifndef RECSYS_POOLSTATE_H
#define RECSYS_POOLSTATE_H

#include "postgres.h"

#include "api/eligible/fallback.h"
#include "api/eligible/slotplaces.h"
#include "api/serve/pool.h"

typedef struct RecsysPoolState
{
	MemoryContext context;
	RecsysCandidateSource source;
	void	   *arg;
	const RecsysScores *scores;
	places_hash *taken;			/* slots that have been looked at as candidates or stand-ins */
	places_hash *shown;			/* those in the pool */

	int			offered;		/* candidates that have been looked at, */
	int			passed;			/* and how many of them are in the pool */
	bool		source_done;
	RecsysFallback *fallback;
	bool		fallback_done;
	bool		all_done;		/* anything that passes has been taken */
	int			all_limit;

	bool		asked_all;
	RecsysItemRow *all;			/* all that pass, if they are few and have been read */
	int			nall;
	places_hash *all_places;
	RecsysScored *ranked;		/* those of them that have a score, best first: the source then */
	int			nranked;

	uint32	   *barred;			/* slots whose groups are not shown, ascending */
	int			nbarred;
	uint32	   *excluded;		/* those of them that the call excludes, ascending */
	int			nexcluded;
} RecsysPoolState;

/* An item comes up once, as candidate or as stand-in: has it?  It has from now on. */
extern bool RecsysPoolHasComeUp(RecsysPoolState *state, uint32 slot);

/* Why a stand-in waits until there are no others; what is worse comes later */
typedef enum RecsysReserve
{
	RECSYS_NO_RESERVE,
	RECSYS_SHOWN_IN_VAIN,
	RECSYS_PUSHED_DOWN			/* something speaks against it */
} RecsysReserve;

extern RecsysReserve RecsysPoolReserve(const RecsysPool *pool, uint32 slot);

/* Takes those of n slots without scores that pass, which come from one place. */
extern void RecsysPoolTakeSlots(RecsysPool *pool, const uint32 *slots, int n, const char *source);

/*
 * poolfew.c: if few pass they are read, and from then on the table is not asked any more.
 */
extern void RecsysPoolReadFew(RecsysPool *pool);

/* Those of n slots that pass, in their order; rows has room for n. */
extern int	RecsysPoolThatPass(RecsysPool *pool, const uint32 *slots, int n, RecsysItemRow *rows);

/* Takes those of the few that nothing else has brought, most users first. */
extern void RecsysPoolTakeFew(RecsysPool *pool);

#endif							/* RECSYS_POOLSTATE_H */
