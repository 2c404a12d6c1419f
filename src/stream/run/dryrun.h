/*
 * dryrun.h
 *	  recsys-stream --check: would it work?
 */
#ifndef RECSYS_DRYRUN_H
#define RECSYS_DRYRUN_H

#include "stream/run/supervise.h"

/* Prints what it finds.  Returns the program's exit status. */
extern int	RecsysCheck(const RecsysOrders *orders);

#endif							/* RECSYS_DRYRUN_H */
