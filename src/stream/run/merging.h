/*
 * merging.h
 *	  A process that merges the indexes of a stream's owner, where no background worker does.
 */
#ifndef RECSYS_MERGING_H
#define RECSYS_MERGING_H

#include "stream/run/consumer.h"

/* The process's main function.  Returns a RecsysExit. */
extern int	RecsysMerge(const char *conninfo, const char *stream);

#endif							/* RECSYS_MERGING_H */
