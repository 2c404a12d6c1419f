/*
 * teamscan.h
 *	  The heap scan of an index build, with parallel workers.
 */
#ifndef RECSYS_TEAMSCAN_H
#define RECSYS_TEAMSCAN_H

#include "postgres.h"

#include "access/tableam.h"
#include "lib/stringinfo.h"
#include "source/team/workers.h"
#include "utils/rel.h"

struct IndexInfo;

/*
 * In a worker: rows on their way to the leader.  The callback appends a row, in any form, to
 * the batch and calls RecsysScanSend.
 */
typedef struct RecsysScanSender
{
	StringInfoData batch;
	void	   *state;			/* what begin has returned */
	RecsysWorker worker;
	uint32		nrows;
} RecsysScanSender;

extern void RecsysScanSend(RecsysScanSender *sender);

/*
 * The whole of a worker, which a function exported by the library calls: begin is called with
 * the index open, callback for each row, with the sender as its argument.
 */
extern void RecsysScanWorker(dsm_segment *segment, shm_toc *toc, void *(*begin) (Relation index),
							 IndexBuildCallback callback);

/*
 * The leader: scans the table with up to nworkers workers running the function of that name.
 * Own rows are handed to callback, workers' rows to take, which returns what follows the row;
 * both with arg.  Returns the number of live heap rows.
 */
typedef const char *(*RecsysTakeRow) (void *arg, const char *row);

extern double RecsysTeamScan(Relation heap, Relation index, struct IndexInfo *info, int nworkers,
							 const char *function, IndexBuildCallback callback,
							 RecsysTakeRow take, void *arg);

#endif							/* RECSYS_TEAMSCAN_H */
