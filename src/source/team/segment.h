/*
 * segment.h
 *	  Segments of shared memory that may not be to be had.
 */
#ifndef RECSYS_SEGMENT_H
#define RECSYS_SEGMENT_H

#include "postgres.h"

#include "storage/dsm.h"

/*
 * A segment that belongs to the current resource owner; NULL when there is no
 * room for it.
 */
extern dsm_segment *RecsysSegmentCreate(Size size);

/* The same for one that several processes fill: each maps the pages that it is about to write. */
extern dsm_segment *RecsysSegmentReserve(Size size);

/* In a worker.  A segment that is gone means that the leader is, who need not be told. */
extern dsm_segment *RecsysSegmentAttach(dsm_handle handle);

#endif							/* RECSYS_SEGMENT_H */
