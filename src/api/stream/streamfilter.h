/*
 * streamfilter.h
 *	  The filter of a stream: an expression over a message's values.
 */
#ifndef RECSYS_STREAMFILTER_H
#define RECSYS_STREAMFILTER_H

#include "postgres.h"

#include "api/stream/streamshape.h"

/*
 * Errors out unless the filter is one expression of type boolean over the values of the shape, which
 * errors point into.  Nothing of it is run.
 */
extern void RecsysCheckStreamFilter(const RecsysStreamShape *shape);

#endif							/* RECSYS_STREAMFILTER_H */
