/*
 * querychunk.h
 *	  Some of the queries of a block: as many as fit the processor's caches.
 *
 * A chunk has for each attribute what its kind is compared by: panels of vectors, arrays of
 * numbers and hashes, and for terms an inverted list, so that their cost is that of the
 * terms that are common.
 */
#ifndef RECSYS_QUERYCHUNK_H
#define RECSYS_QUERYCHUNK_H

#include "core/content/panelproduct.h"
#include "core/content/packedview.h"

#define RECSYS_MAX_CHUNK 512

/* What a query has of a term; lists are in order of the queries. */
typedef struct RecsysPosting
{
	uint16		query;
	int16		weight;
} RecsysPosting;

typedef struct RecsysPostingList
{
	uint32		term;
	uint32		first;
	uint32		n;				/* 0: the slot is free */
	int32		column;			/* of frequent terms, in the panel; else -1 */
} RecsysPostingList;

/* An attribute of the queries of a chunk */
typedef struct RecsysChunkValue
{
	/* label */
	uint32	   *high;			/* 0 and 0: unknown */
	uint32	   *low;

	/* number; what is unknown is far from everything */
	double	   *numbers;

	/* labels: sums of weights; 0: unknown */
	int32	   *totals;

	/* text, vector; 0: unknown */
	float	   *inverse;

	/* vector: its dimensions, in pairs; terms: those that many queries have */
	int16	   *panel;
	Size		panel_room;
	int			pairs;

	/* terms */
	RecsysPostingList *slots;
	uint32		nslots;			/* a power of two, or 0 */
	uint32		slot_room;
	RecsysPosting *postings;
	Size		posting_room;
} RecsysChunkValue;

typedef struct RecsysQueryChunk
{
	int			nqueries;
	bool		ready;			/* all queries are in the values */

	/* the queries, one after the other */
	char	   *packed;
	Size		packed_used;
	Size		packed_room;
	Size	   *starts;

	void	   *memory;			/* that of the arrays below */
	uint32	   *lots;
	RecsysChunkValue values[RECSYS_MAX_ATTRIBUTES];
} RecsysQueryChunk;

/* How many queries a chunk has; a multiple of RECSYS_LANES. */
extern int	RecsysChunkCapacity(const RecsysContentModel *model);

extern RecsysQueryChunk *RecsysChunkCreate(const RecsysContentModel *model, int capacity);
extern void RecsysChunkReset(RecsysQueryChunk *chunk);
extern void RecsysChunkAdd(const RecsysContentModel *model, RecsysQueryChunk *chunk, const char *packed);

/* To be called when queries have been added. */
extern void RecsysChunkPrepare(const RecsysContentModel *model, RecsysQueryChunk *chunk);
extern void RecsysChunkFree(RecsysQueryChunk *chunk);

static inline const RecsysPostingList *
RecsysChunkFind(const RecsysChunkValue *value, uint32 term)
{
	uint32		slot = term & (value->nslots - 1);

	while (value->slots[slot].n != 0 && value->slots[slot].term != term)
		slot = (slot + 1) & (value->nslots - 1);
	return &value->slots[slot];
}

#endif							/* RECSYS_QUERYCHUNK_H */
