/*
 * itemspostings.h
 *	  Build of an items index: where the content of each row is, by the hashes of keys.
 */
#ifndef RECSYS_ITEMSPOSTINGS_H
#define RECSYS_ITEMSPOSTINGS_H

#include "postgres.h"

#include "core/rows/key.h"
#include "storage/block.h"

typedef struct RecsysItemPostings RecsysItemPostings;

typedef struct RecsysItemPosting
{
	RecsysKey	key;
	uint32		hash;			/* of the key, in the tree */
	uint32		item;
	BlockNumber block;			/* of the content page */
	uint64		position;		/* TID */
} RecsysItemPosting;

extern RecsysItemPostings *RecsysItemPostingsCreate(RecsysKeyKind kind, Size memory);
extern void RecsysItemPostingsPut(RecsysItemPostings *postings, const RecsysItemPosting *posting);
extern void RecsysItemPostingsSort(RecsysItemPostings *postings);

/* By hash, then item, then position; the key lives until the next call. */
extern bool RecsysItemPostingsNext(RecsysItemPostings *postings, RecsysItemPosting *posting);
extern void RecsysItemPostingsFree(RecsysItemPostings *postings);

#endif							/* RECSYS_ITEMSPOSTINGS_H */
