/*
 * launcher.h
 *	  The process that starts a merge worker in each database that needs one.
 */
#ifndef RECSYS_LAUNCHER_H
#define RECSYS_LAUNCHER_H

/* Setting recsys.merge_workers: most workers at a time */
#define RECSYS_MAX_MERGE_WORKERS 64
extern int	RecsysMergeWorkers;

#endif							/* RECSYS_LAUNCHER_H */
