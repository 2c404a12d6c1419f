/*
 * userstream.h
 *	  Users' folded histories that are read one after the other, again and again.
 */
#ifndef RECSYS_USERSTREAM_H
#define RECSYS_USERSTREAM_H

#include "core/rows/historychunk.h"

typedef struct RecsysUserStream
{
	void		(*rewind) (void *arg);

	/* next user's history, false at the end; weights is NULL when unweighted */
	bool		(*next) (void *arg, const uint32 **items, const float **weights, int *count);
	void	   *arg;

	/* places of the history read last, see chronology.h; NULL where the order is not kept */
	const uint16 *(*places) (void *arg);

	/*
	 * As many of the next histories as fit into the chunk, which is empty; false at the end.
	 * NULL for a stream that can do no more than next.
	 */
	bool		(*fill) (void *arg, RecsysHistoryChunk *chunk);
} RecsysUserStream;

/* A stream that is read in chunks */
typedef struct RecsysStreamReading
{
	RecsysUserStream *stream;
	bool		has_ahead;		/* a history did not fit into the last chunk */
	const uint32 *items;
	const float *weights;
	int			count;
} RecsysStreamReading;

/* From the first history on */
extern void RecsysStreamReadingBegin(RecsysStreamReading *reading, RecsysUserStream *stream);

/* The next chunk, which is empty before; false at the end */
extern bool RecsysStreamReadingFill(RecsysStreamReading *reading, RecsysHistoryChunk *chunk);

#endif							/* RECSYS_USERSTREAM_H */
