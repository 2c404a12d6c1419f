/*
 * rowfactors.h
 *	  What the scores of items are multiplied by: how good the seller is, how well the price fits.
 */
#ifndef RECSYS_ROWFACTORS_H
#define RECSYS_ROWFACTORS_H

#include "postgres.h"

#include "api/eligible/itemrows.h"
#include "api/profile/shopprofile.h"

/* Is anything declared by which scores are multiplied? */
extern bool RecsysHasRowFactors(const RecsysDefinition *definition);

/* Multiplies the scores of n rows; call between SPI_connect and SPI_finish. */
extern void RecsysApplyRowFactors(const RecsysShopProfile *profile, const RecsysItemRow *rows,
								  double *scores, int n);

#endif							/* RECSYS_ROWFACTORS_H */
