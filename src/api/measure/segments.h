/*
 * segments.h
 *	  The users of an evaluation: all of them, then each segment.
 */
#ifndef RECSYS_SEGMENTS_H
#define RECSYS_SEGMENTS_H

#include "postgres.h"

#include "core/rows/dictionary.h"
#include "source/input/labels.h"

typedef struct RecsysSegment
{
	const char *name;			/* NULL: all users */
	const uint32 *labels;		/* of each user; NULL: all users */
	uint32		label;			/* among them, of those who are in it */
	uint32		number;			/* 0: all users */
	const uint32 *users;		/* NULL: all users */
	uint32		nusers;
} RecsysSegment;

typedef struct RecsysSegments
{
	const RecsysLabels *labels; /* NULL: there are none */
	uint32		nusers;
	uint32	   *starts;			/* of each segment's users */
	uint32	   *users;			/* by segment */
	uint32		next;			/* number */
} RecsysSegments;

/* Runs the query for them; NULL when there is none. */
extern RecsysLabels *RecsysReadSegments(const char *query, RecsysKeyKind kind,
										const RecsysDictionary *users, uint32 nusers);

/* One after the other, beginning with all users; segments without a user are left out. */
extern void RecsysSegmentsBegin(RecsysSegments *segments, const RecsysLabels *labels, uint32 nusers);
extern bool RecsysSegmentsNext(RecsysSegments *segments, RecsysSegment *segment);

#endif							/* RECSYS_SEGMENTS_H */
