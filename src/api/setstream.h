/*
 * setstream.h
 *	  Item sets between their mining and the scan that returns them.
 */
#ifndef RECSYS_SETSTREAM_H
#define RECSYS_SETSTREAM_H

#include "postgres.h"

#include "api/itemarray.h"
#include "nodes/execnodes.h"

typedef struct RecsysSetStream RecsysSetStream;

/* An item set as it comes out; items are good until the next one. */
typedef struct RecsysStreamedSet
{
	const uint32 *items;
	uint32		length;
	uint32		support;
	double		weight;
} RecsysStreamedSet;

/* Lives in a memory context of its own below the current one. */
extern RecsysSetStream *RecsysSetStreamCreate(void);
extern void RecsysSetStreamFree(RecsysSetStream *stream);
extern MemoryContext RecsysSetStreamContext(const RecsysSetStream *stream);

/*
 * Before the first set: items are below nitems, N is the number of baskets.  Beyond
 * memory_limit bytes sets go to a temporary file.  arrays live in the stream's context.
 */
extern void RecsysSetStreamBegin(RecsysSetStream *stream, RecsysItemArrays *arrays,
								 uint32 nitems, uint64 baskets, bool weighted,
								 Size memory_limit);
extern void RecsysSetStreamAdd(RecsysSetStream *stream, const uint32 *items, uint32 length,
							   uint32 support, double weight);

/* From the first set on, as often as wanted */
extern void RecsysSetStreamRewind(RecsysSetStream *stream);
extern bool RecsysSetStreamNext(RecsysSetStream *stream, RecsysStreamedSet *set);

extern RecsysItemArrays *RecsysSetStreamArrays(const RecsysSetStream *stream);
extern uint64 RecsysSetStreamBaskets(const RecsysSetStream *stream);
extern bool RecsysSetStreamWeighted(const RecsysSetStream *stream);

#endif							/* RECSYS_SETSTREAM_H */
