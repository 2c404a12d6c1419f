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
	Buffer		buffer;			/* pinned and share-locked from Read to Release */
} RecsysFactorReader;

/* False when the index has no factors; then nothing else may be called. */
extern bool RecsysFactorReaderInit(RecsysFactorReader *reader, Relation index);

/*
 * The factor of an item, share-locked until RecsysFactorRelease; NULL, and
 * nothing to release, when nothing has been learned of the item.
 */
extern const float *RecsysFactorRead(RecsysFactorReader *reader, uint32 item);
extern void RecsysFactorRelease(RecsysFactorReader *reader);

/*
 * Visits all factors, or all sketches, in the order of items, a page of them at a time,
 * which is share-locked meanwhile: whoever visits sketches may read factors.
 */
typedef void (*RecsysFactorVisitor) (void *arg, uint32 first, const void *vectors, uint32 n);

extern void RecsysFactorVisit(RecsysFactorReader *reader, RecsysFactorVisitor visit, void *arg);
extern void RecsysFactorVisitSketches(RecsysFactorReader *reader, RecsysFactorVisitor visit,
									  void *arg);

/* The gram matrix, palloc'd. */
extern float *RecsysFactorReadGram(RecsysFactorReader *reader);

/* Bytes of what the next one allocates. */
extern Size RecsysFactorMemory(const RecsysFactorReader *reader);

/* All of it, palloc'd. */
extern RecsysFactors *RecsysFactorReadAll(RecsysFactorReader *reader);

/* The error for numbers that are not finite. */
pg_noreturn extern void RecsysFactorsAreDamaged(Relation index);

/*
 * check_factors.c: errors out unless all factors are finite, their sketches are theirs and
 * the gram matrix is the sum of their outer products.
 */
extern void RecsysCheckFactors(Relation index);

#endif							/* RECSYS_FACTOR_H */
