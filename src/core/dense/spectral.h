/*
 * spectral.h
 *	  A graph filter: co-occurrence whose strongest directions are flattened.
 */
#ifndef RECSYS_SPECTRAL_H
#define RECSYS_SPECTRAL_H

#include "core/dense/densemodel.h"

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

extern const RecsysSpectralParameters RecsysSpectralDefaults;

/* rank, power and tail are those of the task's options, the rest as in the defaults. */
extern const RecsysDenseModel RecsysSpectral;

#endif							/* RECSYS_SPECTRAL_H */
