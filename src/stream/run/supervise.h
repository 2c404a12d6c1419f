/*
 * supervise.h
 *	  The parent process: starts a process for each job of each stream, and those that end anew.
 */
#ifndef RECSYS_SUPERVISE_H
#define RECSYS_SUPERVISE_H

#include "stream/run/programfile.h"

typedef struct RecsysOrders
{
	const char *conninfo;		/* NULL: what the file says, or the environment */
	const char *file;			/* path, or NULL */
	const char **streams;		/* those to run; none: all that the role may run */
	int			nstreams;
	int			jobs;			/* processes for each stream; 0: as declared */
	bool		once;
	bool		verbose;
} RecsysOrders;

/* Returns the program's exit status. */
extern int	RecsysSupervise(const RecsysOrders *orders);

/* Which connection string is meant */
extern const char *RecsysConninfo(const RecsysOrders *orders, const RecsysProgramFile *file);

#endif							/* RECSYS_SUPERVISE_H */
