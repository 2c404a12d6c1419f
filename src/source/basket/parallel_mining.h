/*
 * parallel_mining.h
 *	  Frequent item sets mined by this process and, when it takes long, by
 *	  parallel workers as well.
 */
#ifndef RECSYS_PARALLEL_MINING_H
#define RECSYS_PARALLEL_MINING_H

#include "postgres.h"

#include "core/itemset/setpack.h"
#include "port/atomics.h"
#include "source/team/workers.h"
#include "storage/condition_variable.h"
#include "storage/dsm.h"

/* What leader and workers share; part of the shared area of whoever has workers. */
typedef struct RecsysMiningShared
{
	ConditionVariable changed;	/* stage has */
	pg_atomic_uint32 stage;		/* RecsysMiningStage */
	dsm_handle	block;			/* segment with the prepared data */
	Size		memory_limit;	/* of each miner */
	RecsysSetFormat format;		/* of what workers send */
	pg_atomic_uint32 claimed;	/* tasks that somebody has taken, from the last one on */
	pg_atomic_uint32 stop;		/* nobody wants more */
} RecsysMiningShared;

/*
 * Workers that have been launched for something else and stay to mine, or none, and
 * the shared memory that the prepared data is in, if it is.  To be dismissed at the end.
 */
typedef struct RecsysMiningTeam
{
	RecsysWorkers *workers;		/* NULL: there are none */
	int			nlaunched;
	RecsysMiningShared *shared;
	dsm_segment *segment;		/* of the prepared data */
} RecsysMiningTeam;

/*
 * Where item sets go: those of this process one by one, items in any order, those of
 * workers packed, as they come.  False ends the mining with RECSYS_ITEMSETS_STOPPED.
 */
typedef struct RecsysMiningReport
{
	RecsysSetFormat format;		/* of packed ones */
	RecsysItemsetReporter set;
	bool		(*packed) (void *arg, const uint16 *units, uint32 nunits, uint32 nsets);
	void	   *arg;
} RecsysMiningReport;

extern void RecsysMiningSharedInit(RecsysMiningShared *shared);

/*
 * A place for the prepared data, of which the workers know (a RecsysItemsetsPlace;
 * arg is the team).
 */
extern void *RecsysMiningTeamPlace(void *team, Size size);

/* The end of it: of workers that have not been needed, and of the prepared data's place. */
extern void RecsysMiningTeamDismiss(RecsysMiningTeam *team);

/* Worker: wait for the prepared data and take part in the mining. */
extern void RecsysMiningTakePart(RecsysWorker *worker, RecsysMiningShared *shared);

/*
 * Report every item set of the prepared data, each once, in no particular order;
 * with it mines the team, if it has workers, which are gone afterwards.  Without one,
 * up to nworkers parallel workers are launched when mining takes long.  memory_limit is
 * for all miners together, in bytes.
 */
extern RecsysItemsetOutcome RecsysMineItemsets(const RecsysItemsets *sets, Size memory_limit,
											   int nworkers, RecsysMiningTeam *team,
											   const RecsysMiningReport *report);

#endif							/* RECSYS_PARALLEL_MINING_H */
