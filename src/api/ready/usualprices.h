/*
 * usualprices.h
 *	  What items usually cost, by the price history that a shop has declared.
 */
#ifndef RECSYS_USUALPRICES_H
#define RECSYS_USUALPRICES_H

#include "postgres.h"

#include "api/profile/shopprofile.h"

/*
 * The usual prices of n slots, in their order: the median over the time that each price held
 * within the window.  NaN where nothing tells.  The array has room for n.  Call between SPI_connect
 * and SPI_finish.
 */
extern void RecsysUsualPricesOf(const RecsysShopProfile *profile, const uint32 *slots, int n,
								double *usual);

#endif							/* RECSYS_USUALPRICES_H */
