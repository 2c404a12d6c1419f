/*
 * setstream.h
 *	  Item sets between their mining and the scan that returns them.
 */
#ifndef RECSYS_SETSTREAM_H
#define RECSYS_SETSTREAM_H

#include "postgres.h"

#include "api/call/itemarray.h"
#include "core/itemset/setpack.h"

typedef struct RecsysSetStream RecsysSetStream;

/* Lives in a memory context of its own below the current one. */
extern RecsysSetStream *RecsysSetStreamCreate(void);
extern void RecsysSetStreamFree(RecsysSetStream *stream);
extern MemoryContext RecsysSetStreamContext(const RecsysSetStream *stream);

/*
 * Before the first set: their format, the number of baskets, and arrays, which live in the
 * stream's context.  Beyond memory_limit bytes sets go to a temporary file.
 */
extern void RecsysSetStreamBegin(RecsysSetStream *stream, const RecsysSetFormat *format,
								 RecsysItemArrays *arrays, uint64 baskets, Size memory_limit);
extern void RecsysSetStreamAdd(RecsysSetStream *stream, const RecsysItemset *set);

/* Sets that are packed already */
extern void RecsysSetStreamAddPacked(RecsysSetStream *stream, const uint16 *units,
									 uint32 nunits);

/* From the first set on, as often as wanted; with or without items, which are good until the next one */
extern void RecsysSetStreamRewind(RecsysSetStream *stream);
extern bool RecsysSetStreamNext(RecsysSetStream *stream, bool with_items, RecsysItemset *set);

extern const RecsysSetFormat *RecsysSetStreamFormat(const RecsysSetStream *stream);
extern RecsysItemArrays *RecsysSetStreamArrays(const RecsysSetStream *stream);
extern uint64 RecsysSetStreamBaskets(const RecsysSetStream *stream);

#endif							/* RECSYS_SETSTREAM_H */
