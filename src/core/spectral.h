/*
 * spectral.h
 *	  A graph filter: co-occurrence whose strongest directions are flattened.
 */
#ifndef RECSYS_SPECTRAL_H
#define RECSYS_SPECTRAL_H

#include "core/cooccurrence.h"

/* See the formulas in spectral.c. */
typedef struct RecsysSpectralParameters
{
	int			rank;			/* K: directions that are filtered */
	double		user_exponent;	/* a */
	double		item_exponent;	/* b */
	double		row_exponent;	/* d */
	double		target_exponent;	/* c */
	double		power;			/* p */
	double		tail;			/* t */
	double		keep_exponent;	/* e */
} RecsysSpectralParameters;

#define RECSYS_SPECTRAL_LEAST_RANK 1
#define RECSYS_SPECTRAL_MOST_RANK 1024

extern const RecsysSpectralParameters RecsysSpectralDefaults;

/*
 * Reports all rows.  users is user-major; memory_limit must do for RecsysSpectralMemory.
 */
extern void RecsysSpectral(const RecsysMatrix *users, const RecsysItemTotals *totals,
						   const RecsysModelOptions *options,
						   const RecsysSpectralParameters *parameters, Size memory_limit,
						   RecsysRowReporter report, void *arg);

/* Bytes that it takes beside its arguments. */
extern Size RecsysSpectralMemory(uint32 nusers, uint32 nitems, uint64 nentries, int rank);

#endif							/* RECSYS_SPECTRAL_H */
