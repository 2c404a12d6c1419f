/*
 * factor.h
 *	  Factors of items on disk: writing, reading, scanning, checking.
 */
#ifndef RECSYS_FACTOR_H
#define RECSYS_FACTOR_H

#include "am/store/page.h"
#include "compat.h"
#include "core/dense/factors.h"
#include "core/dense/factorsketch.h"

/*
 * Build: writes all pages and fills in what the meta page has of them; factors
 * may be NULL, for a model that has none.
 */
extern void RecsysWriteFactors(Relation index, ForkNumber fork, const RecsysFactors *factors,
							   RecsysMetaData *meta);

typedef struct RecsysFactorReader
{
	Relation	index;
	RecsysFactorShape shape;
	BlockNumber factors;
	BlockNumber gram;
	BlockNumber sketches;
	BlockNumber rests;
	RecsysSketchLayout layout;
	Buffer		buffer;			/* pinned from Read to Release */
	Buffer		rests_buffer;	/* pinned from Rests to RestsDone */
} RecsysFactorReader;

/* False when the index has no factors; then nothing else may be called. */
extern bool RecsysFactorReaderInit(RecsysFactorReader *reader, Relation index);

/*
 * The factor of an item, on its page, which is pinned until RecsysFactorRelease; NULL, and
 * nothing to release, when nothing has been learned of the item.
 */
extern const float *RecsysFactorRead(RecsysFactorReader *reader, uint32 item);
extern void RecsysFactorRelease(RecsysFactorReader *reader);

/* Says that the factors of these items will be read soon, at most so many of them. */
#define RECSYS_FACTORS_EXPECTED 16

extern void RecsysFactorExpect(RecsysFactorReader *reader, const uint32 *items, int n);

/*
 * Visits all factors in the order of items, a page of them at a time, which is share-locked
 * meanwhile.
 */
typedef void (*RecsysFactorVisitor) (void *arg, uint32 first, const void *vectors, uint32 n);

extern void RecsysFactorVisit(RecsysFactorReader *reader, RecsysFactorVisitor visit, void *arg);

/* The diagonal of the gram matrix, into room for it */
extern void RecsysFactorReadDiagonal(RecsysFactorReader *reader, float *diagonal);

/* Bytes of what the next one allocates. */
extern Size RecsysFactorMemory(const RecsysFactorReader *reader);

/* All of it, palloc'd. */
extern RecsysFactors *RecsysFactorReadAll(RecsysFactorReader *reader);

/* The error for numbers that are not finite. */
pg_noreturn extern void RecsysFactorsAreDamaged(Relation index);

/*
 * check_factors.c: errors out unless all factors are finite, their sketches are theirs and
 * the diagonal is that of the sum of their outer products.
 */
extern void RecsysCheckFactors(Relation index);

#endif							/* RECSYS_FACTOR_H */
