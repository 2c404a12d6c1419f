/*
 * multiplicity.h
 *	  p-values of many comparisons, adjusted so that one may look at all of them.
 */
#ifndef RECSYS_MULTIPLICITY_H
#define RECSYS_MULTIPLICITY_H

#include "core/base/platform.h"

/* In place; NaN stays and does not count.  Holm 1979: the chance of any false alarm. */
extern void RecsysHolm(double *p_values, int n);

/* Benjamini and Hochberg 1995: the share of false alarms among the alarms. */
extern void RecsysBenjaminiHochberg(double *p_values, int n);

#endif							/* RECSYS_MULTIPLICITY_H */
