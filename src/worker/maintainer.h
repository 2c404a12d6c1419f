/*
 * maintainer.h
 *	  recsys.maintain() in the background.
 */
#ifndef RECSYS_MAINTAINER_H
#define RECSYS_MAINTAINER_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* Setting recsys.maintain_interval: seconds from one run to the next; 0: none in the background */
extern int	RecsysMaintainInterval;

/*
 * Runs it in the worker's database, in a transaction of its own, if it has not been run for an
 * interval, by whomever.  Returns when to ask again; DT_NOEND: it is off.  An error is logged.
 */
extern TimestampTz RecsysMaintainIfDue(MemoryContext context);

#endif							/* RECSYS_MAINTAINER_H */
